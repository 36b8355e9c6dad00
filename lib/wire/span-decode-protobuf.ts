import { spanIdHex, traceIdHex } from '../domain/ids.ts';
import type { Resource, Span, SpanEvent, SpanLink } from '../domain/span.ts';
import { AttributeSink } from './any-value.ts';
import type { WireLimits } from './limits.ts';
import {
  depthOf,
  eventTag,
  linkTag,
  requestTag,
  resourceSpansTag,
  scopeSpansTag,
  spanTag,
  statusTag,
} from './otlp-traces-protobuf.ts';
import { ProtobufCursor } from './protobuf-cursor.ts';
import { emptyResource, resourceOfProtobuf } from './resource.ts';
import { withCurrentNames } from './semantic-names.ts';
import { isAcceptedTime } from './span-acceptance.ts';
import { cutEnd, textOf } from './utf8.ts';

/** The wanted spans of one request, decoded whole; of the others only the trace id is looked at. */
export function decodeProtobufSpans(
  body: Uint8Array,
  arrivalNanos: bigint,
  wanted: (traceHi: bigint, traceLo: bigint) => boolean,
  limits: WireLimits,
  into: Span[],
): void {
  const cursor = new ProtobufCursor().over(body);
  const asked = new LastAnswer(wanted);
  let seen = 0;
  while (cursor.pos < body.length) {
    const tag = cursor.tag(body.length);
    if (tag !== requestTag.resourceSpans) {
      cursor.skip(tag, body.length);
      continue;
    }
    const end = cursor.len(body.length);
    const begin = cursor.pos;
    let resource: Resource | null = null;
    while (cursor.pos < end) {
      const inner = cursor.tag(end);
      if (inner !== resourceSpansTag.scopeSpans) {
        cursor.skip(inner, end);
        continue;
      }
      const scopeEnd = cursor.len(end);
      const scopeBegin = cursor.pos;
      let scopeName: string | null = null;
      while (cursor.pos < scopeEnd) {
        const field = cursor.tag(scopeEnd);
        if (field !== scopeSpansTag.spans) {
          cursor.skip(field, scopeEnd);
          continue;
        }
        const spanEnd = cursor.len(scopeEnd);
        const spanBegin = cursor.pos;
        cursor.pos = spanEnd;
        if (++seen > limits.spansPerRequest) continue;
        const traceAt = traceIdAt(cursor, spanBegin, spanEnd);
        cursor.pos = spanEnd;
        if (traceAt < 0) continue;
        const traceHi = cursor.view.getBigUint64(traceAt);
        const traceLo = cursor.view.getBigUint64(traceAt + 8);
        if (!asked.isWanted(traceHi, traceLo)) continue;
        resource ??= decodeResource(cursor, begin, end, limits);
        scopeName ??= decodeScopeName(cursor, scopeBegin, scopeEnd, limits);
        cursor.pos = spanBegin;
        const span = decodeSpan(cursor, spanEnd, resource, scopeName, limits);
        cursor.pos = spanEnd;
        // a span that writes its trace id twice belongs to the second one
        if (
          span !== null &&
          span.traceId === traceIdHex(traceHi, traceLo) &&
          isAcceptedTime(span.startNanos, span.endNanos, arrivalNanos, limits)
        )
          into.push(span);
      }
    }
  }
}

/** Spans of one trace mostly stand together: ask once. */
class LastAnswer {
  private hi = 0n;
  private lo = 0n;
  private answer = false;
  private readonly wanted: (traceHi: bigint, traceLo: bigint) => boolean;

  constructor(wanted: (traceHi: bigint, traceLo: bigint) => boolean) {
    this.wanted = wanted;
  }

  isWanted(hi: bigint, lo: bigint): boolean {
    if (hi !== this.hi || lo !== this.lo) {
      this.hi = hi;
      this.lo = lo;
      this.answer = (hi !== 0n || lo !== 0n) && this.wanted(hi, lo);
    }
    return this.answer;
  }
}

/** Where the span's trace id stands; -1 without one of 16 bytes. Writers put it first, but fields may come in any order and the last one counts. */
function traceIdAt(cursor: ProtobufCursor, begin: number, end: number): number {
  if (
    end - begin > 18 &&
    cursor.bytes[begin] === spanTag.traceId &&
    cursor.bytes[begin + 1] === 16 &&
    cursor.bytes[begin + 18] !== spanTag.traceId
  )
    return begin + 2;
  let at = -1;
  cursor.pos = begin;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag !== spanTag.traceId) {
      cursor.skip(tag, end);
      continue;
    }
    const stop = cursor.len(end);
    at = stop - cursor.pos === 16 ? cursor.pos : -1;
    cursor.pos = stop;
  }
  return at;
}

function decodeResource(cursor: ProtobufCursor, begin: number, end: number, limits: WireLimits): Resource {
  const pieces: Uint8Array[] = [];
  cursor.pos = begin;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag !== resourceSpansTag.resource) {
      cursor.skip(tag, end);
      continue;
    }
    const stop = cursor.len(end);
    pieces.push(cursor.bytes.subarray(cursor.pos, stop));
    cursor.pos = stop;
  }
  if (pieces.length === 0) return emptyResource();
  const whole = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  return resourceOfProtobuf(new ProtobufCursor().over(whole), whole.length, depthOf.resource, limits);
}

