import { type ClockChange, findChanges, type Observed, slewRate } from './clock-change.ts';
import {
  type ClockEdge,
  coarsen,
  type EdgeKind,
  forget,
  observe,
  strideMiddle,
  tightest,
  tightestAllowing,
  type Window,
} from './clock-edge.ts';
import { type Neighbours, negativeCycle, neighboursOf, shortest } from './clock-paths.ts';

/**
 * Bounds on the difference of two clocks that hold, not guesses (design.md section 4).
 *
 * An edge u -> v with `least` says: at that second, offset(v) - offset(u) <= least, since a message cannot arrive before light could bring it.
 * A clock may drift by rho, so an edge seen d seconds away says: <= least + rho * d. The tightest bound is the shortest path over all edges;
 * one search from a reference and one towards it give every device's interval on that reference's clock. The middle of the interval is
 * the figure, half its width the bound.
 *
 * The state is a function of the set of observations, not of their order: a ledger that is read again from the store answers the same.
 */
export interface ClockLedger {
  add(seen: Seen): void;
  /** Offset of `to`'s clock against `from`'s at a second of `from`'s clock. */
  offset(from: number, to: number, second: number): ClockDifference;
  /** Every device that was heard of within reach, on the reference's clock. */
  offsetsFrom(reference: number, second: number): { device: number; difference: ClockDifference }[];
  /** What had to be given up at a second, so that the rest can be true. Seconds are on the clock of the first device of each fleet. */
  refuted(second: number): Refuted;
  /** Every step that can be proven, and who took it. */
  steps(): ClockStep[];
  forgetBefore(second: number): void;
  devices(): number[];
  edgeCount(): number;
  /** Observations and edges that were looked at so far. */
  work(): number;
}

export interface Seen {
  from: number;
  to: number;
  /** on `from`'s clock */
  second: number;
  /** nanoseconds: raw + grain of the receiver - floor. -Infinity: replies of this flow cannot be trusted at this time */
  least: number;
  /** nanoseconds that were taken off */
  floor?: number;
  kind?: EdgeKind;
  /** which kind of request it answered: replies are trusted or not together */
  flow?: number;
}

export interface ClockDifference {
  /** bounded: both sides known. assumed: one side open, 0 is possible. clock-wrong: one side open, 0 is impossible */
  method: 'bounded' | 'assumed' | 'clock-wrong' | 'contradiction';
  /** nanoseconds; the middle of the interval, 0 where assumed, the least error that is proven where wrong; NaN for a contradiction */
  offset: number;
  /** nanoseconds; NaN = open */
  bound: number;
  low: number;
  high: number;
  /** false: the two cannot stand where they are said to stand, so distance demands nothing of them */
  placed: boolean;
}

/** Groups of devices. */
export interface Refuted {
  /** their clocks contradict each other whatever is given up */
  contradicting: number[][];
  /** they contradict each other where their places are believed, and agree where they are not */
  misplaced: number[][];
}

export interface ClockStep {
  /** one, or two where nothing tells which of them */
  devices: number[];
  second: number;
  /** nanoseconds the first device's clock went forward; with two, that the second one's may have gone back instead */
  nanos: number;
}

/** How far an observation reaches, both ways. */
export const reachSeconds = 600;
/** Up to this many devices every figure has its own reference; beyond, paths go over the best connected device (bounds still hold, some are wider). */
const exactDevices = 200;
/** Beyond this many edges one observation stands for ten seconds. */
const manyEdges = 4000;
/** Changes of several pairs this close together are one. */
const sameChangeSeconds = 30;
/** More than a ledger remembers, in minutes. */
const mostMinutes = 64;
/** Beyond so many circles at one second nothing finer is tried than to call them contradictions. */
const mostCycles = 200;

/** Both directions of two devices, as indices into the edges. */
interface Pair {
  a: number;
  b: number;
  there: number[];
  back: number[];
  /** what was found when its edges and the scale were at this version */
  changes: ClockChange[];
  changesAt: string;
}

/** A device's whole story as far as its clock broke its promise to drift slowly. On the scale of the fleet. */
interface History {
  cuts: number[];
  slews: Window[];
}

const steady: History = { cuts: [], slews: [] };

