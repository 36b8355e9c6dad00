import { type ClockLedger, createClockLedger } from '../domain/clock-ledger.ts';
import type { Reading } from '../domain/device-state.ts';
import { type KnownDevice, type KnownSite, unplaced } from '../domain/placing.ts';
import type { Rules } from '../domain/rule.ts';
import type { Resource } from '../domain/span.ts';
import { createTopicTemplates, type TopicTemplates } from '../domain/topic-template.ts';
import { type EpochMillis, epochMillisOf, type Nanos } from '../domain/units.ts';
import type {
  AuditTx,
  DeviceSaid,
  DeviceSighting,
  HopToSave,
  PlacedDevice,
  PlacingRow,
  TracedDestination,
} from '../store/audit-store.ts';
import type { Store } from '../store/store.ts';
import { addEdges, addObservations } from './clocks.ts';
import { type LiveKnown, nothingJudged, readLive } from './live.ts';

/** A cache of what the store holds: may be thrown away at any moment and read again. */
export interface AuditMemory {
  /** null: something failed half-way, the next pass reads it again */
  known: Known | null;
  /** how many spans a pass takes at most: less after one that failed, so that a store short of memory gets through */
  bite: number;
}

/** One pass reads at most about this many spans, so that a long absence is worked off in bites. */
export const mostSpans = 100_000;

export interface Known {
  /** when it passed last */
  passedMs: EpochMillis;
  directory: Directory;
  resources: Map<number, Resource>;
  placings: Map<number, PlacingRow>;
  newestResource: number;
  sites: Map<string, KnownSite>;
  hops: Map<bigint, HopToSave>;
  /** from service, site, system, destination template -> hops that answered it */
  traced: Map<string, bigint[]>;
  templates: TopicTemplates;
  ledger: ClockLedger;
  /** minutes that lost a crossing whose edge the ledger still holds */
  withdrawn: Set<number>;
  live: LiveKnown;
  evidence: Map<number, Evidence>;
  gaugesMs: EpochMillis;
  devicesSavedMs: EpochMillis;
  clocksMinute: number;
  /** minutes are written less often while that takes long; what is dirty waits in the store */
  minutesNotBeforeMs: EpochMillis;
  /** something may be dirty */
  minutesWait: boolean;
  settleNotBeforeMs: EpochMillis;
  unansweredNotBeforeMs: EpochMillis;
  /** only batches that arrived since then are looked for, but for now and then */
  recentMs: EpochMillis;
  everywhereNotBeforeMs: EpochMillis;
}

export interface Directory {
  byNumber: Map<number, PlacedDevice & KnownDevice>;
  byId: Map<string, PlacedDevice & KnownDevice>;
  byName: Map<string, (PlacedDevice & KnownDevice)[]>;
  highest: number;
}

/** What the state of a device is made of, as it was heard. */
export interface Evidence {
  heardMs: EpochMillis | null;
  reports: boolean;
  saysEveryMs: number | null;
  /** last arrivals of its own reports, else of its traffic */
  reportedMs: EpochMillis[];
  said: { state: 'online' | 'offline'; atMs: EpochMillis } | null;
  cpu: Reading[];
  memory: Reading[];
}

export const ledgerWindowSeconds = 25 * 60;
const remembered = 30;
const sightingsWindowMs = 20 * 60_000;

export async function openAudit(store: Store, rules: Rules, now: Nanos): Promise<AuditMemory> {
  return { known: await readAgain(store, rules, now), bite: mostSpans };
}

export function readAgain(store: Store, rules: Rules, now: Nanos): Promise<Known> {
  return store.audit.transaction(async (tx) => {
    const nowMs = epochMillisOf(now);
    const known = empty(rules);
    await readSites(tx, rules, known);
    await readDirectory(tx, known);
    await readHops(tx, known);
    await readClocks(tx, rules, known, nowMs);
    await readEvidence(tx, known, nowMs);
    await readLive(tx, known);
    return known;
  });
}

/** What a clock is called whichever number it got: numbers are given in the order of arrival. */
export function clockName({ directory, placings, resources }: Known, device: number): string {
  if (device >= 0) return directory.byNumber.get(device)?.id ?? '';
  for (const placing of placings.values())
    if (placing.device === device) return resources.get(placing.resource)?.hostId ?? '';
  return '';
}

function empty(rules: Rules): Known {
  const known: Known = {
    passedMs: 0,
    directory: { byNumber: new Map(), byId: new Map(), byName: new Map(), highest: 0 },
    resources: new Map(),
    placings: new Map(),
    newestResource: -1,
    sites: new Map(),
    hops: new Map(),
    traced: new Map(),
    templates: createTopicTemplates(),
    ledger: createClockLedger(rules.maxDriftPpm, (device) => clockName(known, device)),
    withdrawn: new Set(),
    live: nothingJudged(),
    evidence: new Map(),
    gaugesMs: 0,
    devicesSavedMs: 0,
    clocksMinute: 0,
    minutesNotBeforeMs: 0,
    minutesWait: true,
    settleNotBeforeMs: 0,
    unansweredNotBeforeMs: 0,
    recentMs: 0,
    everywhereNotBeforeMs: 0,
  };
  return known;
}

