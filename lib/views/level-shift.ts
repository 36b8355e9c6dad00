import { addHistogram, type Histogram, quantile } from '../domain/histogram.ts';
import type { Millis } from '../domain/units.ts';
import { spokenMs } from '../domain/verdict.ts';

export interface LevelShift {
  timeMs: number;
  fromMs: Millis;
  toMs: Millis;
}

const before = 5;
const stays = 2;

/**
 * Where a hop's own level changed: a minute whose median leaves the median of the 5 minutes before by more than
 * max(2 ms, 50 %), and the next minute stays there. Minutes without a figure are passed over. `minutes`: oldest first.
 */
export function levelShifts(minutes: { minute: number; added: Histogram }[]): LevelShift[] {
  const heard = minutes
    .map(({ minute, added }) => ({ minute, added, p50: quantile(added, 0.5) }))
    .filter((each): each is { minute: number; added: Histogram; p50: number } => each.p50 !== null);
  const shifts: LevelShift[] = [];
  let levelFrom = 0;
  for (let i = 2; i + stays <= heard.length; i++) {
    const first = Math.max(levelFrom, i - before);
    if (i - first < 2) continue; // one minute is no level
    const was = medianOf(heard.slice(first, i));
    const now = heard.slice(i, i + stays);
    const leaves = Math.max(2, 0.5 * Math.abs(was));
    const up = now.every((each) => each.p50 - was > leaves);
    const down = now.every((each) => was - each.p50 > leaves);
    if (!up && !down) continue;
    shifts.push({ timeMs: heard[i]!.minute * 60_000, fromMs: was, toMs: medianOf(now) });
    levelFrom = i;
  }
  return shifts;
}

function medianOf(minutes: { added: Histogram }[]): Millis {
  const sum: Histogram = new Map();
  for (const each of minutes) addHistogram(sum, each.added);
  return quantile(sum, 0.5)!;
}

export const sayShift = ({ fromMs, toMs }: LevelShift): string => `p50 ${spokenMs(fromMs)} → ${spokenMs(toMs)}`;
