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
  /** Nanoseconds; `reply` edges are given up first when clocks contradict each other. */
  add(from: number, to: number, second: number, least: number, reply: boolean): void;
  /** Offset of `to`'s clock against `from`'s at a second. */
  offset(from: number, to: number, second: number): ClockDifference;
  /** Every device that was heard of within reach, on the reference's clock. */
  offsetsFrom(reference: number, second: number): { device: number; difference: ClockDifference }[];
  /** Devices whose clocks contradict each other at a second. */
  contradictions(second: number): number[];
  forgetBefore(second: number): void;
  devices(): number[];
  edgeCount(): number;
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
}

/** How far an observation reaches, both ways. */
export const reachSeconds = 600;
/** Up to this many devices every figure has its own reference; beyond, paths go over the best connected device (bounds still hold, some are wider). */
const exactDevices = 200;
/** Beyond this many edges one observation stands for ten seconds. */
const manyEdges = 4000;

interface Edge {
  from: number;
  to: number;
  reply: boolean;
  /** ascending */
  seconds: number[];
  least: number[];
}

interface Moment {
  weights: Float64Array;
  contradicting: Set<number>;
  from: Map<number, Float64Array>;
  towards: Map<number, Float64Array>;
}

export function createClockLedger(maxDriftPpm: number): ClockLedger {
  // both clocks may drift; nanoseconds per second
  const rho = 2 * maxDriftPpm * 1000;
  const indexOf = new Map<number, number>();
  const devices: number[] = [];
  const edges: Edge[] = [];
  const edgeAt = new Map<string, Edge>();
  let moments = new Map<number, Moment>();

  const index = (device: number): number => {
    let i = indexOf.get(device);
    if (i === undefined) {
      i = devices.length;
      indexOf.set(device, i);
      devices.push(device);
    }
    return i;
  };

  function add(from: number, to: number, second: number, least: number, reply: boolean): void {
    if (from === to || !Number.isFinite(least)) return;
    const key = `${from}>${to}${reply ? 'r' : ''}`;
    let edge = edgeAt.get(key);
    if (!edge) {
      edge = { from: index(from), to: index(to), reply, seconds: [], least: [] };
      edgeAt.set(key, edge);
      edges.push(edge);
    }
    const at = edges.length > manyEdges ? Math.floor(second / 10) * 10 + 5 : second;
    let i = edge.seconds.length;
    while (i > 0 && edge.seconds[i - 1]! > at) i--;
    if (i > 0 && edge.seconds[i - 1] === at) {
      if (edge.least[i - 1]! <= least) return;
      edge.least[i - 1] = least;
    } else if (i === edge.seconds.length) {
      edge.seconds.push(at);
      edge.least.push(least);
    } else {
      edge.seconds.splice(i, 0, at);
      edge.least.splice(i, 0, least);
    }
    if (moments.size > 0) moments = new Map();
  }

  /** Stamps are compared as whole seconds, so every distance may be one second short. */
  function weightsAt(second: number, after: number, before: number, replies: boolean): Float64Array {
    const slack = edges.length > manyEdges ? 10 : 1;
    const weights = new Float64Array(edges.length).fill(Number.POSITIVE_INFINITY);
    for (let e = 0; e < edges.length; e++) {
      const edge = edges[e]!;
      if (edge.reply && !replies) continue;
      const { seconds, least } = edge;
      let best = Number.POSITIVE_INFINITY;
      for (let i = firstAtOrAfter(seconds, after); i < seconds.length && seconds[i]! < before; i++) {
        const says = least[i]! + rho * (Math.abs(second - seconds[i]!) + slack);
        if (says < best) best = says;
      }
      weights[e] = best;
    }
    return weights;
  }

  // ---- shortest paths

  let adjacency: { edgeCount: number; out: number[][]; into: number[][] } | null = null;
  function neighbours(): { out: number[][]; into: number[][] } {
    if (adjacency?.edgeCount !== edges.length) {
      const out: number[][] = devices.map(() => []);
      const into: number[][] = devices.map(() => []);
      edges.forEach((edge, e) => {
        out[edge.from]!.push(e);
        into[edge.to]!.push(e);
      });
      adjacency = { edgeCount: edges.length, out, into };
    }
    return adjacency;
  }

  /** Bellman-Ford with a queue; the weights must hold no negative cycle. */
  function search(weights: Float64Array, start: number, forwards: boolean): Float64Array {
    const { out, into } = neighbours();
    const next = forwards ? out : into;
    const distance = new Float64Array(devices.length).fill(Number.POSITIVE_INFINITY);
    const queued = new Uint8Array(devices.length);
    distance[start] = 0;
    const queue = [start];
    for (let head = 0; head < queue.length; head++) {
      const at = queue[head]!;
      queued[at] = 0;
      const base = distance[at]!;
      for (const e of next[at]!) {
        const to = forwards ? edges[e]!.to : edges[e]!.from;
        const through = base + weights[e]!;
        // a nanosecond of doubt: sums of doubles that should be equal must not chase each other
        if (through < distance[to]! - 1) {
          distance[to] = through;
          if (queued[to] === 0) {
            queued[to] = 1;
            queue.push(to);
          }
        }
      }
    }
    return distance;
  }

  /** A negative cycle as device indices, or null: then all constraints can be true at once. */
  function contradiction(weights: Float64Array): number[] | null {
    const { out } = neighbours();
    const n = devices.length;
    const distance = new Float64Array(n);
    const cameBy = new Int32Array(n).fill(-1);
    const hops = new Int32Array(n);
    const queued = new Uint8Array(n).fill(1);
    const queue = devices.map((_, i) => i);
    for (let head = 0; head < queue.length; head++) {
      const at = queue[head]!;
      queued[at] = 0;
      for (const e of out[at]!) {
        const to = edges[e]!.to;
        const through = distance[at]! + weights[e]!;
        if (through >= distance[to]! - 1) continue;
        distance[to] = through;
        cameBy[to] = e;
        hops[to] = hops[at]! + 1;
        if (hops[to]! >= n) {
          const cycle = cycleBehind(to, cameBy);
          if (cycle) return cycle;
          hops[to] = 0; // a long way, and no circle yet
        }
        if (queued[to] === 0) {
          queued[to] = 1;
          queue.push(to);
        }
      }
    }
    return null;
  }

  function cycleBehind(start: number, cameBy: Int32Array): number[] | null {
    const seen = new Set<number>();
    let at = start;
    while (!seen.has(at)) {
      seen.add(at);
      const edge = cameBy[at]!;
      if (edge < 0) return null;
      at = edges[edge]!.from;
    }
    const cycle = [at];
    for (let next = edges[cameBy[at]!]!.from; next !== at; next = edges[cameBy[next]!]!.from) cycle.push(next);
    return cycle;
  }

  // ---- one second

  function momentAt(second: number): Moment {
    let moment = moments.get(second);
    if (!moment) {
      moment = resolve(second);
      if (moments.size > 2000) moments = new Map();
      moments.set(second, moment);
    }
    return moment;
  }

  const plain = (weights: Float64Array): Moment => ({
    weights,
    contradicting: new Set(),
    from: new Map(),
    towards: new Map(),
  });

  /**
   * A contradiction proves an assumption false. First: did a clock step? Then what was seen close to this second is possible alone.
   * Else the reply edges were wrong. Else nothing can be said of the devices on the cycle.
   */
  function resolve(second: number): Moment {
    const after = second - reachSeconds;
    const before = second + reachSeconds + 1;
    const weights = weightsAt(second, after, before, true);
    if (!contradiction(weights)) return plain(weights);
    const unstepped = windowWithoutStep(second, after, before);
    if (unstepped) return plain(unstepped);
    return withoutCycles(weightsAt(second, after, before, false));
  }

  function withoutCycles(weights: Float64Array): Moment {
    const moment = plain(weights);
    for (let cycle = contradiction(weights); cycle; cycle = contradiction(weights)) {
      const on = new Set(cycle);
      for (const i of cycle) moment.contradicting.add(i);
      edges.forEach((edge, e) => {
        if (on.has(edge.from) && on.has(edge.to)) weights[e] = Number.POSITIVE_INFINITY;
      });
    }
    return moment;
  }

  /** As far to both sides as everything seen is possible at once: up to the step before this second, and the one after it. */
  function windowWithoutStep(second: number, after: number, before: number): Float64Array | null {
    const possible = (from: number, to: number): Float64Array | null => {
      const weights = weightsAt(second, from, to, true);
      return contradiction(weights) ? null : weights;
    };
    let back = farthest(second - after, (reach) => possible(second - reach, second + 1) !== null);
    let forth = farthest(before - second - 1, (reach) => possible(second, second + 1 + reach) !== null);
    if (back < 0 || forth < 0) return null;
    // A step next to this very second is found on neither side alone
    for (; back > 0 || forth > 0; back >>= 1, forth >>= 1) {
      const weights = possible(second - back, second + 1 + forth);
      if (weights) return weights;
    }
    return possible(second, second + 1);
  }

  function distances(moment: Moment, start: number, forwards: boolean): Float64Array {
    const cache = forwards ? moment.from : moment.towards;
    let found = cache.get(start);
    if (!found) {
      found = search(moment.weights, start, forwards);
      cache.set(start, found);
    }
    return found;
  }

  let hub = -1;
  let hubEdges = -1;
  function bestConnected(): number {
    if (hubEdges === edges.length) return hub;
    const { out, into } = neighbours();
    hub = 0;
    const degree = (i: number) => out[i]!.length + into[i]!.length;
    for (let i = 1; i < devices.length; i++) {
      if (degree(i) > degree(hub) || (degree(i) === degree(hub) && devices[i]! < devices[hub]!)) hub = i;
    }
    hubEdges = edges.length;
    return hub;
  }

  /** Least upper bound of offset(v) - offset(u) that we can give. */
  function upper(moment: Moment, u: number, v: number): number {
    if (devices.length <= exactDevices) return distances(moment, u, true)[v]!;
    const centre = bestConnected();
    let best = distances(moment, centre, false)[u]! + distances(moment, centre, true)[v]!;
    for (const e of neighbours().out[u]!)
      if (edges[e]!.to === v && moment.weights[e]! < best) best = moment.weights[e]!;
    return best;
  }

  function difference(moment: Moment, u: number, v: number): ClockDifference {
    if (u === v) return { method: 'bounded', offset: 0, bound: 0, low: 0, high: 0 };
    if (moment.contradicting.has(u) && moment.contradicting.has(v)) {
      return {
        method: 'contradiction',
        offset: Number.NaN,
        bound: Number.NaN,
        low: Number.NEGATIVE_INFINITY,
        high: Number.POSITIVE_INFINITY,
      };
    }
    const high = upper(moment, u, v);
    const low = -upper(moment, v, u);
    if (Number.isFinite(high) && Number.isFinite(low)) {
      // the nanosecond of doubt above may cross them
      return { method: 'bounded', offset: (high + low) / 2, bound: Math.max(0, (high - low) / 2), low, high };
    }
    if (high < 0) return { method: 'clock-wrong', offset: high, bound: Number.NaN, low, high };
    if (low > 0) return { method: 'clock-wrong', offset: low, bound: Number.NaN, low, high };
    return { method: 'assumed', offset: 0, bound: Number.NaN, low, high };
  }

  const nothingKnown: ClockDifference = {
    method: 'assumed',
    offset: 0,
    bound: Number.NaN,
    low: Number.NEGATIVE_INFINITY,
    high: Number.POSITIVE_INFINITY,
  };

  return {
    add,
    offset(from, to, second) {
      const u = indexOf.get(from);
      const v = indexOf.get(to);
      if (from === to) return { method: 'bounded', offset: 0, bound: 0, low: 0, high: 0 };
      if (u === undefined || v === undefined) return nothingKnown;
      return difference(momentAt(second), u, v);
    },
    offsetsFrom(reference, second) {
      const u = indexOf.get(reference);
      if (u === undefined) return [];
      const moment = momentAt(second);
      const found: { device: number; difference: ClockDifference }[] = [];
      for (let v = 0; v < devices.length; v++) {
        if (v === u) continue;
        const between = difference(moment, u, v);
        if (
          between.method !== 'contradiction' &&
          between.low === Number.NEGATIVE_INFINITY &&
          between.high === Number.POSITIVE_INFINITY
        )
          continue;
        found.push({ device: devices[v]!, difference: between });
      }
      return found;
    },
    contradictions: (second) => [...momentAt(second).contradicting].map((i) => devices[i]!).sort((a, b) => a - b),
    forgetBefore(second) {
      for (const edge of edges) {
        const keep = firstAtOrAfter(edge.seconds, second);
        // in strides: cutting the head off an array every second would copy it every second
        if (keep > 60 || (keep > 0 && keep === edge.seconds.length)) {
          edge.seconds = edge.seconds.slice(keep);
          edge.least = edge.least.slice(keep);
        }
      }
    },
    devices: () => [...devices],
    edgeCount: () => edges.length,
  };
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

function firstAtOrAfter(seconds: readonly number[], second: number): number {
  let low = 0;
  let high = seconds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (seconds[middle]! < second) low = middle + 1;
    else high = middle;
  }
  return low;
}
