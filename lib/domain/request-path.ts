import { hash64, spanIdHex } from './ids.ts';
import { descendsFrom, handlerOf, isReply, type TraceTree, type TreeSpan, traceTreeOf } from './trace-tree.ts';
import type { Millis, Nanos } from './units.ts';

/** A span as far as paths and ledgers ask; a StoredSpan is one. */
export interface PathSpan {
  traceId: string;
  spanId: string;
  /** '' for a root */
  parentSpanId: string;
  name: string;
  kind: number;
  startNanos: Nanos;
  endNanos: Nanos;
  status: number;
  deviceId: string;
  site: string;
  application: string;
  resource: { serviceName: string };
}

/** A crossing as far as paths and ledgers ask; a CrossingRow is one. */
export interface PathCrossing {
  hop: bigint;
  callerTraceId: string;
  callerSpanId: string;
  calleeTraceId: string;
  calleeSpanId: string;
  message: boolean;
  linked: boolean;
  callerDevice: string;
  calleeDevice: string;
  callerStartNanos: Nanos;
  callerDurationNanos: Nanos;
  calleeStartNanos: Nanos;
  calleeDurationNanos: Nanos;
  passageNanos: Nanos | null;
  broker: string;
  /** callee's clock minus caller's; null when nothing is known */
  offsetMs: Millis | null;
  boundMs: Millis | null;
  clock: string;
  floorMs: Millis;
  directFloorMs: Millis;
  uplinkMs: Millis | null;
  uplinkBoundMs: Millis | null;
  downlinkMs: Millis | null;
  downlinkBoundMs: Millis | null;
}

/** How long the whole request took. */
export interface EndToEnd {
  /** a: the root outlives its replies, one clock, bound 0; b: up to the end of the last callee, on the requester's clock */
  rule: 'a' | 'b';
  totalNanos: Nanos;
  rawTotalNanos: Nanos;
  /** null = open */
  boundMs: Millis | null;
  rootSpanId: string;
  /** the span whose end closes it: the root itself under rule a */
  lastSpanId: string;
  referenceDevice: string;
}

/** Null when there is no span at all. */
export function endToEndOf(spans: readonly PathSpan[], crossings: readonly PathCrossing[]): EndToEnd | null {
  const tree = traceTreeOf(spans, crossings);
  return tree && endToEndOfTree(tree).figures;
}

/**
 * Rule a where the root outlives its replies: something it asked for came back to its device while it ran (or nothing ever left).
 * Else rule b: up to the end of the callee that ends last, on the requester's clock.
 */
export function endToEndOfTree(tree: TraceTree): { figures: EndToEnd; last: TreeSpan } {
  const { root } = tree;
  const crossed = tree.spans.filter((node) => node.into && descendsFrom(node, root));
  const closed = crossed.some(({ into, start }) =>
    into!.crossing.message
      ? into!.callee.span.deviceId === root.span.deviceId && isReply(into!) && start <= root.end
      : handlerOf(into!.caller) === root && into!.caller.end <= root.end,
  );
  // What led back was not recorded, but back it came
  const foundBack = tree.adrift.some((top) => comesBackTo(root, top));
  const isA = closed || foundBack || crossed.length === 0;
  const last = isA ? root : crossed.reduce((best, node) => (isLater(node, best) ? node : best));
  return {
    last,
    figures: {
      rule: isA ? 'a' : 'b',
      totalNanos: last.end - root.start,
      rawTotalNanos: last.span.endNanos - root.span.startNanos,
      boundMs: last.bound === null ? null : last.bound / 1e6,
      rootSpanId: root.span.spanId,
      lastSpanId: last.span.spanId,
      referenceDevice: root.span.deviceId,
    },
  };
}

