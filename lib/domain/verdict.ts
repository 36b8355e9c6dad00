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
  clocks?: { assumed: number; clockWrong: number; overlap: number };
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

export function judge(_figures: ToJudge): Judgement {
  throw new Error('not built yet');
}

export function severityOf(_ms: Millis): Severity {
  throw new Error('not built yet');
}
