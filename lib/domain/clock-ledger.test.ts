import { describe, expect, it } from 'vitest';
import { createClockLedger, type Seen } from './clock-ledger.ts';

const ms = 1e6;
/** Repeatable: a test that fails must fail again. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Clock {
  offset: number;
  driftPpm: number;
}

/** Messages between pairs, each with floor + some queueing; offsets in ns, drift in ppm. */
function drawFleet(seed: number, clocks: Clock[], pairs: [number, number, number][], seconds: number) {
  const roll = dice(seed);
  const found: Seen[] = [];
  const at = (device: number, second: number) => clocks[device]!.offset + clocks[device]!.driftPpm * 1000 * second;
  for (let second = 0; second < seconds; second += 5) {
    for (const [u, v, floor] of pairs) {
      const delay = floor + roll() * 3 * ms;
      found.push({ from: u + 1, to: v + 1, second, least: delay + at(v, second) - at(u, second) - floor, floor });
    }
  }
  return { found, truth: (u: number, v: number, second: number) => at(v, second) - at(u, second) };
}

const clocks: Clock[] = [
  { offset: 0, driftPpm: 0 },
  { offset: 1_700 * ms, driftPpm: 20 },
  { offset: -900 * ms, driftPpm: -15 },
  { offset: 40 * ms, driftPpm: 5 },
];
const bothWays: [number, number, number][] = [
  [0, 1, 5 * ms],
  [1, 0, 5 * ms],
  [0, 2, 27 * ms],
  [2, 0, 27 * ms],
  [1, 3, 0],
  [3, 1, 0],
];

