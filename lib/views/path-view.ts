import * as z from 'zod';
import { spanIdHex } from '../domain/ids.ts';
import {
  endToEndFiguresOf,
  nearestRank,
  type PathVariant,
  type PlaceFigures,
  placesOf,
  variantsOf,
} from '../domain/path-figures.ts';
import { pathIdOf } from '../domain/request-path.ts';
import type { Millis } from '../domain/units.ts';
import type { PathStep, PathWindow } from '../store/path-store.ts';
import { rangeOf, type ViewContext } from './context.ts';
import { type HopReading, readHops } from './hop-reading.ts';
import {
  judgeUnnamed,
  type KnownPath,
  type Looked,
  lookAt,
  maskedEnds,
  type PathFigures,
  type PathMask,
  pathMaskOf,
  requestPathItem,
  withBudgets,
} from './path-reading.ts';
import { notFound, rangeFields, textField } from './query.ts';
import type { PathView } from './schemas.ts';
import { type Grid, gridOf, sparkGrid } from './spark.ts';
import { instantOf } from './words.ts';

export const pathQuerySchema = z.object({
  ...rangeFields,
  variant: textField('id of the tree of hops to show; default the busiest'),
});
export type PathQuery = z.output<typeof pathQuerySchema> & { id: string };

const looked = 200;
const mostVariants = 20;
const seriesPoints = 240;
const minuteMs = 60_000;
/** a path that is quiet in the range is still known by its name for so long */
const rememberedMs = 7 * 86_400_000;

/** One request path: where its time goes, tree by tree, its course over the range, and requests to open. */
export async function pathView(context: ViewContext, query: PathQuery): Promise<PathView> {
  const range = rangeOf(context, query);
  const { store, viewer } = context;
  const grid = sparkGrid(range);
  const [windows, reading] = await Promise.all([
    store.pathWindows(grid.fromMs, grid.toMs, grid.stepMs),
    readHops(context, range),
  ]);
  const path = await findPath(context, query.id.toLowerCase(), windows, reading, grid);
  const { window, budget } = path;
  const courseGrid = gridOf(range, seriesPoints, minuteMs);
  const [samples, steps] = await Promise.all([
    store.pathSamples([window], grid.fromMs, grid.toMs, looked),
    store.pathSeries(window, courseGrid.fromMs, courseGrid.toMs, courseGrid.stepMs),
  ]);
  const found = lookAt(samples[0]!);
  const { item, figures } = requestPathItem(context, grid, path, found, reading);
  const mask = pathMaskOf(viewer, reading);
  const variants = variantsOf(found.map(({ walk }) => walk)).slice(0, mostVariants);
  const shown = variants.find(({ id }) => spanIdHex(id) === query.variant) ?? variants[0];
  const budgetMs = budget?.ms ?? null;
  return {
    range,
    path: item,
    variants: variants.map((variant) => variantItem(mask, variant, found, budgetMs)),
    variantId: shown ? spanIdHex(shown.id) : null,
    places: shown ? placeItems(mask, shown, reading) : [],
    series: figures.how === 'one-clock' && window.p95Ms !== null ? steps : sampledSeries(courseGrid, steps, found),
    examples: examplesOf(found, figures, budgetMs),
  };
}

/** By its id, in the range or else by name. What may not be seen is not there. */
async function findPath(
  context: ViewContext,
  id: string,
  windows: PathWindow[],
  reading: HopReading,
  grid: Grid,
): Promise<KnownPath> {
  const isAsked = (path: { rootName: string; application: string }): boolean => pathIdOf(path) === id;
  const inRange = windows.filter(isAsked);
  const quiet = async (): Promise<PathWindow[]> => {
    const names = await context.store.rootNames(context.nowMs - rememberedMs, context.nowMs + minuteMs);
    return names.filter(isAsked).map((name) => noTraffic(name, grid));
  };
  const [path] = withBudgets(context, inRange.length > 0 ? inRange : await quiet(), reading);
  if (!path) throw notFound('path');
  return path;
}

const noTraffic = ({ rootName, application }: { rootName: string; application: string }, grid: Grid): PathWindow => ({
  rootName,
  application,
  service: '',
  count: 0,
  errors: 0,
  crossed: 0,
  closed: 0,
  p50Ms: null,
  p95Ms: null,
  sparkMs: Array.from({ length: grid.steps }, () => null),
});

