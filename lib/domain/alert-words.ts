import type { Alert, Change, Finding, Part } from './alert.ts';
import type { EpochMillis, Millis } from './units.ts';
import { spokenBudget, spokenMs } from './verdict.ts';

/** What an alert says, in one place: both numbers first, then what is behind them. */

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const counted = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`;

/** "14:02 UTC" */
export const spokenTime = (timeMs: EpochMillis): string => `${new Date(timeMs).toISOString().slice(11, 16)} UTC`;

/** How long, as people say it: "40 s", "18 min", "3 h", "2 d". */
export function spokenFor(ms: Millis): string {
  if (ms < 90_000) return `${Math.max(0, Math.round(ms / 1000))} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}

/** "50.3 ± 2.4 ms"; the bound left out where it is below the last digit shown. */
export function spokenFigure(ms: Millis, boundMs: Millis | null): string {
  const plain = spokenMs(ms);
  if (boundMs === null || boundMs < (ms >= 99.95 ? 0.5 : 0.05)) return plain;
  return `${plain.replace(/ (ms|s)$/, '')} ± ${spokenMs(boundMs)}`;
}

/** "of Hannover to Ashburn"; '' where an end is unknown. */
const between = (fromSite: string, toSite: string): string =>
  fromSite === '' || toSite === '' ? '' : fromSite === toSite ? `, within ${fromSite}` : `, ${fromSite} to ${toSite}`;

export interface HopWords {
  fromService: string;
  toService: string;
  fromSite: string;
  toSite: string;
  p50Ms: Millis | null;
  p95Ms: Millis;
  boundMs: Millis | null;
  floorMs: Millis;
  budgetMs: Millis;
}

export const hopName = ({ fromService, toService }: Pick<HopWords, 'fromService' | 'toService'>): string =>
  `${fromService} → ${toService}`;

export const hopTitle = (hop: HopWords): string =>
  `${hopName(hop)} adds ${spokenMs(hop.p95Ms)}. Budget is ${spokenBudget(hop.budgetMs)}.`;

export const hopSentence = (hop: HopWords): string =>
  `${hopName(hop)} adds ${spokenFigure(hop.p95Ms, hop.boundMs)}${between(hop.fromSite, hop.toSite)}.${networkWords(hop)}`;

/** What distance explains needs no repair. */
function networkWords({ p50Ms, boundMs, floorMs }: HopWords): string {
  if (p50Ms === null || floorMs < 1) return '';
  const overMs = p50Ms - (boundMs ?? 0) - floorMs;
  if (overMs <= Math.max(5, 0.3 * floorMs)) return ' The network itself is normal.';
  return ` Fibre alone needs ${spokenMs(floorMs)}.`;
}

export const pathTitle = (name: string, p95Ms: Millis, budgetMs: Millis): string =>
  `${capital(name)} takes ${spokenMs(p95Ms)}. Budget is ${spokenBudget(budgetMs)}.`;

export function unansweredTitle(hop: string, unanswered: number, asked: number): string {
  return `${hop}: ${counted(unanswered, 'request')} of ${asked.toLocaleString('en-US')} got no answer.`;
}

/** What the findings of one cause are, by kind: "12 hops and 10 paths". */
export function membersWords(findings: readonly Pick<Finding, 'subject'>[]): string {
  const kinds = [
    ['device', 'device', 'devices'],
    ['broker', 'broker', 'brokers'],
    ['hop', 'hop', 'hops'],
    ['path', 'path', 'paths'],
    ['topic', 'topic', 'topics'],
    ['self', 'part of Hopscope', 'parts of Hopscope'],
  ] as const;
  const parts = kinds.flatMap(([kind, one, many]) => {
    const n = new Set(findings.filter(({ subject }) => subject.kind === kind).map(({ subject }) => subject.id)).size;
    return n === 0 ? [] : [counted(n, one, many)];
  });
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

/** "Hannover – Dublin", "factory-events in Ashburn", "pi-sf" */
const causeWords = ({ kind, name }: Part): string =>
  kind === 'leg' ? `the link ${name}` : kind === 'broker' ? `the broker ${name}` : name;

/** The title of several that share a cause: of devices how many they are, else that of the one that shows it best. */
export function groupTitle(cause: Part | null, lead: Finding, findings: readonly Finding[]): string {
  if (lead.rule === 'device-down' && cause !== null && cause.id !== lead.subject.id) {
    const down = findings.filter(({ rule }) => rule === 'device-down').length;
    if (down > 1) return `${down} devices are down behind ${causeWords(cause)}.`;
  }
  if (lead.rule === 'over-budget') {
    // people know their request by its name, not by its hops
    const isThrough = (path: Finding): boolean =>
      path.rule === 'path-over-budget' && path.parts.some((part) => part.kind === 'hop' && part.id === lead.subject.id);
    const path = findings
      .filter(isThrough)
      .sort((a, b) => a.sinceMs - b.sinceMs || (a.subject.id < b.subject.id ? -1 : 1))[0];
    if (path) return path.title;
  }
  return lead.title;
}

/** What is behind the guilty one: where it answers from now, then its own figures. */
export function leadSentence(lead: Finding, changes: readonly Change[]): string {
  const moved = changes.find((change) => change.kind === 'moved');
  const services = lead.parts.filter((part) => part.kind === 'service').map(({ id }) => id.split('@')[0]!);
  const isOurs = moved !== undefined && services.some((service) => moved.title.startsWith(`${service} `));
  return [isOurs ? `${moved.title}.` : '', lead.sentence].filter((sentence) => sentence !== '').join(' ');
}

/**
 * All that is behind an alert: the guilty one, then who shares the cause. Said of the alert as its reader may see it: what is
 * folded in and hidden is not counted.
 */
export function alertSentence({ cause, subject, sentence, folded }: Alert): string {
  const still = folded.filter(({ untilMs }) => untilMs === null);
  const isShared = cause !== null && cause.id !== subject.id && still.length > 1;
  const shared = isShared
    ? `${capital(membersWords([{ subject }, ...still]))} share ${causeWords(cause)} and went bad together.`
    : '';
  return [sentence, shared].filter((part) => part !== '').join(' ');
}
