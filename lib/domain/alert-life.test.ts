import { describe, expect, it } from 'vitest';
import type { Alert, AlertEvent, Finding } from './alert.ts';
import { gatherMs, nextAlerts } from './alert-life.ts';
import { rulesInForce } from './alert-rules.ts';
import { drawnFinding, drawnPart, fineFinding, noonMs, slowHop } from './fixtures/drawn-finding.ts';

/** What is open, told step by step: each step finds something at a moment. */
class Watch {
  alerts = new Map<string, Alert>();
  events: (AlertEvent & { id: string })[] = [];
  #trailing: Record<string, number> = {};

  step(atMs: number, findings: Finding[]): this {
    const next = nextAlerts({
      open: [...this.alerts.values()].filter(({ phase }) => phase !== 'resolved'),
      findings,
      trailing: this.#trailing,
      nowMs: noonMs + atMs,
      inForce: rulesInForce([], []),
      changesOf: () => [],
      ownerOf: () => null,
    });
    for (const alert of next.alerts) this.alerts.set(alert.id, alert);
    for (const id of next.dropped) this.alerts.delete(id);
    for (const { id, event } of next.events) this.events.push({ ...event, id });
    this.#trailing = next.trailing;
    return this;
  }

  get phases(): string[] {
    return [...this.alerts.values()].map(({ subject, phase }) => `${subject.id} ${phase}`);
  }

  get only(): Alert {
    expect(this.alerts.size).toBe(1);
    return [...this.alerts.values()][0]!;
  }

  said(what: AlertEvent['what']): number {
    return this.events.filter((event) => event.what === what).length;
  }
}

const leg = drawnPart('leg', 'dublin hannover');
const well = (of: Finding, sinceMs: number): Finding => ({ ...of, state: 'fine', sinceMs: noonMs + sinceMs });
const unknown = (of: Finding, sinceMs = 0): Finding => ({ ...of, state: 'cannot-tell', sinceMs: noonMs + sinceMs });

describe('an alert', () => {
  const slow = slowHop('h1', []);

  it('gathers for a moment, fires, and is over when the evidence says so', () => {
    const watch = new Watch().step(10_000, [slow]);
    expect(watch.only).toMatchObject({ phase: 'pending', sinceMs: noonMs, seenMs: noonMs + 10_000, firedMs: null });
    watch.step(10_000 + gatherMs, [slow]);
    expect(watch.only).toMatchObject({ phase: 'firing', sinceMs: noonMs, firedMs: noonMs + 10_000 + gatherMs });
    watch.step(400_000, [well(slow, 380_000)]);
    expect(watch.only).toMatchObject({ phase: 'resolved', resolvedMs: noonMs + 380_000 });
    expect(watch.events.map(({ what }) => what)).toEqual(['seen', 'fired', 'resolved']);
  });

  it('comes to nothing when it is over before anybody is told', () => {
    const watch = new Watch().step(0, [slow]).step(2_000, [well(slow, 1_000)]);
    expect(watch.alerts.size).toBe(0);
  });

  it('is neither begun nor ended by what nobody knows, and ends after an hour as not known', () => {
    expect(new Watch().step(0, [unknown(slow)]).alerts.size).toBe(0);
    const watch = new Watch()
      .step(0, [slow])
      .step(10_000, [slow])
      .step(20_000, [unknown(slow, 20_000)]);
    expect(watch.only.phase).toBe('firing');
    watch.step(3_700_000, [unknown(slow, 20_000)]);
    expect(watch.only.phase).toBe('resolved');
    expect(watch.events.at(-1)!.text).toBe('nobody has known for an hour');
  });

  it('waits as long as its rule asks', () => {
    const down = drawnFinding('own-health', 'self', 'audit');
    const watch = new Watch().step(0, [down]).step(30_000, [down]);
    expect(watch.only.phase).toBe('pending');
    expect(watch.step(60_000, [down]).only.phase).toBe('firing');
  });

  it('is late when all that it rests on came late', () => {
    const old = { ...slow, heardMs: noonMs - 600_000 };
    expect(new Watch().step(0, [old]).only.isLate).toBe(true);
    expect(new Watch().step(0, [{ ...slow, heardMs: noonMs - 5_000 }]).only.isLate).toBe(false);
  });

  it('fires all the same when our own clock jumps back while it gathers', () => {
    const watch = new Watch()
      .step(0, [slow])
      .step(-3_600_000, [slow])
      .step(-3_596_000, [{ ...slow, sinceMs: noonMs - 3_600_000 }]);
    expect(watch.only.phase).toBe('firing');
  });

  it('of the same cause again is another occurrence with the same fingerprint', () => {
    const watch = new Watch()
      .step(0, [slow])
      .step(5_000, [slow])
      .step(400_000, [well(slow, 390_000)]);
    const again = { ...slow, sinceMs: noonMs + 800_000 };
    watch.step(810_000, [again]).step(815_000, [again]);
    const [first, second] = [...watch.alerts.values()];
    expect(second!.id).not.toBe(first!.id);
    expect(second!.fingerprint).toBe(first!.fingerprint);
  });
});

