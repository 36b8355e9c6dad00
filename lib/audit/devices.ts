import { cpuHigh, deviceStateOf, highSince, memoryHigh, type Reading, usualGapMs } from '../domain/device-state.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { AuditTx, DeviceEventToSave, PlacedDevice } from '../store/audit-store.ts';
import { evidenceOf, type Known } from './memory.ts';

const gaugesEveryMs = 10_000;
const gaugesBackMs = 8 * 60_000;
/** How old "last seen" may be in the table: it changes with every batch, and every change is a row written. */
const lastSeenEveryMs = 5_000;

export interface JudgedDevices {
  events: DeviceEventToSave[];
  changed: PlacedDevice[];
}

export const gaugesAreDue = (known: Known, nowMs: EpochMillis): boolean => nowMs - known.gaugesMs >= gaugesEveryMs;

/** Judges every device from what is known of it now; a change is an event with its reason. */
export function judgeDevices(known: Known, nowMs: EpochMillis): JudgedDevices {
  const freshen = nowMs - known.devicesSavedMs >= lastSeenEveryMs;
  const events: DeviceEventToSave[] = [];
  const changed: PlacedDevice[] = [];
  for (const device of known.directory.byNumber.values()) {
    const evidence = evidenceOf(known, device.number);
    const intervalMs = evidence.reports ? (evidence.saysEveryMs ?? usualGapMs(evidence.reportedMs)) : null;
    const judged = deviceStateOf(
      {
        heardMs: evidence.heardMs,
        reports: evidence.reports,
        intervalMs,
        said: evidence.said,
        cpuHighSinceMs: highSince(evidence.cpu, cpuHigh),
        memoryHighSinceMs: highSince(evidence.memory, memoryHigh),
        retired: device.state === 'retired',
      },
      nowMs,
    );
    const lastSeenMs = Math.max(device.lastSeenMs, evidence.heardMs ?? 0);
    if (judged.state !== device.state) {
      events.push({
        device: device.number,
        timeMs: nowMs,
        from: device.state,
        to: judged.state,
        reason: judged.reason,
      });
      device.state = judged.state;
      device.sinceMs = nowMs;
    } else if (judged.reason === device.reason && !(freshen && lastSeenMs !== device.lastSeenMs)) continue;
    device.reason = judged.reason;
    device.lastSeenMs = lastSeenMs;
    device.intervalMs = intervalMs;
    changed.push(device);
  }
  if (freshen) known.devicesSavedMs = nowMs;
  return { events, changed };
}

export async function saveJudged(tx: AuditTx, { events, changed }: JudgedDevices): Promise<void> {
  await tx.saveEvents(events);
  await tx.saveDevices(changed);
}

export async function readGauges(tx: AuditTx, known: Known, nowMs: EpochMillis): Promise<void> {
  known.gaugesMs = nowMs;
  for (const evidence of known.evidence.values()) {
    evidence.cpu = [];
    evidence.memory = [];
  }
  for (const { resource, metric, timeMs, value } of await tx.gauges(nowMs - gaugesBackMs)) {
    const device = known.placings.get(resource)?.device;
    if (device === undefined || device < 0) continue;
    const readings: Reading[] = evidenceOf(known, device)[metric];
    readings.push({ timeMs, value });
  }
}
