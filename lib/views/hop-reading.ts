import { type PathToBudget, pathsByHop } from '../domain/budget.ts';
import { quantile } from '../domain/histogram.ts';
import type { HopPath } from '../store/path-store.ts';
import type { LiveVerdict, SiteRow } from '../store/store.ts';
import type { ViewContext } from './context.ts';
import { type JudgedHop, judgeHop } from './hop-item.ts';
import type { RangeView } from './schemas.ts';
import { seesHop, seesPath } from './visibility.ts';

export interface HopReading {
  hops: JudgedHop[];
  sites: ReadonlyMap<string, SiteRow>;
  /** per hop, as far as the viewer may see */
  pathsOf: ReadonlyMap<bigint, PathToBudget[]>;
  hopPaths: HopPath[];
  liveOf: ReadonlyMap<bigint, LiveVerdict>;
}

/** The hops that a viewer may see, judged over the range. `hop`: only that one (its paths are still read of all hops: budgets ask for them). */
export async function readHops(
  { store, rules, viewer }: ViewContext,
  range: RangeView,
  hop?: bigint,
): Promise<HopReading> {
  const lengthMs = range.toMs - range.fromMs;
  const [windows, before, allPaths, siteRows, identities, liveVerdicts] = await Promise.all([
    store.hopWindows(range.fromMs, range.toMs, hop),
    store.hopWindows(range.fromMs - lengthMs, range.fromMs, hop),
    store.pathsOfHops(range.fromMs, range.toMs),
    store.sites(),
    hop === undefined ? null : store.hopIdentities(),
    store.liveVerdicts(),
  ]);
  const visible = windows.filter((window) => seesHop(viewer, window));
  const baselines = new Map(before.map((window) => [window.hop, quantile(window.added, 0.5)]));
  const sites = new Map(siteRows.map((site) => [site.id, site]));
  const hopPaths = allPaths.filter((path) => seesPath(viewer, path));
  const pathsOf = pathsByHop(hopPaths, identities?.filter((each) => seesHop(viewer, each)) ?? visible);
  const liveOf = new Map(liveVerdicts.map((live) => [live.hop, live]));
  const hops = visible.map((window) =>
    judgeHop(window, {
      rules,
      sites,
      paths: pathsOf.get(window.hop) ?? [],
      live: liveOf.get(window.hop) ?? null,
      baselineMs: baselines.get(window.hop) ?? null,
    }),
  );
  return { hops, sites, pathsOf, hopPaths, liveOf };
}
