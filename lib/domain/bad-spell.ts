import type { EpochMillis } from './units.ts';

/** Something that was or was not as it should be. */
export interface Moment {
  atMs: EpochMillis;
  isBad: boolean;
}

/** A stretch with over 13 in 100 bad is one: three times what a budget forgives. */
const forgiven = 0.15;

/**
 * The stretch that was bad: from where to where the bad moments outweigh the others the most. So neither one spike long before nor one
 * good request within it moves its beginning. Null where nothing was bad. `moments`: oldest first.
 */
export function badSpellOf(moments: readonly Moment[]): { fromMs: EpochMillis; toMs: EpochMillis; bad: number } | null {
  let best: { from: number; to: number; weight: number } | null = null;
  let [from, weight] = [0, 0];
  for (const [i, { isBad }] of moments.entries()) {
    if (weight <= 0) [from, weight] = [i, 0];
    weight += isBad ? 1 : -forgiven;
    // the latest of equals: what goes on now
    if (isBad && weight >= (best?.weight ?? 0)) best = { from, to: i, weight };
  }
  if (best === null) return null;
  const { from: first, to: last } = best;
  const bad = moments.slice(first, last + 1).filter((moment) => moment.isBad).length;
  return { fromMs: moments[first]!.atMs, toMs: moments[last]!.atMs, bad };
}
