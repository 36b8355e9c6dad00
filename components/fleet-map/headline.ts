import type { FleetView, Mark } from '#lib/views/schemas.ts';
import { plural } from '../ui/format.ts';

/** The fleet's verdict in one sentence: the worst thing first, with its two numbers. */
export function headline(view: FleetView): { mark: Mark; lead: string; rest: string } {
  const { over, noticeable, cannotTell, ok, noData } = view.hopMarks;
  const first = view.decisions[0];
  if (over > 0) {
    const worst = first?.mark === 'over' ? first : undefined;
    const verb = worst?.verdict === 'unanswered' ? ': ' : ' takes ';
    const rest = worst ? `${worst.title}${verb}${worst.figure} ${worst.of}` : 'See the hops';
    return { mark: 'over', lead: `${plural(over, 'hop')} over budget.`, rest: `${rest}.` };
  }
  if (noticeable > 0) {
    return {
      mark: 'noticeable',
      lead: 'No budget broken.',
      rest: `${plural(noticeable, 'hop')} slower than usual${first ? `: ${first.title}, ${first.figure}` : ''}.`,
    };
  }
  if (cannotTell > 0 && ok === 0) {
    return {
      mark: 'cannot-tell',
      lead: 'Nothing can be judged yet.',
      rest: 'The clocks are not bounded tightly enough.',
    };
  }
  if (ok + cannotTell > 0) {
    const unsure = cannotTell > 0 ? `, ${cannotTell} cannot be told` : '';
    return { mark: 'ok', lead: 'Nothing needs a decision.', rest: `${plural(ok, 'hop')} within budget${unsure}.` };
  }
  return {
    mark: 'no-data',
    lead: noData > 0 ? 'Too few requests to judge.' : 'No hops yet.',
    rest:
      noData > 0
        ? `${plural(noData, 'hop')} seen, none with enough crossings in this range.`
        : 'Data arrives, but no request has crossed from one service to another in this range.',
  };
}
