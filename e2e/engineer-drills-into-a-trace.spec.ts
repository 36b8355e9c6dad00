import { expect, test } from 'playwright/test';
import { getJson, type Product, startProduct, until } from './steps/product.ts';
import { httpRequest, newSpanId, newTraceId, type SentSpan, sendSpans } from './steps/spans.ts';

let product: Product;
let slow: SentSpan[];

test.beforeAll(async () => {
  product = await startProduct();
  for (let i = 0; i < 12; i++) await sendSpans(product, httpRequest());
  // one of them took long in the callee and failed there
  slow = httpRequest();
  for (const span of slow.slice(0, 2)) span.durationMs += 400;
  slow[2]!.durationMs += 400;
  slow[2]!.error = true;
  slow[2]!.attributes = { ...slow[2]!.attributes, 'door.id': 'D-17' };
  await sendSpans(product, slow);
  await until(
    'all requests are there',
    async () => (await getJson<{ items: unknown[] }>(product, '/api/v1/traces')).items.length === 13,
  );
});
test.afterAll(async () => {
  expect(await product.stop()).toBe(0);
});

test('an engineer finds the one slow request among many and sees where its time went', async ({ page }) => {
  const traceId = slow[0]!.traceId;

  await test.step('search by service, duration and error', async () => {
    await page.goto(`${product.url}/traces`);
    await page
      .getByLabel(/service/i)
      .first()
      .selectOption('door-control');
    await page
      .getByLabel(/at least|longer than|min/i)
      .first()
      .fill('300');
    await page
      .getByLabel(/error|failed/i)
      .first()
      .check();
    await page
      .getByRole('button', { name: /search|find|filter/i })
      .last()
      .click();
    await expect(page.locator('main tbody tr')).toHaveCount(1);
    await page.locator(`main a[href^="/traces/${traceId}"]`).first().click();
  });

  await test.step('the ledger adds up', async () => {
    await expect(page.getByRole('heading', { level: 1 })).toContainText('open door');
    await expect(page.getByText('Balance, exact')).toBeVisible();
    const trace = await getJson<{ totalMs: number; ledger: { ms: number; rawMs: number }[] }>(
      product,
      `/api/v1/traces/${traceId}`,
    );
    expect(Math.abs(trace.ledger.reduce((sum, line) => sum + line.ms, 0) - trace.totalMs)).toBeLessThan(0.001);
    expect(Math.abs(trace.ledger.reduce((sum, line) => sum + line.rawMs, 0) - trace.totalMs)).toBeLessThan(0.001);
  });

  await test.step('stepping with J and K, switching to raw clocks, reading attributes', async () => {
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await expect(page.getByText(/Selected entry|Entry \d+ of \d+/i).first()).toBeVisible();
    await page.getByRole('link', { name: /^Raw/ }).first().click();
    await expect(page).toHaveURL(/clock=raw/);
    await page
      .getByRole('link', { name: /^Spans/ })
      .first()
      .click();
    await expect(page).toHaveURL(/show=spans/);
    await expect(page.getByText('GET /doors/{id}').first()).toBeVisible();
    await expect(page.getByText('it broke').first()).toBeAttached();
    await expect(page.getByText('D-17').first()).toBeAttached();
  });

  await test.step('the address alone brings a colleague to the same view', async () => {
    const other = await page.context().newPage();
    await other.goto(page.url());
    await expect(other.getByText('GET /doors/{id}').first()).toBeVisible();
    await other.goto(`${product.url}/traces/${traceId.toUpperCase()}`);
    await expect(other.getByRole('heading', { level: 1 })).toContainText('open door');
  });
});

/** Each consumer begins a trace of its own and links back to the message it was given, as many SDKs do. */
function linkedStory(): SentSpan[] {
  const hosts = ['scanner-1', 'sorter-1', 'printer-1', 'archive-1'];
  const spans: SentSpan[] = [];
  let before: SentSpan | undefined;
  for (const [index, host] of hosts.entries()) {
    const traceId = newTraceId();
    const common = { service: host.slice(0, -2), host, site: 'kiel', traceId };
    const handled: SentSpan = {
      ...common,
      name: index === 0 ? 'parcel scanned' : `process parcels/${index}`,
      kind: index === 0 ? 'internal' : 'consumer',
      spanId: newSpanId(),
      startMs: index * 30,
      durationMs: 12,
      attributes: { 'messaging.system': 'mqtt', 'messaging.destination.name': `parcels/${index}` },
      links: before ? [{ traceId: before.traceId, spanId: before.spanId }] : [],
    };
    spans.push(handled);
    if (index === hosts.length - 1) break;
    before = {
      ...common,
      name: `publish parcels/${index + 1}`,
      kind: 'producer',
      spanId: newSpanId(),
      parentSpanId: handled.spanId,
      startMs: index * 30 + 8,
      durationMs: 2,
      attributes: { 'messaging.system': 'mqtt', 'messaging.destination.name': `parcels/${index + 1}` },
    };
    spans.push(before);
  }
  return spans;
}

interface ToldTrace {
  totalMs: number;
  rawTotalMs: number;
  ledger: { kind: string; ms: number; rawMs: number; fromDevice: string; spanIds: string[]; note: string }[];
  linked: { traceId: string; direction: string; rootName: string }[];
  notes: string[];
}
const sumMs = (lines: { ms: number }[]): number => lines.reduce((sum, line) => sum + line.ms, 0);

