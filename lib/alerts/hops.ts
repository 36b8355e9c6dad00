import type { Finding, Part, Subject } from '../domain/alert.ts';
import { hopName, hopSentence, hopTitle, unansweredTitle } from '../domain/alert-words.ts';
import { badSpellOf, type Moment } from '../domain/bad-spell.ts';
import { leastBudgetMs } from '../domain/budget.ts';
import { floorMsBetween } from '../domain/geo.ts';
import { spanIdHex } from '../domain/ids.ts';
import { nearestRank } from '../domain/path-figures.ts';
import { type EpochMillis, epochMillisOf, type Millis } from '../domain/units.ts';
import { judge } from '../domain/verdict.ts';
import type { CrossingRow, HopIdentity, LiveVerdict } from '../store/store.ts';
import { placeOf } from '../views/hop-item.ts';
import { isSameWork } from '../views/predecessor.ts';
import {
  brokerPart,
  distinctParts,
  isOpen,
  type Look,
  legPart,
  quietFinding,
  servicePart,
  siteNameOf,
  siteOfBroker,
  sitePart,
} from './look.ts';

/** Hops over their budget and hops without answers, as their live verdicts tell; the figures are those of the crossings themselves. */

/** crossings that are looked at one by one */
const looked = 300;
const presentMs = 300_000;
const longestMs = 3_600_000;
const minuteMs = 60_000;
/** hops told with all their figures; what is beyond is found and folded all the same */
const mostTold = 60;

export async function hopFindings(look: Look): Promise<Finding[]> {
  const isBad = (live: LiveVerdict): boolean => live.overSinceMs !== null || live.unansweredSinceMs !== null;
  const moved = look.live.some((live) => isBad(live) || live.verdict === 'no-data') ? await movedAway(look) : new Map();
  const findings: Finding[] = [];
  let told = 0;
  for (const live of look.live) {
    const hop = look.hops.get(live.hop);
    if (!hop) continue;
    const movedMs = moved.get(live.hop) ?? null;
    const isTold = isBad(live) && movedMs === null && told < mostTold;
    if (isTold) told++;
    findings.push(
      await overBudget(look, hop, live, movedMs, isTold),
      await unanswered(look, hop, live, movedMs, isTold),
    );
  }
  return findings;
}

export const subjectOf = (hop: HopIdentity): Subject => ({
  kind: 'hop',
  id: spanIdHex(hop.hop),
  name: hopName({ fromService: hop.from.service, toService: hop.to.service }),
});

/** What a crossing of this hop passes through. */
export function partsOfHop(look: Look, hop: HopIdentity): Part[] {
  const { from, to } = hop;
  const broker = look.levels.get(hop.hop)?.broker ?? '';
  const brokerSite = siteOfBroker(look, broker);
  const serving = look.devices.filter((device) => device.site === to.site && device.services.includes(to.service));
  return distinctParts([
    subjectOf(hop),
    servicePart(look, to.service, to.site),
    servicePart(look, from.service, from.site),
    ...(brokerSite === ''
      ? legPart(look, from.site, to.site)
      : [...legPart(look, from.site, brokerSite), ...legPart(look, brokerSite, to.site)]),
    ...brokerPart(broker),
    ...sitePart(look, from.site),
    ...sitePart(look, to.site),
    ...serving.map<Part>(({ id, name }) => ({ kind: 'device', id, name })),
  ] as Part[]);
}

const applicationsOf = ({ from, to }: HopIdentity): string[] => [...new Set([from.application, to.application])];

/** What a hop's findings have in common, whatever they come to. */
const frame = (look: Look, hop: HopIdentity) => ({
  subject: subjectOf(hop),
  applications: applicationsOf(hop),
  parts: partsOfHop(look, hop),
});

