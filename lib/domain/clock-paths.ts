import type { Work } from './clock-edge.ts';

/** Devices by index, and the edges that leave and enter each. */
export interface Neighbours {
  count: number;
  ends: readonly { from: number; to: number }[];
  out: readonly (readonly number[])[];
  into: readonly (readonly number[])[];
}

export function neighboursOf(count: number, ends: readonly { from: number; to: number }[]): Neighbours {
  const out: number[][] = Array.from({ length: count }, () => []);
  const into: number[][] = Array.from({ length: count }, () => []);
  ends.forEach(({ from, to }, e) => {
    out[from]!.push(e);
    into[to]!.push(e);
  });
  return { count, ends, out, into };
}

/** A nanosecond of doubt: sums of doubles that should be equal must not chase each other. */
const doubt = 1;

/** Bellman-Ford with a queue; the weights must hold no negative cycle. */
export function shortest(
  { count, ends, out, into }: Neighbours,
  weights: Float64Array,
  start: number,
  forwards: boolean,
  work: Work,
): Float64Array {
  const next = forwards ? out : into;
  const distance = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const queued = new Uint8Array(count);
  distance[start] = 0;
  const queue = [start];
  for (let head = 0; head < queue.length; head++) {
    const at = queue[head]!;
    queued[at] = 0;
    const base = distance[at]!;
    for (const e of next[at]!) {
      work.steps++;
      const to = forwards ? ends[e]!.to : ends[e]!.from;
      const through = base + weights[e]!;
      if (through < distance[to]! - doubt) {
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

/** A negative cycle as edges, or null: then all constraints can be true at once. */
export function negativeCycle(
  { count, ends, out }: Neighbours,
  weights: Float64Array,
  work: Work,
  nodes?: readonly number[],
): number[] | null {
  const within = nodes ? new Set(nodes) : null;
  const most = nodes?.length ?? count;
  const distance = new Float64Array(count);
  const cameBy = new Int32Array(count).fill(-1);
  const hops = new Int32Array(count);
  const queued = new Uint8Array(count).fill(1);
  const queue = nodes ? [...nodes] : Array.from({ length: count }, (_, i) => i);
  for (let head = 0; head < queue.length; head++) {
    const at = queue[head]!;
    queued[at] = 0;
    for (const e of out[at]!) {
      work.steps++;
      const { to } = ends[e]!;
      const through = distance[at]! + weights[e]!;
      if (through >= distance[to]! - doubt || within?.has(to) === false) continue;
      distance[to] = through;
      cameBy[to] = e;
      hops[to] = hops[at]! + 1;
      if (hops[to]! >= most) {
        const cycle = cycleBehind(to, cameBy, ends);
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

function cycleBehind(start: number, cameBy: Int32Array, ends: Neighbours['ends']): number[] | null {
  const seen = new Set<number>();
  let at = start;
  while (!seen.has(at)) {
    seen.add(at);
    if (cameBy[at]! < 0) return null;
    at = ends[cameBy[at]!]!.from;
  }
  const cycle = [cameBy[at]!];
  for (let next = ends[cameBy[at]!]!.from; next !== at; next = ends[cameBy[next]!]!.from) cycle.push(cameBy[next]!);
  return cycle;
}
