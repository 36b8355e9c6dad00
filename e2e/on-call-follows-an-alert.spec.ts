import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { devices, expect, test } from 'playwright/test';
import { pressTheButton, tellOfTheMove } from './steps/button.ts';
import { getJson, type Product, startProduct, temporaryDir, until } from './steps/product.ts';
import { type Message, receiveMessages } from './steps/webhook.ts';

const { defaultBrowserType: _, ...phone } = devices['iPhone 13']!;
test.use({ ...phone, viewport: { width: 390, height: 844 } });
test.describe.configure({ mode: 'serial' });

let product: Product;
let hook: Awaited<ReturnType<typeof receiveMessages>>;
let button: ReturnType<typeof pressTheButton>;

test.beforeAll(async () => {
  hook = await receiveMessages();
  const settings = join(temporaryDir(), 'hopscope.yaml');
  const { host } = new URL(hook.url);
  writeFileSync(
    settings,
    `sites:
  - { id: hannover, name: Hannover, lat: 52.37, lon: 9.73 }
  - { id: ashburn, name: Ashburn, lat: 39.04, lon: -77.49 }
applications:
  - { id: factory, services: ["line-*", "factory-*"] }
budgets:
  - { path: "button press", totalMs: 10 }
owners:
  - { application: factory, team: Line team, contact: "https://chat.example.com/line-team" }
delivery:
  allowPrivate: ["${host}"]
  targets:
    - { name: on-call, kind: webhook, url: "${hook.url}", allowPlaintext: true }
`,
  );
  product = await startProduct({ args: ['--config', settings] });
  button = pressTheButton(product);
});
test.afterAll(async () => {
  await button.stop();
  expect(await product.stop()).toBe(0);
  await hook.close();
});

/** about the factory: a busy machine may have something to say about itself */
const fired = (): Message[] =>
  hook.messages.filter(({ status, alerts }) => status === 'firing' && alerts[0]!.labels.application === 'factory');
const linkOf = (message: Message): string => message.alerts[0]!.annotations.alert_url!;

test('one message comes, and names the hop, both numbers and what was changed', async () => {
  test.setTimeout(300_000);
  await until(
    'the button is known to be well',
    async () => {
      const { items } = await getJson<{ items: { name: string; mark: string; count: number }[] }>(
        product,
        '/api/v1/paths',
      );
      return items.some(({ name, mark, count }) => name === 'button press' && mark === 'ok' && count >= 60);
    },
    120_000,
  );
  expect(hook.messages).toEqual([]);
  await tellOfTheMove(product, 'ashburn');
  button.answersFrom('ashburn');
  await until('on-call gets a message', async () => fired().length > 0, 120_000);
  const [message] = fired() as [Message];
  expect(message.alerts[0]!.annotations.summary).toMatch(/Button press takes 10\d ms\. Budget is 10 ms\./);
  expect(message.text).toContain('line-button → factory-events');
  expect(message.text).toContain('Snapshot v42');
  // where the path was found first, its guilty hop is found with the next presses
  await until(
    'the alert is about the hop',
    async () => {
      const { items } = await getJson<{ items: { subject: { kind: string }; folded: number }[] }>(
        product,
        '/api/v1/alerts?application=factory',
      );
      return items.length === 1 && items[0]!.subject.kind === 'hop' && items[0]!.folded > 0;
    },
    60_000,
  );
});

test('the document of its link alone shows everything, and acknowledges in one tap', async ({ browser }) => {
  const context = await browser.newContext({ ...phone, javaScriptEnabled: false });
  const page = await context.newPage();
  // no stylesheet, no script, no font: one request is all that comes through
  await page.route('**/*', (route) =>
    route.request().resourceType() === 'document' ? route.continue() : route.abort(),
  );
  const answer = await page.goto(linkOf(fired()[0]!));
  expect(answer!.status()).toBe(200);
  expect((await answer!.body()).length).toBeLessThan(100_000);
  await expect(page.getByRole('heading', { level: 1 })).toContainText(
    /Button press takes 10\d.ms\. *Budget is 10.ms\./,
  );
  for (const words of ['not acknowledged', 'Hannover to Ashburn', 'Snapshot v42', 'Line team', 'Way out:', 'Folded in'])
    await expect(page.getByText(words).first()).toBeVisible();
  await expect(page.getByRole('img', { name: /p95 of .* over an hour/ }).first()).toBeVisible();
  await expect(page.getByText('Example request').first()).toBeVisible();
  await page.getByRole('button', { name: 'Acknowledge', exact: true }).tap();
  await expect(page).toHaveURL(linkOf(fired()[0]!));
  await expect(page.getByText(/acknowledged by owner at/)).toBeVisible();
  await page.getByRole('button', { name: 'Undo acknowledge' }).tap();
  await expect(page.getByText('not acknowledged')).toBeVisible();
  await context.close();
});

