import type { RuleChange } from '../domain/alert-rules.ts';
import type { Delivery, DeliveryRules } from '../domain/delivery.ts';
import type { Rules } from '../domain/rule.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { State } from '../state/state.ts';
import type { Store } from '../store/store.ts';
import { QueryProblem } from './query.ts';
import { parseRange } from './range.ts';
import type { RangeView } from './schemas.ts';
import type { StatusSource } from './status-source.ts';
import type { Viewer } from './viewer.ts';

/** What every view is given: where to read, by which rules, for whom, and when "now" is. */
export interface ViewContext {
  store: Store;
  state: State;
  rules: Rules;
  /** what the file says of alert rules; left out: nothing */
  alertRules?: readonly RuleChange[];
  viewer: Viewer;
  nowMs: EpochMillis;
  status: StatusSource;
  /** left out where nothing is sent */
  delivery?: Delivery & Pick<DeliveryRules, 'routes'>;
  demo: boolean;
}

/** The range a query asks for; a wrong one is thrown with what was found and wanted. */
export function rangeOf(context: ViewContext, query: { from?: string; to?: string }): RangeView {
  const range = parseRange(query.from, query.to, context.nowMs);
  if ('parameter' in range) throw new QueryProblem([range]);
  return range;
}
