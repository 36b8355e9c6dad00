import { minuteOf } from '#lib/domain/units.ts';
import type { Store } from '../store.ts';
import type { Database } from './database.ts';
import type { Tx } from './session.ts';

/** What arrived: by arrival, on our own clock. A sender's clock must not decide what is kept. */
const receivedTables = [
  'spans',
  'links',
  'passages',
  'data_points',
  'topic_traffic',
  'sightings',
  'device_reports',
  'clock_observations',
  'traces',
] as const;
const crossingTables = ['crossings', 'unanswered'] as const;
const minuteTables = ['hop_minutes', 'hop_minute_buckets', 'topic_minutes', 'clocks'] as const;

/**
 * Deletes by cutoff, one short transaction a table on the audit's connection, so that the audit and this never delete the same rows at
 * once, and the audit gets its turn in between.
 */
export const retention = (db: Database): Pick<Store, 'dropBefore'> => ({
  async dropBefore({ spansMs, crossingsMs, minutesMs }) {
    let dropped = 0;
    const drop = async (sql: string, cutoff: number): Promise<void> => {
      dropped += await db.audit((tx) => tx.run(sql, [cutoff]));
    };
    for (const table of receivedTables) await drop(`DELETE FROM ${table} WHERE arrival_ms < $1`, spansMs);
    dropped += await db.audit((tx) => settleBatches(tx, spansMs));
    for (const table of crossingTables) await drop(`DELETE FROM ${table} WHERE minute < $1`, minuteOf(crossingsMs));
    for (const table of minuteTables) await drop(`DELETE FROM ${table} WHERE minute < $1`, minuteOf(minutesMs));
    await drop('DELETE FROM device_events WHERE time_ms < $1', minutesMs);
    await drop('DELETE FROM clock_findings WHERE time_ms < $1', minutesMs);
    // the last one still holds
    await drop(
      'DELETE FROM hop_verdicts WHERE from_slice < $1 AND (hop, from_slice) NOT IN (SELECT (hop, max(from_slice)) FROM hop_verdicts GROUP BY hop)',
      minuteOf(minutesMs) * 6,
    );
    await drop('DELETE FROM gaps WHERE to_ms < $1', minutesMs);
    // deleted rows give their room back only when the log is moved into the file
    if (dropped > 0) await db.checkpoint();
  },
});

/**
 * Batches go in the order of their numbers and up to the first that must stay, or that is missing: so one number says which are stored
 * (append.ts), and the books keep what they counted.
 */
async function settleBatches(tx: Tx, cutoffMs: number): Promise<number> {
  const collectors = await tx.all<{ collector: number; settled: bigint }>(
    `SELECT b.collector, coalesce(max(s.through_seq), 0) AS settled FROM (SELECT DISTINCT collector FROM batches WHERE arrival_ms < $1) b
     LEFT JOIN settled_batches s ON s.collector = b.collector GROUP BY b.collector`,
    [cutoffMs],
  );
  let dropped = 0;
  for (const { collector, settled } of collectors) {
    const [stays] = await tx.all<{ seq: bigint | null }>(
      'SELECT min(seq) AS seq FROM batches WHERE collector = $1 AND arrival_ms >= $2',
      [collector, cutoffMs],
    );
    const [run] = await tx.all<{ through: bigint | null }>(
      `SELECT max(seq) AS through FROM (
         SELECT seq, seq - row_number() OVER (ORDER BY seq) AS start FROM batches WHERE collector = $1 AND seq < coalesce($2, 9223372036854775807))
       WHERE start = $3`,
      [collector, stays?.seq ?? null, settled],
    );
    const through = run?.through ?? null;
    if (through === null) continue;
    await tx.run(
      `INSERT INTO settled_rejections SELECT reason, sum(count)::BIGINT FROM rejections WHERE collector = $1 AND seq <= $2 GROUP BY reason`,
      [collector, through],
    );
    await tx.run('DELETE FROM rejections WHERE collector = $1 AND seq <= $2', [collector, through]);
    await tx.run(
      `INSERT INTO settled_batches SELECT collector, signal, $2::BIGINT, count(*), sum(received)::BIGINT, sum(stored)::BIGINT, sum(duplicate)::BIGINT,
         sum(rejected)::BIGINT FROM batches WHERE collector = $1 AND seq <= $2 GROUP BY collector, signal`,
      [collector, through],
    );
    dropped += await tx.run('DELETE FROM batches WHERE collector = $1 AND seq <= $2', [collector, through]);
  }
  if (dropped > 0) await compact(tx);
  return dropped;
}

/** One row a collector and signal, however often retention ran. */
async function compact(tx: Tx): Promise<void> {
  const batches = await tx.all<Record<string, bigint>>(
    `SELECT collector, signal, max(through_seq) AS through_seq, sum(batches)::BIGINT AS batches, sum(received)::BIGINT AS received,
       sum(stored)::BIGINT AS stored, sum(duplicate)::BIGINT AS duplicate, sum(rejected)::BIGINT AS rejected
     FROM settled_batches GROUP BY collector, signal`,
  );
  const reasons = await tx.all<Record<string, string | bigint>>(
    'SELECT reason, sum(count)::BIGINT AS count FROM settled_rejections GROUP BY reason',
  );
  await tx.run('DELETE FROM settled_batches');
  await tx.run('DELETE FROM settled_rejections');
  for (const row of batches) await tx.append('settled_batches', 1, Object.values(row));
  for (const row of reasons) await tx.append('settled_rejections', 1, Object.values(row));
}
