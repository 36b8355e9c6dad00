import { type Alert, detectedAfterMs, recoveredAfterMs, type Silence, type Subject } from '../domain/alert.ts';
import { silenceOf } from '../domain/alert-matcher.ts';
import { alertRules } from '../domain/alert-rules.ts';
import { alertSentence } from '../domain/alert-words.ts';
import type { AlertItem, AlertState } from './alert-schemas.ts';
import type { ViewContext } from './context.ts';
import { visibleAlert } from './visibility.ts';
import { instantOf, instantOrNull } from './words.ts';

export const alertStateOf = (alert: Alert): AlertState =>
  alert.phase === 'firing' ? (alert.acknowledged === null ? 'open' : 'acknowledged') : alert.phase;

/** Every alert that is not resolved, as far as this viewer may know of it, newest first. */
export const openAlerts = ({ state, viewer }: ViewContext): Alert[] =>
  state.alerts
    .open()
    .map((alert) => visibleAlert(viewer, alert))
    .filter((alert) => alert !== null);

export function alertItem(alert: Alert, silences: Silence[]): AlertItem {
  const silence = alert.phase === 'resolved' ? null : (silenceOf(alert, silences) ?? null);
  return {
    id: alert.id,
    fingerprint: alert.fingerprint,
    rule: alert.rule,
    ruleTitle: alertRules[alert.rule].title,
    severity: alert.severity,
    state: alertStateOf(alert),
    title: alert.title,
    sentence: alertSentence(alert),
    wayOut: alert.wayOut,
    subject: alert.subject,
    applications: alert.applications,
    owner: alert.owner,
    figure: alert.figure,
    folded: alert.folded.length,
    since: instantOf(alert.sinceMs),
    firedAt: instantOrNull(alert.firedMs),
    resolvedAt: instantOrNull(alert.resolvedMs),
    detectedAfterMs: detectedAfterMs(alert),
    recoveredAfterMs: recoveredAfterMs(alert),
    acknowledged: alert.acknowledged && { by: alert.acknowledged.by, at: instantOf(alert.acknowledged.atMs) },
    assignedTo: alert.assignedTo,
    silencedUntil: silence && instantOf(silence.untilMs),
    isLate: alert.isLate,
  };
}

/** The page of what an alert is about; with a range, over that range. */
export function subjectHref({ kind, id }: Subject, fromMs: number, toMs: number): string {
  const range = new URLSearchParams({ from: instantOf(fromMs), to: instantOf(toMs) });
  const segment = encodeURIComponent(id);
  switch (kind) {
    case 'hop':
      return `/hops/${segment}?${range}`;
    case 'path':
      return `/paths/${segment}?${range}`;
    case 'device':
      return `/devices/${segment}?${range}`;
    case 'topic':
      range.set('search', id);
      return `/topics?${range}`;
    case 'broker':
      return `/topics?${range}`;
    case 'self':
      return '/status';
  }
}