async function overBudget(
  look: Look,
  hop: HopIdentity,
  live: LiveVerdict,
  movedMs: EpochMillis | null,
  isTold: boolean,
): Promise<Finding> {
  const { inForce, nowMs } = look;
  const rule = 'over-budget' as const;
  const level = look.levels.get(hop.hop);
  const about = { rule, ...frame(look, hop), heardMs: level?.newestMs ?? null };
  if (movedMs !== null) return quietFinding({ ...about, state: 'fine', sinceMs: movedMs });
  if (live.overSinceMs === null) {
    const state = live.verdict === 'leave' ? 'fine' : 'cannot-tell';
    const sinceMs = state === 'fine' && isOpen(look, about) ? await endMs(look, hop, live) : live.sinceMs;
    return quietFinding({
      ...about,
      state,
      sinceMs,
      usualAtMs: state === 'fine' && level && isAsUsual(level) ? level.newestMs : null,
    });
  }
  const severity = live.budgetMs === null ? 'warning' : inForce[rule].severity;
  const title = `${about.subject.name} is over its budget.`;
  const bad = { ...about, state: 'bad' as const, sinceMs: live.overSinceMs, severity, title };
  if (!isTold) return quietFinding(bad);
  const isOver = (crossing: CrossingRow): boolean => isOverBudget(crossing, live.budgetMs);
  const [sinceMs, crossings] = [
    await onsetMs(look, hop, live.overSinceMs, isOver),
    await presentCrossings(look, hop.hop, live.overSinceMs),
  ];
  const over = crossings.filter((crossing) => isOver(crossing) && startOf(crossing) >= sinceMs - minuteMs);
  // the verdict waits for its three windows, and nothing that is left to look at was too slow
  if (over.length === 0) {
    const first = crossings[0];
    return quietFinding({ ...about, state: 'cannot-tell', sinceMs: first ? startOf(first) : live.sinceMs });
  }
  const figures = figuresOf(
    look,
    hop,
    live,
    crossings.filter((crossing) => startOf(crossing) >= sinceMs),
    over,
  );
  const enough = figures.p95Ms >= (inForce[rule].threshold ?? 1) * figures.budgetMs;
  const newest = Math.max(...crossings.map(startOf));
  if (!enough) return quietFinding({ ...about, state: 'fine', sinceMs: nowMs });
  // as long as the verdict waits for three windows nobody knows whether it is over
  if (isLeaving(crossings, isOver, nowMs))
    return quietFinding({ ...about, state: 'cannot-tell', sinceMs: startOf(crossings.findLast(isOver)!) });
  return quietFinding({
    ...bad,
    sinceMs,
    heardMs: newest,
    title: hopTitle(figures),
    sentence: hopSentence(figures),
    wayOut: figures.reason,
    figure: {
      unit: 'ms',
      was: usualMs(look, hop, crossings, sinceMs),
      is: figures.p95Ms,
      bound: figures.boundMs,
      threshold: figures.budgetMs,
      requests: await requestsSince(look, hop.hop, sinceMs, crossings, over),
    },
    share: shareOf(crossings, isOver, nowMs),
    exampleTraceId: slowestOf(over).callerTraceId,
    parts: distinctParts([...about.parts, ...devicesOf(look, over)]),
  });
}

