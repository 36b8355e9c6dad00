import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'playwright/test';
import { getJson, type Product, startProduct, until } from './steps/product.ts';
import { httpRequest, sendSpans } from './steps/spans.ts';

/** The door takes 62 ms of 30: 40 on the way from Kiel to Lyon, 20 in the rack. */
let product: Product;
const requests = Array.from({ length: 8 }, () => httpRequest());
test.beforeAll(async () => {
  const config = join(mkdtempSync(join(tmpdir(), 'hopscope-')), 'hopscope.yaml');
  writeFileSync(config, 'budgets: [{ path: "open door", totalMs: 30 }]\n');
  product = await startProduct({ args: ['--no-demo', '--config', config] });
  for (const spans of requests) await sendSpans(product, spans);
  await until('the path of the door is known with its hop', async () => {
    const { items } = await getJson<{ items: { count: number; parts: { kind: string }[] }[] }>(
      product,
      '/api/v1/paths',
    );
    return items[0]?.count === requests.length && items[0].parts.some((part) => part.kind === 'hop');
  });
});
test.afterAll(async () => {
  await product?.stop();
});

test('an engineer finds what is over its budget, the hop that takes the time, and a request to look at', async ({
  page,
}) => {
  await page.goto(`${product.url}/paths`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Paths');
  const row = page.getByRole('row', { name: /open door/ });
  await expect(row).toContainText('Fix the path');
  await expect(row).toContainText('62.0');

  // by keyboard: the first row, then open it
  await expect(async () => {
    await page.keyboard.press('j');
    await expect(row.getByRole('link').first()).toBeFocused({ timeout: 500 });
  }).toPass();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('open door');
  await expect(page.locator('main')).toContainText(
    'fix the path, first the hop from door-panel in kiel to door-control',
  );

  const tree = page.getByRole('table', { name: /tree of hops/ });
  await expect(tree.getByRole('row')).toHaveCount(3);
  await tree.getByRole('link', { name: /door-control/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('door-control');
  await page.goBack();

  await page.locator('#examples a[data-row]').first().click();
  await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
  // and the request leads back to the path it followed
  await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'open door' }).click();
  await expect(page).toHaveURL(/\/paths\/[0-9a-f]{16}\?from=/);
  await expect(page.getByText('requests', { exact: false }).first()).toBeVisible();
});
