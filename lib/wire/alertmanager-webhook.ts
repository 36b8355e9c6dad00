import type { Notification } from '../domain/alert.ts';
import { alertText, alertUrl, oneLine, plainText, subjectUrl } from './alert-text.ts';

/** The body Alertmanager posts to a webhook, version 4: one group of one alert, so that one cause is one message. */
export function alertmanagerWebhook(notification: Notification, publicUrl: string) {
  const { alert, status, target, createdMs } = notification;
  const text = alertText(notification, publicUrl);
  const labels: Record<string, string> = {
    alertname: alert.rule,
    severity: alert.severity,
    [alert.subject.kind]: oneLine(alert.subject.name),
    ...(alert.cause && { cause: oneLine(`${alert.cause.kind} ${alert.cause.name}`) }),
    ...(alert.applications.length > 0 && { application: oneLine(alert.applications.join(',')) }),
    ...(alert.owner && { team: oneLine(alert.owner.team) }),
  };
  const annotations: Record<string, string> = {
    summary: text.headline,
    description: plainText(text),
    ...(alert.wayOut !== '' && { way_out: oneLine(alert.wayOut) }),
    ...(publicUrl !== '' && { alert_url: alertUrl(alert, publicUrl) }),
  };
  return {
    version: '4',
    groupKey: `{}:{fingerprint=${JSON.stringify(alert.fingerprint)}}`,
    truncatedAlerts: 0,
    status,
    receiver: target,
    groupLabels: { alertname: alert.rule },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: publicUrl,
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt: new Date(alert.sinceMs).toISOString(),
        // as Alertmanager writes "not yet"
        endsAt: status === 'resolved' ? new Date(alert.resolvedMs ?? createdMs).toISOString() : '0001-01-01T00:00:00Z',
        generatorURL: subjectUrl(alert, createdMs, publicUrl),
        fingerprint: alert.fingerprint,
      },
    ],
  };
}
