import type { Millis } from './units.ts';

/** A minute's estimate of a clock: the truth lies within offset +/- bound. */
export interface ClockMinute {
  minute: number;
  offsetMs: Millis;
  boundMs: Millis;
}

const leastMinutes = 10;
/** ppm of one millisecond a minute */
const ppmOfMsPerMinute = 1e6 / 60_000;

/**
 * How fast a clock runs away: the slope of the middles, and how far it may be from the truth. Each two minutes bound the rate by the corners
 * of their intervals; the tightest of them count. Null: too short a time, or a step within it.
 */
export function driftOf(minutes: readonly ClockMinute[]): { ppm: number; boundPpm: number } | null {
  const first = minutes[0];
  const last = minutes.at(-1);
  if (!first || !last || minutes.length < leastMinutes || last.minute - first.minute < leastMinutes) return null;
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  for (let i = 0; i < minutes.length; i++) {
    for (let j = i + 1; j < minutes.length; j++) {
      const [a, b] = [minutes[i]!, minutes[j]!];
      const between = b.minute - a.minute;
      high = Math.min(high, (b.offsetMs + b.boundMs - (a.offsetMs - a.boundMs)) / between);
      low = Math.max(low, (b.offsetMs - b.boundMs - (a.offsetMs + a.boundMs)) / between);
    }
  }
  // no steady rate explains these: it was set or slewed
  if (low > high) return null;
  const rate = Math.min(high, Math.max(low, slopeOf(minutes)));
  return { ppm: rate * ppmOfMsPerMinute, boundPpm: Math.max(high - rate, rate - low) * ppmOfMsPerMinute };
}

function slopeOf(minutes: readonly ClockMinute[]): number {
  const n = minutes.length;
  const meanMinute = minutes.reduce((sum, m) => sum + m.minute, 0) / n;
  const meanOffset = minutes.reduce((sum, m) => sum + m.offsetMs, 0) / n;
  let [above, below] = [0, 0];
  for (const { minute, offsetMs } of minutes) {
    above += (minute - meanMinute) * (offsetMs - meanOffset);
    below += (minute - meanMinute) ** 2;
  }
  return above / below;
}