/** Configured sites come first and are kept up to date; a site known from geo.* stays as it was first seen. */
async function readSites(tx: AuditTx, rules: Rules, known: Known): Promise<void> {
  for (const site of await tx.sites()) known.sites.set(site.id, site);
  const changed: KnownSite[] = [];
  for (const { id, name, lat, lon } of rules.sites) {
    const before = known.sites.get(id);
    if (before && before.name === name && before.lat === lat && before.lon === lon) continue;
    const site = { id, name, lat, lon };
    known.sites.set(id, site);
    changed.push(site);
  }
  await tx.saveSites(changed);
}

async function readDirectory(tx: AuditTx, known: Known): Promise<void> {
  for (const placing of await tx.placings()) {
    known.placings.set(placing.resource, placing);
    known.newestResource = Math.max(known.newestResource, placing.resource);
  }
  for (const { id, resource } of await tx.resourcesAfter(-1))
    if (known.placings.has(id)) known.resources.set(id, resource);
  const identified = new Set<number>();
  for (const [id, resource] of known.resources)
    if (resource.hostId !== '') identified.add(known.placings.get(id)!.device);
  for (const device of await tx.devices()) {
    enter(known.directory, { ...device, byName: device.id === device.name && !identified.has(device.number) });
  }
}

export function enter(directory: Directory, device: PlacedDevice & KnownDevice): void {
  directory.byNumber.set(device.number, device);
  directory.byId.set(device.id, device);
  directory.byName.set(device.name, [...(directory.byName.get(device.name) ?? []), device]);
  directory.highest = Math.max(directory.highest, device.number);
}

async function readHops(tx: AuditTx, known: Known): Promise<void> {
  for (const hop of await tx.hops()) {
    known.hops.set(hop.hop, hop);
    if (hop.destination.includes('/')) known.templates.learn(hop.destination);
  }
  for (const traced of await tx.traced()) rememberTraced(known, traced);
}

export const tracedKey = (t: Omit<TracedDestination, 'hop'>): string =>
  [t.fromService, t.fromSite, t.system, t.destination].join('\u001f');

/** True when it is new. */
export function rememberTraced(known: Known, traced: TracedDestination): boolean {
  const key = tracedKey(traced);
  const hops = known.traced.get(key);
  if (!hops) known.traced.set(key, [traced.hop]);
  else if (hops.includes(traced.hop)) return false;
  else hops.push(traced.hop);
  return true;
}

async function readClocks(tx: AuditTx, rules: Rules, known: Known, nowMs: EpochMillis): Promise<void> {
  const toSecond = Math.ceil(nowMs / 1000) + 300;
  const fromSecond = toSecond - 300 - ledgerWindowSeconds;
  addEdges(known.ledger, await tx.edgesBetween(fromSecond, toSecond));
  addObservations(known, rules, known.ledger, await tx.observationsBetween(fromSecond, toSecond));
}

async function readEvidence(tx: AuditTx, known: Known, nowMs: EpochMillis): Promise<void> {
  for (const device of known.directory.byNumber.values()) {
    const evidence = evidenceOf(known, device.number);
    if (device.lastSeenMs > 0) evidence.heardMs = device.lastSeenMs;
    // What it says of its own interval is in its row, should it be silent for longer than we look back
    evidence.saysEveryMs = device.intervalMs;
    evidence.reports = device.intervalMs !== null;
  }
  hear(known, await tx.sightingsSince(nowMs - sightingsWindowMs));
  listen(known, await tx.lastReports());
}

export function evidenceOf(known: Known, device: number): Evidence {
  let evidence = known.evidence.get(device);
  if (!evidence) {
    evidence = { heardMs: null, reports: false, saysEveryMs: null, reportedMs: [], said: null, cpu: [], memory: [] };
    known.evidence.set(device, evidence);
  }
  return evidence;
}

export function hear(known: Known, sightings: readonly DeviceSighting[]): void {
  for (const { resource, source, arrivalMs, intervalMs } of sightings) {
    const device = known.placings.get(resource)?.device;
    if (device === undefined || device < 0) continue;
    const evidence = evidenceOf(known, device);
    evidence.heardMs = Math.max(evidence.heardMs ?? 0, arrivalMs);
    if (intervalMs !== null && intervalMs > 0) evidence.saysEveryMs = intervalMs;
    if (source === 'traces') continue;
    evidence.reports = true;
    if (!evidence.reportedMs.includes(arrivalMs)) evidence.reportedMs.push(arrivalMs);
    if (evidence.reportedMs.length > remembered) evidence.reportedMs.splice(0, evidence.reportedMs.length - remembered);
  }
}

export function listen(known: Known, reports: readonly DeviceSaid[]): void {
  for (const { resource, state, arrivalMs, retained } of reports) {
    const device = known.placings.get(resource)?.device;
    if (device === undefined || device < 0) continue;
    const evidence = evidenceOf(known, device);
    evidence.reports = true;
    // A retained word says what was, not when: it never outweighs having heard the device itself
    if (retained && (evidence.heardMs !== null || state === 'online')) continue;
    if (evidence.said === null || arrivalMs >= evidence.said.atMs) evidence.said = { state, atMs: arrivalMs };
    if (state === 'online') evidence.heardMs = Math.max(evidence.heardMs ?? 0, arrivalMs);
  }
}

export const siteOfResource = (known: Known, resource: number): string =>
  known.placings.get(resource)?.site ?? unplaced;
