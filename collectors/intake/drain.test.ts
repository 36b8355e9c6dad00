import { expect, test } from 'vitest';
import { systemClock } from '#lib/clock.ts';
import type { IngestBatch } from '#lib/domain/ingest-batch.ts';
import type { SpoolRow } from '#lib/spool/spool-row.ts';
import type { Gap } from '#lib/store/store.ts';
import { type SealedBatch, TracesBatch } from '#lib/wire/batch-codec.ts';
import { defaultLimits } from '#lib/wire/limits.ts';
import { encoding } from '#lib/wire/read-result.ts';
import { Drain } from './drain.ts';
import { until } from './fixtures/running-intake.ts';
import { traceRequestProtobuf } from './fixtures/trace-request.ts';

const collectorId = 'c';

function sealed(spans = 3): SealedBatch {
  const batch = new TracesBatch(defaultLimits, collectorId);
  batch.add(encoding.protobuf, traceRequestProtobuf(spans), systemClock());
  return batch.seal();
}

/** A spool that is a list, and a drain whose batches the test acknowledges. */
function start(
  rows: SealedBatch[],
  more: { storedSeq?: number; windowBatches?: number; damaged?: number[]; gone?: number[] } = {},
) {
  const posted: IngestBatch[] = [];
  const gaps: Gap[] = [];
  const rowAt = (seq: number): SpoolRow => {
    const { spooled } = rows[seq - 1]!;
    const damaged = more.damaged?.includes(seq) ?? false;
    const bytes = damaged ? new Uint8Array(0) : spooled.raw;
    return { collectorId, seq, signal: spooled.signal, arrivalNanos: spooled.arrivalNanos, items: 3, bytes, damaged };
  };
  const spool = {
    collectorId,
    storedSeq: more.storedSeq ?? 0,
    lastSeq: rows.length,
    read: async (fromSeq: number) =>
      rows
        .map((_, i) => i + 1)
        .filter((seq) => seq >= fromSeq && !more.gone?.includes(seq))
        .slice(0, 3)
        .map(rowAt),
    markStored: () => {},
  };
  const drain = new Drain({
    spool,
    limits: defaultLimits,
    clock: systemClock,
    post: (batch) => posted.push(batch),
    addGap: (gap) => gaps.push(gap),
    windowBatches: more.windowBatches ?? 64,
  });
  return { drain, posted, gaps, rows, seqs: () => posted.map(({ seq }) => seq) };
}

test('goes on behind what the store has, from the spool, with the spans it had', async () => {
  const { drain, posted, seqs } = start([sealed(), sealed(), sealed(5)], { storedSeq: 1 });
  await until('both are handed over', () => posted.length === 2);
  expect(seqs()).toEqual([2, 3]);
  expect(posted[1]).toMatchObject({ collectorId, received: 5, spans: { count: 5 } });
  let empty = false;
  void drain.emptied().then(() => {
    empty = true;
  });
  drain.stored(collectorId, 2);
  await new Promise((resolve) => setImmediate(resolve));
  expect(empty).toBe(false);
  drain.stored(collectorId, 3);
  await drain.emptied();
});

test('hands over fresh batches at once and never more than the window; the rest comes from memory or the spool, in order, once', async () => {
  const { drain, rows, seqs } = start([], { windowBatches: 4 });
  for (let seq = 1; seq <= 20; seq++) {
    rows.push(sealed());
    drain.offer(rows.at(-1)!, { collectorId, seq });
  }
  expect(seqs()).toEqual([1, 2, 3, 4]);
  for (let seq = 1; seq <= 20; seq++) {
    await until(`${seq} is handed over`, () => seqs().includes(seq));
    expect(drain.stats().batchesUnderway).toBeLessThanOrEqual(4);
    drain.stored(collectorId, seq);
  }
  await drain.emptied();
  expect(seqs()).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
});

test('a batch that cannot be read back is a gap and an empty batch with its books; the numbering has no hole', async () => {
  const { posted, gaps, seqs, drain } = start([sealed(), sealed(), sealed()], { damaged: [2] });
  await until('all are handed over', () => posted.length === 3);
  expect(seqs()).toEqual([1, 2, 3]);
  expect(posted[1]).toMatchObject({ received: 3, rejected: { malformed: 3 }, spans: null });
  expect(gaps).toHaveLength(1);
  expect(gaps[0]!.what).toMatch(/batch 2 \(3 items\)/);
  expect(drain.stats().batchesDamaged).toBe(1);
});

test('numbers the file no longer has are passed over and told', async () => {
  const { posted, gaps, seqs } = start([sealed(), sealed(), sealed(), sealed()], { gone: [2, 3] });
  await until('all are handed over', () => posted.length === 4);
  expect(seqs()).toEqual([1, 2, 3, 4]);
  expect(posted[1]).toMatchObject({ received: 0, spans: null });
  expect(gaps.map(({ what }) => what)).toEqual(['batches 2 to 3 are no longer in the spool']);
});
