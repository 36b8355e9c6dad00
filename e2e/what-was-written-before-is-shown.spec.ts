import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'playwright/test';
import { getJson, root, startProduct, temporaryDir } from './steps/product.ts';

/**
 * A folder as an earlier version left it when it was killed (store of schema 2 with its log, spool without totals, no state.db): 40 presses
 * of a button in Hannover, 36 of them served in Dublin, 3 messages. Its settings keep everything for a hundred years.
 */
function folderOfBefore(): string {
  const dir = temporaryDir();
  execFileSync('tar', ['-xzf', join(root, 'e2e/fixtures/written-by-schema-2.tar.gz'), '-C', dir]);
  return dir;
}
const range = 'from=1795297200000&to=1795298700000';

test('whoever updates finds the hops, requests and counts that the version before had shown', async () => {
  const dir = folderOfBefore();
  const product = await startProduct({ args: ['--config', join(dir, 'hopscope.yaml')], dataDir: join(dir, 'data') });
  // what that version answered to the same questions
  expect(await getJson(product, `/api/v1/hops?${range}`)).toMatchObject({
    items: [
      {
        id: '42ab1307175f2881',
        from: { service: 'button-box', site: 'hannover' },
        to: { service: 'line-events', site: 'dublin' },
        count: 36,
        requests: 36,
        errors: 5,
        unanswered: 0,
        addedMs: { p50: 59.327332002668335, p95: 78.62275431083968, mean: 60, max: 79 },
        boundMs: 0,
        floorMs: 10.551929,
        budgetMs: 40,
        verdict: 'fix-path',
      },
    ],
  });
  const { items } = await getJson<{ items: { spans: number }[] }>(product, `/api/v1/traces?${range}`);
  expect([items.length, items.reduce((sum, { spans }) => sum + spans, 0)]).toEqual([40, 76]);
  expect(await getJson(product, '/api/v1/traces/0000000000000000000000000abc0007')).toMatchObject({
    rootName: 'button press',
    totalMs: 67,
    spans: [
      { name: 'button press', service: 'button-box', site: 'hannover', durationMs: 67, status: 'unset' },
      { name: 'store event', service: 'line-events', site: 'dublin', durationMs: 20, status: 'error' },
    ],
  });
  expect(await getJson(product, `/api/v1/topics?${range}`)).toMatchObject({
    items: [{ broker: 'embedded', topic: 'factory/line1/button', messages: 3 }],
  });
  expect(await getJson(product, '/api/v1/status')).toMatchObject({
    books: { received: 79, stored: 79, duplicate: 0, rejected: 0, spooled: 0, residual: 0 },
    store: { spans: 76 },
    gaps: [],
  });
  expect(await product.stop()).toBe(0);
});
