import { spanKind } from '#lib/domain/span.ts';
import { minuteOf } from '#lib/domain/units.ts';
import type { Store, TopicWindow } from '../store.ts';
import type { Database } from './database.ts';
import type { Dictionary } from './dictionary.ts';

type TopicReads = Pick<Store, 'topicWindows' | 'topicSeries'>;

export const topicReads = (db: Database, dictionary: Dictionary): TopicReads => ({
  async topicWindows(fromMs, toMs) {
    const minutes = [minuteOf(fromMs), Math.ceil(toMs / 60_000)];
    const rows = await db.all<TopicSqlRow>(
      `SELECT topic, sum(messages)::BIGINT AS messages, sum(payload_bytes)::BIGINT AS payload_bytes, sum(retained)::BIGINT AS retained,
              max(last_ms) AS last_ms
       FROM topic_minutes WHERE minute >= $1 AND minute < $2 GROUP BY topic`,
      minutes,
    );
    // no broker: nothing to look for in the spans
    if (rows.length === 0) return [];
    const [told, seen] = await Promise.all([
      db.all<{ topic: number; publisher: number }>(
        'SELECT DISTINCT topic, publisher FROM topic_traffic WHERE minute >= $1 AND minute < $2 AND publisher <> 0',
        minutes,
      ),
      db.all<{ kind: number; destination: number; service: string; device: string }>(
        `SELECT s.kind, s.destination, r.service, coalesce(d.id, '') AS device
         FROM (SELECT DISTINCT kind, destination, resource FROM spans
               WHERE arrival_ms >= $1 AND arrival_ms < $2 AND kind IN (${spanKind.producer}, ${spanKind.consumer}) AND destination <> 0) s
         JOIN resources r ON r.id = s.resource
         LEFT JOIN placings p ON p.resource = s.resource LEFT JOIN devices d ON d.number = p.device`,
        [fromMs, toMs],
      ),
    ]);
    const publishers = new Names();
    const consumers = new Names();
    for (const { topic, publisher } of told) publishers.add(topic, dictionary.text(publisher));
    // Spans name a topic by its text (or its template); a destination is looked up by that
    const byDestination = { [spanKind.producer]: new Names(), [spanKind.consumer]: new Names() };
    for (const { kind, destination, service, device } of seen) {
      byDestination[kind as 4 | 5].add(destination, service || device);
    }
    return rows
      .map<TopicWindow>((row) => {
        const topic = dictionary.topic(row.topic);
        const name = topic?.name ?? '';
        const destination = dictionary.textId(name);
        if (destination !== undefined) {
          for (const producer of byDestination[spanKind.producer].of(destination)) publishers.add(row.topic, producer);
          for (const consumer of byDestination[spanKind.consumer].of(destination)) consumers.add(row.topic, consumer);
        }
        return {
          topicId: row.topic,
          broker: dictionary.text(topic?.broker ?? 0),
          topic: name,
          messages: Number(row.messages),
          payloadBytes: Number(row.payload_bytes),
          retained: Number(row.retained),
          lastMs: Number(row.last_ms),
          publishers: publishers.of(row.topic),
          consumers: consumers.of(row.topic),
        };
      })
      .sort((a, b) => b.messages - a.messages || (a.topic < b.topic ? -1 : 1));
  },

  async topicSeries(topicId, fromMs, toMs) {
    const one = topicId === null ? '' : 'AND topic = $3';
    const rows = await db.all<{ minute: number; messages: bigint; payload_bytes: bigint }>(
      `SELECT minute, sum(messages)::BIGINT AS messages, sum(payload_bytes)::BIGINT AS payload_bytes FROM topic_minutes
       WHERE minute >= $1 AND minute < $2 ${one} GROUP BY minute ORDER BY minute`,
      [minuteOf(fromMs), Math.ceil(toMs / 60_000), ...(topicId === null ? [] : [topicId])],
    );
    return rows.map(({ minute, messages, payload_bytes }) => ({
      minute,
      messages: Number(messages),
      payloadBytes: Number(payload_bytes),
    }));
  },
});

interface TopicSqlRow {
  topic: number;
  messages: bigint;
  payload_bytes: bigint;
  retained: bigint;
  last_ms: bigint;
}

/** Distinct names by number, sorted. */
class Names {
  readonly #names = new Map<number, Set<string>>();

  add(key: number, name: string): void {
    if (name === '') return;
    let names = this.#names.get(key);
    if (!names) {
      names = new Set();
      this.#names.set(key, names);
    }
    names.add(name);
  }

  of(key: number): string[] {
    return [...(this.#names.get(key) ?? [])].sort();
  }
}
