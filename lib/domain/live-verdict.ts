import type { EpochMillis } from './units.ts';
import type { Verdict } from './verdict.ts';

/**
 * The verdict of a hop as it goes on (design.md section 3): judged every ten seconds over the last minute, stretched back until the window
 * holds enough. A pure fold over slices of event time: whoever has the same slices comes to the same verdicts, however the slices came.
 */

export const sliceMs = 10_000;
/** The ten seconds a moment falls in, counted from the epoch. */
export const sliceOf = (ms: EpochMillis): number => Math.floor(ms / sliceMs);

/** Ten seconds of one hop, against its budget. What is neither over nor within straddles the budget, or has no bound. */
export interface Slice {
  slice: number;
  /** crossings that can have a figure: all but those whose server worked on after the answer */
  measured: number;
  /** lower edge (added - bound, at least the floor) over the budget: surely over */
  over: number;
  /** upper edge (added + bound) within the budget */
  within: number;
  /** of `over`, those whose floor alone is: no repair helps */
  floorOver: number;
  unanswered: number;
}

/** Holds from the beginning of slice `from` (what is judged then is what lies before it) until the next change. */
export interface LiveState {
  from: number;
  verdict: Verdict;
  /** since when it is over budget, or without answers; kept while the other one is told */
  overSince: number | null;
  unansweredSince: number | null;
}

export const nothingKnown: LiveState = { from: 0, verdict: 'no-data', overSince: null, unansweredSince: null };

/** When what the verdict tells began. */
export function sinceOf({ from, verdict, overSince, unansweredSince }: LiveState): number {
  if (verdict === 'unanswered') return unansweredSince ?? from;
  return (verdict === 'move' || verdict === 'fix-path' ? overSince : null) ?? from;
}

const shortest = 6;
const longest = 360;
const enough = 20;
const windowsToLeave = 3;
/** How far back of a slice its verdict may look. */
export const looksBackSlices = windowsToLeave * longest;
/** A hop that talked every few seconds and is silent for so long has stopped; one that talks rarely is given the time its last window took. */
const silentSlices = 30;
const leastUnanswered = 3;
const leastUnansweredShare = 0.01;
/** At a true share of 5 % a hop within its budget is called over budget by chance once in a thousand judgements. */
const trueShare = 0.05;
const chance = 0.001;

/**
 * The changes from slice `from` on (exclusive of what held before: `before`), judged up to the beginning of slice `until`, inclusive.
 * `slices`: ascending, from `looksBackSlices` before `from` on.
 */
export function foldVerdicts(slices: readonly Slice[], before: LiveState, from: number, until: number): LiveState[] {
  const windows = new Windows(slices);
  const changes: LiveState[] = [];
  let state = before;
  for (let at = from; at <= until; at++) {
    if (state.verdict === 'no-data' && windows.isEmptyBefore(at)) {
      // nothing can begin before somebody is heard
      const next = windows.nextHeard(at);
      if (next === null || next + 1 > until) break;
      at = Math.max(at, next + 1);
    }
    const after = judged(windows, state, at);
    if (after === state) continue;
    state = after;
    changes.push(state);
  }
  return changes;
}

function judged(windows: Windows, state: LiveState, at: number): LiveState {
  const window = windows.endingAt(at);
  const isMissed = isUnanswered(window);
  const unansweredSince =
    state.unansweredSince === null
      ? isMissed
        ? at
        : null
      : window.heard === 0 || windows.lasts(at, 1, (w) => !isUnanswered(w))
        ? null
        : state.unansweredSince;
  const overSince =
    state.overSince === null
      ? window.isEnough && isTooMany(window.over, window.measured)
        ? at
        : null
      : !window.isEnough || windows.lasts(at, enough, isClear)
        ? null
        : state.overSince;
  const verdict = verdictOf(window, state, overSince, unansweredSince);
  const isSame =
    verdict === state.verdict && overSince === state.overSince && unansweredSince === state.unansweredSince;
  return isSame ? state : { from: at, verdict, overSince, unansweredSince };
}

function verdictOf(
  window: Window,
  state: LiveState,
  overSince: number | null,
  unansweredSince: number | null,
): Verdict {
  if (unansweredSince !== null) return 'unanswered';
  if (overSince !== null) {
    // what it needs is said when it begins, and not changed by single requests
    if (state.overSince !== null && (state.verdict === 'move' || state.verdict === 'fix-path')) return state.verdict;
    return window.floorOver * 2 > window.over ? 'move' : 'fix-path';
  }
  if (!window.isEnough) return 'no-data';
  if (isClear(window)) return 'leave';
  // a few spikes are no news, nor a bound that was too wide once
  if (state.verdict === 'leave' && !isTooMany(window.measured - window.within, window.measured)) return 'leave';
  return 'cannot-tell';
}

