import type { Millis } from './units.ts';

export type Verdict = 'leave' | 'move' | 'fix-path' | 'unanswered' | 'cannot-tell' | 'no-data';
/** How a latency feels to people, whatever the budget: <= 2 ms, < 10 ms, >= 10 ms. */
export type Severity = 'negligible' | 'fine' | 'noticeable';
/** Which mark is drawn (mockups/README.md). */
export type Mark = 'ok' | 'noticeable' | 'over' | 'cannot-tell' | 'no-data';

/** What a verdict rests on: the figures of one hop (or one path end to end) over one window. */
export interface ToJudge {
  /** crossings with a figure or without, and distinct requests */
  count: number;
  requests: number;
  unanswered: number;
  /** of the corrected added latency; null when nothing could be given a figure */
  p50Ms: Millis | null;
  p95Ms: Millis | null;
  /** +/- of those figures; null = open interval (not known at all) */
  boundMs: Millis | null;
  /** through the broker's site where the broker is witnessed */
  floorMs: Millis;
  /** end to end */
  directFloorMs: Millis;
  budgetMs: Millis;
  /** p95 of the legs of a message, where the broker was seen; with their floors */
  legs?: LegToJudge[] | null;
  /** this hop's own normal, where known */
  baselineMs?: Millis | null;
  /** crossings by clock label: says why we cannot tell */
  clocks?: { assumed: number; clockWrong: number; overlap: number; contradiction?: number };
  /** devices whose clocks contradict each other on this hop, by name */
  contradicting?: string[] | undefined;
  names?: VerdictNames;
}

export interface LegToJudge {
  leg: 'uplink' | 'broker' | 'downlink';
  p95Ms: Millis | null;
  floorMs: Millis;
}

/** Words for the sentence; each may be '' when unknown. Sites as people call them. */
export interface VerdictNames {
  fromService: string;
  fromSite: string;
  toService: string;
  toSite: string;
  brokerSite: string;
}

export interface Judgement {
  verdict: Verdict;
  /** only with `move`: what has to move */
  moveWhat: 'broker' | 'workload' | null;
  /** only with `fix-path`: the part that is to blame */
  blame: 'uplink' | 'broker' | 'downlink' | 'baseline' | null;
  /** one sentence a person can act on, with its numbers */
  reason: string;
  severity: Severity | null;
  mark: Mark;
  /** p95 + bound and max(p95 - bound, floor); null when there is no figure */
  hiMs: Millis | null;
  loMs: Millis | null;
}

/** At least so many unanswered, and at least this share of all. */
const leastUnanswered = 3;
const leastUnansweredShare = 0.01;
const negligibleMs = 2;
const fineMs = 10;
/** Fewer crossings than this are judged all the same, and the sentence says how few they were. */
const few = 3;

/**
 * The verdict over one window (design.md section 3): hi = p95 + bound, lo = max(p95 - bound, floor). A floor over budget is `move` whatever
 * the clocks say, since no repair of the network can help. A range is judged once; the history of an alert is somebody else's fold.
 */
export function judge(figures: ToJudge): Judgement {
  const { count, requests, unanswered, p95Ms, boundMs, floorMs, directFloorMs, budgetMs } = figures;
  const hiMs = p95Ms === null || boundMs === null ? null : p95Ms + boundMs;
  const loMs = p95Ms === null ? null : Math.max(p95Ms - (boundMs ?? Number.POSITIVE_INFINITY), floorMs);
  const answer = (verdict: Verdict, reason: string, more: Partial<Judgement> = {}): Judgement => ({
    verdict,
    moveWhat: null,
    blame: null,
    reason,
    severity: p95Ms === null ? null : severityOf(p95Ms),
    mark: markOf(verdict),
    hiMs,
    loMs,
    ...more,
  });

  const asked = requests + unanswered;
  if (unanswered >= leastUnanswered && unanswered >= leastUnansweredShare * asked) {
    return answer('unanswered', unansweredSentence(figures, asked));
  }
  if (count === 0) return answer('no-data', 'No request in this window.');
  if (floorMs > budgetMs) {
    const moveWhat = directFloorMs <= budgetMs ? 'broker' : 'workload';
    return answer('move', moveSentence(figures, moveWhat), { moveWhat });
  }
  if (hiMs !== null && hiMs <= budgetMs) {
    return answer('leave', leaveSentence(figures), { mark: isNoticeable(figures, hiMs) ? 'noticeable' : 'ok' });
  }
  if (loMs !== null && loMs > budgetMs) {
    const blame = blameOf(figures);
    return answer('fix-path', fixSentence(figures, blame), { blame });
  }
  return answer('cannot-tell', doubtSentence(figures));
}

