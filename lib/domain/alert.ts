import type { EpochMillis, Millis } from './units.ts';

/**
 * What on-call is told. A rule looks at a subject and comes to a finding; findings that have one cause are one alert (design.md section 3).
 * Everything here is plain data that survives JSON.
 */

export const ruleIds = [
  'over-budget',
  'path-over-budget',
  'unanswered',
  'silent-topic',
  'device-down',
  'clock-stepped',
  'broker-lost',
  'drop-outs',
  'own-health',
] as const;
export type RuleId = (typeof ruleIds)[number];

export const alertSeverities = ['critical', 'warning', 'info'] as const;
export type AlertSeverity = (typeof alertSeverities)[number];
/** pending: bad, but not long enough to wake anybody. */
export type AlertPhase = 'pending' | 'firing' | 'resolved';

/** What a rule looks at. `id` is what its page is found by: hop id, path id, topic, device id, broker name, name of a check of our own. */
export interface Subject {
  kind: 'hop' | 'path' | 'topic' | 'device' | 'broker' | 'self';
  id: string;
  name: string;
}

/** One rule on one subject, judged anew each time out of what is stored. */
export interface Finding {
  rule: RuleId;
  subject: Subject;
  /** cannot-tell neither begins an alert nor ends one as if it knew */
  state: 'bad' | 'fine' | 'cannot-tell';
  /** since when it is so, by the evidence, not by when we looked */
  sinceMs: EpochMillis;
  /** newest evidence it rests on; null: what is so at this moment */
  heardMs: EpochMillis | null;
  /** when it was last seen to be as usual, which speaks for its parts; null: it is not, or nobody knows */
  usualAtMs: EpochMillis | null;
  severity: AlertSeverity;
  /** both numbers: "Button press takes 105 ms. Budget is 10 ms."; '' of what is not bad, as all the words below */
  title: string;
  /** the finding in one sentence with its numbers */
  sentence: string;
  /** what to do about it */
  wayOut: string;
  figure: Figure | null;
  /** of what was looked at, how much is affected, 0..1; null: it is not about shares */
  share: number | null;
  /** what is to blame where that is something else: the hop of a path */
  guilty: Part | null;
  /** a request that shows it */
  exampleTraceId: string | null;
  applications: string[];
  /** what it passes through or stands on: causes are looked for among these */
  parts: Part[];
}

/** The same rule on the same subject, whenever. */
export const keyOf = ({ rule, subject }: { rule: RuleId; subject: Pick<Subject, 'kind' | 'id'> }): string =>
  `${rule} ${subject.kind} ${subject.id}`;

/** From what to what, against what. */
export interface Figure {
  unit: 'ms' | 'ratio' | 'count' | 's';
  was: number | null;
  is: number | null;
  /** +/- of `is`; null: not known at all, 0: exact */
  bound: number | null;
  threshold: number | null;
  /** requests that were affected since it began; null where requests are not what it is about */
  requests: number | null;
}

/** A thing that several subjects share, so that one broken thing is one cause: "broker dublin", "leg hannover ashburn". */
export interface Part {
  kind: 'hop' | 'path' | 'topic' | 'service' | 'leg' | 'device' | 'broker' | 'site' | 'self';
  id: string;
  name: string;
}

export type ChangeKind = 'deploy' | 'version' | 'moved' | 'device' | 'clock' | 'broker' | 'level';

/** What happened shortly before: nearest first. */
export interface Change {
  kind: ChangeKind;
  timeMs: EpochMillis;
  /** "Snapshot v42", "factory-events answers from Ashburn instead of Hannover" */
  title: string;
  /** by whom, from what to what; '' when there is nothing more to say */
  text: string;
  /** in-app address of more, '' when there is none */
  href: string;
}

export interface FoldedFinding {
  rule: RuleId;
  subject: Subject;
  sentence: string;
  /** who may not see each of them does not learn that it was folded in */
  applications: string[];
  sinceMs: EpochMillis;
  /** when it went away by itself; null: still so */
  untilMs: EpochMillis | null;
}

