import { expect, it } from 'vitest';
import { bucketOf } from '../domain/histogram.ts';
import type { HopMinute } from '../store/store.ts';
import { heatOf } from './heat.ts';

const minuteOf = (minute: number, ...values: number[]): HopMinute =>
  ({ minute, added: new Map(values.map((value) => [bucketOf(value), 1])) }) as unknown as HopMinute;
const grid = { fromMs: 0, toMs: 360_000, stepMs: 120_000, steps: 3 };

it('counts every crossing once, in its column and between the edges of its row', () => {
  const { edgesMs, cells } = heatOf([minuteOf(0, 1.1, 45), minuteOf(1, 45.1), minuteOf(2, 46)], grid);
  expect(cells.reduce((sum, cell) => sum + cell.count, 0)).toBe(4);
  expect(
    cells.map((cell) => [cell.timeMs, cell.count, edgesMs[cell.row]! <= 46 && edgesMs[cell.row + 1]! > 1]),
  ).toEqual([
    [0, 1, true],
    [0, 2, true],
    [120_000, 1, true],
  ]);
});

it('puts zero and negative figures into the lowest row and loses none', () => {
  const { edgesMs, cells } = heatOf([minuteOf(0, -12, 0, 0.0001, 3)], grid);
  expect(cells.map((cell) => [cell.row, cell.count])).toEqual([
    [0, 3],
    [edgesMs.length - 2, 1],
  ]);
});

it('is empty where nobody was heard', () => {
  expect(heatOf([minuteOf(0)], grid)).toEqual({ stepMs: 120_000, edgesMs: [], cells: [] });
});