describe('the clock ledger', () => {
  it('holds the truth within its bound, over every way and at every second', () => {
    const { found, truth } = drawFleet(1, clocks, bothWays, 600);
    const ledger = createClockLedger(50);
    for (const edge of found) ledger.add(edge);
    for (const second of [0, 33, 300, 599]) {
      for (const [u, v] of [
        [0, 1],
        [0, 2],
        [0, 3],
        [2, 3],
        [3, 2],
      ] as const) {
        const seen = ledger.offset(u + 1, v + 1, second);
        expect(seen.method).toBe('bounded');
        expect(Math.abs(seen.offset - truth(u, v, second))).toBeLessThanOrEqual(seen.bound);
        expect(seen.bound).toBeLessThan(6 * ms);
      }
    }
  });

  it('answers the same whatever the order and however often it is told', () => {
    const { found } = drawFleet(2, clocks, bothWays, 300);
    const one = createClockLedger(50);
    const other = createClockLedger(50);
    for (const edge of found) one.add(edge);
    for (const edge of [...found].reverse()) {
      other.add(edge);
      other.add(edge);
    }
    for (const second of [0, 77, 299]) expect(other.offset(3, 4, second)).toEqual(one.offset(3, 4, second));
  });

  it('satisfies every constraint with the middles of one reference', () => {
    const { found } = drawFleet(3, clocks, bothWays, 60);
    const ledger = createClockLedger(50);
    for (const edge of found) ledger.add(edge);
    const offset = (device: number) => (device === 1 ? 0 : ledger.offset(1, device, 30).offset);
    for (const { from, to, second, least } of found) {
      expect(offset(to) - offset(from)).toBeLessThanOrEqual(least + 100_000 * (Math.abs(30 - second) + 4) + 10);
    }
  });

  it('assumes nothing of a one-way talker but that 0 is possible, or proves it wrong', () => {
    const ledger = createClockLedger(50);
    ledger.add({ from: 1, to: 2, second: 10, least: 12 * ms });
    expect(ledger.offset(1, 2, 10)).toMatchObject({ method: 'assumed', offset: 0, bound: Number.NaN });
    ledger.add({ from: 1, to: 3, second: 10, least: -400 * ms });
    const wrong = ledger.offset(1, 3, 10);
    expect(wrong.method).toBe('clock-wrong');
    expect(wrong.offset).toBeCloseTo(-400 * ms, -6);
    expect(ledger.offset(3, 1, 10).offset).toBeCloseTo(400 * ms, -6);
    expect(ledger.offset(1, 99, 10).method).toBe('assumed');
  });

  it('forgets what is more than ten minutes away', () => {
    const ledger = createClockLedger(50);
    ledger.add({ from: 1, to: 2, second: 0, least: 5 * ms });
    ledger.add({ from: 2, to: 1, second: 0, least: 5 * ms });
    expect(ledger.offset(1, 2, 600).method).toBe('bounded');
    expect(ledger.offset(1, 2, 600).bound).toBeGreaterThan(60 * ms);
    expect(ledger.offset(1, 2, 601).method).toBe('assumed');
  });

  it('finds a step and keeps both sides of it apart', () => {
    const ledger = createClockLedger(50);
    for (let second = 0; second < 600; second++) {
      const offset = second < 300 ? 0 : 800 * ms;
      ledger.add({ from: 1, to: 2, second: second, least: 2 * ms + offset });
      ledger.add({ from: 2, to: 1, second: second, least: 2 * ms - offset });
    }
    expect(ledger.offset(1, 2, 200)).toMatchObject({ method: 'bounded' });
    expect(ledger.offset(1, 2, 200).offset).toBeCloseTo(0, -7);
    expect(ledger.offset(1, 2, 298).bound).toBeLessThan(4 * ms);
    expect(ledger.offset(1, 2, 302).offset).toBeCloseTo(800 * ms, -7);
    expect(ledger.offset(1, 2, 302).bound).toBeLessThan(4 * ms);
  });

  it('finds the way between two steps', () => {
    const ledger = createClockLedger(50);
    for (let second = 0; second < 600; second++) {
      const offset = second < 200 ? 0 : second < 400 ? 800 * ms : -500 * ms;
      ledger.add({ from: 1, to: 2, second: second, least: 2 * ms + offset });
      ledger.add({ from: 2, to: 1, second: second, least: 2 * ms - offset });
    }
    expect(ledger.offset(1, 2, 300).offset).toBeCloseTo(800 * ms, -7);
    expect(ledger.offset(1, 2, 300).bound).toBeLessThan(4 * ms);
    expect(ledger.offset(1, 2, 500).offset).toBeCloseTo(-500 * ms, -7);
  });

  it('drops reply edges that contradict the rest, and names who is left in a contradiction', () => {
    const ledger = createClockLedger(50);
    for (let second = 0; second < 100; second++) {
      ledger.add({ from: 1, to: 2, second: second, least: 5 * ms });
      ledger.add({ from: 2, to: 1, second: second, least: -9 * ms, kind: 'reply' });
      ledger.add({ from: 2, to: 1, second: second, least: 5 * ms });
    }
    expect(ledger.offset(1, 2, 50)).toMatchObject({ method: 'bounded' });
    for (let second = 0; second < 100; second++) ledger.add({ from: 2, to: 1, second: second, least: -9 * ms });
    expect(ledger.offset(1, 2, 50)).toMatchObject({ method: 'contradiction', offset: Number.NaN });
    expect(ledger.refuted(50).contradicting).toEqual([[1, 2]]);
    expect(ledger.offset(1, 3, 50).method).toBe('assumed');
  });

  it('takes milliseconds for thousands of devices, and its bounds still hold', () => {
    const ledger = createClockLedger(50);
    const many = 3000;
    const offset = (device: number) => ((device * 7919) % 4000) * ms;
    for (let second = 0; second < 60; second += 10) {
      for (let device = 2; device <= many; device++) {
        ledger.add({ from: device, to: 1, second: second, least: (device % 5) * ms - offset(device) });
        ledger.add({ from: 1, to: device, second: second, least: (device % 7) * ms + offset(device) });
      }
    }
    const began = performance.now();
    for (let device = 2; device < many; device++) {
      const seen = ledger.offset(device, device + 1, 30);
      const truth = offset(device + 1) - offset(device);
      expect(seen.method === 'bounded' && Math.abs(seen.offset - truth) <= seen.bound).toBe(true);
    }
    // one second, 3,000 pairs; the expectations themselves are most of it
    expect(performance.now() - began).toBeLessThan(1500);
  });
});
