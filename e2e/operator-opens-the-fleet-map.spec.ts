import AxeBuilder from '@axe-core/playwright';
import { expect, test } from 'playwright/test';
import { fleetSettings, joinFleet } from './steps/demo-fleet.ts';
import { getJson, type Product, startProduct, until } from './steps/product.ts';

interface Fleet {
  sites: { id: string; lat: number | null }[];
  devices: { name: string; cpu: number | null; memory: number | null }[];
  edges: { addedMs: { p95: number | null }; boundMs: number | null }[];
  paths: { name: string; mark: string; count: number }[];
}

let product: Product;
let fleet: { leave(): Promise<void> };

test.beforeAll(async () => {
  product = await startProduct({ args: ['--config', fleetSettings] });
  // factory-events has just been moved to Ashburn
  fleet = joinFleet(product, 100);
});
test.afterAll(async () => {
  await fleet.leave();
  expect(await product.stop()).toBe(0);
});

test('an operator sees 26 machines at five sites, the button over budget, and follows it to one request', async ({
  page,
}) => {
  await test.step('the fleet comes alive', async () => {
    await until(
      'all machines report CPU and memory, the edges have figures, the button is over budget',
      async () => {
        const view = await getJson<Fleet>(product, '/api/v1/fleet');
        return (
          view.sites.filter((site) => site.lat !== null).length === 5 &&
          view.devices.filter((device) => device.cpu !== null && device.memory !== null).length >= 25 &&
          view.edges.length >= 4 &&
          view.edges.every((edge) => edge.addedMs.p95 !== null) &&
          view.paths.some((path) => path.name === 'button press' && path.mark === 'over')
        );
      },
      90_000,
    );
    expect((await getJson<Fleet>(product, '/api/v1/fleet')).devices).toHaveLength(26);
  });

  await test.step('the map shows it', async () => {
    await page.goto(product.url);
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
    for (const site of ['Hannover', 'Dublin', 'Ashburn', 'San Francisco', 'Funabashi']) {
      await expect(page.getByText(site, { exact: true }).first()).toBeVisible();
    }
    await expect(page.getByRole('link', { name: 'rio-hannover-1' }).first()).toBeVisible();
    await expect(page.getByRole('link', { name: /to .*: .*p95 .*ms/ }).first()).toBeVisible();
    await expect(page.getByText('over budget').first()).toBeVisible();
  });

  await test.step('a click leads to the hop', async () => {
    await page
      .getByRole('link', { name: /Open hop: Button press/ })
      .first()
      .click();
    await expect(page).toHaveURL(/\/hops\/[0-9a-f]{16}/);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(/line-button|factory-events/);
    await expect(page.getByText(/budget/).first()).toBeVisible();
  });

  await test.step('a click leads to one of its requests, drawn hop by hop', async () => {
    await page.locator('a[href^="/traces/"]').first().click();
    await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('button press');
    await expect(page.getByText('Hop ledger')).toBeVisible();
    await expect(page.getByText('Balance, exact')).toBeVisible();
    await expect(page.getByRole('img').first()).toBeVisible();
  });
});

test('the pages change while the operator watches', async ({ page }) => {
  await page.goto(`${product.url}/traces`);
  const newest = page.locator('main a[href^="/traces/"]').first();
  const before = await newest.getAttribute('href');
  await expect.poll(() => newest.getAttribute('href')).not.toBe(before);
});

test('axe finds nothing serious on any page, dark or light', async ({ browser }) => {
  test.setTimeout(360_000);
  const context = await browser.newContext({ colorScheme: 'dark', reducedMotion: 'reduce' });
  const page = await context.newPage();
  const hops = () => getJson<{ items: { id: string }[] }>(product, '/api/v1/hops').then(({ items }) => items);
  await until('there are hops to look at', async () => (await hops()).length > 5, 60_000);
  const hop = (await hops())[0]!.id;
  const { items: requestPaths } = await getJson<{ items: { id: string }[] }>(product, '/api/v1/paths');
  const { items: traces } = await getJson<{ items: { traceId: string }[] }>(product, '/api/v1/traces');
  const paths = [
    '/',
    '/hops',
    `/hops/${hop}`,
    '/paths',
    `/paths/${requestPaths[0]!.id}`,
    '/traces',
    `/traces/${traces[0]!.traceId}`,
    '/topics',
    '/devices',
    '/devices/rio-hannover-1',
    '/clocks',
    '/status',
    '/search?q=button',
    '/nowhere',
  ];
  const serious: string[] = [];
  const examine = async (what: string, axe: AxeBuilder): Promise<void> => {
    for (const { impact, id, nodes } of (await axe.analyze()).violations)
      if (impact === 'serious' || impact === 'critical') serious.push(`${what}: ${id} ${nodes[0]?.html.slice(0, 120)}`);
  };
  const backdrop = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  for (const path of paths) {
    // a page that changes under the microscope cannot be examined
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(`${product.url}${path}${path.includes('?') ? '&' : '?'}refresh=off`);
    const dark = await backdrop();
    await examine(`${path}, dark`, new AxeBuilder({ page }));
    // the same document in other colours
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await backdrop()).not.toBe(dark);
    await examine(`${path}, light`, new AxeBuilder({ page }).withRules(['color-contrast', 'link-in-text-block']));
  }
  expect(serious).toEqual([]);
  await context.close();
});

test('the first page brings at most 250 kB of compressed scripts', async ({ page }) => {
  const scripts: Promise<number>[] = [];
  page.on('response', (response) => {
    if (response.request().resourceType() === 'script') {
      scripts.push(
        response
          .request()
          .sizes()
          .then((sizes) => sizes.responseBodySize),
      );
    }
  });
  await page.goto(product.url, { waitUntil: 'networkidle' }).catch(() => page.goto(product.url));
  const total = (await Promise.all(scripts)).reduce((sum, size) => sum + size, 0);
  expect(total).toBeGreaterThan(50_000);
  expect(total).toBeLessThan(250 * 1024);
});