describe('what is folded', () => {
  const [h1, h2, h3] = ['h1', 'h2', 'h3'].map((id) => slowHop(id, [leg])) as [Finding, Finding, Finding];

  it('is listed, and who comes later is listed without another word', () => {
    const watch = new Watch()
      .step(0, [h1, h2])
      .step(5_000, [h1, h2])
      .step(60_000, [h1, h2, { ...h3, sinceMs: noonMs + 55_000 }]);
    expect(watch.only.folded.map(({ subject }) => subject.id)).toEqual(['h2', 'h3']);
    expect(watch.only.cause).toMatchObject({ kind: 'leg' });
    expect([watch.said('fired'), watch.said('folded')]).toEqual([1, 1]);
  });

  it('has an end of its own', () => {
    const watch = new Watch()
      .step(0, [h1, h2, h3])
      .step(5_000, [h1, h2, h3])
      .step(90_000, [h1, h2, well(h3, 80_000)]);
    expect(watch.only.phase).toBe('firing');
    expect(watch.only.folded.find(({ subject }) => subject.id === 'h3')!.untilMs).toBe(noonMs + 80_000);
  });

  it('hides no end: what is still bad by itself becomes its own alert after a while', () => {
    const others = ['x1', 'x2', 'x3', 'x4'].map((id) => fineFinding(slowHop(id, [leg]), 900_000));
    const watch = new Watch().step(0, [h1, h2, h3]).step(5_000, [h1, h2, h3]);
    watch.step(300_000, [well(h1, 290_000), h2, well(h3, 290_000), ...others]);
    expect(watch.phases).toEqual(['h1 resolved']);
    watch.step(400_000, [well(h1, 290_000), h2, ...others]);
    expect(watch.phases).toEqual(['h1 resolved']);
    watch.step(700_000, [well(h1, 290_000), h2, ...others]).step(705_000, [h2, ...others]);
    expect(watch.phases).toEqual(['h1 resolved', 'h2 firing']);
  });

  it('keeps the alert while its cause is still there, though the guilty one is well', () => {
    const watch = new Watch()
      .step(0, [h1, h2, h3])
      .step(5_000, [h1, h2, h3])
      .step(60_000, [well(h1, 50_000), h2, h3]);
    expect(watch.only).toMatchObject({ phase: 'firing', subject: { id: 'h2' } });
    expect(watch.only.folded.map(({ subject, untilMs }) => [subject.id, untilMs])).toEqual([
      ['h1', noonMs + 50_000],
      ['h3', null],
    ]);
  });

  it('goes on under another rule when the same thing is bad in another way', () => {
    const down = drawnFinding('device-down', 'device', 'd1');
    const drops = drawnFinding('drop-outs', 'device', 'd1');
    const watch = new Watch()
      .step(0, [down])
      .step(10_000, [down, drops])
      .step(20_000, [well(down, 15_000), drops]);
    expect(watch.only).toMatchObject({ phase: 'firing', rule: 'drop-outs' });
    watch.step(30_000, [{ ...down, sinceMs: noonMs + 25_000 }, drops]);
    expect(watch.only).toMatchObject({ phase: 'firing', rule: 'device-down' });
    expect(watch.said('fired')).toBe(1);
    watch.step(60_000, [well(down, 50_000), well(drops, 55_000)]);
    expect(watch.only.phase).toBe('resolved');
  });

  it('a path names its hop at once, and hands over when the hop is found', () => {
    const path = drawnFinding('path-over-budget', 'path', 'press', {
      title: 'Button press takes 105 ms. Budget is 10 ms.',
      guilty: drawnPart('hop', 'h1'),
      parts: [drawnPart('path', 'press'), drawnPart('hop', 'h1')],
    });
    const watch = new Watch().step(0, [path]).step(5_000, [path]);
    expect(watch.only).toMatchObject({ rule: 'path-over-budget', cause: { kind: 'hop', id: 'h1' } });
    watch.step(20_000, [path, slowHop('h1', [])]);
    expect(watch.only).toMatchObject({
      rule: 'over-budget',
      subject: { kind: 'hop', id: 'h1' },
      title: 'Button press takes 105 ms. Budget is 10 ms.',
    });
    expect(watch.only.folded.map(({ subject }) => subject.id)).toEqual(['press']);
    watch.step(400_000, [path, well(slowHop('h1', []), 390_000)]);
    expect(watch.phases).toEqual(['h1 resolved']);
  });
});
