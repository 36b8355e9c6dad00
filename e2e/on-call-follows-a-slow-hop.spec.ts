import { devices, expect, test } from 'playwright/test';
import { fleetSettings, joinFleet } from './steps/demo-fleet.ts';
import { getJson, type Product, startProduct, until } from './steps/product.ts';

const { defaultBrowserType: _, ...phone } = devices['iPhone 13']!;
test.use({ ...phone, viewport: { width: 390, height: 844 } });

let product: Product;
let fleet: { leave(): Promise<void> };

test.beforeAll(async () => {
  product = await startProduct({ args: ['--config', fleetSettings] });
  fleet = joinFleet(product, 100);
});
test.afterAll(async () => {
  await fleet.leave();
  expect(await product.stop()).toBe(0);
});

test('on-call, on a phone at 4 a.m., learns from the first screen what to do, and why', async ({ page }) => {
  await until(
    'the verdict on the button is to move',
    async () => {
      const { items } = await getJson<{ items: { verdict: string; from: { service: string }; count: number }[] }>(
        product,
        '/api/v1/hops',
      );
      return items.some((hop) => hop.verdict === 'move' && hop.from.service === 'line-button' && hop.count >= 5);
    },
    90_000,
  );
  await page.goto(product.url);

  await test.step('the verdict comes first, in a sentence that can be acted on', async () => {
    const card = page.getByRole('link', { name: /Open hop: Button press/ }).first();
    await expect(card).toBeVisible();
    await expect(page.getByText(/move factory-events to Hannover/).first()).toBeVisible();
    // nothing sticks out sideways
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await card.click();
  });

  await test.step('the hop says by how much, since when, and that no tuning helps', async () => {
    await expect(page).toHaveURL(/\/hops\//);
    await expect(page.getByText(/[Ff]ibre/).first()).toBeVisible();
    await expect(page.getByText(/of a 10 ms budget|budget 10/).first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  await test.step('an example request shows where its time went', async () => {
    await page.locator('a[href^="/traces/"]').first().click();
    await expect(page.getByText('Balance, exact')).toBeVisible();
    await expect(page.getByText('site-ashburn').first()).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});

test('the page tells it all as a document, without scripts', async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await page.goto(product.url);
  await expect(page.getByText(/move factory-events to Hannover/).first()).toBeVisible();
  await page
    .getByRole('link', { name: /Open hop: Button press/ })
    .first()
    .click();
  await expect(page).toHaveURL(/\/hops\//);
  await context.close();
});
