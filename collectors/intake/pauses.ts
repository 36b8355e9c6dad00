import type { Clock } from '#lib/clock.ts';
import { type EpochMillis, epochMillisOf, type Millis } from '#lib/domain/units.ts';

/** How often it looks, and how late a look may be on a machine that is merely busy. */
const defaults = { everyMs: 1_000 as Millis, lateMs: 5_000 as Millis };

/**
 * Tells of each time this thread stood still: the process was stopped, or got no processor. Measured on the clock that never steps, so a
 * corrected wall clock is no pause; a machine that sleeps stops that clock, too, and is not seen. Answers how to end it.
 */
export function watchPauses(
  clock: Clock,
  tell: (fromMs: EpochMillis, toMs: EpochMillis) => void,
  { everyMs, lateMs } = defaults,
): () => void {
  let lookedMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    const stoodMs = nowMs - lookedMs;
    lookedMs = nowMs;
    if (stoodMs < everyMs + lateMs) return;
    const toMs = epochMillisOf(clock());
    tell(toMs - stoodMs, toMs);
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
