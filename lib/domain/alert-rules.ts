import { type AlertSeverity, type RuleId, type RuleSetting, ruleIds } from './alert.ts';
import type { Millis } from './units.ts';

/** A rule in plain words, as the catalogue has it. */
export interface AlertRule {
  id: RuleId;
  title: string;
  /** of the threshold, as people say it; '' where there is none to set */
  unit: string;
  /** null: there is none to set */
  threshold: number | null;
  /** how long it has to be bad before anybody is woken, beyond what the verdict has waited already */
  forMs: Millis;
  severity: AlertSeverity;
  /** when it is bad; {threshold} stands for the number with its unit */
  condition: string;
  /** what an alert says */
  finding: string;
}

const second = 1_000;

export const alertRules: Record<RuleId, AlertRule> = {
  'over-budget': {
    id: 'over-budget',
    title: 'A hop is over its budget',
    unit: 'x budget',
    threshold: 1,
    forMs: 0,
    severity: 'critical',
    condition:
      'More crossings of the last minute (stretched back until it holds 20) are over {threshold} than one in twenty explains, their bounds allowed for. Ends after three windows with 95 of 100 within it.',
    finding: 'What the hop adds at p95, its bound, its budget, and whether the path or the place is to blame.',
  },
  'path-over-budget': {
    id: 'path-over-budget',
    title: 'A request path is over its budget',
    unit: 'x budget',
    threshold: 1,
    forMs: 0,
    severity: 'critical',
    condition:
      'More requests of the last minute (stretched back until it holds 20) take longer end to end than {threshold} than one in twenty explains. Ends after three windows with 95 of 100 within it.',
    finding: 'What the path takes at p95, its budget, and the hop or the work that takes the most of it.',
  },
  unanswered: {
    id: 'unanswered',
    title: 'Requests get no answer',
    unit: 'of the requests',
    threshold: 0.01,
    forMs: 0,
    severity: 'critical',
    condition:
      'At least {threshold} and at least 3 requests of the last minute were not answered by who used to answer them.',
    finding: 'How many of how many requests got no answer, and who should have answered.',
  },
  'silent-topic': {
    id: 'silent-topic',
    title: 'A topic went quiet',
    unit: 'x its usual pause',
    threshold: 5,
    forMs: 0,
    severity: 'warning',
    condition: 'Nothing was published for {threshold}, learned from at least 20 messages over at least 10 minutes.',
    finding: 'How long it has been quiet, how often it used to speak, and who published it.',
  },
  'device-down': {
    id: 'device-down',
    title: 'A device is down',
    unit: '',
    threshold: null,
    forMs: 5 * second,
    severity: 'critical',
    condition: 'Its Last Will says so, or it reports about itself and has been silent for more than three intervals.',
    finding: 'Since when, and how we know.',
  },
  'clock-stepped': {
    id: 'clock-stepped',
    title: 'A clock stepped',
    unit: 'ms',
    threshold: 20,
    forMs: 0,
    severity: 'warning',
    condition:
      'The clock of a device jumped by {threshold} or more, proven by what was sent before and after. Ends 10 minutes after the last step.',
    finding: 'Which clock, by how much, when.',
  },
  'broker-lost': {
    id: 'broker-lost',
    title: 'The connection to a broker is lost',
    unit: '',
    threshold: null,
    forMs: 10 * second,
    severity: 'critical',
    condition: 'We have not been connected to it.',
    finding: 'Which broker, and since when.',
  },
  'drop-outs': {
    id: 'drop-outs',
    title: 'A device drops out again and again',
    unit: 'of the last hour',
    threshold: 0.05,
    forMs: 0,
    severity: 'warning',
    condition:
      'It was lost at least 3 times within the last hour, for {threshold} or more. Ends after 30 minutes without.',
    finding: 'How often, and which share of the time was lost.',
  },
  'own-health': {
    id: 'own-health',
    title: 'Hopscope itself is not well',
    unit: 's behind',
    threshold: 120,
    forMs: 60 * second,
    severity: 'critical',
    condition:
      'A part of Hopscope says why it is not ready, a collector went silent without being stopped, the books do not add up, or what was acknowledged is {threshold} and waits for the store.',
    finding: 'Which part, in its own words.',
  },
};

/** What the YAML says of a rule; undefined leaves it as the catalogue has it. */
export interface RuleChange {
  rule: RuleId;
  enabled?: boolean | undefined;
  severity?: AlertSeverity | undefined;
  threshold?: number | undefined;
  forMs?: Millis | undefined;
}

/** A rule as it is in force, and who said so. */
export interface RuleInForce extends AlertRule {
  enabled: boolean;
  from: 'catalogue' | 'file' | 'page';
}

export type RulesInForce = Record<RuleId, RuleInForce>;

/** The catalogue, overlaid by the file, overlaid by the page. A rule without a threshold gets none. */
export function rulesInForce(file: readonly RuleChange[], page: readonly RuleSetting[]): RulesInForce {
  const inForce = (id: RuleId): RuleInForce => {
    const rule = alertRules[id];
    const said = file.find((each) => each.rule === id);
    const set = page.find((each) => each.rule === id);
    return {
      ...rule,
      enabled: set?.enabled ?? said?.enabled ?? true,
      severity: set?.severity ?? said?.severity ?? rule.severity,
      threshold: rule.threshold === null ? null : (set?.threshold ?? said?.threshold ?? rule.threshold),
      forMs: set?.forMs ?? said?.forMs ?? rule.forMs,
      from: set ? 'page' : said ? 'file' : 'catalogue',
    };
  };
  return Object.fromEntries(ruleIds.map((id) => [id, inForce(id)])) as RulesInForce;
}

/** "1 x budget", "5 %", "20 ms". */
export function spokenThreshold({ threshold, unit }: Pick<AlertRule, 'threshold' | 'unit'>): string {
  if (threshold === null) return '';
  if (unit.startsWith('of the')) return `${Number((threshold * 100).toFixed(2))} % ${unit}`;
  return `${threshold} ${unit}`;
}

/** The condition with its number in it. */
export const conditionOf = (rule: AlertRule): string => rule.condition.replace('{threshold}', spokenThreshold(rule));
