import {
  type Alert,
  type AlertEvent,
  type Change,
  type Finding,
  type FoldedFinding,
  keyOf,
  type Part,
} from './alert.ts';
import { explainsOther, foldFindings, type Group, isSharedBy, isStillCause, partKey } from './alert-fold.ts';
import type { RulesInForce } from './alert-rules.ts';
import { groupTitle, leadSentence } from './alert-words.ts';
import { hash64, spanIdHex } from './ids.ts';
import type { EpochMillis } from './units.ts';

/**
 * From one step to the next: pending while causes gather, firing once somebody is to be told, resolved when its cause is over. A pure
 * function of what was open and what is found now; whoever applies it twice to the same gets the same.
 */

/** what has one cause is seen within moments of each other */
export const gatherMs = 4_000;
/** a path needs three windows to be sure that it is well: so long it may lag behind the hop that was to blame */
const trailingMs = 5 * 60_000;
/** nobody knows for so long: then it ends as what it is, not known */
const unknownMs = 3_600_000;
/** evidence that is older than this came late */
const lateMs = 120_000;
const mostFolded = 500;
const mostSentences = 600;

export interface LifeInput {
  /** all that are not resolved */
  open: readonly Alert[];
  /** of enabled rules */
  findings: readonly Finding[];
  /** what was folded into an alert that is over, and until when it may lag behind, by keyOf */
  trailing: Readonly<Record<string, EpochMillis>>;
  nowMs: EpochMillis;
  inForce: RulesInForce;
  changesOf(findings: readonly Finding[], sinceMs: EpochMillis): Change[];
  ownerOf(applications: readonly string[]): Alert['owner'];
}

export interface NextAlerts {
  /** as they are now; those that are resolved now are among them */
  alerts: Alert[];
  /** pending ones that came to nothing */
  dropped: string[];
  events: { id: string; event: AlertEvent }[];
  trailing: Record<string, EpochMillis>;
}

export function nextAlerts(input: LifeInput): NextAlerts {
  const { open, findings, nowMs } = input;
  const byKey = new Map(findings.map((finding) => [keyOf(finding), finding]));
  const next: NextAlerts = { alerts: [], dropped: [], events: [], trailing: {} };
  const going: Alert[] = [];
  const over: Alert[] = [];
  for (const alert of open) {
    if (alert.phase !== 'firing') continue;
    const end = endOf(alert, byKey, nowMs);
    if (end === null) {
      going.push(alert);
      continue;
    }
    over.push(alert);
    resolve(next, alert, end, byKey, nowMs);
  }
  const trailing = stillTrailing(input, over, byKey);
  next.trailing = trailing;
  const told = findings.filter((finding) => !(finding.state === 'bad' && keyOf(finding) in trailing));
  const groups = foldFindings(
    told,
    going.map((alert) => ({
      id: alert.id,
      cause: alert.cause,
      sinceMs: alert.sinceMs,
      members: new Set(membersOf(alert)),
    })),
  );
  const pending = open.filter((alert) => alert.phase === 'pending');
  for (const group of groups) {
    if (group.id !== null) goOn(next, input, going.find(({ id }) => id === group.id)!, group, byKey);
    else begin(next, input, group, pending);
  }
  // what was gathering and is no more
  const kept = new Set(next.alerts.map(({ id }) => id));
  next.dropped = pending.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
  return next;
}

/** keyOf all that belongs to an alert. */
export const membersOf = (alert: Alert): string[] => [
  keyOf(alert),
  ...alert.folded.filter(({ untilMs }) => untilMs === null).map(keyOf),
];

// ---- the end

interface End {
  atMs: EpochMillis;
  why: string;
}

