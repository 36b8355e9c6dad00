import { DuckDBInstance } from '@duckdb/node-api';
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
