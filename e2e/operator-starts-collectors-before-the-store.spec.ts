import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import mqtt from 'mqtt';
import { expect, test } from 'playwright/test';
import { Mosquitto } from './steps/mosquitto.ts';
import { freePorts, getJson, runProduct, temporaryDir, until } from './steps/product.ts';
import { startQuestDb, storeAt } from './steps/questdb.ts';

/** The roles as processes of their own over one QuestDB: it may come last, and nobody who sends has to wait for it. */
test.setTimeout(240_000);
const cleanups: (() => unknown)[] = [];
test.afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Process {
  dataDir: string;
  url: string;
  otlp: string;
  output(): string;
  ended: Promise<number | null>;
  stop(): Promise<number | null>;
}

async function run(args: string[], store: string): Promise<Process> {
  const [web, otlp] = await freePorts(2);
  const dataDir = temporaryDir();
  const { child, output, ended } = runProduct([...args, '--data', dataDir], {
    HOPSCOPE_STORE: store,
    HOPSCOPE_WEB: `127.0.0.1:${web}`,
    HOPSCOPE_OTLP: `127.0.0.1:${otlp}`,
    HOPSCOPE_OTLP_GRPC: 'off',
  });
  cleanups.push(() => child.kill('SIGKILL'));
  return {
    dataDir,
    url: `http://127.0.0.1:${web}`,
    otlp: `http://127.0.0.1:${otlp}`,
    output,
    ended,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

interface Readiness {
  ready: boolean;
  reasons: string[];
  warnings: string[];
}
const readinessOf = (one: Process): Promise<Readiness | null> =>
  fetch(`${one.url}/readyz`)
    .then((answer) => answer.json() as Promise<Readiness>)
    .catch(() => null);

/** A figure of its /metrics, over all labels. */
async function figureOf(one: Process, name: string): Promise<number> {
  const text = await (await fetch(`${one.url}/metrics`)).text();
  return [...text.matchAll(new RegExp(`^hopscope_${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
}

/** One span of the real SDK, exported when this resolves; what comes after it has it as its parent. */
async function span(otlp: string, service: string, host: string, kind: SpanKind, parent: Context): Promise<Context> {
  const exporter = new OTLPTraceExporter({ url: `${otlp}/v1/traces` });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'host.id': host, 'host.name': host }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  const attributes = { 'http.request.method': 'GET', 'http.route': '/doors/{id}' };
  const made = provider.getTracer('doors').startSpan('GET /doors/{id}', { kind, attributes }, parent);
  await new Promise((done) => setTimeout(done, 2));
  made.end();
  await provider.shutdown();
  return trace.setSpan(parent, made);
}

test('an operator starts two collectors and the pages before their QuestDB, and finds every hop once it comes', async ({
  page,
}) => {
  const [http, pg] = (await freePorts(2)) as [number, number];
  const store = storeAt(http, pg);
  const broker = await Mosquitto.start();
  cleanups.push(() => broker.stop());
  const settings = join(temporaryDir(), 'hopscope.yaml');
  writeFileSync(
    settings,
    `brokers: [{ url: "${broker.url}", name: hall, share: hopscope, topics: ["doors/#"] }]
delivery: { targets: [{ name: bus, kind: mqtt, broker: hall, topic: alerts }] }
`,
  );
  const role = (name: string): Promise<Process> => run(['--role', name, '--config', settings], store);
  const [first, second, web] = await Promise.all([role('collect'), role('collect'), role('web')]);
  const collectors = [first, second];

  for (const one of collectors)
    await until(
      `a collector receives, and says what it waits for\n${one.output()}`,
      async () => {
        const found = await readinessOf(one);
        return found?.ready === true && /waiting for the store: QuestDB cannot be reached/.test(found.warnings.join());
      },
      60_000,
    );

  // the caller's half to one collector, the callee's to the other
  const caller = await span(first.otlp, 'door-panel', 'panel-1', SpanKind.CLIENT, ROOT_CONTEXT);
  await span(second.otlp, 'door-control', 'rack-7', SpanKind.SERVER, caller);
  // a broker keeps nothing for a subscriber it has never seen
  const sumOf = async (name: string): Promise<number> => (await figureOf(first, name)) + (await figureOf(second, name));
  await until('both have subscribed', async () => (await sumOf('broker_connected')) === 2);
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 });
  for (let n = 0; n < 20; n++) await client.publishAsync('doors/kiel', `${n}`, { qos: 1 });
  await client.endAsync();
  await until('all of it is acknowledged and spooled', async () => (await sumOf('spool_items')) === 22);
  expect(await sumOf('received_items_total')).toBe(22);
  expect(await figureOf(first, 'refused_total')).toBe(0);
  expect(await (await fetch(`${first.url}/hops`)).text()).toContain('--role web');

  expect((await fetch(`${web.url}/healthz`)).status).toBe(200);
  expect(await readinessOf(web)).toMatchObject({ ready: false });
  const early = await page.goto(`${web.url}/hops`);
  expect(early?.status()).toBe(503);
  expect(early?.headers()['retry-after']).toBe('2');
  await expect(page.getByText(/Waiting for the store: QuestDB cannot be reached at 127\.0\.0\.1/)).toBeVisible();

  const questdb = await startQuestDb([http, pg]);
  cleanups.push(() => questdb.stop());
  // the same page, which nobody loads again
  await expect(page.getByRole('heading', { level: 1, name: /^hops\b/i })).toBeVisible({ timeout: 60_000 });
  const hops = (): Promise<{ items: { from: { service: string }; to: { service: string }; count: number }[] }> =>
    getJson(web, '/api/v1/hops?from=now-1h');
  await until(
    `the hop is paired\n${web.output()}`,
    async () => (await hops()).items.some(({ count }) => count === 1),
    60_000,
  );
  expect((await hops()).items).toMatchObject([{ from: { service: 'door-panel' }, to: { service: 'door-control' } }]);
  await page.reload();
  await expect(page.getByRole('link', { name: /door-control/ }).first()).toBeVisible();
  const topics = await getJson<{ items: { topic: string; messages: number }[] }>(web, '/api/v1/topics?from=now-1h');
  expect(topics.items).toMatchObject([{ topic: 'doors/kiel', messages: 20 }]);
  for (const one of [first, second, web])
    expect(await readinessOf(one)).toMatchObject({ ready: true, reasons: [], warnings: [] });
  expect(await sumOf('spool_items')).toBe(0);

  // what waiting cannot cure ends a start
  const stranger = await run(['--role', 'web'], store.replace('admin:quest', 'admin:wrong'));
  expect(await stranger.ended).toBe(1);
  expect(stranger.output()).toMatch(
    /^hopscope: store: QuestDB .* does not let the user admin in: another name or pass/m,
  );

  expect(await Promise.all([first, second, web].map((one) => one.stop()))).toEqual([0, 0, 0]);
});

test('whoever stops it while it waits for the store finds what was sent in the spool', async () => {
  const [http, pg] = (await freePorts(2)) as [number, number];
  const one = await run(['--no-demo'], storeAt(http, pg));
  await until(
    'it says what it waits for',
    async () => /waiting for the store/.test((await readinessOf(one))?.reasons.join() ?? ''),
    60_000,
  );
  await span(one.otlp, 'door-panel', 'panel-1', SpanKind.CLIENT, ROOT_CONTEXT);
  expect(await one.stop()).toBe(0);
  const spool = new DatabaseSync(join(one.dataDir, 'spool.db'), { readOnly: true });
  expect(spool.prepare('SELECT sum(items) AS items FROM batches').get()).toEqual({ items: 1 });
  spool.close();
});
