import { expect, test } from 'vitest';
import { linearTicks, logScale, logTicks, timeTicks } from './scale.ts';
import { spread } from './spread.ts';

test('labels that would overlap stand apart and keep their order', () => {
  expect(spread([10, 11, 12], 15, 0, 100)).toEqual([0, 15, 30]);
  const [a, b, c] = spread([50, 52, 90], 15, 0, 100);
  expect(b! - a!).toBeGreaterThanOrEqual(15);
  expect(c).toBe(90);
});

test('labels never leave the plot, even when there is no room for them', () => {
  expect(spread([99, 100], 15, 0, 100)).toEqual([85, 100]);
  expect(spread([], 15, 0, 100)).toEqual([]);
});

test('a log axis puts zero and negative values on its foot, never off the plot', () => {
  const scale = logScale(0.5, 200);
  expect(scale.at(0)).toBe(1);
  expect(scale.at(-3)).toBe(1);
  expect(scale.at(200)).toBe(0);
  expect(scale.ticks).toEqual([0.5, 1, 2, 5, 10, 20, 50, 100, 200]);
});

test('ticks are round and few', () => {
  expect(logTicks(0.01, 10_000)).toEqual([0.01, 0.1, 1, 10, 100, 1_000, 10_000]);
  expect(linearTicks(0, 345, 6)).toEqual([0, 100, 200, 300]);
  expect(linearTicks(-53, 345, 8)).toEqual([-50, 0, 50, 100, 150, 200, 250, 300]);
  expect(timeTicks(Date.UTC(2026, 10, 21, 2, 12), Date.UTC(2026, 10, 21, 3, 12), 4)).toHaveLength(4);
});
