import { afterEach, describe, expect, it } from 'vitest';
import type { Finding } from '#lib/domain/alert.ts';
import { rulesInForce } from '#lib/domain/alert-rules.ts';
import { drawnFinding } from '#lib/domain/fixtures/drawn-finding.ts';
import { foldVerdicts, type LiveState, nothingKnown, type Slice, sliceMs } from '#lib/domain/live-verdict.ts';
import { openState } from '#lib/state/open.ts';
import type { State } from '#lib/state/state.ts';
import { randomFrom } from '../views/fixtures/scattered.ts';
import { rules } from './fixtures/alert-world.ts';
import { applyFindings } from './judge.ts';

/** Ten hours of a hop in slices of ten seconds, its live verdict after each of them, and the step that follows it. */

const beganMs = Date.parse('2026-11-21T02:00:00Z');
const slicesOfTenHours = 3_600;
const eachSlice = 4;

let state: State;
afterEach(() => state.close());

function tenHours(seed: number, slowOf: (slice: number) => number) {
  state = openState(null);
  const random = randomFrom(seed);
  const memory = { savedMs: new Map<string, number>() };
  const first = beganMs / sliceMs;
  const slices: Slice[] = [];
  let live: LiveState = nothingKnown;
  for (let n = 0; n < slicesOfTenHours; n++) {
    let over = 0;
    for (let i = 0; i < eachSlice; i++) if (random(10_000) < slowOf(n) * 100) over++;
    slices.push({ slice: first + n, measured: eachSlice, over, within: eachSlice - over, floorOver: 0, unanswered: 0 });
    const at = first + n + 1;
    live = foldVerdicts(slices.slice(-400), live, at, at).at(-1) ?? live;
    const lately = slices.slice(-6);
    const share = lately.reduce((sum, each) => sum + each.over, 0) / (lately.length * eachSlice);
    const finding: Finding = drawnFinding('over-budget', 'hop', 'h1', {
      state: live.overSince !== null ? 'bad' : live.verdict === 'leave' ? 'fine' : 'cannot-tell',
      sinceMs: (live.overSince ?? live.from) * sliceMs,
      share,
    });
    for (const laterMs of [2_000, 8_000]) {
      const input = { state, rules, nowMs: at * sliceMs + laterMs, targetsOf: () => ['pager'] };
      state.transaction(() => applyFindings(input, memory, rulesInForce([], []), [finding], []));
    }
  }
  const pages = new Set(
    state.notifications
      .latest(1_000)
      .filter(({ status }) => status === 'firing')
      .map(({ key }) => key),
  );
  const fired = state.alerts.list({ limit: 1_000 }).filter(({ firedMs }) => firedMs !== null);
  return { pages: pages.size, fired: fired.length };
}

describe('a hop around its budget, ten hours long', () => {
  it.each([3, 5, 6, 7, 8, 10, 12, 15])('pages at most once with %i in a hundred too slow', (percent) => {
    for (const seed of [1, 2]) expect(tenHours(seed * 100 + percent, () => percent).pages).toBeLessThanOrEqual(1);
  });

  it('comes and goes all the same, and that is kept', () => {
    const { pages, fired } = tenHours(8, () => 9);
    expect(pages).toBe(1);
    expect(fired).toBeGreaterThan(2);
    const quiet = state.alerts.list({ limit: 10 })[0]!;
    expect(state.alerts.history(quiet.id).map(({ what }) => what)).toContain('not-sent');
  });

  it('pages again when most of its requests become too slow', () => {
    const { pages } = tenHours(8, (slice) => (slice > 3_000 ? 90 : 9));
    expect(pages).toBe(2);
  });

  it('that is slow for good, well, and slow again is told both times', () => {
    const slow = (slice: number): boolean => (slice > 500 && slice < 900) || slice > 1_500;
    expect(tenHours(4, (slice) => (slow(slice) ? 95 : 1)).pages).toBe(2);
  });
});
