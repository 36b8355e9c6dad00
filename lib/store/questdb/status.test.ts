import { expect, it } from 'vitest';
import type { Server } from './server.ts';
import { Watch } from './status.ts';

/** A server on which one table is so far behind. */
const behind = (transactions: bigint): Server =>
  ({
    address: { hosts: [] },
    query: async () => [],
    logs: async () => [{ name: 'hopscope_spans', suspended: false, applied: 7n, sent: 7n + transactions, error: null }],
  }) as unknown as Server;

it('a lag is told at once where it is long, and a short one when it lasts', async () => {
  let nowMs = 0;
  expect(await new Watch(behind(199n), () => nowMs).warnings()).toEqual([]);
  expect(await new Watch(behind(200n), () => nowMs).warnings()).toEqual([
    expect.stringContaining('hopscope_spans is 200 transactions behind'),
  ]);
  const watch = new Watch(behind(1n), () => nowMs);
  await watch.warnings();
  nowMs = 29_999;
  expect(await watch.warnings()).toEqual([]);
  nowMs = 30_000;
  expect(await watch.warnings()).toEqual([expect.stringContaining('hopscope_spans is 1 transaction behind')]);
});
