import type { Finding, Part } from '../domain/alert.ts';
import { capital, pathTitle } from '../domain/alert-words.ts';
import { badSpellOf, type Moment } from '../domain/bad-spell.ts';
import { spanIdHex } from '../domain/ids.ts';
import { foldVerdicts, looksBackSlices, nothingKnown, type Slice, sliceMs, sliceOf } from '../domain/live-verdict.ts';
import { partsOf as pathPartsOf } from '../domain/path-figures.ts';
import { pathIdOf } from '../domain/request-path.ts';
import type { EpochMillis, Millis } from '../domain/units.ts';
import type { ViewContext } from '../views/context.ts';
import { type HopReading, readHops } from '../views/hop-reading.ts';
import { type KnownPath, type Looked, lookAt, requestPathItem, withBudgets } from '../views/path-reading.ts';
import { sparkGrid } from '../views/spark.ts';
import { owner } from '../views/viewer.ts';
import { instantOf } from '../views/words.ts';
import { partsOfHop } from './hops.ts';
import { distinctParts, isOpen, type Look, quietFinding, servicePart } from './look.ts';
import type { KnownPathState } from './memory.ts';

/**
 * Request paths that somebody gave a budget, end to end. Each request that is looked at is within its budget, over it, or neither, and
 * the verdict goes on as a hop's does: the same windows, the same way in and out.
 */

/** three windows of a path that is walked a dozen times a minute */
const recentMs = 300_000;
const longestMs = 3_600_000;
/** requests of a path that are looked at one by one */
const looked = 120;
const enough = 20;
const rarely = 80;
const mostPaths = 100;
/** a part of the time that counts as guilty beside the one that is blamed */
const guiltyShare = 0.15;

export async function pathFindings(look: Look, state: ViewContext['state']): Promise<Finding[]> {
  if (!look.rules.budgets.some((budget) => budget.totalMs !== undefined)) return [];
  const context = contextOf(look, state);
  const grid = sparkGrid({ fromMs: look.nowMs - recentMs, toMs: look.nowMs });
  const reading = await readHops(context, rangeOf(look.nowMs - recentMs, look.nowMs));
  const wide = sparkGrid({ fromMs: look.nowMs - longestMs, toMs: look.nowMs });
  const windows = await look.store.pathWindows(wide.fromMs, look.nowMs + 60_000, wide.stepMs);
  const known = withBudgets(context, windows, reading)
    .filter(({ budget }) => budget !== null)
    .slice(0, mostPaths);
  const requests = await requestsOf(look, known);
  const now = new Set<string>();
  const findings: Finding[] = [];
  for (const [i, path] of known.entries()) {
    now.add(pathIdOf(path.window));
    findings.push(await judgePath(look, context, grid, path, requests[i]!, reading));
  }
  for (const id of look.memory.paths.keys()) if (!now.has(id)) look.memory.paths.delete(id);
  return findings;
}

const rangeOf = (fromMs: EpochMillis, toMs: EpochMillis) => ({
  fromMs,
  toMs,
  from: instantOf(fromMs),
  to: instantOf(toMs),
  fromText: instantOf(fromMs),
  toText: instantOf(toMs),
  live: false,
});

const contextOf = ({ store, rules, nowMs, status }: Look, state: ViewContext['state']): ViewContext => ({
  store,
  state,
  rules,
  viewer: owner,
  nowMs,
  status,
  demo: false,
});

/** Of the last minutes; of paths that are rarely walked, of the last hour. */
async function requestsOf(look: Look, paths: readonly KnownPath[]): Promise<Looked[][]> {
  const read = async (wanted: readonly KnownPath[], fromMs: EpochMillis): Promise<Looked[][]> =>
    wanted.length === 0
      ? []
      : (
          await look.store.pathSamples(
            wanted.map(({ window }) => window),
            fromMs,
            look.nowMs + 60_000,
            looked,
          )
        ).map(lookAt);
  const recent = await read(paths, look.nowMs - recentMs);
  const rare = paths.filter((_, i) => recent[i]!.length < rarely);
  const older = await read(rare, look.nowMs - longestMs);
  for (const [i, path] of rare.entries()) {
    const at = paths.indexOf(path);
    const newest = new Map([...older[i]!, ...recent[at]!].map((request) => [request.traceId, request]));
    recent[at] = [...newest.values()].sort((a, b) => a.startMs - b.startMs);
  }
  return recent;
}

