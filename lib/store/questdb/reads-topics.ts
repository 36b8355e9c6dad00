import { spanKind } from '#lib/domain/span.ts';
import { minuteOf } from '#lib/domain/units.ts';
import type { PathStore } from '../path-store.ts';
import type { Store, TopicWindow } from '../store.ts';
import type { AuditBook } from './audit-book.ts';
import { microsOf, microsOfMinute, minuteOfMicros } from './dialect.ts';
import type { Known } from './known.ts';
import { wholeMinutes } from './reads-hops.ts';
import type { Server } from './server.ts';
import { type TopicNames, topicIdOf } from './topic-ids.ts';

type TopicReads = Pick<Store, 'topicWindows' | 'topicSeries'> &
  Pick<PathStore, 'topicSeriesOf' | 'brokerSeries' | 'topicRhythms'>;

interface Means {
  server: Server;
  book: AuditBook;
  known: Known;
  topics: TopicNames;
}

export const topicReads = ({ server, book, known, topics }: Means): TopicReads => ({
  async topicWindows(fromMs, toMs) {
    const minutes = wholeMinutes(fromMs, toMs);
    const rows = (
      await server.all<SumRow>(
        `SELECT broker, topic, sum(messages) AS messages, sum(payload_bytes) AS payload_bytes, sum(retained) AS retained, max(last_ms) AS last_ms
         FROM ${server.table('topic_minutes')} WHERE ts >= $1 AND ts < $2 GROUP BY broker, topic`,
        minutes,
      )
    ).map(named);
    // no broker: nothing to look for in the spans
    if (rows.length === 0) return [];
    const [told, seen] = await Promise.all([
      server.all<{ broker: string | null; topic: string | null; publisher: string }>(
        // a minute is that of the arrival
        `SELECT DISTINCT broker, topic, publisher FROM ${server.table('topic_traffic')}
         WHERE ts >= $1 AND ts < $2 AND minute >= $3 AND minute < $4 AND publisher IS NOT NULL`,
        [minutes[0] - 600_000_000, minutes[1] + 600_000_000, minuteOf(fromMs), Math.ceil(toMs / 60_000)],
      ),
      server.all<{ kind: number; destination: string; resource: string }>(
        `SELECT DISTINCT kind, destination, resource FROM ${server.table('spans')}
         WHERE ts >= $1 AND ts < $2 AND destination IS NOT NULL AND (kind = ${spanKind.producer} OR kind = ${spanKind.consumer})`,
        [microsOf(fromMs), microsOf(toMs)],
      ),
    ]);
    const publishers = new Names();
    for (const row of told.map(named)) publishers.add(String(topicIdOf(row)), row.publisher);
    // Spans name a topic by its text (or its template), whatever the broker
    const [producing, consuming] = [new Names(), new Names()];
    const places = book.places();
    for (const { kind, destination, resource } of seen) {
      const name = (await known.resource(resource)).serviceName || (places.get(resource)?.deviceId ?? '');
      (kind === spanKind.producer ? producing : consuming).add(destination, name);
    }
    return rows
      .map<TopicWindow>((row) => {
        const id = topicIdOf(row);
        return {
          topicId: id,
          broker: row.broker,
          topic: row.topic,
          messages: Number(row.messages),
          payloadBytes: Number(row.payload_bytes),
          retained: Number(row.retained),
          lastMs: Number(row.last_ms),
          publishers: [...new Set([...publishers.of(String(id)), ...producing.of(row.topic)])].sort(),
          consumers: consuming.of(row.topic),
        };
      })
      .sort((a, b) => b.messages - a.messages || (a.topic < b.topic ? -1 : 1));
  },

  async topicSeries(topicId, fromMs, toMs) {
    const name = topicId === null ? null : await topics.nameOf(topicId);
    if (topicId !== null && !name) return [];
    const one = name ? 'AND broker = $3 AND topic = $4' : '';
    const rows = await server.all<MinuteRow>(
      `SELECT ts::long AS at, sum(messages) AS messages, sum(payload_bytes) AS payload_bytes FROM ${server.table('topic_minutes')}
       WHERE ts >= $1 AND ts < $2 ${one} GROUP BY at ORDER BY at`,
      [...wholeMinutes(fromMs, toMs), ...(name ? [name.broker, name.topic] : [])],
    );
    return rows.map(minuteRowOf);
  },

  async topicSeriesOf(topicIds, fromMs, toMs) {
    const wanted = topicIds === null ? null : new Set(topicIds);
    const rows = await server.all<MinuteRow & { broker: string | null; topic: string | null }>(
      `SELECT broker, topic, ts::long AS at, messages, payload_bytes FROM ${server.table('topic_minutes')} WHERE ts >= $1 AND ts <= $2`,
      throughMinutes(fromMs, toMs),
    );
    return rows
      .map((row) => ({ topicId: topicIdOf(named(row)), ...minuteRowOf(row) }))
      .filter(({ topicId }) => wanted === null || wanted.has(topicId))
      .sort((a, b) => a.topicId - b.topicId || a.minute - b.minute);
  },

  async brokerSeries(fromMs, toMs) {
    const rows = await server.all<MinuteRow & { broker: string | null }>(
      `SELECT broker, ts::long AS at, sum(messages) AS messages, sum(payload_bytes) AS payload_bytes
       FROM ${server.table('topic_minutes')} WHERE ts >= $1 AND ts <= $2 GROUP BY broker, at ORDER BY broker, at`,
      throughMinutes(fromMs, toMs),
    );
    return rows.map((row) => ({ broker: row.broker ?? '', ...minuteRowOf(row) }));
  },

  async topicRhythms(fromMs, toMs) {
    const rows = await server.all<MinuteRow & { broker: string | null; topic: string | null; last_ms: bigint }>(
      `SELECT broker, topic, ts::long AS at, messages, payload_bytes, last_ms FROM ${server.table('topic_minutes')}
       WHERE ts >= $1 AND ts <= $2 AND messages > 0 ORDER BY ts`,
      throughMinutes(fromMs, toMs),
    );
    const found = new Map<
      number,
      { broker: string; topic: string; messages: number; minutes: number[]; lastMs: number }
    >();
    for (const row of rows) {
      const name = { broker: row.broker ?? '', topic: row.topic ?? '' };
      const id = topicIdOf(name);
      const of = found.get(id) ?? { ...name, messages: 0, minutes: [], lastMs: 0 };
      found.set(id, of);
      of.messages += Number(row.messages);
      of.minutes.push(minuteOfMicros(row.at));
      of.lastMs = Math.max(of.lastMs, Number(row.last_ms));
    }
    return [...found]
      .map(([topicId, { broker, topic, messages, minutes, lastMs }]) => {
        const pauses = minutes.slice(1).map((minute, i) => minute - minutes[i]!);
        return {
          topicId,
          broker,
          topic,
          messages,
          firstMinute: minutes[0]!,
          lastMs,
          pauseMinutes: quantileOf(pauses, 0.9),
        };
      })
      .sort((a, b) => b.messages - a.messages || a.topicId - b.topicId);
  },
});

