import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { HopscopeError } from '../errors.ts';
import { alertsIn } from './alerts.ts';
import { markersIn } from './markers.ts';
import { notificationsIn } from './notifications.ts';
import { ruleSettingsIn } from './rule-settings.ts';
import { silencesIn } from './silences.ts';
import type { State } from './state.ts';

const newestSchema = 1;

const schema = `
  CREATE TABLE alerts (
    id TEXT PRIMARY KEY, phase TEXT NOT NULL, at_ms INTEGER NOT NULL, resolved_ms INTEGER, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX alerts_by_time ON alerts (at_ms DESC);
  CREATE INDEX alerts_open ON alerts (phase) WHERE phase <> 'resolved';
  CREATE TABLE alert_events (
    number INTEGER PRIMARY KEY, alert TEXT NOT NULL, time_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, text TEXT NOT NULL);
  CREATE INDEX alert_events_of ON alert_events (alert, number);
  CREATE TABLE silences (id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE markers (id TEXT PRIMARY KEY, time_ms INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE INDEX markers_by_time ON markers (time_ms DESC);
  CREATE TABLE rule_settings (rule TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE rule_setting_events (
    number INTEGER PRIMARY KEY, rule TEXT NOT NULL, who TEXT NOT NULL, at_ms INTEGER NOT NULL, body TEXT);
  CREATE TABLE notifications (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, target TEXT NOT NULL, alert TEXT NOT NULL, status TEXT NOT NULL, body TEXT NOT NULL,
    created_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'waiting',
    error TEXT NOT NULL DEFAULT '', done_ms INTEGER, UNIQUE (key, target));
  CREATE INDEX notifications_waiting ON notifications (due_ms) WHERE state = 'waiting';
  CREATE INDEX notifications_in_order ON notifications (target, json_extract(body, '$.fingerprint'), id) WHERE state = 'waiting';
  CREATE INDEX notifications_of ON notifications (alert);
  CREATE TABLE memory (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** Opens or makes `state.db` in the data directory; every transaction is on the disk when it returns. null: in memory, for a moment. */
export function openState(dir: string | null): State {
  if (dir !== null) mkdirSync(dir, { recursive: true, mode: 0o700 });
  const file = dir === null ? ':memory:' : join(dir, 'state.db');
  const db = new DatabaseSync(file, { timeout: 5_000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
  migrate(db, file);

  const listeners = new Set<() => void>();
  let depth = 0;
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work();
    db.exec('BEGIN IMMEDIATE');
    depth++;
    const before = totalChanges(db);
    let result: T;
    try {
      result = work();
      if (result instanceof Promise) throw new Error('A transaction of the state is synchronous: found a promise.');
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    } finally {
      depth--;
    }
    if (totalChanges(db) !== before) for (const listener of listeners) listener();
    return result;
  };
  /** A single change is a transaction of its own. */
  const change = <A extends unknown[], R>(work: (...args: A) => R) => {
    return (...args: A): R => transaction(() => work(...args));
  };

  const getMemory = db.prepare('SELECT value FROM memory WHERE key = ?');
  const setMemory = db.prepare(
    'INSERT INTO memory VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  return {
    alerts: alertsIn(db, change),
    silences: silencesIn(db, change),
    markers: markersIn(db, change),
    ruleSettings: ruleSettingsIn(db, change),
    notifications: notificationsIn(db, change),
    memory: {
      get: (key) => (getMemory.get(key) as { value: string } | undefined)?.value ?? null,
      set: change((key: string, value: string) => void setMemory.run(key, value)),
    },
    transaction,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => db.close(),
  };
}

/** Makes a function that writes a transaction of its own, or part of the one that is going on. */
export type Change = <A extends unknown[], R>(work: (...args: A) => R) => (...args: A) => R;

const totalChanges = (db: DatabaseSync): number =>
  Number((db.prepare('SELECT total_changes() AS n').get() as { n: number }).n);

function migrate(db: DatabaseSync, file: string): void {
  const version = Number((db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version);
  if (version > newestSchema)
    throw new HopscopeError(
      'state',
      `${file}: found schema ${version}, wanted ${newestSchema} or older: it was written by a newer Hopscope`,
    );
  if (version === 0) db.exec(`BEGIN; ${schema} PRAGMA user_version = ${newestSchema}; COMMIT`);
}
