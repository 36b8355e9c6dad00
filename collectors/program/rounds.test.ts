import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type RoundsOptions, startRounds } from './rounds.ts';

let said: string[];
beforeEach(() => {
  said = [];
  vi.useFakeTimers();
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    said.push((JSON.parse(String(line)) as { message: string }).message);
    return true;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Rounds of `tookMs` each; when they began, in ms from the start. */
function rounds(options: Partial<RoundsOptions> & { tookMs?: number }) {
  const began: number[] = [];
  const startMs = performance.now();
  const reasons = new Set<string>();
  const { tookMs = 0, round = async () => false } = options;
  const { now, stop } = startRounds({
    everyMs: 1_000,
    waitedMs: () => 0,
    reasons,
    trouble: 'it failed',
    troubleOver: 'it works again',
    ...options,
    round: async () => {
      began.push(performance.now() - startMs);
      if (tookMs > 0) await new Promise((done) => setTimeout(done, tookMs));
      return round();
    },
  });
  return { began, reasons, now, stop };
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

it('goes round in time, and leaves half of the time to others', async () => {
  const quick = rounds({ tookMs: 100 });
  const slow = rounds({ tookMs: 3_000 });
  await pass(13_500);
  expect(quick.began.slice(0, 4)).toEqual([1_000, 2_000, 3_000, 4_000]);
  expect(slow.began).toEqual([1_000, 7_000, 13_000]);
});

it('goes on at once while there is more to do, and when it is asked to', async () => {
  let more = 3;
  const { began, now } = rounds({ tookMs: 100, round: async () => --more > 0 });
  now();
  await pass(250);
  expect(began).toEqual([0, 100, 200]);
  await pass(250);
  now();
  await pass(10);
  now();
  await pass(500);
  expect(began.slice(3)).toEqual([500, 600]);
});

it('is not tried again before its time when it fails, however quickly and whoever asks', async () => {
  let works = false;
  const { began, reasons, now } = rounds({
    waitedMs: () => 60_000,
    round: async () => {
      if (!works) throw new Error('refused');
      return false;
    },
  });
  now();
  for (let ms = 0; ms < 4_900; ms += 10) {
    now();
    await pass(10);
  }
  expect(began).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
  expect([...reasons]).toEqual(['it failed']);
  works = true;
  await pass(100);
  expect([...reasons]).toEqual([]);
  expect(said).toEqual(['it failed', 'it works again']);
});

it('takes a tenth of the time while a backlog is stored, and no longer than it is', async () => {
  let waitedMs = 60_000;
  const { began, now } = rounds({ tookMs: 1_000, waitedMs: () => waitedMs, round: async () => true });
  now();
  await pass(24_500);
  now();
  expect(began).toEqual([0, 10_000, 20_000]);
  waitedMs = 0;
  // it is looked at again once a second
  await pass(1_000);
  expect(began.slice(3)).toEqual([25_500]);
});

it('rests half a minute at most: a round that waited for the store took little of it', async () => {
  const { began } = rounds({ tookMs: 15_000, waitedMs: () => 60_000 });
  await pass(100_000);
  expect(began).toEqual([1_000, 46_000, 91_000]);
});

it('ends with the round that runs', async () => {
  const { began, now, stop } = rounds({ tookMs: 500 });
  now();
  await pass(100);
  let stopped = false;
  void stop().then(() => {
    stopped = true;
  });
  await pass(300);
  expect(stopped).toBe(false);
  await pass(200);
  expect(stopped).toBe(true);
  now();
  await pass(10_000);
  expect(began).toEqual([0]);
});
