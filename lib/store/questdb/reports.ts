import { readReport } from '#lib/domain/collector-report.ts';
import type { EpochMillis } from '#lib/domain/units.ts';
import type { CollectorReports } from '../store.ts';
import { booksThrough } from './books.ts';
import { Lines } from './lines.ts';
import type { Server } from './server.ts';

/** The next one comes in 2 to 5 s. */
const tellWithinMs = 4_000;
/** Whoever told of a batch had stored it: it comes into sight in a moment, or the server lags, which its status says. */
const inSightWithinMs = 2_000;
const mostCollectors = 1_000;
const forgotten = '-';

export const collectorReports = (server: Server): CollectorReports => ({
  async tell(report) {
    const { collectorId, atMs, ...body } = report;
    const lines = new Lines(server.address.prefix);
    lines.add('collector_reports', 0, [collectorId, atMs, JSON.stringify(body)]);
    await server.sendBriefly(lines, tellWithinMs);
  },

  async latest() {
    const rows = await server.query<{ collector: string; at_ms: bigint; body: string | null }>(
      `SELECT collector, at_ms, body FROM ${server.table('collector_reports')} WHERE body <> $1
       ORDER BY at_ms DESC, collector LIMIT ${mostCollectors}`,
      [forgotten],
    );
    return rows.map(({ collector, at_ms, body }) => readReport(collector, Number(at_ms), body ?? ''));
  },

  async booksThrough(seqs) {
    try {
      await server.applied(['batches', 'settled_batches'], inSightWithinMs);
    } catch {
      return new Map();
    }
    return booksThrough(server, seqs);
  },
});

/** There is no deleting a row: what is left of one that is forgotten is its name. */
export async function forgetReports(server: Server, cutoffMs: EpochMillis): Promise<void> {
  const rows = await server.query<{ collector: string; at_ms: bigint }>(
    `SELECT collector, at_ms FROM ${server.table('collector_reports')} WHERE at_ms < $1 AND body <> $2`,
    [Math.floor(cutoffMs), forgotten],
  );
  if (rows.length === 0) return;
  const lines = new Lines(server.address.prefix);
  for (const { collector, at_ms } of rows) lines.add('collector_reports', 0, [collector, at_ms, forgotten]);
  await server.send(lines);
}
