import { gzipSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExportTraceServiceResponseSchema } from '#lib/wire/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { loopback, type RunningIntake, runIntake, until } from '../intake/fixtures/running-intake.ts';
import { metricsRequestProtobuf, traceRequestProtobuf } from '../intake/fixtures/trace-request.ts';

let running: RunningIntake;
let client: Client;
beforeAll(async () => {
  running = await runIntake({ otlpGrpc: loopback() });
  client = new Client(`127.0.0.1:${running.intake.addresses.otlpGrpc!.port}`, credentials.createInsecure(), {
    'grpc.max_send_message_length': 64 * 1024 ** 2,
  });
});
afterAll(async () => {
  client.close();
  await running.stop();
});

const asIs = (bytes: Buffer): Buffer => bytes;
const call = (service: string, bytes: Uint8Array): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/opentelemetry.proto.collector.${service}/Export`,
      asIs,
      asIs,
      Buffer.from(bytes),
      (error: ServiceError | null, answer?: Buffer) => (error ? reject(error) : resolve(answer!)),
    );
  });

test('takes traces and metrics and answers with an empty message', async () => {
  const before = running.store.spans;
  expect(await call('trace.v1.TraceService', traceRequestProtobuf(7))).toHaveLength(0);
  expect(await call('metrics.v1.MetricsService', metricsRequestProtobuf(0.75))).toHaveLength(0);
  await until('both are stored', () => running.store.spans === before + 7 && running.store.received >= before + 8);
});

test('rejected spans are a partial success', async () => {
  const lastYear = (BigInt(Date.now()) - 400n * 86_400_000n) * 1_000_000n;
  const answer = await call('trace.v1.TraceService', traceRequestProtobuf(3, 'old', lastYear));
  expect(fromBinary(ExportTraceServiceResponseSchema, answer).partialSuccess?.rejectedSpans).toBe(3n);
});

test('logs are counted and ignored', async () => {
  await call('logs.v1.LogsService', new Uint8Array(0));
  expect((await running.intake.stats()).listeners[0]!.answers['0']).toBeGreaterThan(0);
});

test('malformed bytes are INVALID_ARGUMENT, which is not tried again', async () => {
  await expect(call('trace.v1.TraceService', new Uint8Array(40).fill(0xff))).rejects.toMatchObject({ code: 3 });
});

test('a message over the limit is RESOURCE_EXHAUSTED, also when it is only large unpacked', async () => {
  await expect(call('trace.v1.TraceService', new Uint8Array(17 * 1024 ** 2))).rejects.toMatchObject({ code: 8 });
  expect(gzipSync(new Uint8Array(17 * 1024 ** 2)).length).toBeLessThan(100_000);
});

test('an unknown service is UNIMPLEMENTED', async () => {
  await expect(call('profiles.v1.ProfilesService', new Uint8Array(0))).rejects.toMatchObject({ code: 12 });
});
