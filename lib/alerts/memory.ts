import type { LiveState } from '../domain/live-verdict.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { HopIdentity } from '../store/store.ts';

/** What spares looking twice, and what only somebody knows who watches: may be thrown away at any moment. */
export interface AlertMemory {
  /** when this watch began, and when it last looked */
  watchedSinceMs: EpochMillis | null;
  lookedMs: EpochMillis | null;
  /** jumps of our own clock, or times that we were away */
  jumps: { atMs: EpochMillis; toMs: EpochMillis }[];
  /** the last time that everything was read, and what it looked like */
  looked: { atMs: EpochMillis; shape: string } | null;
  hops: ReadonlyMap<bigint, HopIdentity>;
  paths: Map<string, KnownPathState>;
  /** when what a verdict tells really began, by subject and verdict */
  onsets: Map<string, EpochMillis>;
  /** when the row of an open alert was last written */
  savedMs: Map<string, EpochMillis>;
}

export interface KnownPathState {
  state: LiveState;
  /** the slice up to which it was judged */
  judgedUntil: number;
}

export const openAlertMemory = (): AlertMemory => ({
  watchedSinceMs: null,
  lookedMs: null,
  jumps: [],
  looked: null,
  hops: new Map(),
  paths: new Map(),
  onsets: new Map(),
  savedMs: new Map(),
});
