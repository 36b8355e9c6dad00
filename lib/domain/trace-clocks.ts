import type { PathCrossing } from './request-path.ts';

/** The clocks of one request, all told on its requester's: what is added to none, taken off every other device's stamps. */
export interface TraceClocks {
  /** nanoseconds that the device's clock (or the broker's, see brokerClock) is ahead of the requester's; 0 where nothing is known */
  offsetOf(device: string): number;
  /** +/- of it in nanoseconds; null = open */
  boundOf(device: string): number | null;
  /** +/- of a time from a stamp of the one to a stamp of the other, in nanoseconds; null = open */
  boundBetween(from: string, to: string): number | null;
  /** the crossings contradict each other: no set of offsets satisfies them all, so each device stands by the one with the least doubt */
  contradict: boolean;
}

/** A broker has a clock of its own, that of the collector beside it; no device id begins so. */
export const brokerClock = (broker: string): string => `\u0000${broker}`;

/** `to` is ahead of `from` by no more than this. */
interface Limit {
  from: string;
  to: string;
  nanos: number;
}

const key = (from: string, to: string): string => `${from}\u0001${to}`;

/** A trace is over before clocks drift, but not to the nanosecond: each interval holds at its own second. */
const slackNanos = [0, 100_000];

/**
 * Midpoints of the shortest paths from and to one reference satisfy every interval at once; midpoints of single pairs do not close,
 * and then a way would be drawn shorter than light needs for it (design.md section 4.4).
 */
export function clocksOfTrace(reference: string, crossings: readonly PathCrossing[]): TraceClocks {
  const proven = limitsOf(crossings, 'proven');
  const likely = limitsOf(crossings, 'likely');
  let offsets = new Map<string, Known>();
  let contradict = true;
  for (const slack of slackNanos) {
    const region = regionOf(reference, proven, slack);
    if (!region) continue;
    contradict = false;
    const within = regionOf(reference, likely, slack) ?? region;
    offsets = new Map(
      [...region].map(([device, { low, high }]) => {
        const place = within.get(device) ?? { low, high };
        const offset = (place.low + place.high) / 2;
        return [device, { offset, bound: Math.max(high - offset, offset - low) }];
      }),
    );
    break;
  }
  if (!offsets.has(reference)) offsets.set(reference, { offset: 0, bound: 0 });
  addByLeastDoubt(offsets, crossings);
  const boundOf = (device: string): number | null => {
    const bound = offsets.get(device)?.bound ?? Number.POSITIVE_INFINITY;
    return bound < open ? bound : null;
  };
  const offsetOf = (device: string): number => offsets.get(device)?.offset ?? 0;
  return {
    offsetOf,
    boundOf,
    contradict,
    boundBetween: (from, to) => {
      if (from === to) return 0;
      const ahead = offsetOf(to) - offsetOf(from);
      const [most, least] = [proven.get(key(from, to)), proven.get(key(to, from))];
      const pair = most && least ? Math.max(0, most.nanos - ahead, least.nanos + ahead) : Number.POSITIVE_INFINITY;
      const [a, b] = [boundOf(from), boundOf(to)];
      const bound = Math.min(pair, a === null || b === null ? Number.POSITIVE_INFINITY : a + b);
      return bound < open ? bound : null;
    },
  };
}

/**
 * Per ordered pair of clocks the tightest of what the crossings say. A call proves no more than its own two edges allow; where within
 * them the clocks are likely to stand, the audit knows from all other traffic, and says so by the middle it gave. What is likely
 * moves a figure within its bound, and never narrows the bound.
 */
function limitsOf(crossings: readonly PathCrossing[], how: 'proven' | 'likely'): Map<string, Limit> {
  const limits = new Map<string, Limit>();
  const limit = (from: string, to: string, nanos: number): void => {
    const known = limits.get(key(from, to));
    if (!known || known.nanos > nanos) limits.set(key(from, to), { from, to, nanos });
  };
  const interval = (from: string, to: string, low: number, high: number): void => {
    if (from === to) return;
    limit(from, to, high);
    limit(to, from, -low);
  };
  for (const c of crossings) {
    const edges = c.message ? null : edgesOfCall(c);
    const offset = c.offsetMs === null ? null : c.offsetMs * 1e6;
    if (edges) {
      const { low, high } = edges;
      const middle = how === 'likely' && offset !== null ? Math.min(Math.max(offset, low), high) : (low + high) / 2;
      const reach = Math.min(high - middle, middle - low);
      interval(c.callerDevice, c.calleeDevice, middle - reach, middle + reach);
    } else if (c.message && offset !== null && c.boundMs !== null) {
      interval(c.callerDevice, c.calleeDevice, offset - c.boundMs * 1e6, offset + c.boundMs * 1e6);
    } else if (!c.message && c.callerDevice !== c.calleeDevice) {
      // its answer says nothing, but it did not begin before it was asked
      limit(c.callerDevice, c.calleeDevice, Number(c.calleeStartNanos - c.callerStartNanos));
    }
    if (c.passageNanos === null) continue;
    const broker = brokerClock(c.broker);
    // The collector hears a message about when the broker hands it on: not before is likely, and no more than that
    if (how === 'likely') limit(broker, c.calleeDevice, Number(c.calleeStartNanos - c.passageNanos));
    if (c.uplinkMs !== null && c.uplinkBoundMs !== null) {
      const middle = Number(c.passageNanos - c.callerStartNanos) - c.uplinkMs * 1e6;
      const bound = c.uplinkBoundMs * 1e6;
      interval(c.callerDevice, broker, middle - bound, middle + bound);
    }
    if (c.downlinkMs !== null && c.downlinkBoundMs !== null) {
      const middle = Number(c.calleeStartNanos - c.passageNanos) - c.downlinkMs * 1e6;
      const bound = c.downlinkBoundMs * 1e6;
      interval(broker, c.calleeDevice, middle - bound, middle + bound);
    }
  }
  return limits;
}