async function unanswered(
  look: Look,
  hop: HopIdentity,
  live: LiveVerdict,
  movedMs: EpochMillis | null,
  isTold: boolean,
): Promise<Finding> {
  const rule = 'unanswered' as const;
  const level = look.levels.get(hop.hop);
  const about = { rule, ...frame(look, hop), heardMs: level?.newestMs ?? null };
  if (movedMs !== null) return quietFinding({ ...about, state: 'fine', sinceMs: movedMs });
  if (live.unansweredSinceMs === null) {
    const state = live.verdict === 'no-data' ? 'cannot-tell' : 'fine';
    return quietFinding({ ...about, state, sinceMs: live.sinceMs, usualAtMs: level?.newestMs ?? null });
  }
  const sinceMs = live.unansweredSinceMs;
  const title = `${about.subject.name}: requests get no answer.`;
  const bad = { ...about, state: 'bad' as const, sinceMs, severity: look.inForce[rule].severity, title };
  if (!isTold) return quietFinding(bad);
  const [window] = await look.store.hopWindows(sinceMs - minuteMs, look.nowMs, hop.hop);
  if (!window) return quietFinding(bad);
  const asked = window.requests + window.unanswered;
  const share = asked === 0 ? null : window.unanswered / asked;
  const names = { fromService: hop.from.service, toService: hop.to.service };
  const toSite = siteNameOf(look, hop.to.site);
  if (share !== null && share < (look.inForce[rule].threshold ?? 0))
    return quietFinding({ ...about, state: 'fine', sinceMs: look.nowMs });
  return quietFinding({
    ...bad,
    heardMs: null,
    title: unansweredTitle(hopName(names), window.unanswered, asked),
    sentence: `${hop.to.service} in ${toSite} used to answer ${hop.destination === '' ? hop.from.service : hop.destination} and does not.`,
    wayOut: `See whether ${hop.to.service} in ${toSite} still runs and listens.`,
    figure: {
      unit: 'ratio',
      was: 0,
      is: share,
      bound: 0,
      threshold: look.inForce[rule].threshold,
      requests: window.unanswered,
    },
    share,
  });
}

// ---- evidence

const startOf = (crossing: CrossingRow): EpochMillis => epochMillisOf(crossing.callerStartNanos);
/** Of a server that worked on after its answer nothing is measured. */
const isMeasured = (crossing: CrossingRow): boolean => crossing.clock !== 'overlap';

const budgetFor = ({ floorMs }: CrossingRow, budgetMs: Millis | null): Millis =>
  budgetMs ?? Math.max(leastBudgetMs, 2 * floorMs);

/** As the slices of the live verdict have it: surely over, or its floor alone is. */
function isOverBudget(crossing: CrossingRow, budgetMs: Millis | null): boolean {
  const budget = budgetFor(crossing, budgetMs);
  const { floorMs, addedMs, boundMs } = crossing;
  return floorMs > budget || (addedMs !== null && boundMs !== null && addedMs - boundMs > budget);
}

/** When it really began, before the verdict saw it. Asked once for each time that a verdict begins. */
async function onsetMs(
  look: Look,
  hop: HopIdentity,
  overSinceMs: EpochMillis,
  isOver: (crossing: CrossingRow) => boolean,
): Promise<EpochMillis> {
  const key = `${hop.hop} ${overSinceMs}`;
  const known = look.memory.onsets.get(key);
  if (known !== undefined) return known;
  const around = await look.store.crossingsOfHop(hop.hop, overSinceMs - longestMs, overSinceMs, 'newest', looked);
  const moments = around
    .filter((crossing) => isMeasured(crossing) && startOf(crossing) < overSinceMs + minuteMs)
    .map<Moment>((crossing) => ({ atMs: startOf(crossing), isBad: isOver(crossing) }))
    .reverse();
  // a caller's clock may be wrong: what cannot be is not believed
  const spell = badSpellOf(moments);
  const fromMs = spell === null || spell.fromMs > overSinceMs ? overSinceMs : spell.fromMs;
  look.memory.onsets.set(key, fromMs);
  return fromMs;
}

/** When it really ended, before the verdict was sure. */
async function endMs(look: Look, hop: HopIdentity, live: LiveVerdict): Promise<EpochMillis> {
  const key = `${hop.hop} well ${live.sinceMs}`;
  const known = look.memory.onsets.get(key);
  if (known !== undefined) return known;
  const before = await look.store.crossingsOfHop(hop.hop, live.sinceMs - longestMs, live.sinceMs, 'newest', looked);
  const last = before.find((crossing) => isMeasured(crossing) && isOverBudget(crossing, live.budgetMs));
  const toMs = Math.min(live.sinceMs, last ? startOf(last) : live.sinceMs);
  look.memory.onsets.set(key, toMs);
  return toMs;
}

