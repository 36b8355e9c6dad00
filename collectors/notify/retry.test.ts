import { describe, expect, it } from 'vitest';
import { retryAfterMs } from './http-post.ts';
import { NotSent } from './outcome.ts';
import { againAtMs } from './retry.ts';

const nowMs = Date.UTC(2026, 5, 1, 14, 2);
const waitMs = (attempts: number, random: number, why = new NotSent('answered 503')) =>
  againAtMs({ attempts, createdMs: nowMs }, why, nowMs, random)! - nowMs;

describe('a message that was not taken', () => {
  it('is tried again after twice as long each time, up to a quarter of an hour, and never two in step', () => {
    expect([0, 1, 2, 3, 7, 8, 50].map((attempts) => waitMs(attempts, 0.999_999_9))).toEqual([
      5_000, 10_000, 20_000, 40_000, 640_000, 900_000, 900_000,
    ]);
    expect([0, 50].map((attempts) => waitMs(attempts, 0))).toEqual([2_500, 450_000]);
  });

  it('is tried for 24 hours', () => {
    const day = 86_400_000;
    const again = (createdMs: number) => againAtMs({ attempts: 50, createdMs }, new NotSent(''), nowMs, 0.5);
    expect(again(nowMs - day + 700_000)).toBe(nowMs + 675_000);
    expect(again(nowMs - day + 600_000)).toBeNull();
    // over a whole day of failing: often enough to arrive soon after, rarely enough to be no nuisance
    let atMs = nowMs;
    let attempts = 0;
    for (let next: number | null = atMs; next !== null; attempts++) {
      atMs = next;
      next = againAtMs({ attempts, createdMs: nowMs }, new NotSent(''), atMs, 0.5);
    }
    expect(atMs - nowMs).toBeGreaterThan(day - 900_000);
    expect(attempts).toBeGreaterThan(90);
    expect(attempts).toBeLessThan(160);
  });

  it('is not tried again where the message itself was refused', () => {
    expect(againAtMs({ attempts: 0, createdMs: nowMs }, new NotSent('', { isFinal: true }), nowMs, 0)).toBeNull();
  });

  it('waits as long as the target asked for, up to an hour, and never shorter than it would by itself', () => {
    const asked = (ms: number) => new NotSent('answered 429', { retryAfterMs: ms });
    expect(waitMs(0, 0, asked(120_000))).toBe(120_000);
    expect(waitMs(0, 0, asked(86_400_000))).toBe(3_600_000);
    expect(waitMs(8, 0.999_999_9, asked(1_000))).toBe(900_000);
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Mon, 01 Jun 2026 14:03:00 GMT', 60_000],
    ['Mon, 01 Jun 2026 14:01:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['99999999999999999999', null],
    [undefined, null],
  ])('%s', (header, ms) => {
    expect(retryAfterMs(header, nowMs)).toBe(ms);
  });
});
