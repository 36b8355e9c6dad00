import { describe, expect, it } from 'vitest';
import type { Alert, Figure } from '../domain/alert.ts';
import { brokerGone, notificationOf, rackBack, rackMoved, rackMovedMs } from '../domain/fixtures/alerts.ts';
import { alertText, oneLine, plainText, subjectUrl } from './alert-text.ts';

const publicUrl = 'https://hop.example.org';
const textOf = (alert: Alert) => alertText(notificationOf(alert), publicUrl);
const factOf = (alert: Alert, label: string) =>
  textOf(alert)
    .facts.filter((fact) => fact.label === label)
    .map(({ text }) => text);
const measured = (figure: Figure) => factOf({ ...rackMoved, figure }, 'Measured');

describe('what a message says', () => {
  it('is all that is needed: which hop, since when, from what to what, how many, what changed, the way out, who owns it', () => {
    expect(plainText(textOf(rackMoved))).toBe(`Button press takes 105 ms. Budget is 10 ms.
factory-events answers from Ashburn instead of Hannover. The network itself is normal.

Hop: line-button@hannover → factory-events
Cause: service factory-events
Since: 2026-06-01 14:02:00 UTC
Measured: was 8.2 ms, is 105 ms ± 1.3 ms, wanted at most 10 ms
Requests: 214 affected so far
Changed before: 2026-06-01 14:01:20 UTC Snapshot v42 (factory-events by ci)
Changed before: 2026-06-01 14:01:35 UTC factory-events answers from Ashburn instead of Hannover
Way out: Move factory-events back to Hannover: saves 96 ms per request.
Owner: Line team, https://chat.example.com/line-team
Application: factory
Same cause: button press takes 113 ms of 10 ms.

Open the alert: https://hop.example.org/alerts/01jrackmoved
Example request: https://hop.example.org/traces/4bf92f3577b34da6a3ce929d0e0e4736
Look at the hop: https://hop.example.org/hops/1f2e3d4c?from=1780321620000&to=1780323451000`);
  });

  it('is no more than what is known', () => {
    expect(plainText(textOf(brokerGone))).toBe(`broker-dublin does not answer.

Broker: broker-dublin
Since: 2026-06-01 14:02:00 UTC

Open the alert: https://hop.example.org/alerts/01jbrokergone
Look at the broker: https://hop.example.org/topics?broker=broker-dublin&from=1780321620000&to=1780323451000`);
    expect(alertText(notificationOf(rackMoved), '').links).toEqual([]);
  });

  it('of one that is over, is that, and how long it took', () => {
    expect(textOf(rackBack).headline).toBe('Resolved: Button press takes 105 ms. Budget is 10 ms.');
    expect(factOf(rackBack, 'Since')).toEqual(['2026-06-01 14:02:00 UTC, until 2026-06-01 14:27:00 UTC (25 min)']);
  });

  it('keeps what is not known apart from nothing', () => {
    const figure: Figure = { unit: 'ms', was: null, is: 105.4, bound: null, threshold: null, requests: null };
    expect(measured(figure)).toEqual(['is 105 ms (± not known)']);
    expect(measured({ ...figure, bound: 0 })).toEqual(['is 105 ms']);
    expect(measured({ ...figure, is: null, was: 0 })).toEqual(['was 0 ms, cannot be told']);
    expect(factOf({ ...rackMoved, figure }, 'Requests')).toEqual([]);
    expect(factOf({ ...rackMoved, figure: { ...figure, requests: 0 } }, 'Requests')).toEqual(['0 affected so far']);
    expect(factOf({ ...rackMoved, isLate: true }, 'Note')).toEqual(['It rests on data that came late.']);
  });

  it('says each kind of number in its unit', () => {
    const figure: Figure = { unit: 'ratio', was: 0.001, is: 0.12345, bound: 0, threshold: 0.05, requests: 12_345 };
    expect(measured(figure)).toEqual(['was 0.1 %, is 12.3 %, wanted at most 5 %']);
    expect(measured({ ...figure, unit: 'count', was: 0, is: 3, threshold: 1 })).toEqual([
      'was 0, is 3, wanted at most 1',
    ]);
    expect(measured({ ...figure, unit: 's', was: 1, is: 4_210.7, threshold: 60 })).toEqual([
      'was 1 s, is 4,211 s, wanted at most 60 s',
    ]);
    expect(factOf({ ...rackMoved, figure }, 'Requests')).toEqual(['12,345 affected so far']);
  });

  it('is bounded: of many that have the same cause it names a few and counts the rest', () => {
    const folded = Array.from({ length: 26 }, (_, i) => ({ ...rackMoved.folded[0]!, sentence: `path ${i}` }));
    expect(factOf({ ...rackMoved, folded }, 'Same cause')).toEqual([
      'path 0',
      'path 1',
      'path 2',
      'path 3',
      'path 4',
      'and 21 more',
    ]);
    const long = { ...rackMoved, title: 'x'.repeat(100_000), applications: Array<string>(10_000).fill('factory') };
    expect(plainText(textOf(long)).length).toBeLessThan(3_000);
  });

  it('lets no name begin a line of its own or turn the reading direction', () => {
    const name = 'press\r\nOwner: nobody\u2028\u202e\u0007\u001b[31m end\ud800';
    const lines = plainText(textOf({ ...rackMoved, subject: { ...rackMoved.subject, name }, title: name })).split('\n');
    expect(lines[0]).toBe('press Owner: nobody [31m end\ufffd');
    expect(lines.filter((line) => line.startsWith('Owner:'))).toEqual([
      'Owner: Line team, https://chat.example.com/line-team',
    ]);
    expect(oneLine('👍'.repeat(600))).toBe(`${'👍'.repeat(499)}…`);
  });

  it('leads to the page of each kind of subject at the time of the trouble', () => {
    const range = `from=${rackMovedMs - 900_000}&to=${rackMovedMs + 931_000}`;
    const pages = (['hop', 'path', 'device', 'topic', 'broker', 'self'] as const).map((kind) => {
      const alert = { ...rackMoved, subject: { kind, id: 'a/b c', name: '' } };
      return subjectUrl(alert, rackMoved.firedMs!, publicUrl).replace(publicUrl, '');
    });
    expect(pages).toEqual([
      `/hops/a%2Fb%20c?${range}`,
      `/paths/a%2Fb%20c?${range}`,
      `/devices/a%2Fb%20c?${range}`,
      `/topics?search=a%2Fb%20c&${range}`,
      `/topics?broker=a%2Fb%20c&${range}`,
      `/status?${range}`,
    ]);
  });
});
