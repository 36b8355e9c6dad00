import type { Alert, Change, Figure, Notification, Subject } from '../domain/alert.ts';
import { alertSentence } from '../domain/alert-words.ts';
import type { EpochMillis, Millis } from '../domain/units.ts';

/** What a message says, before it takes the shape of its target: all that is needed, most important first, each text on one line. */
export interface AlertText {
  /** the finding with both numbers; of one that is over, that it is */
  headline: string;
  /** what is behind it; '' when nothing more is known */
  sentence: string;
  facts: Fact[];
  /** none where there are no pages */
  links: { label: string; url: string }[];
}

export interface Fact {
  label: string;
  text: string;
}

const foldedShown = 5;
const changesShown = 5;
const charactersAtMost = 500;
/** what the page of the guilty one shows around the trouble */
const aroundMs = 15 * 60_000;

export function alertText({ status, alert, createdMs }: Notification, publicUrl: string): AlertText {
  const headline = oneLine(alert.title);
  return {
    headline: status === 'resolved' ? `Resolved: ${headline}` : headline,
    sentence: oneLine(alertSentence(alert)),
    facts: [
      { label: capital(alert.subject.kind), text: alert.subject.name },
      ...(alert.cause && alert.cause.name !== alert.subject.name
        ? [{ label: 'Cause', text: `${alert.cause.kind} ${alert.cause.name}` }]
        : []),
      { label: 'Since', text: sayTimes(alert) },
      ...(alert.figure ? factsOf(alert.figure) : []),
      ...alert.changes.slice(0, changesShown).map((change) => ({ label: 'Changed before', text: sayChange(change) })),
      { label: 'Way out', text: alert.wayOut },
      { label: 'Owner', text: alert.owner ? [alert.owner.team, alert.owner.contact].filter(Boolean).join(', ') : '' },
      { label: 'Application', text: alert.applications.join(', ') },
      ...alert.folded.slice(0, foldedShown).map(({ sentence }) => ({ label: 'Same cause', text: sentence })),
      {
        label: 'Same cause',
        text: alert.folded.length > foldedShown ? `and ${alert.folded.length - foldedShown} more` : '',
      },
      { label: 'Acknowledged', text: alert.acknowledged ? `by ${alert.acknowledged.by}` : '' },
      { label: 'Note', text: alert.isLate ? 'It rests on data that came late.' : '' },
    ]
      .map(({ label, text }) => ({ label, text: oneLine(text) }))
      .filter(({ text }) => text !== ''),
    links:
      publicUrl === ''
        ? []
        : [
            { label: 'Open the alert', url: alertUrl(alert, publicUrl) },
            ...(alert.exampleTraceId
              ? [{ label: 'Example request', url: `${publicUrl}/traces/${encodeURIComponent(alert.exampleTraceId)}` }]
              : []),
            { label: `Look at the ${nounOf[alert.subject.kind]}`, url: subjectUrl(alert, createdMs, publicUrl) },
          ],
  };
}

/** One without an id is a test: it has no page of its own. */
export const alertUrl = ({ id }: Alert, publicUrl: string): string =>
  publicUrl === '' ? '' : `${publicUrl}/alerts${id === '' ? '' : `/${encodeURIComponent(id)}`}`;

/** The guilty one at the time of the trouble. */
export function subjectUrl(alert: Alert, createdMs: EpochMillis, publicUrl: string): string {
  if (publicUrl === '') return '';
  const range = `from=${alert.sinceMs - aroundMs}&to=${(alert.resolvedMs ?? createdMs) + aroundMs}`;
  const page = pageOf(alert.subject);
  return `${publicUrl}${page}${page.includes('?') ? '&' : '?'}${range}`;
}

function pageOf({ kind, id }: Subject): string {
  const part = encodeURIComponent(id);
  switch (kind) {
    case 'hop':
      return `/hops/${part}`;
    case 'path':
      return `/paths/${part}`;
    case 'device':
      return `/devices/${part}`;
    case 'topic':
      return `/topics?search=${part}`;
    case 'broker':
      return `/topics?broker=${part}`;
    case 'self':
      return '/status';
  }
}

const nounOf: Record<Subject['kind'], string> = {
  hop: 'hop',
  path: 'path',
  topic: 'topic',
  device: 'device',
  broker: 'broker',
  self: 'status page',
};

function factsOf({ unit, was, is, bound, threshold, requests }: Figure): Fact[] {
  const say = (value: number): string => sayAmount(value, unit);
  const now = is === null ? 'cannot be told' : `is ${say(is)}${sayBound(bound, unit)}`;
  return [
    {
      label: 'Measured',
      text: [was === null ? '' : `was ${say(was)}`, now, threshold === null ? '' : `wanted at most ${say(threshold)}`]
        .filter(Boolean)
        .join(', '),
    },
    { label: 'Requests', text: requests === null ? '' : `${requests.toLocaleString('en-US')} affected so far` },
  ];
}

function sayBound(bound: number | null, unit: Figure['unit']): string {
  if (bound === null) return ' (± not known)';
  return bound === 0 ? '' : ` ± ${sayAmount(bound, unit)}`;
}

function sayAmount(value: number, unit: Figure['unit']): string {
  const number = (of: number): string =>
    (Math.abs(of) >= 100 ? Math.round(of) : Number(of.toPrecision(3))).toLocaleString('en-US', {
      maximumFractionDigits: 4,
    });
  if (unit === 'ratio') return `${number(value * 100)} %`;
  return unit === 'count' ? number(value) : `${number(value)} ${unit}`;
}

const sayChange = ({ timeMs, title, text }: Change): string => `${sayUtc(timeMs)} ${title}${text ? ` (${text})` : ''}`;

function sayTimes({ sinceMs, resolvedMs }: Alert): string {
  if (resolvedMs === null) return sayUtc(sinceMs);
  return `${sayUtc(sinceMs)}, until ${sayUtc(resolvedMs)} (${sayDuration(resolvedMs - sinceMs)})`;
}

export const sayUtc = (ms: EpochMillis): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

function sayDuration(ms: Millis): string {
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 5_400_000 ? `${Math.round(ms / 60_000)} min` : `${Number((ms / 3_600_000).toFixed(1))} h`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Names come from devices: one must not be able to begin a line of its own, turn the reading direction, or fill a screen. */
export function oneLine(text: string, atMost = charactersAtMost): string {
  const plain = text
    .toWellFormed()
    .replace(/[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]+/gu, ' ')
    .trim();
  return cut(plain, atMost);
}

export function cut(text: string, atMost: number): string {
  const letters = [...text];
  return letters.length <= atMost ? text : `${letters.slice(0, atMost - 1).join('')}…`;
}

/** All of it as lines, for whoever shows plain text. */
export function plainText({ headline, sentence, facts, links }: AlertText): string {
  return [
    headline,
    ...(sentence === '' ? [] : [sentence]),
    '',
    ...facts.map(({ label, text }) => `${label}: ${text}`),
    ...(links.length === 0 ? [] : ['', ...links.map(({ label, url }) => `${label}: ${url}`)]),
  ].join('\n');
}
