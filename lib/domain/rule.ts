import type { Millis } from './units.ts';

/** What people decided, out of hopscope.yaml: pure data, matched in lib/domain, new rules act on new data. */
export interface Rules {
  sites: SiteRule[];
  applications: ApplicationRule[];
  budgets: BudgetRule[];
  owners: OwnerRule[];
  brokers: BrokerRule[];
  /** how fast one clock may drift, parts per million; default 50 */
  maxDriftPpm: number;
}

export interface SiteRule {
  id: string;
  name: string;
  lat: number | null;
  lon: number | null;
  /** globs over host names */
  hosts: string[];
}

export interface ApplicationRule {
  id: string;
  /** globs over service names */
  services: string[];
  /** MQTT topic filters */
  topics: string[];
}

/** First match wins. Exactly one of path, topic, service, application; exactly one of addedMs, totalMs. */
export interface BudgetRule {
  /** root span name of a request path */
  path?: string;
  /** MQTT topic filter over the hop's destination */
  topic?: string;
  /** service of the callee */
  service?: string;
  application?: string;
  /** judges one hop */
  addedMs?: Millis;
  /** judges a path end to end */
  totalMs?: Millis;
}

export interface OwnerRule {
  application: string;
  team: string;
  contact: string;
}

/** A broker by the name that passages carry. */
export interface BrokerRule {
  name: string;
  site: string;
}
