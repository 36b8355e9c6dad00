import type { EndToEnd, PathCrossing, PathSpan } from './request-path.ts';
import type { Millis, Nanos } from './units.ts';

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

/** Null when there is no span at all. `spans` of one trace (and of traces linked to it, where known), `crossings` between them. */
export function ledgerOf(_spans: PathSpan[], _crossings: PathCrossing[]): Ledger | null {
  throw new Error('not built yet');
}
