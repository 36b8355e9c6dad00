import { type EndToEnd, endToEndOfTree, type PathCrossing, type PathSpan } from './request-path.ts';
import { spanKind, spanStatus } from './span.ts';
import { brokerClock, type TraceClocks } from './trace-clocks.ts';
import {
  handlerOf,
  isReply,
  localWork,
  type TraceTree,
  type TreeCrossing,
  type TreeSpan,
  traceTreeOf,
} from './trace-tree.ts';
import { type Millis, millisOfNanos, type Nanos } from './units.ts';

export type StretchKind = 'processing' | 'uplink' | 'broker' | 'downlink' | 'request' | 'reply' | 'wait' | 'unknown';

/** One line of a ledger: a stretch of the request's time in one place, or between two. */
export interface Stretch {
  kind: StretchKind;
  /** device id it happens on, or leaves from; for legs at a broker 'broker' or the broker's name */
  where: string;
  /** device id (or broker) it arrives at; '' for work in one place */
  toWhere: string;
  site: string;
  toSite: string;
  service: string;
  /** integer nanoseconds: the lines add up exactly */
  nanos: Nanos;
  rawNanos: Nanos;
  ms: Millis;
  rawMs: Millis;
  /** +/- of `ms`; 0 on one clock, null when open */
  boundMs: Millis | null;
  /** the fibre's share, 0 for work in one place */
  floorMs: Millis;
  spanIds: string[];
  /** relative to the root's start, on the requester's clock */
  startMs: Millis;
  endMs: Millis;
  /** the same as it was stamped */
  rawStartMs: Millis;
  rawEndMs: Millis;
  onPath: boolean;
  /** said where the line is not measured but derived, or what stands behind it: 'uplink incl. broker', 'of which SELECT 21.7 ms', ...; '' otherwise */
  note: string;
}

export interface LedgerSpan {
  spanId: string;
  /** relative to the root's start, on the requester's clock */
  startMs: Millis;
  endMs: Millis;
  rawStartMs: Millis;
  rawEndMs: Millis;
  /** +/- of where it stands; 0 for the requester's own device, null when open */
  boundMs: Millis | null;
  onPath: boolean;
}

export interface Ledger extends EndToEnd {
  totalMs: Millis;
  rawTotalMs: Millis;
  /** the critical path in order; nanos and rawNanos each sum to the total */
  stretches: Stretch[];
  /** work and ways that did not delay the answer: branch by branch, in order of their starts */
  offPath: Stretch[];
  spans: LedgerSpan[];
  /** no set of clock offsets satisfies all crossings: some lines may be too short, or negative */
  clocksContradict: boolean;
}

/** What a ledger may ask about places; without it legs at a broker have no floor of their own. */
export interface LedgerPlaces {
  brokerSite(broker: string): string;
  floorMs(fromSite: string, toSite: string): Millis;
}

/** Null when there is no span at all. `spans` of one trace (and of traces linked to it, where known), `crossings` between them. */
export function ledgerOf(
  spans: readonly PathSpan[],
  crossings: readonly PathCrossing[],
  places?: LedgerPlaces,
): Ledger | null {
  const tree = traceTreeOf(spans, crossings);
  if (!tree) return null;
  const { root } = tree;
  const { figures, last } = endToEndOfTree(tree);
  const seen: Seen = { visited: new Set(), onPath: new Set(), uplinks: new Set() };
  const book = new Book(tree, last, places, seen);
  if (figures.rule === 'b') book.climb(last, root);
  book.walk(root);

  const onPath = new Set(seen.onPath);
  const offPath = branchesOf(tree).flatMap((branch): Stretch[][] => {
    if (seen.visited.has(branch)) return [];
    const aside = new Book(tree, branch, places, seen);
    aside.aside(branch);
    return [aside.lines.reverse()];
  });
  offPath.sort((a, b) => (a[0]?.startMs ?? 0) - (b[0]?.startMs ?? 0));
  const since = (at: Nanos, origin: Nanos): Millis => millisOfNanos(at - origin);
  return {
    ...figures,
    totalMs: millisOfNanos(figures.totalNanos),
    rawTotalMs: millisOfNanos(figures.rawTotalNanos),
    stretches: book.lines.reverse(),
    offPath: offPath.flat().map((stretch) => ({ ...stretch, onPath: false })),
    spans: tree.spans.map((node) => ({
      spanId: node.span.spanId,
      startMs: since(node.start, root.start),
      endMs: since(node.end, root.start),
      rawStartMs: since(node.span.startNanos, root.span.startNanos),
      rawEndMs: since(node.span.endNanos, root.span.startNanos),
      boundMs: node.bound === null ? null : node.bound / 1e6,
      onPath: onPath.has(node),
    })),
    clocksContradict: tree.clocks.contradict,
  };
}