async function judgePath(
  look: Look,
  context: ViewContext,
  grid: ReturnType<typeof sparkGrid>,
  path: KnownPath,
  requests: readonly Looked[],
  reading: HopReading,
): Promise<Finding> {
  const { nowMs, inForce } = look;
  const rule = 'path-over-budget' as const;
  const budgetMs = path.budget!.ms;
  const id = pathIdOf(path.window);
  const { state } = knownState(look, id, requests, budgetMs);
  const walked = hopsOf(requests);
  const about = {
    rule,
    subject: { kind: 'path' as const, id, name: path.window.rootName },
    applications: [path.window.application],
    heardMs: requests.at(-1)?.startMs ?? null,
    parts: distinctParts([...walked.flatMap((hop) => partsOf(look, hop))]),
  };
  if (state.overSince === null) {
    const judged = state.verdict === 'leave' ? ('fine' as const) : ('cannot-tell' as const);
    // what was known before we watched is forgotten
    const judgedMs = Math.max(state.from * sliceMs, look.watchedSinceMs);
    const last = requests.findLast((request) => overOf(request, budgetMs));
    const sinceMs = judged === 'fine' && last && isOpen(look, about) ? Math.min(judgedMs, last.startMs) : judgedMs;
    return quietFinding({ ...about, state: judged, sinceMs });
  }
  const isOver = (request: Looked): boolean => overOf(request, budgetMs);
  const spell = badSpellOf(requests.map<Moment>((r) => ({ atMs: r.startMs, isBad: isOver(r) })));
  const judgedMs = state.overSince * sliceMs;
  const sinceMs = look.memory.onsets.get(`${id} ${judgedMs}`) ?? Math.min(spell?.fromMs ?? judgedMs, judgedMs);
  look.memory.onsets.set(`${id} ${judgedMs}`, sinceMs);
  const since = requests.filter((request) => request.startMs >= sinceMs);
  const over = since.filter(isOver);
  // the verdict waits for its three windows, and nothing that is left to look at was too slow
  if (over.length === 0)
    return quietFinding({ ...about, state: 'cannot-tell', sinceMs: requests[0]?.startMs ?? nowMs });
  const window = { ...path.window, count: since.length, sparkMs: [], ...durationsOf(since) };
  const { item } = requestPathItem(context, grid, { ...path, window }, [...since], reading);
  const parts = pathPartsOf(over.map(({ walk }) => walk));
  const blamed = item.blame?.hopId ?? null;
  const guilty = parts.filter(
    (part) => part.hop !== null && (spanIdHex(part.hop) === blamed || part.share >= guiltyShare),
  );
  const work = parts.filter((part) => part.kind === 'work' && part.share >= guiltyShare);
  const p95Ms = item.p95Ms ?? 0;
  const enoughOver = p95Ms >= (inForce[rule].threshold ?? 1) * budgetMs;
  const hop = blamed === null ? undefined : [...look.hops.values()].find((each) => spanIdHex(each.hop) === blamed);
  const lately = requests.filter((request) => request.startMs >= nowMs - 60_000);
  const some = lately.length >= enough ? lately : requests.slice(-enough);
  if (!enoughOver) return quietFinding({ ...about, state: 'fine', sinceMs: nowMs });
  if (isLeaving(requests, isOver, nowMs))
    return quietFinding({ ...about, state: 'cannot-tell', sinceMs: over.at(-1)!.startMs });
  return quietFinding({
    ...about,
    state: 'bad',
    sinceMs,
    severity: inForce[rule].severity,
    title: pathTitle(path.window.rootName, p95Ms, budgetMs),
    sentence: hop
      ? `${capital(path.window.rootName)} spends most of it between ${hop.from.service} and ${hop.to.service}.`
      : '',
    wayOut: item.reason,
    figure: {
      unit: 'ms',
      was: medianOf(requests.filter((request) => request.startMs < sinceMs)),
      is: p95Ms,
      bound: item.boundMs,
      threshold: budgetMs,
      requests: await affectedSince(look, path, sinceMs, since, over),
    },
    share: some.filter(isOver).length / some.length,
    guilty: hop ? (partsOfHop(look, hop)[0] ?? null) : null,
    exampleTraceId: over.reduce((slowest, each) => (each.walk.totalMs > slowest.walk.totalMs ? each : slowest)).traceId,
    parts: distinctParts([
      { kind: 'path', id, name: path.window.rootName },
      ...guilty.flatMap((part) => partsOf(look, part.hop!)),
      ...work.map((part) => servicePart(look, part.to.service, part.to.site)),
    ]),
  });
}

