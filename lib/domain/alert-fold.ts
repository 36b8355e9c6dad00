import { type Finding, keyOf, type Part, type RuleId } from './alert.ts';
import type { EpochMillis } from './units.ts';

/**
 * One cause, one alert. What is bad together is put under what it shares: a part that is bad itself (a hop under its path, a device under
 * its topics), or a part most of whose traffic went bad at about the same time. The part that explains the most is the cause; among those
 * that explain the same, the most specific one. A part that was seen to carry others as usual since then is no cause.
 */

/** began at about the same time; evidence of silence is as coarse as a report is rare */
export const togetherMs = 90_000;
/** what was seen to be fine in the very moment it began says nothing yet */
const slackMs = 2_000;

const specificFirst: readonly Part['kind'][] = [
  'hop',
  'topic',
  'path',
  // what one device alone serves is told by its service, unless the device itself is found to be down
  'service',
  'device',
  'leg',
  'broker',
  'site',
  'self',
];

/** Of what passes through the part, so much has to be bad. What stands for many things has to be worse. */
const leastShare = (kind: Part['kind']): number => (kind === 'broker' || kind === 'site' ? 0.8 : 0.6);

/** A bad subject of these rules explains what passes through it; a quiet topic or a clock explains nothing but itself. */
const explains: ReadonlySet<RuleId> = new Set<RuleId>([
  'own-health',
  'broker-lost',
  'device-down',
  'over-budget',
  'unanswered',
  'drop-outs',
]);

/** An alert that somebody was told of: what belongs to it stays with it. */
export interface OpenCause {
  id: string;
  cause: Part | null;
  sinceMs: EpochMillis;
  /** keyOf its findings */
  members: ReadonlySet<string>;
}

export interface Group {
  /** the open alert it belongs to; null: it is news */
  id: string | null;
  /** what they share; null: it stands alone */
  cause: Part | null;
  /** bad ones, the guilty one first */
  findings: Finding[];
}

export const partKey = ({ kind, id }: Pick<Part, 'kind' | 'id'>): string => `${kind} ${id}`;

/** Every bad finding is in exactly one group; every open alert has one, which may be empty. */
export function foldFindings(findings: readonly Finding[], open: readonly OpenCause[]): Group[] {
  const bad = findings.filter((finding) => finding.state === 'bad');
  const index = indexOf(bad, findings);
  const groups = open.map<Group>(({ id, cause, members }) => ({
    id,
    cause,
    findings: bad.filter((finding) => members.has(keyOf(finding))),
  }));
  const loose = new Set(bad);
  for (const group of groups) for (const finding of group.findings) loose.delete(finding);
  joinKnownCauses(groups, open, loose, index);

  while (loose.size > 0) {
    const best = bestCause(index, loose);
    if (best === null) break;
    const joined = best.findings.filter((finding) => loose.has(finding));
    for (const finding of joined) loose.delete(finding);
    const known = mostShared(groups, best.findings);
    if (known) {
      known.findings.push(...joined);
      if (known.cause === null || !isSharedBy(known.cause, known.findings)) known.cause = best.part;
    } else groups.push({ id: null, cause: best.part, findings: joined });
  }
  for (const finding of loose) groups.push({ id: null, cause: finding.guilty, findings: [finding] });
  return groups.map((group) => ({ ...group, findings: guiltyFirst(group) }));
}

/** Whether all of them pass through it. */
export const isSharedBy = (part: Part, findings: readonly Finding[]): boolean =>
  findings.every(({ parts }) => parts.some((each) => partKey(each) === partKey(part)));

/** Whether a part is still what these findings share: with fewer than two of them it explains nothing. */
export function isStillCause(part: Part, findings: readonly Finding[]): boolean {
  const bad = findings.filter((finding) => finding.state === 'bad');
  const place = indexOf(bad, findings).get(partKey(part));
  return place !== undefined && place.bad.length >= 2 && isMostlyBad(place, place.bad);
}

interface Place {
  part: Part;
  bad: Finding[];
  fine: Finding[];
  /** bad findings of the part itself */
  own: Finding[];
}

type Index = Map<string, Place>;

function indexOf(bad: readonly Finding[], all: readonly Finding[]): Index {
  const index: Index = new Map();
  for (const finding of bad) {
    for (const part of finding.parts) {
      const key = partKey(part);
      let place = index.get(key);
      if (!place) {
        place = { part, bad: [], fine: [], own: [] };
        index.set(key, place);
      }
      place.bad.push(finding);
    }
  }
  for (const finding of bad) if (explains.has(finding.rule)) index.get(partKey(finding.subject))?.own.push(finding);
  for (const finding of all) {
    if (finding.state !== 'fine' || finding.usualAtMs === null) continue;
    for (const part of finding.parts) index.get(partKey(part))?.fine.push(finding);
  }
  return index;
}

/** A new finding whose cause is known already tells nobody anything. */
function joinKnownCauses(groups: Group[], open: readonly OpenCause[], loose: Set<Finding>, index: Index): void {
  for (const [i, { cause, sinceMs }] of open.entries()) {
    const place = cause && index.get(partKey(cause));
    if (!place || groups[i]!.findings.length === 0) continue;
    const later = place.bad.filter((finding) => finding.sinceMs >= sinceMs - togetherMs);
    if (place.own.length === 0 && !isMostlyBad(place, later)) continue;
    for (const finding of later) if (loose.delete(finding)) groups[i]!.findings.push(finding);
  }
}

interface Candidate {
  part: Part;
  findings: Finding[];
  isOwn: boolean;
}

