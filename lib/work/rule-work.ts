import * as z from 'zod';
import { alertSeverities, type RuleId, ruleIds } from '../domain/alert.ts';
import { alertRules } from '../domain/alert-rules.ts';
import type { RulesView } from '../views/alert-schemas.ts';
import type { ViewContext } from '../views/context.ts';
import { QueryProblem } from '../views/query.ts';
import { rulesView } from '../views/rules-view.ts';
import { choiceOrNothing, flagOrNothing, numberOrNothing } from './fields.ts';
import { requireOwner } from './person.ts';

export const ruleSchema = z.object({
  rule: z.enum(ruleIds, `wanted ${ruleIds.join(' or ')}`).describe('which rule'),
  enabled: flagOrNothing('false: it looks at nothing; true if left out'),
  severity: choiceOrNothing(alertSeverities, 'left out: as the catalogue and hopscope.yaml say'),
  threshold: numberOrNothing(0, 1e9, 'in the unit of the rule; left out: as the catalogue and hopscope.yaml say'),
  forMs: numberOrNothing(0, 86_400_000, 'how long it has to be so; left out: as the catalogue and hopscope.yaml say'),
  reset: flagOrNothing('true: back to what the catalogue and hopscope.yaml say'),
});

/** What is set here goes before hopscope.yaml; who set it when is kept. */
export async function setRule(context: ViewContext, asked: z.output<typeof ruleSchema>): Promise<RulesView> {
  requireOwner(context);
  const { state, viewer, nowMs } = context;
  const { rule, enabled = true, severity = null, threshold = null, forMs = null, reset } = asked;
  if (reset) state.ruleSettings.reset(rule, viewer.name, nowMs);
  else {
    requireFitting(rule, threshold);
    state.ruleSettings.save({ rule, enabled, severity, threshold, forMs, by: viewer.name, atMs: nowMs });
  }
  return rulesView(context);
}

function requireFitting(rule: RuleId, threshold: number | null): void {
  if (threshold === null) return;
  const { threshold: standard, unit } = alertRules[rule];
  if (standard === null)
    throw new QueryProblem([
      { parameter: 'threshold', found: String(threshold), wanted: 'none: this rule has no threshold' },
    ]);
  const most = unit.startsWith('of the') ? 1 : 1e9;
  if (!(threshold > 0 && threshold <= most))
    throw new QueryProblem([
      { parameter: 'threshold', found: String(threshold), wanted: `more than 0 and at most ${most} (${unit})` },
    ]);
}
