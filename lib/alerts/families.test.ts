import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Alert } from '#lib/domain/alert.ts';
import { drawnResource } from '#lib/domain/fixtures/drawn-batch.ts';
import { minuteOf } from '#lib/domain/units.ts';
import { AlertWorld, background, machines, message, originMs, press, type Second } from './fixtures/alert-world.ts';
import { openAlertMemory } from './memory.ts';

vi.setConfig({ testTimeout: 600_000 });

let world: AlertWorld;
beforeEach(async () => {
  world = await AlertWorld.open();
});
afterEach(() => world.close());

const everybody = Object.values(machines);

const spoke = (second: Second, topic: string, at: number, messages = 5): void => {
  second.traffic.push({
    broker: 'broker-dublin',
    topic,
    minute: minuteOf(originMs + at),
    messages,
    payloadBytes: messages * 100,
    retained: 0,
    lastMs: originMs + at,
    publisher: topic === 'factory/quiet' ? 'rio-hannover' : '',
  });
};

/** Everything as it should be. */
function calm(second: Second, at: number): void {
  const n = at / 1000;
  background(second, n, at + 300);
  if (n % 5 === 0) second.alive.push(...everybody);
  spoke(second, 'factory/chatter', at);
}

const open = (): Alert[] => world.state.alerts.open();
const onlyFired = (): Alert => {
  expect(world.fired().map(({ title }) => title)).toHaveLength(1);
  return world.fired()[0]!;
};

describe('a silent device', () => {
  it('is down since it was last heard, and well again when it speaks', async () => {
    const without = (second: Second, at: number): void => {
      calm(second, at);
      second.alive = second.alive.filter((device) => device !== machines.historian);
      second.spans = second.spans.filter(({ on }) => on !== machines.historian);
    };
    await world.live(100, calm, 5);
    const goneMs = originMs + world.atMs;
    await world.live(75, without, 5);
    const alert = onlyFired();
    expect(alert).toMatchObject({
      rule: 'device-down',
      phase: 'firing',
      title: 'historian-ashburn is down: silent for more than 3 x 10 s.',
      subject: { kind: 'device', name: 'historian-ashburn' },
    });
    expect(Math.abs(alert.sinceMs - goneMs)).toBeLessThanOrEqual(6_000);
    // we were away for hours, and find it as it was: nobody knows at first, and it is no news
    world.memory = openAlertMemory();
    world.atMs += 3 * 3_600_000;
    await world.live(10, without, 5);
    expect(world.state.alerts.get(alert.id)!.phase).toBe('firing');
    await world.live(60, without, 5);
    expect(onlyFired().phase).toBe('firing');
    await world.live(20, calm, 5);
    expect(world.state.alerts.get(alert.id)!.phase).toBe('resolved');
  });

  it('is no news to who has just begun to watch', async () => {
    await world.live(60, calm, 5);
    // nobody watched while it fell silent
    world.atMs += 600_000;
    await world.live(10, (second, at) => spoke(second, 'factory/chatter', at), 5);
    expect(open()).toEqual([]);
  });
});

describe('a device that comes and goes', () => {
  it('is told as one that drops out, and its next absence is no news', async () => {
    const every = (seconds: number, silent: number) => (second: Second, at: number) => {
      calm(second, at);
      if ((at / 1000) % seconds < silent) {
        second.alive = second.alive.filter((device) => device !== machines.away);
        second.spans = second.spans.filter(({ on }) => on !== machines.away);
      }
    };
    world.state.ruleSettings.save({
      rule: 'drop-outs',
      enabled: true,
      severity: null,
      threshold: 0.02,
      forMs: null,
      by: 'owner',
      atMs: originMs,
    });
    await world.live(60, calm, 5);
    await world.live(240, every(60, 45), 5);
    const own = (): Alert[] => world.fired().filter(({ subject }) => subject.name === 'site-ashburn');
    const dropsOut = own().find(({ rule, folded }) => [rule, ...folded.map((each) => each.rule)].includes('drop-outs'));
    expect(dropsOut).toMatchObject({ phase: 'firing' });
    const told = own().length;
    await world.live(120, every(60, 45), 5);
    expect(own()).toHaveLength(told);
  });
});

