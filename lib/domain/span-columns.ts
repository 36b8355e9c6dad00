import type { Resource } from './span.ts';

/** Bits of `SpanColumns.flags`. */
export const spanFlag = {
  /** a name or value was longer than the limit and was cut */
  cut: 1,
  /** stamps sit on whole milliseconds although the SDK claims more (wire.md 1.1): true time is up to 1 ms later */
  millisecondGrain: 2,
  /** the span carries links, see `links` */
  linked: 4,
  /** tracestate carried ot=th: one of many, the rest was not recorded */
  sampled: 8,
} as const;

/**
 * The spans of one batch as columns: what the OTLP readers make and a store takes, without an object per span.
 * All arrays have `count` entries (or more: ignore the rest). Buffers may be transferred between threads.
 */
export interface SpanColumns {
  count: number;
  /** this batch's own dictionary; index 0 is '' */
  strings: string[];
  /** this batch's distinct resources */
  resources: Resource[];
  /** trace id as two big-endian 64-bit words */
  traceHi: BigUint64Array;
  traceLo: BigUint64Array;
  spanId: BigUint64Array;
  /** 0 for a root */
  parentId: BigUint64Array;
  /** sender's clock, nanoseconds since the epoch */
  startNanos: BigInt64Array;
  /** end - start on the sender's clock, >= 0 (a span that ends before it starts is rejected(time)) */
  durationNanos: BigInt64Array;
  /** OTLP SpanKind */
  kind: Uint8Array;
  /** 0 unset, 1 ok, 2 error */
  status: Uint8Array;
  /** spanFlag bits */
  flags: Uint8Array;
  /** messagingOperation */
  operation: Uint8Array;
  /** index into strings: span name */
  name: Uint32Array;
  /** index into resources */
  resource: Uint32Array;
  /** index into strings: mqtt, kafka, http, grpc, postgresql, ... ('' = none): messaging.system, rpc.system, db.system.name, or http when http.* is there */
  system: Uint32Array;
  /** index into strings: messaging.destination.template or .name, http.route or url.template, rpc.service/rpc.method, db namespace.collection ('' = none) */
  destination: Uint32Array;
  links: LinkColumns;
}

/** Span links, one row per link; `row` is the span's row in its SpanColumns. */
export interface LinkColumns {
  count: number;
  row: Uint32Array;
  traceHi: BigUint64Array;
  traceLo: BigUint64Array;
  spanId: BigUint64Array;
}
