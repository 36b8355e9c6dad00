import type { PathCrossing, PathSpan } from './request-path.ts';
import { spanKind } from './span.ts';
import { clocksOfTrace, type TraceClocks } from './trace-clocks.ts';
import type { Nanos } from './units.ts';

/** A span in its place: who caused it, what it caused on its own device, and when it was on the requester's clock. */
export interface TreeSpan {
  span: PathSpan;
  /** the crossing that led here; null for work that began on this device */
  into: TreeCrossing | null;
  /** parent on the same device, or the caller's end of `into` */
  parent: TreeSpan | null;
  /** children that no crossing lies between; one on another device was reached in a way that nobody recorded */
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
  /** began somewhere else than at the root: their parents have not arrived */
  adrift: TreeSpan[];
  clocks: TraceClocks;
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
  // rows come in any order; what is read out of the tree must not
  const all = [...nodes.values()].sort((a, b) => (beganLater(b, a) ? -1 : 1));
  const root = rootOf(all);
  adoptLocalOrphans(all, root);
  for (const node of all) {
    if (!node.parent) continue;
    if (node.into) node.parent.out.push(node.into);
    else node.parent.local.push(node);
  }
  const clocks = clocksOfTrace(root.span.deviceId, crossings);
  for (const node of all) {
    const offset = BigInt(Math.round(clocks.offsetOf(node.span.deviceId)));
    node.start = node.span.startNanos - offset;
    node.end = node.span.endNanos - offset;
    node.bound = clocks.boundOf(node.span.deviceId);
  }
  return { root, spans: all, adrift: all.filter((node) => !node.parent && node !== root), clocks };
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

/**
 * The parent of INTERNAL, CLIENT and PRODUCER spans is in their own process. Where it has not arrived, the work belongs to whatever
 * else that device was doing for this request: the latest begun handler that encloses it.
 */
function adoptLocalOrphans(all: readonly TreeSpan[], root: TreeSpan): void {
  const byDevice = new Map<string, TreeSpan[]>();
  for (const node of all) {
    if (node !== root && !node.into && !isCallee(node.span)) continue;
    const here = byDevice.get(node.span.deviceId);
    if (here) here.push(node);
    else byDevice.set(node.span.deviceId, [node]);
  }
  for (const orphan of all) {
    const { span } = orphan;
    if (orphan.parent || orphan === root || span.parentSpanId === '' || isCallee(span)) continue;
    let best: TreeSpan | null = null;
    for (const handler of byDevice.get(span.deviceId) ?? []) {
      if (handler.span.startNanos > span.startNanos || handler.span.endNanos < span.endNanos) continue;
      if (best && !beganLater(handler, best)) continue;
      if (!descendsFrom(handler, orphan)) best = handler;
    }
    orphan.parent = best;
  }
}

const beganLater = (one: TreeSpan, other: TreeSpan): boolean =>
  one.span.startNanos !== other.span.startNanos
    ? one.span.startNanos > other.span.startNanos
    : one.span.spanId > other.span.spanId;

export function descendsFrom(node: TreeSpan, ancestor: TreeSpan): boolean {
  for (let at: TreeSpan | null = node; at; at = at.parent) if (at === ancestor) return true;
  return false;
}

/** Where the work on this device began: the callee of a crossing, the root, or a child that another device's span claims as its own. */
export function handlerOf(node: TreeSpan): TreeSpan {
  let at = node;
  while (!at.into && at.parent && at.parent.span.deviceId === at.span.deviceId) at = at.parent;
  return at;
}

/** The span and what it caused on its own device, without crossings in between. */
export function localWork(handler: TreeSpan): TreeSpan[] {
  const found = [handler];
  for (let i = 0; i < found.length; i++) {
    for (const child of found[i]!.local) if (child.span.deviceId === handler.span.deviceId) found.push(child);
  }
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
