/** One point of a device's metric. `step` is meaningless before the range. */
export interface PlacedPoint {
  device: string;
  resource: string;
  metric: string;
  attributes: string;
  timeMs: number;
  step: number;
  value: number;
}

export interface GaugeStep {
  device: string;
  step: number;
  value: number;
}

/**
 * One number per device and step out of what devices send: as reads-devices.ts of duckdb says it in SQL. `points` by time; those before
 * `fromMs` are only what a counter is compared with.
 */
export function gaugeOf(metric: 'cpu' | 'memory', points: readonly PlacedPoint[], fromMs: number): GaugeStep[] {
  return metric === 'cpu' ? cpu(points, fromMs) : memory(points, fromMs);
}

/** The state that a point is of, '' = all of it. It goes by several names: OTel renamed it. */
function stateOf(attributes: string): string {
  if (attributes === '') return '';
  try {
    const of = JSON.parse(attributes) as Record<string, unknown>;
    const state = of['cpu.mode'] ?? of['system.cpu.state'] ?? of['system.memory.state'] ?? of.state;
    return state === undefined || state === null ? '' : String(state);
  } catch {
    return '';
  }
}

/** Mean of each state of each metric, by device and step. */
type Means = Map<string, { device: string; step: number; byMetric: Map<string, Map<string, number>> }>;

function meansOf(points: readonly PlacedPoint[], fromMs: number, states: Map<string, string>): Means {
  const sums = new Map<string, { point: PlacedPoint; state: string; sum: number; n: number }>();
  for (const point of points) {
    if (point.timeMs < fromMs) continue;
    const state = states.get(point.attributes)!;
    const key = `${point.device}\u001f${point.metric}\u001f${point.step}\u001f${state}`;
    const sum = sums.get(key);
    if (sum) {
      sum.sum += point.value;
      sum.n++;
    } else sums.set(key, { point, state, sum: point.value, n: 1 });
  }
  const means: Means = new Map();
  for (const { point, state, sum, n } of sums.values()) {
    const key = `${point.device}\u001f${point.step}`;
    const of = means.get(key) ?? { device: point.device, step: point.step, byMetric: new Map() };
    means.set(key, of);
    const byState = of.byMetric.get(point.metric) ?? new Map<string, number>();
    of.byMetric.set(point.metric, byState.set(state, sum / n));
  }
  return means;
}

const statesOf = (points: readonly PlacedPoint[]): Map<string, string> =>
  new Map([...new Set(points.map(({ attributes }) => attributes))].map((text) => [text, stateOf(text)]));

const sumOf = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

/** A gauge by state: the busy ones together; where only the idle one is sent, the rest of 1. */
function cpu(points: readonly PlacedPoint[], fromMs: number): GaugeStep[] {
  const states = statesOf(points);
  const told: GaugeStep[] = [];
  for (const { device, step, byMetric } of meansOf(points, fromMs, states).values()) {
    const byState = byMetric.get('system.cpu.utilization');
    if (!byState) continue;
    const named = [...byState].filter(([state]) => state !== '');
    const idle = byState.get('idle');
    const value =
      idle !== undefined ? 1 - idle : named.length > 0 ? sumOf(named.map(([, of]) => of)) : byState.get('')!;
    told.push({ device, step, value });
  }
  const tells = new Set(told.map(({ device }) => device));
  const last = new Map<string, number>();
  const spent = new Map<string, { device: string; step: number; idle: number | null; all: number; busy: number }>();
  for (const point of points) {
    if (point.metric !== 'system.cpu.time' || tells.has(point.device)) continue;
    const counter = `${point.resource}\u001f${point.attributes}`;
    const before = last.get(counter);
    last.set(counter, point.value);
    const seconds = before === undefined ? Number.NaN : point.value - before;
    // a counter that fell was set to 0 by a restart
    if (!(seconds >= 0) || point.timeMs < fromMs) continue;
    const key = `${point.device}\u001f${point.step}`;
    const of = spent.get(key) ?? { device: point.device, step: point.step, idle: null, all: 0, busy: 0 };
    spent.set(key, of);
    of.all += seconds;
    if (states.get(point.attributes) === 'idle') of.idle = (of.idle ?? 0) + seconds;
    else of.busy += seconds;
  }
  for (const { device, step, idle, all, busy } of spent.values())
    if (idle !== null && all > 0) told.push({ device, step, value: busy / all });
  return told;
}

function memory(points: readonly PlacedPoint[], fromMs: number): GaugeStep[] {
  const means = [...meansOf(points, fromMs, statesOf(points)).values()];
  const told: GaugeStep[] = [];
  for (const { device, step, byMetric } of means) {
    const byState = byMetric.get('system.memory.utilization');
    if (!byState) continue;
    const [used, free, whole] = ['used', 'free', ''].map((state) => byState.get(state));
    const value = used ?? (free === undefined ? whole : 1 - free);
    if (value !== undefined) told.push({ device, step, value });
  }
  const tells = new Set(
    means.filter(({ byMetric }) => byMetric.has('system.memory.utilization')).map(({ device }) => device),
  );
  for (const { device, step, byMetric } of means) {
    if (tells.has(device)) continue;
    const usage = byMetric.get('system.memory.usage');
    const limits = byMetric.get('system.memory.limit');
    const used = usage?.get('used') ?? usage?.get('');
    const named = [...(usage ?? [])].filter(([state]) => state !== '').map(([, value]) => value);
    const size = limits ? Math.max(...limits.values()) : named.length > 0 ? sumOf(named) : undefined;
    if (used !== undefined && size !== undefined && size > 0) told.push({ device, step, value: used / size });
  }
  return told;
}
