import type { WriteColumn } from '../columns.ts';
import { emptySums, none, type OpenMinutes, type Sums } from '../minute-sums.ts';
import { listed } from './audit-sql.ts';
import type { Session, Tx } from './session.ts';

/** Begins from the rows that were just computed of a minute. */
export async function loadSums(
  minutes: OpenMinutes,
  session: Session,
  minute: number,
  hops: readonly bigint[],
): Promise<void> {
  if (!minutes.opens(minute)) return;
  const nanos = (ms: number | null): number => (ms === null ? none : Math.round(ms * 1e6));
  const list = hops.join(',');
  const rows = await session.all<Stored>(`SELECT * FROM hop_minutes WHERE minute = $1 AND hop IN ${listed('$2')}`, [
    minute,
    list,
  ]);
  for (const row of rows) {
    minutes.put({
      ...emptySums({ hop: row.hop, minute }),
      isCrossed: row.count > 0,
      count: row.count,
      requests: row.requests,
      errors: row.errors,
      unanswered: row.unanswered,
      sumNs: nanos(row.sum_ms),
      maxNs: nanos(row.max_ms),
      boundNs: nanos(row.bound_ms),
      clocks: [
        0,
        row.same_clock,
        row.round_trip,
        row.bounded,
        row.assumed,
        row.clock_wrong,
        row.overlap,
        row.contradiction ?? 0,
      ],
      floorNs: nanos(row.floor_ms),
      directFloorNs: nanos(row.direct_floor_ms),
      broker: row.broker,
      passages: row.passages,
      uplinkBoundNs: nanos(row.uplink_bound_ms),
      downlinkBoundNs: nanos(row.downlink_bound_ms),
    });
  }
  const buckets = await session.columns<[BigUint64Array, Uint8Array, Int16Array, Int32Array]>(
    `SELECT hop, kind, bucket, count FROM hop_minute_buckets WHERE minute = $1 AND hop IN ${listed('$2')}`,
    [minute, list],
  );
  const [hop, kind, bucket, counts] = buckets.values;
  for (let i = 0; i < buckets.rowCount; i++) {
    const sums = minutes.get({ hop: hop[i]!, minute });
    if (sums) sums.buckets[kind[i]!]!.set(bucket[i]!, counts[i]!);
  }
}

/** Replaces the rows of these sums, all of one minute. */
export async function writeSums(tx: Tx, minute: number, sums: readonly Sums[]): Promise<void> {
  const list = sums.map((s) => s.hop).join(',');
  for (const table of ['hop_minutes', 'hop_minute_buckets'])
    await tx.run(`DELETE FROM ${table} WHERE minute = $1 AND hop IN ${listed('$2')}`, [minute, list]);
  const whole = (of: (s: Sums) => number): Int32Array => Int32Array.from(sums, of);
  const ms = (of: (s: Sums) => number): WriteColumn =>
    sums.some((s) => of(s) === none)
      ? sums.map((s) => (of(s) === none ? null : of(s) / 1e6))
      : Float64Array.from(sums, (s) => of(s) / 1e6);
  await tx.append('hop_minutes', sums.length, [
    BigUint64Array.from(sums, (s) => s.hop),
    minute,
    whole((s) => s.count),
    whole((s) => s.requests),
    whole((s) => s.errors),
    whole((s) => s.unanswered),
    ms((s) => s.sumNs),
    ms((s) => s.maxNs),
    ms((s) => s.boundNs),
    ...[1, 2, 3, 4, 5, 6].map((label) => whole((s) => s.clocks[label]!)),
    ms((s) => s.floorNs),
    ms((s) => s.directFloorNs),
    whole((s) => s.broker),
    whole((s) => s.passages),
    ms((s) => s.uplinkBoundNs),
    ms((s) => s.downlinkBoundNs),
    whole((s) => s.clocks[7]!),
  ]);
  const rows = sums.flatMap((s) =>
    s.buckets.flatMap((buckets, kind) => Array.from(buckets, ([bucket, n]) => ({ hop: s.hop, kind, bucket, n }))),
  );
  await tx.append('hop_minute_buckets', rows.length, [
    BigUint64Array.from(rows, (r) => r.hop),
    minute,
    Uint8Array.from(rows, (r) => r.kind),
    Int16Array.from(rows, (r) => r.bucket),
    Int32Array.from(rows, (r) => r.n),
  ]);
  tx.flush();
  for (const s of sums) s.isCrossed = s.count > 0;
}

interface Stored {
  hop: bigint;
  count: number;
  requests: number;
  errors: number;
  unanswered: number;
  sum_ms: number;
  max_ms: number | null;
  bound_ms: number | null;
  same_clock: number;
  round_trip: number;
  bounded: number;
  assumed: number;
  clock_wrong: number;
  overlap: number;
  contradiction: number | null;
  floor_ms: number;
  direct_floor_ms: number;
  broker: number;
  passages: number;
  uplink_bound_ms: number | null;
  downlink_bound_ms: number | null;
}