/** When its cause was over; null while it is not, or while nobody knows. */
function endOf(alert: Alert, byKey: ReadonlyMap<string, Finding>, nowMs: EpochMillis): End | null {
  const lead = byKey.get(keyOf(alert));
  if (!lead) return { atMs: nowMs, why: 'it is not looked at any more' };
  if (lead.state === 'bad') return null;
  if (lead.state === 'cannot-tell') {
    if (nowMs - lead.sinceMs < unknownMs) return null;
    return { atMs: lead.sinceMs, why: 'nobody has known for an hour' };
  }
  const { cause } = alert;
  const bad = membersOf(alert)
    .flatMap((key) => byKey.get(key) ?? [])
    .filter(({ state }) => state === 'bad');
  // a device that is up again and drops out again and again is not well
  if (bad.some((finding) => isAbout(finding, alert.subject))) return null;
  if (cause !== null && !isAbout(alert, cause) && isStillCause(cause, [...bad, ...fineOnes(byKey)])) return null;
  return { atMs: Math.min(nowMs, Math.max(alert.sinceMs, lead.sinceMs)), why: '' };
}

const isAbout = ({ subject }: Pick<Finding, 'subject'>, part: Pick<Part, 'kind' | 'id'>): boolean =>
  partKey(subject) === partKey(part);

const fineOnes = (byKey: ReadonlyMap<string, Finding>): Finding[] =>
  [...byKey.values()].filter(({ state }) => state === 'fine');

function resolve(
  next: NextAlerts,
  alert: Alert,
  { atMs, why }: End,
  byKey: ReadonlyMap<string, Finding>,
  nowMs: EpochMillis,
): void {
  const folded = alert.folded.map((each) => {
    if (each.untilMs !== null || byKey.get(keyOf(each))?.state === 'bad') return each;
    return { ...each, untilMs: Math.max(each.sinceMs, atMs) };
  });
  next.alerts.push({ ...alert, phase: 'resolved', resolvedMs: atMs, folded });
  next.events.push({ id: alert.id, event: { timeMs: nowMs, who: '', what: 'resolved', text: why } });
}

/** What lags behind a cause that is over may do so for a while; what began anew since then is news. */
function stillTrailing(
  { trailing, nowMs }: LifeInput,
  over: readonly Alert[],
  byKey: ReadonlyMap<string, Finding>,
): Record<string, EpochMillis> {
  const kept: Record<string, EpochMillis> = {};
  const keep = (key: string, untilMs: EpochMillis): void => {
    const finding = byKey.get(key);
    if (!finding || finding.state === 'fine' || untilMs <= nowMs) return;
    if (finding.state === 'bad' && finding.sinceMs > untilMs - trailingMs) return;
    kept[key] = untilMs;
  };
  // our own clock may have jumped back
  for (const [key, untilMs] of Object.entries(trailing)) keep(key, Math.min(untilMs, nowMs + trailingMs));
  for (const alert of over) for (const key of membersOf(alert)) keep(key, nowMs + trailingMs);
  return kept;
}

// ---- going on

function goOn(
  next: NextAlerts,
  input: LifeInput,
  alert: Alert,
  group: Group,
  byKey: ReadonlyMap<string, Finding>,
): void {
  const { nowMs } = input;
  const known = new Set(membersOf(alert));
  const event = (what: AlertEvent['what'], text: string): void => {
    next.events.push({ id: alert.id, event: { timeMs: nowMs, who: '', what, text } });
  };
  const isFull = alert.folded.length >= mostFolded;
  for (const finding of group.findings)
    if (!isFull && !known.has(keyOf(finding)))
      event('folded', finding.sentence || finding.title || finding.subject.name);
  const lead = leadOf(alert, group, byKey);
  const guilty = lead ? keyOf(lead) : keyOf(alert);
  const before = [foldedOfLead(alert), ...alert.folded]
    .filter((each) => keyOf(each) !== guilty)
    .map((each) => {
      const finding = byKey.get(keyOf(each));
      if (each.untilMs !== null || finding?.state !== 'fine') return each;
      event('unfolded', each.sentence || each.subject.name);
      return { ...each, untilMs: Math.min(nowMs, Math.max(each.sinceMs, finding.sinceMs)) };
    });
  const others = group.findings.filter((finding) => keyOf(finding) !== guilty);
  const own = byKey.get(keyOf(alert));
  // the device under a hop says more than the service that it was thought to be
  const isFound = lead && own && explainsOther(lead, own) && isSharedBy(partOf(lead), group.findings);
  const cause = isFound ? partOf(lead) : group.cause;
  next.alerts.push({
    ...alert,
    ...(lead ? wordsOf(input, { ...group, cause, findings: [lead, ...others] }, alert) : {}),
    folded: mergedFolded(before, others),
  });
}

