import type { HopFigures } from './store.ts';

/** Sums over minutes of a hop, as either engine adds them up; counts come as wide as it has them. */
export interface FigureSums {
  count: bigint;
  requests: bigint;
  errors: bigint;
  unanswered: bigint;
  sum_ms: number | null;
  max_ms: number | null;
  bound_ms: number | null;
  same_clock: bigint;
  round_trip: bigint;
  bounded: bigint;
  assumed: bigint;
  clock_wrong: bigint;
  overlap: bigint;
  contradiction: bigint;
  passages: bigint;
  uplink_bound_ms: number | null;
  downlink_bound_ms: number | null;
}

/** Without histograms yet. Where more than one in twenty has no interval, none is given for all of them. */
export function figuresOf(
  row: FigureSums,
  latest: Pick<HopFigures, 'floorMs' | 'directFloorMs' | 'broker'>,
): HopFigures {
  const clocks = {
    sameClock: Number(row.same_clock),
    roundTrip: Number(row.round_trip),
    bounded: Number(row.bounded),
    assumed: Number(row.assumed),
    clockWrong: Number(row.clock_wrong),
    overlap: Number(row.overlap),
    contradiction: Number(row.contradiction),
  };
  const count = Number(row.count);
  const mostlyClosed = clocks.assumed + clocks.clockWrong + clocks.contradiction <= count * 0.05;
  return {
    count,
    requests: Number(row.requests),
    errors: Number(row.errors),
    unanswered: Number(row.unanswered),
    added: new Map(),
    raw: new Map(),
    uplink: new Map(),
    downlink: new Map(),
    sumMs: row.sum_ms ?? 0,
    maxMs: row.max_ms,
    boundMs: mostlyClosed ? row.bound_ms : null,
    uplinkBoundMs: row.uplink_bound_ms,
    downlinkBoundMs: row.downlink_bound_ms,
    clocks,
    ...latest,
    passages: Number(row.passages),
  };
}

/** hop_minute_buckets.kind is the index. */
const histogramKinds = ['added', 'raw', 'uplink', 'downlink'] as const;

export function addBucket(figures: HopFigures | undefined, kind: number, bucket: number, count: number): void {
  const name = histogramKinds[kind];
  const histogram = name && figures?.[name];
  histogram?.set(bucket, (histogram.get(bucket) ?? 0) + count);
}
