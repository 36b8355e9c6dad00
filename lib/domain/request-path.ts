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
export function endToEndOf(_spans: PathSpan[], _crossings: PathCrossing[]): EndToEnd | null {
  throw new Error('not built yet');
}

/** The tree of hops from the root: siblings by hop id, repeats collapsed, untraced far ends left out. */
export interface RequestPath {
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
  next: PathNode[];
}

export function requestPathOf(_spans: PathSpan[], _crossings: PathCrossing[]): RequestPath | null {
  throw new Error('not built yet');
}
