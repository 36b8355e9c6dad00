import { describe, expect, it } from 'vitest';
import { addHistogram, bucketOf, bucketValueMs, countOf, type Histogram, quantile } from './histogram.ts';

const histogramOf = (values: readonly number[]): Histogram => {
  const h: Histogram = new Map();
  for (const value of values) addHistogram(h, new Map([[bucketOf(value), 1]]));
  return h;
};
const nearestRank = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)]!;

describe('a bucket', () => {
  it.each([0.000_002, 0.4, 1, 9.99, 50.3, 104, 86_400_000, -0.4, -3.2, -2_000])('gives %s back within 1.1 %', (ms) => {
    expect(Math.abs(bucketValueMs(bucketOf(ms)) / ms - 1)).toBeLessThan(0.011);
  });
  it('orders like its values: negative, zero, positive', () => {
    const values = [-3e9, -2_000, -3.2, -0.000_002, 0, 0.000_002, 0.5, 45, 3e9];
    expect(values.map(bucketOf)).toEqual(values.map(bucketOf).toSorted((a, b) => a - b));
    expect(new Set(values.map(bucketOf)).size).toBe(values.length);
    expect(bucketValueMs(bucketOf(0))).toBe(0);
  });
  it('fits sixteen bits however absurd the value', () => {
    for (const ms of [1e300, -1e300, 1e-300, -1e-300]) expect(Math.abs(bucketOf(ms))).toBeLessThan(32_768);
  });
});

describe('percentiles', () => {
  it('over any range are those of the values, to 1.1 %, whichever minutes they were counted in', () => {
    let state = 7;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 4294967296;
    };
    const values = Array.from({ length: 4_000 }, () => {
      const kind = random();
      if (kind < 0.05) return -random() * 20;
      return kind < 0.06 ? 0 : Math.exp(random() * 8 - 2);
    });
    const whole: Histogram = new Map();
    for (let at = 0; at < values.length; ) {
      const size = 1 + Math.floor(random() * 300);
      addHistogram(whole, histogramOf(values.slice(at, at + size)));
      at += size;
    }
    expect(countOf(whole)).toBe(values.length);
    for (const q of [0.01, 0.04, 0.055, 0.5, 0.95, 0.99, 1]) {
      const exact = nearestRank(values, q);
      expect(Math.abs(quantile(whole, q)! - exact)).toBeLessThanOrEqual(0.011 * Math.abs(exact) + 1e-9);
    }
  });
  it('of nothing are absent, not zero', () => expect(quantile(new Map(), 0.5)).toBeNull());
});
