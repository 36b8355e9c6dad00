import type { Notification } from '../domain/alert.ts';
import { alertText, alertUrl } from './alert-text.ts';

/** A message for machines: the alert in our own words, and what people are told of it. */
export function alertMqtt(notification: Notification, publicUrl: string) {
  const { alert, status, key } = notification;
  const { headline, sentence, facts, links } = alertText(notification, publicUrl);
  return {
    key,
    status,
    alert: {
      id: alert.id,
      fingerprint: alert.fingerprint,
      rule: alert.rule,
      severity: alert.severity,
      subject: alert.subject,
      cause: alert.cause,
      applications: alert.applications,
      figure: alert.figure,
      wayOut: alert.wayOut,
      exampleTraceId: alert.exampleTraceId,
      since: new Date(alert.sinceMs).toISOString(),
      resolved: alert.resolvedMs === null ? null : new Date(alert.resolvedMs).toISOString(),
      url: alertUrl(alert, publicUrl),
    },
    headline,
    sentence,
    facts,
    links,
  };
}
