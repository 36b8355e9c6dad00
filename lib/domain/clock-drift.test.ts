import { describe, expect, it } from 'vitest';
import { driftOf } from './clock-drift.ts';

const minutesOf = (count: number, ppm: number, boundMs = 0.5, jitterMs = 0.3) =>
  Array.from({ length: count }, (_, minute) => ({
    minute,
    offsetMs: 120 + (minute * ppm * 60_000) / 1e6 + (minute % 3 === 0 ? jitterMs : -jitterMs),
    boundMs,
  }));

describe('the drift of a clock', () => {
  it('is the rate at which it runs away, with a bound that holds', () => {
    for (const ppm of [-42, 0, 17.5, 50]) {
      const drift = driftOf(minutesOf(60, ppm))!;
      expect(Math.abs(drift.ppm - ppm)).toBeLessThanOrEqual(drift.boundPpm);
      expect(Math.abs(drift.ppm - ppm)).toBeLessThan(0.5);
      expect(drift.boundPpm).toBeLessThan(1);
    }
  });

  it('is not told of ten minutes or less, nor of a clock that was set meanwhile', () => {
    expect(driftOf(minutesOf(9, 20))).toBeNull();
    expect(driftOf([])).toBeNull();
    const set = minutesOf(60, 20).map((m) => ({ ...m, offsetMs: m.offsetMs + (m.minute < 30 ? 0 : 800) }));
    expect(driftOf(set)).toBeNull();
  });
});
