import { type Attributes, type AttributeValue, noResource, type Resource } from '../domain/span.ts';
import { AttributeSink } from './any-value.ts';
import { isRecord } from './json-check.ts';
import type { WireLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import type { ProtobufCursor } from './protobuf-cursor.ts';
import { withCurrentNames } from './semantic-names.ts';

export const emptyResource = (): Resource => ({ ...noResource, attributesJson: '{}' });

/** The collector's own clock as one end of a ClockObservation. */
export const collectorResource = (collectorId: string): Resource => ({
  ...emptyResource(),
  hostId: `hopscope-collector:${collectorId}`,
  hostName: collectorId,
});

/** A device that named itself in an MQTT topic or payload. */
export const namedDevice = (hostName: string): Resource => ({
  ...emptyResource(),
  hostName,
  attributesJson: JSON.stringify({ 'host.name': hostName }),
});

const resourceAttributesTag = 0x0a;
const lastResourceField = 3;

export function resourceOfProtobuf(cursor: ProtobufCursor, end: number, depth: number, limits: WireLimits): Resource {
  const sink = new AttributeSink(limits);
  while (cursor.pos < end) {
    const tag = cursor.tag(end);
    if (tag === resourceAttributesTag) {
      const stop = cursor.len(end);
      sink.addProtobuf(cursor, stop, depth + 1);
    } else if (tag >>> 3 === 1) cursor.skipUnknown(tag, end, lastResourceField);
    else cursor.skip(tag, end);
  }
  return resourceOf(sink.finish(), limits);
}

export function resourceOfJson(resource: unknown, depth: number, limits: WireLimits): Resource {
  if (resource === undefined || resource === null) return emptyResource();
  if (!isRecord(resource)) throw new MalformedError('json: found no object, wanted one in resource');
  const sink = new AttributeSink(limits);
  sink.addJsonList(resource.attributes, 'resource.attributes', depth + 1);
  return resourceOf(sink.finish(), limits);
}

export function resourceOf(sent: Attributes, limits: WireLimits): Resource {
  const attributes = withCurrentNames(sent);
  const text = (key: string): string => {
    const value = attributes[key];
    return typeof value === 'string'
      ? value
      : typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : '';
  };
  const degrees = (key: string, most: number): number | null => {
    const value = attributes[key];
    return typeof value === 'number' && Math.abs(value) <= most ? value : null;
  };
  return {
    serviceName: text('service.name'),
    serviceNamespace: text('service.namespace'),
    serviceInstanceId: text('service.instance.id'),
    serviceVersion: text('service.version'),
    hostId: text('host.id'),
    hostName: text('host.name'),
    sdkLanguage: text('telemetry.sdk.language'),
    site: text('hopscope.site'),
    locality: text('geo.locality.name'),
    lat: degrees('geo.location.lat', 90),
    lon: degrees('geo.location.lon', 180),
    cloudRegion: text('cloud.region'),
    attributesJson: canonicalJson(attributes, limits.resourceJsonBytes),
  };
}

/** JSON with sorted keys, so that the same attributes give the same text. What does not fit is left out and said so: always whole JSON. */
export function canonicalJson(attributes: Attributes, maxBytes: number): string {
  const parts: string[] = [];
  let bytes = 2 + leftOut.length + 1;
  for (const key of Object.keys(attributes).sort()) {
    const part = `${JSON.stringify(key)}:${JSON.stringify(sorted(attributes[key]!))}`;
    bytes += Buffer.byteLength(part) + 1;
    if (bytes > maxBytes) {
      parts.push(leftOut);
      break;
    }
    parts.push(part);
  }
  return `{${parts.join(',')}}`;
}

const leftOut = '"hopscope.cut":true';

function sorted(value: AttributeValue): AttributeValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const map = Object.create(null) as Attributes;
  for (const key of Object.keys(value).sort()) map[key] = sorted(value[key]!);
  return map;
}

/** SDKs whose span stamps may be cut to whole milliseconds (wire.md 1.1). */
export const hasMillisecondSdk = (resource: Resource): boolean =>
  resource.sdkLanguage === 'nodejs' || resource.sdkLanguage === 'webjs';
