import type { Alert, Silence } from './alert.ts';
// STUB until merge
export const silenceOf = (alert: Alert, silences: Silence[]): Silence | null =>
  silences.find(({ matcher }) => matches(alert, matcher)) ?? null;
const matches = (alert: Alert, m: Silence['matcher']): boolean =>
  (m.rule === undefined || m.rule === alert.rule) &&
  (m.fingerprint === undefined || m.fingerprint === alert.fingerprint) &&
  (m.application === undefined || alert.applications.includes(m.application)) &&
  (m.severity === undefined || m.severity === alert.severity) &&
  (m.subject === undefined || alert.subject.name.includes(m.subject));
