import { expect, test } from 'vitest';
import { DeviceClock, nanosToHrTime, realUnixNanos } from './device-clock.ts';

const start = 1_795_000_000_123_456_789n;

function clockAt(error: { offsetMs: number; driftPpm: number }) {
  const time = { now: start };
  return { time, clock: new DeviceClock(error, () => time.now) };
}

test('a clock with an offset runs that far ahead', () => {
  const { clock } = clockAt({ offsetMs: 41.1, driftPpm: 0 });
  expect(clock.nowNanos() - start).toBe(41_100_000n);
  expect(clock.offsetNanos()).toBe(41_100_000n);
});

test('drift grows with the time since the clock was started', () => {
  const { clock, time } = clockAt({ offsetMs: -900, driftPpm: -20 });
  time.now = start + 60_000_000_000n;
  expect(clock.offsetNanos()).toBe(-900_000_000n - 1_200_000n);
});

test('a step moves the clock at once and can be taken back', () => {
  const { clock } = clockAt({ offsetMs: 5, driftPpm: 0 });
  clock.setStepMs(38);
  expect(clock.offsetNanos()).toBe(43_000_000n);
  clock.setStepMs(0);
  expect(clock.offsetNanos()).toBe(5_000_000n);
});

test('time stamps keep their nanoseconds in the form the SDK takes', () => {
  expect(nanosToHrTime(start)).toEqual([1_795_000_000, 123_456_789]);
  const { clock } = clockAt({ offsetMs: 0, driftPpm: 0 });
  expect(clock.hrTime()).toEqual([1_795_000_000, 123_456_789]);
});

test('real time is unix time with a grain below a millisecond', () => {
  expect(Math.abs(Number(realUnixNanos() / 1_000_000n) - Date.now())).toBeLessThan(1_000);
  const grains = Array.from({ length: 20 }, () => realUnixNanos() % 1_000_000n);
  expect(grains.some((nanos) => nanos !== 0n)).toBe(true);
});
