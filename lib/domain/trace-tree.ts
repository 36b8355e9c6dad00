import type { PathCrossing, PathSpan } from './request-path.ts';
import { spanKind } from './span.ts';
import type { Nanos } from './units.ts';

/** A span in its place: who caused it, what it caused on its own device, and when it was on the requester's clock. */
export interface TreeSpan {
  span: PathSpan;
  /** the crossing that led here; null for work that began on this device */
  into: TreeCrossing | null;
  /** parent on the same device, or the caller's end of `into` */
  parent: TreeSpan | null;
  /** children that no crossing lies between */
  local: TreeSpan[];
  /** crossings that this span is the caller of */
  out: TreeCrossing[];
  start: Nanos;
  end: Nanos;
  /** +/- of start and end on the requester's clock, in nanoseconds; null = open */
  bound: number | null;
}

export interface TreeCrossing {
  crossing: PathCrossing;
  caller: TreeSpan;
  callee: TreeSpan;
}

export interface TraceTree {
  root: TreeSpan;
  spans: TreeSpan[];
}

const key = (traceId: string, spanId: string): string => traceId + spanId;

/** Parent, crossing and corrected time of every span: paths, ledgers and drawings ask here. Null when there is no span. */
export function traceTreeOf(spans: readonly PathSpan[], crossings: readonly PathCrossing[]): TraceTree | null {
  if (spans.length === 0) return null;
  const nodes = new Map<string, TreeSpan>();
  for (const span of spans) {
    const at = key(span.traceId, span.spanId);
    if (!nodes.has(at)) {
      nodes.set(at, {
        span,
        into: null,
        parent: null,
        local: [],
        out: [],
        start: span.startNanos,
        end: span.endNanos,
        bound: 0,
      });
    }
  }
  for (const crossing of crossings) {
    const caller = nodes.get(key(crossing.callerTraceId, crossing.callerSpanId));
    const callee = nodes.get(key(crossing.calleeTraceId, crossing.calleeSpanId));
    if (!caller || !callee || caller === callee) continue;
    // A batch consumer has many callers; it began when the last of them had come
    const before = callee.into?.crossing;
    if (before && !isBetterWayIn(crossing, before, callee.span)) continue;
    callee.into = { crossing, caller, callee };
  }
  for (const node of nodes.values()) {
    node.parent =
      node.into?.caller ??
      (node.span.parentSpanId === '' ? null : (nodes.get(key(node.span.traceId, node.span.parentSpanId)) ?? null));
  }
  cutLoops(nodes);
  for (const node of nodes.values()) {
    if (!node.parent) continue;
    if (node.into) node.parent.out.push(node.into);
    else node.parent.local.push(node);
  }
  const all = [...nodes.values()];
  const root = rootOf(all);
  correct(all, root, crossings);
  return { root, spans: all };
}

/** The parent's word before a link's; among links the latest message, then the smaller id: any order of rows gives the same tree. */
function isBetterWayIn(one: PathCrossing, other: PathCrossing, callee: PathSpan): boolean {
  const isParent = (c: PathCrossing) => c.callerSpanId === callee.parentSpanId;
  if (isParent(one) !== isParent(other)) return isParent(one);
  if (one.callerStartNanos !== other.callerStartNanos) return one.callerStartNanos > other.callerStartNanos;
  return one.callerSpanId < other.callerSpanId;
}

/** Ids come from strangers: a span may name its own descendant as parent. */
function cutLoops(nodes: Map<string, TreeSpan>): void {
  const done = new Set<TreeSpan>();
  for (const start of nodes.values()) {
    const way = new Set<TreeSpan>();
    for (let at: TreeSpan | null = start; at && !done.has(at); at = at.parent) {
      way.add(at);
      if (at.parent && way.has(at.parent)) {
        at.parent = null;
        at.into = null;
      }
    }
    for (const node of way) done.add(node);
  }
}

