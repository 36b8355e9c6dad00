import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CollectorTally, HeardCollector } from '../domain/collector-report.ts';
import { heardOf, tallyThrough } from '../domain/fixtures/collector-reports.ts';
import { openDuckDbStore } from '../store/duckdb/duckdb-store.ts';
import { batchOf, decodeSketches, traceBatch, trafficOf } from '../store/fixtures/batches.ts';
import type { Store } from '../store/store.ts';
import { collectorBooks, lagMsOf, sumOf } from './collector-books.ts';

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

/** A store as several collectors share it: by collector what its batches counted, one after the other. */
function sharedStore(itemsOf: Record<string, number[]>): Pick<Store, 'books' | 'reports'> {
  const upTo = (id: string, seq: number) => {
    const items = (itemsOf[id] ?? []).slice(0, seq).reduce((sum, n) => sum + n, 0);
    return { received: items, stored: items, duplicate: 0, rejected: 0 };
  };
  return {
    books: async () => {
      const byCollector = Object.entries(itemsOf).map(([collectorId, { length }]) => {
        return { collectorId, highestSeq: length, ...upTo(collectorId, length) };
      });
      return { ...upTo('', 0), rejectedByReason: {}, bySignal: [], byCollector };
    },
    reports: {
      tell: async () => {},
      latest: async () => [],
      booksThrough: async (seqs) => new Map([...seqs].map(([id, seq]) => [id, upTo(id, seq)])),
    },
  };
}

test('collectors in other processes balance at the moment of their reports, whatever came since', async () => {
  const heard = [
    heardOf('a', 'receiving', 5_000, { tally: tallyThrough(2, 30, 25, 'a') }),
    heardOf('b', 'silent', 2_000, { tally: { ...tallyThrough(1, 9, 2, 'b'), oldestSpooledMs: 1_500 } }),
    // its store has none of it yet
    heardOf('c', 'stopped', 3_000, { tally: tallyThrough(0, 4, 4, 'c') }),
  ];
  const store = sharedStore({ a: [2, 3, 11], b: [7], gone: [8] });
  const { collectors } = await collectorBooks(store, statusOf(null, heard));
  expect(
    collectors.map((row) => [row.collectorId, row.current, row.received, row.stored, row.spooled, row.residual]),
  ).toEqual([
    ['a', true, 30, 5, 25, 0],
    ['b', false, 9, 7, 2, 0],
    ['gone', false, 8, 8, 0, 0],
    ['c', false, 4, 0, 4, 0],
  ]);
  // by its own clock until it was heard, by ours since
  expect(collectors.map((row) => lagMsOf(row, 10_000))).toEqual([0, 8_500, 0, 0]);
});

test('an item that one of them acknowledged and that is nowhere shows as its own', async () => {
  const heard = [heardOf('a', 'receiving', 0, { tally: tallyThrough(1, 4, 1, 'a') }), heardOf('b', 'receiving', 0)];
  const { collectors } = await collectorBooks(sharedStore({ a: [2], b: [7] }), statusOf(null, heard));
  expect(collectors.map(({ residual }) => residual)).toEqual([1, null]);
  expect(sumOf(collectors).residual).toBe(1);
});

test('what the store cannot tell of a batch is not said to balance', async () => {
  const store = sharedStore({ a: [2, 3] });
  const untold = { ...store, reports: { ...store.reports!, booksThrough: async () => new Map() } };
  const heard = [heardOf('a', 'receiving', 0, { tally: tallyThrough(1, 9, 4, 'a') })];
  const { collectors } = await collectorBooks(untold, statusOf(null, heard));
  expect(collectors[0]).toMatchObject({ residual: null, stored: 5 });
});

test('a collector in this process beside one elsewhere: each by its own count', async () => {
  const heard = [heardOf('a', 'receiving', 0, { tally: tallyThrough(1, 5, 3, 'a') })];
  const store = sharedStore({ a: [2, 1], 'collector-1': [6] });
  const { collectors } = await collectorBooks(store, statusOf(tallyOf(7, 1), heard));
  expect(collectors.map(({ collectorId, heard: of, residual }) => [collectorId, of !== null, residual])).toEqual([
    ['a', true, 0],
    ['collector-1', false, 0],
  ]);
});