/** Oldest first: of the last minutes, or as far back as the verdict may look. */
async function presentCrossings(look: Look, hop: bigint, overSinceMs: EpochMillis): Promise<CrossingRow[]> {
  const toMs = look.nowMs + minuteMs;
  const fromMs = Math.max(overSinceMs - longestMs, look.nowMs - presentMs);
  let found = await look.store.crossingsOfHop(hop, fromMs, toMs, 'newest', looked);
  if (found.length < 20) found = await look.store.crossingsOfHop(hop, look.nowMs - longestMs, toMs, 'newest', looked);
  return found.filter(isMeasured).reverse();
}

/** Everything of the last minute was within its budget, and it was not just silence. */
function isLeaving(
  crossings: readonly CrossingRow[],
  isOver: (c: CrossingRow) => boolean,
  nowMs: EpochMillis,
): boolean {
  const last = crossings.findLastIndex(isOver);
  return last >= 0 && startOf(crossings[last]!) < nowMs - minuteMs && crossings.length - 1 - last >= 3;
}

/** Of the last minute, or of the last twenty. */
function shareOf(crossings: readonly CrossingRow[], isOver: (c: CrossingRow) => boolean, nowMs: EpochMillis): number {
  const lately = crossings.filter((crossing) => startOf(crossing) >= nowMs - minuteMs);
  const some = lately.length >= 20 ? lately : crossings.slice(-20);
  return some.filter(isOver).length / some.length;
}

const slowestOf = (crossings: readonly CrossingRow[]): CrossingRow =>
  crossings.reduce((slowest, each) => ((each.addedMs ?? 0) > (slowest.addedMs ?? 0) ? each : slowest));

function figuresOf(
  look: Look,
  hop: HopIdentity,
  live: LiveVerdict,
  since: readonly CrossingRow[],
  over: readonly CrossingRow[],
) {
  const some = since.length > 0 ? since : over;
  const added = some.flatMap(({ addedMs }) => (addedMs === null ? [] : [addedMs]));
  const open = some.filter(({ boundMs }) => boundMs === null).length;
  const bounds = some.flatMap(({ boundMs }) => (boundMs === null ? [] : [boundMs]));
  const boundMs = open > 0.05 * some.length || bounds.length === 0 ? null : Math.max(...bounds);
  const floorMs = Math.max(...over.map((crossing) => crossing.floorMs));
  const directFloorMs = Math.max(...over.map((crossing) => crossing.directFloorMs));
  const budgetMs = live.budgetMs ?? Math.max(leastBudgetMs, 2 * floorMs);
  // without any figure the floor is what is sure
  const p95Ms = nearestRank(added, 0.95) ?? floorMs;
  const p50Ms = nearestRank(added, 0.5);
  const broker = over.find((crossing) => crossing.broker !== '')?.broker ?? '';
  const names = {
    fromService: hop.from.service,
    toService: hop.to.service,
    fromSite: siteNameOf(look, hop.from.site),
    toSite: siteNameOf(look, hop.to.site),
    brokerSite: broker === '' ? '' : siteNameOf(look, siteOfBroker(look, broker)),
  };
  const { reason } = judge({
    count: some.length,
    requests: new Set(some.map((crossing) => crossing.callerSpanId)).size,
    unanswered: 0,
    p50Ms,
    p95Ms,
    boundMs,
    floorMs,
    directFloorMs,
    budgetMs,
    legs: legsOf(look, hop, siteOfBroker(look, broker), some),
    names,
  });
  return { ...names, p50Ms, p95Ms, boundMs, floorMs, budgetMs, reason };
}

