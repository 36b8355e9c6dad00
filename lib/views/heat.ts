import { bucketsPerDoubling } from '../domain/histogram.ts';
import type { HopMinute } from '../store/store.ts';
import type { HopView } from './schemas.ts';
import type { Grid } from './spark.ts';

/** Buckets of one row: 4 rows per doubling. */
const bucketsPerRow = bucketsPerDoubling / 4;
/** Below about a hundredth of a millisecond nobody looks: zero, negative and tiny values share the lowest row. */
const lowestRow = -27;

const rowOf = (bucket: number): number => Math.max(lowestRow, Math.floor(bucket / bucketsPerRow));

/** The heat map of a hop: columns of the grid, rows folded to 4 per doubling, cut to the range in use. */
export function heatOf(minutes: HopMinute[], grid: Grid): HopView['heat'] {
  const counts = new Map<number, Map<number, number>>();
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const { minute, added } of minutes) {
    const timeMs = grid.fromMs + Math.floor((minute * 60_000 - grid.fromMs) / grid.stepMs) * grid.stepMs;
    let column = counts.get(timeMs);
    if (!column) {
      column = new Map();
      counts.set(timeMs, column);
    }
    for (const [bucket, n] of added) {
      const row = rowOf(bucket);
      least = Math.min(least, row);
      most = Math.max(most, row);
      column.set(row, (column.get(row) ?? 0) + n);
    }
  }
  if (most < least) return { stepMs: grid.stepMs, edgesMs: [], cells: [] };
  const edgesMs = Array.from({ length: most - least + 2 }, (_, i) => 2 ** ((least + i) / 4));
  const cells = [...counts]
    .sort(([a], [b]) => a - b)
    .flatMap(([timeMs, column]) =>
      [...column].sort(([a], [b]) => a - b).map(([row, count]) => ({ timeMs, row: row - least, count })),
    );
  return { stepMs: grid.stepMs, edgesMs, cells };
}