/** hi <= budget: with its bound, at least 95 of 100 are within. */
const isClear = (w: Window): boolean => w.measured > 0 && w.within >= Math.ceil((1 - trueShare) * w.measured);

const isUnanswered = (w: Window): boolean =>
  w.unanswered >= leastUnanswered && w.unanswered >= leastUnansweredShare * (w.measured + w.unanswered);

export const isTooMany = (over: number, of: number): boolean => of > 0 && over >= leastTooMany(of);

const known = new Map<number, number>();
const exactUpTo = 2_000;

/** The least number that is over with a probability below `chance` when `trueShare` of all are: 6 of 24. */
export function leastTooMany(of: number): number {
  // beyond, the normal curve is within one in a thousand
  if (of > exactUpTo) return Math.ceil(of * trueShare + 3.0903 * Math.sqrt(of * trueShare * (1 - trueShare)) + 1);
  let least = known.get(of);
  if (least === undefined) {
    least = countTooMany(of);
    known.set(of, least);
  }
  return least;
}

function countTooMany(of: number): number {
  let probability = (1 - trueShare) ** of;
  let tail = 1;
  for (let k = 0; k <= of; k++) {
    if (tail < chance) return k;
    tail -= probability;
    probability *= ((of - k) / (k + 1)) * (trueShare / (1 - trueShare));
  }
  return of + 1;
}

interface Window {
  /** slices [from, to) */
  from: number;
  measured: number;
  over: number;
  within: number;
  floorOver: number;
  unanswered: number;
  /** measured or missed */
  heard: number;
  isEnough: boolean;
}

const figures = ['measured', 'over', 'within', 'floorOver', 'unanswered'] as const;

/** Windows over slices by running sums, so that each is two look-ups. */
class Windows {
  readonly #at: Int32Array;
  readonly #sums: Record<(typeof figures)[number], Float64Array>;

  constructor(slices: readonly Slice[]) {
    this.#at = Int32Array.from(slices, ({ slice }) => slice);
    this.#sums = Object.fromEntries(
      figures.map((figure) => {
        const sums = new Float64Array(slices.length + 1);
        for (let i = 0; i < slices.length; i++) sums[i + 1] = sums[i]! + slices[i]![figure];
        return [figure, sums];
      }),
    ) as Record<(typeof figures)[number], Float64Array>;
  }

  /** The last minute before `at`, stretched back until it holds `enough`. */
  endingAt(at: number, wanted = enough): Window {
    const end = this.#firstFrom(at);
    let begin = this.#firstFrom(at - shortest);
    const stretched = this.#lastHolding(end, wanted);
    let from = at - shortest;
    if (stretched < begin) {
      begin = Math.max(stretched, this.#firstFrom(at - longest));
      from = begin < end ? Math.min(from, this.#at[begin]!) : from;
    }
    const sum = (figure: (typeof figures)[number]): number => this.#sums[figure][end]! - this.#sums[figure][begin]!;
    const window = {
      from,
      measured: sum('measured'),
      over: sum('over'),
      within: sum('within'),
      floorOver: sum('floorOver'),
    };
    const unanswered = sum('unanswered');
    const heard = window.measured + unanswered;
    const silent = end === begin ? longest : at - 1 - this.#at[end - 1]!;
    const took = end === begin ? 0 : this.#at[end - 1]! - this.#at[begin]!;
    return {
      ...window,
      unanswered,
      heard,
      isEnough: heard >= wanted && window.measured > 0 && silent <= Math.max(silentSlices, took),
    };
  }

  /** Whether this was so in the last windows, one before the other. */
  lasts(at: number, wanted: number, isSo: (window: Window) => boolean): boolean {
    let end = at;
    for (let n = 0; n < windowsToLeave; n++) {
      const window = this.endingAt(end, wanted);
      if (wanted === enough && window.heard < enough) return false;
      if (!isSo(window)) return false;
      end = window.from;
    }
    return true;
  }

  isEmptyBefore(at: number): boolean {
    return this.#firstFrom(at - longest) === this.#firstFrom(at);
  }

  nextHeard(at: number): number | null {
    return this.#at[this.#firstFrom(at)] ?? null;
  }

  /** Index of the first slice at or after `slice`. */
  #firstFrom(slice: number): number {
    let [low, high] = [0, this.#at.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#at[middle]! < slice) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The last index from which on, up to `end`, so many were heard; 0 when there are not so many. */
  #lastHolding(end: number, wanted: number): number {
    const { measured, unanswered } = this.#sums;
    const heard = (i: number): number => measured[i]! + unanswered[i]!;
    let [low, high] = [0, end];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (heard(end) - heard(middle) >= wanted) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