const partOf = ({ subject }: Finding): Part => ({ kind: subject.kind, id: subject.id, name: subject.name });

const foldedOfLead = ({ rule, subject, sentence, applications, sinceMs }: Alert): FoldedFinding => ({
  rule,
  subject,
  sentence,
  applications,
  sinceMs,
  untilMs: null,
});

/** Whoever was guilty stays so while it is bad, unless what it stands on is found to be; null: only what cannot be told is left. */
function leadOf(alert: Alert, group: Group, byKey: ReadonlyMap<string, Finding>): Finding | null {
  const own = byKey.get(keyOf(alert));
  if (!own || own.state === 'cannot-tell') return null;
  if (own.state === 'fine') {
    return group.findings.find((finding) => isAbout(finding, alert.subject)) ?? group.findings[0] ?? null;
  }
  const below = group.findings.filter((finding) => explainsOther(finding, own));
  return below.find(({ subject }) => own.guilty && partKey(subject) === partKey(own.guilty)) ?? below[0] ?? own;
}

function mergedFolded(before: readonly FoldedFinding[], findings: readonly Finding[]): FoldedFinding[] {
  const folded = new Map(before.map((each) => [keyOf(each), each]));
  for (const finding of findings) {
    const key = keyOf(finding);
    const known = folded.get(key);
    folded.set(key, {
      rule: finding.rule,
      subject: finding.subject,
      sentence: (finding.sentence || finding.title || known?.sentence || '').slice(0, mostSentences),
      applications: finding.applications,
      sinceMs: known && known.untilMs === null ? Math.min(known.sinceMs, finding.sinceMs) : finding.sinceMs,
      untilMs: null,
    });
  }
  const all = [...folded.values()];
  // what is still so matters more than what went away
  return all.length <= mostFolded
    ? all
    : [...all.filter(({ untilMs }) => untilMs === null), ...all.filter(({ untilMs }) => untilMs !== null)].slice(
        0,
        mostFolded,
      );
}

// ---- the beginning

function begin(next: NextAlerts, input: LifeInput, group: Group, pending: readonly Alert[]): void {
  const { nowMs, inForce } = input;
  const lead = group.findings[0]!;
  const keys = new Set(group.findings.map(keyOf));
  const taken = new Set(next.alerts.map(({ id }) => id));
  const known = pending
    .filter((alert) => !taken.has(alert.id) && membersOf(alert).some((key) => keys.has(key)))
    .sort((a, b) => a.seenMs - b.seenMs)[0];
  const sinceMs = Math.min(known?.sinceMs ?? nowMs, ...group.findings.map((finding) => finding.sinceMs));
  // our own clock may have jumped back
  const seenMs = Math.min(known?.seenMs ?? nowMs, nowMs);
  const fingerprint = fingerprintOf(group);
  const first: Alert = {
    id: known?.id ?? spanIdHex(hash64('alert', fingerprint, keyOf(lead), String(nowMs))),
    fingerprint,
    rule: lead.rule,
    severity: lead.severity,
    phase: 'pending',
    subject: lead.subject,
    cause: group.cause,
    title: lead.title,
    sentence: '',
    wayOut: '',
    figure: null,
    applications: [],
    sites: [],
    owner: null,
    changes: [],
    exampleTraceId: null,
    folded: [],
    isLate: false,
    sinceMs,
    seenMs,
    firedMs: null,
    resolvedMs: null,
    acknowledged: known?.acknowledged ?? null,
    assignedTo: known?.assignedTo ?? null,
  };
  const dressed = {
    ...first,
    ...wordsOf(input, group, first),
    folded: mergedFolded([], group.findings.slice(1)),
    isLate: isLateEvidence(group.findings, nowMs),
  };
  if (!known) next.events.push({ id: first.id, event: { timeMs: nowMs, who: '', what: 'seen', text: lead.title } });
  if (!isDue(dressed, inForce, nowMs)) {
    next.alerts.push(dressed);
    return;
  }
  next.alerts.push({ ...dressed, phase: 'firing', firedMs: nowMs });
  next.events.push({ id: first.id, event: { timeMs: nowMs, who: '', what: 'fired', text: dressed.title } });
}

