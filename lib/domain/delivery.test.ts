import { describe, expect, it } from 'vitest';
import { type Hours, maskedTarget, type Route, type Target, targetsOf, weekdays } from './delivery.ts';
import { brokerGone, rackMoved } from './fixtures/alerts.ts';

const chat: Target = {
  name: 'chat',
  kind: 'slack',
  url: 'https://hooks.slack.com/services/T0/B0/SECRET',
  allowPlaintext: false,
};
const phone: Target = {
  name: 'phone',
  kind: 'ntfy',
  url: 'https://ntfy.sh/SECRET',
  token: 'SECRET',
  allowPlaintext: false,
};
const pager: Target = {
  name: 'pager',
  kind: 'pagerduty',
  url: 'https://events.pagerduty.com/v2/enqueue',
  routingKey: 'SECRET',
  allowPlaintext: false,
};
const targets = [chat, phone, pager];

const route = (to: string[], more: Partial<Route> = {}): Route => ({
  applications: null,
  severities: null,
  rules: null,
  hours: null,
  to,
  continue: false,
  ...more,
});

const nowMs = Date.UTC(2026, 5, 1, 14, 2);
const told = (routes: Route[], alert = rackMoved, atMs = nowMs) => targetsOf({ targets, routes }, alert, atMs);

describe('whom to tell', () => {
  it('is everybody, of what is warning or critical, where there are no routes', () => {
    expect(told([])).toEqual(['chat', 'phone', 'pager']);
    expect(told([], brokerGone)).toEqual(['chat', 'phone', 'pager']);
    expect(told([], { ...rackMoved, severity: 'info' })).toEqual([]);
  });

  it('is said by the first route that fits, and by the next one only where that says continue', () => {
    expect(told([route(['chat']), route(['pager'])])).toEqual(['chat']);
    expect(told([route(['chat'], { continue: true }), route(['chat', 'pager']), route(['phone'])])).toEqual([
      'chat',
      'pager',
    ]);
  });

  it('depends on application, severity and rule, each that is given', () => {
    const biomed = route(['phone'], { applications: ['bio*'] });
    expect(told([biomed, route(['chat'])])).toEqual(['chat']);
    expect(told([biomed, route(['chat'])], { ...rackMoved, applications: ['factory', 'biomed'] })).toEqual(['phone']);
    // what concerns no application in particular is not of one
    expect(told([route(['phone'], { applications: ['*'] })], brokerGone)).toEqual([]);
    expect(told([route(['pager'], { severities: ['critical'] })], brokerGone)).toEqual([]);
    expect(told([route(['chat'], { severities: ['info'] })], { ...rackMoved, severity: 'info' })).toEqual(['chat']);
    expect(told([route(['chat'])], { ...rackMoved, severity: 'info' })).toEqual([]);
    expect(told([route(['chat'], { rules: ['broker-lost'] })])).toEqual([]);
    expect(told([route(['chat'], { rules: ['broker-lost'] })], brokerGone)).toEqual(['chat']);
  });
});

describe('hours', () => {
  const berlin = (fromMinute: number, toMinute: number, days: Hours['days'] = [...weekdays]): Hours => ({
    timeZone: 'Europe/Berlin',
    days,
    fromMinute,
    toMinute,
  });
  const isTold = (hours: Hours, iso: string) =>
    told([route(['pager'], { hours })], rackMoved, Date.parse(iso)).length > 0;

  it('are by the clock on the wall of the named place, in summer and in winter', () => {
    const office = berlin(8 * 60, 17 * 60);
    expect(isTold(office, '2026-06-01T06:00:00Z')).toBe(true);
    expect(isTold(office, '2026-06-01T05:59:59Z')).toBe(false);
    expect(isTold(office, '2026-06-01T15:00:00Z')).toBe(false);
    expect(isTold(office, '2026-12-01T06:30:00Z')).toBe(false);
    expect(isTold(office, '2026-12-01T07:00:00Z')).toBe(true);
  });

  it('over midnight belong to the day they begin on', () => {
    const fridayNight = berlin(22 * 60, 6 * 60, ['fri']);
    expect(isTold(fridayNight, '2026-06-05T21:00:00Z')).toBe(true);
    expect(isTold(fridayNight, '2026-06-06T03:59:00Z')).toBe(true);
    expect(isTold(fridayNight, '2026-06-06T04:00:00Z')).toBe(false);
    expect(isTold(fridayNight, '2026-06-06T21:00:00Z')).toBe(false);
    expect(isTold(fridayNight, '2026-06-05T03:00:00Z')).toBe(false);
  });

  it('may end with the day', () => {
    const evening = berlin(18 * 60, 24 * 60, ['mon']);
    expect(isTold(evening, '2026-06-01T21:59:00Z')).toBe(true);
    expect(isTold(evening, '2026-06-01T22:00:00Z')).toBe(false);
  });
});

describe('a target on a page', () => {
  it('says where it is and nothing of what opens it', () => {
    const mail: Target = {
      name: 'mail',
      kind: 'email',
      url: 'smtp://mail.example.org:587',
      login: { user: 'SECRET', password: 'SECRET' },
      from: 'hopscope@example.org',
      to: ['On call <secretary@example.org>'],
      allowPlaintext: false,
    };
    const bus: Target = {
      name: 'bus',
      kind: 'mqtt',
      broker: null,
      url: 'mqtts://SECRET:SECRET@bus.example.org:8883',
      login: null,
      topic: 'factory/alerts',
      allowPlaintext: false,
    };
    const hook: Target = {
      name: 'hook',
      kind: 'webhook',
      url: 'https://SECRET@hook.example.org/?key=SECRET',
      token: 'SECRET',
      allowPlaintext: false,
    };
    const masked = [...targets, mail, bus, hook].map(maskedTarget);
    expect(masked.map(({ address }) => address)).toEqual([
      'https://hooks.slack.com/…',
      'https://ntfy.sh/…',
      'https://events.pagerduty.com/…',
      'On call <s…@example.org> by smtp://mail.example.org:587',
      'factory/alerts at mqtts://bus.example.org:8883/…',
      'https://hook.example.org/…',
    ]);
    expect(JSON.stringify(masked)).not.toMatch(/secret/i);
  });
});
