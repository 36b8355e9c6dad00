import type {
  BatchRange,
  DeviceEventToSave,
  DeviceSaid,
  DeviceSighting,
  GaugeReading,
  StoredObservation,
} from '../audit-store.ts';
import { ofRange, rangeParams } from './audit-gather.ts';
import type { Turn } from './audit-turn.ts';
import { microsOf } from './dialect.ts';
import type { Param } from './server.ts';

// ---- sightings, reports

const sightings = async (turn: Turn, where: string, params: readonly Param[]): Promise<DeviceSighting[]> =>
  (
    await turn.rows<[string, string, bigint, number | null]>(
      'sightings',
      (table) =>
        `SELECT resource, source, arrival_ms, max(interval_ms) FROM ${table} WHERE ${where} GROUP BY resource, source, arrival_ms ORDER BY arrival_ms`,
      params,
    )
  ).map(([resource, source, arrivalMs, intervalMs]) => ({
    resource: turn.kept.resources.of(resource),
    source,
    arrivalMs: Number(arrivalMs),
    intervalMs,
  }));

export async function sightingsOf(turn: Turn, ranges: readonly BatchRange[]): Promise<DeviceSighting[]> {
  const found: DeviceSighting[] = [];
  for (const range of ranges) found.push(...(await sightings(turn, ofRange, rangeParams(turn, range))));
  return found;
}

export const sightingsSince = (turn: Turn, arrivalMs: number): Promise<DeviceSighting[]> =>
  sightings(turn, 'arrival_ms >= $1', [Math.floor(arrivalMs)]);

type ReportRow = [string, 'online' | 'offline', bigint, boolean, bigint];
const reportColumns = 'resource, state, time_ms, retained, ts::long / 1000 AS arrival_ms';

const reportOf =
  (turn: Turn) =>
  ([resource, state, timeMs, retained, arrivalMs]: ReportRow): DeviceSaid => ({
    resource: turn.kept.resources.of(resource),
    state,
    timeMs: Number(timeMs),
    retained,
    arrivalMs: Number(arrivalMs),
  });

export async function reportsOf(turn: Turn, ranges: readonly BatchRange[]): Promise<DeviceSaid[]> {
  const found: DeviceSaid[] = [];
  for (const range of ranges)
    found.push(
      ...(
        await turn.rows<ReportRow>(
          'device_reports',
          (table) => `SELECT ${reportColumns} FROM ${table} WHERE ${ofRange} ORDER BY ts`,
          rangeParams(turn, range),
        )
      ).map(reportOf(turn)),
    );
  return found;
}

/** The last word of each resource. */
export const lastReports = async (turn: Turn): Promise<DeviceSaid[]> =>
  (
    await turn.rows<ReportRow>(
      'device_reports',
      (table) =>
        `SELECT resource, state, time_ms, retained, arrival_ms FROM (
           SELECT ${reportColumns}, row_number() OVER (PARTITION BY resource ORDER BY ts DESC, seq DESC, n DESC) AS age FROM ${table})
         WHERE age = 1 ORDER BY arrival_ms`,
    )
  ).map(reportOf(turn));

// ---- clocks

/** An observation is made as it arrives: one that lies further from its batch is of a wrong clock of ours. */
const aroundSeconds = 3_600;

const observations = async (turn: Turn, where: string, params: readonly Param[]): Promise<StoredObservation[]> =>
  (
    await turn.rows<[string, string, bigint, string, string | null, bigint]>(
      'clock_observations',
      (table) =>
        `SELECT from_resource, to_resource, at_ns / 1000000000 AS second, source, broker, min(raw_ns) FROM ${table}
         WHERE ${where} GROUP BY from_resource, to_resource, second, source, broker`,
      params,
    )
  ).map(([from, to, second, source, broker, raw]) => ({
    fromResource: turn.kept.resources.of(from),
    toResource: turn.kept.resources.of(to),
    second: Number(second),
    rawNanos: Number(raw),
    source,
    broker: broker ?? '',
  }));

export async function observationsOf(turn: Turn, ranges: readonly BatchRange[]): Promise<StoredObservation[]> {
  const found: StoredObservation[] = [];
  for (const range of ranges) found.push(...(await observations(turn, ofRange, rangeParams(turn, range))));
  return found;
}

export const observationsBetween = (turn: Turn, fromSecond: number, toSecond: number): Promise<StoredObservation[]> =>
  observations(turn, 'ts >= $1 AND ts < $2 AND at_ns >= $3 AND at_ns < $4', [
    (fromSecond - aroundSeconds) * 1_000_000,
    (toSecond + aroundSeconds) * 1_000_000,
    BigInt(fromSecond) * 1_000_000_000n,
    BigInt(toSecond) * 1_000_000_000n,
  ]);

// ---- gauges

/** Utilization as one number; per CPU and state it is what is not idle (memory: what is used), averaged over the CPUs. */
export async function gauges(turn: Turn, sinceMs: number): Promise<GaugeReading[]> {
  const rows = await turn.rows<[string, string, string | null, bigint, number | null]>(
    'data_points',
    (table) =>
      `SELECT resource, metric, attributes, time_ms, value FROM ${table}
       WHERE ts >= $1 AND metric IN ('system.cpu.utilization', 'system.memory.utilization')`,
    [microsOf(sinceMs)],
  );
  const points = new Map<string, { reading: Omit<GaugeReading, 'value'>; whole: number[]; part: number[] }>();
  for (const [resource, metric, attributes, timeMs, value] of rows) {
    if (value === null) continue;
    const key = `${resource} ${metric} ${timeMs}`;
    const cpu = metric === 'system.cpu.utilization';
    const of = points.get(key) ?? {
      reading: {
        resource: turn.kept.resources.of(resource),
        metric: cpu ? ('cpu' as const) : ('memory' as const),
        timeMs: Number(timeMs),
      },
      whole: [],
      part: [],
    };
    points.set(key, of);
    if (attributes === null) of.whole.push(value);
    else if (attributes.includes(cpu ? '"idle"' : '"used"')) of.part.push(value);
  }
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return [...points.values()]
    .flatMap(({ reading, whole, part }) => {
      if (whole.length > 0) return [{ ...reading, value: mean(whole) }];
      if (part.length === 0) return [];
      return [{ ...reading, value: reading.metric === 'cpu' ? 1 - mean(part) : mean(part) }];
    })
    .sort((a, b) => a.timeMs - b.timeMs);
}

export function saveEvents(turn: Turn, events: readonly DeviceEventToSave[]): void {
  for (const { device, timeMs, from, to, reason } of events)
    turn.put('device_events', microsOf(timeMs), [turn.deviceId(device), from, to, reason, timeMs]);
}
