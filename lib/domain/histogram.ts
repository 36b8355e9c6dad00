import type { Millis } from './units.ts';

/**
 * Logarithmic buckets, base 2^(1/32): a value read back is within +/-1.1 % of the one put in.
 * Counts of buckets add up over minutes, regions and engines, so percentiles over any range are a sum (design.md section 10).
 * Bucket numbers order like their values: negative values have the lowest numbers, then zero, then positive ones.
 */
export const bucketsPerDoubling = 32;
const lowest = -640; // 2^-20 ms = about 1 ns
const highest = 1280; // 2^40 ms, over 30 years
const zeroBucket = -641;
const mirror = -1282;

const clampedLog = (ms: Millis): number =>
  Math.min(highest, Math.max(lowest, Math.floor(Math.log2(ms) * bucketsPerDoubling)));

/** `ms` must be finite. Range: -2562 .. 1280, fits a 16-bit integer. */
export function bucketOf(ms: Millis): number {
  if (ms > 0) return clampedLog(ms);
  if (ms === 0) return zeroBucket;
  return mirror - clampedLog(-ms);
}

/** The geometric middle of a bucket, in ms. */
export function bucketValueMs(bucket: number): Millis {
  if (bucket === zeroBucket) return 0;
  if (bucket < zeroBucket) return -bucketValueMs(mirror - bucket);
  return 2 ** ((bucket + 0.5) / bucketsPerDoubling);
}

/** Bucket -> count. */
export type Histogram = Map<number, number>;

export function countOf(h: Histogram): number {
  let count = 0;
  for (const n of h.values()) count += n;
  return count;
}

export function addHistogram(into: Histogram, other: Histogram): void {
  for (const [bucket, n] of other) into.set(bucket, (into.get(bucket) ?? 0) + n);
}

/** Nearest-rank quantile, 0 < q <= 1; null for an empty histogram: absent is not zero. */
export function quantile(h: Histogram, q: number): Millis | null {
  const total = countOf(h);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const bucket of [...h.keys()].sort((a, b) => a - b)) {
    seen += h.get(bucket)!;
    if (seen >= rank) return bucketValueMs(bucket);
  }
  return null;
}
