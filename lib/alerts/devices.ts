import type { Finding, Part } from '../domain/alert.ts';
import { spokenFor, spokenTime } from '../domain/alert-words.ts';
import { leastIntervalMs, usualIntervalMs } from '../domain/device-state.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { DeviceEventRow, DeviceRow } from '../store/store.ts';
import {
  brokerPart,
  distinctParts,
  type Look,
  legPart,
  quietFinding,
  siteNameOf,
  siteOfBroker,
  sitePart,
  unknownSinceMs,
} from './look.ts';

/** Devices that are down, and those that come and go. Their states are the audit's (lib/domain/device-state.ts). */

const hourMs = 3_600_000;
const leastDropOuts = 3;
const quietAfterMs = 30 * 60_000;
const mostEvents = 5_000;

export async function deviceFindings(look: Look): Promise<Finding[]> {
  const events = await look.store.deviceEvents(null, look.nowMs - hourMs, look.nowMs + 60_000, mostEvents);
  const eventsOf = Map.groupBy(events, (event) => event.deviceId);
  return look.devices.flatMap((device) => [
    deviceDown(look, device),
    dropOuts(look, device, (eventsOf.get(device.id) ?? []).toReversed()),
  ]);
}

/** A device hears and speaks by way of the broker: of several nobody knows by which. */
export function partsOfDevice(look: Look, { id, name, site }: Pick<DeviceRow, 'id' | 'name' | 'site'>): Part[] {
  const broker = look.rules.brokers.length === 1 ? look.rules.brokers[0]!.name : '';
  return distinctParts([
    { kind: 'device', id, name },
    ...legPart(look, site, siteOfBroker(look, broker)),
    ...brokerPart(broker),
    ...sitePart(look, site),
  ]);
}

const subjectOf = ({ id, name }: DeviceRow) => ({ kind: 'device' as const, id, name });

function deviceDown(look: Look, device: DeviceRow): Finding {
  const about = {
    rule: 'device-down' as const,
    subject: subjectOf(device),
    applications: device.applications,
    heardMs: device.lastSeenMs > 0 ? device.lastSeenMs : null,
    parts: partsOfDevice(look, device),
  };
  if (device.state !== 'down') {
    const isKnown = device.state === 'up' || device.state === 'degraded' || device.state === 'retired';
    return quietFinding({
      ...about,
      state: isKnown ? 'fine' : 'cannot-tell',
      sinceMs: device.sinceMs,
      usualAtMs: isKnown && isInTime(look, device) ? device.lastSeenMs : null,
    });
  }
  // it says itself that it goes, or has not been heard since
  const isSilent = isSilence(device.reason);
  const sinceMs = isSilent && device.lastSeenMs > 0 ? Math.min(device.lastSeenMs, device.sinceMs) : device.sinceMs;
  if (isSilent && !isOurSilence(look, device))
    return quietFinding({ ...about, state: 'cannot-tell', sinceMs: unknownSinceMs(look) });
  const site = siteNameOf(look, device.site);
  return quietFinding({
    ...about,
    heardMs: null,
    state: 'bad',
    sinceMs,
    severity: look.inForce['device-down'].severity,
    title: `${device.name} is down: ${device.reason}.`,
    sentence: `${device.name} in ${site} was last heard at ${spokenTime(device.lastSeenMs)}.`,
    wayOut: `See whether ${device.name} has power and a network${device.services.length > 0 ? `; it runs ${device.services.slice(0, 5).join(', ')}` : ''}.`,
  });
}

/** Not yet overdue: of who is, nobody knows. */
const isInTime = ({ nowMs }: Look, { lastSeenMs, intervalMs }: DeviceRow): boolean =>
  lastSeenMs > 0 && nowMs - lastSeenMs <= 1.5 * Math.max(leastIntervalMs, intervalMs ?? usualIntervalMs);

const silentIntervals = 3;
const isSilence = (reason: string): boolean => reason.startsWith('silent');

/** We have listened for as long as its silence takes to mean something. */
const isOurSilence = ({ deaf, nowMs, watchedSinceMs }: Look, { intervalMs }: DeviceRow): boolean =>
  deaf === '' && nowMs - watchedSinceMs > silentIntervals * Math.max(leastIntervalMs, intervalMs ?? usualIntervalMs);

function dropOuts(look: Look, device: DeviceRow, events: readonly DeviceEventRow[]): Finding {
  const rule = look.inForce['drop-outs'];
  const about = {
    rule: rule.id,
    subject: subjectOf(device),
    applications: device.applications,
    parts: partsOfDevice(look, device),
  };
  const lost = lostTimes(device, events, look.nowMs);
  const last = lost.at(-1);
  if (device.state === 'unknown') return quietFinding({ ...about, state: 'cannot-tell', sinceMs: device.sinceMs });
  const lostMs = lost.reduce((sum, each) => sum + each.toMs - each.fromMs, 0);
  const share = lostMs / hourMs;
  const isBad =
    lost.length >= leastDropOuts && share >= (rule.threshold ?? 0) && last!.toMs > look.nowMs - quietAfterMs;
  if (!isBad) return quietFinding({ ...about, state: 'fine', sinceMs: last?.toMs ?? device.sinceMs });
  if (look.deaf !== '') return quietFinding({ ...about, state: 'cannot-tell', sinceMs: unknownSinceMs(look) });
  return quietFinding({
    ...about,
    state: 'bad',
    sinceMs: lost[0]!.fromMs,
    severity: rule.severity,
    title: `${device.name} dropped out ${lost.length} times within an hour.`,
    sentence: `${Math.round(share * 100)} % of the last hour is lost, ${spokenFor(lostMs)} in all.`,
    wayOut: `See whether ${device.name} restarts, or its network comes and goes.`,
    figure: { unit: 'ratio', was: 0, is: share, bound: 0, threshold: rule.threshold, requests: null },
    share,
  });
}

function lostTimes(
  { intervalMs }: DeviceRow,
  events: readonly DeviceEventRow[],
  nowMs: EpochMillis,
): { fromMs: EpochMillis; toMs: EpochMillis }[] {
  const unheardMs = silentIntervals * Math.max(leastIntervalMs, intervalMs ?? usualIntervalMs);
  const lost: { fromMs: EpochMillis; toMs: EpochMillis }[] = [];
  let fromMs: EpochMillis | null = null;
  for (const { timeMs, toState, reason } of events) {
    // it was silent for as long as it took to call it so
    if (toState === 'down') fromMs ??= isSilence(reason) ? timeMs - unheardMs : timeMs;
    else if (fromMs !== null) {
      lost.push({ fromMs, toMs: timeMs });
      fromMs = null;
    }
  }
  if (fromMs !== null) lost.push({ fromMs, toMs: Math.max(fromMs, nowMs) });
  return lost;
}
