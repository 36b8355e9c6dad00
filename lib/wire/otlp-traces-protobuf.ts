import type { Resource } from '../domain/span.ts';
import { resourceKey } from '../domain/span.ts';
import { spanFlag } from '../domain/span-columns.ts';
import { anyTag, checkAnyValue, checkKeyValue } from './any-value.ts';
import { ByteTable } from './byte-table.ts';
import type { WireLimits } from './limits.ts';
import { ProtobufCursor } from './protobuf-cursor.ts';
import { emptyResource, resourceOfProtobuf } from './resource.ts';
import { slotOf } from './semantic-names.ts';
import { type SpanColumnWriter, word } from './span-column-writer.ts';

/** Tags of opentelemetry/proto/trace/v1/trace.proto: field number * 8 + wire type. */
export const requestTag = { resourceSpans: 0x0a } as const;
export const resourceSpansTag = { resource: 0x0a, scopeSpans: 0x12 } as const;
export const scopeSpansTag = { scope: 0x0a, spans: 0x12 } as const;
export const spanTag = {
  traceId: 0x0a,
  spanId: 0x12,
  traceState: 0x1a,
  parentSpanId: 0x22,
  name: 0x2a,
  kind: 0x30,
  start: 0x39,
  end: 0x41,
  attributes: 0x4a,
  events: 0x5a,
  links: 0x6a,
  status: 0x7a,
} as const;
export const eventTag = { time: 0x09, name: 0x12, attributes: 0x1a } as const;
export const linkTag = { traceId: 0x0a, spanId: 0x12, attributes: 0x22 } as const;
export const statusTag = { message: 0x12, code: 0x18 } as const;

/** How deep each message stands, the request being 1: what limits.protobufDepth counts. */
export const depthOf = { resource: 3, span: 4, spanAttribute: 5, eventAttribute: 6 } as const;

/**
 * Reads ExportTraceServiceRequest bytes (or TracesData: the same bytes) straight into a SpanColumnWriter: no object per span,
 * no string for a name seen before. The whole request is walked and checked, so what was accepted is whole.
 */
export class ProtobufSpans {
  private readonly cursor = new ProtobufCursor();
  private readonly writer: SpanColumnWriter;
  private readonly limits: WireLimits;
  private readonly resourceTable = new ByteTable(4096, 8 * 1024 * 1024);
  private resources: Resource[] = [];
  private resourceKeys: string[] = [];

  constructor(writer: SpanColumnWriter, limits: WireLimits) {
    this.writer = writer;
    this.limits = limits;
  }

