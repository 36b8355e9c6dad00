import { readFileSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright';

const { url } = JSON.parse(readFileSync('/tmp/paths-shots/product.json', 'utf8'));
const [, , prefix, ...pages] = process.argv;
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-background-networking'],
});
const sizes = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;
for (const theme of ['dark', 'light'] as const)
  for (const [size, viewport] of Object.entries(sizes)) {
    const context = await browser.newContext({
      viewport,
      colorScheme: theme,
      reducedMotion: 'reduce',
      deviceScaleFactor: 1,
      isMobile: size === 'phone',
      hasTouch: size === 'phone',
    });
    const page = await context.newPage();
    page.on('console', (m) => {
      if (m.type() === 'error') console.log('console', m.text().slice(0, 300));
    });
    for (const spec of pages) {
      const [name, path] =
        spec.split('=', 2).length === 2
          ? [spec.slice(0, spec.indexOf('=')), spec.slice(spec.indexOf('=') + 1)]
          : [spec, spec];
      const answer = await page.goto(`${url}${path}${path.includes('?') ? '&' : '?'}refresh=off`);
      await page.waitForTimeout(400);
      await page.screenshot({
        path: `/tmp/paths-shots/${prefix}-${name}-${size}-${theme}.png`,
        fullPage: size === 'phone' || name.endsWith('full'),
      });
      const wide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      const { violations } = await new AxeBuilder({ page }).analyze();
      console.log(
        theme,
        size,
        name,
        answer?.status(),
        'overflow',
        wide,
        violations.map((v) => `${v.impact} ${v.id} ${v.nodes.length}x ${v.nodes[0]?.html.slice(0, 140)}`).join(' | '),
      );
    }
    await context.close();
  }
await browser.close();
