import type { Notification } from '../domain/alert.ts';
import { alertText, alertUrl, cut, oneLine } from './alert-text.ts';

/** The body of PagerDuty's Events API v2. */
export function pagerdutyEvent(notification: Notification, routingKey: string, publicUrl: string) {
  const { alert, status } = notification;
  const { headline, sentence, facts, links } = alertText(notification, publicUrl);
  return {
    routing_key: routingKey,
    // an incident belongs to the cause: the same again joins it while it is open
    dedup_key: cut(alert.fingerprint, 255),
    event_action: status === 'resolved' ? 'resolve' : alert.acknowledged ? 'acknowledge' : 'trigger',
    client: 'Hopscope',
    ...(publicUrl !== '' && { client_url: alertUrl(alert, publicUrl) }),
    links: links.map(({ label, url }) => ({ href: url, text: label })),
    payload: {
      summary: cut([headline, sentence].filter(Boolean).join(' '), 1_024),
      source: oneLine(alert.subject.name),
      severity: alert.severity,
      timestamp: new Date(alert.sinceMs).toISOString(),
      component: alert.cause ? oneLine(alert.cause.name) : oneLine(alert.subject.name),
      ...(alert.applications.length > 0 && { group: oneLine(alert.applications.join(', ')) }),
      class: alert.rule,
      custom_details: grouped(facts),
    },
  };
}

/** Label by label; what was said several times under one becomes a list. */
function grouped(facts: { label: string; text: string }[]): Record<string, string | string[]> {
  const texts = Map.groupBy(facts, ({ label }) => label);
  return Object.fromEntries(
    [...texts].map(([label, of]) => [label, of.length === 1 ? of[0]!.text : of.map(({ text }) => text)]),
  );
}
