import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { auditContract } from './audit.contract.ts';
import { type QuestDbServer, startQuestDb } from './store/fixtures/questdb-server.ts';
import { emptyTables } from './store/fixtures/questdb-tables.ts';
import { parseAddress } from './store/questdb/address.ts';
import { minuteOfMicros, unsigned } from './store/questdb/dialect.ts';
import { bookOf, storeOf } from './store/questdb/questdb-store.ts';
import { Server } from './store/questdb/server.ts';

let questdb: QuestDbServer;
beforeAll(async () => {
  questdb = await startQuestDb({ 'cairo.commit.mode': 'nosync' });
}, 240_000);
afterAll(() => questdb.remove());

type Row = Record<string, unknown>;

/** As the other engine has them: ids unsigned, the minute a number. */
const plain = ({ at, ...row }: Row): Row => {
  for (const name of ids) if (name in row) row[name] = unsigned(row[name] as bigint | null);
  return { ...row, minute: minuteOfMicros(at as bigint) };
};
const ids = [
  'caller_trace_hi',
  'caller_trace_lo',
  'caller_span',
  'callee_trace_hi',
  'callee_trace_lo',
  'callee_span',
  'hop',
];

auditContract('QuestDB', {
  async open(folder, recent) {
    const server = new Server(parseAddress(questdb.url('audited_')));
    await emptyTables(server);
    const book = await bookOf(server, join(folder, 'audit.sqlite'));
    const all = async (sql: string): Promise<Row[]> =>
      (await server.all<Row>(sql)).map(({ ts: _, gone: __, ...row }) => plain(row));
    const numbers = (row: Row): Row =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          typeof value === 'bigint' && name !== 'hop' ? Number(value) : value,
        ]),
      );
    const crossings = () =>
      all(
        `SELECT *, ts::long AS at FROM ${server.table('crossings')} WHERE NOT gone ORDER BY caller_trace_lo, caller_span, callee_trace_lo, callee_span`,
      );
    const minutes = async () =>
      (await all(`SELECT *, ts::long AS at FROM ${server.table('hop_minutes')} WHERE NOT gone ORDER BY ts, hop`)).map(
        numbers,
      );
    return {
      store: await storeOf(server, book, { decodeSpans: (() => []) as never, recent }),
      crossings: crossings as never,
      minutes: minutes as never,
      topicMinutes: async () =>
        (
          await server.all<{ messages: bigint; payload_bytes: bigint }>(
            `SELECT messages, payload_bytes FROM ${server.table('topic_minutes')}`,
          )
        ).map((row) => ({ ...row, messages: Number(row.messages) })),
      derived: async () => ({
        crossings: await crossings(),
        minutes: await minutes(),
        buckets: await all(
          `SELECT *, ts::long AS at FROM ${server.table('hop_minute_buckets')} WHERE "count" > 0 ORDER BY ts, hop, kind, bucket`,
        ),
        traces: await server.all(
          `SELECT trace_hi, trace_lo, start_ns, duration_ns, root_name, has_root, spans, errors, root_resource
           FROM ${server.table('traces')} WHERE NOT gone ORDER BY trace_lo`,
        ),
        hops: await server.all(
          `SELECT hop, from_service, from_site, from_application, to_service, to_site, to_application, system, destination
           FROM ${server.table('hops')} ORDER BY hop`,
        ),
      }),
      asAnOlderVersion: null,
    };
  },
});
