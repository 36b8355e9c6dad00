import type { DatabaseSync } from 'node:sqlite';
import type { Marker } from '../domain/alert.ts';
import type { Change } from './open.ts';
import type { Markers } from './state.ts';

const most = 2_000;

export function markersIn(db: DatabaseSync, change: Change): Markers {
  const between = db.prepare(
    'SELECT body FROM markers WHERE time_ms >= ? AND time_ms < ? ORDER BY time_ms DESC, id LIMIT ?',
  );
  const add = db.prepare('INSERT INTO markers (id, time_ms, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const forget = db.prepare('DELETE FROM markers WHERE time_ms < ?');
  return {
    between: (fromMs, toMs) =>
      (between.all(fromMs, toMs, most) as { body: string }[]).map(({ body }) => JSON.parse(body) as Marker),
    add: change((marker: Marker) => Number(add.run(marker.id, marker.timeMs, JSON.stringify(marker)).changes) > 0),
    forgetBefore: change((timeMs: number) => {
      forget.run(timeMs);
    }),
  };
}