test('on-call follows it to the guilty hop and to an example request, takes it, and sees it end by itself', async ({
  page,
  browser,
}) => {
  test.setTimeout(420_000);
  const link = linkOf(fired()[0]!);
  await page.goto(link);
  await test.step('nothing sticks out sideways, and Acknowledge stands under the thumb', async () => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    const box = await page.getByRole('button', { name: 'Acknowledge', exact: true }).boundingBox();
    expect(box!.height).toBeGreaterThanOrEqual(44);
    expect(box!.y).toBeGreaterThan(844 / 2);
  });
  await test.step('the guilty hop', async () => {
    await page
      .getByRole('link', { name: /line-button → factory-events/ })
      .first()
      .click();
    await expect(page).toHaveURL(/\/hops\/[0-9a-f]{16}\?from=/);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('Ashburn');
    await page.goBack();
  });
  await test.step('an example request', async () => {
    await page.getByRole('link', { name: 'Example request' }).click();
    await expect(page).toHaveURL(/\/traces\/[0-9a-f]{32}/);
    await expect(page.getByText('site-ashburn').first()).toBeVisible();
    await page.goBack();
  });
  await test.step('takes it; who looks at the list learns it without a reload', async () => {
    const wall = await browser.newPage();
    await wall.goto(`${product.url}/alerts`);
    await expect(wall.getByText('1 alert waits for somebody.')).toBeVisible();
    await page.getByRole('button', { name: 'Acknowledge', exact: true }).click();
    await expect(page.getByText(/acknowledged by owner at/)).toBeVisible();
    await expect(wall.getByText('Nothing waits for anybody.')).toBeVisible();
    await wall.close();
  });
  await test.step('says so to the others', async () => {
    await page.getByLabel('Comment').fill('taking it back to Hannover');
    await page.getByRole('button', { name: 'Add' }).click();
    await expect(page.getByText('taking it back to Hannover')).toBeVisible();
  });
  await test.step('the redeploy ends it, and nobody has to reload', async () => {
    await tellOfTheMove(product, 'hannover');
    button.answersFrom('hannover');
    await until(
      'the message that it is over',
      async () => hook.messages.some(({ status, text }) => status === 'resolved' && text.includes('Button press')),
      300_000,
    );
    await expect(page.getByText(/^Resolved: /)).toBeVisible();
    await expect(page.getByText('Hopscope saw it end')).toBeVisible();
  });
  expect(fired()).toHaveLength(1);
});

for (const { theme, viewport } of [
  { theme: 'dark', viewport: { width: 390, height: 844 } },
  { theme: 'light', viewport: { width: 1440, height: 900 } },
] as const) {
  test(`axe finds nothing serious on the pages of alerts, ${theme}, ${viewport.width} wide`, async ({ browser }) => {
    test.setTimeout(240_000);
    const context = await browser.newContext({ colorScheme: theme, reducedMotion: 'reduce', viewport });
    const page = await context.newPage();
    const serious: string[] = [];
    const alert = new URL(linkOf(fired()[0]!)).pathname;
    for (const path of [alert, '/alerts', '/alerts/rules', '/alerts/silences', '/alerts/delivery']) {
      // a page that changes under the microscope cannot be examined
      await page.goto(`${product.url}${path}?refresh=off`);
      const { violations } = await new AxeBuilder({ page }).analyze();
      for (const violation of violations)
        if (violation.impact === 'serious' || violation.impact === 'critical')
          serious.push(`${path}: ${violation.id} ${violation.nodes[0]?.html.slice(0, 120)}`);
    }
    expect(serious).toEqual([]);
    await context.close();
  });
}
