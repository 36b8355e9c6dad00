import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'playwright/test';
import { Ledger } from './steps/ledger.ts';
import { Mosquitto } from './steps/mosquitto.ts';
import { getJson, temporaryDir, until } from './steps/product.ts';
import { Restartable } from './steps/restartable.ts';
import { randomOf, seedOf } from './steps/seeded.ts';
import { publish, sendOtlp } from './steps/senders.ts';
import { faultsOf, readStore } from './steps/stored.ts';

/** Senders keep a ledger of what was acknowledged; whatever ends the product in between, the store has it, and has it once. */
const long = process.env.HOPSCOPE_LONG === '1';

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

interface Status {
  books: { received: number; stored: number; duplicate: number; rejected: number; spooled: number; residual: number };
  gaps: { from: string; to: string; whose: string; what: string }[];
}

/** Everything acknowledged has reached the store, and the audit has seen it. */
async function settled(product: Restartable): Promise<Status> {
  let status: Status | null = null;
  await until(
    'everything spooled is stored',
    async () => {
      status = await getJson<Status>(product, '/api/v1/status');
      return status.books.spooled === 0 && status.books.residual === 0;
    },
    60_000,
  );
  return status!;
}

async function messagesInApi(product: Restartable): Promise<number> {
  const answer = await getJson<{ items: { topic: string; messages: number }[] }>(
    product,
    '/api/v1/topics?from=now-3h&limit=100000&search=ledger/',
  );
  return answer.items.reduce((sum, { messages }) => sum + messages, 0);
}

test('kill -9 at any moment loses nothing and shows nothing twice: OTLP, a broker of yours, the embedded broker', async () => {
  const kills = long ? 200 : 10;
  test.setTimeout(kills * 12_000 + 120_000);
  const seed = seedOf('kill -9');
  const random = randomOf(seed);
  const dir = temporaryDir();
  const ledger = new Ledger(join(dir, 'ledger'));
  const mosquitto = await Mosquitto.start();
  const product = await Restartable.on({
    dataDir: join(dir, 'data'),
    settings: `brokers: [{ url: "${mosquitto.url}", name: yours, topics: ["ledger/#"] }]\n`,
  });
  product.start();
  // A broker keeps nothing for a subscriber it has never seen.
  await until('the product has subscribed', async () => /"connected/.test(await brokersOf(product)), 60_000);
  const senders = [
    sendOtlp(product.otlp, seed, ledger),
    publish(mosquitto.url, 'mosquitto', seed, ledger),
    publish(product.mqtt, 'embedded', seed, ledger),
  ];
  for (let kill = 0; kill < kills; kill++) {
    // Every other one somewhere in the start, the rest while everything flows.
    if (kill % 2 === 0) await until('it ingests', () => product.isIngesting(), 60_000, 20);
    await pause(random() * (kill % 2 === 0 ? 1_200 : 2_500));
    await product.kill();
    product.start();
  }
  await product.ready();
  await Promise.all(senders.map((sender) => sender.finish()));
  const sent = new Set(senders.flatMap((sender) => [...sender.sent]));
  const acknowledged = ledger.items();
  ledger.close();
  console.log(
    `${kills} kills, ${acknowledged.length} items acknowledged; ingesting again after ${ofMany(product.ingestingAfterMs)} ms`,
  );

  const messages = acknowledged.filter((item) => !item.startsWith('otlp')).length;
  await until(
    'the messages are on the page, each once',
    async () => {
      await settled(product);
      return (await messagesInApi(product)) === messages;
    },
    30_000,
    500,
  );
  const { gaps } = await settled(product);
  expect(gaps).toEqual([]);
  expect(await product.stop()).toBe(0);
  await mosquitto.stop();

  const file = join(dir, 'data/hopscope.duckdb');
  const stored = await readStore(file);
  expect(faultsOf(stored, acknowledged, sent)).toEqual([]);
  expect(stored.spans.size).toBe(acknowledged.length - messages);
  await theCheckerSees(file, acknowledged, sent);
  rmSync(dir, { recursive: true, force: true });
});

const brokersOf = async (product: Restartable): Promise<string> =>
  fetch(`${product.url}/api/v1/status`)
    .then(async (answer) => JSON.stringify(((await answer.json()) as { brokers: unknown }).brokers))
    .catch(() => '');

const ofMany = (figures: number[]): string => {
  const sorted = figures.map(Math.round).sort((a, b) => a - b);
  return `min ${sorted[0]}, median ${sorted[sorted.length >> 1]}, max ${sorted.at(-1)}`;
};

/** A check that cannot fail proves nothing: one row lost, doubled or changed must be seen. */
async function theCheckerSees(file: string, acknowledged: string[], sent: Set<string>): Promise<void> {
  const harms: [string, RegExp][] = [
    ['DELETE FROM spans WHERE rowid = 7', /acknowledged and is lost/],
    ['INSERT INTO spans SELECT * FROM spans WHERE rowid = 7', /stored 2 times/],
    ['UPDATE topic_traffic SET messages = messages + 1 WHERE rowid = 7', /messages acknowledged/],
    ['UPDATE batches SET stored = stored - 1 WHERE rowid = 7', /do not balance/],
  ];
  for (const [sql, fault] of harms) {
    const copy = `${file}.harmed`;
    copyFileSync(file, copy);
    const instance = await DuckDBInstance.create(copy);
    const connection = await instance.connect();
    await connection.run(sql);
    connection.closeSync();
    instance.closeSync();
    expect(faultsOf(await readStore(copy), acknowledged, sent).join('\n')).toMatch(fault);
    rmSync(copy);
  }
}
