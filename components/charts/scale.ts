/** Scales and ticks of the charts. Pure: a domain in, positions out. */

/** 0 at the top of the plot, 1 at its foot, as SVG counts. */
export interface Scale {
  at(value: number): number;
  ticks: number[];
}

const steps = [1, 2, 5];

/** Round values 1, 2, 5 x 10^n within [low, high], at most `most` of them. */
export function logTicks(low: number, high: number, most = 9): number[] {
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) {
      const value = Number((step * 10 ** power).toPrecision(1));
      if (value >= low * 0.999 && value <= high * 1.001) all.push(value);
    }
  }
  if (all.length <= most) return all;
  const decades = all.filter((value) => /^1/.test(value.toExponential()));
  return decades.length > most ? decades.filter((_, index) => index % 2 === 0) : decades;
}

/** Log axis: 0 and below stand on the floor line of the plot, for a log axis has no place for them. */
export function logScale(low: number, high: number, most?: number): Scale {
  const from = Math.log(low);
  const span = Math.log(high) - from || 1;
  return {
    at: (value) => (value <= low ? 1 : Math.max(0, 1 - (Math.log(value) - from) / span)),
    ticks: logTicks(low, high, most),
  };
}

/** A step of 1, 2, 2.5 or 5 x 10^n that cuts `span` into about `about` parts. */
export function niceStep(span: number, about: number): number {
  const rough = span / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const part = rough / power;
  return power * (part <= 1 ? 1 : part <= 2 ? 2 : part <= 2.5 ? 2.5 : part <= 5 ? 5 : 10);
}

export function linearTicks(low: number, high: number, about = 6): number[] {
  if (!(high > low)) return [low];
  const step = niceStep(high - low, about);
  const ticks: number[] = [];
  for (let index = Math.ceil(low / step - 1e-9); index * step <= high + step * 1e-9; index++) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return ticks;
}

export function linearScale(low: number, high: number, about?: number): Scale {
  const span = high - low || 1;
  return {
    at: (value) => Math.min(1, Math.max(0, 1 - (value - low) / span)),
    ticks: linearTicks(low, high, about),
  };
}

const timeSteps = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/** Moments people read a clock by. */
export function timeTicks(fromMs: number, toMs: number, about = 5): number[] {
  const rough = (toMs - fromMs) / about / 1_000;
  const step = (timeSteps.find((seconds) => seconds >= rough) ?? timeSteps.at(-1)!) * 1_000;
  const ticks: number[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs; at += step) ticks.push(at);
  return ticks;
}
