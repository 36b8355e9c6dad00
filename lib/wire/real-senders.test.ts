import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
// the exporter that sdk-node uses by itself; it comes with sdk-node and is only looked at here
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';
import { rowsOf } from './fixtures/span-requests.ts';
import { defaultLimits } from './limits.ts';
import { exportTraceResponse } from './otlp-answer.ts';
import { SpanReader } from './otlp-traces.ts';
import { encoding } from './read-result.ts';

test('the JavaScript SDK on a socket: JSON and protobuf exporters send the same spans', async () => {
  const bodies = new Map<string, Uint8Array>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const type = request.headers['content-type'] ?? '';
      bodies.set(type, new Uint8Array(Buffer.concat(chunks)));
      response
        .setHeader('content-type', type)
        .end(exportTraceResponse(type.includes('json') ? encoding.json : encoding.protobuf, 0, ''));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'gateway',
      'host.id': 'h1',
      'telemetry.sdk.language': 'nodejs',
    }),
    spanProcessors: [
      new BatchSpanProcessor({ exporter: new JsonExporter({ url }) }),
      new BatchSpanProcessor({ exporter: new ProtobufExporter({ url }) }),
    ],
  });
  const tracer = provider.getTracer('t');
  const inside = (span: ReturnType<typeof tracer.startSpan>): Context => trace.setSpan(ROOT_CONTEXT, span);
  const attributes = {
    'messaging.system': 'mqtt',
    'messaging.operation.type': 'send',
    'messaging.destination.name': 'a/ü',
    list: [1, 2],
    yes: true,
    ratio: 0.5,
  };
  const publish = tracer.startSpan('publish', { kind: SpanKind.PRODUCER, attributes });
  const child = tracer.startSpan('child', { links: [{ context: publish.spanContext() }] }, inside(publish));
  child.recordException(new Error('no rack'));
  child.setStatus({ code: 2, message: 'no rack' });
  child.end();
  publish.end();
  await provider.forceFlush();
  await provider.shutdown();
  await new Promise((resolve) => server.close(resolve));

  const arrival = BigInt(Date.now()) * 1_000_000n;
  const protobuf = new SpanReader(defaultLimits, 'c1');
  const json = new SpanReader(defaultLimits, 'c1');
  expect(protobuf.readProtobuf(bodies.get('application/x-protobuf')!, arrival)).toEqual({
    received: 2,
    accepted: 2,
    rejected: {},
    message: '',
  });
  expect(json.readJson(bodies.get('application/json')!, arrival)).toMatchObject({ accepted: 2 });
  const taken = protobuf.take();
  expect(json.take()).toEqual(taken);
  const [first, second] = rowsOf(taken.spans);
  expect(second).toMatchObject({
    name: 'publish',
    system: 'mqtt',
    destination: 'a/ü',
    operation: 2,
    kind: 4,
    parentId: 0n,
    resource: { serviceName: 'gateway', hostId: 'h1' },
  });
  expect(first).toMatchObject({
    name: 'child',
    status: 2,
    parentId: second!.spanId,
    links: [{ spanId: second!.spanId }],
  });
});
