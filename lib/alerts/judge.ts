import { type Alert, type Finding, keyOf } from '../domain/alert.ts';
import { isDue, type NextAlerts, nextAlerts } from '../domain/alert-life.ts';
import { type RuleChange, type RulesInForce, rulesInForce } from '../domain/alert-rules.ts';
import type { HeardCollector, SpoolStatus } from '../domain/collector-report.ts';
import { spokenCollector } from '../domain/collector-words.ts';
import type { Rules } from '../domain/rule.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { State } from '../state/state.ts';
import type { HopIdentity, LiveVerdict, Store } from '../store/store.ts';
import type { StatusSource } from '../views/status-source.ts';
import { brokerFindings } from './brokers.ts';
import { changesBefore, type Happening, happeningsOf } from './changes.ts';
import { clockFindings } from './clocks.ts';
import { deviceFindings } from './devices.ts';
import { hopFindings } from './hops.ts';
import type { Look } from './look.ts';
import type { AlertMemory } from './memory.ts';
import { ownFindings } from './own-health.ts';
import { pathFindings } from './paths.ts';
import { heardBackMs, noticedMarkers } from './services.ts';
import { type Telling, tellFiring, tellResolved } from './tell.ts';
import { topicFindings } from './topics.ts';

export interface JudgeInput {
  store: Store;
  state: State;
  rules: Rules;
  /** what the file says of alert rules; the page's word is in the state */
  alertRules: readonly RuleChange[];
  status: StatusSource;
  /** names of the targets to be told; nobody is told twice of the same */
  targetsOf(alert: Alert, nowMs: EpochMillis): string[];
  nowMs: EpochMillis;
}

export interface JudgeReport {
  /** false: nothing was to be looked at */
  looked: boolean;
  fired: Alert[];
  resolved: Alert[];
}

/** While nothing changes all is read anew this often. */
const everyMs = 10_000;
/** who was away for longer has not watched */
const awayMs = 60_000;
const mostJumps = 20;
const mostOnsets = 5_000;
const levelsBackMs = 300_000;
const happeningsBackMs = 3_600_000;
const mostEvents = 2_000;
const deafBehindMs = 30_000;
/** One of several collectors that is gone for longer is not on its way: its devices are as silent as they seem. */
const deafToOneMs = 600_000;
/** figures of an open alert are written this often; what people would notice, at once */
const freshenMs = 15_000;

/**
 * One step: what is found in the store -> what has one cause -> alerts and who is told of them. Reads first, then one transaction of the state
 * holds all of the effect and its progress, so a kill at any moment neither misses anything nor tells it twice.
 */
export async function judgeAlerts(input: JudgeInput, memory: AlertMemory): Promise<JudgeReport> {
  const { store, state, nowMs } = input;
  watch(memory, nowMs);
  const [live, devices] = await Promise.all([store.liveVerdicts(), store.devices()]);
  const shape = shapeOf(input, live, devices);
  const inForce = rulesInForce(input.alertRules, state.ruleSettings.all());
  const open = state.alerts.open();
  const isDueNow = open.some((alert) => alert.phase === 'pending' && isDue(alert, inForce, nowMs));
  if (!isDueNow && memory.looked && memory.looked.shape === shape && isRecent(memory.looked.atMs, nowMs))
    return { looked: false, fired: [], resolved: [] };

  const look = await lookAround(input, memory, { inForce, live, devices, open });
  const findings = await findAll(look, state);
  const heard = await store.servicesHeard(nowMs - heardBackMs, nowMs);
  const noticed = noticedMarkers(heard, nowMs - heardBackMs, nowMs, look);
  const happened = await whatHappened(look);
  const report = state.transaction(() => {
    for (const marker of noticed) state.markers.add(marker);
    const happenings = happeningsOf({
      ...happened,
      markers: state.markers.between(nowMs - happeningsBackMs, nowMs + awayMs),
      devices,
    });
    return applyFindings(input, memory, inForce, findings, happenings);
  });
  memory.looked = { atMs: nowMs, shape };
  return report;
}

const isRecent = (atMs: EpochMillis, nowMs: EpochMillis): boolean => nowMs >= atMs && nowMs - atMs < everyMs;

