import { type Alert, type Finding, keyOf, type Part } from '../domain/alert.ts';
import { membersOf } from '../domain/alert-life.ts';
import type { RulesInForce } from '../domain/alert-rules.ts';
import type { Rules } from '../domain/rule.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { DeviceRow, HopIdentity, HopLevel, LiveVerdict, SiteRow, Store } from '../store/store.ts';
import type { StatusSource } from '../views/status-source.ts';
import type { AlertMemory } from './memory.ts';

/** What every rule family is given: where to look, by which rules, when "now" is, and what all of them need of the store. */
export interface Look {
  store: Store;
  rules: Rules;
  inForce: RulesInForce;
  status: StatusSource;
  nowMs: EpochMillis;
  memory: AlertMemory;
  sites: ReadonlyMap<string, SiteRow>;
  devices: readonly DeviceRow[];
  hops: ReadonlyMap<bigint, HopIdentity>;
  live: readonly LiveVerdict[];
  /** what has been found before and is not over */
  open: readonly Alert[];
  /** of the last minutes, where something is bad; empty while nothing is */
  levels: ReadonlyMap<bigint, HopLevel>;
  /** since when we watch without a break: who is silent is silent since then, as far as we know */
  watchedSinceMs: EpochMillis;
  /** why silence says nothing just now: what would break it may be on its way to us; '' when it does */
  deaf: string;
}

export const noWords = { title: '', sentence: '', wayOut: '' } as const;

/** The parts that nobody has to word: everything but what a rule knows of its subject. */
export const quietFinding = (
  finding: Pick<Finding, 'rule' | 'subject' | 'state' | 'sinceMs'> & Partial<Finding>,
): Finding => ({
  heardMs: null,
  usualAtMs: null,
  severity: 'info',
  ...noWords,
  figure: null,
  share: null,
  guilty: null,
  exampleTraceId: null,
  applications: [],
  parts: [],
  ...finding,
});

/** Whether somebody waits to hear that it is over. */
export const isOpen = ({ open }: Pick<Look, 'open'>, finding: Pick<Finding, 'rule' | 'subject'>): boolean =>
  open.some((alert) => membersOf(alert).includes(keyOf(finding)));

/** Since when silence says nothing: while we are deaf nobody knows anything from one moment to the next. */
export const unknownSinceMs = ({ deaf, nowMs, watchedSinceMs }: Pick<Look, 'deaf' | 'nowMs' | 'watchedSinceMs'>) =>
  deaf === '' ? watchedSinceMs : nowMs;

export const siteNameOf = (look: Pick<Look, 'sites'>, id: string): string => look.sites.get(id)?.name ?? id;

const nowhere: ReadonlySet<string> = new Set(['', 'unplaced']);

export const sitePart = (look: Pick<Look, 'sites'>, id: string): Part[] =>
  nowhere.has(id) ? [] : [{ kind: 'site', id, name: siteNameOf(look, id) }];

/** One both ways: what cuts one direction mostly cuts the other. */
export function legPart(look: Pick<Look, 'sites'>, a: string, b: string): Part[] {
  if (a === b || nowhere.has(a) || nowhere.has(b)) return [];
  const ends = [a, b].sort();
  return [{ kind: 'leg', id: ends.join(' '), name: ends.map((id) => siteNameOf(look, id)).join(' – ') }];
}

export const servicePart = (look: Pick<Look, 'sites'>, service: string, site: string): Part => ({
  kind: 'service',
  id: `${service}@${site}`,
  name: nowhere.has(site) ? service : `${service} in ${siteNameOf(look, site)}`,
});

export const brokerPart = (broker: string): Part[] =>
  broker === '' ? [] : [{ kind: 'broker', id: broker, name: broker }];

export const siteOfBroker = ({ rules }: Pick<Look, 'rules'>, broker: string): string =>
  rules.brokers.find(({ name }) => name === broker)?.site ?? '';

export function distinctParts(parts: readonly Part[]): Part[] {
  const seen = new Map<string, Part>();
  for (const part of parts) if (!seen.has(`${part.kind} ${part.id}`)) seen.set(`${part.kind} ${part.id}`, part);
  return [...seen.values()];
}
