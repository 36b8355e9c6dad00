import { type EndToEnd, endToEndOfTree, type PathCrossing, type PathSpan } from './request-path.ts';
import {
  handlerOf,
  isReply,
  localWork,
  offsetBoundNanos,
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
  onPath: boolean;
  /** said where the line is not measured but derived: 'uplink incl. broker', 'half of the round trip', ... ; '' otherwise */
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
  /** work and ways that did not delay the answer, by start */
  offPath: Stretch[];
  spans: LedgerSpan[];
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
  const book = new Book(root, last, places);

  if (figures.rule === 'b') book.climb(last, root);
  book.walk(root);

  const stretches = book.lines.reverse();
  const offPath: Stretch[] = [];
  for (const node of tree.spans) if (node.into && !book.visited.has(node)) offPath.push(...asideOf(node, root, places));
  offPath.sort((a, b) => a.startMs - b.startMs);
  const since = (at: Nanos, origin: Nanos): Millis => millisOfNanos(at - origin);
  return {
    ...figures,
    totalMs: millisOfNanos(figures.totalNanos),
    rawTotalMs: millisOfNanos(figures.rawTotalNanos),
    stretches,
    offPath,
    spans: tree.spans.map((node) => ({
      spanId: node.span.spanId,
      startMs: since(node.start, root.start),
      endMs: since(node.end, root.start),
      rawStartMs: since(node.span.startNanos, root.span.startNanos),
      rawEndMs: since(node.span.endNanos, root.span.startNanos),
      boundMs: node.bound === null ? null : node.bound / 1e6,
      onPath: book.onPath.has(node),
    })),
  };
}

/** A moment: on the requester's clock, and as it was stamped. */
interface Moment {
  at: Nanos;
  raw: Nanos;
}
const startOf = (node: TreeSpan): Moment => ({ at: node.start, raw: node.span.startNanos });
const endOf = (node: TreeSpan): Moment => ({ at: node.end, raw: node.span.endNanos });

/**
 * Written from the end of the request to its start. Every line begins where the one written before it ends, so the lines add up to the
 * whole by construction, on the requester's clock and in raw stamps alike; a line may be negative where clocks say so, and stays so.
 */
class Book {
  readonly lines: Stretch[] = [];
  readonly visited = new Set<TreeSpan>();
  readonly onPath = new Set<TreeSpan>();
  readonly #origin: Nanos;
  readonly #places: LedgerPlaces | undefined;
  #cursor: Moment;

  constructor(root: TreeSpan, last: TreeSpan, places: LedgerPlaces | undefined) {
    this.#origin = root.start;
    this.#cursor = endOf(last);
    this.#places = places;
  }

