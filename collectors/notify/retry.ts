import type { Notification } from '#lib/domain/alert.ts';
import type { EpochMillis, Millis } from '#lib/domain/units.ts';
import type { NotSent } from './outcome.ts';

export const firstWaitMs = 5_000;
export const longestWaitMs = 15 * 60_000;
/** what a target may ask for */
const longestRestMs = 60 * 60_000;
export const giveUpAfterMs = 24 * 60 * 60_000;

/** When to try again; null: never. `random` within [0, 1): who failed together does not come back together. */
export function againAtMs(
  { attempts, createdMs }: Pick<Notification, 'attempts' | 'createdMs'>,
  why: NotSent,
  nowMs: EpochMillis,
  random: number,
): EpochMillis | null {
  if (why.isFinal) return null;
  const waitMs = Math.min(firstWaitMs * 2 ** Math.min(attempts, 20), longestWaitMs);
  const asked = Math.min(why.retryAfterMs ?? 0, longestRestMs);
  const atMs = nowMs + Math.round(Math.max(waitMs * (0.5 + random / 2), asked));
  return atMs > createdMs + giveUpAfterMs ? null : atMs;
}

/** How long nothing more is sent to a target that asked for a rest. */
export const restMs = (why: NotSent): Millis => Math.min(why.retryAfterMs ?? 0, longestRestMs);