interface Moment {
  weights: Float64Array;
  contradicting: number[][];
  misplaced: number[][];
  /** device -> groups it is in */
  inContradiction: Map<number, Set<number>>;
  inMisplaced: Map<number, Set<number>>;
  from: Map<number, Float64Array>;
  towards: Map<number, Float64Array>;
}

/**
 * `nameOf` a device, whichever number it got: where clocks contradict each other, what is given up depends on whose circle is looked at
 * first, and that must not depend on who was heard first.
 */
export function createClockLedger(
  maxDriftPpm: number,
  nameOf: (device: number) => string | number = (device) => device,
): ClockLedger {
  // both clocks may drift; nanoseconds per second
  const rho = 2 * maxDriftPpm * 1000;
  const work = { steps: 0 };
  let indexOf = new Map<number, number>();
  let devices: number[] = [];
  let edges: ClockEdge[] = [];
  let edgeAt = new Map<string, ClockEdge>();
  let pairs: Pair[] = [];
  let topology: Neighbours | null = null;
  let pairAt = new Map<number, Pair>();
  let stride = 1;
  const minuteSums = new Float64Array(6 * mostMinutes);
  /** made of all observations, and thrown away when one comes */
  let moments = new Map<number, Moment>();
  let scale: Int32Array | null = null;
  let story: { histories: History[]; steps: ClockStep[] } | null = null;

  const index = (device: number): number => {
    let i = indexOf.get(device);
    if (i === undefined) {
      i = devices.length;
      indexOf.set(device, i);
      devices.push(device);
    }
    return i;
  };

  function add({ from, to, second, least, floor = 0, kind = 'sure', flow = 0 }: Seen): void {
    if (from === to || Number.isNaN(least) || least === Number.POSITIVE_INFINITY) return;
    const key = `${from}>${to} ${kind} ${floor} ${flow}`;
    let edge = edgeAt.get(key);
    if (!edge) {
      edge = {
        from: index(from),
        to: index(to),
        kind,
        floor,
        flow,
        seconds: [],
        least: [],
        blocks: [],
        lowest: Number.POSITIVE_INFINITY,
        version: 0,
      };
      edgeAt.set(key, edge);
      edges.push(edge);
      topology = null;
      if (stride === 1 && edges.length > manyEdges) {
        stride = 10;
        for (const each of edges) coarsen(each, stride, rho);
      }
    }
    if (observe(edge, stride === 1 ? second : strideMiddle(second, stride), least, rho)) changed();
  }

  function changed(): void {
    if (moments.size > 0) moments = new Map();
    scale = null;
    story = null;
  }

  /** Stamps are whole seconds on the sender's clock, brought to one scale to the second: so much may be missing of every distance. */
  const slackSeconds = (): number => (stride === 1 ? 2 : 7);

  function neighbours(): Neighbours {
    if (!topology) {
      putInOrder();
      topology = neighboursOf(devices.length, edges);
      pairs = pairsOf(edges);
      pairAt = new Map(pairs.map((pair) => [pair.a * devices.length + pair.b, pair]));
    }
    return topology;
  }

  /** Devices by name and edges by their ends, so that an index is a rank. */
  function putInOrder(): void {
    const named = devices.map((device, i) => ({ device, i, name: nameOf(device) }));
    named.sort((a, b) => (a.name === b.name ? a.device - b.device : a.name < b.name ? -1 : 1));
    const rank = new Int32Array(devices.length);
    for (const [at, { i }] of named.entries()) rank[i] = at;
    devices = named.map(({ device }) => device);
    indexOf = new Map(devices.map((device, i) => [device, i]));
    for (const edge of edges) {
      edge.from = rank[edge.from]!;
      edge.to = rank[edge.to]!;
    }
    edges.sort(
      (a, b) =>
        a.from - b.from ||
        a.to - b.to ||
        (a.kind === b.kind ? a.floor - b.floor || a.flow - b.flow : a.kind < b.kind ? -1 : 1),
    );
  }

  // ---- one scale of time

  /**
   * Seconds that each clock is ahead of the scale: a device that is two minutes wrong says two minutes wrong when it sent, and must not be
   * compared with what others did two minutes earlier. To the second is enough, drift does the rest.
   */
  function ahead(): Int32Array {
    const { out, into } = neighbours();
    if (scale) return scale;
    const seconds = new Float64Array(devices.length);
    const reached = new Uint8Array(devices.length);
    for (let root = 0; root < devices.length; root++) {
      if (reached[root]) continue;
      reached[root] = 1;
      const queue = [root];
      for (let head = 0; head < queue.length; head++) {
        const at = queue[head]!;
        for (const [other, nanos] of differencesAround(out[at]!, into[at]!)) {
          if (reached[other]) continue;
          reached[other] = 1;
          seconds[other] = seconds[at]! + nanos / 1e9;
          queue.push(other);
        }
      }
    }
    scale = Int32Array.from(seconds, Math.round);
    return scale;
  }

  /** Neighbours by device, with roughly how far their clock is ahead of this one's. An export says little: it comes seconds later. */
  function differencesAround(out: readonly number[], into: readonly number[]): [number, number][] {
    const sides = new Map<number, { there: number; back: number; sure: boolean }>();
    const note = (e: number, other: number, side: 'there' | 'back'): void => {
      const found = sides.get(other) ?? {
        there: Number.POSITIVE_INFINITY,
        back: Number.POSITIVE_INFINITY,
        sure: false,
      };
      found[side] = Math.min(found[side], edges[e]!.lowest);
      found.sure ||= edges[e]!.kind !== 'export';
      sides.set(other, found);
    };
    for (const e of out) note(e, edges[e]!.to, 'there');
    for (const e of into) note(e, edges[e]!.from, 'back');
    const rough = ({ there, back }: { there: number; back: number }): number => {
      if (there === Number.POSITIVE_INFINITY) return -back;
      return back === Number.POSITIVE_INFINITY ? there : (there - back) / 2;
    };
    return [...sides]
      .filter(([, side]) => side.there < Number.POSITIVE_INFINITY || side.back < Number.POSITIVE_INFINITY)
      .sort(([i, a], [j, b]) => Number(b.sure) - Number(a.sure) || i - j)
      .map(([other, side]) => [other, rough(side)]);
  }

  // ---- steps and slews

  function told(): { histories: History[]; steps: ClockStep[] } {
    if (story) return story;
    neighbours();
    const shift = ahead();
    const changes: { pair: Pair; change: ClockChange }[] = [];
    const pairsOfDevice = new Int32Array(devices.length);
    for (const pair of pairs) {
      if (pair.there.length === 0 || pair.back.length === 0) continue;
      pairsOfDevice[pair.a]!++;
      pairsOfDevice[pair.b]!++;
      for (const change of changesOf(pair, shift)) changes.push({ pair, change });
    }
    const histories: History[] = devices.map(() => steady);
    const steps: ClockStep[] = [];
    for (const { pair, change } of changes) {
      const whose = blame(pair, change, changes, pairsOfDevice);
      const [from, to] = [
        Math.min(change.lastBefore + 1, change.firstAfter),
        Math.max(change.lastBefore + 1, change.firstAfter),
      ];
      for (const i of whose) {
        if (histories[i] === steady) histories[i] = { cuts: [], slews: [] };
        if (change.kind === 'step') histories[i]!.cuts.push(from, to);
        else histories[i]!.slews.push({ after: change.from, before: change.to });
      }
      if (change.kind === 'step') noteStep(steps, whose, pair, change);
    }
    for (const history of histories) history.slews = joined(history.slews);
    story = { histories, steps: steps.sort((x, y) => x.second - y.second) };
    return story;
  }

  function changesOf(pair: Pair, shift: Int32Array): ClockChange[] {
    const learned = [...pair.there, ...pair.back].reduce((sum, e) => sum + edges[e]!.version, 0);
    const version = `${learned} ${shift[pair.a]} ${shift[pair.b]}`;
    if (pair.changesAt !== version) {
      pair.changesAt = version;
      pair.changes = mayHaveChanged(pair, shift)
        ? findChanges(observedOf(pair.there, shift), observedOf(pair.back, shift), rho, slackSeconds())
        : [];
    }
    return pair.changes;
  }

  /** A cheap look first, minute by minute: of thousands of pairs hardly one has changed. */
  function mayHaveChanged(pair: Pair, shift: Int32Array): boolean {
    const [there, back] = [sureOf(pair.there), sureOf(pair.back)];
    const lowest = (list: readonly number[]): number =>
      list.reduce((least, e) => Math.min(least, edges[e]!.lowest), Number.POSITIVE_INFINITY);
    const slack = 2 * rho * slackSeconds();
    // possible even if all were seen in one second
    if (lowest(there) + lowest(back) + slack >= 0) return false;
    const minuteOf = (edge: ClockEdge, minute: number): number => Math.floor((minute * 60 - shift[edge.from]!) / 60);
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const e of [...there, ...back]) {
      const { blocks } = edges[e]!;
      if (blocks.length === 0) continue;
      first = Math.min(first, minuteOf(edges[e]!, blocks[0]!.minute));
      last = Math.max(last, minuteOf(edges[e]!, blocks.at(-1)!.minute));
    }
    // a clock that is hours off in between is no minute-by-minute matter
    if (!(last - first < mostMinutes)) return last >= first;
    const scratch = minuteSums.fill(Number.POSITIVE_INFINITY, 0, 6 * (last - first + 1));
    const sum = (e: number, side: number): void => {
      const edge = edges[e]!;
      const by = rho * shift[edge.from]!;
      for (const block of edge.blocks) {
        work.steps++;
        const at = 6 * (minuteOf(edge, block.minute) - first) + side;
        scratch[at] = Math.min(scratch[at]!, block.away + by);
        scratch[at + 1] = Math.min(scratch[at + 1]!, block.towards - by);
        scratch[at + 2] = Math.min(scratch[at + 2]!, block.lowest);
      }
    };
    for (const e of there) sum(e, 0);
    for (const e of back) sum(e, 3);
    let [thereBefore, backBefore] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let at = 0; at < 6 * (last - first + 1); at += 6) {
      if (thereBefore + scratch[at + 4]! + slack < 0 || backBefore + scratch[at + 1]! + slack < 0) return true;
      // within a minute any order is possible
      if (scratch[at + 2]! + scratch[at + 5]! + slack < 0) return true;
      thereBefore = Math.min(thereBefore, scratch[at]!);
      backBefore = Math.min(backBefore, scratch[at + 3]!);
    }
    return false;
  }

  /** Replies count where nothing surer goes that way. */
  function sureOf(list: readonly number[]): readonly number[] {
    const sure = list.filter((e) => edges[e]!.kind === 'sure');
    return sure.length > 0 ? sure : list;
  }

  function observedOf(list: readonly number[], shift: Int32Array): Observed[] {
    const found: Observed[] = [];
    for (const e of sureOf(list)) {
      const edge = edges[e]!;
      work.steps += edge.seconds.length;
      edge.seconds.forEach((second, i) => {
        if (Number.isFinite(edge.least[i])) found.push({ second: second - shift[edge.from]!, least: edge.least[i]! });
      });
    }
    return found.sort((x, y) => x.second - y.second);
  }

  /** Of the two, the one common to the pairs that changed then; then the one more of whose pairs did. A collector is not blamed alone. */
  function blame(
    { a, b }: Pair,
    change: ClockChange,
    changes: readonly { pair: Pair; change: ClockChange }[],
    pairsOfDevice: Int32Array,
  ): number[] {
    const near = changes.filter((other) => Math.abs(other.change.firstAfter - change.firstAfter) <= sameChangeSeconds);
    const changedPairs = (i: number): number =>
      new Set(near.filter(({ pair }) => pair.a === i || pair.b === i).map(({ pair }) => pair)).size;
    const [ofA, ofB] = [changedPairs(a), changedPairs(b)];
    if (ofA !== ofB) return [ofA > ofB ? a : b];
    if (pairsOfDevice[a] !== pairsOfDevice[b]) return [pairsOfDevice[a]! < pairsOfDevice[b]! ? a : b];
    if (devices[a]! < 0 !== devices[b]! < 0) return [devices[a]! < 0 ? b : a];
    return [a, b];
  }

  function noteStep(steps: ClockStep[], whose: readonly number[], { a }: Pair, change: ClockChange): void {
    const named = whose.toSorted((i, j) => i - j).map((i) => devices[i]!);
    const second = change.firstAfter;
    const known = steps.some(
      (step) => step.devices.join() === named.join() && Math.abs(step.second - second) <= sameChangeSeconds,
    );
    if (known) return;
    // nanos is of offset(b) - offset(a)
    steps.push({ devices: named, second, nanos: devices[a] === named[0] ? -change.nanos : change.nanos });
  }

  // ---- one second

  function weightsAt(second: number): Float64Array {
    const weights = new Float64Array(edges.length);
    for (let e = 0; e < edges.length; e++) weights[e] = weightOf(edges[e]!, second, reachSeconds, reachSeconds);
    return weights;
  }

  /** What was seen up to `back` seconds before and `forth` after, and on this side of every step. */
  function weightOf(edge: ClockEdge, second: number, back: number, forth: number): number {
    const { histories } = told();
    const [from, to] = [histories[edge.from]!, histories[edge.to]!];
    const by = ahead()[edge.from]!;
    const slack = slackSeconds();
    const at = second + by;
    if (from === steady && to === steady)
      return trusted(edge, tightest(edge, at, at - back, at + forth + 1, rho, work) + rho * slack);
    let [after, before] = [second - back, second + forth + 1];
    for (const cut of [...from.cuts, ...to.cuts]) {
      if (cut <= second) after = Math.max(after, cut);
      else before = Math.min(before, cut);
    }
    const slews = [...from.slews, ...to.slews].filter((s) => s.after < before && s.before > after);
    if (slews.length === 0) return trusted(edge, tightest(edge, at, after + by, before + by, rho, work) + rho * slack);
    const allowance = (seen: number): number => {
      const [start, end] = [Math.min(seen - by, second) - slack, Math.max(seen - by, second) + slack];
      const slewed = slews.reduce((sum, s) => sum + Math.max(0, Math.min(end, s.before) - Math.max(start, s.after)), 0);
      return rho * (Math.abs(at - seen) + slack) + slewRate * slewed;
    };
    return trusted(edge, tightestAllowing(edge, { after: after + by, before: before + by }, allowance, work));
  }

  /** A doubt about the replies of a flow takes all of them away. */
  const trusted = (edge: ClockEdge, weight: number): number =>
    edge.kind === 'reply' && weight === Number.NEGATIVE_INFINITY ? Number.POSITIVE_INFINITY : weight;

  function momentAt(second: number): Moment {
    let moment = moments.get(second);
    if (!moment) {
      moment = resolve(second);
      if (moments.size > 2000) moments = new Map();
      moments.set(second, moment);
    }
    return moment;
  }

  /**
   * A negative cycle proves an assumption false. That clocks only drift was looked at before (told). So, in this order: replies and exports
   * of the cycle are dropped; in a ring of three or more, where no pair could show a step, only what was seen close to this second counts;
   * distance is not believed; else nothing can be said of the pairs on it.
   */
  function resolve(second: number): Moment {
    const graph = neighbours();
    const moment: Moment = {
      weights: weightsAt(second),
      contradicting: [],
      misplaced: [],
      inContradiction: new Map(),
      inMisplaced: new Map(),
      from: new Map(),
      towards: new Map(),
    };
    const lifted = new Uint8Array(edges.length);
    const narrowed = new Set<string>();
    // Two devices are checked directly: nearly all contradictions are between two, and that is a look at each edge
    for (const pair of pairs) {
      for (let cycle = negativePair(pair, moment.weights); cycle; cycle = negativePair(pair, moment.weights))
        giveUp(cycle, second, moment, lifted, narrowed, true);
    }
    let cycles = 0;
    for (
      let cycle = negativeCycle(graph, moment.weights, work);
      cycle;
      cycle = negativeCycle(graph, moment.weights, work)
    )
      giveUp(cycle, second, moment, lifted, narrowed, ++cycles < mostCycles);
    moment.misplaced = moment.misplaced.filter(
      (group) => !moment.contradicting.some((other) => group.every((i) => other.includes(i))),
    );
    moment.inContradiction = groupsOf(moment.contradicting);
    moment.inMisplaced = groupsOf(moment.misplaced);
    return moment;
  }

  function negativePair(pair: Pair, weights: Float64Array): number[] | null {
    const smallest = (list: readonly number[]): number =>
      list.reduce((best, e) => (best < 0 || weights[e]! < weights[best]! ? e : best), -1);
    const [there, back] = [smallest(pair.there), smallest(pair.back)];
    work.steps += pair.there.length + pair.back.length;
    return there >= 0 && back >= 0 && weights[there]! + weights[back]! < -1 ? [there, back] : null;
  }

  /** One assumption of this cycle. */
  function giveUp(
    cycle: readonly number[],
    second: number,
    moment: Moment,
    lifted: Uint8Array,
    narrowed: Set<string>,
    finely: boolean,
  ): void {
    const { weights } = moment;
    const open = Number.POSITIVE_INFINITY;
    const on = [...new Set(cycle.map((e) => edges[e]!.from))].sort((i, j) => i - j);
    if (finely) {
      const unsure = cycle.filter((e) => edges[e]!.kind !== 'sure');
      for (const e of unsure) weights[e] = open;
      if (unsure.length > 0) return;
      if (on.length > 2 && !narrowed.has(on.join())) {
        narrowed.add(on.join());
        if (narrow(on, second, weights)) return;
      }
      const far = edgesAmong(on).filter((e) => edges[e]!.floor > 0 && lifted[e] === 0);
      for (const e of far) {
        weights[e] = weights[e]! + edges[e]!.floor;
        lifted[e] = 1;
      }
      if (far.length > 0) {
        moment.misplaced.push(on);
        return;
      }
    }
    for (const e of edgesAmong(on)) weights[e] = open;
    moment.contradicting.push(on);
  }

  function edgesAmong(on: readonly number[]): number[] {
    const inside = new Set(on);
    return on.flatMap((i) => neighbours().out[i]!.filter((e) => inside.has(edges[e]!.to)));
  }

  /** What these devices said as far to both sides as it is possible at once: up to a step before this second, and the one after it. */
  function narrow(on: readonly number[], second: number, weights: Float64Array): boolean {
    const among = edgesAmong(on);
    const within = (back: number, forth: number): Float64Array | null => {
      const tried = Float64Array.from(weights);
      for (const e of among) tried[e] = weightOf(edges[e]!, second, back, forth);
      return negativeCycle(neighbours(), tried, work, on) ? null : tried;
    };
    let back = farthest(reachSeconds, (reach) => within(reach, 0) !== null);
    let forth = farthest(reachSeconds, (reach) => within(0, reach) !== null);
    if (back < 0 || forth < 0) return false;
    // A step next to this very second is found on neither side alone
    for (; ; back >>= 1, forth >>= 1) {
      const found = within(back, forth);
      if (found) weights.set(found);
      if (found || (back === 0 && forth === 0)) return found !== null;
    }
  }

  // ---- figures

  function distances(moment: Moment, start: number, forwards: boolean): Float64Array {
    const cache = forwards ? moment.from : moment.towards;
    let found = cache.get(start);
    if (!found) {
      found = shortest(neighbours(), moment.weights, start, forwards, work);
      cache.set(start, found);
    }
    return found;
  }

  function bestConnected(): number {
    const { out, into } = neighbours();
    const degree = (i: number) => out[i]!.length + into[i]!.length;
    let hub = 0;
    for (let i = 1; i < devices.length; i++) {
      if (degree(i) > degree(hub)) hub = i;
    }
    return hub;
  }
  let hub: { of: Neighbours; at: number } | null = null;

  /** Least upper bound of offset(v) - offset(u) that we can give. */
  function upper(moment: Moment, u: number, v: number): number {
    if (devices.length <= exactDevices) return distances(moment, u, true)[v]!;
    if (hub?.of !== neighbours()) hub = { of: neighbours(), at: bestConnected() };
    let best = distances(moment, hub.at, false)[u]! + distances(moment, hub.at, true)[v]!;
    const pair = pairAt.get(Math.min(u, v) * devices.length + Math.max(u, v));
    for (const e of (u < v ? pair?.there : pair?.back) ?? []) {
      work.steps++;
      best = Math.min(best, moment.weights[e]!);
    }
    return best;
  }

  function difference(moment: Moment, u: number, v: number): ClockDifference {
    if (u === v) return sameClock;
    const placed = !shareGroup(moment.inMisplaced, u, v);
    if (shareGroup(moment.inContradiction, u, v))
      return { ...nothingKnown, method: 'contradiction', offset: Number.NaN };
    const high = upper(moment, u, v);
    const low = -upper(moment, v, u);
    if (Number.isFinite(high) && Number.isFinite(low)) {
      // the nanosecond of doubt above may cross them
      return { method: 'bounded', offset: (high + low) / 2, bound: Math.max(0, (high - low) / 2), low, high, placed };
    }
    const open = { bound: Number.NaN, low, high, placed };
    if (high < 0) return { method: 'clock-wrong', offset: high, ...open };
    if (low > 0) return { method: 'clock-wrong', offset: low, ...open };
    return { method: 'assumed', offset: 0, ...open };
  }

  const numbers = (groups: readonly number[][]): number[][] =>
    groups.map((group) => group.toSorted((i, j) => i - j).map((i) => devices[i]!));

  return {
    add,
    offset(from, to, second) {
      neighbours();
      const u = indexOf.get(from);
      const v = indexOf.get(to);
      if (from === to) return sameClock;
      if (u === undefined || v === undefined) return nothingKnown;
      return difference(momentAt(second - ahead()[u]!), u, v);
    },
    offsetsFrom(reference, second) {
      neighbours();
      const u = indexOf.get(reference);
      if (u === undefined) return [];
      const moment = momentAt(second - ahead()[u]!);
      const found: { device: number; difference: ClockDifference }[] = [];
      for (let v = 0; v < devices.length; v++) {
        if (v === u) continue;
        const between = difference(moment, u, v);
        const silent = between.low === Number.NEGATIVE_INFINITY && between.high === Number.POSITIVE_INFINITY;
        if (silent && between.method !== 'contradiction') continue;
        found.push({ device: devices[v]!, difference: between });
      }
      return found;
    },
    refuted(second) {
      const { contradicting, misplaced } = momentAt(second);
      return { contradicting: numbers(contradicting), misplaced: numbers(misplaced) };
    },
    steps: () => told().steps,
    forgetBefore(second) {
      for (const edge of edges) forget(edge, second);
      const silent = edges.filter((edge) => edge.seconds.length === 0).length;
      if (silent * 4 > edges.length) forgetSilent();
    },
    devices: () => [...devices],
    edgeCount: () => edges.length,
    work: () => work.steps,
  };

  /** Devices stay: they are few bytes, and come back. */
  function forgetSilent(): void {
    edgeAt = new Map([...edgeAt].filter(([, edge]) => edge.seconds.length > 0));
    edges = [...edgeAt.values()];
    topology = null;
    changed();
  }
}

