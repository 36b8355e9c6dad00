import { expect, test } from 'playwright/test';
import { getJson, type Product, startProduct, until } from './steps/product.ts';
import { httpRequest, type SentSpan, sendSpans } from './steps/spans.ts';

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
