import { bucketOf } from '#lib/domain/histogram.ts';
import type { Judged } from './audit-pair.ts';
import { listed } from './audit-sql.ts';
import type { Session, Tx, WriteColumn } from './session.ts';

export interface HopMinute {
  hop: bigint;
  minute: number;
}

/** What a row of hop_minutes and its buckets are made of: sums and maxima, so that crossings can be added one by one. */
interface Sums extends HopMinute {
  /** whether its row says that it was crossed */
  isCrossed: boolean;
  count: number;
  requests: number;
  errors: number;
  unanswered: number;
  sumNs: number;
  maxNs: number;
  boundNs: number;
  /** by clock label, 1 .. 7 */
  clocks: number[];
  floorNs: number;
  directFloorNs: number;
  broker: number;
  passages: number;
  uplinkBoundNs: number;
  downlinkBoundNs: number;
  /** by kind: bucket -> count */
  buckets: Map<number, number>[];
  /** callers counted within this pass */
  callers: Set<number>;
  pass: number;
}

const none = Number.NEGATIVE_INFINITY;
const mostSums = 10_000;
const minutesBack = 10;
/** Beyond this a sum of doubles is no longer exact to the nanosecond: then it is computed from the crossings. */
const mostNanos = 2 ** 50;

/**
 * The sums of open minutes, so that a minute with a million crossings is not read whole each time one is added. A cache: an entry is
 * made of rows that were computed from crossings, is only ever added to, and goes when anything else happens to its minute.
 */
export class OpenMinutes {
  readonly #sums = new Map<string, Sums>();
  #pass = 0;
  #newest = 0;

  clear(): void {
    this.#sums.clear();
    this.#newest = 0;
  }

  get({ hop, minute }: HopMinute): Sums | undefined {
    return this.#sums.get(`${hop} ${minute}`);
  }

  forget({ hop, minute }: HopMinute): void {
    this.#sums.delete(`${hop} ${minute}`);
  }

  beginPass(): void {
    this.#pass++;
  }

  /** A crossing of a caller that had none before this pass. */
  add(sums: Sums, j: Judged): void {
    if (sums.pass !== this.#pass) {
      sums.pass = this.#pass;
      sums.callers.clear();
    }
    sums.count++;
    if (!j.message) sums.requests++;
    else if (!sums.callers.has(j.caller)) {
      sums.callers.add(j.caller);
      sums.requests++;
    }
    if (j.error) sums.errors++;
    if (!Number.isNaN(j.added)) {
      sums.sumNs += j.added;
      sums.maxNs = Math.max(sums.maxNs, j.added);
      count(sums.buckets[0]!, j.added);
    }
    count(sums.buckets[1]!, j.raw);
    if (!Number.isNaN(j.bound)) sums.boundNs = Math.max(sums.boundNs, j.bound);
    sums.clocks[j.clock] = sums.clocks[j.clock]! + 1;
    sums.floorNs = Math.max(sums.floorNs, j.floor);
    sums.directFloorNs = Math.max(sums.directFloorNs, j.directFloor);
    sums.broker = Math.max(sums.broker, j.broker);
    if (j.passed) sums.passages++;
    if (!Number.isNaN(j.uplink)) count(sums.buckets[2]!, j.uplink);
    if (!Number.isNaN(j.downlink)) count(sums.buckets[3]!, j.downlink);
    if (!Number.isNaN(j.uplinkBound)) sums.uplinkBoundNs = Math.max(sums.uplinkBoundNs, j.uplinkBound);
    if (!Number.isNaN(j.downlinkBound)) sums.downlinkBoundNs = Math.max(sums.downlinkBoundNs, j.downlinkBound);
    // not exact any more: computed from the crossings from now on
    if (Math.abs(sums.sumNs) > mostNanos || Math.abs(j.raw) > mostNanos) this.forget(sums);
  }

  /** Begins from the rows that were just computed of a minute. */
  async load(session: Session, minute: number, hops: readonly bigint[]): Promise<void> {
    this.#newest = Math.max(this.#newest, minute);
    if (minute < this.#newest - minutesBack) return;
    const open = [...this.#sums.values()];
    for (const sums of open) if (sums.minute < this.#newest - minutesBack || open.length > mostSums) this.forget(sums);
    const nanos = (ms: number | null): number => (ms === null ? none : Math.round(ms * 1e6));
    const list = hops.join(',');
    const rows = await session.all<Stored>(`SELECT * FROM hop_minutes WHERE minute = $1 AND hop IN ${listed('$2')}`, [
      minute,
      list,
    ]);
    for (const row of rows) {
      this.#sums.set(`${row.hop} ${minute}`, {
        hop: row.hop,
        minute,
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
        buckets: [new Map(), new Map(), new Map(), new Map()],
        callers: new Set(),
        pass: this.#pass,
      });
      if (Math.abs(nanos(row.sum_ms)) > mostNanos) this.forget({ hop: row.hop, minute });
    }
    const buckets = await session.columns<[BigUint64Array, Uint8Array, Int16Array, Int32Array]>(
      `SELECT hop, kind, bucket, count FROM hop_minute_buckets WHERE minute = $1 AND hop IN ${listed('$2')}`,
      [minute, list],
    );
    const [hop, kind, bucket, counts] = buckets.values;
    for (let i = 0; i < buckets.rowCount; i++) {
      const sums = this.get({ hop: hop[i]!, minute });
      if (sums) sums.buckets[kind[i]!]!.set(bucket[i]!, counts[i]!);
    }
  }
}

function count(buckets: Map<number, number>, nanos: number): void {
  const bucket = bucketOf(nanos / 1e6);
  buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
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
