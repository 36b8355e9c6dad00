import type { BudgetRule } from './rule.ts';
import type { Millis } from './units.ts';

export interface HopToBudget {
  toService: string;
  toApplication: string;
  destination: string;
  floorMs: Millis;
}

/** A request path as far as budgets ask about it. */
export interface PathToBudget {
  /** root span name */
  rootName: string;
  /** of the root */
  application: string;
  /** services called on it */
  services: string[];
  /** destinations crossed on it */
  destinations: string[];
}

export interface Budget {
  ms: Millis;
  /** hop: a rule's addedMs; path: the tightest totalMs of the paths through it; default: 50 ms or twice the floor */
  from: 'hop' | 'path' | 'default';
  /** the rule in words: 'topic factory/+/button/#', 'path "button press"', 'default' */
  rule: string;
}

/** What one hop may add. `paths`: the paths through it. */
export function budgetOf(_rules: BudgetRule[], _hop: HopToBudget, _paths: PathToBudget[]): Budget {
  throw new Error('not built yet');
}

/** What a path may take end to end: the first totalMs rule that matches; null when nobody said. */
export function pathBudgetOf(_rules: BudgetRule[], _path: PathToBudget): Budget | null {
  throw new Error('not built yet');
}
