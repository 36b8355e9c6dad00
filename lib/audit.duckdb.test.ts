import { join } from 'node:path';
import { auditContract, type Crossed, type MinuteSketch } from './audit.contract.ts';
import { Database } from './store/duckdb/database.ts';
import { storeOf } from './store/duckdb/duckdb-store.ts';

auditContract('DuckDB', {
  async open(folder, recent) {
    const db = await Database.open(join(folder, 'audit.duckdb'));
    return {
      store: await storeOf(db, { decodeSpans: (() => []) as never, recent }),
      crossings: () =>
        db.all<Crossed>('SELECT * FROM crossings ORDER BY caller_trace_lo, caller_span, callee_trace_lo, callee_span'),
      minutes: () => db.all<MinuteSketch>('SELECT * FROM hop_minutes ORDER BY minute, hop'),
      topicMinutes: () => db.all('SELECT messages, payload_bytes FROM topic_minutes'),
      // numbers of devices and texts are given in the order of arrival
      derived: async () => ({
        crossings: await db.all(`SELECT x.* REPLACE (a.id AS caller_device, b.id AS callee_device) FROM crossings x
          JOIN devices a ON a.number = x.caller_device JOIN devices b ON b.number = x.callee_device ORDER BY caller_span, callee_span`),
        minutes: await db.all('SELECT * FROM hop_minutes ORDER BY ALL'),
        buckets: await db.all('SELECT * FROM hop_minute_buckets ORDER BY ALL'),
        traces:
          await db.all(`SELECT t.* EXCLUDE (arrival_ms, first_arrival_ms, root_resource) REPLACE (s.value AS root_name), r.service FROM traces t
          JOIN strings s ON s.id = t.root_name JOIN resources r ON r.id = t.root_resource ORDER BY trace_lo`),
        hops: await db.all('SELECT * EXCLUDE (first_ms) FROM hops ORDER BY ALL'),
      }),
      asAnOlderVersion: () => db.write(async (tx) => void (await tx.run('UPDATE traces SET first_arrival_ms = NULL'))),
    };
  },
});
