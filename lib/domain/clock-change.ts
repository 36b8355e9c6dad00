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
  /** a slew is noticed late and its end is too: it lasted within these seconds */
  from: number;
  to: number;
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
  slewing: boolean;
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
  const bins = binsOf(there, back, rho, slackSeconds);
  const changes = bins.filter((bin) => bin.slewing).map(slewWithin);
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

/**
 * A bin that contradicts itself is being slewed. Where not even that explains it, it has a step inside, and its neighbours tell; and where
 * one and the same second contradicts itself, clocks are not the reason.
 */
function binsOf(there: readonly Observed[], back: readonly Observed[], rho: number, slackSeconds: number): Bin[] {
  const slack = rho * (binSeconds + slackSeconds);
  const slewed = slewRate * (binSeconds + slackSeconds);
  const bins = new Map<number, Bin>();
  const binAt = (second: number): Bin => {
    const start = Math.floor(second / binSeconds) * binSeconds;
    let bin = bins.get(start);
    if (!bin) {
      bin = { second: start, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, slewing: false };
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
  const standing = standingContradictions(there, back, (rho + slewRate) * (slackSeconds + 1));
  for (const bin of bins.values()) {
    bin.slewing = bin.low > bin.high;
    if (!bin.slewing || standing.has(bin.second)) continue;
    bin.low -= slewed;
    bin.high += slewed;
  }
  return [...bins.values()].filter((bin) => bin.low <= bin.high).sort((a, b) => a.second - b.second);
}

function standingContradictions(there: readonly Observed[], back: readonly Observed[], slack: number): Set<number> {
  const backAt = new Map<number, number>();
  for (const { second, least } of back)
    backAt.set(second, Math.min(least, backAt.get(second) ?? Number.POSITIVE_INFINITY));
  const found = new Set<number>();
  for (const { second, least } of there)
    if (least + (backAt.get(second) ?? Number.POSITIVE_INFINITY) + slack < 0)
      found.add(Math.floor(second / binSeconds) * binSeconds);
  return found;
}

const slewWithin = ({ second }: Bin): ClockChange => ({
  kind: 'slew',
  lastBefore: second,
  firstAfter: second + binSeconds,
  from: second - binSeconds,
  to: second + 2 * binSeconds,
  nanos: 0,
});

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
  // as long as it took to become larger than what the path hides, it may have gone on before and after
  const margin = after.second - before.second + binSeconds;
  // A step has a last second before it and a first one after it. What is spread over more than that may have taken all the time there was
  const whole = end - before.second;
  const sharp = lastBefore < firstAfter && whole === 2 * binSeconds && !before.slewing && !after.slewing;
  const seconds = slackSeconds + 1 + (sharp ? firstAfter - lastBefore : whole);
  return {
    kind: proven > slewRate * seconds ? 'step' : 'slew',
    lastBefore,
    firstAfter,
    from: before.second - margin,
    to: end + margin,
    nanos: Number.isFinite(estimate) ? estimate : up ? proven : -proven,
  };
}
