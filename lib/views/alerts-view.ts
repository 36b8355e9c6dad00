import * as z from 'zod';
import { type Alert, alertSeverities, detectedAfterMs, recoveredAfterMs, ruleIds } from '../domain/alert.ts';
import { alertItem, alertStateOf, openAlerts } from './alert-item.ts';
import { type AlertItem, type AlertsView, alertStateSchema } from './alert-schemas.ts';
import { rangeOf, type ViewContext } from './context.ts';
import { choiceField, limitField, QueryProblem, rangeFields, textField } from './query.ts';
import { alertsFrom } from './range.ts';
import type { RangeView } from './schemas.ts';
import { seesAll, visibleAlert } from './visibility.ts';
import { instantOf } from './words.ts';

export const alertsQuerySchema = z.object({
  from: rangeFields.from.describe('now-7d, RFC 3339 or epoch milliseconds; default now-7d'),
  to: rangeFields.to,
  state: choiceField(alertStateSchema.options, 'alerts in this state'),
  rule: choiceField(ruleIds, 'alerts of this rule'),
  severity: choiceField(alertSeverities, 'alerts of this severity'),
  application: textField('alerts that tell of this application'),
  limit: limitField(100, 1_000),
  cursor: textField('nextCursor of the page before'),
});
export type AlertsQuery = z.output<typeof alertsQuerySchema>;

/** read at once, and at most this often: ten years of alerts are not added up for a page */
const chunk = 1_000;
const mostChunks = 10;
const steps = 28;
const stepChoicesMs = [60_000, 300_000, 900_000, 3_600_000, 6 * 3_600_000, 86_400_000, 7 * 86_400_000];

/** What is going on, then what was: with how fast it was noticed and over. */
export function alertsView(context: ViewContext, query: AlertsQuery): AlertsView {
  const range = rangeOf(context, { from: query.from ?? alertsFrom, to: query.to });
  const cursor = cursorOf(query.cursor);
  const silences = context.state.silences.active(context.nowMs);
  const fits = (alert: Alert): boolean => matches(alert, query);
  const open = openAlerts(context);
  const fired = firedWithin(context, range);
  const past = fired.filter((alert) => alert.phase === 'resolved' && fits(alert) && isAfter(alert, cursor));
  const page = past.slice(0, query.limit);
  const last = page.at(-1);
  const items = [...(cursor === null ? open.filter(fits) : []), ...page].map((alert) => alertItem(alert, silences));
  return {
    now: instantOf(context.nowMs),
    range,
    items,
    nextCursor: past.length > page.length && last ? `${placeOf(last)}.${last.id}` : null,
    counts: countsOf(open.map((alert) => alertItem(alert, silences))),
    times: timesOf(fired.filter(fits), range),
    applications: [...new Set([...open, ...fired].flatMap((alert) => alert.applications))].sort(),
    targets: seesAll(context.viewer) ? (context.delivery?.targets().length ?? 0) : null,
    emptyReason: items.length > 0 ? null : whyNone(query, open.length + fired.length > 0),
  };
}

/** How many wait for a person: what the navigation shows. */
export const openAlertCount = (context: ViewContext): number =>
  openAlerts(context).filter((alert) => alert.phase === 'firing').length;

function firedWithin({ state, viewer }: ViewContext, { fromMs, toMs }: RangeView): Alert[] {
  const alerts: Alert[] = [];
  let beforeMs = toMs;
  for (let round = 0; round < mostChunks; round++) {
    const read = state.alerts.list({ fromMs, toMs: beforeMs, limit: chunk });
    alerts.push(...read);
    if (read.length < chunk) break;
    // several begin in one moment: what was read of the last one's is read again
    beforeMs = placeOf(read.at(-1)!) + 1;
    if (placeOf(read[0]!) < beforeMs) break;
    while (alerts.length > 0 && placeOf(alerts.at(-1)!) < beforeMs) alerts.pop();
  }
  return alerts
    .map((alert) => visibleAlert(viewer, alert))
    .filter((alert) => alert !== null && alert.firedMs !== null) as Alert[];
}

const matches = (alert: Alert, { state, rule, severity, application }: AlertsQuery): boolean =>
  (state === undefined || alertStateOf(alert) === state) &&
  (rule === undefined || alert.rule === rule) &&
  (severity === undefined || alert.severity === severity) &&
  (application === undefined || alert.applications.includes(application));

function countsOf(items: AlertItem[]): AlertsView['counts'] {
  const of = (state: AlertItem['state']): number => items.filter((item) => item.state === state).length;
  return {
    pending: of('pending'),
    open: of('open'),
    acknowledged: of('acknowledged'),
    silenced: items.filter((item) => item.silencedUntil !== null).length,
  };
}

function timesOf(alerts: Alert[], { fromMs, toMs }: RangeView): AlertsView['times'] {
  const stepMs = stepChoicesMs.find((step) => (toMs - fromMs) / step <= steps) ?? (toMs - fromMs) / steps;
  const first = Math.floor(fromMs / stepMs);
  const last = Math.ceil(toMs / stepMs);
  const byStep = Map.groupBy(alerts, (alert) => Math.floor(placeOf(alert) / stepMs));
  return {
    ...meansOf(alerts),
    stepMs,
    steps: Array.from({ length: last - first }, (_, i) => ({
      timeMs: (first + i) * stepMs,
      ...meansOf(byStep.get(first + i) ?? []),
    })),
  };
}

const meansOf = (alerts: Alert[]) => ({
  fired: alerts.length,
  resolved: alerts.filter((alert) => alert.resolvedMs !== null).length,
  detectedAfterMs: meanOf(alerts.map(detectedAfterMs)),
  recoveredAfterMs: meanOf(alerts.map(recoveredAfterMs)),
});

function meanOf(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Where it stands in the list: the store sorts by the same moment, then by id. */
const placeOf = (alert: Alert): number => alert.firedMs ?? alert.seenMs;

interface Cursor {
  atMs: number;
  id: string;
}

const isAfter = (alert: Alert, cursor: Cursor | null): boolean =>
  cursor === null || placeOf(alert) < cursor.atMs || (placeOf(alert) === cursor.atMs && alert.id > cursor.id);

function cursorOf(text: string | undefined): Cursor | null {
  if (text === undefined) return null;
  const match = /^(\d{1,16})\.(.{1,200})$/.exec(text);
  if (match) return { atMs: Number(match[1]), id: match[2]! };
  throw new QueryProblem([
    { parameter: 'cursor', found: text.slice(0, 100), wanted: 'the nextCursor of the page before' },
  ]);
}

function whyNone({ state, rule, severity, application }: AlertsQuery, filteredAway: boolean): string {
  if (filteredAway && [state, rule, severity, application].some((filter) => filter !== undefined))
    return 'No alert of this range fits the filter.';
  return 'Nothing is open, and nothing fired in this range.';
}
