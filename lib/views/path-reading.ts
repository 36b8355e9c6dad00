import { type Budget, type PathToBudget, pathBudgetOf } from '../domain/budget.ts';
import { spanIdHex } from '../domain/ids.ts';
import {
  type EndToEndFigures,
  endToEndFiguresOf,
  nearestRank,
  type PathPart,
  partsOf,
  variantsOf,
} from '../domain/path-figures.ts';
import { judgePath, type PathJudgement } from '../domain/path-verdict.ts';
import { type End, type PathWalk, pathWalkOf } from '../domain/path-walk.ts';
import { pathIdOf } from '../domain/request-path.ts';
import type { EpochMillis, Millis } from '../domain/units.ts';
import type { VerdictNames } from '../domain/verdict.ts';
import type { PathSample, PathWindow } from '../store/path-store.ts';
import type { ViewContext } from './context.ts';
import { brokerSiteOf, pathKey, siteName } from './hop-item.ts';
import type { HopReading } from './hop-reading.ts';
import type { FleetView, PathPartItem, RangeView, RequestPathItem } from './schemas.ts';
import { type Grid, sparkGrid, sparkOf } from './spark.ts';
import { restricted } from './trace-mask.ts';
import { maySee, type Viewer } from './viewer.ts';
import { seesAll, seesPath } from './visibility.ts';

export type PathItem = FleetView['paths'][number];

const most = 6;
/** requests of a path looked at one by one */
export const sampled = 80;

/** A request that was looked at, and when it began. */
export interface Looked {
  traceId: string;
  startMs: EpochMillis;
  walk: PathWalk;
}

/** A path of the range and what budgets say of it. */
export interface KnownPath {
  window: PathWindow;
  budget: Budget | null;
}

/** Requests end to end, those somebody gave a budget first, then the busiest. */
export async function readPaths(
  context: ViewContext,
  range: RangeView,
  hops: Promise<HopReading>,
): Promise<PathItem[]> {
  const grid = sparkGrid(range);
  const [windows, reading] = await Promise.all([context.store.pathWindows(grid.fromMs, grid.toMs, grid.stepMs), hops]);
  const chosen = knownPaths(context, windows, reading).slice(0, most);
  const open = chosen.map(({ window }) => window).filter((window) => !isOneClock(window));
  const samples = await context.store.pathSamples(open, grid.fromMs, grid.toMs, sampled);
  return chosen.map(({ window, budget }) => {
    const looked = isOneClock(window) ? null : lookAt(samples[open.indexOf(window)]!);
    const figures = figuresOf(grid, window, looked ?? []);
    const budgetMs = budget?.ms ?? null;
    return {
      id: pathIdOf(window),
      name: window.rootName,
      application: window.application,
      count: window.count,
      p50Ms: figures.p50Ms,
      p95Ms: figures.p95Ms,
      boundMs: figures.boundMs,
      budgetMs,
      mark: judgeUnnamed(window.count, figures, budgetMs).mark,
      how: figures.how,
      spark: figures.spark,
    };
  });
}

/** The paths that this viewer may see, those somebody gave a budget first, then the busiest. */
export function knownPaths(context: ViewContext, windows: PathWindow[], reading: HopReading): KnownPath[] {
  const paths = withBudgets(context, windows, reading)
    // work that never leaves its device is no path, unless somebody asked for it
    .filter(({ window, budget }) => budget !== null || window.crossed > 0);
  return [...paths.filter(({ budget }) => budget !== null), ...paths.filter(({ budget }) => budget === null)];
}

export function withBudgets(
  { rules, viewer }: ViewContext,
  windows: PathWindow[],
  { pathsOf }: HopReading,
): KnownPath[] {
  const known = new Map<string, PathToBudget>();
  for (const paths of pathsOf.values()) for (const path of paths) known.set(pathKey(path), path);
  return windows
    .filter((window) => seesPath(viewer, window))
    .map((window) => {
      const path = known.get(pathKey(window)) ?? { ...window, services: [window.service], destinations: [] };
      return { window, budget: pathBudgetOf(rules.budgets, path) };
    });
}

