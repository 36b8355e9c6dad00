import { describe, expect, it } from 'vitest';
import type { Alert } from '../domain/alert.ts';
import { brokerGone, notificationOf, rackBack, rackMoved } from '../domain/fixtures/alerts.ts';
import { pagerdutyEvent } from './pagerduty-event.ts';

const eventOf = (alert: Alert) => pagerdutyEvent(notificationOf(alert), 'R0UT1NG', 'https://hop.example.org');

describe('a PagerDuty event', () => {
  it('triggers an incident that says everything', () => {
    expect(eventOf(rackMoved)).toEqual({
      routing_key: 'R0UT1NG',
      dedup_key: '7c9e5b0f3a1d2846',
      event_action: 'trigger',
      client: 'Hopscope',
      client_url: 'https://hop.example.org/alerts/01jrackmoved',
      links: [
        { href: 'https://hop.example.org/alerts/01jrackmoved', text: 'Open the alert' },
        { href: 'https://hop.example.org/traces/4bf92f3577b34da6a3ce929d0e0e4736', text: 'Example request' },
        {
          href: 'https://hop.example.org/hops/1f2e3d4c?from=1780321620000&to=1780323451000',
          text: 'Look at the hop',
        },
      ],
      payload: {
        summary:
          'Button press takes 105 ms. Budget is 10 ms. factory-events answers from Ashburn instead of Hannover. The network itself is normal.',
        source: 'line-button@hannover → factory-events',
        severity: 'critical',
        timestamp: '2026-06-01T14:02:00.000Z',
        component: 'factory-events',
        group: 'factory',
        class: 'over-budget',
        custom_details: {
          Hop: 'line-button@hannover → factory-events',
          Cause: 'service factory-events',
          Since: '2026-06-01 14:02:00 UTC',
          Measured: 'was 8.2 ms, is 105 ms ± 1.3 ms, wanted at most 10 ms',
          Requests: '214 affected so far',
          'Changed before': [
            '2026-06-01 14:01:20 UTC Snapshot v42 (factory-events by ci)',
            '2026-06-01 14:01:35 UTC factory-events answers from Ashburn instead of Hannover',
          ],
          'Way out': 'Move factory-events back to Hannover: saves 96 ms per request.',
          Owner: 'Line team, https://chat.example.com/line-team',
          Application: 'factory',
          'Same cause': 'button press takes 113 ms of 10 ms.',
        },
      },
    });
  });

  it('resolves the incident of the cause, and acknowledges it once somebody has', () => {
    const acknowledged = { ...rackMoved, acknowledged: { by: 'Ada', atMs: rackMoved.seenMs } };
    expect([rackBack, acknowledged].map((alert) => eventOf(alert)).map((e) => [e.event_action, e.dedup_key])).toEqual([
      ['resolve', '7c9e5b0f3a1d2846'],
      ['acknowledge', '7c9e5b0f3a1d2846'],
    ]);
    expect(eventOf({ ...acknowledged, phase: 'resolved' }).event_action).toBe('resolve');
  });

  it('stays within what PagerDuty takes, and knows its severities', () => {
    const endless = 'x'.repeat(5_000);
    const event = eventOf({ ...rackMoved, fingerprint: endless, title: endless, sentence: endless });
    expect(event.dedup_key).toHaveLength(255);
    expect(event.payload.summary.length).toBeLessThanOrEqual(1_024);
    const severities = (['critical', 'warning', 'info'] as const).map((severity) =>
      eventOf({ ...brokerGone, severity }),
    );
    for (const { payload } of severities) expect(['critical', 'error', 'warning', 'info']).toContain(payload.severity);
    expect(severities[1]!.payload).not.toHaveProperty('group');
  });
});
