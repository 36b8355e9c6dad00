import { type Budget, budgetOf, type PathToBudget } from '../domain/budget.ts';
import { floorMsBetween, type LatLon } from '../domain/geo.ts';
import { countOf, type Histogram, quantile } from '../domain/histogram.ts';
import { spanIdHex } from '../domain/ids.ts';
import type { Rules } from '../domain/rule.ts';
import type { Millis } from '../domain/units.ts';
import { type Judgement, judge, type LegToJudge } from '../domain/verdict.ts';
import type { HopPath } from '../store/path-store.ts';
import type { ClockLabel, HopIdentity, HopWindow, SiteRow } from '../store/store.ts';
import type { HopItem } from './schemas.ts';

/** What a hop's figures are read against. All of it as far as the viewer may see. */
export interface HopSurroundings {
  rules: Rules;
  sites: ReadonlyMap<string, SiteRow>;
  /** the requests through this hop, busiest first, with what budgets ask of them */
  paths: PathToBudget[];
  /** this hop's median over the window of equal length before */
  baselineMs: Millis | null;
  /** names of the devices whose clocks contradict each other here */
  contradicting?: string[] | undefined;
}

/** Every figure that a page shows of a hop, and the judgement they were put through. */
export interface JudgedHop {
  item: HopItem;
  judgement: Judgement;
  budget: Budget;
  window: HopWindow;
}

/** The one way from a hop's sums to what people read: hops, hop, fleet and device pages all ask here. */
export function judgeHop(window: HopWindow, around: HopSurroundings): JudgedHop {
  const p50 = quantile(window.added, 0.5);
  const measured = countOf(window.added);
  const budget = budgetOf(
    around.rules.budgets,
    {
      toService: window.to.service,
      toApplication: window.to.application,
      destination: window.destination,
      floorMs: window.floorMs,
    },
    around.paths,
  );
  const brokerSite = brokerSiteOf(around.rules, window.broker);
  const legs = legsToJudge(window, around.sites, brokerSite);
  const judgement = judge({
    count: window.count,
    requests: window.requests,
    unanswered: window.unanswered,
    p50Ms: p50,
    p95Ms: quantile(window.added, 0.95),
    boundMs: window.boundMs,
    floorMs: window.floorMs,
    directFloorMs: window.directFloorMs,
    budgetMs: budget.ms,
    legs,
    baselineMs: around.baselineMs,
    clocks: window.clocks,
    contradicting: around.contradicting,
    names: {
      fromService: window.from.service,
      fromSite: siteName(around.sites, window.from.site),
      toService: window.to.service,
      toSite: siteName(around.sites, window.to.site),
      brokerSite: brokerSite === '' ? '' : siteName(around.sites, brokerSite),
    },
  });
  const item: HopItem = {
    id: spanIdHex(window.hop),
    ...identityOf(window),
    count: window.count,
    requests: window.requests,
    errors: window.errors,
    unanswered: window.unanswered,
    addedMs: {
      p50,
      p95: quantile(window.added, 0.95),
      p99: quantile(window.added, 0.99),
      mean: measured === 0 ? null : window.sumMs / measured,
      max: measured === 0 ? null : window.maxMs,
    },
    rawMs: { p50: quantile(window.raw, 0.5) },
    boundMs: window.boundMs,
    clock: weakestClock(window.clocks),
    floorMs: window.floorMs,
    directFloorMs: window.directFloorMs,
    overFloorMs: p50 === null ? null : p50 - window.floorMs,
    baselineMs: around.baselineMs,
    budgetMs: budget.ms,
    budgetFrom: budget.rule,
    legsMs: legs && {
      uplink: quantile(window.uplink, 0.5),
      uplinkBound: window.uplinkBoundMs,
      // one stamp at the broker cannot say how long it stayed there: the uplink includes it
      broker: null,
      downlink: quantile(window.downlink, 0.5),
      downlinkBound: window.downlinkBoundMs,
      brokerName: window.broker,
      brokerSite,
    },
    verdict: judgement.verdict,
    mark: judgement.mark,
    moveWhat: judgement.moveWhat,
    reason: judgement.reason,
    paths: [...new Set(around.paths.map((path) => path.rootName))],
  };
  return { item, judgement, budget, window };
}

