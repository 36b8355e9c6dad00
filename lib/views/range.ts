import type { RangeView } from './schemas.ts';

const relative = /^now(?:-(\d+)([smhd]))?$/;
const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `now`, `now-15m`, epoch milliseconds or RFC 3339, as Grafana takes them; null for anything else. */
export function parseMoment(text: string, nowMs: number): number | null {
  const match = relative.exec(text);
  if (match) return match[1] === undefined ? nowMs : nowMs - Number(match[1]) * unitMs[match[2]!]!;
  if (/^\d{10,16}$/.test(text)) return Number(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return null;
  const parsed = Date.parse(text);
  return Number.isNaN(parsed) ? null : parsed;
}

export const presets = ['5m', '15m', '1h', '6h', '24h', '7d', '30d'] as const;
export const defaultFrom = 'now-15m';
/** Alerts are few: a quarter of an hour of them would say nothing. */
export const alertsFrom = 'now-7d';
/** What a page shows that is asked for no range. */
export const defaultFromOf = (pathname: string): string => (pathname.startsWith('/alerts') ? alertsFrom : defaultFrom);

export interface RangeError {
  parameter: 'from' | 'to';
  found: string;
  wanted: string;
}

/** A range as asked for; a wrong one gives the sentence to show instead of a guess. */
export function parseRange(
  fromText: string | undefined,
  toText: string | undefined,
  nowMs: number,
): RangeView | RangeError {
  const from = fromText || defaultFrom;
  const to = toText || 'now';
  const fromMs = parseMoment(from, nowMs);
  const toMs = parseMoment(to, nowMs);
  const wanted = 'now, now-15m, RFC 3339 or epoch milliseconds';
  if (fromMs === null) return { parameter: 'from', found: from, wanted };
  if (toMs === null) return { parameter: 'to', found: to, wanted };
  if (fromMs >= toMs) return { parameter: 'from', found: from, wanted: `a moment before to (${to})` };
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    fromMs,
    toMs,
    fromText: from,
    toText: to,
    live: to.startsWith('now'),
  };
}
