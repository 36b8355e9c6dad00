import { describe, expect, it } from 'vitest';
import { foldVerdicts, type LiveState, leastTooMany, nothingKnown, type Slice, sinceOf } from './live-verdict.ts';

function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Crossing {
  /** seconds */
  at: number;
  what: 'over' | 'within' | 'straddles' | 'floor' | 'unanswered';
}

/** A budget that says which of these crossings are over it has been applied already. */
function slicesOf(crossings: readonly Crossing[]): Slice[] {
  const slices = new Map<number, Slice>();
  for (const { at, what } of crossings) {
    const number = 1 + Math.floor(at / 10);
    const slice = slices.get(number) ?? { slice: number, measured: 0, over: 0, within: 0, floorOver: 0, unanswered: 0 };
    slices.set(number, slice);
    if (what === 'unanswered') slice.unanswered++;
    else slice.measured++;
    if (what === 'over' || what === 'floor') slice.over++;
    if (what === 'floor') slice.floorOver++;
    if (what === 'within') slice.within++;
  }
  return [...slices.values()].sort((a, b) => a.slice - b.slice);
}

const fold = (crossings: readonly Crossing[], seconds: number): LiveState[] =>
  foldVerdicts(slicesOf(crossings), nothingKnown, 1, 1 + Math.floor(seconds / 10));
const verdictsOf = (changes: readonly LiveState[]): string[] => changes.map(({ verdict }) => verdict);

/** One crossing every `gap` seconds from `from` on. */
const steady = (from: number, to: number, gap: number, what: Crossing['what']): Crossing[] =>
  Array.from({ length: Math.ceil((to - from) / gap) }, (_, i) => ({ at: from + i * gap, what }));

describe('the chance that it is chance', () => {
  it.each([
    [20, 6],
    [24, 6],
    [60, 10],
    [1000, 74],
  ])('of %i it takes %i', (of, least) => expect(leastTooMany(of)).toBe(least));
  it('goes on without a step where the exact count ends', () => {
    expect(leastTooMany(2001) - leastTooMany(2000)).toBeLessThanOrEqual(2);
    expect(leastTooMany(2001)).toBeGreaterThanOrEqual(leastTooMany(2000));
  });
  it('never calls a hop over budget for less than 6 of 20', () => {
    const few = [...steady(0, 120, 6, 'within'), ...steady(100, 120, 5, 'over')];
    expect(verdictsOf(fold(few, 150))).not.toContain('fix-path');
  });
});

describe('a hop over its budget', () => {
  const changes = fold(
    [...steady(0, 600, 1, 'within'), ...steady(600, 1200, 1, 'over'), ...steady(1200, 2400, 1, 'within')],
    2400,
  );

  it('is told within a minute, with since when, and is let go after three good windows', () => {
    expect(verdictsOf(changes)).toEqual(['leave', 'fix-path', 'leave']);
    const [, over, left] = changes;
    expect((sinceOf(over!) - 1) * 10).toBeGreaterThanOrEqual(600);
    expect((sinceOf(over!) - 1) * 10).toBeLessThanOrEqual(620);
    expect((left!.from - 1) * 10).toBeGreaterThanOrEqual(1200 + 180);
    expect((left!.from - 1) * 10).toBeLessThanOrEqual(1200 + 200);
  });
  it('is `move` where the floor alone is over', () => {
    expect(verdictsOf(fold(steady(0, 300, 1, 'floor'), 300))).toEqual(['move']);
  });
  it('stays over while the bounds do not say that it is not', () => {
    expect(verdictsOf(fold([...steady(0, 300, 1, 'over'), ...steady(300, 1500, 1, 'straddles')], 1500))).toEqual([
      'fix-path',
    ]);
  });
  it('is told at every hour of a rare hop: 3 crossings a minute get a verdict well within the hour', () => {
    const rare = fold(steady(0, 3600, 20, 'over'), 3600);
    expect(verdictsOf(rare)).toEqual(['fix-path']);
    expect((rare[0]!.from - 1) * 10).toBeLessThan(600);
    expect(verdictsOf(fold(steady(0, 3600, 20, 'within'), 3600))).toEqual(['leave']);
  });
  it('has no verdict at less than 20 an hour, and loses the one it had when it falls silent', () => {
    expect(fold(steady(0, 7200, 200, 'over'), 7200)).toEqual([]);
    const silent = fold(steady(0, 600, 1, 'over'), 3600);
    expect(verdictsOf(silent)).toEqual(['fix-path', 'no-data']);
    expect((silent[1]!.from - 1) * 10).toBeLessThan(600 + 320);
  });
});