function legsOf(look: Look, hop: HopIdentity, brokerSite: string, crossings: readonly CrossingRow[]) {
  const seen = crossings.filter(({ uplinkMs, downlinkMs }) => uplinkMs !== null && downlinkMs !== null);
  if (seen.length === 0) return null;
  const floorBetween = (a: string, b: string): Millis => floorMsBetween(placeOf(look.sites, a), placeOf(look.sites, b));
  return [
    {
      leg: 'uplink' as const,
      p95Ms: nearestRank(
        seen.map(({ uplinkMs }) => uplinkMs!),
        0.95,
      ),
      floorMs: floorBetween(hop.from.site, brokerSite),
    },
    {
      leg: 'downlink' as const,
      p95Ms: nearestRank(
        seen.map(({ downlinkMs }) => downlinkMs!),
        0.95,
      ),
      floorMs: floorBetween(brokerSite, hop.to.site),
    },
  ];
}

const leastForUsual = 3;

/** What it added before; of what has just moved here, what it added where it came from. */
function usualMs(look: Look, hop: HopIdentity, crossings: readonly CrossingRow[], sinceMs: EpochMillis): Millis | null {
  const before = crossings.flatMap((crossing) =>
    startOf(crossing) < sinceMs && crossing.addedMs !== null ? [crossing.addedMs] : [],
  );
  if (before.length >= leastForUsual) return nearestRank(before, 0.5);
  const elsewhere = [...look.hops.values()].find(
    (other) => other.hop !== hop.hop && isSameWork(other, hop) && look.levels.get(other.hop)?.beforeMs != null,
  );
  return elsewhere ? look.levels.get(elsewhere.hop)!.beforeMs : null;
}

async function requestsSince(
  look: Look,
  hop: bigint,
  sinceMs: EpochMillis,
  crossings: readonly CrossingRow[],
  over: readonly CrossingRow[],
): Promise<number> {
  const reachesBack = crossings.length > 0 && (startOf(crossings[0]!) < sinceMs || crossings.length < looked);
  if (reachesBack && sinceMs >= look.nowMs - presentMs)
    return new Set(over.map(({ callerSpanId }) => callerSpanId)).size;
  const [window] = await look.store.hopWindows(sinceMs, look.nowMs, hop);
  return window?.requests ?? 0;
}

/** Who stood at the ends of what was slow: up to a handful, else it is not about devices. */
function devicesOf(look: Look, crossings: readonly CrossingRow[]): Part[] {
  const names = new Map(look.devices.map(({ id, name }) => [id, name]));
  return (['callerDevice', 'calleeDevice'] as const).flatMap((end) => {
    const ids = new Set(crossings.map((crossing) => crossing[end]).filter((id) => id !== ''));
    return ids.size > 4 ? [] : [...ids].map<Part>((id) => ({ kind: 'device', id, name: names.get(id) ?? id }));
  });
}

const isAsUsual = ({ beforeMs, sinceMs }: { beforeMs: Millis | null; sinceMs: Millis | null }): boolean =>
  sinceMs !== null && (beforeMs === null || sinceMs - beforeMs <= Math.max(2, 0.5 * Math.abs(beforeMs)));

/**
 * When the work of a hop went on by another hop: the same services over the same destination, at other sites, crossed while this one
 * has not been for at least a whole minute. Its slowness has gone with it.
 */
async function movedAway(look: Look): Promise<Map<bigint, EpochMillis>> {
  const heard = await look.store.hopsHeard(look.nowMs - longestMs, look.nowMs + minuteMs);
  const works = Map.groupBy(
    heard.flatMap((each) => {
      const hop = look.hops.get(each.hop);
      return hop ? [{ ...each, work: workOf(hop) }] : [];
    }),
    ({ work }) => work,
  );
  const moved = new Map<bigint, EpochMillis>();
  for (const same of works.values()) {
    const newest = Math.max(...same.map(({ lastMinute }) => lastMinute));
    for (const { hop, lastMinute } of same) if (newest > lastMinute + 1) moved.set(hop, (lastMinute + 1) * minuteMs);
  }
  return moved;
}

const workOf = ({ from, to, system, destination }: HopIdentity): string =>
  [from.service, to.service, system, destination].join('\u001f');
