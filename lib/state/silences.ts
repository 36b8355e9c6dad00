import type { DatabaseSync } from 'node:sqlite';
import type { Silence } from '../domain/alert.ts';
import type { Change } from './open.ts';
import type { Silences } from './state.ts';

const most = 500;
const parsed = (rows: unknown[]): Silence[] =>
  (rows as { body: string }[]).map(({ body }) => JSON.parse(body) as Silence);

export function silencesIn(db: DatabaseSync, change: Change): Silences {
  const get = db.prepare('SELECT body FROM silences WHERE id = ?');
  const notOver = db.prepare('SELECT body FROM silences WHERE until_ms > ? ORDER BY created_ms DESC, id');
  const list = db.prepare('SELECT body FROM silences ORDER BY until_ms > ? DESC, created_ms DESC, id LIMIT ?');
  // an end that came early is its end
  const save = db.prepare(
    `INSERT INTO silences (id, created_ms, until_ms, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET until_ms = excluded.until_ms, body = excluded.body`,
  );
  return {
    list: (nowMs) => parsed(list.all(nowMs, most)),
    active: (nowMs) => parsed(notOver.all(nowMs)).filter((silence) => silence.fromMs <= nowMs),
    get: (id) => parsed(get.all(id))[0] ?? null,
    save: change((silence: Silence) => {
      const untilMs = Math.min(silence.untilMs, silence.ended?.atMs ?? silence.untilMs);
      save.run(silence.id, silence.createdMs, untilMs, JSON.stringify(silence));
    }),
  };
}
