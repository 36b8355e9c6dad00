import { describe, expect, it } from 'vitest';
import type { Alert } from '../domain/alert.ts';
import { brokerGone, notificationOf, rackBack, rackMoved } from '../domain/fixtures/alerts.ts';
import { ntfyMessage } from './ntfy-message.ts';

const messageOf = (alert: Alert, url = 'https://ntfy.sh/line') =>
  ntfyMessage(notificationOf(alert), url, 'https://hop.example.org');

describe('an ntfy message', () => {
  it('goes to the root of the server and names its topic there', () => {
    expect(messageOf(rackMoved)).toEqual({
      url: 'https://ntfy.sh/',
      body: {
        topic: 'line',
        title: 'Button press takes 105 ms. Budget is 10 ms.',
        message: expect.stringContaining('is normal.\n\nHop: line-button@hannover → factory-events\n'),
        tags: ['rotating_light', 'critical'],
        priority: 5,
        click: 'https://hop.example.org/alerts/01jrackmoved',
        actions: [
          { action: 'view', label: 'Open the alert', url: 'https://hop.example.org/alerts/01jrackmoved' },
          {
            action: 'view',
            label: 'Example request',
            url: 'https://hop.example.org/traces/4bf92f3577b34da6a3ce929d0e0e4736',
          },
          {
            action: 'view',
            label: 'Look at the hop',
            url: 'https://hop.example.org/hops/1f2e3d4c?from=1780321620000&to=1780323451000',
          },
        ],
      },
    });
    expect(messageOf(rackMoved, 'https://me:pw@lan.example/ntfy/on%2Dcall')).toMatchObject({
      url: 'https://me:pw@lan.example/ntfy/',
      body: { topic: 'on-call' },
    });
  });

  it('is as loud as the alert is bad, and quieter when it is over', () => {
    const info = { ...brokerGone, severity: 'info' as const };
    expect([rackMoved, brokerGone, info, rackBack].map((alert) => messageOf(alert).body.priority)).toEqual([
      5, 4, 2, 3,
    ]);
    expect(messageOf(rackBack).body.tags[0]).toBe('white_check_mark');
  });

  it('never becomes a file, and ends with a whole letter', () => {
    const wide = '→'.repeat(499);
    const folded = Array.from({ length: 5 }, () => ({ ...rackMoved.folded[0]!, sentence: wide }));
    const { message } = messageOf({ ...rackMoved, folded, sentence: wide }).body;
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4_096);
    expect(Buffer.byteLength(message)).toBeGreaterThan(3_900);
    expect(message.endsWith('→…')).toBe(true);
    expect(message).not.toContain('\ufffd');
  });
});
