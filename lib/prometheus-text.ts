import type { Counter } from './domain/collector-report.ts';

const prefix = 'hopscope_';
/** Read without a session: labels that would tell names of the fleet are left out, and their samples added up. */
const untold = new Set(['application', 'service', 'device', 'host', 'topic', 'hop', 'path', 'site', 'user']);

/** The Prometheus text format 0.0.4. Of two metrics of one name the first is told: the format allows each name once. */
export function prometheusText(metrics: Counter[]): string {
  const told = new Set<string>();
  let text = '';
  for (const { name, help, type, samples } of metrics) {
    const full = `${prefix}${name.replaceAll(/[^a-zA-Z0-9_:]/g, '_')}`;
    if (told.has(full) || samples.length === 0) continue;
    told.add(full);
    text += `# HELP ${full} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${full} ${type}\n`;
    const sums = new Map<string, number>();
    for (const { labels, value } of samples) {
      const line = `${full}${labelText(labels)}`;
      sums.set(line, (sums.get(line) ?? 0) + value);
    }
    for (const [line, value] of sums) text += `${line} ${numberText(value)}\n`;
  }
  return text;
}

function labelText(labels: Record<string, string>): string {
  const pairs = Object.entries(labels)
    .filter(([name]) => !untold.has(name))
    .map(([name, value]) => `${name.replaceAll(/[^a-zA-Z0-9_]/g, '_')}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const numberText = (value: number): string =>
  Number.isNaN(value)
    ? 'NaN'
    : value === Number.POSITIVE_INFINITY
      ? '+Inf'
      : value === Number.NEGATIVE_INFINITY
        ? '-Inf'
        : String(value);