/** Absence is news only to who was there. A jump of our own clock is told from nothing but the time between two looks. */
function watch(memory: AlertMemory, nowMs: EpochMillis): void {
  const { lookedMs } = memory;
  const wasAway = lookedMs === null || nowMs - lookedMs > awayMs || nowMs < lookedMs;
  if (wasAway) memory.watchedSinceMs = nowMs;
  if (wasAway && lookedMs !== null) memory.jumps = [...memory.jumps, { atMs: lookedMs, toMs: nowMs }].slice(-mostJumps);
  memory.lookedMs = nowMs;
  if (memory.onsets.size > mostOnsets) memory.onsets.clear();
}

/** What tells at little cost that there is something new. */
function shapeOf({ status }: JudgeInput, live: readonly LiveVerdict[], devices: Look['devices']): string {
  return JSON.stringify([
    live.map(({ hop, verdict, overSinceMs, unansweredSinceMs }) => [`${hop}`, verdict, overSinceMs, unansweredSinceMs]),
    devices.map(({ id, state, sinceMs }) => [id, state, sinceMs]),
    status.reasons(),
    status.brokers(),
    status
      .collectors()
      .map(({ report: { collectorId, reasons, brokers }, state }) => [
        collectorId,
        state,
        reasons,
        brokers.map(({ name, state: of }) => [name, of]),
      ]),
  ]);
}

async function lookAround(
  { store, rules, status, nowMs }: JudgeInput,
  memory: AlertMemory,
  read: Pick<Look, 'inForce' | 'live' | 'devices' | 'open'>,
): Promise<Look> {
  const { live } = read;
  const begun = live.flatMap(({ overSinceMs, unansweredSinceMs }) => [overSinceMs, unansweredSinceMs]);
  const recent = begun.filter((ms) => ms !== null && ms > nowMs - levelsBackMs) as EpochMillis[];
  const splitMs = Math.min(nowMs - 20_000, ...recent);
  const [sites, levels] = await Promise.all([
    store.sites(),
    store.hopLevels(splitMs - levelsBackMs, splitMs, nowMs + awayMs),
  ]);
  const hops = await knownHops(store, memory, [...live, ...levels]);
  return {
    store,
    rules,
    ...read,
    status,
    nowMs,
    memory,
    sites: new Map(sites.map((site) => [site.id, site])),
    hops,
    levels: new Map(levels.map((level) => [level.hop, level])),
    watchedSinceMs: memory.watchedSinceMs ?? nowMs,
    deaf: whyDeaf(status, nowMs),
  };
}

/** Hops only ever become more. */
async function knownHops(
  store: Store,
  memory: AlertMemory,
  met: readonly Pick<HopIdentity, 'hop'>[],
): Promise<ReadonlyMap<bigint, HopIdentity>> {
  if (met.some(({ hop }) => !memory.hops.has(hop)))
    memory.hops = new Map((await store.hopIdentities()).map((hop) => [hop.hop, hop]));
  return memory.hops;
}

function whyDeaf(status: StatusSource, nowMs: EpochMillis): string {
  const here = whyWaiting(status.spool(), nowMs) || (status.reasons()[0] ?? '');
  return [here, ...status.collectors().map((heard) => whyUnheard(heard, nowMs))].find((why) => why !== '') ?? '';
}

const whyWaiting = ({ waitingSinceMs }: SpoolStatus, nowMs: EpochMillis): string =>
  waitingSinceMs !== null && nowMs - waitingSinceMs > deafBehindMs ? 'what was received waits for the store' : '';

function whyUnheard({ report, state, heardMs }: HeardCollector, nowMs: EpochMillis): string {
  if (state === 'stopped' || (state === 'silent' && nowMs - heardMs > deafToOneMs)) return '';
  if (state !== 'receiving') return `${spokenCollector(report)} is not heard`;
  return whyWaiting(report.spool, report.atMs) || (report.reasons[0] ?? '');
}

async function findAll(look: Look, state: State): Promise<Finding[]> {
  const families = [
    await ownFindings(look),
    brokerFindings(look),
    await deviceFindings(look),
    await hopFindings(look),
    await pathFindings(look, state),
    await topicFindings(look),
    await clockFindings(look),
  ];
  return families.flat().filter(({ rule }) => look.inForce[rule].enabled);
}

