import type { RuleId } from '#lib/domain/alert.ts';
import type { AlertItem } from '#lib/views/alert-schemas.ts';
import type { Mark } from '#lib/views/schemas.ts';
import { formatAge, formatClock } from '../ui/format.ts';
import { BrokenArrow, markTextClass, markTintClass, VerdictMark } from '../verdict-badge/verdict-mark.tsx';

/** What broke, in two words: the rule's title says it in full. */
export const chipWords: Record<RuleId, string> = {
  'over-budget': 'Over budget',
  'path-over-budget': 'Path over budget',
  unanswered: 'Unanswered',
  'silent-topic': 'Silent topic',
  'device-down': 'Device down',
  'clock-stepped': 'Clock stepped',
  'broker-lost': 'Broker lost',
  'drop-outs': 'Drop-outs',
  'own-health': 'Hopscope itself',
};

/** Inside a sentence; our own name stays as it is. */
export const chipPhrase = (rule: RuleId): string =>
  rule === 'own-health' ? chipWords[rule] : chipWords[rule].toLowerCase();

export const stateWords: Record<AlertItem['state'], string> = {
  pending: 'Pending',
  open: 'Open',
  acknowledged: 'Acknowledged',
  resolved: 'Resolved',
};

export const severityMarks: Record<AlertItem['severity'], Mark> = {
  critical: 'over',
  warning: 'noticeable',
  info: 'no-data',
};

export const alertMark = ({ state, severity }: Pick<AlertItem, 'state' | 'severity'>): Mark =>
  state === 'resolved' ? 'ok' : state === 'pending' ? 'no-data' : severityMarks[severity];

export function AlertMark({
  alert,
  className,
}: {
  alert: Pick<AlertItem, 'state' | 'severity' | 'rule'>;
  className?: string;
}) {
  const mark = alertMark(alert);
  return alert.rule === 'unanswered' && mark !== 'ok' ? (
    <BrokenArrow className={className ?? markTextClass[mark]} />
  ) : (
    <VerdictMark mark={mark} decorative {...(className ? { className } : {})} />
  );
}

/** The tinted pill above the headline. */
export function AlertChip({ alert }: { alert: Pick<AlertItem, 'state' | 'severity' | 'rule'> }) {
  const mark = alertMark(alert);
  return (
    <span
      className={`chip inline-flex h-6 items-center gap-1.5 rounded-pill px-2.5 text-dense font-control whitespace-nowrap max-phone:h-7 max-phone:rounded-[14px] ${markTintClass[mark]} ${markTextClass[mark]}`}
    >
      <AlertMark alert={alert} />
      {alert.state === 'resolved' ? `Resolved: ${chipPhrase(alert.rule)}` : chipWords[alert.rule]}
    </span>
  );
}

/** "open 18 min, not acknowledged" */
export function standing(alert: AlertItem, nowMs: number): string {
  const since = Date.parse(alert.since);
  if (alert.state === 'resolved')
    return `over after ${formatAge(alert.recoveredAfterMs ?? 0)}, at ${formatClock(Date.parse(alert.resolvedAt!))} UTC`;
  const age = formatAge(nowMs - since);
  if (alert.state === 'pending') return `bad for ${age}, nobody was told yet`;
  const taken = alert.acknowledged
    ? `acknowledged by ${alert.acknowledged.by} at ${formatClock(Date.parse(alert.acknowledged.at))} UTC`
    : 'not acknowledged';
  return `open ${age}, ${taken}`;
}

export const isOpen = ({ state }: Pick<AlertItem, 'state'>): boolean => state === 'open' || state === 'acknowledged';

/** As a form offers them. */
export const severityChoices = [
  { value: 'critical', text: 'Critical' },
  { value: 'warning', text: 'Warning' },
  { value: 'info', text: 'Info' },
];