/** Words for people, whatever the budget. */
export const severityOf = (ms: Millis): Severity =>
  ms <= negligibleMs ? 'negligible' : ms < fineMs ? 'fine' : 'noticeable';

function markOf(verdict: Verdict): Mark {
  switch (verdict) {
    case 'leave':
      return 'ok';
    case 'move':
    case 'fix-path':
    case 'unanswered':
      return 'over';
    default:
      return verdict;
  }
}

/** Inside `leave`: worth a look. Clearly over its own normal, or nearly through its budget. */
function isNoticeable({ p50Ms, baselineMs, budgetMs }: ToJudge, hiMs: Millis): boolean {
  if (baselineMs != null && p50Ms !== null && isOverBaseline(p50Ms, baselineMs)) return true;
  return hiMs >= fineMs && hiMs > 0.8 * budgetMs;
}

const isOverBaseline = (p50Ms: Millis, baselineMs: Millis): boolean =>
  p50Ms > baselineMs + negligibleMs && p50Ms > 1.2 * baselineMs;

/** The leg with most of the time that fibre does not explain; without legs, a normal that was within budget. */
function blameOf({ p50Ms, legs, baselineMs, budgetMs }: ToJudge): Judgement['blame'] {
  let worst: LegToJudge | null = null;
  for (const leg of legs ?? [])
    if (leg.p95Ms !== null && (worst === null || overFloor(leg) > overFloor(worst))) worst = leg;
  if (worst) return worst.leg;
  return baselineMs != null && p50Ms !== null && baselineMs <= budgetMs && isOverBaseline(p50Ms, baselineMs)
    ? 'baseline'
    : null;
}

const overFloor = (leg: LegToJudge): Millis => leg.p95Ms! - leg.floorMs;

// ---- sentences: what it is, what it is compared with, what to do

const noNames: VerdictNames = { fromService: '', fromSite: '', toService: '', toSite: '', brokerSite: '' };
const or = (text: string, otherwise: string): string => (text === '' ? otherwise : text);

/** " between Hannover and Ashburn", " within Hannover", '' where an end is unknown. */
function betweenSites({ fromSite, toSite }: VerdictNames): string {
  if (fromSite === '' || toSite === '') return '';
  return fromSite === toSite ? ` within ${fromSite}` : ` between ${fromSite} and ${toSite}`;
}

