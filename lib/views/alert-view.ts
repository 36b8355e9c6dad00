import * as z from 'zod';
import type { Alert, Marker } from '../domain/alert.ts';
import { silenceOf } from '../domain/alert-matcher.ts';
import { alertRules } from '../domain/alert-rules.ts';
import type { EpochMillis } from '../domain/units.ts';
import { HopscopeError } from '../errors.ts';
import { type Around, courseOf } from './alert-course.ts';
import { alertItem, subjectHref } from './alert-item.ts';
import type { AlertView } from './alert-schemas.ts';
import { openAlertCount } from './alerts-view.ts';
import type { ViewContext } from './context.ts';
import { visibleMarkers } from './markers-view.ts';
import { notFound } from './query.ts';
import { traceView } from './trace-view.ts';
import { seesAll, visibleAlert } from './visibility.ts';
import { instantOf } from './words.ts';

export const alertQuerySchema = z.object({});

const hourMs = 3_600_000;
/** of the hour that is drawn, at least this much lies before the beginning */
const leadMs = 20 * 60_000;
const mostParts = 60;
const mostMarkers = 12;

/** The alert, if there is such a one for this viewer. */
export function alertFor({ state, viewer }: ViewContext, id: string): Alert {
  const kept = state.alerts.get(id);
  const alert = kept && visibleAlert(viewer, kept);
  if (!alert) throw notFound('alert');
  return alert;
}

/** All that on-call needs of one alert: what broke, how bad, since when, what changed, whose it is, the way out. */
export async function alertView(context: ViewContext, { id }: { id: string }): Promise<AlertView> {
  const { state, viewer, nowMs } = context;
  const alert = alertFor(context, id);
  const silences = state.silences.active(nowMs);
  const silence = alert.phase === 'resolved' ? null : (silenceOf(alert, silences) ?? null);
  const around = hourAround(alert, nowMs);
  const [course, example, markers] = await Promise.all([
    courseOf(context, alert, around),
    exampleOf(context, alert),
    visibleMarkers(context, around.fromMs, around.toMs),
  ]);
  return {
    now: instantOf(nowMs),
    alert: alertItem(alert, silences),
    href: subjectHref(alert.subject, around.fromMs, around.toMs),
    place: course?.place ?? '',
    changes: alert.changes.map(({ kind, timeMs, title, text, href }) => ({
      kind,
      at: instantOf(timeMs),
      beforeMs: alert.sinceMs - timeMs,
      title,
      text,
      href,
    })),
    chart: course && { ...around, ...course.chart, markers: spokenChanges(alert, markers, around) },
    example,
    folded: alert.folded.map(({ rule, subject, sentence, sinceMs, untilMs }) => ({
      rule,
      ruleTitle: alertRules[rule].title,
      subject,
      href: subjectHref(subject, around.fromMs, around.toMs),
      sentence,
      since: instantOf(sinceMs),
      until: untilMs === null ? null : instantOf(untilMs),
    })),
    silence: silence && {
      id: silence.id,
      by: silence.by,
      reason: silence.reason,
      until: instantOf(silence.untilMs),
    },
    history: state.alerts
      .history(alert.id)
      // what was folded in stands there in its own words
      .filter(({ what }) => seesAll(viewer) || (what !== 'folded' && what !== 'unfolded'))
      .map(({ timeMs, who, what, text }) => ({ at: instantOf(timeMs), who, what, text })),
    messages: state.notifications.ofAlert(alert.id).map((message) => ({
      target: message.target,
      status: message.status,
      state: message.state,
      attempts: message.attempts,
      error: message.error,
      at: instantOf(message.doneMs ?? message.dueMs),
    })),
    open: openAlertCount(context),
  };
}

/** The last hour while that holds the beginning, else an hour with the beginning in it. */
function hourAround({ sinceMs }: Alert, nowMs: EpochMillis): Around {
  const toMs = Math.min(nowMs, sinceMs + hourMs - leadMs);
  return { fromMs: toMs - hourMs, toMs };
}

/** Markers of the hour; what changed just before it began speaks even if it was no deploy. */
function spokenChanges(
  { changes }: Alert,
  markers: Marker[],
  { fromMs, toMs }: Around,
): { timeMs: number; text: string }[] {
  const spoken = [...changes, ...markers].filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs);
  const byText = new Map(spoken.map(({ timeMs, title }) => [`${timeMs} ${title}`, { timeMs, text: title }]));
  return [...byText.values()].sort((a, b) => a.timeMs - b.timeMs).slice(-mostMarkers);
}

async function exampleOf(context: ViewContext, { exampleTraceId }: Alert): Promise<AlertView['example']> {
  if (exampleTraceId === null) return null;
  try {
    const { traceId, totalMs, totalBoundMs, ledger } = await traceView(context, { traceId: exampleTraceId });
    const parts = ledger.map(({ kind, ms, startMs }) => ({ kind, ms, startMs }));
    return { traceId, totalMs, totalBoundMs, parts: parts.slice(0, mostParts) };
  } catch (error) {
    // an alert is kept for longer than its requests
    if (error instanceof HopscopeError && error.code === 'not-found') return null;
    throw error;
  }
}