/** Of the requests that were looked at so many were over; of all of them about the same share. */
async function affectedSince(
  look: Look,
  { window }: KnownPath,
  sinceMs: EpochMillis,
  since: readonly Looked[],
  over: readonly Looked[],
): Promise<number> {
  if (since.length < looked && sinceMs >= look.nowMs - recentMs) return over.length;
  const lengthMs = Math.max(60_000, look.nowMs - sinceMs);
  const [whole] = await look.store.pathSeries(window, sinceMs, sinceMs + lengthMs, lengthMs);
  return Math.round(((whole?.count ?? since.length) * over.length) / since.length);
}

const partsOf = (look: Look, hop: bigint): Part[] => {
  const identity = look.hops.get(hop);
  return identity ? partsOfHop(look, identity) : [];
};

const hopsOf = (requests: readonly Looked[]): bigint[] => [
  ...new Set(requests.flatMap(({ walk }) => walk.places.flatMap(({ hop }) => (hop === null ? [] : [hop])))),
];

/** Surely over: its floor, or what it took less its bound. */
const overOf = ({ walk }: Looked, budgetMs: Millis): boolean =>
  walk.floorMs > budgetMs || (walk.boundMs !== null && walk.totalMs - walk.boundMs > budgetMs);

function isLeaving(requests: readonly Looked[], isOver: (request: Looked) => boolean, nowMs: EpochMillis): boolean {
  const last = requests.findLastIndex(isOver);
  return last >= 0 && requests[last]!.startMs < nowMs - 60_000 && requests.length - 1 - last >= 3;
}

const sortedTotals = (requests: readonly Looked[]): Millis[] =>
  requests.map(({ walk }) => walk.totalMs).sort((a, b) => a - b);

function medianOf(requests: readonly Looked[]): Millis | null {
  const totals = sortedTotals(requests);
  return totals.length < 3 ? null : totals[Math.ceil(0.5 * totals.length) - 1]!;
}

function durationsOf(requests: readonly Looked[]): { p50Ms: Millis | null; p95Ms: Millis | null } {
  const totals = sortedTotals(requests);
  const rank = (q: number): Millis | null => totals[Math.max(0, Math.ceil(q * totals.length) - 1)] ?? null;
  return { p50Ms: rank(0.5), p95Ms: rank(0.95) };
}

/** The verdict goes on from where it was judged last; without memory it is told by the last hour alone. */
function knownState(look: Look, id: string, requests: readonly Looked[], budgetMs: Millis): KnownPathState {
  const until = sliceOf(look.nowMs);
  const slices = slicesOf(requests, budgetMs);
  const first = slices[0]?.slice ?? until;
  const known = look.memory.paths.get(id);
  if (known?.judgedUntil === until) return known;
  // after a jump back of our own clock what was judged is yet to come
  const before = known && known.judgedUntil < until ? known : { state: nothingKnown, judgedUntil: first };
  const from = Math.min(before.judgedUntil + 1, until);
  const changes = foldVerdicts(slices, before.state, Math.max(from, first - looksBackSlices), until);
  const judged = { state: changes.at(-1) ?? before.state, judgedUntil: until };
  look.memory.paths.set(id, judged);
  return judged;
}

function slicesOf(requests: readonly Looked[], budgetMs: Millis): Slice[] {
  const slices = new Map<number, Slice>();
  for (const request of requests) {
    const { startMs, walk } = request;
    const slice = sliceOf(startMs);
    let one = slices.get(slice);
    if (!one) {
      one = { slice, measured: 0, over: 0, within: 0, floorOver: 0, unanswered: 0 };
      slices.set(slice, one);
    }
    one.measured++;
    if (overOf(request, budgetMs)) one.over++;
    else if (walk.boundMs !== null && walk.totalMs + walk.boundMs <= budgetMs) one.within++;
    if (walk.floorMs > budgetMs) one.floorOver++;
  }
  return [...slices.values()].sort((a, b) => a.slice - b.slice);
}
