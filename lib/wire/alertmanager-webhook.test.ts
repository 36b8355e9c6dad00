import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { brokerGone, notificationOf, rackBack, rackMoved } from '../domain/fixtures/alerts.ts';
import { alertmanagerWebhook } from './alertmanager-webhook.ts';

const publicUrl = 'https://hop.example.org';

/** What a real Alertmanager posted, firing and resolved: prometheus/alertmanager 0.34.2, caught on 2026-11-21. */
const caught = JSON.parse(
  readFileSync(new URL('fixtures/alertmanager-0.34.2-webhooks.json', import.meta.url), 'utf8'),
) as Record<string, unknown>[];
/** what it says of its own routing since 0.3x, beside the format */
const beside = ['notification_reason', 'routeLabels'];

/** Which fields there are and what each holds; names of labels are free. */
function shapeOf(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => shapeOf(each));
  if (typeof value !== 'object' || value === null) return typeof value;
  if (/Labels$|Annotations$|^labels$|^annotations$/.test(name))
    return [...new Set(Object.values(value).map((each) => typeof each))];
  const fields = Object.entries(value).filter(([key]) => !beside.includes(key));
  return Object.fromEntries(fields.map(([key, each]) => [key, shapeOf(each, key)]));
}

describe('the body for an Alertmanager webhook', () => {
  it('is version 4 with one alert', () => {
    const labels = {
      alertname: 'over-budget',
      severity: 'critical',
      hop: 'line-button@hannover → factory-events',
      cause: 'service factory-events',
      application: 'factory',
      team: 'Line team',
    };
    const annotations = {
      summary: 'Button press takes 105 ms. Budget is 10 ms.',
      description: expect.stringContaining('Changed before: 2026-06-01 14:01:20 UTC Snapshot v42'),
      way_out: 'Move factory-events back to Hannover: saves 96 ms per request.',
      alert_url: 'https://hop.example.org/alerts/01jrackmoved',
    };
    expect(alertmanagerWebhook(notificationOf(rackMoved), publicUrl)).toEqual({
      version: '4',
      groupKey: '{}:{fingerprint="7c9e5b0f3a1d2846"}',
      truncatedAlerts: 0,
      status: 'firing',
      receiver: 'on-call',
      groupLabels: { alertname: 'over-budget' },
      commonLabels: labels,
      commonAnnotations: annotations,
      externalURL: publicUrl,
      alerts: [
        {
          status: 'firing',
          labels,
          annotations,
          startsAt: '2026-06-01T14:02:00.000Z',
          endsAt: '0001-01-01T00:00:00Z',
          generatorURL: 'https://hop.example.org/hops/1f2e3d4c?from=1780321620000&to=1780323451000',
          fingerprint: '7c9e5b0f3a1d2846',
        },
      ],
    });
  });

  it('has the fields that a real Alertmanager sends, no more and no less', () => {
    for (const [index, alert] of [rackMoved, rackBack].entries()) {
      const ours = alertmanagerWebhook(notificationOf(alert), publicUrl);
      expect(shapeOf(ours)).toEqual(shapeOf(caught[index]));
      expect([ours.version, ours.status]).toEqual([caught[index]!.version, caught[index]!.status]);
    }
    const [firing] = caught as [{ alerts: { endsAt: string }[] }];
    expect(alertmanagerWebhook(notificationOf(rackMoved), publicUrl).alerts[0]!.endsAt).toBe(firing.alerts[0]!.endsAt);
  });

  it('keeps group, labels and fingerprint when it is over, so that the receiver knows what ended', () => {
    const [firing, over] = [rackMoved, rackBack].map((alert) => alertmanagerWebhook(notificationOf(alert), publicUrl));
    expect(over).toMatchObject({
      status: 'resolved',
      groupKey: firing!.groupKey,
      commonLabels: firing!.commonLabels,
      alerts: [{ status: 'resolved', fingerprint: firing!.alerts[0]!.fingerprint, endsAt: '2026-06-01T14:27:00.000Z' }],
    });
  });

  it('has no empty label, which Alertmanager takes for none', () => {
    const { commonLabels, commonAnnotations } = alertmanagerWebhook(notificationOf(brokerGone), '');
    expect(commonLabels).toEqual({ alertname: 'broker-lost', severity: 'warning', broker: 'broker-dublin' });
    expect(Object.keys(commonAnnotations)).toEqual(['summary', 'description']);
  });
});
