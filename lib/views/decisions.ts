import { pathBudgetOf, pathKey } from '../domain/budget.ts';
import type { BudgetRule } from '../domain/rule.ts';
import { spokenBudget, spokenMs } from '../domain/verdict.ts';
import type { ViewContext } from './context.ts';
import { type JudgedHop, worstFirst } from './hop-item.ts';
import type { HopReading } from './hop-reading.ts';
import { levelShifts } from './level-shift.ts';
import type { PathItem } from './path-reading.ts';
import { beganAt, isSameWork } from './predecessor.ts';
import type { FleetView, RangeView } from './schemas.ts';
import { capital, firstSentence, sayBound, sayClock, sayCount } from './words.ts';

type Decision = FleetView['decisions'][number];

const most = 6;
const longestSentence = 160;

/** What needs a decision, worst first: hops of one path with one cause fold into one entry. */
export async function decisionsOf(
  context: ViewContext,
  range: RangeView,
  { hops, pathsOf, hopPaths }: HopReading,
  paths: PathItem[],
): Promise<Decision[]> {
  const flagged = hops
    .filter(({ item }) => item.mark === 'over' || item.mark === 'cannot-tell' || item.mark === 'noticeable')
    .sort((a, b) => markOrder(a, b) || timesOver(b) - timesOver(a) || worstFirst(a.item, b.item));
  const current = await withoutPast(context, range, flagged, hops);
  const groups = Map.groupBy(current, (hop) => {
    const path = pathOf(context.rules.budgets, hop, pathsOf);
    return path ? `${pathKey(path)}\u001f${hop.item.verdict}\u001f${hop.item.mark}` : hop.item.id;
  });
  const rootService = new Map(hopPaths.map((path) => [pathKey(path), path.service]));
  const decisions = await Promise.all(
    [...groups.values()].slice(0, most).map(async (hopsOfCause) => {
      const path = pathOf(context.rules.budgets, hopsOfCause[0]!, pathsOf);
      const group = path ? callFirst(hopsOfCause, rootService.get(pathKey(path))) : hopsOfCause;
      const known = path && paths.find((each) => each.name === path.rootName && each.application === path.application);
      return decisionOf(group, path?.rootName ?? null, known, await sinceWhen(context, range, group[0]!));
    }),
  );
  return withDistinctTitles(decisions, hops);
}

/** Two causes on one path: the second is told by its ends as well. */
function withDistinctTitles(decisions: Decision[], hops: JudgedHop[]): Decision[] {
  const used = new Set<string>();
  return decisions.map((decision) => {
    if (!used.has(decision.title)) {
      used.add(decision.title);
      return decision;
    }
    const item = hops.find((hop) => hop.item.id === decision.hopId)?.item;
    return item ? { ...decision, title: `${decision.title}, ${item.from.service} → ${item.to.service}` } : decision;
  });
}

/** What was moved away within the range needs no decision any more: its work goes on at other sites, by another hop. */
async function withoutPast(
  { store }: ViewContext,
  range: RangeView,
  flagged: JudgedHop[],
  hops: JudgedHop[],
): Promise<JudgedHop[]> {
  if (flagged.length === 0) return [];
  const heard = new Map((await store.hopsHeard(range.fromMs, range.toMs)).map((each) => [each.hop, each]));
  const isPast = (hop: JudgedHop): boolean => {
    const own = heard.get(hop.window.hop);
    // one minute of both is the minute of the move
    return hops.some((each) => {
      if (each === hop || !isSameWork(each.window, hop.window)) return false;
      const other = heard.get(each.window.hop);
      const last = own?.lastMinute ?? 0;
      return (other?.firstMinute ?? 0) >= last - 1 && (other?.lastMinute ?? 0) > last;
    });
  };
  return flagged.filter((hop) => !isPast(hop));
}

const markOrder = (a: JudgedHop, b: JudgedHop): number =>
  worstFirst({ mark: a.item.mark, addedMs: { p95: 0 } }, { mark: b.item.mark, addedMs: { p95: 0 } });

/** 100 ms of 10 is worse than 300 of 250; every hundredth request that nobody answers counts like once over the budget. */
function timesOver({ item }: JudgedHop): number {
  const asked = item.requests + item.unanswered;
  if (item.verdict === 'unanswered') return asked === 0 ? 0 : (100 * item.unanswered) / asked;
  return (item.addedMs.p95 ?? 0) / item.budgetMs;
}

/** The path whose budget judged the hop, else the busiest one through it. */
function pathOf(
  rules: BudgetRule[],
  hop: JudgedHop,
  pathsOf: HopReading['pathsOf'],
): { rootName: string; application: string } | undefined {
  const paths = pathsOf.get(hop.window.hop) ?? [];
  const judging = hop.budget.from === 'path' && paths.find((path) => pathBudgetOf(rules, path)?.ms === hop.budget.ms);
  return judging || paths[0];
}

/** There and back share a cause; what is said of the way there ("move the service that was called") helps more than of the way back. */
export const callFirst = (group: JudgedHop[], rootService: string | undefined): JudgedHop[] =>
  group.toSorted((a, b) => Number(b.item.from.service === rootService) - Number(a.item.from.service === rootService));

export function decisionOf(
  group: JudgedHop[],
  pathName: string | null,
  path: PathItem | undefined,
  since: number | null,
): Decision {
  const first = group[0]!;
  const { item } = first;
  return {
    mark: item.mark,
    title: pathName === null ? `${item.from.service} → ${item.to.service}` : capital(pathName),
    ...figureOf(first, path),
    sentence: item.reason.length <= longestSentence ? item.reason : firstSentence(item.reason),
    note: `${sayCount(group.length, 'hop')}${since === null ? '' : `, since ${sayClock(since)}`}`,
    hopId: item.id,
    verdict: item.verdict,
  };
}

function figureOf({ item, budget }: JudgedHop, path: PathItem | undefined): Pick<Decision, 'figure' | 'of'> {
  // The whole path's figure only where it is the path that is over: else the number would contradict the mark
  const whole =
    path && budget.from === 'path' && path.mark === item.mark && path.p95Ms !== null && path.budgetMs !== null;
  const ms = whole ? path.p95Ms : item.addedMs.p95;
  const boundMs = whole ? path.boundMs : item.boundMs;
  if (item.verdict === 'unanswered') return { figure: sayCount(item.unanswered, 'request'), of: 'unanswered' };
  if (ms === null) return { figure: '–', of: `of ${spokenBudget(item.budgetMs)}` };
  if (item.mark === 'cannot-tell')
    return { figure: spokenMs(ms), of: boundMs === null ? '± unknown' : sayBound(boundMs) };
  const over = item.addedMs.p50 !== null && item.baselineMs !== null ? item.addedMs.p50 - item.baselineMs : 0;
  if (item.mark === 'noticeable' && over > 2)
    return { figure: `+${spokenMs(over)}`, of: `over ${spokenMs(item.baselineMs!)}` };
  return { figure: spokenMs(ms), of: `of ${spokenBudget(whole ? path.budgetMs! : item.budgetMs)}` };
}

/** Since its level last changed; a hop that began within the range (something was moved), since then. */
async function sinceWhen({ store }: ViewContext, range: RangeView, hop: JudgedHop): Promise<number | null> {
  const minutes = await store.hopMinutes(hop.window.hop, range.fromMs, range.toMs);
  const shift = levelShifts(minutes).at(-1);
  if (shift) return shift.timeMs;
  return hop.item.baselineMs === null ? beganAt(minutes, range) : null;
}