  /** Back through the work of one handler, to its start: the last thing that came back to it before now, what led to that, and so on. */
  walk(handler: TreeSpan): void {
    this.visited.add(handler);
    const local = localWork(handler);
    const returns = returnsTo(handler, local);
    for (const event of returns) {
      if (event.at > this.#cursor.at || event.at < handler.start) continue;
      this.#work(handler, local, event.end);
      if (event.crossing.crossing.message) {
        this.visited.add(event.crossing.callee);
        this.onPath.add(event.crossing.callee);
        this.#legs(event.crossing);
        this.climb(handlerOf(event.crossing.caller), handler);
      } else {
        const { caller, callee } = event.crossing;
        this.onPath.add(caller);
        this.#leg('reply', event.crossing, endOf(callee));
        this.walk(callee);
        this.#leg('request', event.crossing, startOf(caller));
      }
    }
    this.#work(handler, local, startOf(handler));
  }

  /** From a handler back over the crossings that led to it, until one that `home` sent. */
  climb(from: TreeSpan, home: TreeSpan): void {
    for (let handler = from; handler !== home; ) {
      this.walk(handler);
      if (!handler.into) {
        this.#unknown(handler, home);
        return;
      }
      const { caller, crossing } = handler.into;
      if (crossing.message) this.#legs(handler.into);
      else this.#leg('request', handler.into, startOf(caller));
      this.onPath.add(caller);
      handler = handlerOf(caller);
    }
  }

  #work(handler: TreeSpan, local: readonly TreeSpan[], from: Moment): void {
    const busy = local.filter((node) => node.start < this.#cursor.at && node.end > from.at);
    for (const node of busy) this.onPath.add(node);
    this.onPath.add(handler);
    if (from.at === this.#cursor.at && from.raw === this.#cursor.raw) return;
    this.#write(
      {
        kind: 'processing',
        ...placeOf(handler),
        toWhere: '',
        toSite: '',
        boundMs: 0,
        floorMs: 0,
        note: '',
        spanIds: idsOf(handler, busy),
      },
      from,
    );
  }

  #leg(kind: 'request' | 'reply', { crossing, caller, callee }: TreeCrossing, from: Moment): void {
    const [a, b] = kind === 'request' ? [caller, callee] : [callee, caller];
    const bound = offsetBoundNanos(crossing);
    this.#write(
      {
        kind,
        ...placeOf(a),
        toWhere: b.span.deviceId,
        toSite: b.span.site,
        boundMs: bound === null ? null : bound / 1e6,
        floorMs: crossing.floorMs / 2,
        note: crossing.clock === 'round-trip' ? 'the round trip is exact, its split is not' : '',
        spanIds: [a.span.spanId, b.span.spanId],
      },
      from,
    );
  }

  /** A message: to the broker and on where the broker saw it pass, else in one line. */
  #legs(into: TreeCrossing): void {
    for (const { line, from } of legsOf(into, this.#places)) this.#write(line, from);
  }

  #unknown(from: TreeSpan, home: TreeSpan): void {
    this.#write(
      {
        kind: 'unknown',
        ...placeOf(home),
        toWhere: from.span.deviceId,
        toSite: from.span.site,
        boundMs: null,
        floorMs: 0,
        note: 'what led here was not recorded',
        spanIds: [from.span.spanId],
      },
      startOf(home),
    );
  }

  #write(line: Line, from: Moment): void {
    this.lines.push(stretchOf(line, from, this.#cursor, this.#origin, true));
    this.#cursor = from;
  }
}

type Line = Omit<Stretch, 'nanos' | 'rawNanos' | 'ms' | 'rawMs' | 'startMs' | 'endMs' | 'onPath'>;

const placeOf = ({ span }: TreeSpan) => ({ where: span.deviceId, site: span.site, service: span.resource.serviceName });

function stretchOf(line: Line, from: Moment, to: Moment, origin: Nanos, onPath: boolean): Stretch {
  const nanos = to.at - from.at;
  const rawNanos = to.raw - from.raw;
  return {
    ...line,
    nanos,
    rawNanos,
    ms: millisOfNanos(nanos),
    rawMs: millisOfNanos(rawNanos),
    startMs: millisOfNanos(from.at - origin),
    endMs: millisOfNanos(to.at - origin),
    onPath,
  };
}

const mostIds = 20;
const idsOf = (handler: TreeSpan, busy: readonly TreeSpan[]): string[] => [
  ...new Set([handler, ...busy].slice(0, mostIds).map((node) => node.span.spanId)),
];

interface Return {
  at: Nanos;
  end: Moment;
  crossing: TreeCrossing;
}

