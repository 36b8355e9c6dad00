import { createHash } from 'node:crypto';

/** HOPSCOPE_SEED or a new one; printed, so that a run can be repeated. */
export function seedOf(test: string): number {
  const seed = Number(process.env.HOPSCOPE_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${test}: HOPSCOPE_SEED=${seed}`);
  return seed;
}

/** The same numbers in [0, 1) for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An id of as many hex digits that belongs to this item of this run. */
export const idOf = (seed: number, item: string, digits: number): string =>
  createHash('sha256').update(`${seed} ${item}`).digest('hex').slice(0, digits);

/** The least figure that so large a share of all is not above. */
export const quantile = (figures: number[], share: number): number =>
  figures.toSorted((a, b) => a - b)[Math.ceil(figures.length * share) - 1]!;