export interface Alert {
  /** of this occurrence; part of its address */
  id: string;
  /** of the cause: the same again is another occurrence with the same fingerprint */
  fingerprint: string;
  rule: RuleId;
  severity: AlertSeverity;
  phase: AlertPhase;
  /** the guilty one */
  subject: Subject;
  /** what all that is folded in shares; null: it stands alone */
  cause: Part | null;
  /** both numbers: "Button press takes 105 ms. Budget is 10 ms." */
  title: string;
  /** what is behind it: "factory-events answers from Ashburn instead of Hannover. The network itself is normal." */
  sentence: string;
  /** as the verdict gives it: fix which part of the path, or move what where */
  wayOut: string;
  figure: Figure | null;
  /** all whose figures it tells, those of the folded ones aside: who may not see each of them does not see it */
  applications: string[];
  /** ids of the sites that it is about */
  sites: string[];
  owner: { team: string; contact: string } | null;
  changes: Change[];
  /** a request that shows it */
  exampleTraceId: string | null;
  folded: FoldedFinding[];
  /** rests on data that came late */
  isLate: boolean;
  /** when it began by the evidence, was first seen, woke somebody, ended by the evidence */
  sinceMs: EpochMillis;
  seenMs: EpochMillis;
  firedMs: EpochMillis | null;
  resolvedMs: EpochMillis | null;
  acknowledged: { by: string; atMs: EpochMillis } | null;
  assignedTo: string | null;
}

/** Time to detection and to recovery of one alert; null while there is none. */
export const detectedAfterMs = ({ sinceMs, firedMs }: Alert): Millis | null =>
  firedMs === null ? null : firedMs - sinceMs;
export const recoveredAfterMs = ({ sinceMs, resolvedMs }: Alert): Millis | null =>
  resolvedMs === null ? null : resolvedMs - sinceMs;

/** A line of the history of an alert. */
export interface AlertEvent {
  timeMs: EpochMillis;
  /** a person, or '' for Hopscope itself */
  who: string;
  what:
    | 'seen'
    | 'fired'
    | 'folded'
    | 'unfolded'
    | 'acknowledged'
    | 'unacknowledged'
    | 'assigned'
    | 'commented'
    | 'silenced'
    | 'sent'
    | 'not-sent'
    | 'resolved';
  text: string;
}

/** Each that is given has to fit; a glob fits names. At least one is given. */
export interface Matcher {
  rule?: RuleId;
  /** glob over the name of the subject and of the cause */
  subject?: string;
  application?: string;
  severity?: AlertSeverity;
  site?: string;
  /** one cause, exactly */
  fingerprint?: string;
}

/** Nothing is sent for what a silence matches; it stays on the pages. */
export interface Silence {
  id: string;
  matcher: Matcher;
  reason: string;
  by: string;
  fromMs: EpochMillis;
  untilMs: EpochMillis;
  createdMs: EpochMillis;
  ended: { by: string; atMs: EpochMillis } | null;
}

/** Something was deployed, moved or changed by hand. */
export interface Marker {
  id: string;
  timeMs: EpochMillis;
  /** "Snapshot v42" */
  title: string;
  text: string;
  service: string;
  version: string;
  site: string;
  by: string;
  /** noticed: out of the telemetry by ourselves */
  source: 'told' | 'noticed';
}

/** What people set about a rule, over what the catalogue and the YAML say; null leaves it as it is. */
export interface RuleSetting {
  rule: RuleId;
  enabled: boolean;
  severity: AlertSeverity | null;
  threshold: number | null;
  /** how long it has to be bad */
  forMs: Millis | null;
  by: string;
  atMs: EpochMillis;
}

/** One message to one target. The same key again is the same message: who gets it twice may drop one. */
export interface Notification {
  id: number;
  key: string;
  target: string;
  alertId: string;
  status: 'firing' | 'resolved';
  /** as it was when the message was made */
  alert: Alert;
  createdMs: EpochMillis;
  /** not before */
  dueMs: EpochMillis;
  attempts: number;
  state: 'waiting' | 'sent' | 'given-up';
  /** of the last attempt; '' when it went well */
  error: string;
  doneMs: EpochMillis | null;
}