export const identityOf = (hop: HopIdentity): Pick<HopItem, 'from' | 'to' | 'via'> => ({
  from: { service: hop.from.service, site: hop.from.site, application: hop.from.application },
  to: { service: hop.to.service, site: hop.to.site, application: hop.to.application },
  via: { system: hop.system, destination: hop.destination },
});

const weakestFirst = [
  ['contradiction', 'contradiction'],
  ['clockWrong', 'clock-wrong'],
  ['assumed', 'assumed'],
  ['overlap', 'overlap'],
  ['bounded', 'bounded'],
  ['roundTrip', 'round-trip'],
  ['sameClock', 'same-clock'],
] as const;

/** The weakest label that covers over 5 % of the crossings; null when there is none. */
export function weakestClock(clocks: HopWindow['clocks']): ClockLabel | null {
  const total = weakestFirst.reduce((sum, [key]) => sum + clocks[key], 0);
  return weakestFirst.find(([key]) => clocks[key] > 0.05 * total)?.[1] ?? null;
}

/** Answered by call and reply on one clock, so it has no direction of its own. */
export const isRoundTrip = (window: Pick<HopWindow, 'clocks'>): boolean =>
  window.clocks.roundTrip + window.clocks.overlap > 0;

export const brokerSiteOf = (rules: Rules, broker: string): string =>
  broker === '' ? '' : (rules.brokers.find((each) => each.name === broker)?.site ?? '');

export const placeOf = (sites: ReadonlyMap<string, SiteRow>, id: string): LatLon | null => {
  const site = sites.get(id);
  return site && site.lat !== null && site.lon !== null ? { lat: site.lat, lon: site.lon } : null;
};

export const siteName = (sites: ReadonlyMap<string, SiteRow>, id: string): string => sites.get(id)?.name ?? id;

/** Null where no broker was seen: then there are no legs to tell apart. */
function legsToJudge(window: HopWindow, sites: ReadonlyMap<string, SiteRow>, brokerSite: string): LegToJudge[] | null {
  if (window.passages === 0 || window.broker === '') return null;
  const leg = (name: LegToJudge['leg'], h: Histogram, fromSite: string, toSite: string): LegToJudge => ({
    leg: name,
    p95Ms: quantile(h, 0.95),
    floorMs: floorMsBetween(placeOf(sites, fromSite), placeOf(sites, toSite)),
  });
  const legs = [
    leg('uplink', window.uplink, window.from.site, brokerSite),
    leg('downlink', window.downlink, brokerSite, window.to.site),
  ];
  return legs.every((each) => each.p95Ms === null) ? null : legs;
}

/** Paths by hop, with the services and destinations that budgets ask about. `hops`: the visible ones. */
export function pathsByHop(hopPaths: HopPath[], hops: Iterable<HopIdentity>): Map<bigint, PathToBudget[]> {
  const identities = new Map<bigint, HopIdentity>();
  for (const hop of hops) identities.set(hop.hop, hop);
  const paths = new Map<string, PathToBudget>();
  const byHop = new Map<bigint, PathToBudget[]>();
  for (const row of hopPaths) {
    const hop = identities.get(row.hop);
    if (!hop) continue;
    const key = pathKey(row);
    let path = paths.get(key);
    if (!path) {
      path = { rootName: row.rootName, application: row.application, services: [], destinations: [] };
      paths.set(key, path);
    }
    if (!path.services.includes(hop.to.service)) path.services.push(hop.to.service);
    if (hop.destination !== '' && !path.destinations.includes(hop.destination)) path.destinations.push(hop.destination);
    const of = byHop.get(row.hop);
    if (of) of.push(path);
    else byHop.set(row.hop, [path]);
  }
  return byHop;
}

export const pathKey = (path: { rootName: string; application: string }): string =>
  `${path.application}\u001f${path.rootName}`;

const markRank = { over: 0, 'cannot-tell': 1, noticeable: 2, ok: 3, 'no-data': 4 } as const;

interface Ranked {
  mark: HopItem['mark'];
  addedMs: { p95: Millis | null };
}

/** Worst mark first, then the largest p95. */
export const worstFirst = (a: Ranked, b: Ranked): number =>
  markRank[a.mark] - markRank[b.mark] || (b.addedMs.p95 ?? -1) - (a.addedMs.p95 ?? -1);