describe('devices behind a cut link', () => {
  it('that fall silent one after the other are one alert, told once, and each is listed', async () => {
    const behind = Array.from({ length: 26 }, (_, i) =>
      drawnResource(`s${i}`, '', { hostName: `m${i}-hannover`, hostId: `m${i}` }),
    );
    let isCut = false;
    const draw = (second: Second, at: number): void => {
      spoke(second, 'factory/chatter', at);
      const n = at / 1000;
      second.alive.push(machines.gateway, machines.historian);
      if (!isCut) second.alive.push(...behind.filter((_, i) => (n + i) % (4 + (i % 7)) === 0));
    };
    await world.live(150, draw, 5);
    isCut = true;
    await world.live(120, draw, 5);
    expect(new Set(world.sent().map(({ key }) => key)).size).toBe(1);
    const alert = onlyFired();
    expect(alert.cause).toMatchObject({ kind: 'leg', name: 'Dublin – Hannover' });
    expect(alert.title).toBe('26 devices are down behind the link Dublin – Hannover.');
    expect(alert.folded).toHaveLength(25);
    isCut = false;
    await world.live(30, draw, 5);
    expect(open()).toEqual([]);
    expect(new Set(world.sent('resolved').map(({ key }) => key)).size).toBe(1);
  });
});

describe('a topic', () => {
  it('that goes quiet is told with who published it; one that is too young is not', async () => {
    const draw = (isQuiet: boolean) => (second: Second, at: number) => {
      spoke(second, 'factory/chatter', at);
      if (!isQuiet && (at / 1000) % 10 === 0) spoke(second, 'factory/quiet', at, 1);
      if (!isQuiet && at > 700_000 && (at / 1000) % 10 === 0) spoke(second, 'factory/young', at, 5);
      if ((at / 1000) % 10 === 0) second.alive.push(...everybody);
    };
    await world.live(780, draw(false), 30);
    const quietMs = originMs + world.atMs;
    await world.live(120, draw(true), 30);
    const alert = onlyFired();
    expect(alert).toMatchObject({
      rule: 'silent-topic',
      severity: 'warning',
      subject: { kind: 'topic', name: 'factory/quiet' },
      applications: ['factory'],
    });
    expect(alert.sentence).toContain('rio-hannover used to publish it.');
    expect(quietMs - alert.sinceMs).toBeLessThanOrEqual(10_000);
    world.memory = openAlertMemory();
    await world.live(90, draw(true), 30);
    expect(onlyFired().phase).toBe('firing');
    await world.live(60, draw(false), 30);
    expect(world.state.alerts.get(alert.id)!.phase).toBe('resolved');
  });
});

describe('requests without answers', () => {
  it('are told with how many they are', async () => {
    const ask = (isAnswered: boolean) => (second: Second, at: number) => {
      const n = at / 1000;
      const trace = 0x500000n + BigInt(n);
      const to = isAnswered ? [machines.gateway] : [];
      message(second, {
        trace,
        id: trace * 16n,
        parent: 0n,
        from: machines.button,
        to,
        topic: 'factory/asked',
        at: at + 100,
      });
      spoke(second, 'factory/chatter', at);
    };
    await world.live(120, ask(true), 5);
    await world.live(110, ask(false), 5);
    const alert = onlyFired();
    expect(alert).toMatchObject({ rule: 'unanswered', figure: { unit: 'ratio', threshold: 0.01 } });
    expect(alert.title).toMatch(/^line-button → mcp-gateway: \d+ requests of \d+ got no answer\.$/);
    expect(alert.wayOut).toBe('See whether mcp-gateway in Dublin still runs and listens.');
  });
});

