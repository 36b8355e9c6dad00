import * as z from 'zod';
import { rangeOf, type ViewContext } from './context.ts';
import { findDevice, readDevices } from './device-item.ts';
import { worstFirst } from './hop-item.ts';
import { readHops } from './hop-reading.ts';
import { notFound, rangeFields } from './query.ts';
import type { DeviceView } from './schemas.ts';
import { gridOf } from './spark.ts';
import { seesDevice } from './visibility.ts';
import { instantOf } from './words.ts';

export const deviceQuerySchema = z.object(rangeFields);
/** `id`: the device's id, or its name where only one bears it */
export type DeviceQuery = z.output<typeof deviceQuerySchema> & { id: string };

const shortestStepMs = 10_000;

/** One device: health over the range, what changed, the hops that begin or end in its services here, its clock. */
export async function deviceView(context: ViewContext, query: DeviceQuery): Promise<DeviceView> {
  const range = rangeOf(context, query);
  const { store, viewer } = context;
  const row = findDevice(await store.devices(), query.id);
  if (!row || !seesDevice(viewer, row)) throw notFound('device');
  const grid = gridOf(range, 600, shortestStepMs);
  const [[device], cpu, memory, events, { hops }, metrics, clocks] = await Promise.all([
    readDevices(context, range, row.id),
    store.deviceSeries('cpu', [row.id], grid.fromMs, grid.toMs, grid.stepMs),
    store.deviceSeries('memory', [row.id], grid.fromMs, grid.toMs, grid.stepMs),
    store.deviceEvents(row.id, range.fromMs, range.toMs, 200),
    readHops(context, range),
    store.deviceMetrics(row.id),
    store.clocks(),
  ]);
  const clock = clocks.find((each) => each.deviceId === row.id);
  const here = (end: { service: string; site: string }): boolean =>
    end.site === row.site && device!.services.includes(end.service);
  return {
    range,
    device: device!,
    series: joined(cpu, memory),
    events: events.map((event) => ({
      at: instantOf(event.timeMs),
      fromState: event.fromState,
      toState: event.toState,
      reason: event.reason,
    })),
    hops: hops
      .map((hop) => hop.item)
      .filter((hop) => here(hop.from) || here(hop.to))
      .sort(worstFirst),
    metrics: metrics.map((metric) => ({
      metric: metric.metric,
      attributes: metric.attributesJson,
      at: instantOf(metric.timeMs),
      value: metric.value,
    })),
    clock: clock ? { offsetMs: clock.offsetMs, boundMs: clock.boundMs, method: clock.method } : null,
  };
}

function joined(
  cpu: { timeMs: number; value: number }[],
  memory: { timeMs: number; value: number }[],
): DeviceView['series'] {
  const points = new Map<number, DeviceView['series'][number]>();
  const at = (timeMs: number) => {
    let point = points.get(timeMs);
    if (!point) {
      point = { timeMs, cpu: null, memory: null };
      points.set(timeMs, point);
    }
    return point;
  };
  for (const { timeMs, value } of cpu) at(timeMs).cpu = value;
  for (const { timeMs, value } of memory) at(timeMs).memory = value;
  return [...points.values()].sort((a, b) => a.timeMs - b.timeMs);
}