/** The earliest span that says it has no parent, else the earliest whose parent is missing. */
function rootOf(all: readonly TreeSpan[]): TreeSpan {
  const rank = (node: TreeSpan) => (node.parent ? 2 : node.span.parentSpanId === '' ? 0 : 1);
  return all.reduce((best, node) => {
    const by = rank(node) - rank(best);
    if (by !== 0) return by < 0 ? node : best;
    if (node.span.startNanos !== best.span.startNanos) return node.span.startNanos < best.span.startNanos ? node : best;
    return node.span.spanId < best.span.spanId ? node : best;
  });
}

interface Known {
  /** device's clock minus requester's, nanoseconds */
  offset: number;
  bound: number;
}

const open = 1e15;

/** One offset a device, by way of the crossings with the least doubt: a trace is over before clocks drift. */
function correct(all: readonly TreeSpan[], root: TreeSpan, crossings: readonly PathCrossing[]): void {
  const edges = new Map<string, { to: string; offset: number; bound: number }[]>();
  const edge = (from: string, to: string, offset: number, bound: number): void => {
    const list = edges.get(from);
    if (list) list.push({ to, offset, bound });
    else edges.set(from, [{ to, offset, bound }]);
  };
  for (const crossing of crossings) {
    if (crossing.callerDevice === crossing.calleeDevice || crossing.offsetMs === null) continue;
    const offset = crossing.offsetMs * 1e6;
    const bound = offsetBoundNanos(crossing) ?? open;
    edge(crossing.callerDevice, crossing.calleeDevice, offset, bound);
    edge(crossing.calleeDevice, crossing.callerDevice, -offset, bound);
  }
  const known = new Map<string, Known>([[root.span.deviceId, { offset: 0, bound: 0 }]]);
  const queue = [root.span.deviceId];
  for (let head = 0; head < queue.length; head++) {
    const at = known.get(queue[head]!)!;
    for (const { to, offset, bound } of edges.get(queue[head]!) ?? []) {
      const through = at.bound + bound;
      const before = known.get(to);
      if (before && before.bound <= through) continue;
      known.set(to, { offset: at.offset + offset, bound: through });
      queue.push(to);
    }
  }
  for (const node of all) {
    const clock = known.get(node.span.deviceId);
    const offset = clock ? BigInt(Math.round(clock.offset)) : 0n;
    node.start = node.span.startNanos - offset;
    node.end = node.span.endNanos - offset;
    node.bound = !clock || clock.bound >= open ? null : clock.bound;
  }
}

/** +/- of a crossing's offset. An RPC's own bound is that of its total; its two edges bound the offset. */
export function offsetBoundNanos(c: PathCrossing): number | null {
  if (c.callerDevice === c.calleeDevice) return 0;
  if (c.message) return c.boundMs === null ? null : c.boundMs * 1e6;
  const gap = c.callerDurationNanos - c.calleeDurationNanos;
  if (gap < 0n || c.offsetMs === null) return null;
  const oneWay = (c.directFloorMs * 1e6) / 2;
  const offset = c.offsetMs * 1e6;
  const high = Number(c.calleeStartNanos - c.callerStartNanos) - oneWay;
  const low = Number(c.calleeStartNanos - c.callerStartNanos - gap) + oneWay;
  return Math.max(0, high - offset, offset - low);
}

/** Where the work on this device began: the callee of a crossing, or the root. */
export function handlerOf(node: TreeSpan): TreeSpan {
  let at = node;
  while (!at.into && at.parent) at = at.parent;
  return at;
}

/** The span and what it caused on its own device, without crossings in between. */
export function localWork(handler: TreeSpan): TreeSpan[] {
  const found = [handler];
  for (let i = 0; i < found.length; i++) found.push(...found[i]!.local);
  return found;
}

/** A way back: the callee's device had been left before by what led to it. */
export function isReply(into: TreeCrossing): boolean {
  const device = into.callee.span.deviceId;
  if (into.caller.span.deviceId === device) return false;
  for (let at: TreeSpan | null = into.caller; at; at = at.parent) if (at.span.deviceId === device) return true;
  return false;
}

export const isCallee = (span: PathSpan): boolean => span.kind === spanKind.server || span.kind === spanKind.consumer;