/** The part that explains the most of what is bad, some of it not yet told. */
function bestCause(index: Index, loose: ReadonlySet<Finding>): Candidate | null {
  let best: Candidate | null = null;
  for (const place of index.values()) {
    if (!place.bad.some((finding) => loose.has(finding))) continue;
    const candidate = explainedBy(place, loose);
    if (candidate && (best === null || isBetter(candidate, best))) best = candidate;
  }
  return best;
}

function explainedBy(place: Place, loose: ReadonlySet<Finding>): Candidate | null {
  const ofLoose = (findings: Finding[]): boolean => findings.some((finding) => loose.has(finding));
  if (place.own.length > 0) {
    const beganMs = Math.min(...place.own.map((finding) => finding.sinceMs));
    const findings = place.bad.filter((f) => place.own.includes(f) || f.sinceMs >= beganMs - togetherMs);
    if (findings.length >= 2 && ofLoose(findings)) return { part: place.part, findings, isOwn: true };
    return null;
  }
  const findings = begunTogether(place.bad, ofLoose);
  if (findings.length < 2 || !isMostlyBad(place, findings)) return null;
  return { part: place.part, findings, isOwn: false };
}

/** The most that began within one window, some of them not yet told. */
function begunTogether(bad: readonly Finding[], isWanted: (findings: Finding[]) => boolean): Finding[] {
  const sorted = bad.toSorted((a, b) => a.sinceMs - b.sinceMs);
  let most: Finding[] = [];
  let end = 0;
  for (const [begin, first] of sorted.entries()) {
    while (end < sorted.length && sorted[end]!.sinceMs <= first.sinceMs + togetherMs) end++;
    if (end - begin <= most.length) continue;
    const together = sorted.slice(begin, end);
    if (isWanted(together)) most = together;
  }
  return most;
}

/** What arrives late may arrive all the same: whoever is heard speaks for a part that is said to be cut, not for one that is said to be slow. */
const aboutOf = (rule: RuleId): 'time' | 'presence' =>
  rule === 'over-budget' || rule === 'path-over-budget' ? 'time' : 'presence';

function isMostlyBad({ part, fine }: Place, bad: readonly Finding[]): boolean {
  if (bad.length === 0) return false;
  const asUsual = new Set<Finding>();
  for (const [about, of] of Map.groupBy(bad, ({ rule }) => aboutOf(rule))) {
    const begun = of.map(({ sinceMs }) => sinceMs);
    // each falls silent with its last report: what one was heard to say before another's last says nothing
    const afterMs = about === 'time' ? Math.min(...begun) : Math.max(...begun);
    for (const each of fine) if (aboutOf(each.rule) === about && each.usualAtMs! > afterMs + slackMs) asUsual.add(each);
  }
  const [affected, others] = [subjectsOf(bad), subjectsOf([...asUsual])];
  for (const subject of affected) others.delete(subject);
  return affected.size >= leastShare(part.kind) * (affected.size + others.size);
}

const subjectsOf = (findings: readonly Finding[]): Set<string> =>
  new Set(findings.map(({ subject }) => partKey(subject)));

function isBetter(a: Candidate, b: Candidate): boolean {
  return (
    (a.findings.length - b.findings.length ||
      rankOf(b.part) - rankOf(a.part) ||
      Number(a.isOwn) - Number(b.isOwn) ||
      (partKey(a.part) < partKey(b.part) ? 1 : -1)) > 0
  );
}

const rankOf = ({ kind }: Part): number => specificFirst.indexOf(kind);

/** The group that has the most of these. */
function mostShared(groups: readonly Group[], findings: readonly Finding[]): Group | null {
  let best: Group | null = null;
  let most = 0;
  for (const group of groups) {
    const shared = group.findings.filter((finding) => findings.includes(finding)).length;
    if (shared > most) [best, most] = [group, shared];
  }
  return best;
}

/** One is what the other stands on, and is worse. */
export const explainsOther = (finding: Finding, other: Finding): boolean =>
  explains.has(finding.rule) &&
  guiltiestFirst.indexOf(finding.rule) < guiltiestFirst.indexOf(other.rule) &&
  other.parts.some((part) => partKey(part) === partKey(finding.subject));

const guiltiestFirst: readonly RuleId[] = [
  'own-health',
  'broker-lost',
  'device-down',
  'over-budget',
  'unanswered',
  'path-over-budget',
  'drop-outs',
  'silent-topic',
  'clock-stepped',
];

/** The cause's own finding, then by rule, then the hop that a path blames, then by how far over it is. */
function guiltyFirst({ cause, findings }: Pick<Group, 'cause' | 'findings'>): Finding[] {
  const blamed = new Set(findings.flatMap(({ guilty }) => (guilty ? [partKey(guilty)] : [])));
  const isCause = (finding: Finding): boolean => cause !== null && partKey(finding.subject) === partKey(cause);
  const isBlamed = (finding: Finding): boolean => blamed.has(partKey(finding.subject));
  return findings.toSorted(
    (a, b) =>
      Number(isCause(b)) - Number(isCause(a)) ||
      guiltiestFirst.indexOf(a.rule) - guiltiestFirst.indexOf(b.rule) ||
      Number(isBlamed(b)) - Number(isBlamed(a)) ||
      timesOver(b) - timesOver(a) ||
      a.sinceMs - b.sinceMs ||
      (keyOf(a) < keyOf(b) ? -1 : 1),
  );
}

const timesOver = ({ figure }: Finding): number =>
  figure && figure.is !== null && figure.threshold ? figure.is / figure.threshold : 0;
