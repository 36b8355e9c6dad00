import type { Nanos } from './domain/units.ts';

/** "Now" is an argument: rules and steps are handed one of these. */
export type Clock = () => Nanos;

const startedNanos = BigInt(Math.round(performance.timeOrigin * 1e6));
const hrAtStart = process.hrtime.bigint() - BigInt(Math.round(performance.now() * 1e6));

/** Wall clock at process start plus monotonic time since, nanosecond steps, re-anchored when the wall clock was set (more than 50 ms apart). */
export const systemClock: Clock = () => {
  const steady = startedNanos + (process.hrtime.bigint() - hrAtStart);
  const wall = BigInt(Date.now()) * 1_000_000n;
  const apart = wall - steady;
  return apart > 50_000_000n || apart < -50_000_000n ? wall : steady;
};

export const fixedClock =
  (nanos: Nanos): Clock =>
  () =>
    nanos;