/** Under 100 one decimal, from 100 none, from 10 s in seconds. */
export function spokenMs(ms: Millis): string {
  if (Math.abs(ms) >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const digits = Math.abs(ms) >= 99.95 ? ms.toFixed(0) : ms.toFixed(1);
  return `${digits.replace(/(\d)(\d{3})$/, '$1,$2')} ms`;
}

/** As people say them: 10 ms, 1.5 s, 2 s. */
export function spokenBudget(ms: Millis): string {
  if (ms >= 1000) return `${Number((ms / 1000).toFixed(1))} s`;
  return `${Number(ms.toFixed(ms < 10 ? 1 : 0))} ms`;
}

const figure = ({ p95Ms, boundMs }: ToJudge): string => {
  if (p95Ms === null) return 'an unknown time';
  const plain = spokenMs(p95Ms);
  // left out where it is below the last digit shown
  return boundMs === null || boundMs < (p95Ms >= 99.95 ? 0.5 : 0.05)
    ? plain
    : `${plain} \u00b1 ${spokenMs(boundMs).replace(' ms', '')}`;
};

const howFew = ({ count }: ToJudge): string =>
  count < few ? ` Only ${count === 1 ? 'one crossing' : `${count} crossings`} in this window.` : '';

function leaveSentence(f: ToJudge): string {
  const fibre = f.floorMs >= 1 ? `, of which fibre alone needs ${spokenMs(f.floorMs)}` : '';
  return `Takes ${figure(f)} of a ${spokenBudget(f.budgetMs)} budget${fibre}: leave it.${howFew(f)}`;
}

function moveSentence(f: ToJudge, what: 'broker' | 'workload'): string {
  const names = f.names ?? noNames;
  const from = or(names.fromSite, "the caller's site");
  if (what === 'broker') {
    const at = names.brokerSite === '' ? '' : ` in ${names.brokerSite}`;
    return (
      `Fibre alone takes ${spokenMs(f.floorMs)} of a ${spokenBudget(f.budgetMs)} budget by way of the broker${at}, ` +
      `${spokenMs(f.directFloorMs)} without it: give ${from} its own broker (a local bridge).${howFew(f)}`
    );
  }
  const between = betweenSites(names);
  return (
    `Fibre alone takes ${spokenMs(f.floorMs)} of a ${spokenBudget(f.budgetMs)} budget${between}: ` +
    `move ${or(names.toService, 'the workload')} to ${from}.${howFew(f)}`
  );
}

function fixSentence(f: ToJudge, blame: Judgement['blame']): string {
  const needed = f.floorMs >= 0.05 ? `fibre needs ${spokenMs(f.floorMs)}` : 'the distance needs next to nothing';
  const start = `Takes ${figure(f)} of a ${spokenBudget(f.budgetMs)} budget where ${needed}: fix the path`;
  const was =
    f.baselineMs != null && f.p50Ms !== null && isOverBaseline(f.p50Ms, f.baselineMs)
      ? ` It used to take ${spokenMs(f.baselineMs)}.`
      : '';
  if (blame === null || blame === 'baseline') return `${start}.${was}${howFew(f)}`;
  const names = f.names ?? noNames;
  const leg = f.legs!.find((l) => l.leg === blame)!;
  const where = {
    uplink: `the uplink from ${or(names.fromSite, 'the sender')}`,
    broker: `the broker${names.brokerSite === '' ? '' : ` in ${names.brokerSite}`}`,
    downlink: `the downlink to ${or(names.toSite, 'the receiver')}`,
  }[blame];
  return `${start}, first ${where}: ${spokenMs(leg.p95Ms!)}, floor ${spokenMs(leg.floorMs)}.${was}${howFew(f)}`;
}

function unansweredSentence(f: ToJudge, asked: number): string {
  const names = f.names ?? noNames;
  const share = (f.unanswered / asked) * 100;
  const at = names.toSite === '' ? '' : ` in ${names.toSite}`;
  return (
    `${f.unanswered} of ${asked} requests got no answer (${share < 10 ? share.toFixed(1) : share.toFixed(0)} %): ` +
    `see whether ${or(names.toService, 'the consumer')}${at} still runs and listens.`
  );
}

/** Up to four by name: "a, b and c". */
function namedOr(names: readonly string[], otherwise: string): string {
  if (names.length === 0) return otherwise;
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  return shown.length === 1 ? shown[0]! : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}

function doubtSentence(f: ToJudge): string {
  const { clocks, count, budgetMs } = f;
  const names = f.names ?? noNames;
  const ends = betweenSites(names);
  if (clocks && (clocks.contradiction ?? 0) > 0.05 * count) {
    return `The clocks of ${namedOr(f.contradicting ?? [], `the devices${ends}`)} contradict each other, so no figure is sure: see whether one was set by hand, or a message was replayed.${howFew(f)}`;
  }
  if (clocks && clocks.clockWrong > 0.05 * count) {
    return `The clocks${ends} are wrong by more than the way takes, so only "at least ${spokenMs(f.floorMs)}" is sure: set the clocks (NTP), or switch on the echo.${howFew(f)}`;
  }
  if (clocks && clocks.assumed > 0.05 * count) {
    return `Messages go one way only, so nothing ties the clocks${ends} together; taken as they stand it is ${figure(f)} of ${spokenBudget(budgetMs)}: switch on the echo.${howFew(f)}`;
  }
  if (f.p95Ms === null) {
    return `No crossing could be given a figure: the servers worked on after their answers, or the clients gave up.${howFew(f)}`;
  }
  if (f.boundMs === null) return `The clocks${ends} are not tied together: switch on the echo.${howFew(f)}`;
  return `Takes ${figure(f)}, and the budget of ${spokenBudget(budgetMs)} lies within that range: tie the clocks${ends} closer (echo, or traffic both ways) to tell.${howFew(f)}`;
}
