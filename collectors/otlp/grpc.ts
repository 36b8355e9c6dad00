import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  setLogVerbosity,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import type { Listen } from '#lib/config.ts';
import type { HopscopeError } from '#lib/errors.ts';
import { MalformedError } from '#lib/wire/malformed-error.ts';
import {
  countLogRecords,
  exportLogsResponse,
  exportMetricsResponse,
  exportTraceResponse,
} from '#lib/wire/otlp-answer.ts';
import { encoding } from '#lib/wire/read-result.ts';
import type { ListenerStats } from '../intake/messages.ts';
import { cannotListen } from './cannot-listen.ts';
import { type Receiving, rpcCode, Tally } from './receiving.ts';

export interface OtlpGrpc {
  readonly listen: Listen;
  stats(): ListenerStats;
  logRecordsIgnored(): number;
  stop(): Promise<void>;
}

/** Bodies come through as bytes: the same readers as for HTTP, no generated stubs. */
const asIs = (bytes: Buffer): Buffer => bytes;
const methodAt = (path: string) => ({
  path,
  requestStream: false as const,
  responseStream: false as const,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});
const service = 'opentelemetry.proto.collector';
const exportPaths = {
  traces: `/${service}.trace.v1.TraceService/Export`,
  metrics: `/${service}.metrics.v1.MetricsService/Export`,
  logs: `/${service}.logs.v1.LogsService/Export`,
} as const;
type Endpoint = keyof typeof exportPaths;
const answerOf = { traces: exportTraceResponse, metrics: exportMetricsResponse, logs: exportLogsResponse };

const stopWithinMs = 5_000;

type Call = ServerUnaryCall<Buffer, Buffer>;
type Answer = sendUnaryData<Buffer>;

/**
 * OTLP/gRPC. Errors: UNAVAILABLE for later (senders try again), INVALID_ARGUMENT for never; a message above the limit is
 * RESOURCE_EXHAUSTED by grpc-js itself, without RetryInfo, which senders do not repeat either.
 */
export async function startOtlpGrpc(at: Listen, receiving: Receiving): Promise<OtlpGrpc> {
  const { gather, admission } = receiving;
  const { limits } = gather;
  const answers = new Tally();
  const refused = new Tally();
  let requests = 0;
  let logRecords = 0;
  let saidLogsAreIgnored = false;

  const refuse = (answer: Answer, code: number, word: string, message: string): void => {
    answers.add(code);
    refused.add(word);
    answer({ code, details: message });
  };
  const succeed = (answer: Answer, endpoint: Endpoint, rejected: number, message: string): void => {
    answers.add(rpcCode.ok);
    answer(null, asBuffer(answerOf[endpoint](encoding.protobuf, rejected, message)));
  };

  const take = (endpoint: Endpoint, bytes: Buffer, answer: Answer): void => {
    requests++;
    const refusal = gather.refusal();
    if (refusal) {
      refuse(answer, rpcCode.unavailable, 'spool', refusal.message);
      return;
    }
    const size = bytes.length;
    if (!admission.take(size)) {
      refuse(answer, rpcCode.unavailable, 'busy', `${admission.takenBytes} bytes of requests are being read already`);
      return;
    }
    try {
      if (endpoint === 'logs') {
        logRecords += countLogRecords(bytes, encoding.protobuf, limits);
        admission.give(size);
        const message = saidLogsAreIgnored ? '' : 'Hopscope keeps no logs: log records are counted and ignored';
        saidLogsAreIgnored = true;
        succeed(answer, endpoint, 0, message);
        return;
      }
      const result = gather[endpoint](encoding.protobuf, bytes, (failed) => {
        admission.give(size);
        if (failed) refuse(answer, rpcCode.unavailable, 'spool', failed.message);
        else succeed(answer, endpoint, result.received - result.accepted, result.message);
      });
    } catch (error) {
      admission.give(size);
      const known = error instanceof MalformedError;
      if (!known) receiving.log('warn', 'a request could not be read', { endpoint, why: String(error) });
      refuse(answer, rpcCode.invalidArgument, 'malformed', known ? error.message : 'unreadable');
    }
  };

  // What goes wrong is told by our own errors and counts.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server({
    'grpc.max_receive_message_length': limits.unpackedBytes,
    'grpc.max_concurrent_streams': 64,
    'grpc.max_connection_idle_ms': 300_000,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
  });
  for (const endpoint of Object.keys(exportPaths) as Endpoint[]) {
    const handle = (call: Call, answer: Answer): void => take(endpoint, call.request, answer);
    server.addService({ Export: methodAt(exportPaths[endpoint]) }, { Export: handle as UntypedHandleCall });
  }

  const host = at.host.includes(':') ? `[${at.host}]` : at.host;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${at.port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (!error) return resolve(bound);
      // grpc-js tells the cause in words only.
      const code = /EADDRINUSE|EACCES|EADDRNOTAVAIL/.exec(error.message)?.[0];
      const cause = code ? Object.assign(new Error(error.message), { code }) : error;
      reject(cannotListen('OTLP/gRPC', at, 'otlp.grpc', 'HOPSCOPE_OTLP_GRPC', cause) satisfies HopscopeError);
    });
  });
  const listen = { host: at.host, port };

  return {
    listen,
    stats: () => ({
      name: 'otlp-grpc',
      listen,
      connections: null,
      requests,
      answers: { ...answers.counts },
      refused: { ...refused.counts },
    }),
    logRecordsIgnored: () => logRecords,
    stop: () =>
      new Promise<void>((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), stopWithinMs);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      }),
  };
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
