import type { EpochMillis, Millis } from './units.ts';

export type DeviceState = 'up' | 'degraded' | 'down' | 'unknown' | 'retired';

/** What is known of a device at a moment: everything its state is made of (design.md section 7). */
export interface DeviceEvidence {
  /** last sign of life of any kind, collector's clock; null = never */
  heardMs: EpochMillis | null;
  /** it reports about itself (metrics, heartbeats), so its silence means something */
  reports: boolean;
  /** how often it reports; null when it was not heard often enough to tell */
  intervalMs: Millis | null;
  /** what it, or its Last Will, said last on a status topic; null = nothing */
  said: { state: 'online' | 'offline'; atMs: EpochMillis } | null;
  /** since when its CPU has been at 85 % or more without a break; null = it is not */
  cpuHighSinceMs: EpochMillis | null;
  memoryHighSinceMs: EpochMillis | null;
  retired: boolean;
}

export interface JudgedState {
  state: DeviceState;
  /** '' while up */
  reason: string;
}

const silentIntervals = 3;
const longMs = 5 * 60_000;
export const cpuHigh = 0.85;
export const memoryHigh = 0.9;
export const leastIntervalMs = 10_000;
export const usualIntervalMs = 60_000;

export function deviceStateOf(seen: DeviceEvidence, nowMs: EpochMillis): JudgedState {
  if (seen.retired) return { state: 'retired', reason: 'told so' };
  const heard = seen.heardMs ?? Number.NEGATIVE_INFINITY;
  // The Will speaks for a device that can not: it holds until the device is heard again
  if (seen.said?.state === 'offline' && seen.said.atMs >= heard)
    return { state: 'down', reason: 'its Last Will: offline' };
  const lastMs = Math.max(heard, seen.said?.state === 'online' ? seen.said.atMs : Number.NEGATIVE_INFINITY);
  if (lastMs === Number.NEGATIVE_INFINITY) return { state: 'unknown', reason: 'never heard' };
  const intervalMs = Math.max(leastIntervalMs, seen.intervalMs ?? usualIntervalMs);
  if (nowMs - lastMs > silentIntervals * intervalMs) {
    // Someone who never reports about himself may simply have nothing to do
    if (!seen.reports) return { state: 'unknown', reason: 'no traffic, and it sends no heartbeat' };
    return { state: 'down', reason: `silent for more than 3 x ${spoken(intervalMs)}` };
  }
  const hot = seen.cpuHighSinceMs !== null && nowMs - seen.cpuHighSinceMs >= longMs;
  const full = seen.memoryHighSinceMs !== null && nowMs - seen.memoryHighSinceMs >= longMs;
  if (hot) return { state: 'degraded', reason: 'hot' };
  if (full) return { state: 'degraded', reason: 'memory' };
  return { state: 'up', reason: '' };
}

const spoken = (ms: Millis): string => (ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`);

/** Median gap between sightings; null under three of them. */
export function usualGapMs(sightingsMs: readonly EpochMillis[]): Millis | null {
  if (sightingsMs.length < 3) return null;
  const sorted = [...sightingsMs].sort((a, b) => a - b);
  const gaps: number[] = [];
  for (let i = 1; i < sorted.length; i++) if (sorted[i]! > sorted[i - 1]!) gaps.push(sorted[i]! - sorted[i - 1]!);
  if (gaps.length < 2) return null;
  return gaps.sort((a, b) => a - b)[gaps.length >> 1]!;
}

export interface Reading {
  timeMs: EpochMillis;
  value: number;
}

/** Since when the newest readings have been at `limit` or more; a gap of more than 2 minutes breaks the row. */
export function highSince(readings: readonly Reading[], limit: number): EpochMillis | null {
  const sorted = [...readings].sort((a, b) => a.timeMs - b.timeMs);
  let since: EpochMillis | null = null;
  let before: EpochMillis | null = null;
  for (const { timeMs, value } of sorted) {
    if (before !== null && timeMs - before > 120_000) since = null;
    if (value < limit) since = null;
    else since ??= timeMs;
    before = timeMs;
  }
  return since;
}