/** How far each clock that is closed in from both sides may be ahead of the reference; null where the intervals cannot all be true. */
function regionOf(
  reference: string,
  limits: ReadonlyMap<string, Limit>,
  slack: number,
): Map<string, { low: number; high: number }> | null {
  const high = shortest(reference, limits, slack, 'from');
  const low = shortest(reference, limits, slack, 'to');
  if (!high || !low) return null;
  const region = new Map<string, { low: number; high: number }>();
  for (const [device, most] of high) {
    const least = low.get(device);
    if (least !== undefined) region.set(device, { low: -least, high: most });
  }
  return region;
}

/** Distances from the reference, or to it; null where a cycle is negative: the intervals cannot all be true. */
function shortest(
  reference: string,
  limits: ReadonlyMap<string, Limit>,
  slack: number,
  side: 'from' | 'to',
): Map<string, number> | null {
  const next = new Map<string, Limit[]>();
  for (const limit of limits.values()) {
    const at = limit[side];
    const list = next.get(at);
    if (list) list.push(limit);
    else next.set(at, [limit]);
  }
  const distance = new Map<string, number>([[reference, 0]]);
  const relaxed = new Map<string, number>();
  const most = new Set([...limits.values()].flatMap(({ from, to }) => [from, to])).size + 1;
  const queue = [reference];
  const waiting = new Set(queue);
  for (let head = 0; head < queue.length; head++) {
    const at = queue[head]!;
    waiting.delete(at);
    for (const limit of next.get(at) ?? []) {
      const to = side === 'from' ? limit.to : limit.from;
      const through = distance.get(at)! + limit.nanos + slack;
      // less than a tenth of a nanosecond is rounding, and would go round and round
      if (through >= (distance.get(to) ?? Number.POSITIVE_INFINITY) - 0.1) continue;
      distance.set(to, through);
      if (waiting.has(to)) continue;
      const times = (relaxed.get(to) ?? 0) + 1;
      if (times > most) return null;
      relaxed.set(to, times);
      queue.push(to);
      waiting.add(to);
    }
  }
  return distance;
}

interface Known {
  offset: number;
  bound: number;
}

const open = 1e15;

/** Clocks that no interval closes stand where the crossing with the least doubt puts them. */
function addByLeastDoubt(known: Map<string, Known>, crossings: readonly PathCrossing[]): void {
  const edges = new Map<string, { to: string; offset: number; bound: number }[]>();
  const edge = (from: string, to: string, offset: number, bound: number): void => {
    const list = edges.get(from);
    if (list) list.push({ to, offset, bound });
    else edges.set(from, [{ to, offset, bound }]);
  };
  const byId = (c: PathCrossing): string => c.callerSpanId + c.calleeSpanId;
  for (const crossing of [...crossings].sort((a, b) => (byId(a) < byId(b) ? -1 : 1))) {
    if (crossing.callerDevice === crossing.calleeDevice || crossing.offsetMs === null) continue;
    const offset = crossing.offsetMs * 1e6;
    const bound = offsetBoundNanos(crossing) ?? open;
    edge(crossing.callerDevice, crossing.calleeDevice, offset, bound);
    edge(crossing.calleeDevice, crossing.callerDevice, -offset, bound);
  }
  const queue = [...known.keys()];
  const closed = new Set(queue);
  for (let head = 0; head < queue.length; head++) {
    const at = known.get(queue[head]!)!;
    for (const { to, offset, bound } of edges.get(queue[head]!) ?? []) {
      const through = at.bound + bound;
      const before = known.get(to);
      if (closed.has(to) || (before && before.bound <= through)) continue;
      known.set(to, { offset: at.offset + offset, bound: through });
      queue.push(to);
    }
  }
}

/** How far the callee's clock can be ahead of the caller's, by the call's own request and reply; null where the callee was longer. */
function edgesOfCall(c: PathCrossing): { low: number; high: number } | null {
  const gap = Number(c.callerDurationNanos - c.calleeDurationNanos);
  if (gap < 0) return null;
  // a floor that does not fit says that a place is wrong, not a clock
  const oneWay = c.directFloorMs * 1e6 <= gap ? (c.directFloorMs * 1e6) / 2 : 0;
  const raw = Number(c.calleeStartNanos - c.callerStartNanos);
  return { low: raw - gap + oneWay, high: raw - oneWay };
}

/** +/- of a crossing's offset. An RPC's own bound is that of its total; its two edges bound the offset. */
function offsetBoundNanos(c: PathCrossing): number | null {
  if (c.callerDevice === c.calleeDevice) return 0;
  if (c.message) return c.boundMs === null ? null : c.boundMs * 1e6;
  const edges = edgesOfCall(c);
  if (!edges || c.offsetMs === null) return null;
  const offset = c.offsetMs * 1e6;
  return Math.max(0, edges.high - offset, offset - edges.low);
}