test('traces tied by links are told as one story, from whichever part one comes in', async ({ page }) => {
  const spans = linkedStory();
  await sendSpans(product, spans);
  const [first, second] = [spans[0]!.traceId, spans[2]!.traceId];
  let told: ToldTrace | undefined;
  await until('the story reaches its last part', async () => {
    told = await getJson<ToldTrace>(product, `/api/v1/traces/${first}`).catch(() => undefined);
    // a part may have been read a moment before its devices were known
    return told?.ledger.at(-1)?.fromDevice === 'archive-1' && told.ledger.every(({ fromDevice }) => fromDevice !== '');
  });
  expect(told!.ledger.map((line) => `${line.kind} ${line.fromDevice} ${Math.round(line.ms)}`)).toEqual([
    'processing scanner-1 8',
    'uplink scanner-1 22',
    'processing sorter-1 8',
    'uplink sorter-1 22',
    'processing printer-1 8',
    'uplink printer-1 22',
    'processing archive-1 12',
  ]);
  expect(Math.abs(sumMs(told!.ledger) - told!.totalMs)).toBeLessThan(0.001);
  expect(told!.totalMs).toBeCloseTo(102, 1);
  expect(told!.notes.join(' ')).toContain('Goes on in 3 linked traces');

  await page.goto(`${product.url}/traces/${second}`);
  await expect(page.getByText('Began in another trace').first()).toBeVisible();
  await page
    .getByRole('link', { name: /parcel scanned/ })
    .first()
    .click();
  await expect(page).toHaveURL(new RegExp(first));
  await expect(page.getByText('told here as one story').first()).toBeVisible();
});

test('what is missing, late or without an answer is called by its name, and the sum holds', async ({ page }) => {
  const request = httpRequest();
  const [root, client, server] = [request[0]!, request[1]!, request[2]!];
  // a first try that failed, and a server that worked on after its answer
  const attempt: SentSpan = { ...client, spanId: newSpanId(), startMs: 1, durationMs: 10, error: true };
  client.startMs = 15;
  client.durationMs = 40;
  server.durationMs = 70;
  // its parent never comes
  const orphan: SentSpan = {
    ...server,
    name: 'audit',
    kind: 'internal',
    spanId: newSpanId(),
    parentSpanId: newSpanId(),
  };
  await sendSpans(product, [root, attempt, client, server, orphan]);
  const path = `/api/v1/traces/${root.traceId}`;
  let told: ToldTrace | undefined;
  await until('the call is paired', async () => {
    told = await getJson<ToldTrace>(product, path).catch(() => undefined);
    return told?.ledger.some((line) => line.note.includes('worked on after the answer')) ?? false;
  });
  expect(told!.ledger.map((line) => `${line.kind} ${Math.round(line.ms)}`)).toEqual([
    'processing 1',
    'wait 10',
    'processing 4',
    'wait 40',
    'processing 7',
  ]);
  expect(Math.abs(sumMs(told!.ledger) - told!.totalMs)).toBeLessThan(0.001);
  expect(told!.notes.join(' ')).toMatch(/1 span has a parent that did not arrive, and may still be running/);
  await page.goto(`${product.url}/traces/${root.traceId}`);
  await expect(page.getByRole('table').first()).toContainText('worked on after the answer');
  await expect(page.getByRole('region', { name: 'Beside the path' })).toContainText('rack-7');
});

test('the search box finds a trace by its id, a hop by its service, and works by keyboard', async ({ page }) => {
  await page.goto(product.url);
  const box = page.getByRole('searchbox').first();
  // keys are heard once the page's scripts run
  await expect(async () => {
    await page.keyboard.press('/');
    await expect(box).toBeFocused({ timeout: 500 });
  }).toPass();
  await page.keyboard.type('door-control');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/search\?q=door-control/);
  await expect(page.locator('main a[href^="/hops/"]').first()).toBeVisible();
  await page.goto(`${product.url}/search?q=${slow[0]!.traceId}`);
  await expect(page.locator(`a[href^="/traces/${slow[0]!.traceId}"]`).first()).toBeVisible();
});

test('every table leaves as CSV and JSON, and OpenAPI describes it', async () => {
  for (const path of ['hops', 'paths', 'traces', 'topics', 'devices', 'clocks']) {
    const csv = await fetch(`${product.url}/api/v1/${path}?format=csv`);
    expect(csv.status, path).toBe(200);
    expect(csv.headers.get('content-type'), path).toContain('text/csv');
  }
  const { paths, openapi } = await getJson<{ openapi: string; paths: Record<string, unknown> }>(
    product,
    '/api/v1/openapi.json',
  );
  expect(openapi).toMatch(/^3\.1/);
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(['/api/v1/fleet', '/api/v1/hops', '/api/v1/traces/{traceId}']),
  );
});

test('a wrong question gets a problem that says what was found and what was wanted', async () => {
  const wrong = await fetch(`${product.url}/api/v1/hops?from=yesterday`);
  expect(wrong.status).toBe(400);
  expect(wrong.headers.get('content-type')).toContain('application/problem+json');
  expect(JSON.stringify(await wrong.json())).toMatch(/yesterday.*now-15m/);
  expect((await fetch(`${product.url}/api/v1/traces/${'f'.repeat(32)}`)).status).toBe(404);
});

test('an empty product tells how to connect', async ({ page }) => {
  const empty = await startProduct();
  await page.goto(empty.url);
  for (const word of ['OTEL_EXPORTER_OTLP_ENDPOINT', 'mosquitto_pub', 'Node-RED', 'hopscope.yaml']) {
    await expect(page.getByText(word).first()).toBeVisible();
  }
  expect(await empty.stop()).toBe(0);
});
