import type { Millis } from '../domain/units.ts';

/** "± 2.4", without the unit; left out where it is below the last digit shown. */
export const sayBound = (boundMs: Millis): string => `± ${boundMs >= 9.95 ? Math.round(boundMs) : boundMs.toFixed(1)}`;

export const sayShare = (share: number): string => `${Math.round(share * 100)} %`;

export const sayClock = (timeMs: number): string => new Date(timeMs).toISOString().slice(11, 16);

export const sayCount = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;

export function sayAgo(ms: Millis): string {
  if (ms < 90_000) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The first sentence of a reason; a full stop inside a number or a name is none. */
export function firstSentence(text: string): string {
  const end = text.search(/[.!?] (?=[A-ZÄÖÜ])/);
  return end < 0 ? text : text.slice(0, end + 1);
}

export const instantOf = (ms: number): string => new Date(ms).toISOString();
export const instantOrNull = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined || !(ms > 0) ? null : instantOf(ms);