describe('a clock', () => {
  it('that stepped is told once, and is over ten minutes later', async () => {
    await world.live(60, calm, 5);
    const device = 'id-of-historian-ashburn';
    const timeMs = originMs + world.atMs;
    const step = { kind: 'step' as const, timeMs, devices: [device], sites: [], nanos: 38_000_000 };
    await world.store.audit.transaction((tx) => tx.saveFindings(null, [step]));
    await world.live(20, calm, 5);
    const alert = onlyFired();
    expect(alert).toMatchObject({
      rule: 'clock-stepped',
      title: 'The clock of historian-ashburn stepped by +38.0 ms.',
      sinceMs: timeMs,
    });
    await world.live(620, calm, 20);
    expect(world.state.alerts.get(alert.id)).toMatchObject({ phase: 'resolved', resolvedMs: timeMs + 600_000 });
  });
});

describe('our own parts', () => {
  it('a lost broker is told after ten seconds', async () => {
    world.brokers = [{ name: 'broker-dublin', state: 'connected', sinceMs: originMs }];
    await world.live(20, calm, 5);
    const lostMs = originMs + world.atMs;
    world.brokers = [{ name: 'broker-dublin', state: 'waiting', sinceMs: lostMs }];
    await world.live(5, calm, 5);
    expect(world.fired()).toEqual([]);
    await world.live(10, calm, 5);
    expect(onlyFired()).toMatchObject({ rule: 'broker-lost', subject: { kind: 'broker' }, sinceMs: lostMs });
    world.brokers = [{ name: 'broker-dublin', state: 'connected', sinceMs: originMs + world.atMs }];
    await world.live(5, calm, 5);
    expect(open()).toEqual([]);
  });

  it('what is not well for a minute is told in its own words; while we are deaf no silence is', async () => {
    await world.live(150, calm, 5);
    world.reasons = ['the store does not answer: disk full'];
    await world.live(50, (second, at) => spoke(second, 'factory/chatter', at), 5);
    expect(world.fired()).toEqual([]);
    await world.live(20, (second, at) => spoke(second, 'factory/chatter', at), 5);
    expect(onlyFired()).toMatchObject({ rule: 'own-health', title: 'Hopscope: the store does not answer: disk full.' });
  });

  it('what waits for the store too long is told', async () => {
    await world.live(20, calm, 5);
    world.waitingSinceMs = world.nowMs - 100_000;
    await world.live(90, calm, 5);
    expect(onlyFired()).toMatchObject({ rule: 'own-health', subject: { id: 'spool' }, figure: { unit: 's' } });
  });
});

describe('a rule', () => {
  it('that is switched off tells nothing, and ends what it told', async () => {
    world.brokers = [{ name: 'broker-dublin', state: 'waiting', sinceMs: originMs - 60_000 }];
    await world.live(10, calm, 5);
    const { id } = onlyFired();
    const off = {
      rule: 'broker-lost',
      enabled: false,
      severity: null,
      threshold: null,
      forMs: null,
      by: 'owner',
      atMs: 0,
    };
    world.state.ruleSettings.save(off as never);
    await world.live(15, calm, 5);
    expect(world.state.alerts.get(id)!.phase).toBe('resolved');
  });
});

describe('a silence', () => {
  it('keeps everybody from being told; when it ends and it is still so they are', async () => {
    world.state.silences.save({
      id: 's1',
      matcher: { site: 'ashburn' },
      reason: 'the move is planned',
      by: 'J. Okafor',
      fromMs: originMs,
      untilMs: originMs + 130_000,
      createdMs: originMs,
      ended: null,
    });
    const pressed = (events: (typeof machines)['home']) => (second: Second, at: number) => {
      press(second, at / 1000, at + 100, events);
      background(second, at / 1000, at + 300);
    };
    await world.live(60, pressed(machines.home), 5);
    await world.live(60, pressed(machines.away), 5);
    const alert = onlyFired();
    expect(world.sent()).toEqual([]);
    expect(world.state.alerts.history(alert.id).filter(({ what }) => what === 'silenced')).toHaveLength(1);
    await world.live(30, pressed(machines.away), 5);
    expect(world.sent()).toHaveLength(2);
  });
});
