import { chromium } from 'playwright';
import { startProduct } from './e2e/steps/product.ts';
import { mkdirSync } from 'node:fs';
mkdirSync('/tmp/shots', { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] });
for (const [kind, args] of [['demo', []], ['empty', ['--no-demo']]] as const) {
  const p = await startProduct({ args: [...args] });
  await new Promise((r) => setTimeout(r, kind === 'demo' ? 40000 : 1500));
  for (const [size, width, height] of [['desk', 1440, 900], ['phone', 390, 844]] as const)
    for (const scheme of ['dark', 'light'] as const) {
      const page = await (await browser.newContext({ viewport: { width, height }, colorScheme: scheme })).newPage();
      for (const name of ['clocks', 'paths', 'hops']) { await page.goto(`${p.url}/${name}`); await page.waitForTimeout(400); await page.screenshot({ path: `/tmp/shots/${kind}-${name}-${size}-${scheme}.png` }); }
      await page.context().close();
    }
  await p.kill();
}
await browser.close();