/** The root outlives its replies, so its own clock measures the whole. */
const isOneClock = (window: PathWindow): boolean => window.crossed === 0 || window.closed * 2 >= window.crossed;

export const lookAt = (samples: PathSample[]): Looked[] =>
  samples.flatMap(({ traceId, startMs, spans, crossings }) => {
    const walk = pathWalkOf(spans, crossings);
    return walk ? [{ traceId, startMs, walk }] : [];
  });

export interface PathFigures extends EndToEndFigures {
  how: PathItem['how'];
  spark: PathItem['spark'];
}

/**
 * On one clock, every request of the range tells its own time. Else each request that was looked at is measured to its last callee,
 * on the requester's clock. Floors are those of the requests looked at in either case.
 */
export function figuresOf(grid: Grid, window: PathWindow, looked: Looked[]): PathFigures {
  const figures = endToEndFiguresOf(looked.map(({ walk }) => walk));
  if (isOneClock(window)) {
    return {
      ...figures,
      p50Ms: window.p50Ms,
      p95Ms: window.p95Ms,
      boundMs: window.p95Ms === null ? null : 0,
      oneClock: 1,
      how: 'one-clock',
      spark: { fromMs: grid.fromMs, stepMs: grid.stepMs, values: window.sparkMs },
    };
  }
  const steps = Map.groupBy(looked, ({ startMs }) => Math.floor((startMs - grid.fromMs) / grid.stepMs));
  const points = [...steps].map(([step, of]) => ({
    timeMs: grid.fromMs + step * grid.stepMs,
    value: nearestRank(
      of.map(({ walk }) => walk.totalMs),
      0.5,
    )!,
  }));
  return {
    ...figures,
    how: looked.length === 0 ? 'unknown' : figures.oneClock > 0.5 ? 'one-clock' : 'one-way',
    spark: sparkOf(grid, points),
  };
}

const judgeFigures = (
  count: number,
  figures: EndToEndFigures,
  budgetMs: Millis | null,
  parts: PathPart[],
  namesOf: (part: PathPart) => VerdictNames,
  rootSite: string,
): PathJudgement =>
  judgePath({
    count,
    p50Ms: figures.p50Ms,
    p95Ms: figures.p95Ms,
    boundMs: figures.boundMs,
    floorMs: figures.floorMs ?? 0,
    directFloorMs: figures.directFloorMs ?? 0,
    budgetMs,
    parts,
    rootSite,
    namesOf,
  });

/** For the mark alone: names go into the sentence. */
export const judgeUnnamed = (count: number, figures: EndToEndFigures, budgetMs: Millis | null): PathJudgement =>
  judgeFigures(count, figures, budgetMs, [], noNames, '');

const noNames = (): VerdictNames => ({ fromService: '', fromSite: '', toService: '', toSite: '', brokerSite: '' });

/** What of a path a viewer may be told: a hop with a hidden end is a restricted hop, its time stays (design.md section 11). */
export interface PathMask {
  end(end: End): { service: string; site: string };
  sees(part: Pick<PathPart, 'hop' | 'from' | 'to'>): boolean;
}

export function pathMaskOf(viewer: Viewer, { hops }: Pick<HopReading, 'hops'>): PathMask {
  const visible = new Set(hops.map(({ window }) => window.hop));
  const seesEnd = (end: End): boolean => seesAll(viewer) || maySee(viewer, end.application);
  return {
    end: (end) => (seesEnd(end) ? { service: end.service, site: end.site } : { service: restricted, site: restricted }),
    sees: ({ hop, from, to }) => seesEnd(from) && seesEnd(to) && (hop === null || seesAll(viewer) || visible.has(hop)),
  };
}

