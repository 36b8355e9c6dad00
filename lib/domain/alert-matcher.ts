import type { Alert, Matcher, Silence } from './alert.ts';
import { globMatches } from './topic-filter.ts';

/** Whether everything that the matcher asks for fits; one that asks for nothing fits nothing. */
export function alertMatches(alert: Alert, matcher: Matcher): boolean {
  const { rule, subject, application, severity, site, fingerprint } = matcher;
  const names = [alert.subject.name, alert.cause?.name ?? ''].filter((name) => name !== '');
  const asked = [
    rule === undefined || rule === alert.rule,
    subject === undefined || names.some((name) => globMatches(subject, name)),
    application === undefined || alert.applications.includes(application),
    severity === undefined || severity === alert.severity,
    site === undefined || alert.sites.includes(site),
    fingerprint === undefined || fingerprint === alert.fingerprint,
  ];
  return Object.values(matcher).some((value) => value !== undefined) && asked.every((fits) => fits);
}

export const silenceOf = (alert: Alert, silences: readonly Silence[]): Silence | undefined =>
  silences.find(({ matcher }) => alertMatches(alert, matcher));
