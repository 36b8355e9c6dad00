import { millisOfNanos, minuteOf } from '#lib/domain/units.ts';
import { ascending } from '../ascending.ts';
import { type ClockRow, clockLabels, type DeviceState, type Store } from '../store.ts';
import { readFindings } from './clock-findings.ts';
import type { Database } from './database.ts';
import type { Dictionary } from './dictionary.ts';

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

export const deviceReads = (db: Database, dictionary: Dictionary): DeviceReads => ({
  sites: () => db.all('SELECT id, name, lat, lon FROM sites ORDER BY id'),

  async devices() {
    const rows = await db.all<DeviceSqlRow>('SELECT * FROM devices ORDER BY site, name, id');
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      site: row.site || 'unplaced',
      applications: namesOf(row.applications),
      services: namesOf(row.services),
      state: row.state,
      reason: row.reason,
      sinceMs: Number(row.since_ms),
      lastSeenMs: Number(row.last_seen_ms),
      intervalMs: row.interval_ms,
    }));
  },

  async deviceEvents(deviceId, fromMs, toMs, limit) {
    const one = deviceId === null ? '' : 'AND d.id = $4';
    const rows = await db.all<{
      id: string;
      time_ms: bigint;
      from_state: DeviceState;
      to_state: DeviceState;
      reason: string;
    }>(
      `SELECT d.id, e.time_ms, e.from_state, e.to_state, e.reason FROM device_events e JOIN devices d ON d.number = e.device
       WHERE e.time_ms >= $1 AND e.time_ms < $2 ${one} ORDER BY e.time_ms DESC, d.id LIMIT $3`,
      [fromMs, toMs, limit, ...(deviceId === null ? [] : [deviceId])],
    );
    return rows.map((row) => ({
      deviceId: row.id,
      timeMs: Number(row.time_ms),
      fromState: row.from_state,
      toState: row.to_state,
      reason: row.reason,
    }));
  },

  async deviceSeries(metric, deviceIds, fromMs, toMs, stepMs) {
    const only = deviceIds === null ? '' : 'WHERE d.id IN (SELECT unnest($4::VARCHAR[]))';
    const names = seriesMetrics[metric];
    const rows = await db.all<{ id: string; step: bigint; value: number }>(
      `${pointsSql(only, names)}, ${metric === 'cpu' ? cpuSql : memorySql}
       SELECT id, step, value FROM answer WHERE value IS NOT NULL ORDER BY id, step`,
      [fromMs, toMs, Math.max(1, Math.round(stepMs)), ...(deviceIds === null ? [] : [deviceIds])],
    );
    const start = Math.floor(fromMs);
    return rows.map((row) => ({
      deviceId: row.id,
      timeMs: start + Number(row.step) * Math.max(1, Math.round(stepMs)),
      value: row.value,
    }));
  },

  async deviceMetrics(deviceId) {
    const rows = await db.all<{ metric: number; attributes: number; time_ms: bigint; value: number }>(
      // the last day before it was last heard: a device that fell silent keeps its last words
      `SELECT q.metric, q.attributes, max(q.time_ms) AS time_ms, arg_max(q.value, q.time_ms) AS value
       FROM data_points q JOIN placings p ON p.resource = q.resource JOIN devices d ON d.number = p.device
       WHERE d.id = $1 AND q.time_ms >= (SELECT max(last_seen_ms) - 86400000 FROM devices WHERE id = $1)
       GROUP BY q.metric, q.attributes`,
      [deviceId],
    );
    return rows
      .map((row) => ({
        metric: dictionary.text(row.metric),
        attributesJson: dictionary.text(row.attributes),
        timeMs: Number(row.time_ms),
        value: row.value,
      }))
      .sort((a, b) => ascending(a.metric, b.metric) || ascending(a.attributesJson, b.attributesJson));
  },

  async clocks() {
    const rows = await db.all<ClockSqlRow>(
      `${clocksSql} QUALIFY row_number() OVER (PARTITION BY c.device ORDER BY c.minute DESC) = 1 ORDER BY d.id`,
    );
    return rows.map(clockOf);
  },

  async clockMinutes(fromMs, toMs) {
    const rows = await db.all<ClockSqlRow>(
      `${clocksSql} WHERE c.minute >= $1 AND c.minute < $2 ORDER BY d.id, c.minute`,
      [minuteOf(fromMs), Math.ceil(toMs / 60_000)],
    );
    return rows.map(clockOf);
  },

  clockFindings: (fromMs, toMs) => readFindings(db, fromMs, toMs),

  async contradictingDevices(fromMs, toMs) {
    const rows = await db.all<{ hop: bigint; id: string }>(
      `SELECT DISTINCT x.hop, d.id FROM crossings x JOIN devices d ON d.number IN (x.caller_device, x.callee_device)
       WHERE x.minute >= $1 AND x.minute < $2 AND x.clock = ${clockLabels.indexOf('contradiction')} ORDER BY d.id`,
      [minuteOf(fromMs), Math.ceil(toMs / 60_000)],
    );
    const found = new Map<bigint, string[]>();
    for (const { hop, id } of rows) found.set(hop, [...(found.get(hop) ?? []), id]);
    return found;
  },
});

const clocksSql = `SELECT d.id, c.minute, c.offset_ns, c.bound_ns, c.low_ns, c.high_ns, c.method
  FROM clocks c JOIN devices d ON d.number = c.device`;