/** A restricted hop leaves not even the end that may be seen: who talks to what is hidden is told by neither. */
export const maskedEnds = (mask: PathMask, part: Pick<PathPart, 'hop' | 'from' | 'to'>) =>
  mask.sees(part)
    ? { from: mask.end(part.from), to: mask.end(part.to) }
    : { from: { service: restricted, site: restricted }, to: { service: restricted, site: restricted } };

const mostParts = 12;

/** Everything a list shows of a path. */
export function requestPathItem(
  { rules, viewer }: ViewContext,
  grid: Grid,
  { window, budget }: KnownPath,
  looked: Looked[],
  reading: HopReading,
): { item: RequestPathItem; figures: PathFigures } {
  const { sites } = reading;
  const mask = pathMaskOf(viewer, reading);
  const figures = figuresOf(grid, window, looked);
  const walks = looked.map(({ walk }) => walk);
  const parts = partsOf(walks);
  const namesOf = (part: PathPart): VerdictNames => {
    if (!mask.sees(part)) return noNames();
    const { from, to } = part;
    const brokerSite = brokerSiteOf(rules, part.broker);
    return {
      fromService: from.service,
      fromSite: siteName(sites, from.site),
      toService: to.service,
      toSite: siteName(sites, to.site),
      brokerSite: brokerSite === '' ? '' : siteName(sites, brokerSite),
    };
  };
  const rootSite = walks[0] ? siteName(sites, walks.at(-1)!.path.rootSite) : '';
  const judged = judgeFigures(window.count, figures, budget?.ms ?? null, parts, namesOf, rootSite);
  const ends = walks.flatMap((walk) => walk.places).filter((place) => mask.sees(place));
  const distinct = (pick: (end: End) => string) =>
    [...new Set(ends.flatMap(({ from, to }) => [pick(from), pick(to)]))].filter((name) => name !== '').sort();
  const item: RequestPathItem = {
    id: pathIdOf(window),
    name: window.rootName,
    application: window.application,
    service: window.service,
    // sums are a moment older than the requests looked at
    count: Math.max(window.count, looked.length),
    errors: window.errors,
    p50Ms: figures.p50Ms,
    p95Ms: figures.p95Ms,
    boundMs: figures.boundMs,
    how: figures.how,
    floorMs: figures.floorMs,
    budgetMs: budget?.ms ?? null,
    budgetFrom: budget?.rule ?? null,
    verdict: judged.verdict,
    mark: judged.mark,
    moveWhat: judged.moveWhat,
    reason: judged.reason,
    blame: judged.blame && partItem(mask, judged.blame),
    looked: looked.length,
    variants: variantsOf(walks).length,
    parts: partItems(mask, parts),
    services: distinct((end) => end.service),
    sites: distinct((end) => end.site),
    spark: figures.spark,
  };
  return { item, figures };
}

function partItem(mask: PathMask, part: PathPart): PathPartItem {
  const { kind, hop, ms, share } = part;
  if (kind === 'unknown') return { kind, hopId: null, from: nobody, to: nobody, ms, share };
  return {
    kind,
    hopId: hop !== null && mask.sees(part) ? spanIdHex(hop) : null,
    ...maskedEnds(mask, part),
    ms,
    share,
  };
}

const nobody = { service: '', site: '' };

/** In the order requests meet them; the smallest of many become one. */
function partItems(mask: PathMask, parts: PathPart[]): PathPartItem[] {
  const spent = parts.filter((part) => part.ms !== 0);
  if (spent.length <= mostParts) return spent.map((part) => partItem(mask, part));
  const large = new Set(spent.toSorted((a, b) => b.ms - a.ms).slice(0, mostParts - 1));
  const rest = spent.filter((part) => !large.has(part));
  const sum = (pick: (part: PathPart) => number): number => rest.reduce((total, part) => total + pick(part), 0);
  return [
    ...spent.filter((part) => large.has(part)).map((part) => partItem(mask, part)),
    {
      kind: 'rest',
      hopId: null,
      from: nobody,
      to: nobody,
      ms: sum((part) => part.ms),
      share: sum((part) => part.share),
    },
  ];
}
