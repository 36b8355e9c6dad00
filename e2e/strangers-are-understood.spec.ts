import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'playwright/test';
import { getJson, type Product, root, startProduct, until } from './steps/product.ts';
import { httpRequest, newSpanId, newTraceId, sendSpans } from './steps/spans.ts';

/** Clients nobody here wrote. What they send is on the pages and in the API within 3 s of the acknowledgement. */
const run = promisify(execFile);
const soonMs = 3_000;
const long = process.env.HOPSCOPE_LONG === '1';

let product: Product;
test.beforeAll(async () => {
  product = await startProduct();
});
test.afterAll(async () => {
  expect(await product.stop()).toBe(0);
});

interface Trace {
  spans: { name: string; service: string; device: string }[];
  passages: { topic: string }[];
}

const trace = (id: string): Promise<Trace | null> =>
  fetch(`${product.url}/api/v1/traces/${id}`).then((response) =>
    response.ok ? (response.json() as Promise<Trace>) : null,
  );

test('messages of mosquitto_pub with a traceparent are a trace that can be opened', async ({ page }) => {
  const traceId = newTraceId();
  const topic = 'factory/kiel/door/open';
  const listener = spawn('mosquitto_sub', ['-p', String(product.mqttPort), '-V', '5', '-t', topic, '-C', '1']);
  const heard = new Promise<string>((done) =>
    listener.stdout.once('data', (chunk: Buffer) => done(chunk.toString().trim())),
  );
  await new Promise((done) => setTimeout(done, 300));
  await run('mosquitto_pub', [
    '-p',
    String(product.mqttPort),
    '-V',
    '5',
    '-q',
    '1',
    '-t',
    topic,
    '-m',
    'open',
    '-D',
    'publish',
    'user-property',
    'traceparent',
    `00-${traceId}-${newSpanId()}-01`,
  ]);
  expect(await heard).toBe('open');
  await until('the message is a trace', async () => ((await trace(traceId))?.passages.length ?? 0) === 1, soonMs);
  await until(
    'the topic is listed',
    async () =>
      (await getJson<{ items: { topic: string }[] }>(product, '/api/v1/topics')).items.some(
        (item) => item.topic === topic,
      ),
    soonMs,
  );
  await page.goto(`${product.url}/traces/${traceId}`);
  await expect(page.getByText(topic).first()).toBeVisible();
  await page.goto(`${product.url}/topics`);
  await expect(page.getByText('door/open').first()).toBeVisible();
});

test("a span of Python's OpenTelemetry SDK is found", async ({ page }) => {
  const venv = join(root, 'node_modules/.hopscope-python');
  const python = join(venv, 'bin/python');
  if (!existsSync(join(venv, 'bin/pip'))) await run('python3', ['-m', 'venv', venv]);
  await run(join(venv, 'bin/pip'), ['install', '-q', 'opentelemetry-sdk', 'opentelemetry-exporter-otlp-proto-http']);
  const { stdout } = await run(python, [join(root, 'e2e/peers/python-span.py'), product.otlp]);
  const traceId = stdout.trim();
  await until('the span is there', async () => (await trace(traceId))?.spans[0]?.name === 'measure wafer', soonMs);
  await page.goto(`${product.url}/traces?service=python-peer`);
  await expect(page.getByRole('link', { name: /measure wafer/ }).first()).toBeVisible();
});

test('telemetrygen is understood over gRPC and HTTP', async () => {
  const notRun =
    'NOT RUN: telemetrygen is built from source, which takes minutes on two cores; npm run test:long runs it';
  if (!long) console.warn(notRun);
  test.skip(!long, notRun);
  test.setTimeout(900_000);
  const program = join(process.env.GOBIN ?? join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin'), 'telemetrygen');
  if (!existsSync(program)) {
    await run('go', ['install', 'github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v0.155.0']);
  }
  const before = await getJson<{ books: { stored: number } }>(product, '/api/v1/status');
  await run(program, [
    'traces',
    '--otlp-endpoint',
    product.grpc,
    '--otlp-insecure',
    '--rate',
    '0',
    '--traces',
    '20',
    '--service',
    'generated',
  ]);
  await run(program, [
    'traces',
    '--otlp-http',
    '--otlp-endpoint',
    new URL(product.otlp).host,
    '--otlp-insecure',
    '--rate',
    '0',
    '--traces',
    '20',
    '--service',
    'generated',
  ]);
  await until(
    'both lots are stored',
    async () =>
      (await getJson<{ books: { stored: number } }>(product, '/api/v1/status')).books.stored >=
      before.books.stored + 80,
    soonMs,
  );
  await until(
    'all traces are found by their service',
    async () =>
      (await getJson<{ items: unknown[] }>(product, '/api/v1/traces?service=generated&limit=50')).items.length >= 40,
    soonMs,
  );
});

test('the same batch sent twice changes no count', async () => {
  const spans = httpRequest();
  const began = Date.now();
  const counts = async () => {
    const [hops, found] = await Promise.all([
      getJson<{ items: { count: number; requests: number; from: { service: string } }[] }>(
        product,
        '/api/v1/hops?from=now-1h',
      ),
      trace(spans[0]!.traceId),
    ]);
    const hop = hops.items.find((item) => item.from.service === 'door-panel');
    return { count: hop?.count ?? 0, requests: hop?.requests ?? 0, spans: found?.spans.length ?? 0 };
  };
  await sendSpans(product, spans, began);
  await until('the hop is made', async () => (await counts()).count === 1, soonMs);
  const stored = (await getJson<{ books: { stored: number } }>(product, '/api/v1/status')).books.stored;
  await sendSpans(product, spans, began);
  await until('the duplicates are in the books', async () => {
    const { books } = await getJson<{ books: Record<string, number> }>(product, '/api/v1/status');
    return books.duplicate! >= 3 && books.residual === 0 && books.stored === stored;
  });
  expect(await counts()).toEqual({ count: 1, requests: 1, spans: 3 });
});

test('spans in any order, seconds apart, end in the same hop', async () => {
  const one = httpRequest();
  const other = httpRequest();
  const began = Date.now();
  await sendSpans(product, one, began);
  for (const span of [...other].reverse()) {
    await sendSpans(product, [span], began);
    await new Promise((done) => setTimeout(done, 1_500));
  }
  const crossingOf = async (id: string) =>
    (
      await getJson<{ crossings: { hopId: string; addedMs: number; rawMs: number }[] }>(product, `/api/v1/traces/${id}`)
    ).crossings.map(({ hopId, addedMs, rawMs }) => ({ hopId, addedMs, rawMs }));
  await until(
    'both traces have their crossing',
    async () => (await crossingOf(other[0]!.traceId)).length === 1,
    soonMs,
  );
  expect(await crossingOf(other[0]!.traceId)).toEqual(await crossingOf(one[0]!.traceId));
});
