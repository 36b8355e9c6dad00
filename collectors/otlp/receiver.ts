import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Listen } from '#lib/config.ts';
import { MalformedError } from '#lib/wire/malformed-error.ts';
import {
  countLogRecords,
  exportLogsResponse,
  exportMetricsResponse,
  exportTraceResponse,
  statusBody,
} from '#lib/wire/otlp-answer.ts';
import { type Encoding, encoding, type ReadResult } from '#lib/wire/read-result.ts';
import { hostCheck } from '../host-names.ts';
import type { ListenerStats } from '../intake/messages.ts';
import { cannotListen } from './cannot-listen.ts';
import { Body, type BodyFailure, readBody } from './read-body.ts';
import { type Receiving, rpcCode, Tally } from './receiving.ts';

export interface OtlpReceiver {
  readonly listen: Listen;
  stats(): ListenerStats;
  logRecordsIgnored(): number;
  /** Takes no more connections and waits for the requests underway. */
  stop(): Promise<void>;
}

const defaultTimeouts = { headersMs: 10_000, requestMs: 40_000, idleMs: 30_000 };
const connectionsAtMost = 4_096;
/** A sender that was refused may finish what it is saying for so long, so that it gets to read the answer. */
const lingerMs = 2_000;
const stopWithinMs = 5_000;

type Endpoint = 'traces' | 'metrics' | 'logs';
const endpoints: Record<string, Endpoint> = {
  '/v1/traces': 'traces',
  '/v1/metrics': 'metrics',
  '/v1/logs': 'logs',
};
const mediaTypes: Record<string, Encoding> = {
  'application/x-protobuf': encoding.protobuf,
  'application/json': encoding.json,
};
const contentTypeOf = (of: Encoding): string => (of === encoding.json ? 'application/json' : 'application/x-protobuf');
const answerOf = { traces: exportTraceResponse, metrics: exportMetricsResponse, logs: exportLogsResponse };

/** A request that is turned away: HTTP status, google.rpc.Status code, a counted word, what was found and wanted. */
interface Refusal {
  status: number;
  code: number;
  word: string;
  message: string;
  headers?: Record<string, string>;
}

const later = (message: string, word: string): Refusal => ({
  status: 503,
  code: rpcCode.unavailable,
  word,
  message,
  headers: { 'Retry-After': '1' },
});

