import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { Aedes } from 'aedes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DemoFleet, startDemoFleet } from './engine.ts';

// A real broker and an OTLP receiver that only collects: the fleet must tell its story to strangers.

interface SeenSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  host: string;
  service: string;
  version: string;
}

const spans: SeenSpan[] = [];
const statuses = new Map<string, string>();
const passed: { topic: string; traceparent: string }[] = [];
const cleanUps: (() => unknown)[] = [];
let fleet: DemoFleet;

beforeAll(async () => {
  const broker = await startBroker();
  const otlp = await startReceiver();
  fleet = await startDemoFleet({ broker: `mqtt://127.0.0.1:${broker}`, otlp: `http://127.0.0.1:${otlp}` });
  await until(() => statuses.size === 26);
}, 60_000);

afterAll(async () => {
  const startedMs = performance.now();
  await fleet.stop();
  expect(performance.now() - startedMs).toBeLessThan(3_000);
  for (const cleanUp of cleanUps) cleanUp();
});

test('at first a button is answered within Hannover in a few milliseconds', async () => {
  const trace = await completeTrace('button press', 6, (trace) => durationMs(rootOf(trace)) < 10);
  expect(new Set(trace.map((span) => span.host.split('-')[1]))).toEqual(new Set(['hannover']));
  expect(passed.some((message) => message.topic === 'factory/hannover/button/start')).toBe(false);
}, 60_000);

test('after the move it goes around by Dublin and Ashburn, under a new version', async () => {
  fleet.jumpTo(91);
  const trace = await completeTrace('button press', 6, (spans) => spans.some((span) => span.version === 'v42'));
  const events = trace.find((span) => span.service === 'factory-events');
  expect(events?.host).toBe('site-ashburn');
  expect(durationMs(rootOf(trace))).toBeGreaterThan(100);
  const producer = trace.find((span) => span.name === 'publish factory/hannover/button/start');
  expect(passed.some((message) => message.traceparent.includes(producer?.spanId ?? 'missing'))).toBe(true);
}, 60_000);

test('corrected for the wrong clocks no message arrives before it could', async () => {
  const trace = await completeTrace('button press', 6, (spans) => spans.some((span) => span.version === 'v42'));
  for (const consumer of trace.filter((span) => span.kind === 5)) {
    const producer = trace.find((span) => span.spanId === consumer.parentSpanId);
    const addedMs = Number(trueStartNanos(consumer) - trueStartNanos(producer as SeenSpan)) / 1e6;
    expect(addedMs).toBeGreaterThan(48);
  }
});

test('a query goes around the world and every span finds its parent', async () => {
  const trace = await completeTrace('tools/call query_history', 11, (trace) => durationMs(rootOf(trace)) < 500);
  const ids = new Set(trace.map((span) => span.spanId));
  expect(trace.filter((span) => span.parentSpanId && !ids.has(span.parentSpanId))).toEqual([]);
  expect(durationMs(rootOf(trace))).toBeGreaterThan(314);
}, 60_000);

test('pi-sf, unplugged without a goodbye, is reported offline by its Will', async () => {
  fleet.jumpTo(151);
  await until(() => statuses.get('hopscope/v1/pi-sf/status') === 'offline');
}, 60_000);

test('the clock of wafer-sf steps by 38 ms', () => {
  const before = fleet.clockOffsetNanos('wafer-sf');
  fleet.jumpTo(641);
  const steppedMs = Number(fleet.clockOffsetNanos('wafer-sf') - before) / 1e6;
  expect(steppedMs).toBeCloseTo(38, 1);
});

async function startBroker(): Promise<number> {
  const broker = await Aedes.createBroker();
  broker.on('publish', (packet, client) => {
    if (packet.topic.endsWith('/status')) statuses.set(packet.topic, packet.payload.toString());
    const properties = packet.properties as { userProperties?: Record<string, string> } | undefined;
    const traceparent = properties?.userProperties?.traceparent;
    if (client && traceparent) passed.push({ topic: packet.topic, traceparent });
  });
  const server = createServer({ noDelay: true }, (socket) => {
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(
    () => broker.close(),
    () => server.close(),
  );
  return (server.address() as AddressInfo).port;
}

async function startReceiver(): Promise<number> {
  const server = createHttpServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    if (req.url === '/v1/traces') collect(JSON.parse(Buffer.concat(chunks).toString()));
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return (server.address() as AddressInfo).port;
}

interface OtlpAttribute {
  key: string;
  value: { stringValue?: string };
}
interface OtlpTraces {
  resourceSpans: { resource: { attributes: OtlpAttribute[] }; scopeSpans: { spans: SeenSpan[] }[] }[];
}

function collect(body: OtlpTraces): void {
  for (const { resource, scopeSpans } of body.resourceSpans) {
    const of = (key: string) => resource.attributes.find((a) => a.key === key)?.value.stringValue ?? '';
    const from = { host: of('host.name'), service: of('service.name'), version: of('service.version') };
    for (const scope of scopeSpans) spans.push(...scope.spans.map((span) => ({ ...span, ...from })));
  }
}

async function completeTrace(
  rootName: string,
  spanCount: number,
  wanted: (trace: SeenSpan[]) => boolean = () => true,
): Promise<SeenSpan[]> {
  return until(() => {
    for (const root of spans.filter((span) => span.name === rootName)) {
      const trace = spans.filter((span) => span.traceId === root.traceId);
      if (trace.length === spanCount && wanted(trace)) return trace;
    }
    return undefined;
  });
}

async function until<T>(fact: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = fact();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function rootOf(trace: SeenSpan[]): SeenSpan {
  return trace.find((span) => !span.parentSpanId) as SeenSpan;
}

function durationMs(span: SeenSpan): number {
  return Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6;
}

function trueStartNanos(span: SeenSpan): bigint {
  return BigInt(span.startTimeUnixNano) - fleet.clockOffsetNanos(span.host);
}
