/**
 * When did one clock of a pair step, or was it slewed? Both directions are looked at in bins of ten seconds: each bin gives an interval for
 * the difference of the clocks, and two bins that exclude each other by more than drift allows prove that something happened between them.
 * Small changes, which the slack of the path hides, cannot be proven by anybody.
 */
export interface ClockChange {
  kind: 'step' | 'slew';
  /** the last second that belongs to the time before, and the first that belongs to the time after; either order where they are mixed */
  lastBefore: number;
  firstAfter: number;
  /** nanoseconds by which offset(v) - offset(u) has changed */
  nanos: number;
}

/** Of u -> v (`there`) and v -> u (`back`): times on one scale, ascending; least = raw - floor. */
export interface Observed {
  second: number;
  least: number;
}

interface Bin {
  second: number;
  low: number;
  high: number;
}

const binSeconds = 10;
/** adjtime(3) and ntpd never go faster; what does counts as a step. Nanoseconds per second */
export const slewRate = 500_000;

export function findChanges(
  there: readonly Observed[],
  back: readonly Observed[],
  rho: number,
  slackSeconds: number,
): ClockChange[] {
  const bins = binsOf(there, back, rho * (binSeconds + slackSeconds));
  const changes: ClockChange[] = [];
  let first = 0;
  for (let m = 1; m < bins.length; m++) {
    let k = m - 1;
    while (k >= first && excess(bins[k]!, bins[m]!, rho) <= 0) k--;
    if (k < first) continue;
    changes.push(changeBetween(bins[k]!, bins[m]!, there, back, rho, slackSeconds));
    first = k + 1;
  }
  return changes;
}

/** A bin that contradicts itself has the change inside: its neighbours tell. */
function binsOf(there: readonly Observed[], back: readonly Observed[], slack: number): Bin[] {
  const bins = new Map<number, Bin>();
  const binAt = (second: number): Bin => {
    const start = Math.floor(second / binSeconds) * binSeconds;
    let bin = bins.get(start);
    if (!bin) {
      bin = { second: start, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
      bins.set(start, bin);
    }
    return bin;
  };
  for (const { second, least } of there) {
    const bin = binAt(second);
    bin.high = Math.min(bin.high, least + slack);
  }
  for (const { second, least } of back) {
    const bin = binAt(second);
    bin.low = Math.max(bin.low, -least - slack);
  }
  return [...bins.values()].filter((bin) => bin.low <= bin.high).sort((a, b) => a.second - b.second);
}

/** Nanoseconds by which two bins exclude each other; not above 0: they need not. */
const excess = (a: Bin, b: Bin, rho: number): number =>
  Math.max(b.low - a.high, a.low - b.high) - rho * (b.second - a.second);

function changeBetween(
  before: Bin,
  after: Bin,
  there: readonly Observed[],
  back: readonly Observed[],
  rho: number,
  slackSeconds: number,
): ClockChange {
  const end = after.second + binSeconds;
  const excludedBy = (bin: Bin, { second, least }: Observed, forth: boolean): boolean => {
    const says = least + rho * (Math.abs(second - bin.second) + binSeconds + slackSeconds);
    return forth ? says < bin.low : -says > bin.high;
  };
  let lastBefore = Number.NEGATIVE_INFINITY;
  let firstAfter = Number.POSITIVE_INFINITY;
  for (const [seen, forth] of [
    [there, true],
    [back, false],
  ] as const) {
    for (const one of seen) {
      if (one.second < before.second || one.second >= end) continue;
      if (excludedBy(after, one, forth)) lastBefore = Math.max(lastBefore, one.second);
      if (excludedBy(before, one, forth)) firstAfter = Math.min(firstAfter, one.second);
    }
  }
  if (lastBefore === Number.NEGATIVE_INFINITY) lastBefore = before.second + binSeconds - 1;
  if (firstAfter === Number.POSITIVE_INFINITY) firstAfter = after.second;
  const up = after.low - before.high > before.low - after.high;
  const proven = up ? after.low - before.high : before.low - after.high;
  const middle = (bin: Bin): number => (bin.low + bin.high) / 2;
  const estimate = middle(after) - middle(before);
  const seconds = Math.abs(firstAfter - lastBefore) + slackSeconds + 1;
  return {
    kind: proven > slewRate * seconds ? 'step' : 'slew',
    lastBefore,
    firstAfter,
    nanos: Number.isFinite(estimate) ? estimate : up ? proven : -proven,
  };
}
