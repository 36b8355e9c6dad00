/**
 * What was seen of one directed pair of clocks: per second the smallest raw - floor (design.md section 4.3). An observation d seconds away
 * says `least + rho * d`, and the tightest of them counts.
 *
 * Observations are summed up by the minute, so that a look at twenty minutes costs twenty steps and not 1,200: seen from outside a minute,
 * all that matters of it is min(least - rho * second) for what comes after, and min(least + rho * second) for what came before.
 */
export interface ClockEdge {
  /** indices of devices */
  from: number;
  to: number;
  kind: EdgeKind;
  /** nanoseconds already taken off `least`: given back when places prove to be wrong */
  floor: number;
  /** of replies: which kind of request they answered */
  flow: number;
  /** on the sender's clock, ascending */
  seconds: number[];
  least: number[];
  blocks: Block[];
  /** the smallest that is a number */
  lowest: number;
  /** counts what was learned and forgotten: what was made of it may be kept until it changes */
  version: number;
}

/** `reply` and `export` rest on more than physics, and are given up first when clocks contradict each other. */
export type EdgeKind = 'sure' | 'reply' | 'export';

interface Block {
  minute: number;
  /** min(least - rho * second): for later seconds */
  away: number;
  /** min(least + rho * second): for earlier ones */
  towards: number;
  /** the smallest that is a number */
  lowest: number;
}

/** Observations [after, before) within `reach` of the asked second. */
export interface Window {
  after: number;
  before: number;
}

/** True when it says something new. */
export function observe(edge: ClockEdge, second: number, least: number, rho: number): boolean {
  const { seconds } = edge;
  let i = seconds.length;
  while (i > 0 && seconds[i - 1]! > second) i--;
  if (i > 0 && seconds[i - 1] === second) {
    if (edge.least[i - 1]! <= least) return false;
    edge.least[i - 1] = least;
  } else {
    seconds.splice(i, 0, second);
    edge.least.splice(i, 0, least);
  }
  const block = blockAt(edge.blocks, Math.floor(second / 60));
  block.away = Math.min(block.away, least - rho * second);
  block.towards = Math.min(block.towards, least + rho * second);
  edge.version++;
  if (!Number.isFinite(least)) return true;
  block.lowest = Math.min(block.lowest, least);
  edge.lowest = Math.min(edge.lowest, least);
  return true;
}

function blockAt(blocks: Block[], minute: number): Block {
  let i = blocks.length;
  while (i > 0 && blocks[i - 1]!.minute > minute) i--;
  if (i > 0 && blocks[i - 1]!.minute === minute) return blocks[i - 1]!;
  const open = Number.POSITIVE_INFINITY;
  const block = { minute, away: open, towards: open, lowest: open };
  blocks.splice(i, 0, block);
  return block;
}

/** min(least + rho * |at - second|) over the window, and how many steps it took. */
export function tightest(edge: ClockEdge, at: number, after: number, before: number, rho: number, work: Work): number {
  let best = Number.POSITIVE_INFINITY;
  for (const block of edge.blocks) {
    const start = block.minute * 60;
    if (start + 60 <= after || start >= before) continue;
    work.steps++;
    if (start >= after && start + 60 <= before && (at < start || at >= start + 60)) {
      best = Math.min(best, at < start ? block.towards - rho * at : block.away + rho * at);
      continue;
    }
    const { seconds, least } = edge;
    for (let i = firstAtOrAfter(seconds, Math.max(start, after)); i < seconds.length; i++) {
      if (seconds[i]! >= before || seconds[i]! >= start + 60) break;
      work.steps++;
      best = Math.min(best, least[i]! + rho * Math.abs(at - seconds[i]!));
    }
  }
  return best;
}

/** As tightest, with an allowance of its own for every distance: while a clock is slewed. */
export function tightestAllowing(
  edge: ClockEdge,
  { after, before }: Window,
  allowance: (second: number) => number,
  work: Work,
): number {
  let best = Number.POSITIVE_INFINITY;
  const { seconds, least } = edge;
  for (let i = firstAtOrAfter(seconds, after); i < seconds.length && seconds[i]! < before; i++) {
    work.steps++;
    best = Math.min(best, least[i]! + allowance(seconds[i]!));
  }
  return best;
}

export function forget(edge: ClockEdge, second: number): void {
  const keep = firstAtOrAfter(edge.seconds, second);
  // in strides: cutting the head off an array every second would copy it every second
  if (keep <= 60 && (keep === 0 || keep < edge.seconds.length)) return;
  edge.seconds = edge.seconds.slice(keep);
  edge.least = edge.least.slice(keep);
  edge.blocks = edge.blocks.filter((block) => block.minute * 60 + 60 > second);
  edge.lowest = edge.blocks.reduce((lowest, block) => Math.min(lowest, block.lowest), Number.POSITIVE_INFINITY);
  edge.version++;
}

/** One observation stands for `stride` seconds from now on. */
export function coarsen(edge: ClockEdge, stride: number, rho: number): void {
  const { seconds, least } = edge;
  edge.lowest = Number.POSITIVE_INFINITY;
  edge.seconds = [];
  edge.least = [];
  edge.blocks = [];
  seconds.forEach((second, i) => {
    observe(edge, strideMiddle(second, stride), least[i]!, rho);
  });
}

export const strideMiddle = (second: number, stride: number): number =>
  Math.floor(second / stride) * stride + (stride >> 1);

export function firstAtOrAfter(seconds: readonly number[], second: number): number {
  let low = 0;
  let high = seconds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (seconds[middle]! < second) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Counted, so that a test can say what a figure costs without a stopwatch. */
export interface Work {
  steps: number;
}
