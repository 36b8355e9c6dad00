import type {
  Alert,
  AlertEvent,
  AlertPhase,
  Marker,
  Notification,
  RuleId,
  RuleSetting,
  Silence,
} from '../domain/alert.ts';
import type { EpochMillis } from '../domain/units.ts';

/**
 * What people decided and what is going on: small, transactional, kept in one file beside the store (design.md section 10).
 * Synchronous: rows are few, and a step that is half done must not be seen.
 */
export interface State {
  alerts: Alerts;
  silences: Silences;
  markers: Markers;
  ruleSettings: RuleSettings;
  notifications: Notifications;
  /** What an engine remembers from one step to the next, by a name of its own. */
  memory: Memory;
  /** All of it or nothing, durable when it returns. */
  transaction<T>(work: () => T): T;
  /** Told after each transaction that changed something; returns how to stop. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export interface AlertQuery {
  phases?: readonly AlertPhase[];
  /** fired, or else seen, within [from, to) */
  fromMs?: EpochMillis;
  toMs?: EpochMillis;
  /** older than this one, for the next page */
  beforeMs?: EpochMillis;
  limit: number;
}

export interface Alerts {
  /** Newest first. */
  list(query: AlertQuery): Alert[];
  get(id: string): Alert | null;
  /** All that are not resolved. */
  open(): Alert[];
  save(alert: Alert): void;
  /** For one that came to nothing before it fired. */
  drop(id: string): void;
  log(id: string, event: AlertEvent): void;
  history(id: string): AlertEvent[];
  /** Resolved ones before this, with their history and messages. */
  forgetBefore(timeMs: EpochMillis): void;
}

export interface Silences {
  /** Not ended and not over, then those that are; newest first. */
  list(nowMs: EpochMillis): Silence[];
  active(nowMs: EpochMillis): Silence[];
  get(id: string): Silence | null;
  save(silence: Silence): void;
}

export interface Markers {
  /** Newest first. */
  between(fromMs: EpochMillis, toMs: EpochMillis): Marker[];
  /** The same id again changes nothing; answers whether it is new. */
  add(marker: Marker): boolean;
  forgetBefore(timeMs: EpochMillis): void;
}

export interface RuleSettings {
  all(): RuleSetting[];
  save(setting: RuleSetting): void;
  /** Back to the catalogue; who did it is kept. */
  reset(rule: RuleId, by: string, atMs: EpochMillis): void;
  /** Who set what when, newest first. */
  history(): { rule: RuleId; by: string; atMs: EpochMillis; setting: RuleSetting | null }[];
}

export interface Notifications {
  /** The same key and target again adds nothing. */
  add(notification: Omit<Notification, 'id' | 'attempts' | 'state' | 'error' | 'doneMs'>): void;
  /** Waiting and due, to all targets or to one, oldest first; none while an older one of the same cause waits for its target. */
  due(nowMs: EpochMillis, limit: number, target?: string): Notification[];
  /** When the next one is due; null: none waits. */
  nextDueMs(): EpochMillis | null;
  sent(id: number, atMs: EpochMillis): void;
  /** `againMs`: null gives up. */
  failed(id: number, error: string, atMs: EpochMillis, againMs: EpochMillis | null): void;
  /** What waits for any other target. */
  giveUpExcept(targets: readonly string[], error: string, atMs: EpochMillis): void;
  ofAlert(alertId: string): Notification[];
  /** Newest first. */
  latest(limit: number): Notification[];
}

export interface Memory {
  get(key: string): string | null;
  set(key: string, value: string): void;
}