function decodeScopeName(cursor: ProtobufCursor, begin: number, end: number, limits: WireLimits): string {
  let name = '';
  cursor.pos = begin;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag !== scopeSpansTag.scope) {
      cursor.skip(tag, end);
      continue;
    }
    const stop = cursor.len(end);
    while (cursor.pos < stop) {
      const field = cursor.tag(stop);
      if (field === 0x0a) name = text(cursor, stop, limits);
      else cursor.skip(field, stop);
    }
  }
  return name;
}

function decodeSpan(
  cursor: ProtobufCursor,
  end: number,
  resource: Resource,
  scopeName: string,
  limits: WireLimits,
): Span | null {
  const sink = new AttributeSink(limits);
  const span: Span = {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    kind: 0,
    startNanos: 0n,
    endNanos: 0n,
    status: 0,
    statusMessage: '',
    attributes: {},
    events: [],
    links: [],
    resource,
    scopeName,
  };
  let parentBytes = 0;
  let links = 0;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    switch (tag) {
      case spanTag.traceId:
        span.traceId = traceId(cursor, end);
        break;
      case spanTag.spanId:
        span.spanId = spanId(cursor, end);
        break;
      case spanTag.parentSpanId: {
        const at = cursor.pos;
        const stop = cursor.len(end);
        parentBytes = stop - cursor.pos;
        cursor.pos = at;
        span.parentSpanId = spanId(cursor, end);
        break;
      }
      case spanTag.name:
        span.name = text(cursor, end, limits);
        break;
      case spanTag.kind: {
        const kind = cursor.varint(end);
        span.kind = kind <= 5 ? kind : 0;
        break;
      }
      case spanTag.start:
        span.startNanos = cursor.view.getBigUint64(cursor.fixed(8, end), true);
        break;
      case spanTag.end:
        span.endNanos = cursor.view.getBigUint64(cursor.fixed(8, end), true);
        break;
      case spanTag.attributes:
        sink.addProtobuf(cursor, cursor.len(end), depthOf.spanAttribute);
        break;
      case spanTag.events: {
        const stop = cursor.len(end);
        if (span.events.length < limits.eventsPerSpan) span.events.push(decodeEvent(cursor, stop, limits));
        else cursor.pos = stop;
        break;
      }
      case spanTag.links: {
        const stop = cursor.len(end);
        const link = ++links <= limits.linksPerSpan ? decodeLink(cursor, stop, limits) : null;
        cursor.pos = stop;
        if (link !== null) span.links.push(link);
        break;
      }
      case spanTag.status: {
        const stop = cursor.len(end);
        while (cursor.pos < stop) {
          const field = cursor.tag(stop);
          if (field === statusTag.message) span.statusMessage = text(cursor, stop, limits);
          else if (field === statusTag.code) {
            const code = cursor.varint(stop);
            span.status = code <= 2 ? code : 0;
          } else cursor.skip(field, stop);
        }
        break;
      }
      default:
        cursor.skip(tag, end);
    }
  }
  if (span.traceId === '' || span.spanId === '' || (parentBytes !== 0 && parentBytes !== 8)) return null;
  span.attributes = withCurrentNames(sink.finish());
  return span;
}

function decodeEvent(cursor: ProtobufCursor, end: number, limits: WireLimits): SpanEvent {
  const sink = new AttributeSink(limits);
  let name = '';
  let timeNanos = 0n;
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag === eventTag.time) timeNanos = cursor.view.getBigUint64(cursor.fixed(8, end), true);
    else if (tag === eventTag.name) name = text(cursor, end, limits);
    else if (tag === eventTag.attributes) sink.addProtobuf(cursor, cursor.len(end), depthOf.eventAttribute);
    else cursor.skip(tag, end);
  }
  return { name, timeNanos, attributes: withCurrentNames(sink.finish()) };
}

function decodeLink(cursor: ProtobufCursor, end: number, limits: WireLimits): SpanLink | null {
  const sink = new AttributeSink(limits);
  let trace = '';
  let span = '';
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag === linkTag.traceId) trace = traceId(cursor, end);
    else if (tag === linkTag.spanId) span = spanId(cursor, end);
    else if (tag === linkTag.attributes) sink.addProtobuf(cursor, cursor.len(end), depthOf.eventAttribute);
    else cursor.skip(tag, end);
  }
  return trace === '' || span === ''
    ? null
    : { traceId: trace, spanId: span, attributes: withCurrentNames(sink.finish()) };
}

function text(cursor: ProtobufCursor, end: number, limits: WireLimits): string {
  const stop = cursor.len(end);
  const found = textOf(cursor.bytes, cursor.pos, cutEnd(cursor.bytes, cursor.pos, stop, limits.valueBytes));
  cursor.pos = stop;
  return found;
}

/** '' unless 16 bytes, not all zero. */
function traceId(cursor: ProtobufCursor, end: number): string {
  const stop = cursor.len(end);
  const at = cursor.pos;
  cursor.pos = stop;
  if (stop - at !== 16) return '';
  const hi = cursor.view.getBigUint64(at);
  const lo = cursor.view.getBigUint64(at + 8);
  return hi === 0n && lo === 0n ? '' : traceIdHex(hi, lo);
}

/** '' unless 8 bytes, not all zero. */
function spanId(cursor: ProtobufCursor, end: number): string {
  const stop = cursor.len(end);
  const at = cursor.pos;
  cursor.pos = stop;
  if (stop - at !== 8) return '';
  const id = cursor.view.getBigUint64(at);
  return id === 0n ? '' : spanIdHex(id);
}
