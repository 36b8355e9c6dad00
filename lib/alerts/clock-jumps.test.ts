import { afterEach, describe, expect, it, vi } from 'vitest';
import { AlertWorld, background, machines, press, type Second } from './fixtures/alert-world.ts';

vi.setConfig({ testTimeout: 600_000 });

let world: AlertWorld;
afterEach(() => world.close());

const everybody = Object.values(machines);
const hourMs = 3_600_000;

/** Pressed every two seconds; what is drawn began `agoMs` before. */
const day =
  (events: (typeof machines)['home'], agoMs = 0) =>
  (second: Second, at: number): void => {
    const n = at / 1000;
    if (n % 2 === 0) press(second, n, at + 100 - agoMs, events);
    background(second, 2 * n, at + 300 - agoMs);
    background(second, 2 * n + 1, at + 700 - agoMs);
    if (n % 4 === 0) second.alive.push(...everybody);
    second.traffic.push({
      broker: 'broker-dublin',
      topic: 'factory/chatter',
      minute: Math.floor(world.nowMs / 60_000),
      messages: 5,
      payloadBytes: 500,
      retained: 0,
      lastMs: world.nowMs,
      publisher: '',
    });
  };

describe('our own clock', () => {
  it('jumps by an hour to and fro, and nobody is told of anything', async () => {
    world = await AlertWorld.open();
    await world.live(150, day(machines.home), 5);
    for (let jump = 0; jump < 8; jump++) {
      world.clockOffMs = [hourMs, 0, -hourMs, 0][jump % 4]!;
      await world.live(10, day(machines.home), 5);
    }
    world.clockOffMs = hourMs;
    await world.live(240, day(machines.home), 5);
    expect(world.fired().map(({ title }) => title)).toEqual([]);
  });

  it('jumps while something goes bad, and it is told once the clock is right again', async () => {
    world = await AlertWorld.open();
    await world.live(100, day(machines.home), 5);
    await world.live(20, day(machines.away), 2);
    world.clockOffMs = -hourMs;
    await world.live(10, day(machines.away), 2);
    world.clockOffMs = hourMs;
    await world.live(10, day(machines.away), 2);
    world.clockOffMs = 0;
    await world.live(60, day(machines.away), 2);
    expect(world.fired().map(({ title }) => title)).toEqual(['Button press takes 102 ms. Budget is 10 ms.']);
    expect(world.fired()[0]!.subject.name).toBe('line-button → factory-events');
  });
});

describe('what comes late', () => {
  it('is told, and said to be late', async () => {
    world = await AlertWorld.open();
    const agoMs = 200_000;
    await world.live(100, day(machines.home, agoMs), 5);
    await world.live(80, day(machines.away, agoMs), 5);
    expect(world.fired()).toHaveLength(1);
    expect(world.fired()[0]).toMatchObject({ isLate: true, rule: 'over-budget' });
    expect(world.fired()[0]!.firedMs! - world.fired()[0]!.sinceMs).toBeGreaterThan(agoMs);
  });
});