/** The value at this share of them, one that is there; null of none. */
export function quantileOf(values: number[], share: number): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

const throughMinutes = (fromMs: number, toMs: number): [number, number] => [
  microsOfMinute(minuteOf(fromMs)),
  microsOfMinute(minuteOf(toMs - 1)),
];

interface SumRow {
  broker: string | null;
  topic: string | null;
  messages: bigint;
  payload_bytes: bigint;
  retained: bigint;
  last_ms: bigint;
}

const named = <T extends { broker: string | null; topic: string | null }>(row: T) => ({
  ...row,
  broker: row.broker ?? '',
  topic: row.topic ?? '',
});

interface MinuteRow {
  at: bigint;
  messages: bigint;
  payload_bytes: bigint;
}

const minuteRowOf = (row: MinuteRow) => ({
  minute: minuteOfMicros(row.at),
  messages: Number(row.messages),
  payloadBytes: Number(row.payload_bytes),
});

/** Distinct names by key, sorted. */
class Names {
  readonly #names = new Map<string, Set<string>>();

  add(key: string, name: string): void {
    if (name === '') return;
    const names = this.#names.get(key) ?? new Set();
    this.#names.set(key, names.add(name));
  }

  of(key: string): string[] {
    return [...(this.#names.get(key) ?? [])].sort();
  }
}
