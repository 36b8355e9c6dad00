import * as z from 'zod';
import type { Alert, AlertEvent } from '../domain/alert.ts';
import type { AlertView } from '../views/alert-schemas.ts';
import { alertFor, alertView } from '../views/alert-view.ts';
import type { ViewContext } from '../views/context.ts';
import { QueryProblem } from '../views/query.ts';
import { textOf, textOrNothing } from './fields.ts';
import { requireMember } from './person.ts';
import { addSilence, lengthField, lengthOf } from './silence-work.ts';

/** What people do about an alert. Each is a line of its history with their name, written with the change or not at all. */

export const nothingSchema = z.object({});

export const commentSchema = z.object({ text: textOf(2_000, 'what there is to say') });
export const assignSchema = z.object({ to: textOrNothing(100, 'who looks after it; nothing: nobody in particular') });
export const silenceAlertSchema = z.object({
  forMs: lengthField,
  reason: textOrNothing(500, 'why nobody has to be told'),
});

type Of<T> = T & { id: string };

export async function acknowledge(context: ViewContext, { id }: { id: string }): Promise<AlertView> {
  const { viewer, nowMs } = context;
  work(context, id, 'acknowledged', (alert) => {
    // twice is once: two people tap the same link
    if (alert.acknowledged !== null || alert.phase === 'resolved') return null;
    return { alert: { ...alert, acknowledged: { by: viewer.name, atMs: nowMs } }, text: '' };
  });
  return alertView(context, { id });
}

export async function unacknowledge(context: ViewContext, { id }: { id: string }): Promise<AlertView> {
  work(context, id, 'unacknowledged', (alert) =>
    alert.acknowledged === null ? null : { alert: { ...alert, acknowledged: null }, text: '' },
  );
  return alertView(context, { id });
}

export async function comment(
  context: ViewContext,
  { id, text }: Of<z.output<typeof commentSchema>>,
): Promise<AlertView> {
  work(context, id, 'commented', (alert) => ({ alert, text }));
  return alertView(context, { id });
}

export async function assign(context: ViewContext, { id, to }: Of<z.output<typeof assignSchema>>): Promise<AlertView> {
  const assignedTo = to ?? null;
  work(context, id, 'assigned', (alert) =>
    alert.assignedTo === assignedTo
      ? null
      : { alert: { ...alert, assignedTo }, text: assignedTo === null ? 'to nobody' : `to ${assignedTo}` },
  );
  return alertView(context, { id });
}

/** Nothing more is sent about this cause for a while. */
export async function silenceAlert(
  context: ViewContext,
  { id, forMs, reason }: Of<z.output<typeof silenceAlertSchema>>,
): Promise<AlertView> {
  requireMember(context);
  const { fingerprint, phase } = alertFor(context, id);
  if (phase === 'resolved')
    throw new QueryProblem([{ parameter: 'id', found: 'an alert that is resolved', wanted: 'one that is not' }]);
  const { nowMs } = context;
  context.state.transaction(() => {
    addSilence(context, {
      matcher: { fingerprint },
      reason: reason ?? 'from the page of the alert',
      fromMs: nowMs,
      untilMs: nowMs + lengthOf(forMs),
    });
  });
  return alertView(context, { id });
}

/** Reads, changes and logs in one transaction; null: there is nothing to change. */
function work(
  context: ViewContext,
  id: string,
  what: AlertEvent['what'],
  change: (alert: Alert) => { alert: Alert; text: string } | null,
): void {
  requireMember(context);
  const { state, viewer, nowMs } = context;
  state.transaction(() => {
    // 404 before anything is said about the alert; the whole of it is kept, whatever this viewer sees of it
    alertFor(context, id);
    const before = state.alerts.get(id)!;
    const done = change(before);
    if (done === null) return;
    if (done.alert !== before) state.alerts.save(done.alert);
    state.alerts.log(id, { timeMs: nowMs, who: viewer.name, what, text: done.text });
  });
}
