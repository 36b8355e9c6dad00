import { type PathToBudget, pathsByHop } from '../domain/budget.ts';
import { quantile } from '../domain/histogram.ts';
import type { HopPath } from '../store/path-store.ts';
import type { HopWindow, LiveVerdict, SiteRow, Store } from '../store/store.ts';
import type { ViewContext } from './context.ts';
import { type JudgedHop, judgeHop } from './hop-item.ts';
import type { RangeView } from './schemas.ts';
import type { Viewer } from './viewer.ts';
import { seesDevice, seesHop, seesPath } from './visibility.ts';

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
  const contradicting = await contradictingNames(store, viewer, range, visible);
  const hops = visible.map((window) =>
    judgeHop(window, {
      rules,
      sites,
      paths: pathsOf.get(window.hop) ?? [],
      live: liveOf.get(window.hop) ?? null,
      baselineMs: baselines.get(window.hop) ?? null,
      contradicting: contradicting.get(window.hop),
    }),
  );
  return { hops, sites, pathsOf, hopPaths, liveOf };
}

/** Rare, so it is only asked where there is something to name. */
async function contradictingNames(
  store: Pick<Store, 'contradictingDevices' | 'devices'>,
  viewer: Viewer,
  range: RangeView,
  windows: readonly HopWindow[],
): Promise<Map<bigint, string[]>> {
  if (!windows.some((window) => window.clocks.contradiction > 0)) return new Map();
  const [found, devices] = await Promise.all([store.contradictingDevices(range.fromMs, range.toMs), store.devices()]);
  const names = new Map(devices.filter((device) => seesDevice(viewer, device)).map(({ id, name }) => [id, name]));
  return new Map([...found].map(([hop, ids]) => [hop, ids.flatMap((id) => names.get(id) ?? [])]));
}