  read(body: Uint8Array): void {
    const cursor = this.cursor.over(body);
    this.writer.bytes = cursor.bytes;
    this.writer.view = cursor.view;
    const end = body.length;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === requestTag.resourceSpans) this.resourceSpans(cursor.len(end));
      else cursor.skipUnknown(tag, end, 1);
    }
  }

  private resourceSpans(end: number): void {
    const { cursor, writer } = this;
    const begin = cursor.pos;
    // the resource may stand behind its spans, or in pieces: fields come in any order
    let pieces = 0;
    let resourceStart = 0;
    let resourceEnd = 0;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === resourceSpansTag.resource) {
        pieces++;
        resourceEnd = cursor.len(end);
        resourceStart = cursor.pos;
        cursor.pos = resourceEnd;
      } else if (tag === resourceSpansTag.scopeSpans) cursor.pos = cursor.len(end);
      else if (tag >>> 3 <= 2) cursor.skipUnknown(tag, end, 2);
      else cursor.skip(tag, end);
    }
    if (pieces > 1) this.resourceInPieces(begin, end);
    else this.beginResource(cursor, resourceStart, resourceEnd);
    cursor.pos = begin;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === resourceSpansTag.scopeSpans) this.scopeSpans(cursor.len(end));
      else cursor.skip(tag, end);
    }
    writer.endResource();
  }

  private beginResource(cursor: ProtobufCursor, start: number, end: number): void {
    const entry = this.resourceTable.entryOf(cursor.bytes, cursor.view, start, end);
    if (entry >= 0 && entry < this.resources.length) {
      this.writer.beginResource(this.resources[entry]!, this.resourceKeys[entry]!);
      return;
    }
    let resource: Resource;
    try {
      cursor.pos = start;
      resource = start === end ? emptyResource() : resourceOfProtobuf(cursor, end, depthOf.resource, this.limits);
    } catch (cause) {
      // the table already knows these bytes: it must not know them without a resource
      this.forgetResources();
      throw cause;
    }
    const key = resourceKey(resource);
    if (entry >= 0) {
      this.resources.push(resource);
      this.resourceKeys.push(key);
    } else this.forgetResources();
    this.writer.beginResource(resource, key);
  }

  /** A message sent in pieces reads as the pieces one after another. */
  private resourceInPieces(begin: number, end: number): void {
    const { cursor } = this;
    const pieces: Uint8Array[] = [];
    cursor.pos = begin;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === resourceSpansTag.resource) {
        const stop = cursor.len(end);
        pieces.push(cursor.bytes.subarray(cursor.pos, stop));
        cursor.pos = stop;
      } else cursor.skip(tag, end);
    }
    const whole = Buffer.concat(pieces);
    this.beginResource(new ProtobufCursor().over(whole), 0, whole.length);
  }

  private forgetResources(): void {
    this.resourceTable.clear();
    this.resources = [];
    this.resourceKeys = [];
  }

  private scopeSpans(end: number): void {
    const { cursor } = this;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === scopeSpansTag.spans) {
        const stop = cursor.len(end);
        if (this.writer.beginSpan()) this.span(stop);
        else cursor.pos = stop;
      } else if (tag === scopeSpansTag.scope) this.checkScope(cursor.len(end));
      else if (tag >>> 3 <= 2) cursor.skipUnknown(tag, end, 2);
      else cursor.skip(tag, end);
    }
  }

  private checkScope(end: number): void {
    const { cursor } = this;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === 0x1a) checkKeyValue(cursor, cursor.len(end), depthOf.span + 1, this.limits.protobufDepth);
      else cursor.skip(tag, end);
    }
  }

  private span(end: number): void {
    const { cursor, writer, limits } = this;
    const { words } = writer;
    const { view, bytes } = cursor;
    const linksAtBegin = writer.linksSoFar;
    let attributes = 0;
    let events = 0;
    let links = 0;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      switch (tag) {
        case spanTag.attributes: {
          const stop = cursor.len(end);
          if (++attributes <= limits.attributesPerSpan) this.attribute(stop);
          else {
            writer.draftFlags |= spanFlag.cut;
            checkKeyValue(cursor, stop, depthOf.spanAttribute, limits.protobufDepth);
          }
          break;
        }
        case spanTag.traceId: {
          const stop = cursor.len(end);
          const at = cursor.pos;
          writer.hasTraceId = false;
          if (stop - at === 16) {
            words[0] = view.getInt32(at);
            words[1] = view.getInt32(at + 4);
            words[2] = view.getInt32(at + 8);
            words[3] = view.getInt32(at + 12);
            writer.hasTraceId = (words[0] | words[1] | words[2] | words[3]) !== 0;
          }
          cursor.pos = stop;
          break;
        }
        case spanTag.spanId: {
          const stop = cursor.len(end);
          const at = cursor.pos;
          writer.hasSpanId = false;
          if (stop - at === 8) {
            words[word.span] = view.getInt32(at);
            words[word.span + 1] = view.getInt32(at + 4);
            writer.hasSpanId = (words[word.span]! | words[word.span + 1]!) !== 0;
          }
          cursor.pos = stop;
          break;
        }
        case spanTag.parentSpanId: {
          const stop = cursor.len(end);
          const at = cursor.pos;
          writer.hasParentId = stop === at || stop - at === 8;
          words[word.parent] = stop - at === 8 ? view.getInt32(at) : 0;
          words[word.parent + 1] = stop - at === 8 ? view.getInt32(at + 4) : 0;
          cursor.pos = stop;
          break;
        }
        case spanTag.name:
          writer.nameEnd = cursor.len(end);
          writer.nameStart = cursor.pos;
          cursor.pos = writer.nameEnd;
          break;
        case spanTag.kind: {
          const kind = cursor.varint(end);
          writer.kind = kind <= 5 ? kind : 0;
          break;
        }
        case spanTag.start: {
          const at = cursor.fixed(8, end);
          words[word.startLo] = view.getInt32(at, true);
          words[word.startHi] = view.getInt32(at + 4, true);
          break;
        }
        case spanTag.end: {
          const at = cursor.fixed(8, end);
          words[word.endLo] = view.getInt32(at, true);
          words[word.endHi] = view.getInt32(at + 4, true);
          break;
        }
        case spanTag.status:
          this.status(cursor.len(end));
          break;
        case spanTag.traceState: {
          const stop = cursor.len(end);
          if (isSampled(bytes, cursor.pos, stop)) writer.draftFlags |= spanFlag.sampled;
          else writer.draftFlags &= ~spanFlag.sampled;
          cursor.pos = stop;
          break;
        }
        case spanTag.events:
          if (++events > limits.eventsPerSpan) writer.draftFlags |= spanFlag.cut;
          this.checkEvent(cursor.len(end));
          break;
        case spanTag.links:
          if (++links > limits.linksPerSpan) writer.draftFlags |= spanFlag.cut;
          this.link(cursor.len(end), links <= limits.linksPerSpan);
          break;
        default:
          // counters of what the sender dropped (10, 12, 14), flags (16), and what later versions bring
          if (tag >>> 3 <= 9 || tag >>> 3 === 11 || tag >>> 3 === 13 || tag >>> 3 === 15)
            cursor.skipUnknown(tag, end, 15);
          else cursor.skip(tag, end);
      }
    }
    writer.endSpan(linksAtBegin);
  }

  /** One KeyValue: the place of its text is kept where it is needed, everything else is only walked. */
  private attribute(end: number): void {
    const { cursor, writer, limits } = this;
    const { bytes, pos } = cursor;
    // nearly all: a short key, then a short text that ends with the message
    if (end - pos >= 6 && bytes[pos] === 0x0a) {
      const key = pos + 2;
      const value = key + bytes[pos + 1]!;
      if (value - key < 0x80 && end - value >= 4 && bytes[value] === 0x12 && bytes[value + 2] === anyTag.string) {
        const textLength = bytes[value + 3]!;
        if (textLength < 0x80 && value + 4 + textLength === end && bytes[value + 1] === textLength + 2) {
          const place = slotOf(bytes, key, value);
          if (place >= 0) writer.setSlot(place, value + 4, end);
          cursor.pos = end;
          return;
        }
      }
    }
    let keyStart = 0;
    let keyEnd = 0;
    let textStart = -1;
    let textEnd = -1;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === 0x0a) {
        keyEnd = cursor.len(end);
        keyStart = cursor.pos;
        cursor.pos = keyEnd;
      } else if (tag === 0x12) {
        const valueEnd = cursor.len(end);
        while (cursor.pos < valueEnd) {
          const valueTag = cursor.tag(valueEnd);
          if (valueTag === anyTag.string) {
            textEnd = cursor.len(valueEnd);
            textStart = cursor.pos;
            if (textEnd - textStart > limits.valueBytes) writer.draftFlags |= spanFlag.cut;
            cursor.pos = textEnd;
            continue;
          }
          textStart = -1;
          if (valueTag === anyTag.int || valueTag === anyTag.bool) cursor.varint(valueEnd);
          else if (valueTag === anyTag.double) cursor.fixed(8, valueEnd);
          else if (valueTag === anyTag.bytes) {
            const stop = cursor.len(valueEnd);
            if (stop - cursor.pos > limits.valueBytes) writer.draftFlags |= spanFlag.cut;
            cursor.pos = stop;
          } else if (valueTag === anyTag.array || valueTag === anyTag.kvlist) this.checkNested(valueTag, valueEnd);
          else cursor.skipUnknown(valueTag, valueEnd, 7);
        }
      } else cursor.skipUnknown(tag, end, 2);
    }
    if (keyEnd - keyStart > limits.keyBytes) writer.draftFlags |= spanFlag.cut;
    const place = slotOf(cursor.bytes, keyStart, keyEnd);
    // a value that is no text takes the place all the same: the last one counts
    if (place >= 0) writer.setSlot(place, textStart, textStart < 0 ? textStart : textEnd);
  }

  /** The list or map whose tag was just read. */
  private checkNested(tag: number, end: number): void {
    const { cursor } = this;
    const stop = cursor.len(end);
    while (cursor.pos < stop) {
      const inner = cursor.tag(stop);
      if (inner !== 0x0a) cursor.skipUnknown(inner, stop, 1);
      else if (tag === anyTag.array)
        checkAnyValue(cursor, cursor.len(stop), depthOf.spanAttribute + 3, this.limits.protobufDepth);
      else checkKeyValue(cursor, cursor.len(stop), depthOf.spanAttribute + 3, this.limits.protobufDepth);
    }
  }

  private checkEvent(end: number): void {
    const { cursor } = this;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === eventTag.attributes)
        checkKeyValue(cursor, cursor.len(end), depthOf.eventAttribute, this.limits.protobufDepth);
      else if (tag === eventTag.time || tag === eventTag.name) cursor.skip(tag, end);
      else if (tag >>> 3 <= 3) cursor.skipUnknown(tag, end, 3);
      else cursor.skip(tag, end);
    }
  }

  private link(end: number, isKept: boolean): void {
    const { cursor } = this;
    let traceAt = -1;
    let spanAt = -1;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === linkTag.traceId) {
        const stop = cursor.len(end);
        traceAt = stop - cursor.pos === 16 ? cursor.pos : -1;
        cursor.pos = stop;
      } else if (tag === linkTag.spanId) {
        const stop = cursor.len(end);
        spanAt = stop - cursor.pos === 8 ? cursor.pos : -1;
        cursor.pos = stop;
      } else if (tag === linkTag.attributes)
        checkKeyValue(cursor, cursor.len(end), depthOf.eventAttribute, this.limits.protobufDepth);
      else if (tag >>> 3 === 3) cursor.skip(tag, end);
      else if (tag >>> 3 <= 4) cursor.skipUnknown(tag, end, 4);
      else cursor.skip(tag, end);
    }
    if (!isKept || traceAt < 0 || spanAt < 0) return;
    const { view } = cursor;
    this.writer.addLink(
      view.getInt32(traceAt),
      view.getInt32(traceAt + 4),
      view.getInt32(traceAt + 8),
      view.getInt32(traceAt + 12),
      view.getInt32(spanAt),
      view.getInt32(spanAt + 4),
    );
  }

  private status(end: number): void {
    const { cursor, writer } = this;
    while (cursor.pos < end) {
      const tag = cursor.tag(end);
      if (tag === statusTag.code) {
        const code = cursor.varint(end);
        writer.status = code <= 2 ? code : 0;
      } else if (tag === statusTag.message) cursor.skip(tag, end);
      else if (tag >>> 3 === 2 || tag >>> 3 === 3) cursor.skipUnknown(tag, end, 3);
      else cursor.skip(tag, end);
    }
  }
}

/**
 * OpenTelemetry probability sampling: the `ot` entry of tracestate holds `th:` and a threshold. Threshold 0 keeps everything.
 * (opentelemetry.io/docs/specs/otel/trace/tracestate-handling)
 */
export function isSampled(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    while (at < end && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
    let stop = at;
    while (stop < end && bytes[stop] !== 0x2c) stop++;
    // ot=
    if (stop - at > 3 && bytes[at] === 0x6f && bytes[at + 1] === 0x74 && bytes[at + 2] === 0x3d) {
      let part = at + 3;
      while (part < stop) {
        let partEnd = part;
        while (partEnd < stop && bytes[partEnd] !== 0x3b) partEnd++;
        // th:
        if (partEnd - part > 3 && bytes[part] === 0x74 && bytes[part + 1] === 0x68 && bytes[part + 2] === 0x3a) {
          for (let i = part + 3; i < partEnd; i++) {
            const digit = bytes[i]!;
            if ((digit > 0x30 && digit <= 0x39) || (digit >= 0x61 && digit <= 0x66)) return true;
          }
        }
        part = partEnd + 1;
      }
    }
    at = stop + 1;
  }
  return false;
}
