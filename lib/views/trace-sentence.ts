import type { Millis } from '../domain/units.ts';
import type { Verdict } from '../domain/verdict.ts';
import { spokenBudget, spokenMs } from '../domain/verdict.ts';
import type { LedgerLine } from './schemas.ts';
import { restricted } from './trace-mask.ts';
import { sayBound, sayShare } from './words.ts';

const network: ReadonlySet<LedgerLine['kind']> = new Set(['uplink', 'downlink', 'request', 'reply']);
export const isNetwork = (kind: LedgerLine['kind']): boolean => network.has(kind);

const sum = (lines: LedgerLine[]): Millis => lines.reduce((total, line) => total + line.ms, 0);

/** Share of the total that is network; null where there is no total to have a share of. */
export function distanceShareOf(ledger: LedgerLine[], totalMs: Millis): number | null {
  if (!(totalMs > 0)) return null;
  return Math.min(1, Math.max(0, sum(ledger.filter((line) => isNetwork(line.kind))) / totalMs));
}

export interface TraceToTell {
  rootName: string;
  totalMs: Millis;
  boundMs: Millis | null;
  budgetMs: Millis | null;
  floorMs: Millis;
  verdict: Verdict;
  moveWhat: 'broker' | 'workload' | null;
  ledger: LedgerLine[];
  hasRoot: boolean;
}

/** Where the time went, then what to do about it: the first thing read on the page of a trace. */
export function traceSentence(trace: TraceToTell): string {
  return `${whereItWent(trace)} ${whatToDo(trace)}`.trim();
}

function whereItWent({ ledger, totalMs }: TraceToTell): string {
  const share = distanceShareOf(ledger, totalMs);
  if (share === null || ledger.length === 0) return '';
  if (share >= 0.5) return `${sayShare(share)} of this request is distance.`;
  const unseen = sum(ledger.filter((line) => line.kind === 'unknown')) / totalMs;
  if (unseen >= 0.5) return `${sayShare(unseen)} of this request cannot be seen: nothing reported what happened then.`;
  const busiest = busiestPlace(ledger);
  if (busiest && busiest.ms / totalMs >= 0.5)
    return `${sayShare(busiest.ms / totalMs)} of this request is work on ${busiest.where}.`;
  if (share === 0 && busiest) return `Nothing of this request is distance; most of it is work on ${busiest.where}.`;
  return `${sayShare(share)} of this request is distance${busiest ? `, ${sayShare(busiest.ms / totalMs)} work on ${busiest.where}` : ''}.`;
}

function busiestPlace(ledger: LedgerLine[]): { where: string; ms: Millis } | null {
  const places = new Map<string, Millis>();
  for (const line of ledger) {
    if (line.kind === 'processing') places.set(line.where, (places.get(line.where) ?? 0) + line.ms);
  }
  const [busiest] = [...places].sort(([, a], [, b]) => b - a);
  return busiest ? { where: busiest[0], ms: busiest[1] } : null;
}

function whatToDo({
  rootName,
  totalMs,
  boundMs,
  budgetMs,
  floorMs,
  verdict,
  moveWhat,
  ledger,
  hasRoot,
}: TraceToTell): string {
  if (!hasRoot) return 'Its root has not arrived, so the whole is not known.';
  if (budgetMs === null) return rootName === restricted ? '' : `Nobody set a budget for "${rootName}".`;
  const took = `${spokenMs(totalMs)} of ${spokenBudget(budgetMs)}`;
  switch (verdict) {
    case 'leave':
      return `It took ${took}. Leave it.`;
    case 'move':
      return `Fibre alone needs ${spokenMs(floorMs)} of its ${spokenBudget(budgetMs)}: no tuning helps, move the ${moveWhat ?? 'workload'}.`;
    case 'cannot-tell':
      return boundMs === null
        ? `It took ${took} by clocks that nothing ties together: whether it was in time cannot be told.`
        : `It took ${spokenMs(totalMs)} ${sayBound(boundMs)} of ${spokenBudget(budgetMs)}: the clocks cannot tell whether it was in time.`;
    case 'fix-path': {
      const distanceMs = sum(ledger.filter((line) => isNetwork(line.kind)));
      const busiest = busiestPlace(ledger);
      if (busiest && busiest.ms > distanceMs) {
        return `It took ${took}; the work on ${busiest.where} takes ${spokenMs(busiest.ms)} of it. Look at the code there.`;
      }
      return `It took ${took}, where fibre needs ${spokenMs(floorMs)}. Fix the path.`;
    }
    default:
      return `It took ${took}.`;
  }
}
