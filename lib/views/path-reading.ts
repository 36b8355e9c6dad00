import { type PathToBudget, pathBudgetOf, pathKey } from '../domain/budget.ts';
import { endToEndOf } from '../domain/request-path.ts';
import { type Millis, millisOfNanos } from '../domain/units.ts';
import { judge } from '../domain/verdict.ts';
import type { PathSample, PathWindow } from '../store/path-store.ts';
import type { ViewContext } from './context.ts';
import type { HopReading } from './hop-reading.ts';
import type { FleetView, RangeView } from './schemas.ts';
import { type Grid, sparkGrid, sparkOf } from './spark.ts';
import { seesPath } from './visibility.ts';

export type PathItem = FleetView['paths'][number];

const most = 6;
/** requests looked at one by one where no single clock closes the path */
const sampled = 80;

/** Requests end to end, those somebody gave a budget first, then the busiest. */
export async function readPaths(
  context: ViewContext,
  range: RangeView,
  hops: Promise<HopReading>,
): Promise<PathItem[]> {
  const { store, rules, viewer } = context;
  const grid = sparkGrid(range);
  const [windows, { pathsOf }] = await Promise.all([store.pathWindows(grid.fromMs, grid.toMs, grid.stepMs), hops]);
  const known = new Map<string, PathToBudget>();
  for (const paths of pathsOf.values()) for (const path of paths) known.set(pathKey(path), path);

  const candidates = windows
    .filter((window) => seesPath(viewer, window))
    .map((window) => {
      const path = known.get(pathKey(window)) ?? { ...window, services: [window.service], destinations: [] };
      return { window, budgetMs: pathBudgetOf(rules.budgets, path)?.ms ?? null };
    })
    // work that never leaves its device is no path, unless somebody asked for it
    .filter(({ window, budgetMs }) => budgetMs !== null || window.crossed > 0);
  const chosen = [
    ...candidates.filter(({ budgetMs }) => budgetMs !== null),
    ...candidates.filter(({ budgetMs }) => budgetMs === null),
  ].slice(0, most);
  const open = chosen.filter(({ window }) => !isOneClock(window)).map(({ window }) => window);
  const samples = await store.pathSamples(open, grid.fromMs, grid.toMs, sampled);
  return chosen.map(({ window, budgetMs }) =>
    pathItem(grid, window, budgetMs, isOneClock(window) ? null : samples[open.indexOf(window)]!),
  );
}

/** The root outlives its replies, so its own clock measures the whole. */
const isOneClock = (window: PathWindow): boolean => window.crossed === 0 || window.closed * 2 >= window.crossed;

interface PathFigures {
  p50Ms: Millis | null;
  p95Ms: Millis | null;
  boundMs: Millis | null;
  how: PathItem['how'];
  spark: PathItem['spark'];
}

function pathItem(grid: Grid, window: PathWindow, budgetMs: Millis | null, samples: PathSample[] | null): PathItem {
  const figures = samples
    ? sampledFigures(grid, samples)
    : {
        p50Ms: window.p50Ms,
        p95Ms: window.p95Ms,
        boundMs: window.p95Ms === null ? null : 0,
        how: 'one-clock' as const,
        spark: { fromMs: grid.fromMs, stepMs: grid.stepMs, values: window.sparkMs },
      };
  return {
    name: window.rootName,
    application: window.application,
    count: window.count,
    p50Ms: figures.p50Ms,
    p95Ms: figures.p95Ms,
    boundMs: figures.boundMs,
    budgetMs,
    mark: markOf(window.count, figures, budgetMs),
    how: figures.how,
    spark: figures.spark,
  };
}

/** Where the root does not outlive its replies, each sampled request is measured to its last callee, on the requester's clock. */
export function sampledFigures(grid: Grid, samples: PathSample[]): PathFigures {
  const ends = samples.flatMap(({ startMs, spans, crossings }) => {
    const end = endToEndOf(spans, crossings);
    return end ? [{ startMs, totalMs: millisOfNanos(end.totalNanos), boundMs: end.boundMs, rule: end.rule }] : [];
  });
  if (ends.length === 0) {
    return { p50Ms: null, p95Ms: null, boundMs: null, how: 'unknown', spark: sparkOf(grid, []) };
  }
  const open = ends.filter((end) => end.boundMs === null).length;
  const steps = Map.groupBy(ends, (end) => Math.floor((end.startMs - grid.fromMs) / grid.stepMs));
  return {
    p50Ms: nearestRank(
      ends.map((end) => end.totalMs),
      0.5,
    ),
    p95Ms: nearestRank(
      ends.map((end) => end.totalMs),
      0.95,
    ),
    // as for hops: the largest bound, open when over one in twenty is (design.md section 4.8)
    boundMs: open > 0.05 * ends.length ? null : Math.max(...ends.map((end) => end.boundMs ?? 0)),
    how: ends.filter((end) => end.rule === 'a').length * 2 > ends.length ? 'one-clock' : 'one-way',
    spark: sparkOf(
      grid,
      [...steps].map(([step, of]) => ({
        timeMs: grid.fromMs + step * grid.stepMs,
        value: nearestRank(
          of.map((end) => end.totalMs),
          0.5,
        ),
      })),
    ),
  };
}

function nearestRank(values: number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
}

/** Against its budget; without one there is nothing to break. */
function markOf(count: number, { p50Ms, p95Ms, boundMs }: PathFigures, budgetMs: Millis | null): PathItem['mark'] {
  if (p95Ms === null) return 'no-data';
  if (budgetMs === null) return 'ok';
  return judge({ count, requests: count, unanswered: 0, p50Ms, p95Ms, boundMs, floorMs: 0, directFloorMs: 0, budgetMs })
    .mark;
}
