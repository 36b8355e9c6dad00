import { create, type DescMessage, type MessageInitShape, toBinary, toJson } from '@bufbuild/protobuf';
import { StatusSchema } from './gen/google/rpc/status_pb.js';
import { ExportLogsServiceResponseSchema } from './gen/opentelemetry/proto/collector/logs/v1/logs_service_pb.js';
import { ExportMetricsServiceResponseSchema } from './gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js';
import { ExportTraceServiceResponseSchema } from './gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { jsonList, jsonRecord, parseJson } from './json-check.ts';
import type { WireLimits } from './limits.ts';
import { ProtobufCursor } from './protobuf-cursor.ts';
import { type Encoding, encoding } from './read-result.ts';
import { bytesOf } from './utf8.ts';

/** Bodies of answers, in the encoding of the request. partial_success stays unset on full success (OTLP specification, "Full Success"). */
export const exportTraceResponse = (written: Encoding, rejectedSpans: number, message: string): Uint8Array =>
  write(
    ExportTraceServiceResponseSchema,
    isFull(rejectedSpans, message)
      ? {}
      : { partialSuccess: { rejectedSpans: BigInt(rejectedSpans), errorMessage: message } },
    written,
  );

export const exportMetricsResponse = (written: Encoding, rejectedDataPoints: number, message: string): Uint8Array =>
  write(
    ExportMetricsServiceResponseSchema,
    isFull(rejectedDataPoints, message)
      ? {}
      : { partialSuccess: { rejectedDataPoints: BigInt(rejectedDataPoints), errorMessage: message } },
    written,
  );

export const exportLogsResponse = (written: Encoding, rejectedLogRecords: number, message: string): Uint8Array =>
  write(
    ExportLogsServiceResponseSchema,
    isFull(rejectedLogRecords, message)
      ? {}
      : { partialSuccess: { rejectedLogRecords: BigInt(rejectedLogRecords), errorMessage: message } },
    written,
  );

/** Codes of google.rpc.Code that a receiver has use for. */
export const rpcCode = {
  invalidArgument: 3,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** google.rpc.Status, the body of every 4xx and 5xx. */
export const statusBody = (written: Encoding, code: number, message: string): Uint8Array =>
  write(StatusSchema, { code, message }, written);

const isFull = (rejected: number, message: string): boolean => rejected === 0 && message === '';

function write<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>, written: Encoding): Uint8Array {
  const message = create(schema, init);
  return written === encoding.json ? bytesOf(JSON.stringify(toJson(schema, message))) : toBinary(schema, message);
}

/** resource_logs, scope_logs and log_records: fields 1, 2 and 2 of their messages (logs/v1/logs.proto). */
const logsPath = [0x0a, 0x12, 0x12];

/** How many log records a request carries: we keep none and say so. Throws MalformedError. */
export function countLogRecords(body: Uint8Array, written: Encoding, limits: WireLimits): number {
  if (written === encoding.protobuf) return countAlong(new ProtobufCursor().over(body), body.length, 0);
  let records = 0;
  for (const group of jsonList(
    jsonRecord(parseJson(body, limits.jsonDepth), 'the request').resourceLogs,
    'resourceLogs',
  ))
    for (const scoped of jsonList(jsonRecord(group, 'resourceLogs').scopeLogs, 'scopeLogs'))
      records += jsonList(jsonRecord(scoped, 'scopeLogs').logRecords, 'logRecords').length;
  return records;
}

function countAlong(cursor: ProtobufCursor, end: number, step: number): number {
  let records = 0;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag !== logsPath[step]) {
      cursor.skip(tag, end);
      continue;
    }
    const stop = cursor.len(end);
    if (step < logsPath.length - 1) records += countAlong(cursor, stop, step + 1);
    else {
      records++;
      cursor.pos = stop;
    }
  }
  return records;
}
