import type { DeviceRow } from '../store/store.ts';
import type { ViewContext } from './context.ts';
import type { DeviceItem, DevicesView, RangeView } from './schemas.ts';
import { emptySpark, type Grid, sparkGrid, sparkOf } from './spark.ts';
import { maySee } from './viewer.ts';
import { seesAll, seesDevice, visibleServices } from './visibility.ts';
import { instantOrNull } from './words.ts';

/** A reading of CPU or memory that is older than this is history, not "now". */
const freshMs = 120_000;

/** The devices a viewer may see, with their last readings and sparklines. `only`: just that one. */
export async function readDevices(
  { store, viewer }: ViewContext,
  range: RangeView,
  only?: string,
): Promise<DeviceItem[]> {
  const grid = sparkGrid(range);
  const ids = only === undefined ? null : [only];
  const [rows, cpu, memory, services] = await Promise.all([
    store.devices(),
    store.deviceSeries('cpu', ids, grid.fromMs, grid.toMs, grid.stepMs),
    store.deviceSeries('memory', ids, grid.fromMs, grid.toMs, grid.stepMs),
    seesAll(viewer) ? [] : store.services(),
  ]);
  const known = seesAll(viewer) ? null : new Set(visibleServices(viewer, services).map((row) => row.service));
  const cpuOf = Map.groupBy(cpu, (point) => point.deviceId);
  const memoryOf = Map.groupBy(memory, (point) => point.deviceId);
  const sinceMs = range.toMs - Math.max(freshMs, 2 * grid.stepMs);
  return rows
    .filter((row) => (only === undefined || row.id === only) && seesDevice(viewer, row))
    .map((row) => ({
      id: row.id,
      name: row.name || row.id,
      site: row.site,
      applications: row.applications.filter((application) => maySee(viewer, application)),
      services: known ? row.services.filter((service) => known.has(service)) : row.services,
      state: row.state,
      reason: row.reason,
      cpu: lastOf(cpuOf.get(row.id), sinceMs),
      memory: lastOf(memoryOf.get(row.id), sinceMs),
      lastSeen: instantOrNull(row.lastSeenMs),
      since: instantOrNull(row.sinceMs),
      cpuSpark: sparkOrEmpty(grid, cpuOf.get(row.id)),
      memorySpark: sparkOrEmpty(grid, memoryOf.get(row.id)),
    }));
}

type Point = { timeMs: number; value: number };

const sparkOrEmpty = (grid: Grid, points: Point[] | undefined) => (points ? sparkOf(grid, points) : emptySpark(grid));

/** The newest value that can still be called current; null: absent is not zero. */
function lastOf(points: Point[] | undefined, sinceMs: number): number | null {
  const last = points?.at(-1);
  return last && last.timeMs >= sinceMs ? last.value : null;
}

export function statesOf(devices: Pick<DeviceItem, 'state'>[]): DevicesView['states'] {
  const states = { up: 0, degraded: 0, down: 0, unknown: 0, retired: 0 };
  for (const { state } of devices) states[state]++;
  return states;
}

/** A device by its id, or by its name where only one bears it: what links out of traces carry. */
export function findDevice(devices: DeviceRow[], idOrName: string): DeviceRow | null {
  const byId = devices.find((device) => device.id === idOrName);
  if (byId) return byId;
  const named = devices.filter((device) => device.name === idOrName);
  return named.length === 1 ? named[0]! : null;
}
