import type { Nanos } from './units.ts';

/** SpanKind numbers of opentelemetry-proto trace.proto. */
export const spanKind = { unspecified: 0, internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
export const spanStatus = { unset: 0, ok: 1, error: 2 } as const;
/** messaging.operation.type, semantic conventions for messaging spans. */
export const messagingOperation = { none: 0, create: 1, send: 2, receive: 3, process: 4, settle: 5 } as const;

export type AttributeValue = string | number | boolean | null | AttributeValue[] | { [key: string]: AttributeValue };
/** Null-prototype by construction in lib/wire: keys come from strangers. */
export type Attributes = Record<string, AttributeValue>;

/**
 * Who sent: the identity out of an OTel Resource (or out of an MQTT topic, for heartbeats and plain JSON metrics).
 * Empty string = the sender did not say. Numbers are null when absent.
 */
export interface Resource {
  serviceName: string;
  serviceNamespace: string;
  serviceInstanceId: string;
  serviceVersion: string;
  hostId: string;
  hostName: string;
  /** telemetry.sdk.language; nodejs and webjs stamps may be cut to whole milliseconds. */
  sdkLanguage: string;
  /** hopscope.site */
  site: string;
  /** geo.locality.name, geo.location.lat, geo.location.lon */
  locality: string;
  lat: number | null;
  lon: number | null;
  /** cloud.region */
  cloudRegion: string;
  /** Everything the resource said, JSON text, cut to 16 KiB: shown, never parsed on the hot path. */
  attributesJson: string;
}

/** A resource that said nothing. */
export const noResource: Readonly<Resource> = {
  serviceName: '',
  serviceNamespace: '',
  serviceInstanceId: '',
  serviceVersion: '',
  hostId: '',
  hostName: '',
  sdkLanguage: '',
  site: '',
  locality: '',
  lat: null,
  lon: null,
  cloudRegion: '',
  attributesJson: '',
};

/** The same resource sent again must give the same text: what batches and the store recognise a resource by. */
export const resourceKey = (r: Resource): string =>
  [
    r.serviceName,
    r.serviceNamespace,
    r.serviceInstanceId,
    r.serviceVersion,
    r.hostId,
    r.hostName,
    r.sdkLanguage,
    r.site,
    r.locality,
    r.lat ?? '',
    r.lon ?? '',
    r.cloudRegion,
  ].join('\u001f');

export interface SpanEvent {
  name: string;
  timeNanos: Nanos;
  attributes: Attributes;
}

export interface SpanLink {
  /** hex, 32 and 16 digits */
  traceId: string;
  spanId: string;
  attributes: Attributes;
}

/** One span with everything it carried: what a person drills down to. Decoded from the raw batch, never on the hot path. */
export interface Span {
  traceId: string;
  spanId: string;
  /** '' for a root */
  parentSpanId: string;
  name: string;
  kind: number;
  startNanos: Nanos;
  endNanos: Nanos;
  status: number;
  statusMessage: string;
  attributes: Attributes;
  events: SpanEvent[];
  links: SpanLink[];
  resource: Resource;
  scopeName: string;
}
