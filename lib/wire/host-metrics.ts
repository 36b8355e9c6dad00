import { z } from 'zod';
import type { EpochMillis } from '../domain/units.ts';

/** One host's values out of a JSON payload, in OTel names. */
export interface HostMetrics {
  host: string;
  /** null when the payload does not say */
  timeMs: EpochMillis | null;
  values: { metric: string; attributes: Record<string, string>; value: number }[];
}

const hostName = z.string().min(1).max(256);

const telegrafMetric = z.object({
  name: z.string().min(1).max(256),
  tags: z.record(z.string(), z.string()).default({}),
  fields: z.record(z.string(), z.unknown()),
  timestamp: z.number().optional(),
});
const telegrafBatch = z.object({ metrics: z.array(telegrafMetric).max(10_000) });
const plain = z
  .object({ host: hostName.optional(), device: hostName.optional(), timestamp: z.number().optional() })
  .loose();

/**
 * Host metrics as Telegraf writes them (data_format json, single or batch: docs of outputs.mqtt and serializers/json) or as people write
 * them by hand. [] for anything else: a topic called `metrics` may carry what it likes. The device must name itself, it is never guessed.
 */
export function readHostMetrics(json: unknown): HostMetrics[] {
  const batch = telegrafBatch.safeParse(json);
  if (batch.success) return batch.data.metrics.flatMap((metric) => ofTelegraf(metric));
  const single = telegrafMetric.safeParse(json);
  if (single.success) return ofTelegraf(single.data);
  const flat = plain.safeParse(json);
  return flat.success ? ofPlain(flat.data) : [];
}

function ofPlain(json: z.infer<typeof plain>): HostMetrics[] {
  const host = json.host ?? json.device;
  if (host === undefined) return [];
  const values: HostMetrics['values'] = [];
  for (const [metric, names] of plainNames) {
    const value = names.map((name) => share(json, name)).find((found) => found !== null);
    if (value != null) values.push({ metric, attributes: {}, value });
  }
  return values.length === 0 ? [] : [{ host, timeMs: stampOf(json.timestamp), values }];
}

const plainNames: [metric: string, names: string[]][] = [
  ['system.cpu.utilization', ['cpu', 'cpuUtilization', 'cpu_utilization']],
  ['system.memory.utilization', ['memory', 'mem', 'memoryUtilization', 'memory_utilization']],
];

/** `cpu` is a share of 1; `cpuPercent` and `cpu_percent` of 100. A bare 42 could be either, so it is neither. */
function share(json: Record<string, unknown>, name: string): number | null {
  const asShare = json[name];
  if (typeof asShare === 'number' && asShare >= 0 && asShare <= 1) return asShare;
  const asPercent = json[`${name}Percent`] ?? json[`${name}_percent`];
  return typeof asPercent === 'number' && asPercent >= 0 && asPercent <= 100 ? asPercent / 100 : null;
}

function ofTelegraf(metric: z.infer<typeof telegrafMetric>): HostMetrics[] {
  const host = hostName.safeParse(metric.tags.host);
  if (!host.success) return [];
  const read = telegrafInputs[metric.name];
  const values =
    read === undefined ? [] : read(metric.fields, metric.tags).filter(({ value }) => Number.isFinite(value));
  return values.length === 0 ? [] : [{ host: host.data, timeMs: stampOf(metric.timestamp), values }];
}

type TelegrafInput = (fields: Record<string, unknown>, tags: Record<string, string>) => HostMetrics['values'];

const num = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

const telegrafInputs: Record<string, TelegrafInput> = Object.assign(
  Object.create(null) as Record<string, TelegrafInput>,
  {
    // one metric per core besides the total; the total is what a device is judged by
    cpu: (fields: Record<string, unknown>, tags: Record<string, string>) => {
      if (tags.cpu !== undefined && tags.cpu !== 'cpu-total') return [];
      const busy = fields.usage_active === undefined ? 100 - num(fields.usage_idle) : num(fields.usage_active);
      return [{ metric: 'system.cpu.utilization', attributes: {}, value: Math.min(1, Math.max(0, busy / 100)) }];
    },
    mem: (fields: Record<string, unknown>) => [
      { metric: 'system.memory.utilization', attributes: {}, value: num(fields.used_percent) / 100 },
      { metric: 'system.memory.usage', attributes: { 'system.memory.state': 'used' }, value: num(fields.used) },
      { metric: 'system.memory.limit', attributes: {}, value: num(fields.total) },
    ],
    disk: (fields: Record<string, unknown>, tags: Record<string, string>) => [
      {
        metric: 'system.filesystem.utilization',
        attributes: { 'system.filesystem.mountpoint': tags.path ?? '' },
        value: num(fields.used_percent) / 100,
      },
    ],
    net: (fields: Record<string, unknown>, tags: Record<string, string>) => [
      {
        metric: 'system.network.io',
        attributes: { 'network.interface.name': tags.interface ?? '', 'network.io.direction': 'receive' },
        value: num(fields.bytes_recv),
      },
      {
        metric: 'system.network.io',
        attributes: { 'network.interface.name': tags.interface ?? '', 'network.io.direction': 'transmit' },
        value: num(fields.bytes_sent),
      },
    ],
    system: (fields: Record<string, unknown>) => [
      { metric: 'system.uptime', attributes: {}, value: num(fields.uptime) },
    ],
    temp: (fields: Record<string, unknown>, tags: Record<string, string>) => [
      { metric: 'hw.temperature', attributes: { 'hw.name': tags.sensor ?? '' }, value: num(fields.temp) },
    ],
  },
);

/** Seconds by default (json_timestamp_units); the size tells milli-, micro- and nanoseconds apart until the year 5138. */
function stampOf(timestamp: number | undefined): EpochMillis | null {
  if (timestamp === undefined || !Number.isFinite(timestamp) || timestamp <= 0) return null;
  if (timestamp < 1e11) return timestamp * 1000;
  if (timestamp < 1e14) return timestamp;
  if (timestamp < 1e17) return timestamp / 1000;
  return timestamp / 1e6;
}
