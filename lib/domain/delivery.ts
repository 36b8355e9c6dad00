import type { Alert, AlertSeverity, RuleId } from './alert.ts';
import { globMatches } from './topic-filter.ts';
import type { EpochMillis } from './units.ts';

/** Who is told of alerts and how, out of hopscope.yaml. The targets hold secrets: pages get `maskedTarget`. */
export interface DeliveryRules {
  targets: Target[];
  /** from the first to the last; none: every target gets all that is warning or critical */
  routes: Route[];
  /** CIDRs, and host:port as it stands in the target: what targets may be reached at beside the public internet */
  allowPrivate: string[];
  /** how links in messages begin, without a slash at the end; '' when there are no pages to link to */
  publicUrl: string;
}

interface Named {
  name: string;
  /** http:, mqtt: or SMTP without TLS are good enough for this target */
  allowPlaintext: boolean;
}

export type Target = Named &
  (
    | { kind: 'webhook'; url: string; token: string | null }
    | { kind: 'slack'; url: string }
    | { kind: 'pagerduty'; url: string; routingKey: string }
    /** the last part of the path is the topic */
    | { kind: 'ntfy'; url: string; token: string | null }
    | { kind: 'email'; url: string; login: Login | null; from: string; to: string[] }
    /** at a broker that hopscope.yaml names, or at a URL of its own */
    | { kind: 'mqtt'; topic: string; broker: string }
    | { kind: 'mqtt'; topic: string; broker: null; url: string; login: Login | null }
  );
export type TargetKind = Target['kind'];

export interface Login {
  user: string;
  password: string;
}

/** What is given has to fit. */
export interface Route {
  /** globs; one of the alert's applications has to fit */
  applications: string[] | null;
  /** null: warning and critical; info has to be asked for */
  severities: AlertSeverity[] | null;
  rules: RuleId[] | null;
  hours: Hours | null;
  to: string[];
  /** look at the next route, too */
  continue: boolean;
}

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** By the clock on the wall there. From 22:00 to 06:00 goes over midnight and belongs to the day it begins on. */
export interface Hours {
  timeZone: string;
  days: Weekday[];
  fromMinute: number;
  toMinute: number;
}

const toldUnasked: readonly AlertSeverity[] = ['critical', 'warning'];

/** Whom to tell that an alert fires, by name. That it is over is for those who were told, whatever the hour is then. */
export function targetsOf(
  rules: Pick<DeliveryRules, 'targets' | 'routes'>,
  alert: Alert,
  nowMs: EpochMillis,
): string[] {
  if (rules.routes.length === 0)
    return toldUnasked.includes(alert.severity) ? rules.targets.map(({ name }) => name) : [];
  const told = new Set<string>();
  for (const route of rules.routes) {
    if (!routeFits(route, alert, nowMs)) continue;
    for (const name of route.to) told.add(name);
    if (!route.continue) break;
  }
  return [...told];
}

function routeFits(route: Route, alert: Alert, nowMs: EpochMillis): boolean {
  return (
    (route.severities ?? toldUnasked).includes(alert.severity) &&
    (route.rules?.includes(alert.rule) ?? true) &&
    (route.applications?.some((glob) => alert.applications.some((name) => globMatches(glob, name))) ?? true) &&
    (route.hours === null || isWithin(route.hours, nowMs))
  );
}

function isWithin({ timeZone, days, fromMinute, toMinute }: Hours, nowMs: EpochMillis): boolean {
  const { day, minute } = onTheWall(timeZone, nowMs);
  const today = weekdays[day]!;
  if (fromMinute < toMinute) return days.includes(today) && minute >= fromMinute && minute < toMinute;
  const yesterday = weekdays[(day + 6) % 7]!;
  return (days.includes(today) && minute >= fromMinute) || (days.includes(yesterday) && minute < toMinute);
}

function onTheWall(timeZone: string, nowMs: EpochMillis): { day: number; minute: number } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(nowMs);
  const part = (type: string): string => parts.find((each) => each.type === type)!.value;
  return {
    day: weekdays.indexOf(part('weekday').toLowerCase() as Weekday),
    minute: Number(part('hour')) * 60 + Number(part('minute')),
  };
}

/** A target as pages may show it: where it is, and nothing of what opens it. */
export interface MaskedTarget {
  name: string;
  kind: TargetKind;
  address: string;
}

/** What the pages may ask of whoever sends. */
export interface Delivery {
  targets(): MaskedTarget[];
  /** Sends what is plainly a test and says in a sentence how it went. */
  test(name: string): Promise<string>;
}

export function maskedTarget(target: Target): MaskedTarget {
  return { name: target.name, kind: target.kind, address: maskedAddress(target) };
}

function maskedAddress(target: Target): string {
  switch (target.kind) {
    case 'webhook':
    case 'slack':
    case 'pagerduty':
    case 'ntfy':
      return maskedUrl(target.url);
    case 'email':
      return `${target.to.map(maskedMailbox).join(', ')} by ${maskedUrl(target.url)}`;
    case 'mqtt':
      return `${target.topic} at ${target.broker ?? maskedUrl(target.url)}`;
  }
}

/** Path, query and user may each be the secret. */
function maskedUrl(url: string): string {
  const { protocol, host, pathname, search, username } = new URL(url);
  const hides = username !== '' || pathname.length > 1 || search !== '';
  return `${protocol}//${host}${hides ? '/…' : ''}`;
}

const maskedMailbox = (address: string): string => address.replace(/[^<\s@]+@/, (local) => `${local[0]}…@`);
