import { type LiveState, sinceOf, sliceMs } from '#lib/domain/live-verdict.ts';
import { millisOfNanos } from '#lib/domain/units.ts';
import type { Verdict } from '#lib/domain/verdict.ts';
import type { LiveVerdict } from './store.ts';

/** A row of hop_verdicts, in either engine. */
export interface StateRow {
  hop: bigint;
  from_slice: number;
  verdict: string;
  over_since: number | null;
  unanswered_since: number | null;
}

export const stateOf = (row: StateRow): LiveState => ({
  from: row.from_slice,
  verdict: row.verdict as Verdict,
  overSince: row.over_since,
  unansweredSince: row.unanswered_since,
});

export function liveVerdictOf(row: StateRow & { budget_ns: bigint | null }): LiveVerdict {
  const state = stateOf(row);
  const begun = (slice: number | null) => (slice === null ? null : slice * sliceMs);
  return {
    hop: row.hop,
    verdict: state.verdict,
    sinceMs: sinceOf(state) * sliceMs,
    overSinceMs: begun(state.overSince),
    unansweredSinceMs: begun(state.unansweredSince),
    budgetMs: row.budget_ns === null ? null : millisOfNanos(row.budget_ns),
  };
}