/** Something adrift that reached the root's device while the root ran: itself, or what it sent on. */
function comesBackTo(root: TreeSpan, top: TreeSpan): boolean {
  if (top.bound === null) return false;
  const seek = [top];
  for (let i = 0; i < seek.length; i++) {
    const at = seek[i]!;
    const isHandler = at === top || at.into !== null;
    const { deviceId } = root.span;
    if (isHandler && at.span.deviceId === deviceId && at.start >= root.start && at.start <= root.end) return true;
    seek.push(...at.local, ...at.out.map(({ callee }) => callee));
  }
  return false;
}

const isLater = (one: TreeSpan, other: TreeSpan): boolean =>
  one.end !== other.end ? one.end > other.end : one.span.spanId < other.span.spanId;

/** The tree of hops from the root: siblings by hop id, repeats collapsed, untraced far ends left out. */
export interface RequestPath {
  /** of the tree alone: the same over restarts and engines, whatever the times and however often a hop was crossed */
  id: bigint;
  rootName: string;
  rootService: string;
  rootSite: string;
  application: string;
  hops: PathNode[];
}

export interface PathNode {
  hop: bigint;
  /** how many times the same hop was crossed at this place */
  count: number;
  /** how often it was tried: `count`, and calls or messages of the same name beside it that reached nobody */
  attempts: number;
  next: PathNode[];
}

export function requestPathOf(spans: readonly PathSpan[], crossings: readonly PathCrossing[]): RequestPath | null {
  const tree = traceTreeOf(spans, crossings);
  return tree && requestPathOfTree(tree, placesBelow(tree.root));
}

export function requestPathOfTree({ root: { span } }: TraceTree, places: readonly PathPlace[]): RequestPath {
  const hops = places.map(nodeOf);
  return {
    id: hash64(span.name, span.resource.serviceName, span.site, JSON.stringify(hops.map(spelled))),
    rootName: span.name,
    rootService: span.resource.serviceName,
    rootSite: span.site,
    application: span.application,
    hops,
  };
}

/** Requests of one name from one application: what budgets, pages and links call a path. Its trees stand under it. */
export const pathIdOf = (path: { rootName: string; application: string }): string =>
  spanIdHex(hash64('path', path.application, path.rootName));

/** A place in the tree of one trace, and who was reached there. */
export interface PathPlace {
  hop: bigint;
  reached: TreeSpan[];
  next: PathPlace[];
}

/** A chain of strangers may be of any length; beyond so many hops it is cut. */
const deepest = 100;

export const placesBelow = (root: TreeSpan): PathPlace[] => hopsBelow([root], deepest);

/** The next hops from these spans and all they caused on their device, by hop id; repeats become one. */
function hopsBelow(begun: readonly TreeSpan[], depth: number): PathPlace[] {
  if (depth === 0) return [];
  const callees = new Map<bigint, TreeSpan[]>();
  const work = [...begun];
  for (let i = 0; i < work.length; i++) {
    for (const { crossing, callee } of work[i]!.out) {
      const reached = callees.get(crossing.hop);
      if (reached) reached.push(callee);
      else callees.set(crossing.hop, [callee]);
    }
    work.push(...work[i]!.local);
  }
  return [...callees]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([hop, reached]) => ({ hop, reached, next: hopsBelow(reached, depth - 1) }));
}

const nodeOf = (place: PathPlace): PathNode => ({
  hop: place.hop,
  count: place.reached.length,
  attempts: place.reached.length + inVain(place.reached).size,
  next: place.next.map(nodeOf),
});

/** Calls and messages like those that led here, from the same work, that led nowhere. */
function inVain(reached: readonly TreeSpan[]): Set<TreeSpan> {
  const found = new Set<TreeSpan>();
  for (const { into } of reached) {
    const { span, parent } = into!.caller;
    for (const other of parent?.local ?? [])
      if (other.span.kind === span.kind && other.span.name === span.name && other.out.length === 0) found.add(other);
  }
  return found;
}

/** How often a hop was crossed does not make another path. */
const spelled = (node: PathNode): unknown => [spanIdHex(node.hop), node.next.map(spelled)];
