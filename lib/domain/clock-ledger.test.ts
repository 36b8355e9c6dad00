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
function drawFleet(seed: number, clocks: Clock[], pairs: [number, number, number][], seconds: number, queueMs = 3) {
  const roll = dice(seed);
  const found: Seen[] = [];
  const at = (device: number, second: number) => clocks[device]!.offset + clocks[device]!.driftPpm * 1000 * second;
  for (let second = 0; second < seconds; second += 5) {
    for (const [u, v, floor] of pairs) {
      const delay = floor + roll() * queueMs * ms;
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

  it('answers the same whichever numbers the devices got, also where they contradict each other', () => {
    const ring: [number, number, number][] = [0, 1, 2, 3, 4].flatMap((u) => [
      [u, (u + 1) % 5, 9 * ms],
      [(u + 1) % 5, u, 9 * ms],
      [u, (u + 2) % 5, 14 * ms],
    ]);
    let contradictions = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const roll = dice(seed);
      const five = Array.from({ length: 5 }, () => ({ offset: Math.round(roll() * 4_000) * ms, driftPpm: 0 }));
      const { found, truth } = drawFleet(seed, five, ring, 120);
      // replies that were sent before their request was done, and two places that are not where they are said to be
      const lies = Array.from({ length: 6 }, (_, i): Seen => {
        const [u, v] = [Math.floor(roll() * 5), Math.floor(roll() * 5)];
        const least = truth(u, v, 60) - (5 + roll() * 40) * ms;
        return { from: u + 1, to: v + 1, second: 60, least, kind: i < 4 ? 'reply' : 'sure', flow: i };
      });
      const names = ['ash', 'birch', 'cedar', 'dogwood', 'elm'];
      const numbered = (numbers: number[], reversed: boolean) => {
        const ledger = createClockLedger(50, (device) => names[numbers.indexOf(device)]!);
        const seen = [...found, ...lies];
        for (const edge of reversed ? seen.toReversed() : seen)
          ledger.add({ ...edge, from: numbers[edge.from - 1]!, to: numbers[edge.to - 1]! });
        return names.flatMap((_, u) => names.map((__, v) => ledger.offset(numbers[u]!, numbers[v]!, 60)));
      };
      const one = numbered([1, 2, 3, 4, 5], false);
      contradictions += one.filter(({ method }) => method === 'contradiction').length;
      for (const other of [numbered([5, 4, 3, 2, 1], true), numbered([3, 5, 1, 2, 4], true)])
        expect(other).toEqual(one);
    }
    expect(contradictions).toBeGreaterThan(20);
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

  it('believes no place that makes clocks contradict each other, and says which', () => {
    const ledger = createClockLedger(50);
    for (let second = 0; second < 100; second++) {
      // said to be 20 ms apart, and 3 ms away
      ledger.add({ from: 1, to: 2, second, least: 3 * ms - 20 * ms + 70 * ms, floor: 20 * ms });
      ledger.add({ from: 2, to: 1, second, least: 3 * ms - 20 * ms - 70 * ms, floor: 20 * ms });
      ledger.add({ from: 1, to: 3, second, least: 2 * ms, floor: 5 * ms });
      ledger.add({ from: 3, to: 1, second, least: 2 * ms, floor: 5 * ms });
    }
    expect(ledger.offset(1, 2, 50)).toMatchObject({ method: 'bounded', placed: false });
    expect(ledger.offset(1, 2, 50).offset).toBeCloseTo(70 * ms, -4);
    expect(ledger.offset(1, 3, 50)).toMatchObject({ method: 'bounded', placed: true });
    expect(ledger.offset(1, 3, 50).bound).toBeLessThan(3 * ms);
    expect(ledger.refuted(50)).toEqual({ contradicting: [], misplaced: [[1, 2]] });
  });

  it('gives up exports of a circle before anything else', () => {
    const ledger = createClockLedger(50);
    for (let second = 0; second < 100; second++) {
      ledger.add({ from: -1, to: 2, second, least: 5 * ms });
      ledger.add({ from: 2, to: -1, second, least: -40 * ms, kind: 'export' });
      ledger.add({ from: 2, to: -1, second, least: 5 * ms });
    }
    expect(ledger.offset(-1, 2, 50)).toMatchObject({ method: 'bounded', placed: true });
    expect(ledger.offset(-1, 2, 50).offset).toBeCloseTo(0, -3);
    expect(ledger.refuted(50)).toEqual({ contradicting: [], misplaced: [] });
  });

  it('calls only the pairs on the circle contradictory', () => {
    const ledger = createClockLedger(50);
    for (let second = 0; second < 100; second++) {
      for (const [from, to] of [
        [1, 2],
        [2, 3],
        [3, 1],
      ] as const)
        ledger.add({ from, to, second, least: -5 * ms });
      ledger.add({ from: 1, to: 4, second, least: 2 * ms });
      ledger.add({ from: 4, to: 1, second, least: 2 * ms });
    }
    expect(ledger.refuted(50).contradicting).toEqual([[1, 2, 3]]);
    expect(ledger.offset(1, 3, 50).method).toBe('contradiction');
    expect(ledger.offset(1, 4, 50)).toMatchObject({ method: 'bounded' });
  });

  it('holds the truth inside a LAN where clocks drift apart at full speed', () => {
    // a minimum a minute would contradict itself: 100 ppm are 6 ms a minute, the way takes a fifth of one
    const { found, truth } = drawFleet(
      4,
      [
        { offset: 0, driftPpm: 50 },
        { offset: 3_000 * ms, driftPpm: -50 },
      ],
      [
        [0, 1, 0],
        [1, 0, 0],
      ],
      600,
      0.2,
    );
    const ledger = createClockLedger(50);
    for (const seen of found) ledger.add(seen);
    for (let second = 0; second < 600; second += 7) {
      const seen = ledger.offset(1, 2, second);
      expect(seen.method).toBe('bounded');
      expect(Math.abs(seen.offset - truth(0, 1, second))).toBeLessThanOrEqual(seen.bound);
      expect(seen.bound).toBeLessThan(1.5 * ms);
    }
    expect(ledger.steps()).toEqual([]);
  });

  it('trusts no reply of a flow in which a server was seen to work on', () => {
    const ledger = createClockLedger(50);
    for (let second = 0; second < 100; second++) {
      ledger.add({ from: 1, to: 2, second, least: 1 * ms });
      // worked on for 1.5 ms after its answer: as a message it would have come before it was sent, and nothing contradicts it
      ledger.add({ from: 2, to: 1, second, least: 1 * ms - 1.5 * ms, kind: 'reply', flow: 7 });
    }
    expect(ledger.offset(1, 2, 50)).toMatchObject({ method: 'bounded' });
    expect(Math.abs(ledger.offset(1, 2, 50).offset)).toBeGreaterThan(ledger.offset(1, 2, 50).bound);
    ledger.add({ from: 2, to: 1, second: 77, least: Number.NEGATIVE_INFINITY, kind: 'reply', flow: 7 });
    expect(ledger.offset(1, 2, 50)).toMatchObject({ method: 'assumed', offset: 0 });
    for (let second = 0; second < 100; second++)
      ledger.add({ from: 2, to: 1, second, least: 1 * ms, kind: 'reply', flow: 8 });
    expect(ledger.offset(1, 2, 50)).toMatchObject({ method: 'bounded' });
    expect(ledger.offset(1, 2, 50).offset).toBeCloseTo(0, -3);
  });

  it('closes a triangle, where pairs by themselves would not', () => {
    const ledger = createClockLedger(50);
    for (let second = 0; second < 60; second++) {
      // each way slow in one direction only: the middle of each pair is off by half of it
      for (const [from, to] of [
        [1, 2],
        [2, 3],
        [3, 1],
      ] as const) {
        ledger.add({ from, to, second, least: 15 * ms });
        ledger.add({ from: to, to: from, second, least: 0.5 * ms });
      }
    }
    const [two, three, between] = [ledger.offset(1, 2, 30), ledger.offset(1, 3, 30), ledger.offset(2, 3, 30)];
    // one reference: both ends from the same search, so what lies between them keeps every constraint
    const difference = three.offset - two.offset;
    expect(difference).toBeLessThanOrEqual(between.high + 10);
    expect(difference).toBeGreaterThanOrEqual(between.low - 10);
    for (const seen of [two, three, between]) expect(Math.abs(seen.offset)).toBeLessThanOrEqual(seen.bound);
  });

  it('blames a step on the device common to all pairs that changed, and on both where nothing tells', () => {
    const ledger = createClockLedger(50);
    for (let second = 0; second < 300; second++) {
      const ahead = second < 150 ? 0 : -700 * ms;
      for (const other of [2, 3, 4]) {
        ledger.add({ from: 1, to: other, second, least: 2 * ms - ahead });
        ledger.add({ from: other, to: 1, second, least: 2 * ms + ahead });
      }
      ledger.add({ from: 8, to: 9, second, least: 2 * ms - ahead });
      ledger.add({ from: 9, to: 8, second, least: 2 * ms + ahead });
    }
    const steps = ledger.steps();
    expect(steps.map((step) => step.devices)).toEqual([[1], [8, 9]]);
    for (const step of steps) {
      expect(Math.abs(step.second - 150)).toBeLessThanOrEqual(3);
      expect(step.nanos).toBeCloseTo(-700 * ms, -7);
    }
  });

  it('compares a clock that is minutes wrong with what others did at the same time', () => {
    const { found, truth } = drawFleet(
      5,
      [
        { offset: 0, driftPpm: 40 },
        { offset: 400_000 * ms, driftPpm: -40 },
      ],
      [
        [0, 1, 0],
        [1, 0, 0],
      ],
      300,
    );
    const ledger = createClockLedger(50);
    // dated by the sender, as spans are
    for (const seen of found) ledger.add({ ...seen, second: seen.second + (seen.from === 2 ? 400 : 0) });
    for (const second of [0, 100, 299]) {
      const seen = ledger.offset(1, 2, second);
      expect(seen).toMatchObject({ method: 'bounded' });
      expect(Math.abs(seen.offset - truth(0, 1, second))).toBeLessThanOrEqual(seen.bound);
      expect(seen.bound).toBeLessThan(6 * ms);
    }
    expect(ledger.offset(2, 1, 500).offset).toBeCloseTo(-ledger.offset(1, 2, 100).offset, -3);
  });

  describe('of thousands of devices', () => {
    const many = 3000;
    const offset = (device: number) => ((device * 7919) % 4000) * ms;
    const talk = (ledger: ReturnType<typeof createClockLedger>, fromSecond: number, toSecond: number) => {
      for (let second = fromSecond; second < toSecond; second += 10) {
        for (let device = 2; device <= many; device++) {
          const ahead = Math.round(offset(device) / 1e9);
          ledger.add({ from: device, to: 1, second: second + ahead, least: (device % 5) * ms - offset(device) });
          ledger.add({ from: 1, to: device, second, least: (device % 7) * ms + offset(device) });
        }
      }
    };

    it('a second costs a look at each edge and its minutes, not at each observation for each device', () => {
      const ledger = createClockLedger(50);
      talk(ledger, 0, 600);
      const observations = 60 * 2 * (many - 1);
      const before = ledger.work();
      const pairs: ReturnType<typeof ledger.offset>[] = [];
      for (let device = 2; device < many; device++)
        pairs.push(ledger.offset(device, device + 1, 300 + Math.round(offset(device) / 1e9)));
      for (const [i, seen] of pairs.entries()) {
        const truth = offset(i + 3) - offset(i + 2);
        expect(seen.method === 'bounded' && Math.abs(seen.offset - truth) <= seen.bound).toBe(true);
      }
      // every second of every sender's clock once; they are five
      expect(ledger.work() - before).toBeLessThan(observations);
      const again = ledger.work();
      ledger.offset(2, 3, 300 + Math.round(offset(2) / 1e9));
      expect(ledger.work() - again).toBeLessThan(100);
    });
  });
});
