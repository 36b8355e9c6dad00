import type { RejectReason } from '#lib/domain/ingest-batch.ts';
import { signal } from '#lib/domain/ingest-batch.ts';
import { ascending } from '../ascending.ts';
import type { Books, BooksThrough, Store } from '../store.ts';
import { parseRuns } from './batches.ts';
import { microsOf } from './dialect.ts';
import { Lines } from './lines.ts';
import type { Server } from './server.ts';

type BookReads = Pick<Store, 'books' | 'gaps' | 'addGap'>;

export const figures = ['received', 'stored', 'duplicate', 'rejected'] as const;
export const sumFigures = figures.map((name) => `sum(${name}) AS ${name}`).join(', ');
export type FigureRow = Record<(typeof figures)[number], bigint>;

export const bookReads = (server: Server): BookReads => ({
  async books() {
    const rows = await countedRows(server);
    const bySignal = (['traces', 'metrics', 'mqtt'] as const).map((name) => {
      const own = rows.filter((row) => row.signal === signal[name]);
      const sum = (figure: keyof FigureRow) => own.reduce((total, row) => total + Number(row[figure]), 0);
      return {
        signal: name,
        received: sum('received'),
        stored: sum('stored'),
        duplicate: sum('duplicate'),
        rejected: sum('rejected'),
      };
    });
    const sum = (figure: keyof FigureRow) => bySignal.reduce((total, row) => total + row[figure], 0);
    const books: Books = {
      received: sum('received'),
      stored: sum('stored'),
      duplicate: sum('duplicate'),
      rejected: sum('rejected'),
      rejectedByReason: addReasons(rows),
      bySignal,
      byCollector: byCollector(rows),
    };
    return books;
  },

  async gaps(fromMs, toMs) {
    const rows = await server.all<{ from_us: bigint; to_ms: bigint; whose: string | null; what: string | null }>(
      `SELECT ts::long AS from_us, to_ms, whose, what FROM ${server.table('gaps')} WHERE to_ms >= $1 AND ts < $2 ORDER BY ts, whose`,
      [Math.floor(fromMs), microsOf(toMs)],
    );
    return rows.map((row) => ({
      fromMs: Number(row.from_us / 1000n),
      toMs: Number(row.to_ms),
      whose: row.whose ?? '',
      what: row.what ?? '',
    }));
  },

  async addGap({ fromMs, toMs, whose, what }) {
    const lines = new Lines(server.address.prefix);
    lines.add('gaps', microsOf(fromMs), [whose, what, toMs]);
    await server.send(lines);
  },
});

function byCollector(rows: readonly CountedRow[]): Books['byCollector'] {
  const sums = new Map<string, Books['byCollector'][number]>();
  for (const { collector, highest, received, stored, duplicate, rejected } of rows) {
    const sum = sums.get(collector) ?? {
      collectorId: collector,
      highestSeq: 0,
      received: 0,
      stored: 0,
      duplicate: 0,
      rejected: 0,
    };
    sums.set(collector, {
      collectorId: collector,
      highestSeq: Math.max(sum.highestSeq, Number(highest)),
      received: sum.received + Number(received),
      stored: sum.stored + Number(stored),
      duplicate: sum.duplicate + Number(duplicate),
      rejected: sum.rejected + Number(rejected),
    });
  }
  return [...sums.values()].sort((a, b) => ascending(a.collectorId, b.collectorId));
}

interface CountedRow extends FigureRow {
  collector: string;
  /** of its batches */
  highest: bigint;
  signal: number;
  reasons: string | null;
  /** how many rows counted just this */
  n: bigint;
}

/** The figures of each collector up to its batch. Of a settled day that goes beyond it nobody can tell any more. */
export async function booksThrough(
  server: Server,
  seqs: ReadonlyMap<string, number>,
): Promise<Map<string, BooksThrough>> {
  if (seqs.size === 0) return new Map();
  const rows = await countedRows(server, seqs);
  const sums = new Map([...seqs.keys()].map((id) => [id, { received: 0, stored: 0, duplicate: 0, rejected: 0 }]));
  for (const { collector, highest, ...row } of rows) {
    const sum = sums.get(collector);
    if (!sum) continue;
    if (Number(highest) > seqs.get(collector)!) sums.delete(collector);
    else for (const figure of figures) sum[figure] += Number(row[figure]);
  }
  return sums;
}

/**
 * What batches counted, and what retention has settled of them. Of a settled day no batch is counted a second time, should its partition
 * still stand; one that came later is. With `through`: batches of these collectors alone, as far as they are single ones each up to its number.
 */
async function countedRows(server: Server, through?: ReadonlyMap<string, number>): Promise<CountedRow[]> {
  const ids = [...(through?.keys() ?? [])];
  const within = through
    ? ids.map((id, i) => `(collector = $${i + 2} AND seq <= ${Math.floor(through.get(id)!)})`).join(' OR ')
    : 'true';
  const rows = await server.all<CountedRow & { seqs: string; until: bigint }>(
    `SELECT collector, 0L AS highest, signal, received, stored, duplicate, rejected, reasons, seqs, ts::long + 86400000000L AS until, 1L AS n
     FROM ${server.table('settled_batches')}`,
  );
  const settled = rows.map((row) => ({
    ...row,
    highest: BigInt(Math.max(...parseRuns(row.seqs).map(([, to]) => to))),
  }));
  const until =
    settled
      .map((row) => row.until)
      .sort(ascending)
      .at(-1) ?? 0n;
  const live = await server.all<CountedRow>(
    `SELECT collector, max(seq) AS highest, signal, reasons, ${sumFigures}, count() AS n FROM ${server.table('batches')} WHERE ts >= $1 AND (${within})`,
    [until, ...ids],
  );
  if (until === 0n) return live;
  const old = await server.all<CountedRow & { seq: bigint }>(
    `SELECT collector, seq, seq AS highest, signal, received, stored, duplicate, rejected, reasons, 1L AS n FROM ${server.table('batches')} WHERE ts < $1 AND (${within})`,
    [until, ...ids],
  );
  const counted = settledSeqs(settled);
  return [...settled, ...live, ...old.filter(({ collector, seq }) => !counted(collector, Number(seq)))];
}

/** Whether a batch is among the settled ones. */
export function settledSeqs(
  settled: readonly { collector: string; seqs: string }[],
): (collector: string, seq: number) => boolean {
  const runs = new Map<string, [number, number][]>();
  for (const { collector, seqs } of settled) runs.set(collector, [...(runs.get(collector) ?? []), ...parseRuns(seqs)]);
  return (collector, seq) => runs.get(collector)?.some(([from, to]) => seq >= from && seq <= to) ?? false;
}

/** Reasons of rejection, added up. */
export function addReasons(rows: readonly { reasons: string | null; n: bigint }[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const { reasons, n } of rows)
    for (const [reason, count] of Object.entries(JSON.parse(reasons ?? '{}') as Record<RejectReason, number>))
      sums.set(reason, (sums.get(reason) ?? 0) + count * Number(n));
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
