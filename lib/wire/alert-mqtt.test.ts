import { expect, it } from 'vitest';
import { notificationOf, rackBack } from '../domain/fixtures/alerts.ts';
import { alertMqtt } from './alert-mqtt.ts';

it('a message for machines has the alert in our own words, with times anybody reads', () => {
  const message = alertMqtt(notificationOf(rackBack), 'https://hop.example.org');
  expect(message).toMatchObject({
    key: '01jrackmoved:resolved',
    status: 'resolved',
    alert: {
      id: '01jrackmoved',
      fingerprint: '7c9e5b0f3a1d2846',
      rule: 'over-budget',
      severity: 'critical',
      subject: { kind: 'hop', id: '1f2e3d4c' },
      figure: { unit: 'ms', was: 8.2, is: 105.4, threshold: 10, requests: 214 },
      since: '2026-06-01T14:02:00.000Z',
      resolved: '2026-06-01T14:27:00.000Z',
      url: 'https://hop.example.org/alerts/01jrackmoved',
    },
    headline: 'Resolved: Button press takes 105 ms. Budget is 10 ms.',
  });
  expect(message.facts[0]).toEqual({ label: 'Hop', text: 'line-button@hannover → factory-events' });
});
