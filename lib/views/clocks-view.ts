import * as z from 'zod';
import type { ViewContext } from './context.ts';
import { deviceNames } from './crossing-item.ts';
import { limitField } from './query.ts';
import type { ClocksView } from './schemas.ts';
import { seesDevice } from './visibility.ts';
import { instantOf } from './words.ts';

export const clocksQuerySchema = z.object({ limit: limitField(5_000, 100_000) });
export type ClocksQuery = z.output<typeof clocksQuerySchema>;

/** What is known of each device's clock against the collector's, the least certain first. */
export async function clocksView({ store, viewer }: ViewContext, query: ClocksQuery): Promise<ClocksView> {
  const [clocks, devices] = await Promise.all([store.clocks(), store.devices()]);
  const byId = new Map(devices.filter((device) => seesDevice(viewer, device)).map((device) => [device.id, device]));
  const nameOf = deviceNames(devices);
  const items = clocks
    .filter((clock) => byId.has(clock.deviceId))
    .map((clock) => ({
      device: nameOf(clock.deviceId),
      site: byId.get(clock.deviceId)!.site,
      offsetMs: clock.offsetMs,
      boundMs: clock.boundMs,
      method: clock.method,
      at: instantOf(clock.minute * 60_000),
    }))
    .sort((a, b) => uncertainty(b.boundMs) - uncertainty(a.boundMs) || a.device.localeCompare(b.device));
  return { items: items.slice(0, query.limit) };
}

const uncertainty = (boundMs: number | null): number => boundMs ?? Number.MAX_VALUE;
