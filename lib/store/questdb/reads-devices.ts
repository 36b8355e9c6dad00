import { millisOfNanos } from '#lib/domain/units.ts';
import { ascending } from '../ascending.ts';
import { type ClockFinding, type ClockRow, clockLabels, type DeviceState, type Store } from '../store.ts';
import type { AuditBook } from './audit-book.ts';
import { microsOf, minuteOfMicros, placeholders, unsigned } from './dialect.ts';
import { gaugeOf, type PlacedPoint } from './gauges.ts';
import { wholeMinutes } from './reads-hops.ts';
import type { Server } from './server.ts';

type DeviceReads = Pick<
  Store,
  | 'sites'
  | 'devices'
  | 'deviceEvents'
  | 'deviceSeries'
  | 'deviceMetrics'
  | 'clocks'
  | 'clockMinutes'
  | 'clockFindings'
  | 'contradictingDevices'
>;

export const deviceReads = (server: Server, book: AuditBook): DeviceReads => ({
  sites: async () => book.all('SELECT id, name, lat, lon FROM sites ORDER BY id'),

  async devices() {
    return book.all<DeviceSqlRow>('SELECT * FROM devices ORDER BY site, name, id').map((row) => ({
      id: row.id,
      name: row.name,
      site: row.site || 'unplaced',
      applications: namesOf(row.applications),
      services: namesOf(row.services),
      state: row.state,
      reason: row.reason,
      sinceMs: row.since_ms,
      lastSeenMs: row.last_seen_ms,
      intervalMs: row.interval_ms,
    }));
  },

  async deviceEvents(deviceId, fromMs, toMs, limit) {
    const one = deviceId === null ? '' : 'AND device = $4';
    const rows = await server.all<{
      device: string;
      at: bigint;
      from_state: DeviceState;
      to_state: DeviceState;
      reason: string | null;
    }>(
      `SELECT device, ts::long AS at, from_state, to_state, reason FROM ${server.table('device_events')}
       WHERE ts >= $1 AND ts < $2 ${one} ORDER BY ts DESC, device LIMIT $3`,
      [microsOf(fromMs), microsOf(toMs), limit, ...(deviceId === null ? [] : [deviceId])],
    );
    return rows.map((row) => ({
      deviceId: row.device,
      timeMs: Number(row.at / 1000n),
      fromState: row.from_state,
      toState: row.to_state,
      reason: row.reason ?? '',
    }));
  },

  async deviceSeries(metric, deviceIds, fromMs, toMs, stepMs) {
    const step = Math.max(1, Math.round(stepMs));
    const start = Math.floor(fromMs);
    const wanted = deviceIds === null ? null : new Set(deviceIds);
    const deviceOf = new Map(
      [...book.places()].flatMap(([symbol, { deviceId }]) =>
        deviceId !== '' && (wanted === null || wanted.has(deviceId)) ? [[symbol, deviceId] as const] : [],
      ),
    );
    if (deviceOf.size === 0) return [];
    const names = seriesMetrics[metric];
    // by arrival: a point comes after its time, and a day later at most
    const rows = await server.arrays<[string, string, string | null, bigint, number]>(
      `SELECT resource, metric, attributes, time_ms, value FROM ${server.table('data_points')}
       WHERE ts >= $1 AND ts < $2 AND time_ms >= $3 AND time_ms < $4 AND metric IN (${placeholders(names.length, 5)}) ORDER BY time_ms`,
      [microsOf(start - lookBackMs - aheadMs), microsOf(toMs + lateMs), start - lookBackMs, Math.floor(toMs), ...names],
    );
    const points = rows.flatMap<PlacedPoint>(([resource, name, attributes, timeMs, value]) => {
      const device = deviceOf.get(resource);
      if (device === undefined) return [];
      const step0 = Math.floor((Number(timeMs) - start) / step);
      return [
        { device, resource, metric: name, attributes: attributes ?? '', timeMs: Number(timeMs), step: step0, value },
      ];
    });
    return gaugeOf(metric, points, start)
      .map(({ device, step: n, value }) => ({ deviceId: device, timeMs: start + n * step, value }))
      .sort((a, b) => ascending(a.deviceId, b.deviceId) || a.timeMs - b.timeMs);
  },

  async deviceMetrics(deviceId) {
    const resources = [...book.places()].flatMap(([symbol, place]) => (place.deviceId === deviceId ? [symbol] : []));
    const [device] = book.all<{ last_seen_ms: number }>('SELECT last_seen_ms FROM devices WHERE id = ?', deviceId);
    if (!device || resources.length === 0) return [];
    // the last day before it was last heard: a device that fell silent keeps its last words
    const sinceMs = device.last_seen_ms - dayMs;
    const rows = await server.all<{ metric: string | null; attributes: string | null; time_ms: bigint; value: number }>(
      `SELECT metric, attributes, time_ms, value FROM (
         SELECT ts, metric, attributes, time_ms, value, row_number() OVER (PARTITION BY metric, attributes ORDER BY time_ms DESC) AS age
         FROM ${server.table('data_points')} WHERE ts >= $1 AND time_ms >= $2 AND resource IN (${placeholders(resources.length, 3)}))
       WHERE age = 1`,
      [microsOf(sinceMs - aheadMs), sinceMs, ...resources],
    );
    return rows
      .map((row) => ({
        metric: row.metric ?? '',
        attributesJson: row.attributes ?? '',
        timeMs: Number(row.time_ms),
        value: row.value,
      }))
      .sort((a, b) => ascending(a.metric, b.metric) || ascending(a.attributesJson, b.attributesJson));
  },

  async clocks() {
    const rows = await server.all<ClockSqlRow>(
      `SELECT * FROM (SELECT ${clockColumns} FROM ${server.table('clocks')} WHERE NOT gone LATEST ON ts PARTITION BY device)`,
    );
    return clocksOf(book, rows);
  },

  async clockMinutes(fromMs, toMs) {
    const rows = await server.all<ClockSqlRow>(
      `SELECT ${clockColumns} FROM ${server.table('clocks')} WHERE NOT gone AND ts >= $1 AND ts < $2`,
      wholeMinutes(fromMs, toMs),
    );
    return clocksOf(book, rows);
  },

  async clockFindings(fromMs, toMs) {
    return findingsOf(book.all(findingsSql, Math.floor(fromMs), Math.floor(toMs)));
  },

  async contradictingDevices(fromMs, toMs) {
    const rows = await server.all<{ hop: bigint | null; caller: string | null; callee: string | null }>(
      `SELECT DISTINCT hop, caller_device AS caller, callee_device AS callee FROM ${server.table('crossings')}
       WHERE ts >= $1 AND ts < $2 AND clock = ${clockLabels.indexOf('contradiction')} AND NOT gone`,
      wholeMinutes(fromMs, toMs),
    );
    const found = new Map<bigint, Set<string>>();
    for (const { hop, caller, callee } of rows) {
      const devices = found.get(unsigned(hop)) ?? new Set();
      for (const device of [caller, callee]) if (device) devices.add(device);
      found.set(unsigned(hop), devices);
    }
    return new Map([...found].map(([hop, devices]) => [hop, [...devices].sort()]));
  },
});

