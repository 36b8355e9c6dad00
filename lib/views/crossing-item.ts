import type { Millis } from '../domain/units.ts';
import { epochMillisOf } from '../domain/units.ts';
import { judge } from '../domain/verdict.ts';
import type { CrossingRow, DeviceRow } from '../store/store.ts';
import type { CrossingItem, Mark } from './schemas.ts';
import { instantOf } from './words.ts';

/** Devices by the name people call them; two of one name are told apart. */
export function deviceNames(devices: DeviceRow[]): (id: string) => string {
  const uses = new Map<string, number>();
  for (const { name } of devices) uses.set(name, (uses.get(name) ?? 0) + 1);
  const names = new Map(
    devices.map(({ id, name }) => [id, (uses.get(name) ?? 0) > 1 ? `${name} (${id.slice(0, 8)})` : name || id]),
  );
  return (id) => names.get(id) ?? id;
}

/** The mark of one crossing against its hop's budget. */
export const markOfCrossing = (row: CrossingRow, budgetMs: Millis): Mark =>
  judge({
    count: 1,
    requests: 1,
    unanswered: 0,
    p50Ms: row.addedMs,
    p95Ms: row.addedMs,
    boundMs: row.boundMs,
    floorMs: row.floorMs,
    directFloorMs: row.directFloorMs,
    budgetMs,
    clocks: {
      assumed: Number(row.clock === 'assumed'),
      clockWrong: Number(row.clock === 'clock-wrong'),
      contradiction: Number(row.clock === 'contradiction'),
      overlap: Number(row.clock === 'overlap'),
    },
  }).mark;

export const crossingFigures = (row: CrossingRow, nameOf: (deviceId: string) => string) => ({
  traceId: row.callerTraceId,
  calleeTraceId: row.calleeTraceId,
  callerSpanId: row.callerSpanId,
  calleeSpanId: row.calleeSpanId,
  rawMs: row.rawMs,
  addedMs: row.addedMs,
  boundMs: row.boundMs,
  clock: row.clock,
  uplinkMs: row.uplinkMs,
  downlinkMs: row.downlinkMs,
  error: row.error,
  callerDevice: nameOf(row.callerDevice),
  calleeDevice: nameOf(row.calleeDevice),
});

export const crossingItem = (
  row: CrossingRow,
  why: string,
  budgetMs: Millis,
  nameOf: (deviceId: string) => string,
): CrossingItem => ({
  ...crossingFigures(row, nameOf),
  startedAt: instantOf(epochMillisOf(row.callerStartNanos)),
  why,
  mark: markOfCrossing(row, budgetMs),
});
