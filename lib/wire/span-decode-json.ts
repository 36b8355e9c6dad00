import { parseSpanId, parseTraceId } from '../domain/ids.ts';
import type { Resource, Span, SpanEvent, SpanLink } from '../domain/span.ts';
import { AttributeSink } from './any-value.ts';
import { jsonBigInt, jsonEnum, jsonList, jsonRecord, jsonString, parseJson } from './json-check.ts';
import type { WireLimits } from './limits.ts';
import { depthOf } from './otlp-traces-protobuf.ts';
import { resourceOfJson } from './resource.ts';
import { withCurrentNames } from './semantic-names.ts';
import { isAcceptedTime } from './span-acceptance.ts';
import { cutText } from './utf8.ts';

/** As decodeProtobufSpans, for OTLP/JSON. */
export function decodeJsonSpans(
  body: Uint8Array,
  arrivalNanos: bigint,
  wanted: (traceHi: bigint, traceLo: bigint) => boolean,
  limits: WireLimits,
  into: Span[],
): void {
  const request = jsonRecord(parseJson(body, limits.jsonDepth), 'the request');
  let seen = 0;
  for (const group of jsonList(request.resourceSpans, 'resourceSpans')) {
    const { resource: sent, scopeSpans } = jsonRecord(group, 'resourceSpans');
    let resource: Resource | null = null;
    for (const entry of jsonList(scopeSpans, 'scopeSpans')) {
      const scoped = jsonRecord(entry, 'scopeSpans');
      for (const one of jsonList(scoped.spans, 'spans')) {
        if (++seen > limits.spansPerRequest) return;
        const record = jsonRecord(one, 'spans');
        const ids = traceWords(record.traceId);
        if (ids === null || !wanted(ids.hi, ids.lo)) continue;
        resource ??= resourceOfJson(sent, depthOf.resource, limits);
        const scopeName =
          scoped.scope == null
            ? ''
            : cutText(jsonString(jsonRecord(scoped.scope, 'scope').name, 'scope.name'), limits.valueBytes);
        const span = decodeSpan(record, resource, scopeName, limits);
        if (span !== null && isAcceptedTime(span.startNanos, span.endNanos, arrivalNanos, limits)) into.push(span);
      }
    }
  }
}

function decodeSpan(
  record: Record<string, unknown>,
  resource: Resource,
  scopeName: string,
  limits: WireLimits,
): Span | null {
  const traceId = traceIdText(record.traceId);
  const spanId = spanIdText(record.spanId);
  const parent = jsonString(record.parentSpanId, 'span.parentSpanId');
  if (traceId === '' || spanId === '' || (parent !== '' && parseSpanId(parent) === null)) return null;
  const kind = jsonEnum(record.kind, 'span.kind');
  const status = record.status == null ? {} : jsonRecord(record.status, 'span.status');
  const code = jsonEnum(status.code, 'span.status.code');
  return {
    traceId,
    spanId,
    parentSpanId: spanIdText(record.parentSpanId),
    name: cutText(jsonString(record.name, 'span.name'), limits.valueBytes),
    kind: kind >= 0 && kind <= 5 ? kind : 0,
    startNanos: stamp(record.startTimeUnixNano),
    endNanos: stamp(record.endTimeUnixNano),
    status: code >= 0 && code <= 2 ? code : 0,
    statusMessage: cutText(jsonString(status.message, 'span.status.message'), limits.valueBytes),
    attributes: attributesOf(record.attributes, depthOf.spanAttribute, limits),
    events: jsonList(record.events, 'span.events')
      .slice(0, limits.eventsPerSpan)
      .map((event) => decodeEvent(jsonRecord(event, 'span.events'), limits)),
    links: jsonList(record.links, 'span.links')
      .slice(0, limits.linksPerSpan)
      .map((link) => decodeLink(jsonRecord(link, 'span.links'), limits))
      .filter((link) => link !== null),
    resource,
    scopeName,
  };
}

const decodeEvent = (event: Record<string, unknown>, limits: WireLimits): SpanEvent => ({
  name: cutText(jsonString(event.name, 'event.name'), limits.valueBytes),
  timeNanos: stamp(event.timeUnixNano),
  attributes: attributesOf(event.attributes, depthOf.eventAttribute, limits),
});

function decodeLink(link: Record<string, unknown>, limits: WireLimits): SpanLink | null {
  const traceId = traceIdText(link.traceId);
  const spanId = spanIdText(link.spanId);
  return traceId === '' || spanId === ''
    ? null
    : { traceId, spanId, attributes: attributesOf(link.attributes, depthOf.eventAttribute, limits) };
}

function attributesOf(list: unknown, depth: number, limits: WireLimits): Span['attributes'] {
  const sink = new AttributeSink(limits);
  sink.addJsonList(list, 'attributes', depth);
  return withCurrentNames(sink.finish());
}

const stamp = (value: unknown): bigint => (value == null ? 0n : BigInt.asUintN(64, jsonBigInt(value, 'a time')));

function traceWords(value: unknown): { hi: bigint; lo: bigint } | null {
  const text = jsonString(value, 'traceId');
  return text.length === 32 ? parseTraceId(text) : null;
}

/** '' unless 32 hex digits, not all zero. */
function traceIdText(value: unknown): string {
  const words = traceWords(value);
  return words === null || (words.hi === 0n && words.lo === 0n) ? '' : jsonString(value, 'traceId').toLowerCase();
}

/** '' unless 16 hex digits, not all zero. */
function spanIdText(value: unknown): string {
  const text = jsonString(value, 'spanId');
  const id = parseSpanId(text);
  return id === null || id === 0n ? '' : text.toLowerCase();
}
