import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import { bucketOf as histogramBucket } from '#lib/domain/histogram.ts';
import type { Resource } from '#lib/domain/span.ts';
import { decodeSketches, noonMs, noonNanos, traceHi } from '../fixtures/batches.ts';
import { type QuestDbServer, startQuestDb } from '../fixtures/questdb-server.ts';
import { emptyTables } from '../fixtures/questdb-tables.ts';
import { type Seed, storeContract } from '../store.contract.ts';
import { parseAddress } from './address.ts';
import type { AuditBook } from './audit-book.ts';
import { bucketOf, microsOf, microsOfMinute, signed } from './dialect.ts';
import { type Cell, Lines } from './lines.ts';
import { migrate } from './migrate.ts';
import { bookOf, storeOf } from './questdb-store.ts';
import type { TableName } from './schema.ts';
import { Server } from './server.ts';
import { resourceSymbol } from './texts.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 240_000 });

// Small sets of recent keys: 60 MB and their emptying in every test would be most of its time
const recent = { spans: 50_000, dataPoints: 1_000, passages: 1_000 };

let questdb: QuestDbServer;
const dirs: string[] = [];
beforeAll(async () => {
  // what survives a power cut is not asked here, and hundreds of tables are made
  questdb = await startQuestDb({ 'cairo.commit.mode': 'nosync' });
});
afterAll(async () => {
  await questdb.remove();
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

/** Whose rows the tables hold: another folder is another store, and begins empty. */
let opened = '';

storeContract('QuestDB', {
  newDir() {
    const dir = mkdtempSync(join(tmpdir(), 'hopscope-store-'));
    dirs.push(dir);
    return dir;
  },
  async open(dir, bounds) {
    const server = new Server(parseAddress(questdb.url('contract_')));
    if (opened === dir) await migrate(server);
    else await emptyTables(server);
    opened = dir;
    const book = await bookOf(server, join(dir, 'audit.sqlite'));
    return {
      store: await storeOf(server, book, { decodeSpans: decodeSketches, bounds, recent }),
      seed: seedOf(server, book),
      async received() {
        const count = async (sql: string): Promise<number> => {
          const [row] = await server.all<{ n: bigint | null }>(sql);
          return Number(row?.n ?? 0);
        };
        const rows = (table: TableName) => count(`SELECT count() AS n FROM ${server.table(table)}`);
        return {
          spans: await rows('spans'),
          links: await rows('links'),
          passages: await rows('passages'),
          dataPoints: await rows('data_points'),
          topics: await count(
            `SELECT count() AS n FROM (SELECT DISTINCT broker, topic FROM ${server.table('topic_traffic')})`,
          ),
          messages: await count(`SELECT sum(messages) AS n FROM ${server.table('topic_traffic')}`),
          // '' and what folds are always known
          texts: (await rows('texts')) + 2,
        };
      },
    };
  },
});

/** Rows that otherwise only the audit writes. */
function seedOf(server: Server, book: AuditBook): Seed {
  const put = async (table: TableName, rows: { at: number | bigint; values: Cell[] }[]): Promise<void> => {
    const lines = new Lines(server.address.prefix);
    for (const { at, values } of rows) lines.add(table, at, values);
    await server.send(lines);
  };
  const insert = async (sql: string, rows: (string | number | bigint | null)[][]): Promise<void> => {
    book.begin();
    for (const row of rows) book.run(sql, ...row);
    book.commit();
  };
  const deviceId = (number: number): string =>
    book.all<{ id: string }>('SELECT id FROM devices WHERE number = ?', number)[0]?.id ?? '';
  const symbol = (resource: Resource): string => resourceSymbol(resource);
  return {
    devices: (rows) =>
      insert(
        'INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        rows.map((d) => [
          d.number,
          d.id,
          d.name,
          d.site,
          '["line"]',
          'up',
          '',
          noonMs,
          d.lastSeenMs ?? noonMs,
          null,
          JSON.stringify(d.services ?? []),
        ]),
      ),
    placings: (rows) =>
      insert(
        'INSERT INTO placings VALUES (?, ?, ?, ?, ?)',
        rows.map((p) => [symbol(p.resource), p.device, null, p.site, p.application]),
      ),
    sites: (rows) =>
      insert(
        'INSERT INTO sites VALUES (?, ?, ?, ?)',
        rows.map((s) => [s.id, s.name, s.lat, s.lon]),
      ),
    deviceEvents: (rows) =>
      put(
        'device_events',
        rows.map((e) => ({ at: microsOf(e.timeMs), values: [deviceId(e.device), e.from, e.to, e.reason, e.timeMs] })),
      ),
    hops: (rows) =>
      put(
        'hops',
        rows.map((h) => ({
          at: 0,
          values: [signed(h.hop), h.from, 'here', 'app', h.to, 'there', 'app', 'mqtt', h.destination, noonMs],
        })),
      ),
    async hopMinutes(rows) {
      await put(
        'hop_minutes',
        rows.map((m) => {
          const count = m.bounded + m.assumed;
          const sum = m.added.reduce((a, b) => a + b, 0);
          return {
            at: microsOfMinute(m.minute),
            values: [
              m.broker ?? '',
              signed(m.hop),
              count,
              count,
              0,
              0,
              sum,
              Math.max(...m.added),
              m.boundMs,
              0,
              0,
              m.bounded,
              m.assumed,
              0,
              0,
              0,
              m.floorMs,
              m.floorMs,
              0,
              null,
              null,
              false,
            ],
          };
        }),
      );
      const counts = new Map<string, { at: number; hop: bigint; bucket: number; n: number }>();
      for (const m of rows)
        for (const ms of m.added) {
          const bucket = histogramBucket(ms);
          const key = `${m.hop} ${m.minute} ${bucket}`;
          const of = counts.get(key) ?? { at: microsOfMinute(m.minute), hop: m.hop, bucket, n: 0 };
          counts.set(key, { ...of, n: of.n + 1 });
        }
      await put(
        'hop_minute_buckets',
        [...counts.values()].map(({ at, hop, bucket, n }) => ({ at, values: [signed(hop), 0, bucket, n] })),
      );
    },
    crossings: (rows) =>
      put(
        'crossings',
        rows.map((c) => {
          const start = noonNanos + BigInt(c.startMs) * 1_000_000n;
          return {
            at: microsOfMinute(Math.floor((noonMs + c.startMs) / 60_000)),
            values: [
              bucketOf(c.callerTrace),
              bucketOf(c.calleeTrace),
              deviceId(c.callerDevice),
              deviceId(c.calleeDevice),
              '',
              '',
              signed(traceHi),
              c.callerTrace,
              c.callerSpan,
              signed(traceHi),
              c.calleeTrace,
              c.calleeSpan,
              signed(c.hop),
              true,
              false,
              false,
              start,
              1_000_000n,
              start + 6_000_000n,
              1_000_000n,
              null,
              6_000_000n,
              c.addedNanos,
              null,
              null,
              3,
              0n,
              0n,
              null,
              null,
              null,
              null,
              0n,
              0,
              false,
              false,
            ],
          };
        }),
      ),
    traces: (rows) =>
      put(
        'traces',
        rows.map((t) => ({
          at: microsOf(noonMs),
          values: [
            bucketOf(t.trace),
            t.rootName,
            symbol(t.rootResource),
            signed(traceHi),
            t.trace,
            noonNanos + BigInt(t.startMs) * 1_000_000n,
            BigInt(t.durationMs) * 1_000_000n,
            true,
            t.spans,
            t.errors,
            noonMs,
            false,
          ],
        })),
      ),
    topicMinutes: (rows) =>
      put(
        'topic_minutes',
        rows.map((t) => ({
          at: microsOfMinute(t.minute),
          values: [t.broker, t.topic, t.messages, t.payloadBytes, t.retained ?? 0, noonMs],
        })),
      ),
    clocks: (rows) =>
      put(
        'clocks',
        rows.map((c) => ({
          at: microsOfMinute(c.minute),
          values: [deviceId(c.device), c.method, c.offsetNanos, c.boundNanos, c.lowNanos ?? null, null, false],
        })),
      ),
  };
}
