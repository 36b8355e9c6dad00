import { type EpochMillis, minuteOf } from '#lib/domain/units.ts';
import type { Store } from '../store.ts';
import type { AuditBook } from './audit-book.ts';
import { readSettled, runsOf } from './batches.ts';
import { addReasons, type FigureRow, figures, settledSeqs } from './books.ts';
import { microsOf } from './dialect.ts';
import { Lines } from './lines.ts';
import { forgetReports } from './reports.ts';
import { receivedTables, type TableName } from './schema.ts';
import type { Server } from './server.ts';

const dayMs = 86_400_000;

/**
 * Drops whole partitions, hours and days: those that ended before their cutoff. By our own clock, never by a TTL of the server's
 * (design.md section 10): whoever sets a clock wrong must not lose what he has.
 */
export const retention = (server: Server, book: AuditBook): Pick<Store, 'dropBefore'> => ({
  async dropBefore({ spansMs, crossingsMs, minutesMs }) {
    await settleBatches(server, spansMs);
    for (const table of [...receivedTables, 'traces'] as const) await dropPartitions(server, table, spansMs);
    for (const table of ['crossings', 'unanswered'] as const) await dropPartitions(server, table, crossingsMs);
    for (const table of [
      'hop_minutes',
      'hop_minute_buckets',
      'topic_minutes',
      'clocks',
      'device_events',
      'gaps',
    ] as const)
      await dropPartitions(server, table, minutesMs);
    await forgetReports(server, crossingsMs);
    book.forgetBefore(minuteOf(minutesMs));
  },
});

async function dropPartitions(server: Server, table: TableName, cutoffMs: EpochMillis): Promise<void> {
  const partitions = await server.all<{ name: string; ended: boolean }>(
    `SELECT name, "maxTimestamp"::long < $1 AS ended, "minTimestamp" FROM table_partitions('${server.table(table)}')`,
    [microsOf(cutoffMs)],
  );
  const old = partitions.filter(({ name, ended }) => ended && endOf(name) <= cutoffMs);
  if (old.length === 0) return;
  const names = old.map(({ name }) => `'${name}'`).join(', ');
  await server.query(`ALTER TABLE ${server.table(table)} DROP PARTITION LIST ${names}`);
  server.changed(table);
}

/** When a partition ends, by its name: 2026, 2026-03, 2026-03-01, 2026-03-01T12. */
function endOf(name: string): EpochMillis {
  const [, year, month, day, hour] = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:T(\d\d))?$/.exec(name) ?? [];
  // what has another name is no whole partition of ours
  if (!year) return Number.POSITIVE_INFINITY;
  if (hour) return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour) + 1);
  if (day) return Date.UTC(Number(year), Number(month) - 1, Number(day) + 1);
  if (month) return Date.UTC(Number(year), Number(month));
  return Date.UTC(Number(year) + 1, 0);
}

/** The books keep what the batches of a day counted; which ones they were keeps a batch from coming twice. */
async function settleBatches(server: Server, cutoffMs: EpochMillis): Promise<void> {
  const whole = Math.floor(cutoffMs / dayMs) * dayMs;
  const rows = await server.all<
    FigureRow & { collector: string; seq: bigint; signal: number; reasons: string | null; at: bigint }
  >(
    `SELECT collector, seq, signal, received, stored, duplicate, rejected, reasons, ts::long AS at FROM ${server.table('batches')} WHERE ts < $1`,
    [microsOf(whole)],
  );
  const isSettled = settledSeqs(await readSettled(server));
  const groups = new Map<string, typeof rows>();
  for (const row of rows) {
    if (isSettled(row.collector, Number(row.seq))) continue;
    const key = `${row.at / BigInt(dayMs * 1000)} ${row.signal} ${row.collector}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  const lines = new Lines(server.address.prefix);
  for (const group of groups.values()) {
    const [{ collector, signal, at }] = group as [(typeof rows)[number]];
    const day = at - (at % BigInt(dayMs * 1000));
    const reasons = addReasons(group.map((row) => ({ ...row, n: 1n })));
    lines.add('settled_batches', day, [
      collector,
      signal,
      whole,
      ...figures.map((figure) => group.reduce((sum, row) => sum + row[figure], 0n)),
      Object.keys(reasons).length === 0 ? null : JSON.stringify(reasons),
      runsOf(group.map((row) => Number(row.seq))),
    ]);
  }
  if (lines.rows > 0) {
    await server.send(lines);
    await server.applied(['settled_batches']);
  }
  await dropPartitions(server, 'batches', whole);
}
