import { describe, expect, it } from 'vitest';
import { bucketOf, type Histogram } from '../domain/histogram.ts';
import type { HopMinute } from '../store/store.ts';
import { heatOf } from './heat.ts';
import { seriesOf } from './hop-view.ts';
import { levelShifts } from './level-shift.ts';
import { gridOf, sparkOf } from './spark.ts';

const minuteMs = 60_000;
const histogramOf = (values: number[]): Histogram => {
  const h: Histogram = new Map();
  for (const value of values) h.set(bucketOf(value), (h.get(bucketOf(value)) ?? 0) + 1);
  return h;
};
const minute = (n: number, values: number[], more: Partial<HopMinute> = {}) =>
  ({
    minute: n,
    added: histogramOf(values),
    count: values.length,
    errors: 0,
    boundMs: 0.2,
    floorMs: 1,
    ...more,
  }) as HopMinute;

describe('a change of level', () => {
  const course = (...medians: number[]) => medians.map((median, n) => minute(n, [median, median, median]));

  it('is seen when the median leaves the five minutes before and stays', () => {
    const [shift, ...others] = levelShifts(course(0.9, 0.9, 1, 0.9, 0.9, 50, 50, 50, 50));
    expect(others).toEqual([]);
    expect(shift!.timeMs).toBe(5 * minuteMs);
    expect(shift!.fromMs).toBeCloseTo(0.9, 1);
    expect(shift!.toMs).toBeCloseTo(50, 0);
  });

  it('is not one slow minute, nor 2 ms, nor a third more', () => {
    expect(levelShifts(course(1, 1, 1, 60, 1, 1, 1))).toEqual([]);
    expect(levelShifts(course(1, 1, 1, 2.9, 2.9, 2.9))).toEqual([]);
    expect(levelShifts(course(30, 30, 30, 40, 40, 40))).toEqual([]);
  });

  it('is seen there and back', () => {
    expect(levelShifts(course(4, 4, 4, 105, 105, 105, 105, 4, 4, 4)).map((each) => each.timeMs / minuteMs)).toEqual([
      3, 7,
    ]);
  });

  it('needs more than one minute to call a level', () => {
    expect(levelShifts(course(4, 105, 105))).toEqual([]);
  });
});

describe('a heat map', () => {
  const grid = gridOf({ fromMs: 0, toMs: 10 * minuteMs }, 240, minuteMs);

  it('has four rows a doubling, cut to those in use, and its cells add up', () => {
    const { edgesMs, cells } = heatOf([minute(0, [10, 10, 20]), minute(3, [12])], grid);
    expect(edgesMs.at(-1)! / edgesMs.at(-5)!).toBeCloseTo(2);
    expect(edgesMs[0]!).toBeLessThanOrEqual(10);
    expect(edgesMs.at(-1)!).toBeGreaterThan(20);
    expect(cells.reduce((sum, each) => sum + each.count, 0)).toBe(4);
    for (const cell of cells) expect(cell.row).toBeLessThan(edgesMs.length - 1);
    const ten = cells.find((each) => each.count === 2)!;
    expect(edgesMs[ten.row]!).toBeLessThanOrEqual(10);
    expect(edgesMs[ten.row + 1]!).toBeGreaterThan(10);
  });

  it('keeps zero and negative values in its lowest row', () => {
    const { edgesMs, cells } = heatOf([minute(0, [0, -3, 0.001])], grid);
    expect(cells).toEqual([{ timeMs: 0, row: 0, count: 3 }]);
    expect(edgesMs).toHaveLength(2);
  });

  it('is empty without a figure', () => {
    expect(heatOf([minute(0, [])], grid)).toEqual({ stepMs: minuteMs, edgesMs: [], cells: [] });
  });
});

describe('a series', () => {
  it('has at most 1,500 points over 7 days, and null where nothing was heard', () => {
    const grid = gridOf({ fromMs: 12_345, toMs: 12_345 + 7 * 86_400_000 }, 1_500, minuteMs);
    expect(grid.steps).toBeLessThanOrEqual(1_500);
    const series = seriesOf([minute(100, [5])], grid, 1);
    expect(series).toHaveLength(grid.steps);
    expect(series.filter((point) => point.p50Ms !== null)).toHaveLength(1);
    expect(series.find((point) => point.count === 0)).toMatchObject({ p50Ms: null, p95Ms: null, boundMs: null });
  });

  it('is open where more than one in twenty is', () => {
    const grid = gridOf({ fromMs: 0, toMs: 4 * minuteMs }, 2, minuteMs);
    const of = (open: number) =>
      seriesOf([minute(0, Array(100 - open).fill(5)), minute(1, Array(open).fill(5), { boundMs: null })], grid, 1)[0]!;
    expect(of(5).boundMs).toBe(0.2);
    expect(of(6).boundMs).toBeNull();
  });
});

describe('a sparkline', () => {
  it('puts points of either alignment into the same step', () => {
    const grid = gridOf({ fromMs: 61_000, toMs: 361_000 }, 60, 30_000);
    expect(grid.fromMs % grid.stepMs).toBe(0);
    expect(sparkOf(grid, [{ timeMs: 61_000, value: 1 }]).values).toEqual(
      sparkOf(grid, [{ timeMs: 60_000, value: 1 }]).values,
    );
  });

  it('drops what lies outside and joins nothing', () => {
    const grid = gridOf({ fromMs: 0, toMs: 120_000 }, 60, 30_000);
    expect(
      sparkOf(grid, [
        { timeMs: -1, value: 9 },
        { timeMs: 0, value: 1 },
        { timeMs: 119_999, value: 2 },
        { timeMs: 120_000, value: 9 },
      ]).values,
    ).toEqual([1, null, null, 2]);
  });
});
