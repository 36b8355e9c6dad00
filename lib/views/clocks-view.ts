import * as z from 'zod';
import { driftOf } from '../domain/clock-drift.ts';
import { spokenMs } from '../domain/verdict.ts';
import type { ClockFinding, ClockRow, DeviceRow } from '../store/store.ts';
import type { ViewContext } from './context.ts';
import { deviceNames } from './crossing-item.ts';
import { siteName } from './hop-item.ts';
import { limitField } from './query.ts';
import type { ClocksView } from './schemas.ts';
import { seesDevice } from './visibility.ts';
import { capital, instantOf } from './words.ts';

export const clocksQuerySchema = z.object({ limit: limitField(5_000, 100_000) });
export type ClocksQuery = z.output<typeof clocksQuerySchema>;

const driftMs = 3_600_000;
const stepsMs = 7 * 86_400_000;
/** What is found is written once a minute: what is older was true, and may not be any more. */
const stillTrueMs = 3 * 60_000;
const mostFindings = 50;

type Clock = ClocksView['items'][number];
type Finding = ClocksView['findings'][number];

/** What is known of each device's clock against the collector's, the least certain first. */
export async function clocksView({ store, viewer, nowMs }: ViewContext, query: ClocksQuery): Promise<ClocksView> {
  const [clocks, minutes, findings, devices, sites] = await Promise.all([
    store.clocks(),
    store.clockMinutes(nowMs - driftMs, nowMs),
    store.clockFindings(nowMs - stepsMs, nowMs + 60_000),
    store.devices(),
    store.sites(),
  ]);
  const byId = new Map(devices.filter((device) => seesDevice(viewer, device)).map((device) => [device.id, device]));
  const nameOf = deviceNames(devices);
  // who may not see one of the devices may not see what it did to another
  const told = findings.filter((finding) => finding.devices.every((id) => byId.has(id)));
  const steps = stepsOf(told);
  const minutesOf = Map.groupBy(minutes, (row) => row.deviceId);
  const newestMs = Math.max(0, ...clocks.map((clock) => clock.minute * 60_000));
  const current = told.filter((finding) => finding.kind !== 'step' && finding.timeMs >= newestMs - stillTrueMs);
  const items = clocks
    .filter((clock) => byId.has(clock.deviceId))
    .map((clock) => {
      const rivals = current.find(({ kind, devices: ids }) => kind === 'contradiction' && ids.includes(clock.deviceId));
      return clockItem(clock, byId.get(clock.deviceId)!, {
        name: nameOf(clock.deviceId),
        minutes: minutesOf.get(clock.deviceId) ?? [],
        step: steps.get(clock.deviceId),
        rivals: (rivals?.devices ?? []).filter((id) => id !== clock.deviceId).map(nameOf),
      });
    })
    .sort((a, b) => uncertainty(b.boundMs) - uncertainty(a.boundMs) || a.device.localeCompare(b.device));
  const siteNames = new Map(sites.map((site) => [site.id, site]));
  return {
    items: items.slice(0, query.limit),
    findings: latestOfEach(current)
      .concat(told.filter(({ kind }) => kind === 'step').toReversed())
      .slice(0, mostFindings)
      .map((finding) => findingItem(finding, nameOf, (id) => siteName(siteNames, id))),
  };
}

interface Around {
  name: string;
  minutes: readonly ClockRow[];
  step: ClockFinding | undefined;
  /** whose clocks contradict this one */
  rivals: readonly string[];
}

function clockItem(clock: ClockRow, device: DeviceRow, { name, minutes, step, rivals }: Around): Clock {
  const steady = minutes.flatMap(({ minute, offsetMs, boundMs }) =>
    offsetMs === null || boundMs === null || minute * 60_000 < (step?.timeMs ?? 0) ? [] : { minute, offsetMs, boundMs },
  );
  const drift = driftOf(steady);
  return {
    device: name,
    site: device.site,
    offsetMs: clock.offsetMs,
    boundMs: clock.boundMs,
    lowMs: clock.lowMs,
    highMs: clock.highMs,
    method: clock.method,
    driftPpm: drift?.ppm ?? null,
    driftBoundPpm: drift?.boundPpm ?? null,
    lastStep: step
      ? { at: instantOf(step.timeMs), byMs: stepMs(step, clock.deviceId), certain: step.devices.length === 1 }
      : null,
    how: howOf(clock, rivals),
    cure: cureOf(clock),
    at: instantOf(clock.minute * 60_000),
  };
}

