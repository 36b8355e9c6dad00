import type { ClockDifference, ClockStep } from '../domain/clock-ledger.ts';
import { type EpochMillis, minuteOf } from '../domain/units.ts';
import { spokenMs } from '../domain/verdict.ts';
import type { AuditTx, ClockToSave, DeviceEventToSave } from '../store/audit-store.ts';
import type { ClockFinding } from '../store/store.ts';
import type { Known } from './memory.ts';

/** A step is told once what comes after it has been heard: who took it may only show then. */
const hearMs = 60_000;
/** Seen again by another pair, or a little better placed in time, it is still the same step. */
const sameStepMs = 60_000;
const mostFindings = 100;

/** Once a minute: every device on the collector's clock in the middle of the minute before, and what the ledger had to give up for it. */
export async function writeClocks(tx: AuditTx, known: Known, nowMs: EpochMillis): Promise<void> {
  const minute = minuteOf(nowMs) - 1;
  const second = minute * 60 + 30;
  // Collectors have negative numbers; with several, the one that was there first
  const collector = Math.max(...known.ledger.devices().filter((device) => device < 0));
  if (collector !== Number.NEGATIVE_INFINITY) {
    const rows = known.ledger
      .offsetsFrom(collector, second)
      .filter(({ device }) => device > 0)
      .map(({ device, difference }) => clockToSave(device, minute, difference));
    await tx.saveClocks(minute, rows);
  }
  await tx.saveFindings(minute, refutedFindings(known, second));
  await tellSteps(tx, known, nowMs);
  known.clocksMinute = minuteOf(nowMs);
}

function clockToSave(
  device: number,
  minute: number,
  { offset, bound, method, low, high }: ClockDifference,
): ClockToSave {
  const whole = (nanos: number): number | null => (Number.isFinite(nanos) ? nanos : null);
  return {
    device,
    minute,
    // taken for 0 is not found to be 0
    offsetNanos: method === 'assumed' ? null : whole(offset),
    boundNanos: whole(bound),
    lowNanos: whole(low),
    highNanos: whole(high),
    method,
  };
}

function refutedFindings(known: Known, second: number): ClockFinding[] {
  const { contradicting, misplaced } = known.ledger.refuted(second);
  const found: ClockFinding[] = contradicting.map((group) => findingOf(known, 'contradiction', second, group));
  // thousands of pairs of two places are one finding
  const bySites = new Map<string, ClockFinding>();
  for (const group of misplaced) {
    const finding = findingOf(known, 'misplaced', second, group);
    const same = bySites.get(finding.sites.join());
    if (!same) bySites.set(finding.sites.join(), finding);
    else if (same.devices.length < mostFindings)
      same.devices = [...new Set([...same.devices, ...finding.devices])].sort();
  }
  return [...found, ...bySites.values()].slice(0, mostFindings);
}

function findingOf(known: Known, kind: ClockFinding['kind'], second: number, numbers: readonly number[]): ClockFinding {
  const devices = numbers.flatMap((number) => known.directory.byNumber.get(number) ?? []);
  return {
    kind,
    timeMs: second * 1000,
    devices: devices.map(({ id }) => id).sort(),
    sites: [...new Set(devices.map(({ site }) => site))].sort(),
    nanos: null,
  };
}

async function tellSteps(tx: AuditTx, known: Known, nowMs: EpochMillis): Promise<void> {
  const steps = known.ledger.steps().filter((step) => step.second * 1000 < nowMs - hearMs);
  if (steps.length === 0) return;
  const told = (await tx.findings(Math.min(...steps.map((step) => step.second * 1000)) - sameStepMs)).filter(
    ({ kind }) => kind === 'step',
  );
  for (const step of steps) {
    const finding = { ...findingOf(known, 'step', step.second, step.devices), nanos: step.nanos };
    const same = told.some(
      (one) => one.devices.join() === finding.devices.join() && Math.abs(one.timeMs - finding.timeMs) <= sameStepMs,
    );
    if (same || finding.devices.length === 0) continue;
    told.push(finding);
    await tx.saveFindings(null, [finding]);
    await tx.saveEvents(stepEvents(known, step));
  }
}

/** Its state stays what it is: a clock that was set is no failure, and what happened belongs to the device's story. */
function stepEvents(known: Known, { devices, second, nanos }: ClockStep): DeviceEventToSave[] {
  const by = spokenStep(nanos);
  return devices.flatMap((number) => {
    const device = known.directory.byNumber.get(number);
    if (!device) return [];
    const others = devices
      .filter((other) => other !== number)
      .map((other) => known.directory.byNumber.get(other)?.name ?? 'the collector');
    const reason =
      others.length === 0 ? `clock stepped by ${by}` : `clock stepped by ${by}, or that of ${others[0]} did`;
    return [{ device: number, timeMs: second * 1000, from: device.state, to: device.state, reason }];
  });
}

export function spokenStep(nanos: number): string {
  const ms = nanos / 1e6;
  const size = Math.abs(ms) >= 1000 ? `${(Math.abs(ms) / 1000).toFixed(1)} s` : spokenMs(Math.abs(ms));
  return `${ms < 0 ? '\u2212' : '+'}${size}`;
}
