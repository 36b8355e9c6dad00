import { bucketOf } from '#lib/domain/histogram.ts';
import type { Judged } from './audit-pair.ts';

export interface HopMinute {
  hop: bigint;
  minute: number;
}

/** A set of them. */
export class HopMinutes {
  readonly #hops = new Map<number, Set<bigint>>();

  get size(): number {
    return this.#hops.size;
  }

  add({ hop, minute }: HopMinute): void {
    const hops = this.#hops.get(minute);
    if (hops) hops.add(hop);
    else this.#hops.set(minute, new Set([hop]));
  }

  delete({ hop, minute }: HopMinute): void {
    this.#hops.get(minute)?.delete(hop);
  }

  all(): HopMinute[] {
    return [...this.#hops].flatMap(([minute, hops]) => Array.from(hops, (hop) => ({ hop, minute })));
  }
}

/** What a row of hop_minutes and its buckets are made of: sums and maxima, so that crossings can be added one by one. */
export interface Sums extends HopMinute {
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

export const none = Number.NEGATIVE_INFINITY;
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

  /** Begins from what was just computed of a minute; false: it is too old to be worth the memory. */
  opens(minute: number): boolean {
    this.#newest = Math.max(this.#newest, minute);
    if (minute < this.#newest - minutesBack) return false;
    const open = [...this.#sums.values()];
    for (const sums of open) if (sums.minute < this.#newest - minutesBack || open.length > mostSums) this.forget(sums);
    return true;
  }

  put(sums: Sums): void {
    sums.pass = this.#pass;
    if (Math.abs(sums.sumNs) <= mostNanos) this.#sums.set(`${sums.hop} ${sums.minute}`, sums);
  }
}

/** A minute without a crossing. */
export const emptySums = (at: HopMinute): Sums => ({
  ...at,
  isCrossed: false,
  count: 0,
  requests: 0,
  errors: 0,
  unanswered: 0,
  sumNs: 0,
  maxNs: none,
  boundNs: none,
  clocks: [0, 0, 0, 0, 0, 0, 0, 0],
  floorNs: 0,
  directFloorNs: 0,
  broker: 0,
  passages: 0,
  uplinkBoundNs: none,
  downlinkBoundNs: none,
  buckets: [new Map(), new Map(), new Map(), new Map()],
  callers: new Set(),
  pass: 0,
});

function count(buckets: Map<number, number>, nanos: number): void {
  const bucket = bucketOf(nanos / 1e6);
  buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
}