function variantItem(
  mask: PathMask,
  variant: PathVariant,
  found: Looked[],
  budgetMs: Millis | null,
): PathView['variants'][number] {
  const figures = endToEndFiguresOf(variant.walks);
  const starts = found.filter(({ walk }) => walk.path.id === variant.id).map(({ startMs }) => startMs);
  const [root, ...places] = placesOf(variant);
  const ends = [root!, ...places].map((place) => maskedEnds(mask, place).to);
  return {
    id: spanIdHex(variant.id),
    requests: variant.walks.length,
    root: mask.end(root!.to),
    ends: ends.filter((end, i) => ends.findIndex((e) => e.service === end.service && e.site === end.site) === i),
    hops: places.length,
    firstAt: instantOf(Math.min(...starts)),
    lastAt: instantOf(Math.max(...starts)),
    p50Ms: figures.p50Ms,
    p95Ms: figures.p95Ms,
    boundMs: figures.boundMs,
    floorMs: figures.floorMs,
    mark: judgeUnnamed(variant.walks.length, figures, budgetMs).mark,
  };
}

/** Children come after their parent, so the number of a parent is known when it is asked for. */
function placeItems(mask: PathMask, variant: PathVariant, { hops }: HopReading): PathView['places'] {
  const known = new Map(hops.map((hop) => [hop.window.hop, hop.item]));
  const numbers = new Map<string, number>();
  const depths: number[] = [];
  return placesOf(variant).map((place: PlaceFigures, i) => {
    const parent = place.parent === null ? null : numbers.get(place.parent)!;
    const depth = parent === null ? 0 : depths[parent]! + 1;
    numbers.set(place.at, i);
    depths.push(depth);
    const hop = place.hop !== null && mask.sees(place) ? place.hop : null;
    const item = hop === null ? undefined : known.get(hop);
    return {
      at: i,
      parent,
      depth,
      hopId: hop === null ? null : spanIdHex(hop),
      ...maskedEnds(mask, place),
      system: item?.via.system ?? '',
      destination: item?.via.destination ?? '',
      count: place.count,
      attempts: place.attempts,
      addedMs: place.addedMs,
      boundMs: place.boundMs,
      floorMs: place.floorMs,
      wayMs: place.wayMs,
      workMs: place.workMs,
      wayShare: place.wayShare,
      workShare: place.workShare,
      onPath: place.onPath,
      mark: item?.mark ?? null,
    };
  });
}

/** Counts are those of all requests; times are those of the ones that were looked at. */
function sampledSeries(grid: Grid, steps: PathStep[], found: Looked[]): PathView['series'] {
  const times = Map.groupBy(found, ({ startMs }) => Math.floor((startMs - grid.fromMs) / grid.stepMs));
  return steps.map((step, i) => {
    const totals = (times.get(i) ?? []).map(({ walk }) => walk.totalMs);
    return { ...step, p50Ms: nearestRank(totals, 0.5), p95Ms: nearestRank(totals, 0.95) };
  });
}

/** Picked to span what was looked at: each request once, under the first reason that names it, newest first. */
function examplesOf(found: Looked[], { p50Ms, p95Ms }: PathFigures, budgetMs: Millis | null): PathView['examples'] {
  const byTotal = found.toSorted((a, b) => a.walk.totalMs - b.walk.totalMs || (a.traceId < b.traceId ? -1 : 1));
  const closestTo = (ms: Millis | null): Looked | undefined =>
    ms === null
      ? undefined
      : byTotal.toSorted((a, b) => Math.abs(a.walk.totalMs - ms) - Math.abs(b.walk.totalMs - ms))[0];
  const picks: [string, Looked | undefined][] = [
    ['median', closestTo(p50Ms)],
    ['slowest', byTotal.at(-1)],
    ['fastest', byTotal[0]],
    ['at p95', closestTo(p95Ms)],
    ['newest', found.at(-1)],
  ];
  const whys = new Map<Looked, string>();
  for (const [why, pick] of picks) if (pick && !whys.has(pick)) whys.set(pick, why);
  return [...whys]
    .sort(([a], [b]) => b.startMs - a.startMs || (a.traceId < b.traceId ? -1 : 1))
    .map(([{ traceId, startMs, walk }, why]) => ({
      traceId,
      startedAt: instantOf(startMs),
      why,
      totalMs: walk.totalMs,
      boundMs: walk.boundMs,
      variantId: spanIdHex(walk.path.id),
      mark: judgeUnnamed(1, endToEndFiguresOf([walk]), budgetMs).mark,
    }));
}