/** Every place where work began, callers before their callees. */
function branchesOf({ root, adrift }: TraceTree): TreeSpan[] {
  const all = [root, ...adrift];
  const branches: TreeSpan[] = [];
  for (let i = 0; i < all.length; i++) {
    const node = all[i]!;
    if (handlerOf(node) === node) branches.push(node);
    all.push(...node.local, ...node.out.map(({ callee }) => callee));
  }
  return branches;
}

/** A moment: on the requester's clock, and as it was stamped. */
interface Moment {
  at: Nanos;
  raw: Nanos;
}
const startOf = (node: TreeSpan): Moment => ({ at: node.start, raw: node.span.startNanos });
const endOf = (node: TreeSpan): Moment => ({ at: node.end, raw: node.span.endNanos });

interface Seen {
  visited: Set<TreeSpan>;
  onPath: Set<TreeSpan>;
  /** senders whose way to the broker is told: one publish reaches the broker once, however many consumers it has */
  uplinks: Set<TreeSpan>;
}

/**
 * Written from the end of the request to its start. Every line begins where the one written before it ends, so the lines add up to the
 * whole by construction, on the requester's clock and in raw stamps alike. Work is measured on its own device's clock and is never
 * negative; a way may be, where clocks say so, and stays so.
 */
class Book {
  readonly lines: Stretch[] = [];
  readonly #tree: TraceTree;
  readonly #places: LedgerPlaces | undefined;
  readonly #seen: Seen;
  #cursor: Moment;

  constructor(tree: TraceTree, last: TreeSpan, places: LedgerPlaces | undefined, seen: Seen) {
    this.#tree = tree;
    this.#cursor = endOf(last);
    this.#places = places;
    this.#seen = seen;
  }

  /** Back through the work of one handler, to its start: the last thing that came back to it before now, what led to that, and so on. */
  walk(handler: TreeSpan): void {
    this.#seen.visited.add(handler);
    const local = localWork(handler);
    const work = new Work(local);
    const adrift = handler === this.#tree.root ? this.#tree.adrift : [];
    for (const event of returnsTo(handler, local, adrift)) {
      if (event.end.at > this.#cursor.at || event.end.at < handler.start) continue;
      // Its time is told already, on the way of another one
      if (event.way !== 'attempt' && this.#seen.visited.has(event.callee)) continue;
      this.#work(handler, work, event.end);
      switch (event.way) {
        case 'reply':
          this.#call(event.crossing);
          break;
        case 'message':
          this.#seen.visited.add(event.callee);
          this.#seen.onPath.add(event.callee);
          if (event.crossing) {
            this.#legs(event.crossing, true);
            this.climb(handlerOf(event.crossing.caller), handler);
          } else this.#unknown(event.callee, handler);
          break;
        case 'attempt':
          this.#attempt(event.caller);
      }
    }
    this.#work(handler, work, startOf(handler));
  }

  /** From a handler back over the crossings that led to it, until one that `home` sent. */
  climb(from: TreeSpan, home: TreeSpan): void {
    for (let handler = from; handler !== home; ) {
      // Only clocks that contradict each other lead to a place whose time is told already
      if (this.#seen.visited.has(handler)) {
        this.#unknown(handler, home, 'the clocks contradict each other: what led here seems to come after it');
        return;
      }
      this.walk(handler);
      const { into, parent } = handler;
      if (into) {
        this.#way(into);
        this.#seen.onPath.add(into.caller);
        handler = handlerOf(into.caller);
      } else if (parent) {
        this.#unrecorded(handler, parent);
        handler = handlerOf(parent);
      } else {
        this.#unknown(handler, home);
        return;
      }
    }
  }

  /** A branch that the answer did not wait for: how it was reached, and its work. */
  aside(branch: TreeSpan): void {
    this.walk(branch);
    const { into } = branch;
    if (into?.crossing.message && this.#seen.uplinks.has(into.caller)) this.#legs(into, isReply(into), 'from broker');
    else if (into) this.#way(into);
    else if (branch.parent) this.#unrecorded(branch, branch.parent);
  }

  #way(into: TreeCrossing): void {
    if (into.crossing.message) this.#legs(into, isReply(into));
    else this.#leg('request', into, startOf(into.caller));
  }

  #work(handler: TreeSpan, work: Work, from: Moment): void {
    const busy = work.between(from.at, this.#cursor.at);
    for (const node of busy) this.#seen.onPath.add(node);
    this.#seen.onPath.add(handler);
    const backwards = from.at > this.#cursor.at;
    this.#write(
      {
        kind: backwards ? 'unknown' : 'processing',
        ...inOnePlace(handler),
        boundMs: backwards ? null : 0,
        note: backwards
          ? 'began before what caused it: the stamps of this device contradict each other'
          : longestCall(busy, from, this.#cursor),
        spanIds: idsOf(handler, busy),
      },
      from,
    );
  }

  /** Request, work and reply; one line of waiting where the server's own time says nothing about when the answer left. */
  #call(crossing: TreeCrossing): void {
    const { caller, callee } = crossing;
    this.#seen.onPath.add(caller);
    if (isOverlap(crossing)) {
      this.#write(
        {
          kind: 'wait',
          ...between(caller, callee),
          boundMs: 0,
          note: 'the server worked on after the answer, or the client gave up: way and work cannot be told apart',
          spanIds: [caller.span.spanId, callee.span.spanId],
        },
        startOf(caller),
      );
      return;
    }
    this.#leg('reply', crossing, endOf(callee));
    this.walk(callee);
    this.#leg('request', crossing, startOf(caller));
  }