const dayMs = 86_400_000;
/** a point's time may be this far ahead of its arrival, and this long before it */
const aheadMs = dayMs;
const lateMs = dayMs;
/** Counters need the point before the range to have a rate at its beginning. */
const lookBackMs = 120_000;

const seriesMetrics = {
  cpu: ['system.cpu.utilization', 'system.cpu.time'],
  memory: ['system.memory.utilization', 'system.memory.usage', 'system.memory.limit'],
} as const;

interface DeviceSqlRow {
  id: string;
  name: string;
  site: string;
  applications: string;
  services: string;
  state: DeviceState;
  reason: string;
  since_ms: number;
  last_seen_ms: number;
  interval_ms: number | null;
}

/** A JSON array of names, as the audit writes it. */
const namesOf = (json: string | null): string[] => (json ? (JSON.parse(json) as string[]) : []);

// ---- clocks

const clockColumns = 'device, ts::long AS at, offset_ns, bound_ns, low_ns, high_ns, method';

interface ClockSqlRow {
  device: string;
  at: bigint;
  offset_ns: bigint | null;
  bound_ns: bigint | null;
  low_ns: bigint | null;
  high_ns: bigint | null;
  method: string | null;
}

const millisOrNull = (nanos: bigint | null): number | null => (nanos === null ? null : millisOfNanos(nanos));

/** Those of devices; a collector's own clock is nobody's to look at. */
function clocksOf(book: AuditBook, rows: ClockSqlRow[]): ClockRow[] {
  const ids = new Set(book.all<{ id: string }>('SELECT id FROM devices').map(({ id }) => id));
  return rows
    .filter(({ device }) => ids.has(device))
    .map((row) => ({
      deviceId: row.device,
      minute: minuteOfMicros(row.at),
      offsetMs: millisOrNull(row.offset_ns),
      boundMs: millisOrNull(row.bound_ns),
      lowMs: millisOrNull(row.low_ns),
      highMs: millisOrNull(row.high_ns),
      method: row.method ?? '',
    }))
    .sort((a, b) => ascending(a.deviceId, b.deviceId) || a.minute - b.minute);
}

export const findingsSql =
  'SELECT * FROM clock_findings WHERE time_ms >= ? AND time_ms < ? ORDER BY time_ms, kind, devices';

interface FindingRow {
  kind: ClockFinding['kind'];
  time_ms: number;
  devices: string;
  sites: string;
  nanos: number | null;
}

export const findingsOf = (rows: FindingRow[]): ClockFinding[] =>
  rows.map((row) => ({
    kind: row.kind,
    timeMs: row.time_ms,
    devices: namesOf(row.devices),
    sites: namesOf(row.sites),
    nanos: row.nanos,
  }));
