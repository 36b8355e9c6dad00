import type { Millis } from '../domain/units.ts';
import type { RangeView, Spark } from './schemas.ts';

/** A grid of equal steps over a range, its edges on whole multiples of the step so that two pages cut alike. */
export interface Grid {
  fromMs: number;
  toMs: number;
  stepMs: Millis;
  steps: number;
}

/** At most `most` steps, none shorter than `leastMs`, each a whole multiple of it. */
export function gridOf(range: Pick<RangeView, 'fromMs' | 'toMs'>, most: number, leastMs: Millis): Grid {
  let stepMs = Math.max(1, Math.ceil((range.toMs - range.fromMs) / most / leastMs)) * leastMs;
  for (;;) {
    const fromMs = Math.floor(range.fromMs / stepMs) * stepMs;
    const toMs = Math.ceil(range.toMs / stepMs) * stepMs;
    const steps = Math.max(1, Math.round((toMs - fromMs) / stepMs));
    if (steps <= most || steps <= 2) return { fromMs, toMs, stepMs, steps };
    stepMs += leastMs; // the edges were rounded outwards: one step too many
  }
}

/** Sparklines have half a minute at least: devices report every few seconds, and a gap must mean silence. */
export const sparkGrid = (range: Pick<RangeView, 'fromMs' | 'toMs'>): Grid => gridOf(range, 60, 30_000);

export const emptySpark = (grid: Grid): Spark => ({
  fromMs: grid.fromMs,
  stepMs: grid.stepMs,
  values: Array.from({ length: grid.steps }, () => null),
});

export function sparkOf(grid: Grid, points: Iterable<{ timeMs: number; value: number }>): Spark {
  const spark = emptySpark(grid);
  for (const { timeMs, value } of points) {
    const step = Math.floor((timeMs - grid.fromMs) / grid.stepMs);
    if (step >= 0 && step < grid.steps) spark.values[step] = value;
  }
  return spark;
}