  /** Asked, and no answer recorded: a retry's first tries, a call that failed. */
  #attempt(caller: TreeSpan): void {
    this.#seen.onPath.add(caller);
    const failed = caller.span.status === spanStatus.error;
    this.#write(
      {
        kind: 'wait',
        ...inOnePlace(caller),
        boundMs: 0,
        note: failed ? 'a call that failed; nobody recorded the far end' : 'an attempt without an answer',
        spanIds: [caller.span.spanId],
      },
      startOf(caller),
    );
  }

  #leg(kind: 'request' | 'reply', { crossing, caller, callee }: TreeCrossing, from: Moment): void {
    const [a, b] = kind === 'request' ? [caller, callee] : [callee, caller];
    this.#write(
      {
        kind,
        ...between(a, b),
        boundMs: millisOrOpen(this.#tree.clocks.boundBetween(a.span.deviceId, b.span.deviceId)),
        floorMs: crossing.floorMs / 2,
        note: crossing.clock === 'round-trip' ? 'the round trip is exact, its split is not' : '',
        spanIds: [a.span.spanId, b.span.spanId],
      },
      from,
    );
  }

  /** A message: to the broker and on where the broker saw it pass, else in one line. */
  #legs(into: TreeCrossing, reply: boolean, part: 'whole' | 'from broker' = 'whole'): void {
    const legs = legsOf(into, reply, this.#tree.clocks, this.#places);
    if (legs.length > 1) this.#seen.uplinks.add(into.caller);
    for (const { line, from } of part === 'whole' ? legs : legs.slice(0, 1)) this.#write(line, from);
  }

  /** A span names one of another device as its parent, and neither says how the call went over. */
  #unrecorded(child: TreeSpan, parent: TreeSpan): void {
    this.#seen.onPath.add(parent);
    this.#write(
      {
        kind: 'unknown',
        ...between(parent, child),
        boundMs: millisOrOpen(this.#tree.clocks.boundBetween(parent.span.deviceId, child.span.deviceId)),
        note: 'neither end recorded how the request came over',
        spanIds: [parent.span.spanId, child.span.spanId],
      },
      startOf(parent),
    );
  }

  /** What came back is known, what led to it is not: not known since the last thing that `home` sent before it. */
  #unknown(from: TreeSpan, home: TreeSpan, note = 'what led here has not arrived'): void {
    this.#write(
      {
        kind: 'unknown',
        ...between(home, from),
        boundMs: millisOrOpen(this.#tree.clocks.boundBetween(home.span.deviceId, from.span.deviceId)),
        note,
        spanIds: [from.span.spanId],
      },
      startOf(lastSentBefore(from.start, home)),
    );
  }

  #write(line: Line, from: Moment): void {
    const { root } = this.#tree;
    const to = this.#cursor;
    const nanos = to.at - from.at;
    const rawNanos = to.raw - from.raw;
    if (nanos === 0n && rawNanos === 0n) return;
    this.lines.push({
      ...line,
      note: line.note || sayNegative(line, nanos),
      nanos,
      rawNanos,
      ms: millisOfNanos(nanos),
      rawMs: millisOfNanos(rawNanos),
      startMs: millisOfNanos(from.at - root.start),
      endMs: millisOfNanos(to.at - root.start),
      rawStartMs: millisOfNanos(from.raw - root.span.startNanos),
      rawEndMs: millisOfNanos(to.raw - root.span.startNanos),
      onPath: true,
    });
    this.#cursor = from;
  }
}

