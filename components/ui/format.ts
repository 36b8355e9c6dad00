/** Numbers as people read them: the "Numbers" section of the design language. Unknown is "–", zero is "0.0". */

export const unknown = '–';
/** keeps a number and its unit or ± on one line */
export const nbsp = '\u00a0';

const grouped = (value: number, decimals: number): string => {
  const rounded = value.toFixed(decimals);
  const [whole, fraction] = (Number(rounded) === 0 ? rounded.replace('-', '') : rounded).split('.');
  const withCommas = whole!.replace(/\B(?=(\d{3})+(?!\d))/g, ',').replace('-', '−');
  return fraction === undefined ? withCommas : `${withCommas}.${fraction}`;
};

/** A number with a fixed count of decimals, commas and a true minus. */
export const formatNumber = (value: number | null, decimals = 0): string =>
  value === null ? unknown : grouped(value, decimals);

export interface Figure {
  text: string;
  unit: string;
}

/**
 * 50.3 ms, 105 ms, 12.4 s. An error bar of 10 ms or more takes the decimal away: nobody could have measured it.
 */
export function latencyFigure(ms: number | null, boundMs: number | null = null): Figure {
  if (ms === null) return { text: unknown, unit: 'ms' };
  if (Math.abs(ms) >= 9_999.5) return { text: grouped(ms / 1_000, 1), unit: 's' };
  const coarse = Math.abs(ms) >= 99.95 || (boundMs !== null && boundMs >= 9.95);
  return { text: grouped(ms, coarse ? 0 : 1), unit: 'ms' };
}

/** "50.3 ms"; the bare number stands in tables, whose head names the unit: latencyFigure(ms).text */
export function formatLatency(ms: number | null, boundMs: number | null = null): string {
  const figure = latencyFigure(ms, boundMs);
  return ms === null ? unknown : `${figure.text}${nbsp}${figure.unit}`;
}

/**
 * "± 2.4", or null where nothing is to be said: one clock (0), or an error below the last digit shown.
 * Callers give null for "cannot be bounded" the word they need.
 */
export function formatBound(ms: number | null, boundMs: number | null): string | null {
  if (ms === null || boundMs === null || boundMs <= 0) return null;
  const inSeconds = Math.abs(ms) >= 9_999.5;
  const lastDigitMs = inSeconds ? 100 : Math.abs(ms) >= 99.95 ? 1 : 0.1;
  if (boundMs < lastDigitMs) return null;
  if (inSeconds) return `±${nbsp}${grouped(boundMs / 1_000, 1)}`;
  return `±${nbsp}${grouped(boundMs, boundMs >= 9.95 ? 0 : 1)}`;
}

/** Always one decimal, so that the lines of a ledger add up in print. */
export const formatLedger = (ms: number | null): string => formatNumber(ms, 1);

/** A change carries its sign: +4.2, −30.8 */
export function formatChange(ms: number | null, decimals = 1): string {
  if (ms === null) return unknown;
  const text = grouped(ms, decimals);
  return text.startsWith('−') || Number(text.replaceAll(',', '')) === 0 ? text : `+${text}`;
}

/** Budgets as people say them: 10 ms, 1.5 s, 2 s. */
export function formatBudget(ms: number | null): string {
  if (ms === null) return unknown;
  if (ms >= 60_000 && ms % 60_000 === 0) return `${formatNumber(ms / 60_000)}${nbsp}min`;
  if (ms >= 1_000) return `${trimmed(ms / 1_000)}${nbsp}s`;
  return `${trimmed(ms)}${nbsp}ms`;
}

const trimmed = (value: number): string => grouped(value, 2).replace(/\.?0+$/, '');

/** 3.1 to 5.2: never a dash beside a minus */
export const formatSpan = (low: number, high: number): string =>
  `${latencyFigure(low).text} to ${latencyFigure(high).text}`;

/** 0..1 -> "91 %" */
export const formatPercent = (share: number | null): string =>
  share === null ? unknown : `${grouped(share * 100, 0)}${nbsp}%`;

/** 0..1 -> "91", for columns whose head says % */
export const formatPercentBare = (share: number | null): string => (share === null ? unknown : grouped(share * 100, 0));

/** msg/s in tables: one decimal; a rate too small for it keeps its first digit, for 0.0 would say "nothing" */
export function formatRate(perSecond: number | null): string {
  if (perSecond === null) return unknown;
  if (perSecond > 0 && perSecond < 0.05) return perSecond < 0.001 ? '<0.001' : perSecond.toPrecision(1);
  return grouped(perSecond, 1);
}

/** msg/s as a headline figure: 412, 35.6 */
export const formatRateFigure = (perSecond: number | null): string =>
  perSecond === null ? unknown : grouped(perSecond, perSecond >= 99.95 ? 0 : 1);

/** bytes a second -> kB/s (1 kB = 1000 B) */
export const formatKiloBytes = (bytes: number | null): string => (bytes === null ? unknown : grouped(bytes / 1_000, 1));

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${grouped(value, unit === 0 || value >= 99.95 ? 0 : 1)}${nbsp}${units[unit]}`;
}

/** 26 devices, 1 device */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatNumber(count)} ${count === 1 ? one : many}`;

const minuteMs = 60_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;

/** How long, in the largest unit that says it: 2 s, 31 min, 5 h, 6 d */
export function formatAge(ageMs: number): string {
  const age = Math.max(0, ageMs);
  if (age < 59_500) return `${Math.round(age / 1_000)}${nbsp}s`;
  if (age < 59.5 * minuteMs) return `${Math.round(age / minuteMs)}${nbsp}min`;
  if (age < 47.5 * hourMs) return `${Math.round(age / hourMs)}${nbsp}h`;
  return `${formatNumber(Math.round(age / dayMs))}${nbsp}d`;
}

/** "31 min ago" */
export const formatAgo = (atMs: number, nowMs: number): string =>
  nowMs - atMs < 500 ? 'now' : `${formatAge(nowMs - atMs)} ago`;

const two = (value: number): string => String(value).padStart(2, '0');
const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 03:12, UTC */
export function formatClock(ms: number): string {
  const at = new Date(ms);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

/** 03:12:07, UTC */
export const formatClockSeconds = (ms: number): string => `${formatClock(ms)}:${two(new Date(ms).getUTCSeconds())}`;

/** 21 Nov */
export function formatDay(ms: number): string {
  const at = new Date(ms);
  return `${at.getUTCDate()} ${monthNames[at.getUTCMonth()]}`;
}

/** 21 Nov 2026 03:12:07 UTC: what stands behind every relative time */
export const formatAbsolute = (ms: number): string =>
  `${formatDay(ms)} ${new Date(ms).getUTCFullYear()} ${formatClockSeconds(ms)} UTC`;

/** the first and last four digits of an id: 8c1f…e07a */
export const shortId = (id: string): string => (id.length > 12 ? `${id.slice(0, 4)}…${id.slice(-4)}` : id);
