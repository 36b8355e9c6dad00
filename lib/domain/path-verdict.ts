import type { PathPart } from './path-figures.ts';
import type { Millis } from './units.ts';
import {
  type Judgement,
  judge,
  type Mark,
  spokenBudget,
  spokenMs,
  type Verdict,
  type VerdictNames,
} from './verdict.ts';

export interface PathToJudge {
  /** requests */
  count: number;
  p50Ms: Millis | null;
  p95Ms: Millis | null;
  /** null = open */
  boundMs: Millis | null;
  /** along the critical path */
  floorMs: Millis;
  directFloorMs: Millis;
  /** null: nobody set one */
  budgetMs: Millis | null;
  parts: readonly PathPart[];
  /** site where the requests begin */
  rootSite: string;
  /** a part's names as the reader may know them: sites as people call them, '' for what is not to be told */
  namesOf(part: PathPart): VerdictNames;
}

export interface PathJudgement {
  verdict: Verdict;
  mark: Mark;
  moveWhat: Judgement['moveWhat'];
  reason: string;
  /** the part that a change would have to begin with; null where nothing needs one */
  blame: PathPart | null;
}

/** The verdict of design.md section 3 on a path end to end. The floor is that of its hops, and what is to blame may be no hop at all. */
export function judgePath(path: PathToJudge): PathJudgement {
  const { count, p50Ms, p95Ms, boundMs, floorMs, directFloorMs, budgetMs, parts } = path;
  if (p95Ms === null || count === 0) {
    const reason =
      count === 0 ? 'No request in this range.' : 'No request of this range could be measured: its spans are gone.';
    return { verdict: 'no-data', mark: 'no-data', moveWhat: null, reason, blame: null };
  }
  if (budgetMs === null) {
    const sure = boundMs === null ? ' as the clocks stand, which nothing ties together' : '';
    const reason = `Takes ${spokenMs(p95Ms)} end to end${sure}, and nobody set a budget for it: nothing to break.`;
    return { verdict: 'leave', mark: 'ok', moveWhat: null, reason, blame: null };
  }
  const figures = { count, requests: count, unanswered: 0, p50Ms, p95Ms, boundMs, floorMs, directFloorMs, budgetMs };
  const { verdict, mark, moveWhat } = judge(figures);
  // there and back weigh the same: the way there names what could come nearer
  const farthest = greatest(parts, (part) => (part.kind === 'hop' ? part.floorMs : 0));
  const named = farthest ? path.namesOf(farthest) : null;
  const blame =
    verdict === 'move' ? farthest : verdict === 'fix-path' ? greatest(parts, (part) => part.ms - part.floorMs) : null;
  const reason =
    verdict === 'fix-path' && blame
      ? fixSentence(path, budgetMs, blame)
      : judge({ ...figures, names: named ? { ...named, fromSite: path.rootSite } : undefined }).reason;
  return { verdict, mark, moveWhat, reason, blame };
}

function greatest(parts: readonly PathPart[], of: (part: PathPart) => number): PathPart | null {
  let best: PathPart | null = null;
  for (const part of parts) if (of(part) > (best === null ? 0 : of(best)) + 1e-6) best = part;
  return best;
}

function fixSentence({ p95Ms, boundMs, floorMs, namesOf }: PathToJudge, budgetMs: Millis, part: PathPart): string {
  const bound = boundMs === null || boundMs < 0.05 ? '' : ` ± ${spokenMs(boundMs).replace(' ms', '')}`;
  const needed = floorMs >= 0.05 ? `fibre needs ${spokenMs(floorMs)}` : 'the distance needs next to nothing';
  const takes = `Takes ${spokenMs(p95Ms!)}${bound} of a ${spokenBudget(budgetMs)} budget where ${needed}`;
  const share = `${Math.round(part.share * 100)} % of the time`;
  const { fromService, fromSite, toService, toSite } = namesOf(part);
  if (part.kind === 'work') {
    return `${takes}: not the network is to blame, ${at(toService, toSite)} works for ${share}. Make that faster.`;
  }
  if (part.kind === 'hop') {
    return `${takes}: fix the path, first the hop from ${at(fromService, fromSite)} to ${at(toService, toSite)}, ${share}.`;
  }
  return `${takes}, and ${share} was not recorded: send the spans of what happens there.`;
}

const at = (service: string, site: string): string =>
  service === '' ? 'a restricted service' : site === '' ? service : `${service} in ${site}`;