async function whatHappened({ store, nowMs }: Look) {
  const range = [nowMs - happeningsBackMs, nowMs + awayMs] as const;
  const [events, clocks, gaps] = await Promise.all([
    store.deviceEvents(null, ...range, mostEvents),
    store.clockFindings(...range),
    store.gaps(...range),
  ]);
  return { events, clocks, gaps };
}

const trailingKey = 'alerts trailing';

/** Inside the transaction: nothing here waits for anything. */
export function applyFindings(
  { state, rules, nowMs, targetsOf }: Pick<JudgeInput, 'state' | 'rules' | 'nowMs' | 'targetsOf'>,
  memory: Pick<AlertMemory, 'savedMs'>,
  inForce: RulesInForce,
  findings: readonly Finding[],
  happenings: readonly Happening[],
): JudgeReport {
  const kept = state.memory.get(trailingKey);
  const open = state.alerts.open();
  const next = nextAlerts({
    open,
    findings,
    trailing: kept === null ? {} : (JSON.parse(kept) as Record<string, EpochMillis>),
    nowMs,
    inForce,
    changesOf: (of, sinceMs) => changesBefore(of, sinceMs, happenings),
    ownerOf: (applications) => ownerOf(rules, applications),
  });
  const trailing = JSON.stringify(next.trailing);
  if (trailing !== (kept ?? '{}')) state.memory.set(trailingKey, trailing);
  save(state, memory, open, next, nowMs);
  const telling: Telling = {
    state,
    targetsOf,
    nowMs,
    shares: new Map(findings.map((finding) => [keyOf(finding), finding.share])),
  };
  for (const alert of next.alerts) {
    if (alert.phase === 'firing') tellFiring(telling, alert);
    if (alert.phase === 'resolved') tellResolved(telling, alert);
  }
  const firedBefore = new Set(open.filter(({ phase }) => phase === 'firing').map(({ id }) => id));
  return {
    looked: true,
    fired: next.alerts.filter(({ id, phase }) => phase === 'firing' && !firedBefore.has(id)),
    resolved: next.alerts.filter(({ phase }) => phase === 'resolved'),
  };
}

function save(
  state: State,
  memory: Pick<AlertMemory, 'savedMs'>,
  open: readonly Alert[],
  next: NextAlerts,
  nowMs: EpochMillis,
): void {
  const before = new Map(open.map((alert) => [alert.id, alert]));
  for (const alert of next.alerts) {
    const shape = noticeable(alert);
    const was = before.get(alert.id);
    const saved = memory.savedMs.get(alert.id);
    const isSame = was !== undefined && noticeable(was) === shape;
    if (isSame && saved !== undefined && isRecentlySaved(saved, nowMs)) continue;
    if (was !== undefined && JSON.stringify(was) === JSON.stringify(alert)) continue;
    state.alerts.save(alert);
    if (alert.phase === 'resolved') memory.savedMs.delete(alert.id);
    else memory.savedMs.set(alert.id, nowMs);
  }
  for (const id of next.dropped) {
    state.alerts.drop(id);
    memory.savedMs.delete(id);
  }
  for (const { id, event } of next.events) if (!next.dropped.includes(id)) state.alerts.log(id, event);
}

const isRecentlySaved = (savedMs: EpochMillis, nowMs: EpochMillis): boolean =>
  nowMs >= savedMs && nowMs - savedMs < freshenMs;

/** Everything but figures, which change with every request. */
const noticeable = ({ phase, rule, subject, cause, severity, folded, changes, owner, sinceMs }: Alert): string =>
  JSON.stringify([
    phase,
    rule,
    subject.id,
    cause?.id,
    severity,
    folded.map((each) => [keyOf(each), each.untilMs]),
    changes,
    owner,
    sinceMs,
  ]);

function ownerOf({ owners }: Rules, applications: readonly string[]): Alert['owner'] {
  for (const application of applications) {
    const owner = owners.find((each) => each.application === application);
    if (owner) return { team: owner.team, contact: owner.contact };
  }
  return null;
}
