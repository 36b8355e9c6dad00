import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CollectorTally, HeardCollector } from '../domain/collector-report.ts';
import { openDuckDbStore } from '../store/duckdb/duckdb-store.ts';
import { batchOf, decodeSketches, traceBatch, trafficOf } from '../store/fixtures/batches.ts';
import type { Store } from '../store/store.ts';
import { collectorBooks, sumOf } from './collector-books.ts';

let store: Store;
beforeEach(async () => {
  store = await openDuckDbStore({ path: ':memory:', threads: 1, decodeSpans: decodeSketches });
});
afterEach(() => store.close());

const statusOf = (tally: CollectorTally | null, heard: HeardCollector[] = []) => {
  const asked: Map<string, number>[] = [];
  return {
    asked,
    tally: async (storedSeqs: Map<string, number>) => {
      asked.push(storedSeqs);
      return tally;
    },
    collectors: () => heard,
    spool: () => ({
      items: 4,
      bytes: 0,
      oldestMs: null,
      waitingSinceMs: null,
      diskFreeBytes: null,
      refuseBelowBytes: null,
    }),
  };
};
const tallyOf = (acknowledgedItems: number | null, spooledItems: number | null): CollectorTally => ({
  collectorId: 'collector-1',
  acknowledgedItems,
  spooledItems,
  oldestSpooledMs: null,
});
const twoSpans = () =>
  traceBatch(1, [
    { trace: 1n, span: 1n },
    { trace: 1n, span: 2n },
  ]);

test('balance when what was acknowledged is in the store or in the spool', async () => {
  await store.append([twoSpans()]);
  const status = statusOf(tallyOf(5, 3));
  const { collectors } = await collectorBooks(store, status);
  expect(status.asked).toEqual([new Map([['collector-1', 1]])]);
  expect(collectors).toEqual([
    {
      collectorId: 'collector-1',
      current: true,
      heard: null,
      received: 5,
      stored: 2,
      duplicate: 0,
      rejected: 0,
      spooled: 3,
      residual: 0,
      oldestSpooledMs: null,
    },
  ]);
});

test('an item that was acknowledged and is neither stored nor spooled shows', async () => {
  await store.append([twoSpans()]);
  expect(sumOf((await collectorBooks(store, statusOf(tallyOf(6, 3)))).collectors).residual).toBe(1);
});

test('messages that were received and of which no topic knows show, and so do messages counted twice', async () => {
  await store.append([batchOf(1, { signal: 3, received: 4, topicTraffic: [trafficOf('a', 3)] })]);
  expect(sumOf((await collectorBooks(store, statusOf(tallyOf(4, 0)))).collectors).residual).toBe(1);
  await store.append([batchOf(2, { signal: 3, received: 1, topicTraffic: [trafficOf('a', 3)] })]);
  expect(sumOf((await collectorBooks(store, statusOf(tallyOf(5, 0)))).collectors).residual).toBe(-1);
});

test('what was not counted at the door is not said to balance', async () => {
  await store.append([twoSpans()]);
  const [row] = (await collectorBooks(store, statusOf(tallyOf(null, null)))).collectors;
  expect(row).toMatchObject({ received: 6, spooled: 4, residual: null });
});

test('of a collector whose spool was replaced the store alone tells; the new one has its own row', async () => {
  await store.append([{ ...twoSpans(), collectorId: 'before' }]);
  const { collectors } = await collectorBooks(store, statusOf(tallyOf(7, 7)));
  expect(
    collectors.map(({ collectorId, current, received, residual }) => [collectorId, current, received, residual]),
  ).toEqual([
    ['before', false, 2, 0],
    ['collector-1', true, 7, 0],
  ]);
});