/** OTLP/HTTP 1.11: protobuf and JSON, gzip, partial success; 400, 413, 415 for never, 503 with Retry-After for later (wire.md 1.1). */
export async function startOtlpReceiver(at: Listen, receiving: Receiving): Promise<OtlpReceiver> {
  const { gather, admission } = receiving;
  const { limits } = gather;
  const timeouts = { ...defaultTimeouts, ...receiving.timeouts };
  const isOurs = hostCheck(receiving.hostNames);
  const answers = new Tally();
  const refused = new Tally();
  const fullSuccess = new Map<string, Uint8Array>();
  let requests = 0;
  let logRecords = 0;
  let saidLogsAreIgnored = false;

  function refuse(request: IncomingMessage, response: ServerResponse, as: Encoding, refusal: Refusal): void {
    refused.add(refusal.word);
    if (response.headersSent || response.destroyed) return;
    send(response, refusal.status, as, statusBody(as, refusal.code, refusal.message), refusal.headers);
    if (!request.complete) {
      // Node reads on and throws away what still comes, so that the answer is not lost in a reset; not for ever.
      setTimeout(() => request.complete || request.socket.destroy(), lingerMs).unref();
    }
  }

  function send(
    response: ServerResponse,
    status: number,
    as: Encoding,
    bytes: Uint8Array,
    headers?: Record<string, string>,
  ): void {
    answers.add(status);
    response.writeHead(status, { 'Content-Type': contentTypeOf(as), 'Content-Length': bytes.length, ...headers });
    response.end(bytes);
  }

  function succeed(
    response: ServerResponse,
    endpoint: Endpoint,
    as: Encoding,
    rejected: number,
    message: string,
  ): void {
    if (rejected > 0 || message !== '') {
      send(response, 200, as, answerOf[endpoint](as, rejected, message));
      return;
    }
    const key = endpoint + as;
    let bytes = fullSuccess.get(key);
    if (!bytes) {
      bytes = answerOf[endpoint](as, 0, '');
      fullSuccess.set(key, bytes);
    }
    send(response, 200, as, bytes);
  }

  /** All that can be said before the body is read; null = go on. */
  function refusalOf(
    request: IncomingMessage,
    endpoint: Endpoint | undefined,
    as: Encoding | undefined,
  ): Refusal | null {
    const { headers, method } = request;
    if (!isOurs(headers.host)) {
      const message = `found Host "${headers.host ?? ''}", wanted a loopback name or one of web.hostNames in hopscope.yaml`;
      return { status: 421, code: rpcCode.permissionDenied, word: 'host', message };
    }
    if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) {
      const message = `found Origin "${headers.origin}", wanted none or our own`;
      return { status: 403, code: rpcCode.permissionDenied, word: 'origin', message };
    }
    if (endpoint === undefined) {
      const message = `found no such path, wanted ${Object.keys(endpoints).join(', ')}`;
      return { status: 404, code: rpcCode.notFound, word: 'path', message };
    }
    if (method !== 'POST') {
      const message = `found ${method}, wanted POST`;
      return { status: 405, code: rpcCode.unimplemented, word: 'method', message, headers: { Allow: 'POST' } };
    }
    if (as === undefined) {
      const message = `found Content-Type "${headers['content-type'] ?? ''}", wanted ${Object.keys(mediaTypes).join(' or ')}`;
      return { status: 415, code: rpcCode.invalidArgument, word: 'content-type', message };
    }
    const packing = headers['content-encoding'] ?? 'identity';
    if (packing !== 'gzip' && packing !== 'identity') {
      const message = `found Content-Encoding "${packing}", wanted gzip or none`;
      const allowed = { 'Accept-Encoding': 'gzip' };
      return { status: 415, code: rpcCode.invalidArgument, word: 'content-encoding', message, headers: allowed };
    }
    if (Number(headers['content-length'] ?? 0) > limits.packedBytes) return tooLarge();
    const refusal = gather.refusal();
    if (refusal) return later(refusal.message, 'spool');
    return null;
  }

  const tooLarge = (): Refusal => ({
    status: 413,
    code: rpcCode.invalidArgument,
    word: 'too-large',
    message: `wanted at most ${limits.packedBytes} bytes, ${limits.unpackedBytes} unpacked`,
  });
  const busy = (): Refusal => later(`${admission.takenBytes} bytes of requests are being read already`, 'busy');
  const malformed = (message: string): Refusal => {
    return { status: 400, code: rpcCode.invalidArgument, word: 'malformed', message };
  };

  function refusalOfBody(failure: BodyFailure): Refusal {
    switch (failure) {
      case 'too-large':
        return tooLarge();
      case 'busy':
        return busy();
      case 'bad-gzip':
        return malformed('the body is no gzip although Content-Encoding says so');
      case 'cut-off':
        return malformed('the body ended before its length');
    }
  }

  function take(endpoint: Endpoint, as: Encoding, bytes: Uint8Array, body: Body, response: ServerResponse): void {
    if (endpoint === 'logs') {
      logRecords += countLogRecords(bytes, as, limits);
      body.release();
      const message = saidLogsAreIgnored ? '' : 'Hopscope keeps no logs: log records are counted and ignored';
      if (!saidLogsAreIgnored) receiving.log('info', 'log records arrive and are ignored', {});
      saidLogsAreIgnored = true;
      succeed(response, endpoint, as, 0, message);
      return;
    }
    const result: ReadResult = gather[endpoint](as, bytes, (refusal) => {
      body.release();
      if (refusal) refuse(response.req, response, as, later(refusal.message, 'spool'));
      else succeed(response, endpoint, as, result.received - result.accepted, result.message);
    });
  }

  const server = createServer({
    headersTimeout: timeouts.headersMs,
    requestTimeout: timeouts.requestMs,
    keepAliveTimeout: timeouts.idleMs,
    connectionsCheckingInterval: Math.min(1_000, timeouts.headersMs / 2),
    maxHeaderSize: 16 * 1024,
  });
  server.maxConnections = connectionsAtMost;

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    requests++;
    const url = request.url!;
    const query = url.indexOf('?');
    const endpoint = endpoints[query < 0 ? url : url.slice(0, query)];
    const as = encodingOf(request.headers['content-type']);
    const refusal = refusalOf(request, endpoint, as);
    if (refusal) return refuse(request, response, as ?? encoding.json, refusal);

    const declared = request.headers['content-length'];
    const length = declared === undefined ? null : Number(declared);
    const body = new Body(admission);
    if (!body.take(length ?? 0)) return refuse(request, response, as!, busy());
    readBody(request, length, request.headers['content-encoding'] === 'gzip', body, limits, (failure, bytes) => {
      if (failure) {
        body.release();
        return refuse(request, response, as!, refusalOfBody(failure));
      }
      try {
        take(endpoint!, as!, bytes, body, response);
      } catch (error) {
        body.release();
        if (!(error instanceof MalformedError)) {
          receiving.log('warn', 'a request could not be read', { endpoint, why: String(error) });
        }
        refuse(request, response, as!, malformed(error instanceof MalformedError ? error.message : 'unreadable'));
      }
    });
  });

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const wide = error.code === 'HPE_HEADER_OVERFLOW';
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') refused.add(late ? 'timeout' : 'bad-http');
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const status = late ? '408 Request Timeout' : wide ? '431 Request Header Fields Too Large' : '400 Bad Request';
    answers.add(status.slice(0, 3));
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    setTimeout(() => socket.destroy(), 100).unref();
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen('OTLP/HTTP', at, 'otlp.listen', 'HOPSCOPE_OTLP', error)));
    server.listen(at.port, at.host, resolve);
  });
  server.on('error', (error) =>
    receiving.log('warn', 'the OTLP/HTTP listener reported an error', { why: error.message }),
  );
  const listen = { host: at.host, port: (server.address() as AddressInfo).port };
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.on('close', () => connections--);
  });

  return {
    listen,
    stats: () => ({
      name: 'otlp',
      listen,
      connections,
      requests,
      answers: { ...answers.counts },
      refused: { ...refused.counts },
    }),
    logRecordsIgnored: () => logRecords,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), stopWithinMs).unref();
      }),
  };
}

/** Parameters such as charset are allowed and mean nothing here. */
function encodingOf(contentType: string | undefined): Encoding | undefined {
  if (contentType === undefined) return undefined;
  const known = mediaTypes[contentType];
  if (known !== undefined) return known;
  const semicolon = contentType.indexOf(';');
  return mediaTypes[(semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()];
}
