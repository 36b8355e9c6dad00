import type { DatabaseSync } from 'node:sqlite';
import type { Alert, Notification } from '../domain/alert.ts';
import type { Change } from './open.ts';
import type { Notifications } from './state.ts';

interface StoredNotification {
  id: number;
  key: string;
  target: string;
  alert: string;
  status: Notification['status'];
  body: string;
  created_ms: number;
  due_ms: number;
  attempts: number;
  state: Notification['state'];
  error: string;
  done_ms: number | null;
}

const parsed = (rows: unknown[]): Notification[] =>
  (rows as StoredNotification[]).map((row) => ({
    id: row.id,
    key: row.key,
    target: row.target,
    alertId: row.alert,
    status: row.status,
    alert: JSON.parse(row.body) as Alert,
    createdMs: row.created_ms,
    dueMs: row.due_ms,
    attempts: row.attempts,
    state: row.state,
    error: row.error,
    doneMs: row.done_ms,
  }));

/** As the index on it says it, letter by letter. */
const causeOf = (table: string): string => `json_extract(${table}.body, '$.fingerprint')`;

export function notificationsIn(db: DatabaseSync, change: Change): Notifications {
  const add = db.prepare(
    `INSERT INTO notifications (key, target, alert, status, body, created_ms, due_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING`,
  );
  // an incident that is over is closed before the next of the same cause is opened, however often either was tried
  const due = db.prepare(
    `SELECT * FROM notifications AS n WHERE state = 'waiting' AND due_ms <= ? AND target = ifnull(?, target) AND NOT EXISTS (
       SELECT 1 FROM notifications AS older WHERE older.state = 'waiting' AND older.target = n.target
         AND ${causeOf('older')} = ${causeOf('n')} AND older.id < n.id)
     ORDER BY +id LIMIT ?`, // + : out of the index of what waits, not through all that was ever sent
  );
  const next = db.prepare(`SELECT min(due_ms) AS due FROM notifications WHERE state = 'waiting'`);
  const sent = db.prepare(
    `UPDATE notifications SET state = 'sent', attempts = attempts + 1, error = '', done_ms = ? WHERE id = ? AND state = 'waiting'`,
  );
  const again = db.prepare(
    `UPDATE notifications SET attempts = attempts + 1, error = ?, due_ms = ? WHERE id = ? AND state = 'waiting'`,
  );
  const givenUp = db.prepare(
    `UPDATE notifications SET state = 'given-up', attempts = attempts + 1, error = ?, done_ms = ? WHERE id = ? AND state = 'waiting'`,
  );
  const abandoned = db.prepare(
    `UPDATE notifications SET state = 'given-up', error = ?, done_ms = ?
     WHERE state = 'waiting' AND target NOT IN (SELECT value FROM json_each(?))`,
  );
  const ofAlert = db.prepare('SELECT * FROM notifications WHERE alert = ? ORDER BY id');
  const latest = db.prepare('SELECT * FROM notifications ORDER BY id DESC LIMIT ?');
  return {
    add: change((n: Parameters<Notifications['add']>[0]) => {
      add.run(n.key, n.target, n.alertId, n.status, JSON.stringify(n.alert), n.createdMs, n.dueMs);
    }),
    due: (nowMs, limit, target) => parsed(due.all(nowMs, target ?? null, limit)),
    nextDueMs: () => (next.get() as { due: number | null }).due,
    sent: change((id: number, atMs: number) => {
      sent.run(atMs, id);
    }),
    failed: change((id: number, error: string, atMs: number, againMs: number | null) => {
      if (againMs === null) givenUp.run(error, atMs, id);
      else again.run(error, againMs, id);
    }),
    giveUpExcept: change((targets: readonly string[], error: string, atMs: number) => {
      abandoned.run(error, atMs, JSON.stringify(targets));
    }),
    ofAlert: (alertId) => parsed(ofAlert.all(alertId)),
    latest: (limit) => parsed(latest.all(limit)),
  };
}