/** By which this device's clock went forward; of two that are named, one did and the other may have gone back. */
const stepMs = (step: ClockFinding, deviceId: string): number =>
  ((step.nanos ?? 0) / 1e6) * (step.devices[0] === deviceId ? 1 : -1);

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

function howOf({ method, lowMs, highMs }: ClockRow, rivals: readonly string[]): string {
  switch (method) {
    case 'bounded':
      return 'Messages went both ways, and light needs its time.';
    case 'clock-wrong':
      return 'Proven wrong: as sent, its messages would arrive before they left, or faster than light in fibre.';
    case 'contradiction':
      return rivals.length === 0
        ? 'What it sent cannot all be true at once.'
        : `What it sent and what ${list(rivals)} sent cannot all be true at once.`;
    default:
      return `Taken for right: ${oneSided(lowMs, highMs)}`;
  }
}

/** One side of an open interval is known all the same. */
function oneSided(lowMs: number | null, highMs: number | null): string {
  if (lowMs !== null)
    return `it only sends, so it may be ${spokenMs(Math.max(0, -lowMs))} behind at most, and ahead by anything.`;
  if (highMs !== null)
    return `it only receives, so it may be ${spokenMs(Math.max(0, highMs))} ahead at most, and behind by anything.`;
  return 'nothing was compared with it.';
}

function cureOf({ method, lowMs }: ClockRow): string | null {
  switch (method) {
    case 'bounded':
      return null;
    case 'clock-wrong':
      return `Set it (chrony or NTP)${lowMs === null ? '' : '; the echo, or a traced message to it, tells how far it is off'}.`;
    case 'contradiction':
      return 'See whether it was set by hand, or stands where it is said to; messages that were recorded and sent again look the same.';
    default:
      return lowMs === null
        ? 'Switch on its heartbeat, or let it send a traced message.'
        : 'Switch on the echo for it, or send it a traced message: traffic both ways closes the interval.';
  }
}

/** The last one of each device. */
function stepsOf(findings: readonly ClockFinding[]): Map<string, ClockFinding> {
  const steps = new Map<string, ClockFinding>();
  for (const finding of findings) if (finding.kind === 'step') for (const id of finding.devices) steps.set(id, finding);
  return steps;
}

/** Minutes repeat what is still so. */
function latestOfEach(findings: readonly ClockFinding[]): ClockFinding[] {
  const latest = new Map<string, ClockFinding>();
  for (const finding of findings)
    latest.set([finding.kind, ...(finding.kind === 'misplaced' ? finding.sites : finding.devices)].join(' '), finding);
  return [...latest.values()];
}

function findingItem(finding: ClockFinding, nameOf: (id: string) => string, siteOf: (id: string) => string): Finding {
  return {
    kind: finding.kind,
    at: instantOf(finding.timeMs),
    devices: finding.devices.map(nameOf),
    sites: finding.sites,
    text: findingText(finding, finding.devices.map(nameOf), finding.sites.map(siteOf)),
  };
}

function findingText(finding: ClockFinding, devices: readonly string[], sites: readonly string[]): string {
  switch (finding.kind) {
    case 'step': {
      const by = spokenStep(finding);
      return devices.length === 1
        ? `The clock of ${devices[0]} stepped ${by}.`
        : `The clock of ${devices.join(' or ')} stepped ${by}, and nothing tells which of them.`;
    }
    case 'misplaced':
      return sites.length < 2
        ? `Devices in ${sites.join()} cannot be as far apart as they are said to be: correct the coordinates.`
        : `${capital(list(sites))} cannot be as far apart as they are said to be, messages would be faster than light in fibre: correct the coordinates.`;
    case 'contradiction':
      return `The clocks of ${list(devices)} contradict each other, so nothing is said of what passes between them.`;
  }
}

const spokenStep = ({ nanos }: ClockFinding): string => {
  const ms = (nanos ?? 0) / 1e6;
  const size = Math.abs(ms) >= 1000 ? `${(Math.abs(ms) / 1000).toFixed(1)} s` : spokenMs(Math.abs(ms));
  return `${ms < 0 ? 'back' : 'forward'} by ${size}`;
};

const uncertainty = (boundMs: number | null): number => boundMs ?? Number.MAX_VALUE;