const sameClock: ClockDifference = { method: 'bounded', offset: 0, bound: 0, low: 0, high: 0, placed: true };
const nothingKnown: ClockDifference = {
  method: 'assumed',
  offset: 0,
  bound: Number.NaN,
  low: Number.NEGATIVE_INFINITY,
  high: Number.POSITIVE_INFINITY,
  placed: true,
};

function pairsOf(edges: readonly ClockEdge[]): Pair[] {
  const pairs = new Map<string, Pair>();
  edges.forEach(({ from, to }, e) => {
    const [a, b] = from < to ? [from, to] : [to, from];
    const pair = pairs.get(`${a} ${b}`) ?? { a, b, there: [], back: [], changes: [], changesAt: '' };
    pairs.set(`${a} ${b}`, pair);
    (from === a ? pair.there : pair.back).push(e);
  });
  return [...pairs.values()];
}

function joined(windows: readonly Window[]): Window[] {
  const found: Window[] = [];
  for (const window of [...windows].sort((x, y) => x.after - y.after)) {
    const last = found.at(-1);
    if (last && window.after <= last.before) last.before = Math.max(last.before, window.before);
    else found.push({ ...window });
  }
  return found;
}

function groupsOf(groups: readonly number[][]): Map<number, Set<number>> {
  const of = new Map<number, Set<number>>();
  groups.forEach((group, g) => {
    for (const i of group) of.set(i, (of.get(i) ?? new Set()).add(g));
  });
  return of;
}

function shareGroup(groups: ReadonlyMap<number, ReadonlySet<number>>, u: number, v: number): boolean {
  const [ofU, ofV] = [groups.get(u), groups.get(v)];
  return ofU !== undefined && ofV !== undefined && [...ofU].some((group) => ofV.has(group));
}

/** The largest reach up to `most` that is possible, -1 when not even 0 is: more observations never make more possible. */
function farthest(most: number, isPossible: (reach: number) => boolean): number {
  let yes = -1;
  let no = most + 1;
  while (no - yes > 1) {
    const middle = (yes + no) >> 1;
    if (isPossible(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}
