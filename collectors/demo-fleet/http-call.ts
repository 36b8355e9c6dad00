// HTTP between services over node:http, instrumented by hand: CLIENT and SERVER spans with the device's own time.

import { type Agent, createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpanKind } from '@opentelemetry/api';
import { parseTraceparent, type Service, type Work } from './service.ts';

const TIMEOUT_MS = 10_000;

export interface HttpCall {
  /** The port that leads there, through the delay of the way. */
  port: number;
  server: string;
  path: string;
  body: string;
  agent: Agent;
}

/** The answer's body, or undefined where none came: the span tells why. */
export async function postTraced(parent: Work, call: HttpCall): Promise<string | undefined> {
  const work = parent.start(`POST ${call.path}`, {
    kind: SpanKind.CLIENT,
    attributes: {
      'http.request.method': 'POST',
      'url.path': call.path,
      'url.full': `http://${call.server}${call.path}`,
      'server.address': call.server,
      'server.port': 80,
      'network.protocol.name': 'http',
    },
  });
  try {
    const response = await post(call, work.traceparent);
    work.set({ 'http.response.status_code': response.status });
    if (response.status >= 400) work.fail(String(response.status));
    return response.body;
  } catch (error) {
    work.fail((error as NodeJS.ErrnoException).code ?? 'error');
    return undefined;
  } finally {
    work.end();
  }
}

function post(call: HttpCall, traceparent: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = {
      host: call.server,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(call.body),
      traceparent,
    };
    const { port, path, agent } = call;
    const req = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent, timeout: TIMEOUT_MS });
    req.on('response', (response) => {
      readBody(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
    req.on('timeout', () => req.destroy(Object.assign(new Error('timeout'), { code: 'timeout' })));
    req.on('error', reject);
    req.end(call.body);
  });
}

export type HttpHandler = (work: Work, body: string) => Promise<string>;

export interface HttpService {
  port: number;
  close(): Promise<void>;
}

export async function serveTraced(service: Service, route: string, handler: HttpHandler): Promise<HttpService> {
  const server: Server = createServer({ noDelay: true }, (req, res) => {
    const work = service.start(`POST ${route}`, {
      kind: SpanKind.SERVER,
      parent: parseTraceparent(req.headers.traceparent as string | undefined),
      attributes: {
        'http.request.method': 'POST',
        'http.route': route,
        'url.path': req.url ?? route,
        'url.scheme': 'http',
        'server.address': service.hostName,
        'server.port': 80,
      },
    });
    readBody(req)
      .then((body) => handler(work, body))
      .then(
        (answer) => {
          work.set({ 'http.response.status_code': 200 });
          res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
          res.end(answer);
          work.end();
        },
        () => {
          work.set({ 'http.response.status_code': 504 });
          work.fail('504');
          res.writeHead(504).end();
          work.end();
        },
      );
  });
  // Longer than any pause between requests, so that a kept connection is never closed under one.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
