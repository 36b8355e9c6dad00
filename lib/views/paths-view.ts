import * as z from 'zod';
import { pathKey } from '../domain/budget.ts';
import { rangeOf, type ViewContext } from './context.ts';
import { worstFirst } from './hop-item.ts';
import { type HopReading, readHops } from './hop-reading.ts';
import { type KnownPath, knownPaths, lookAt, requestPathItem, sampled } from './path-reading.ts';
import { choiceField, limitField, rangeFields, textField } from './query.ts';
import { markSchema, type PathsView, type RequestPathItem, verdictSchema } from './schemas.ts';
import { sparkGrid } from './spark.ts';
import { seesAll } from './visibility.ts';

export const pathsQuerySchema = z.object({
  ...rangeFields,
  application: textField('paths whose root belongs to this application'),
  service: textField('paths that begin at this service or call it'),
  site: textField('paths with an end of a hop at this site'),
  hop: textField('paths that cross the hop with this id'),
  mark: choiceField(markSchema.options, 'paths with this mark'),
  verdict: choiceField(verdictSchema.options, 'paths with this verdict'),
  order: choiceField(['worst', 'slowest', 'count', 'name'], 'default worst: worst mark first, then p95'),
  limit: limitField(100, 200),
});
export type PathsQuery = z.output<typeof pathsQuerySchema>;

/** Requests looked at for one list, whatever its length: each is read with its spans. */
const lookedAtMost = 1_000;
const leastLooked = 10;

/** Request paths of a range, worst first. Of more than `limit` those with a budget are listed, then the busiest. */
export async function pathsView(context: ViewContext, query: PathsQuery): Promise<PathsView> {
  const range = rangeOf(context, query);
  const grid = sparkGrid(range);
  const [windows, reading] = await Promise.all([
    context.store.pathWindows(grid.fromMs, grid.toMs, grid.stepMs),
    readHops(context, range),
  ]);
  const known = knownPaths(context, windows, reading);
  const fitting = known.filter(filterOf(query, reading));
  const listed = fitting.slice(0, query.limit);
  const each = Math.min(sampled, Math.max(leastLooked, Math.floor(lookedAtMost / Math.max(1, listed.length))));
  const samples = await context.store.pathSamples(
    listed.map(({ window }) => window),
    grid.fromMs,
    grid.toMs,
    each,
  );
  const items = listed
    .map((path, i) => requestPathItem(context, grid, path, lookAt(samples[i]!), reading).item)
    .filter((item) => query.mark === undefined || item.mark === query.mark)
    .filter((item) => query.verdict === undefined || item.verdict === query.verdict)
    .sort(orders[query.order ?? 'worst']);
  const emptyReason = items.length > 0 ? null : await whyNoPaths(context, known.length > 0);
  return { range, items, total: fitting.length, emptyReason };
}

/** Asked of the hops through each path, so that nothing needs to be looked at that is not listed. */
function filterOf(query: PathsQuery, { hops, pathsOf }: HopReading): (path: KnownPath) => boolean {
  const ends = new Map<string, Set<string>>();
  for (const { window, item } of hops) {
    for (const path of pathsOf.get(window.hop) ?? []) {
      const known = ends.get(pathKey(path)) ?? new Set();
      ends.set(pathKey(path), known.add(`hop ${item.id}`));
      for (const { service, site } of [item.from, item.to]) known.add(`service ${service}`).add(`site ${site}`);
    }
  }
  const has = ({ window }: KnownPath, what: string): boolean => ends.get(pathKey(window))?.has(what) ?? false;
  const { application, service, site, hop } = query;
  return (path) =>
    (application === undefined || path.window.application === application) &&
    (service === undefined || path.window.service === service || has(path, `service ${service}`)) &&
    (site === undefined || has(path, `site ${site}`)) &&
    (hop === undefined || has(path, `hop ${hop.toLowerCase()}`));
}

const byName = (a: RequestPathItem, b: RequestPathItem): number =>
  a.name.localeCompare(b.name) || a.id.localeCompare(b.id);
const bySlowest = (a: RequestPathItem, b: RequestPathItem): number => (b.p95Ms ?? -1) - (a.p95Ms ?? -1);
const orders: Record<NonNullable<PathsQuery['order']>, (a: RequestPathItem, b: RequestPathItem) => number> = {
  worst: (a, b) =>
    worstFirst({ mark: a.mark, addedMs: { p95: a.p95Ms } }, { mark: b.mark, addedMs: { p95: b.p95Ms } }) ||
    byName(a, b),
  slowest: (a, b) => bySlowest(a, b) || byName(a, b),
  count: (a, b) => b.count - a.count || byName(a, b),
  name: byName,
};

async function whyNoPaths({ store, viewer }: ViewContext, filteredAway: boolean): Promise<string> {
  if (filteredAway) return 'No path of this range fits the filter.';
  // what else is known may belong to applications this viewer may not see
  if (!seesAll(viewer)) return 'No request path was seen in this range.';
  const { spans } = await store.status();
  if (spans > 0) {
    return 'No request path was seen in this range. A path needs a root span (one without a parent) and at least one hop that both ends report.';
  }
  return 'No paths yet: no span has arrived. Send OTLP to port 4318; MQTT clients need version 5 to carry the trace context.';
}
