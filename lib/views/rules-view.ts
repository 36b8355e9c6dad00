import * as z from 'zod';
import { type RuleSetting, ruleIds } from '../domain/alert.ts';
import { alertRules, conditionOf, rulesInForce, spokenThreshold } from '../domain/alert-rules.ts';
import { leastBudgetMs } from '../domain/budget.ts';
import type { BudgetRule } from '../domain/rule.ts';
import type { RulesView } from './alert-schemas.ts';
import type { ViewContext } from './context.ts';
import { maySee } from './viewer.ts';
import { seesAll, visibleServices } from './visibility.ts';
import { instantOf, instantOrNull } from './words.ts';

export const rulesQuerySchema = z.object({});

const dayMs = 86_400_000;
const sources = { catalogue: 'catalogue', file: 'hopscope.yaml', page: 'page' } as const;

/** The catalogue as it is in force, the budgets it judges by, and who changed what. The rules themselves tell of no application. */
export async function rulesView(context: ViewContext): Promise<RulesView> {
  const { state } = context;
  const settings = state.ruleSettings.all();
  const inForce = rulesInForce(context.alertRules ?? [], settings);
  return {
    items: ruleIds.map((id) => {
      const rule = inForce[id];
      const set = settings.find((each) => each.rule === id);
      return {
        rule: id,
        title: rule.title,
        condition: conditionOf(rule),
        finding: rule.finding,
        unit: rule.threshold === null ? null : rule.unit,
        threshold: rule.threshold,
        forMs: rule.forMs,
        severity: rule.severity,
        enabled: rule.enabled,
        from: sources[rule.from],
        setBy: set?.by ?? null,
        setAt: instantOrNull(set?.atMs),
      };
    }),
    budgets: [
      ...(await visibleBudgets(context)).map((budget) => ({
        of: subjectOf(budget),
        judges: budget.totalMs === undefined ? 'each hop' : 'end to end',
        budgetMs: (budget.totalMs ?? budget.addedMs)!,
        from: 'hopscope.yaml',
      })),
      {
        of: 'any other hop, or twice its floor where that is more',
        judges: 'each hop',
        budgetMs: leastBudgetMs,
        from: 'Hopscope',
      },
    ],
    history: state.ruleSettings
      .history()
      .map(({ rule, by, atMs, setting }) => ({ at: instantOf(atMs), by, rule, text: changeWords(setting) })),
  };
}

/** A budget names what it is for, so it is shown to those who may know of that. */
async function visibleBudgets({ store, rules, viewer, nowMs }: ViewContext): Promise<BudgetRule[]> {
  if (seesAll(viewer)) return rules.budgets;
  const [services, names] = await Promise.all([store.services(), store.rootNames(nowMs - dayMs, nowMs)]);
  const visible = new Set(visibleServices(viewer, services).map((row) => row.service));
  const paths = new Set(names.filter((row) => maySee(viewer, row.application)).map((row) => row.rootName));
  return rules.budgets.filter(
    ({ application, service, path }) =>
      (application !== undefined && maySee(viewer, application)) ||
      (service !== undefined && visible.has(service)) ||
      (path !== undefined && paths.has(path)),
  );
}

function subjectOf({ path, topic, service, application }: BudgetRule): string {
  if (path !== undefined) return `path ${path}`;
  if (topic !== undefined) return `topic ${topic}`;
  return service === undefined ? `application ${application}` : `service ${service}`;
}

function changeWords(setting: RuleSetting | null): string {
  if (setting === null) return 'set back to what the catalogue and hopscope.yaml say';
  const { rule, enabled, severity, threshold, forMs } = setting;
  const words = [
    enabled ? 'on' : 'off',
    threshold === null ? '' : spokenThreshold({ ...alertRules[rule], threshold }),
    forMs === null ? '' : `for ${forMs / 1_000} s`,
    severity ?? '',
  ];
  return words.filter((word) => word !== '').join(', ');
}