describe('what cannot be told', () => {
  it('is never over budget, however much of it there is', () => {
    expect(verdictsOf(fold(steady(0, 3600, 1, 'straddles'), 3600))).toEqual(['cannot-tell']);
    const mixed = Array.from(
      { length: 3600 },
      (_, at) => ({ at, what: at % 33 === 0 ? 'over' : 'straddles' }) as const,
    );
    expect(verdictsOf(fold(mixed, 3600))).toEqual(['cannot-tell']);
  });
});

describe('a hop without answers', () => {
  it('says so from three in a hundred on, and until three windows were answered', () => {
    const changes = fold([...steady(0, 1800, 1, 'within'), ...steady(600, 620, 5, 'unanswered')], 1800);
    expect(verdictsOf(changes)).toEqual(['leave', 'unanswered', 'leave']);
    expect((changes[1]!.from - 1) * 10).toBe(620);
  });
  it('says so too when nobody answers at all', () => {
    expect(verdictsOf(fold([...steady(0, 600, 5, 'within'), ...steady(600, 1200, 5, 'unanswered')], 1200))).toEqual([
      'leave',
      'unanswered',
    ]);
  });
  it('is still over budget when the answers come back', () => {
    const both = [...steady(0, 1800, 1, 'over'), ...steady(600, 640, 2, 'unanswered')];
    const changes = fold(both, 1800);
    expect(verdictsOf(changes)).toEqual(['fix-path', 'unanswered', 'fix-path']);
    expect(sinceOf(changes[2]!)).toBe(sinceOf(changes[0]!));
  });
});

describe('ten hours of a steady hop with 1 % spikes', () => {
  const seconds = 36_000;
  const entered = (perMinute: number, seed: number, share = 0.01): number => {
    const random = randomFrom(seed);
    const crossings: Crossing[] = [];
    for (let at = 0; at < seconds; at += (-Math.log(1 - random()) * 60) / perMinute)
      crossings.push({ at, what: random() < share ? 'over' : 'within' });
    return fold(crossings, seconds).filter(({ verdict }) => verdict === 'fix-path').length;
  };
  it.each([3, 20, 60, 600])('are called over budget at most once (%i crossings a minute)', (perMinute) => {
    const times = Array.from({ length: 12 }, (_, seed) => entered(perMinute, 1000 * perMinute + seed));
    expect(Math.max(...times)).toBeLessThanOrEqual(1);
  });
  it('would be told if it were one in four', () => {
    for (const perMinute of [3, 60]) expect(entered(perMinute, 7, 0.25)).toBeGreaterThanOrEqual(1);
  });
});

describe('the fold', () => {
  it('comes to the same from any point it is taken up again', () => {
    const random = randomFrom(5);
    const crossings: Crossing[] = [];
    let share = 0.02;
    for (let at = 0; at < 20_000; at += random() * 20) {
      if (random() < 0.002) share = random() < 0.5 ? 0.02 : 0.7;
      if (random() < 0.001) at += 2_000;
      const what =
        random() < 0.01 ? 'unanswered' : random() < share ? (random() < 0.3 ? 'straddles' : 'over') : 'within';
      crossings.push({ at, what });
    }
    const slices = slicesOf(crossings);
    const whole = foldVerdicts(slices, nothingKnown, 1, 2001);
    expect(whole.length).toBeGreaterThan(5);
    for (let from = 2; from <= 2001; from += 37) {
      const head = whole.filter((state) => state.from < from);
      const again = foldVerdicts(
        slices.filter(({ slice }) => slice >= from - 1080),
        head.at(-1) ?? nothingKnown,
        from,
        2001,
      );
      expect([...head, ...again]).toEqual(whole);
    }
  });
});
