import { resourceKey } from '../domain/span.ts';
import { spanFlag } from '../domain/span-columns.ts';
import { AttributeSink } from './any-value.ts';
import { hexWords, jsonEnum, jsonFixed64, jsonList, jsonRecord, jsonString, parseJson } from './json-check.ts';
import type { WireLimits } from './limits.ts';
import { depthOf, isSampled } from './otlp-traces-protobuf.ts';
import { resourceOfJson } from './resource.ts';
import { slotCount, slotOf } from './semantic-names.ts';
import { type SpanColumnWriter, word } from './span-column-writer.ts';
import { bytesOf, isLongerThan } from './utf8.ts';

/**
 * Reads OTLP/JSON trace requests into a SpanColumnWriter (opentelemetry-proto, specification, "JSON Protobuf Encoding"):
 * ids are hex, enums integers, 64-bit integers strings or numbers, unknown fields are passed over, lowerCamelCase only.
 * JSON.parse is fast enough (performance.md section 10); what is needed of it goes through the writer as UTF-8, by the same rules as protobuf.
 */
export class JsonSpans {
  private readonly writer: SpanColumnWriter;
  private readonly limits: WireLimits;
  private readonly texts: Uint8Array<ArrayBuffer>;
  private readonly textsView: DataView;
  private readonly room: number;
  private readonly encoder = new TextEncoder();
  private readonly keyBytes = new Uint8Array(256);
  private readonly slotOfKey = new Map<string, number>();
  private readonly linkWords = new Int32Array(6);

  constructor(writer: SpanColumnWriter, limits: WireLimits) {
    this.writer = writer;
    this.limits = limits;
    // one place for each slot and one for the name, each a unit longer than the limit so that the writer sees what to cut; a unit is 3 bytes at most
    this.room = 3 * (limits.valueBytes + 1);
    this.texts = new Uint8Array((slotCount + 1) * this.room);
    this.textsView = new DataView(this.texts.buffer);
  }

  read(body: Uint8Array): void {
    const { writer } = this;
    const request = jsonRecord(parseJson(body, this.limits.jsonDepth), 'the request');
    writer.bytes = this.texts;
    writer.view = this.textsView;
    for (const group of jsonList(request.resourceSpans, 'resourceSpans')) {
      const { resource, scopeSpans } = jsonRecord(group, 'resourceSpans');
      const sender = resourceOfJson(resource, depthOf.resource, this.limits);
      writer.beginResource(sender, resourceKey(sender));
      for (const scoped of jsonList(scopeSpans, 'scopeSpans')) {
        const { scope, spans } = jsonRecord(scoped, 'scopeSpans');
        if (scope !== undefined && scope !== null) jsonString(jsonRecord(scope, 'scope').name, 'scope.name');
        for (const span of jsonList(spans, 'spans')) {
          const record = jsonRecord(span, 'spans');
          if (writer.beginSpan()) this.span(record);
        }
      }
      writer.endResource();
    }
  }

  private span(span: Record<string, unknown>): void {
    const { writer, limits } = this;
    const { words } = writer;
    const linksAtBegin = writer.linksSoFar;
    writer.hasTraceId =
      hexWords(jsonString(span.traceId, 'span.traceId'), words, word.trace, 4) &&
      (words[0]! | words[1]! | words[2]! | words[3]!) !== 0;
    writer.hasSpanId =
      hexWords(jsonString(span.spanId, 'span.spanId'), words, word.span, 2) &&
      (words[word.span]! | words[word.span + 1]!) !== 0;
    const parent = jsonString(span.parentSpanId, 'span.parentSpanId');
    writer.hasParentId = parent === '' || hexWords(parent, words, word.parent, 2);
    const kind = jsonEnum(span.kind, 'span.kind');
    writer.kind = kind >= 0 && kind <= 5 ? kind : 0;
    jsonFixed64(span.startTimeUnixNano, 'span.startTimeUnixNano', words, word.startHi, word.startLo);
    jsonFixed64(span.endTimeUnixNano, 'span.endTimeUnixNano', words, word.endHi, word.endLo);
    const traceState = jsonString(span.traceState, 'span.traceState');
    if (traceState !== '') {
      const bytes = bytesOf(traceState);
      if (isSampled(bytes, 0, bytes.length)) writer.draftFlags |= spanFlag.sampled;
    }
    if (span.status !== undefined && span.status !== null) {
      const status = jsonRecord(span.status, 'span.status');
      const code = jsonEnum(status.code, 'span.status.code');
      writer.status = code >= 0 && code <= 2 ? code : 0;
      jsonString(status.message, 'span.status.message');
    }
    this.attributes(jsonList(span.attributes, 'span.attributes'));
    const events = jsonList(span.events, 'span.events');
    if (events.length > limits.eventsPerSpan) writer.draftFlags |= spanFlag.cut;
    for (const entry of events) this.checkEvent(jsonRecord(entry, 'span.events'));
    this.links(jsonList(span.links, 'span.links'));
    writer.nameStart = slotCount * this.room;
    writer.nameEnd = this.put(slotCount, jsonString(span.name, 'span.name'));
    writer.endSpan(linksAtBegin);
  }