/** What came back to a handler: answers to its calls, and messages to its device that it had caused itself. Latest first. */
function returnsTo(handler: TreeSpan, local: readonly TreeSpan[]): Return[] {
  const found: Return[] = [];
  const device = handler.span.deviceId;
  const seek = [...local];
  const seen = new Set(seek);
  const add = (node: TreeSpan) => {
    if (!seen.has(node)) seek.push(node);
    seen.add(node);
  };
  for (let i = 0; i < seek.length; i++) {
    const at = seek[i]!;
    // What was sent on from here before, and what that set off: a reply may come back over many devices
    for (const crossing of at.out) {
      const isOurs = at.span.deviceId === device;
      if (!crossing.crossing.message) {
        if (isOurs) found.push({ at: at.end, end: endOf(at), crossing });
        continue;
      }
      const { callee } = crossing;
      if (callee.span.deviceId === device && !isOurs) found.push({ at: callee.start, end: startOf(callee), crossing });
      add(callee);
      for (const node of localWork(callee)) add(node);
    }
  }
  return found.sort((a, b) =>
    a.at === b.at ? (a.crossing.callee.span.spanId < b.crossing.callee.span.spanId ? -1 : 1) : a.at > b.at ? -1 : 1,
  );
}

/** In the order they are written: from the receiver back to the sender. */
function legsOf(into: TreeCrossing, places: LedgerPlaces | undefined): { line: Line; from: Moment }[] {
  const { crossing, caller, callee } = into;
  const reply = isReply(into);
  const spanIds = [caller.span.spanId, callee.span.spanId];
  const whole: Line = {
    kind: reply ? 'reply' : 'uplink',
    ...placeOf(caller),
    toWhere: callee.span.deviceId,
    toSite: callee.span.site,
    boundMs: crossing.boundMs,
    floorMs: crossing.floorMs,
    note: 'the broker was not seen: the whole way in one line',
    spanIds,
  };
  if (crossing.passageNanos === null || crossing.uplinkMs === null) return [{ line: whole, from: startOf(caller) }];
  const broker = crossing.broker || 'broker';
  const brokerSite = places?.brokerSite(crossing.broker) ?? '';
  const floor = (from: string, to: string): Millis => (places && brokerSite !== '' ? places.floorMs(from, to) : 0);
  // On the sender's clock, which stands for the requester's by the sender's offset
  const passed: Moment = { at: caller.start + BigInt(Math.round(crossing.uplinkMs * 1e6)), raw: crossing.passageNanos };
  return [
    {
      line: {
        ...whole,
        kind: reply ? 'reply' : 'downlink',
        where: broker,
        site: brokerSite,
        service: '',
        boundMs: crossing.downlinkBoundMs,
        floorMs: floor(brokerSite, callee.span.site),
        note: '',
      },
      from: passed,
    },
    {
      line: {
        ...whole,
        toWhere: broker,
        toSite: brokerSite,
        boundMs: crossing.uplinkBoundMs,
        floorMs: floor(caller.span.site, brokerSite),
        note: 'uplink incl. broker',
      },
      from: startOf(caller),
    },
  ];
}

/** A handler that the answer did not wait for: how it was reached, and its work. */
function asideOf(node: TreeSpan, root: TreeSpan, places: LedgerPlaces | undefined): Stretch[] {
  const into = node.into!;
  const found: Stretch[] = [];
  let to = startOf(node);
  const legs = into.crossing.message
    ? legsOf(into, places)
    : [
        {
          line: {
            kind: 'request' as const,
            ...placeOf(into.caller),
            toWhere: node.span.deviceId,
            toSite: node.span.site,
            boundMs: node.bound === null ? null : node.bound / 1e6,
            floorMs: into.crossing.floorMs / 2,
            note: '',
            spanIds: [into.caller.span.spanId, node.span.spanId],
          },
          from: startOf(into.caller),
        },
      ];
  for (const { line, from } of legs) {
    found.unshift(stretchOf(line, from, to, root.start, false));
    to = from;
  }
  const work: Line = {
    kind: 'processing',
    ...placeOf(node),
    toWhere: '',
    toSite: '',
    boundMs: 0,
    floorMs: 0,
    note: '',
    spanIds: idsOf(node, localWork(node)),
  };
  found.push(stretchOf(work, startOf(node), endOf(node), root.start, false));
  return found;
}