/** What ran on a device in one stretch after the other, each before the last: thousands of calls must not be looked through for each. */
class Work {
  readonly #latestFirst: TreeSpan[];
  #next = 0;
  #running: TreeSpan[] = [];

  constructor(local: readonly TreeSpan[]) {
    this.#latestFirst = local.toSorted((a, b) => (a.end > b.end ? -1 : a.end < b.end ? 1 : 0));
  }

  between(from: Nanos, to: Nanos): TreeSpan[] {
    for (; (this.#latestFirst[this.#next]?.end ?? from) > from; this.#next++) {
      this.#running.push(this.#latestFirst[this.#next]!);
    }
    const found = this.#running.filter((node) => node.start < to);
    this.#running = this.#running.filter((node) => node.start < from);
    return found;
  }
}

type Line = Omit<
  Stretch,
  'nanos' | 'rawNanos' | 'ms' | 'rawMs' | 'startMs' | 'endMs' | 'rawStartMs' | 'rawEndMs' | 'onPath'
>;

function sayNegative({ boundMs }: Line, nanos: Nanos): string {
  if (nanos >= 0n) return '';
  if (boundMs === null) return 'nothing ties these two clocks together: raw stamps, which arrive before they left';
  return -millisOfNanos(nanos) <= boundMs
    ? 'too short for these clocks: within its ± it may be 0'
    : 'arrives before it left: the clocks contradict each other';
}

const inOnePlace = ({ span }: TreeSpan) => ({
  where: span.deviceId,
  toWhere: '',
  site: span.site,
  toSite: '',
  service: span.resource.serviceName,
  floorMs: 0,
});
const between = (from: TreeSpan, to: TreeSpan) => ({
  ...inOnePlace(from),
  toWhere: to.span.deviceId,
  toSite: to.span.site,
});
const millisOrOpen = (nanos: number | null): Millis | null => (nanos === null ? null : nanos / 1e6);

const mostIds = 20;
const idsOf = (handler: TreeSpan, busy: readonly TreeSpan[]): string[] => [
  ...new Set([handler, ...busy].slice(0, mostIds).map((node) => node.span.spanId)),
];

const later = (a: Nanos, b: Nanos): Nanos => (a > b ? a : b);
const earlier = (a: Nanos, b: Nanos): Nanos => (a < b ? a : b);

/** A database, a third party: a call whose far end sends no spans is part of the work that waits for it. */
function longestCall(busy: readonly TreeSpan[], from: Moment, to: Moment): string {
  let longest: { name: string; nanos: Nanos } | null = null;
  for (const { span, out, start, end } of busy) {
    if (span.kind !== spanKind.client || out.length > 0) continue;
    const nanos = earlier(end, to.at) - later(start, from.at);
    if (!longest || nanos > longest.nanos) longest = { name: span.name, nanos };
  }
  return longest ? `of which ${longest.name} ${millisOfNanos(longest.nanos).toFixed(1)} ms, not traced further` : '';
}

/** The server's time is longer than the client's. */
const isOverlap = ({ crossing }: TreeCrossing): boolean => crossing.callerDurationNanos < crossing.calleeDurationNanos;

type Return = { end: Moment } & (
  | { way: 'reply'; crossing: TreeCrossing; callee: TreeSpan }
  /** without a crossing: it has arrived, what sent it has not */
  | { way: 'message'; crossing: TreeCrossing | null; callee: TreeSpan }
  | { way: 'attempt'; caller: TreeSpan }
);

/** What came back to a handler: answers to its calls, and messages to its device that it had caused itself. Latest first. */
function returnsTo(handler: TreeSpan, local: readonly TreeSpan[], adrift: readonly TreeSpan[]): Return[] {
  const found: Return[] = [];
  const device = handler.span.deviceId;
  const seek = [...local];
  const seen = new Set(seek);
  const add = (node: TreeSpan) => {
    if (!seen.has(node)) seek.push(node);
    seen.add(node);
  };
  for (const top of adrift) {
    if (top.bound === null || top.start < handler.start) continue;
    if (top.span.deviceId === device) found.push({ way: 'message', end: startOf(top), crossing: null, callee: top });
    add(top);
  }
  for (let i = 0; i < seek.length; i++) {
    const at = seek[i]!;
    const isOurs = at.span.deviceId === device;
    // What was sent on from here before, and what that set off: a reply may come back over many devices
    for (const crossing of at.out) {
      const { callee } = crossing;
      add(callee);
      if (!crossing.crossing.message) {
        if (isOurs) found.push({ way: 'reply', end: endOf(at), crossing, callee });
      } else if (callee.span.deviceId === device && !isOurs) {
        found.push({ way: 'message', end: startOf(callee), crossing, callee });
      }
    }
    for (const child of at.local) add(child);
    if (isOurs && isUnansweredAttempt(at)) found.push({ way: 'attempt', end: endOf(at), caller: at });
  }
  return found.sort(latestFirst);
}

/** One CLIENT with several SERVERs: the last that ends within the caller counts. */
function latestFirst(a: Return, b: Return): number {
  if (a.end.at !== b.end.at) return a.end.at > b.end.at ? -1 : 1;
  if (a.way === 'attempt' || b.way === 'attempt') return a.way === b.way ? 0 : a.way === 'attempt' ? 1 : -1;
  if (a.way === 'reply' && b.way === 'reply') {
    const fits = Number(isOverlap(a.crossing)) - Number(isOverlap(b.crossing));
    if (fits !== 0) return fits;
    if (a.callee.end !== b.callee.end) return a.callee.end > b.callee.end ? -1 : 1;
  }
  return a.callee.span.spanId < b.callee.span.spanId ? -1 : 1;
}

/** A call without a recorded far end that failed, or that a later one of the same name made good. */
function isUnansweredAttempt({ span, out, local, parent }: TreeSpan): boolean {
  if (span.kind !== spanKind.client || out.length > 0 || local.length > 0) return false;
  if (span.status === spanStatus.error) return true;
  return (parent?.local ?? []).some((other) => other.span.name === span.name && other.out.length > 0);
}

function lastSentBefore(moment: Nanos, home: TreeSpan): TreeSpan {
  let last = home;
  for (const node of localWork(home)) {
    const sends = node.span.kind === spanKind.producer || node.span.kind === spanKind.client;
    if (sends && node.start <= moment && node.start > last.start) last = node;
  }
  return last;
}

/** In the order they are written: from the receiver back to the sender. */
function legsOf(
  { crossing, caller, callee }: TreeCrossing,
  reply: boolean,
  clocks: TraceClocks,
  places: LedgerPlaces | undefined,
): { line: Line; from: Moment }[] {
  const whole: Line = {
    kind: reply ? 'reply' : 'uplink',
    ...between(caller, callee),
    boundMs: millisOrOpen(clocks.boundBetween(caller.span.deviceId, callee.span.deviceId)),
    floorMs: crossing.floorMs,
    note: 'the broker was not seen: the whole way in one line',
    spanIds: [caller.span.spanId, callee.span.spanId],
  };
  if (crossing.passageNanos === null || crossing.uplinkMs === null) return [{ line: whole, from: startOf(caller) }];
  const name = crossing.broker || 'broker';
  const brokerSite = places?.brokerSite(crossing.broker) ?? '';
  const floor = (from: string, to: string): Millis => (places && brokerSite !== '' ? places.floorMs(from, to) : 0);
  const broker = brokerClock(crossing.broker);
  const known = clocks.boundOf(broker) !== null;
  const passed: Moment = {
    at: known
      ? crossing.passageNanos - BigInt(Math.round(clocks.offsetOf(broker)))
      : caller.start + BigInt(Math.round(crossing.uplinkMs * 1e6)),
    raw: crossing.passageNanos,
  };
  const bound = (from: string, to: string): Millis | null => millisOrOpen(clocks.boundBetween(from, to));
  return [
    {
      line: {
        ...whole,
        kind: reply ? 'reply' : 'downlink',
        where: name,
        site: brokerSite,
        service: '',
        boundMs: known ? bound(broker, callee.span.deviceId) : crossing.downlinkBoundMs,
        floorMs: floor(brokerSite, callee.span.site),
        note: '',
      },
      from: passed,
    },
    {
      line: {
        ...whole,
        toWhere: name,
        toSite: brokerSite,
        boundMs: known ? bound(caller.span.deviceId, broker) : crossing.uplinkBoundMs,
        floorMs: floor(caller.span.site, brokerSite),
        note: `${reply ? 'reply' : 'uplink'} incl. broker: one stamp there cannot tell how long it stayed`,
      },
      from: startOf(caller),
    },
  ];
}