  private attributes(list: unknown[]): void {
    const { writer, limits } = this;
    for (let i = 0; i < list.length; i++) {
      const attribute = jsonRecord(list[i], 'span.attributes');
      const key = jsonString(attribute.key, 'span.attributes.key');
      const any =
        attribute.value === undefined || attribute.value === null
          ? null
          : jsonRecord(attribute.value, 'span.attributes.value');
      const text = any !== null && typeof any.stringValue === 'string' ? any.stringValue : null;
      if (text === null && any !== null && !isPlain(any))
        new AttributeSink(limits).checkJson(any, 'span.attributes.value', depthOf.spanAttribute + 1);
      if (i >= limits.attributesPerSpan) {
        writer.draftFlags |= spanFlag.cut;
        continue;
      }
      if (isLongerThan(key, limits.keyBytes) || (text !== null && isLongerThan(text, limits.valueBytes)))
        writer.draftFlags |= spanFlag.cut;
      if (
        any !== null &&
        typeof any.bytesValue === 'string' &&
        Buffer.byteLength(any.bytesValue, 'base64') > limits.valueBytes
      )
        writer.draftFlags |= spanFlag.cut;
      const place = this.slotOf(key);
      if (place < 0) continue;
      if (text === null) writer.setSlot(place, 0, 0);
      else writer.setSlot(place, place * this.room, this.put(place, text));
    }
  }

  private links(list: unknown[]): void {
    const { writer, limits, linkWords } = this;
    if (list.length > limits.linksPerSpan) writer.draftFlags |= spanFlag.cut;
    for (let i = 0; i < list.length; i++) {
      const link = jsonRecord(list[i], 'span.links');
      this.checkAttributes(link.attributes, 'link.attributes');
      if (i >= limits.linksPerSpan) continue;
      if (
        hexWords(jsonString(link.traceId, 'link.traceId'), linkWords, 0, 4) &&
        hexWords(jsonString(link.spanId, 'link.spanId'), linkWords, 4, 2)
      )
        writer.addLink(linkWords[0]!, linkWords[1]!, linkWords[2]!, linkWords[3]!, linkWords[4]!, linkWords[5]!);
    }
  }

  /** What is accepted must be whole, or a drill-down would meet the damage later. */
  private checkEvent(event: Record<string, unknown>): void {
    jsonString(event.name, 'event.name');
    jsonFixed64(event.timeUnixNano, 'event.timeUnixNano', this.linkWords, 0, 1);
    this.checkAttributes(event.attributes, 'event.attributes');
  }

  private checkAttributes(list: unknown, what: string): void {
    if (list === undefined || list === null) return;
    new AttributeSink(this.limits).addJsonList(list, what, depthOf.eventAttribute);
  }

  private slotOf(key: string): number {
    if (key.length > 255) return -1;
    let place = this.slotOfKey.get(key);
    if (place === undefined) {
      const { read, written } = this.encoder.encodeInto(key, this.keyBytes);
      place = read === key.length ? slotOf(this.keyBytes, 0, written) : -1;
      // keys come from strangers: remember a bounded number of them
      if (this.slotOfKey.size < 4096) this.slotOfKey.set(key, place);
    }
    return place;
  }

  /** Puts a text where the writer reads; gives the end of its bytes. */
  private put(place: number, text: string): number {
    const start = place * this.room;
    const most = this.limits.valueBytes + 1;
    const { written } = this.encoder.encodeInto(
      text.length > most ? text.slice(0, most) : text,
      this.texts.subarray(start, start + this.room),
    );
    return start + written;
  }
}

/** The values that need no closer look; in the order in which AttributeSink asks, so that both find the same damage. */
const isPlain = (any: Record<string, unknown>): boolean =>
  any.stringValue == null &&
  (typeof any.boolValue === 'boolean' ||
    (any.boolValue == null &&
      (isPlainInt(any.intValue) || (any.intValue == null && typeof any.doubleValue === 'number'))));

const isPlainInt = (value: unknown): boolean =>
  typeof value === 'string' ? value.length < 18 && /^-?\d+$/.test(value) : Number.isSafeInteger(value);
