import type { CrossingRow, StoredSpan } from '../store/store.ts';
import { maySee, type Viewer } from './viewer.ts';

/** What stands where a name may not be told. */
export const restricted = 'restricted';

/**
 * A shared trace keeps its shape and times; what belongs to a hidden application keeps no name (design.md section 11).
 * A name is told when a visible span of this trace bears it.
 */
export interface Mask {
  sees(span: StoredSpan | undefined): boolean;
  seesCrossing(crossing: CrossingRow): boolean;
  /** by id; a broker by its name */
  device(id: string): string;
  site(id: string): string;
  service(name: string): string;
}

export function maskOf(
  viewer: Viewer,
  spans: StoredSpan[],
  crossings: CrossingRow[],
  deviceName: (id: string) => string,
  brokerSite: (broker: string) => string,
): Mask {
  if (viewer.applications === 'all') {
    return {
      sees: () => true,
      seesCrossing: () => true,
      device: deviceName,
      site: (id) => id,
      service: (name) => name,
    };
  }
  const byId = new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]));
  const sees = (span: StoredSpan | undefined): boolean => span !== undefined && maySee(viewer, span.application);
  const seesCrossing = (c: CrossingRow): boolean =>
    sees(byId.get(`${c.callerTraceId}/${c.callerSpanId}`)) && sees(byId.get(`${c.calleeTraceId}/${c.calleeSpanId}`));
  const visible = spans.filter(sees);
  const brokers = crossings.filter((c) => c.broker !== '' && seesCrossing(c)).map((c) => c.broker);
  const devices = new Set([...visible.map((span) => span.deviceId), ...brokers, 'broker', '']);
  const sites = new Set([...visible.map((span) => span.site), ...brokers.map(brokerSite), '']);
  const services = new Set([...visible.map((span) => span.resource.serviceName), '']);
  return {
    sees,
    seesCrossing,
    device: (id) => (devices.has(id) ? deviceName(id) : restricted),
    site: (id) => (sites.has(id) ? id : restricted),
    service: (name) => (services.has(name) ? name : restricted),
  };
}