interface ClockSqlRow {
  id: string;
  minute: number;
  offset_ns: bigint | null;
  bound_ns: bigint | null;
  low_ns: bigint | null;
  high_ns: bigint | null;
  method: string;
}

const millisOrNull = (nanos: bigint | null): number | null => (nanos === null ? null : millisOfNanos(nanos));

const clockOf = (row: ClockSqlRow): ClockRow => ({
  deviceId: row.id,
  minute: row.minute,
  offsetMs: millisOrNull(row.offset_ns),
  boundMs: millisOrNull(row.bound_ns),
  lowMs: millisOrNull(row.low_ns),
  highMs: millisOrNull(row.high_ns),
  method: row.method,
});

interface DeviceSqlRow {
  id: string;
  name: string;
  site: string;
  applications: string;
  services: string;
  state: DeviceState;
  reason: string;
  since_ms: bigint;
  last_seen_ms: bigint;
  interval_ms: number | null;
}

/** A JSON array of names, as the audit writes it. */
const namesOf = (json: string | null): string[] => (json ? (JSON.parse(json) as string[]) : []);

// ---- series

const seriesMetrics = {
  cpu: ['system.cpu.utilization', 'system.cpu.time'],
  memory: ['system.memory.utilization', 'system.memory.usage', 'system.memory.limit'],
} as const;

/** Counters need the point before the range to have a rate at its beginning. */
const lookBackMs = 120_000;

/**
 * `points`: the points of these metrics with their device, what state of the resource they are of ('' = all of it) and their step
 * (meaningless before the range). $1 from, $2 to, $3 step, $4 devices. The state goes by several names: OTel renamed it.
 */
const pointsSql = (only: string, metrics: readonly string[]): string => `
  WITH asked AS MATERIALIZED (SELECT id, value AS metric FROM strings WHERE value IN (${metrics.map((name) => `'${name}'`).join(', ')})),
  placed AS MATERIALIZED (SELECT p.resource, d.id FROM placings p JOIN devices d ON d.number = p.device ${only}),
  found AS MATERIALIZED (
    SELECT placed.id, q.resource, asked.metric, q.attributes, q.time_ms, q.value, (q.time_ms - $1) // $3 AS step
    FROM data_points q JOIN asked ON asked.id = q.metric JOIN placed ON placed.resource = q.resource
    WHERE q.time_ms >= $1 - ${lookBackMs} AND q.time_ms < $2),
  states AS MATERIALIZED (
    SELECT id AS attributes, coalesce(value ->> '$."cpu.mode"', value ->> '$."system.cpu.state"', value ->> '$."system.memory.state"',
      value ->> '$.state', '') AS state
    FROM (SELECT id, CASE WHEN json_valid(value) THEN value ELSE '{}' END AS value FROM strings WHERE id IN (SELECT DISTINCT attributes FROM found))),
  points AS MATERIALIZED (SELECT found.*, states.state FROM found JOIN states USING (attributes)),
  gauges AS MATERIALIZED (
    SELECT id, metric, step, state, avg(value) AS value FROM points WHERE time_ms >= $1 GROUP BY id, metric, step, state)`;

/** A gauge by state: the busy ones together; where only the idle one is sent, the rest of 1. */
const cpuSql = `
  told AS (
    SELECT id, step, CASE
      WHEN bool_or(state = 'idle') THEN 1 - max(value) FILTER (state = 'idle')
      WHEN bool_or(state <> '') THEN sum(value) FILTER (state <> '')
      ELSE max(value) END AS value
    FROM gauges WHERE metric = 'system.cpu.utilization' GROUP BY id, step),
  spent AS (
    SELECT id, step, time_ms, state, value - lag(value) OVER (PARTITION BY resource, attributes ORDER BY time_ms) AS seconds
    FROM points WHERE metric = 'system.cpu.time' AND id NOT IN (SELECT id FROM told)),
  rated AS (
    SELECT id, step, CASE WHEN bool_or(state = 'idle') AND sum(seconds) > 0
      THEN coalesce(sum(seconds) FILTER (state <> 'idle'), 0) / sum(seconds) END AS value
    FROM spent WHERE seconds >= 0 AND time_ms >= $1 GROUP BY id, step),
  answer AS (SELECT * FROM told UNION ALL SELECT * FROM rated)`;

const memorySql = `
  told AS (
    SELECT id, step, CASE
      WHEN bool_or(state = 'used') THEN max(value) FILTER (state = 'used')
      WHEN bool_or(state = 'free') THEN 1 - max(value) FILTER (state = 'free')
      ELSE max(value) FILTER (state = '') END AS value
    FROM gauges WHERE metric = 'system.memory.utilization' GROUP BY id, step),
  sizes AS (
    SELECT id, step, coalesce(max(value) FILTER (metric = 'system.memory.usage' AND state = 'used'), max(value) FILTER (metric = 'system.memory.usage' AND state = '')) AS used,
      coalesce(max(value) FILTER (metric = 'system.memory.limit'), sum(value) FILTER (metric = 'system.memory.usage' AND state <> '')) AS size
    FROM gauges WHERE metric <> 'system.memory.utilization' AND id NOT IN (SELECT id FROM told) GROUP BY id, step),
  answer AS (SELECT * FROM told UNION ALL SELECT id, step, used / size FROM sizes WHERE size > 0)`;
