import { budgetOf, pathsByHop } from '../domain/budget.ts';
import {
  foldVerdicts,
  type LiveState,
  looksBackSlices,
  nothingKnown,
  sliceMs,
  sliceOf,
} from '../domain/live-verdict.ts';
import type { Rules } from '../domain/rule.ts';
import { type EpochMillis, minuteOf } from '../domain/units.ts';
import type { AuditTx, HopBudget } from '../store/audit-store.ts';
import type { Store } from '../store/store.ts';
import type { Known } from './memory.ts';

/** What comes a day late is judged as if it had come in time; so far back slices can be made anew. */
const reachesBackMs = 26 * 3_600_000;
/** and a verdict looks back from there */
const keptMs = reachesBackMs + (looksBackSlices + 6) * sliceMs;
const pathsEveryMs = 60_000;
const pathsBackMs = 3_600_000;
/** a hop that nobody crosses any more changes its verdict once more, when its window has emptied */
const awakeSlices = 400;
const hopsAtOnce = 500;

/** What is known of the verdicts as they go on. */
export interface LiveKnown {
  notBeforeMs: EpochMillis;
  /** the last state of each hop */
  states: Map<bigint, LiveState>;
  /** last slice in which a hop was heard, of those that may still change */
  heard: Map<bigint, number>;
  judgedUntil: number | null;
  budgets: Map<bigint, bigint | null>;
  budgetsMs: EpochMillis;
  /** which requests crossed which hop within a day, by both */
  paths: Map<string, { hop: bigint; rootName: string; application: string; seenMs: EpochMillis }>;
  forgottenMs: EpochMillis;
}

export const nothingJudged = (): LiveKnown => ({
  notBeforeMs: 0,
  states: new Map(),
  heard: new Map(),
  judgedUntil: null,
  budgets: new Map(),
  budgetsMs: 0,
  paths: new Map(),
  forgottenMs: 0,
});

export async function readLive(tx: AuditTx, known: Known): Promise<void> {
  const { live } = known;
  for (const { hop, state } of await tx.lastStates()) live.states.set(hop, state);
  live.judgedUntil = await tx.judgedUntil();
  if (live.judgedUntil !== null)
    for (const { hop, slice } of await tx.heardSince(live.judgedUntil - awakeSlices)) live.heard.set(hop, slice);
}

/**
 * What each hop may add, by the rules as they are now. A hop without its own budget takes the tightest of the paths through it: those are
 * looked for over a day when the process starts, then what is new; a path that was not crossed for a day binds nobody.
 */
export async function resolveBudgets(store: Store, rules: Rules, known: Known, nowMs: EpochMillis): Promise<void> {
  const { live } = known;
  if (nowMs - live.budgetsMs < pathsEveryMs && live.budgets.size === known.hops.size) return;
  if (rules.budgets.some((rule) => rule.totalMs !== undefined)) {
    const backMs = live.budgetsMs === 0 ? reachesBackMs : pathsBackMs;
    for (const { hop, rootName, application } of await store.pathsOfHops(nowMs - backMs, nowMs))
      live.paths.set(`${hop} ${application} ${rootName}`, { hop, rootName, application, seenMs: nowMs });
    for (const [key, { seenMs }] of live.paths) if (seenMs < nowMs - reachesBackMs) live.paths.delete(key);
  }
  const pathsOf = pathsByHop(live.paths.values(), known.hops.values());
  for (const { hop, to, destination } of known.hops.values()) {
    const asked = { toService: to.service, toApplication: to.application, destination, floorMs: 0 };
    const budget = budgetOf(rules.budgets, asked, pathsOf.get(hop) ?? []);
    // nobody's rule goes by the floor of each crossing
    live.budgets.set(hop, budget.from === 'default' ? null : BigInt(Math.round(budget.ms * 1e6)));
  }
  live.budgetsMs = nowMs;
}

/** Every ten seconds: slices of what has changed, and the verdicts from the first of them on. Answers how many verdicts have changed. */
export async function judgeLive(tx: AuditTx, known: Known, nowMs: EpochMillis): Promise<number> {
  const { live } = known;
  const until = sliceOf(nowMs);
  live.notBeforeMs = (until + 1) * sliceMs;
  const sinceMinute = minuteOf(nowMs - reachesBackMs);
  const budgets: HopBudget[] = Array.from(live.budgets, ([hop, budgetNanos]) => ({ hop, budgetNanos }));
  await tx.applyBudgets(budgets, sinceMinute);
  const changed = await tx.writeSlices(sinceMinute, (hop) => live.budgets.get(hop) ?? null);

  const begins = new Map<bigint, number>();
  const next = (live.judgedUntil ?? 0) + 1;
  for (const [hop, heard] of live.heard) {
    if (heard < next - awakeSlices && stateOf(live, hop).verdict === 'no-data') live.heard.delete(hop);
    else if (live.judgedUntil !== null) begins.set(hop, next);
  }
  for (const { hop, minute } of changed) {
    // a clock that is ahead: heard, and judged when its time has come
    live.heard.set(hop, Math.max(live.heard.get(hop) ?? 0, minute * 6 + 5));
    const first = minute * 6 + 1;
    begins.set(hop, Math.min(begins.get(hop) ?? first, first));
  }
  const verdicts = await foldFrom(tx, live, begins, until);
  live.judgedUntil = until;
  await tx.saveJudgedUntil(until);
  if (nowMs - live.forgottenMs > 3_600_000) {
    await tx.forgetSlices(minuteOf(nowMs - keptMs));
    live.forgottenMs = nowMs;
  }
  return verdicts;
}

const stateOf = (live: LiveKnown, hop: bigint): LiveState => live.states.get(hop) ?? nothingKnown;

async function foldFrom(
  tx: AuditTx,
  live: LiveKnown,
  begins: ReadonlyMap<bigint, number>,
  until: number,
): Promise<number> {
  // those that begin at about the same time are read together
  const hops = [...begins].filter(([, from]) => from <= until).sort(([, a], [, b]) => a - b);
  let changes = 0;
  for (let i = 0; i < hops.length; i += hopsAtOnce) {
    const some = hops.slice(i, i + hopsAtOnce);
    const first = some[0]![1];
    const slices = await tx.slicesOf(
      some.map(([hop]) => hop),
      first - looksBackSlices,
    );
    const reopened = some.filter(([hop, from]) => stateOf(live, hop).from >= from).map(([hop]) => hop);
    const before = reopened.length > 0 ? await tx.statesOf(reopened, first) : new Map<bigint, LiveState[]>();
    for (const [hop, from] of some) {
      const states = before.get(hop) ?? [stateOf(live, hop)];
      const held = states.findLast((state) => state.from < from) ?? nothingKnown;
      const was = states.filter((state) => state.from >= from);
      const is = foldVerdicts(slices.get(hop) ?? [], held, from, until);
      if (isSame(was, is)) continue;
      await tx.replaceStates(hop, from, is);
      live.states.set(hop, is.at(-1) ?? held);
      changes++;
    }
  }
  return changes;
}

const isSame = (a: readonly LiveState[], b: readonly LiveState[]): boolean =>
  a.length === b.length &&
  a.every((state, i) => {
    const other = b[i]!;
    return (
      state.from === other.from &&
      state.verdict === other.verdict &&
      state.overSince === other.overSince &&
      state.unansweredSince === other.unansweredSince
    );
  });
