import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Alert, AlertEvent } from '../domain/alert.ts';
import type { Change } from './open.ts';
import type { Alerts } from './state.ts';

const most = 1_000;
const parsed = (rows: unknown[]): Alert[] => (rows as { body: string }[]).map(({ body }) => JSON.parse(body) as Alert);

export function alertsIn(db: DatabaseSync, change: Change): Alerts {
  const get = db.prepare('SELECT body FROM alerts WHERE id = ?');
  const open = db.prepare(`SELECT body FROM alerts WHERE phase <> 'resolved' ORDER BY at_ms DESC, id`);
  const save = db.prepare(
    `INSERT INTO alerts (id, phase, at_ms, resolved_ms, body) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, at_ms = excluded.at_ms, resolved_ms = excluded.resolved_ms, body = excluded.body`,
  );
  const drop = db.prepare('DELETE FROM alerts WHERE id = ?');
  const dropEvents = db.prepare('DELETE FROM alert_events WHERE alert = ?');
  const log = db.prepare('INSERT INTO alert_events (alert, time_ms, who, what, text) VALUES (?, ?, ?, ?, ?)');
  const history = db.prepare(
    'SELECT time_ms AS timeMs, who, what, text FROM alert_events WHERE alert = ? ORDER BY number',
  );
  const forgotten = `(SELECT id FROM alerts WHERE phase = 'resolved' AND resolved_ms < ?)`;
  const forget = [
    db.prepare(`DELETE FROM alert_events WHERE alert IN ${forgotten}`),
    db.prepare(`DELETE FROM notifications WHERE state <> 'waiting' AND alert IN ${forgotten}`),
    db.prepare(`DELETE FROM alerts WHERE phase = 'resolved' AND resolved_ms < ?`),
  ];
  return {
    list({ phases, fromMs, toMs, beforeMs, limit }) {
      const wanted: SQLInputValue[] = [
        fromMs ?? Number.MIN_SAFE_INTEGER,
        Math.min(toMs ?? Number.MAX_SAFE_INTEGER, beforeMs ?? Number.MAX_SAFE_INTEGER),
      ];
      const ofPhase = phases ? `AND phase IN (${phases.map(() => '?').join(', ')})` : '';
      const rows = db.prepare(
        `SELECT body FROM alerts WHERE at_ms >= ? AND at_ms < ? ${ofPhase} ORDER BY at_ms DESC, id LIMIT ?`,
      );
      return parsed(rows.all(...wanted, ...(phases ?? []), Math.min(limit, most)));
    },
    get: (id) => parsed(get.all(id))[0] ?? null,
    open: () => parsed(open.all()),
    save: change((alert: Alert) => {
      save.run(alert.id, alert.phase, alert.firedMs ?? alert.seenMs, alert.resolvedMs, JSON.stringify(alert));
    }),
    drop: change((id: string) => {
      drop.run(id);
      dropEvents.run(id);
    }),
    log: change((id: string, event: AlertEvent) => {
      log.run(id, event.timeMs, event.who, event.what, event.text);
    }),
    history: (id) => history.all(id) as unknown as AlertEvent[],
    forgetBefore: change((timeMs: number) => {
      for (const statement of forget) statement.run(timeMs);
    }),
  };
}
