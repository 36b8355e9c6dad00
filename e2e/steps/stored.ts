import { copyFileSync, rmSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import type { QuestDb } from './questdb.ts';
import { topicOfItem } from './senders.ts';

/** What a closed store holds, read from its file by SQL. */
export interface Stored {
  /** how often each span stands there, by id */
  spans: Map<string, number>;
  /** messages by topic */
  messages: Map<string, number>;
  /** how often a passage stands there, by the producer's span id: only those that stand there twice */
  passagesTwice: string[];
  books: { received: number; stored: number; duplicate: number; rejected: number };
  gaps: string[];
}

/** A store that nobody writes to any more, read by SQL behind the product's back. */
export interface Kept {
  read(): Promise<Stored>;
  /** A check that cannot fail proves nothing: what stands there after each of these harms, and the words that must name it. */
  harmed(): AsyncIterable<{ fault: RegExp; stored: Stored }>;
}

const lost = /acknowledged and is lost/;
const doubled = /stored 2 times/;
const miscounted = /messages acknowledged/;
const misbooked = /do not balance/;

export const inFile = (file: string): Kept => ({
  read: () => readStore(file),
  async *harmed() {
    const harms: [string, RegExp][] = [
      ['DELETE FROM spans WHERE rowid = 7', lost],
      ['INSERT INTO spans SELECT * FROM spans WHERE rowid = 7', doubled],
      ['UPDATE topic_traffic SET messages = messages + 1 WHERE rowid = 7', miscounted],
      ['UPDATE batches SET stored = stored - 1 WHERE rowid = 7', misbooked],
    ];
    for (const [sql, fault] of harms) {
      const copy = `${file}.harmed`;
      copyFileSync(file, copy);
      const instance = await DuckDBInstance.create(copy);
      const connection = await instance.connect();
      await connection.run(sql);
      connection.closeSync();
      instance.closeSync();
      yield { fault, stored: await readStore(copy) };
      rmSync(copy);
    }
  },
});

export async function readStore(file: string): Promise<Stored> {
  const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY', threads: '2' });
  const connection = await instance.connect();
  const rows = async (sql: string): Promise<Record<string, unknown>[]> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJS() as Record<string, unknown>[];
  try {
    const spans = await rows('SELECT span_id AS id, count(*)::INTEGER AS n FROM spans GROUP BY ALL');
    const messages = await rows(
      `SELECT t.name, sum(f.messages)::INTEGER AS n FROM topic_traffic f JOIN topics t ON t.id = f.topic GROUP BY ALL`,
    );
    const twice = await rows(`SELECT span_id AS id FROM passages GROUP BY ALL HAVING count(*) > 1`);
    const [books] = await rows(
      `SELECT coalesce(sum(received), 0)::INTEGER AS received, coalesce(sum(stored), 0)::INTEGER AS stored,
         coalesce(sum(duplicate), 0)::INTEGER AS duplicate, coalesce(sum(rejected), 0)::INTEGER AS rejected FROM batches`,
    );
    const gaps = await rows('SELECT what FROM gaps');
    return {
      spans: new Map(spans.map(({ id, n }) => [hex(id as bigint), n as number])),
      messages: new Map(messages.map(({ name, n }) => [name as string, n as number])),
      passagesTwice: twice.map(({ id }) => hex(id as bigint)),
      books: books as unknown as Stored['books'],
      gaps: gaps.map(({ what }) => what as string),
    };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The harms stay, one beside the other: this server's data is thrown away afterwards. */
export const inServer = (questdb: QuestDb): Kept => ({
  read: () => readServer(questdb),
  async *harmed() {
    const spans = 'ts, collector, bucket, trace_hi, trace_lo, span_id, seq';
    const seventh = async (table: string): Promise<string> => {
      const rows = await questdb.rows<[string, number]>(
        `SELECT ts::long::string, seq FROM hopscope_${table} LIMIT 7, 8`,
      );
      return `ts = ${rows[0]![0]} AND seq = ${rows[0]![1]}`;
    };
    const span = (await questdb.rows<[string]>('SELECT span_id::string FROM hopscope_spans LIMIT 7, 8'))[0]![0];
    const harms: [string[], RegExp][] = [
      [[`UPDATE hopscope_batches SET stored = stored - 1 WHERE ${await seventh('batches')}`], misbooked],
      [
        [`UPDATE hopscope_topic_traffic SET messages = messages + 1 WHERE ${await seventh('topic_traffic')}`],
        miscounted,
      ],
      // a row has a batch and a place in it: another place is another row
      [
        [
          `INSERT INTO hopscope_spans (${spans}, n) SELECT ${spans}, n + 1000000 FROM hopscope_spans WHERE span_id = ${span}`,
        ],
        doubled,
      ],
      // rows cannot be deleted
      [
        [
          `CREATE TABLE hopscope_fewer AS (SELECT * FROM hopscope_spans WHERE span_id <> ${span}) TIMESTAMP(ts) PARTITION BY HOUR WAL`,
          'RENAME TABLE hopscope_spans TO hopscope_whole',
          'RENAME TABLE hopscope_fewer TO hopscope_spans',
        ],
        lost,
      ],
    ];
    for (const [statements, fault] of harms) {
      for (const sql of statements) await questdb.rows(sql);
      yield { fault, stored: await readServer(questdb) };
    }
  },
});

async function readServer(questdb: QuestDb): Promise<Stored> {
  await questdb.applied();
  const hexOf = (id: string): string => hex(BigInt.asUintN(64, BigInt(id)));
  const spans = await questdb.rows<[string, number]>('SELECT span_id::string AS id, count() AS n FROM hopscope_spans');
  const messages = await questdb.rows<[string, number]>('SELECT topic, sum(messages) AS n FROM hopscope_topic_traffic');
  const twice = await questdb.rows<[string]>(
    'SELECT id FROM (SELECT span_id::string AS id, count() AS n FROM hopscope_passages) WHERE n > 1',
  );
  const [books] = await questdb.rows<number[]>(
    'SELECT sum(received), sum(stored), sum(duplicate), sum(rejected) FROM hopscope_batches',
  );
  const [received, stored, duplicate, rejected] = books as [number, number, number, number];
  return {
    spans: new Map(spans.map(([id, n]) => [hexOf(id), n])),
    messages: new Map(messages),
    passagesTwice: twice.map(([id]) => hexOf(id)),
    books: { received, stored, duplicate, rejected },
    gaps: (await questdb.rows<[string]>('SELECT what FROM hopscope_gaps')).map(([what]) => what),
  };
}

const hex = (id: bigint): string => id.toString(16).padStart(16, '0');

/** acknowledged ⊆ stored ⊆ sent, nothing twice; every fault in a sentence. */
export function faultsOf(stored: Stored, acknowledged: readonly string[], sent: ReadonlySet<string>): string[] {
  const faults: string[] = [];
  const expected = new Map<string, number>();
  for (const item of new Set(acknowledged)) {
    if (!sent.has(item)) faults.push(`${item} was acknowledged and never sent`);
    const [kind, id] = item.split(' ');
    if (kind !== 'otlp') {
      const topic = topicOfItem(item);
      expected.set(topic, (expected.get(topic) ?? 0) + 1);
    } else if (!stored.spans.has(id!)) faults.push(`span ${id} was acknowledged and is lost`);
  }
  for (const [id, count] of stored.spans) {
    if (count > 1) faults.push(`span ${id} is stored ${count} times`);
    if (!sent.has(`otlp ${id}`)) faults.push(`span ${id} is stored and was never sent`);
  }
  for (const [topic, count] of expected) {
    const found = stored.messages.get(topic) ?? 0;
    if (found !== count) faults.push(`${topic}: ${count} messages acknowledged, ${found} stored`);
  }
  for (const topic of stored.messages.keys()) {
    if (!expected.has(topic)) faults.push(`${topic}: messages stored, none acknowledged`);
  }
  for (const id of stored.passagesTwice) faults.push(`the passage of span ${id} is stored twice`);
  const { received, stored: kept, duplicate, rejected } = stored.books;
  if (received !== kept + duplicate + rejected)
    faults.push(`the books do not balance: ${JSON.stringify(stored.books)}`);
  return faults;
}