/** Whether a pending one has gathered, and lasted for as long as its rule asks. */
export const isDue = ({ rule, seenMs, sinceMs }: Alert, inForce: RulesInForce, nowMs: EpochMillis): boolean =>
  nowMs - seenMs >= gatherMs && nowMs - sinceMs >= inForce[rule].forMs;

const isLateEvidence = (findings: readonly Finding[], nowMs: EpochMillis): boolean =>
  findings.every(({ heardMs }) => heardMs !== null && nowMs - heardMs > lateMs);

/** The same trouble again has the same one, whether its path or its hop is found first. */
function fingerprintOf({ cause, findings }: Group): string {
  const lead = findings[0]!;
  const about: Pick<Part, 'kind' | 'id'> = lead.guilty ?? (findings.length > 2 && cause ? cause : lead.subject);
  const rule = lead.rule === 'path-over-budget' && lead.guilty ? 'over-budget' : lead.rule;
  return spanIdHex(hash64('cause', rule, about.kind, about.id));
}

/** What it says, out of the findings as they are now, the guilty one first. */
function wordsOf(input: LifeInput, group: Group, alert: Alert): Partial<Alert> {
  const { findings, cause } = group;
  const lead = findings[0]!;
  const sinceMs = Math.min(alert.sinceMs, lead.sinceMs);
  // what changed before is known soon after; later it is history
  const isYoung = alert.changes.length === 0 || input.nowMs - alert.seenMs < trailingMs;
  const changes = isYoung ? input.changesOf(findings, sinceMs) : alert.changes;
  // its path may not know yet whether it is well; the request's own name stays
  const isPath = ({ rule }: Pick<Finding, 'rule'>): boolean => rule === 'path-over-budget';
  const keepsTitle = !findings.some(isPath) && alert.folded.some((each) => isPath(each) && each.untilMs === null);
  const title = keepsTitle ? alert.title : groupTitle(cause, lead, findings) || alert.title;
  const shown = findings.find((finding) => finding.title === title) ?? lead;
  // what is folded in has its own: who may not see it sees the alert without it
  const applications = [...new Set([...lead.applications, ...shown.applications])].sort();
  return {
    rule: lead.rule,
    severity: worst(findings, lead),
    subject: lead.subject,
    cause,
    title,
    sentence: leadSentence(lead, changes) || alert.sentence,
    wayOut: lead.wayOut || shown.wayOut || alert.wayOut,
    figure: keepsTitle ? alert.figure : (shown.figure ?? alert.figure),
    applications,
    sites: [...new Set([...alert.sites, ...findings.flatMap(sitesOf)])].sort(),
    owner: input.ownerOf([...lead.applications, ...applications]),
    changes,
    exampleTraceId: shown.exampleTraceId ?? lead.exampleTraceId ?? alert.exampleTraceId,
    sinceMs,
  };
}

const sitesOf = ({ parts }: Finding): string[] => parts.flatMap(({ kind, id }) => (kind === 'site' ? [id] : []));

const severities = ['critical', 'warning', 'info'] as const;
const worst = (findings: readonly Finding[], lead: Finding): Alert['severity'] =>
  severities.find((severity) => findings.some((finding) => finding.severity === severity)) ?? lead.severity;
