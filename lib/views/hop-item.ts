import { type Budget, budgetOf, type PathToBudget } from '../domain/budget.ts';
import { floorMsBetween, type LatLon } from '../domain/geo.ts';
import { countOf, type Histogram, quantile } from '../domain/histogram.ts';
import { spanIdHex } from '../domain/ids.ts';
import type { Rules } from '../domain/rule.ts';
import type { Millis } from '../domain/units.ts';
import { type Judgement, judge, type LegToJudge } from '../domain/verdict.ts';
import type { ClockLabel, HopIdentity, HopWindow, LiveVerdict, SiteRow } from '../store/store.ts';
import type { HopItem } from './schemas.ts';

/** What a hop's figures are read against. All of it as far as the viewer may see. */
export interface HopSurroundings {
  rules: Rules;
  sites: ReadonlyMap<string, SiteRow>;
  /** the requests through this hop, busiest first, with what budgets ask of them */
  paths: PathToBudget[];
  /** its live verdict, whatever the range */
  live: LiveVerdict | null;
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
    hiMs: judgement.hiMs,
    loMs: judgement.loMs,
    legsMs: legs && {
      uplink: quantile(window.uplink, 0.5),
      uplinkBound: window.uplinkBoundMs,
      uplinkFloor: floorOf(around.sites, window.from.site, brokerSite),
      // one stamp at the broker cannot say how long it stayed there: the uplink includes it
      broker: null,
      downlink: quantile(window.downlink, 0.5),
      downlinkBound: window.downlinkBoundMs,
      downlinkFloor: floorOf(around.sites, brokerSite, window.to.site),
      brokerName: window.broker,
      brokerSite,
    },
    verdict: judgement.verdict,
    mark: judgement.mark,
    moveWhat: judgement.moveWhat,
    reason: judgement.reason,
    paths: [...new Set(around.paths.map((path) => path.rootName))],
    live: around.live && {
      verdict: around.live.verdict,
      since: new Date(around.live.sinceMs).toISOString(),
      sinceMs: around.live.sinceMs,
    },
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

/** Of one leg. Unlike a hop's floor it is shown as a tick: of a place that is not known nothing is shown. */
function floorOf(sites: ReadonlyMap<string, SiteRow>, from: string, to: string): Millis | null {
  const [a, b] = [placeOf(sites, from), placeOf(sites, to)];
  return from !== '' && from === to ? 0 : a && b ? floorMsBetween(a, b) : null;
}

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

const markRank = { over: 0, 'cannot-tell': 1, noticeable: 2, ok: 3, 'no-data': 4 } as const;

interface Ranked {
  mark: HopItem['mark'];
  addedMs: { p95: Millis | null };
}

/** Worst mark first, then the largest p95. */
export const worstFirst = (a: Ranked, b: Ranked): number =>
  markRank[a.mark] - markRank[b.mark] || (b.addedMs.p95 ?? -1) - (a.addedMs.p95 ?? -1);
