import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { StatusSchema } from './gen/google/rpc/status_pb.js';
import { ExportLogsServiceRequestSchema } from './gen/opentelemetry/proto/collector/logs/v1/logs_service_pb.js';
import { ExportTraceServiceResponseSchema } from './gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { defaultLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import {
  countLogRecords,
  exportLogsResponse,
  exportMetricsResponse,
  exportTraceResponse,
  rpcCode,
  statusBody,
} from './otlp-answer.ts';
import { encoding } from './read-result.ts';
import { bytesOf, textOf } from './utf8.ts';

test('full success leaves partial_success unset', () => {
  for (const respond of [exportTraceResponse, exportMetricsResponse, exportLogsResponse]) {
    expect(respond(encoding.protobuf, 0, '')).toHaveLength(0);
    expect(textOf(respond(encoding.json, 0, ''))).toBe('{}');
  }
});

test('partial success says how many and why, a warning only why', () => {
  expect(JSON.parse(textOf(exportTraceResponse(encoding.json, 3, 'why')))).toEqual({
    partialSuccess: { rejectedSpans: '3', errorMessage: 'why' },
  });
  expect(JSON.parse(textOf(exportMetricsResponse(encoding.json, 3, 'why')))).toEqual({
    partialSuccess: { rejectedDataPoints: '3', errorMessage: 'why' },
  });
  expect(JSON.parse(textOf(exportLogsResponse(encoding.json, 0, 'why')))).toEqual({
    partialSuccess: { errorMessage: 'why' },
  });
  const { partialSuccess } = fromBinary(
    ExportTraceServiceResponseSchema,
    exportTraceResponse(encoding.protobuf, 3, 'why'),
  );
  expect(partialSuccess).toMatchObject({ rejectedSpans: 3n, errorMessage: 'why' });
});

test('an error is a google.rpc.Status', () => {
  expect(fromBinary(StatusSchema, statusBody(encoding.protobuf, rpcCode.invalidArgument, 'bad'))).toMatchObject({
    code: 3,
    message: 'bad',
  });
  expect(JSON.parse(textOf(statusBody(encoding.json, rpcCode.unavailable, 'later')))).toEqual({
    code: 14,
    message: 'later',
  });
});

test('log records are counted, in both encodings', () => {
  const logRecords = [{ severityText: 'a' }, { severityText: 'b' }];
  const request = create(ExportLogsServiceRequestSchema, {
    resourceLogs: [{ scopeLogs: [{ logRecords }, { logRecords }] }, {}],
  });
  expect(countLogRecords(toBinary(ExportLogsServiceRequestSchema, request), encoding.protobuf, defaultLimits)).toBe(4);
  const json = bytesOf(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }, { logRecords }] }, {}] }));
  expect(countLogRecords(json, encoding.json, defaultLimits)).toBe(4);
  expect(() => countLogRecords(Uint8Array.of(0x0b), encoding.protobuf, defaultLimits)).toThrow(MalformedError);
  expect(() => countLogRecords(bytesOf('{"resourceLogs":{}}'), encoding.json, defaultLimits)).toThrow(MalformedError);
});
