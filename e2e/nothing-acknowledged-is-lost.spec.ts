import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'playwright/test';
import { settled } from './steps/books.ts';
import { diskWithPower, smallDisk } from './steps/disk.ts';
import { Ledger } from './steps/ledger.ts';
import { Mosquitto } from './steps/mosquitto.ts';
import { getJson, temporaryDir, until } from './steps/product.ts';
import { type QuestDb, startQuestDb } from './steps/questdb.ts';
import { Restartable } from './steps/restartable.ts';
import { quantile, randomOf, seedOf } from './steps/seeded.ts';
import {
  messagesPerTopic,
  publish,
  requestSpans,
  type Sender,
  sendOtlp,
  spansPerRequest,
  topicOfItem,
} from './steps/senders.ts';
import type { SentSpan } from './steps/spans.ts';
import { faultsOf, inFile, inServer, readStore } from './steps/stored.ts';

/** Senders keep a ledger of what was acknowledged; whatever ends the product in between, the store has it, and has it once. */
const long = process.env.HOPSCOPE_LONG === '1';

/** Undone whatever happens: processes, mounts, files. */
const cleanups: (() => unknown)[] = [];
test.afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function ledgerIn(dir: string): Ledger {
  const ledger = new Ledger(join(dir, 'ledger'));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  return ledger;
}

async function brokerOfYours(): Promise<Mosquitto> {
  const mosquitto = await Mosquitto.start();
  cleanups.push(() => mosquitto.stop());
  return mosquitto;
}

async function serverOfYours(): Promise<QuestDb> {
  const questdb = await startQuestDb();
  cleanups.push(() => questdb.stop());
  return questdb;
}

async function productIn(dataDir: string, mosquitto?: Mosquitto, questdb?: QuestDb): Promise<Restartable> {
  const settings = mosquitto
    ? `brokers: [{ url: "${mosquitto.url}", name: yours, topics: ["ledger/#"] }]\n`
    : undefined;
  const product = await Restartable.on({ dataDir, settings, store: questdb?.store });
  cleanups.push(() => product.kill());
  return product;
}

/** Ends the senders; what they sent, and what was acknowledged of it. */
async function finished(senders: Sender[], ledger: Ledger): Promise<{ sent: Set<string>; acknowledged: string[] }> {
  await Promise.all(senders.map((sender) => sender.finish()));
  const acknowledged = ledger.items();
  ledger.close();
  return { sent: new Set(senders.flatMap((sender) => [...sender.sent])), acknowledged };
}

/** A broker keeps nothing for a subscriber it has never seen. */
const subscribed = (product: Restartable): Promise<void> =>
  until('the product has subscribed', async () => /"connected/.test(await brokersOf(product)), 60_000);

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function topicsInApi(product: Restartable): Promise<{ topic: string; messages: number }[]> {
  const answer = await getJson<{ items: { topic: string; messages: number }[] }>(
    product,
    '/api/v1/topics?from=now-3h&limit=100000&search=ledger/',
  );
  return answer.items;
}

const messagesInApi = async (product: Restartable): Promise<number> =>
  (await topicsInApi(product)).reduce((sum, { messages }) => sum + messages, 0);

for (const engine of ['DuckDB', 'QuestDB'] as const)
  test(`kill -9 at any moment loses nothing and shows nothing twice: OTLP, a broker of yours, the embedded broker, on ${engine}`, async () => {
    const kills = long ? 200 : 10;
    test.setTimeout(kills * 12_000 + 300_000);
    const seed = seedOf(`kill -9 on ${engine}`);
    const random = randomOf(seed);
    const dir = temporaryDir();
    const ledger = ledgerIn(dir);
    const mosquitto = await brokerOfYours();
    const questdb = engine === 'QuestDB' ? await serverOfYours() : undefined;
    const product = await productIn(join(dir, 'data'), mosquitto, questdb);
    product.start();
    await subscribed(product);
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
    const { sent, acknowledged } = await finished(senders, ledger);
    console.log(
      `${kills} kills, ${acknowledged.length} items acknowledged; ingesting again after ${ofMany(product.ingestingAfterMs)} ms, of processor time ${ofMany(product.ingestingAfterCpuMs)} ms`,
    );
    // F1: ingesting again within 2 s. A busy machine stretches the wall's clock, two idle cores the processor's: whichever is less
    const { ingestingAfterMs, ingestingAfterCpuMs } = product;
    const least = ingestingAfterMs.map((ms, i) => Math.min(ms, ingestingAfterCpuMs[i] ?? ms));
    expect.soft(quantile(least, 0.5), 'ms until it ingests, median').toBeLessThanOrEqual(2_000);
    if (long) {
      expect.soft(quantile(ingestingAfterMs, 0.5), 'ms until it ingests, median').toBeLessThanOrEqual(2_000);
      expect.soft(quantile(ingestingAfterMs, 0.95), 'ms until it ingests, 95 % below').toBeLessThanOrEqual(2_000);
    }

    // lives of a second or two leave a backlog
    const drainLimitMs = long ? 600_000 : 120_000;
    const messages = acknowledged.filter((item) => !item.startsWith('otlp')).length;
    await until(
      'the messages are on the page, each once',
      async () => {
        await settled(product, drainLimitMs);
        return (await messagesInApi(product)) === messages;
      },
      drainLimitMs,
      500,
    );
    const { gaps } = await settled(product);
    expect(gaps).toEqual([]);
    const requests = [...senders[0]!.sent].length / spansPerRequest;
    for (let look = 0; look < 50; look++) {
      const [{ traceId }] = requestSpans(seed, Math.floor(random() * requests)) as [SentSpan];
      const { spans } = await getJson<{ spans: unknown[] }>(product, `/api/v1/traces/${traceId}`);
      expect(spans, traceId).toHaveLength(spansPerRequest);
    }
    expect(await product.stop()).toBe(0);

    const kept = questdb ? inServer(questdb) : inFile(join(dir, 'data/hopscope.duckdb'));
    const stored = await kept.read();
    expect(faultsOf(stored, acknowledged, sent)).toEqual([]);
    expect(stored.spans.size).toBe(acknowledged.length - messages);
    for await (const { fault, stored: harmed } of kept.harmed())
      expect(faultsOf(harmed, acknowledged, sent).join('\n')).toMatch(fault);
  });

test('a disk that runs full: refused before it is full and said so, nothing lost, back within 5 s of room returning', async ({
  page,
}) => {
  const disk = smallDisk(96);
  test.skip(disk === null, 'mounting a small disk needs root');
  cleanups.push(() => disk!.remove());
  const rounds = long ? 20 : 2;
  test.setTimeout(rounds * 60_000 + 60_000);
  const seed = seedOf('full disk');
  const dir = temporaryDir();
  const ledger = ledgerIn(dir);
  const product = await productIn(join(disk!.dir, 'data'));
  product.start();
  await product.ready();
  const { pid } = product;
  const refusals: { status: number; retryAfter: string | null }[] = [];
  const senders = [
    sendOtlp(product.otlp, seed, ledger, {
      refused: ({ status, headers }) => refusals.push({ status, retryAfter: headers.get('retry-after') }),
    }),
    publish(product.mqtt, 'embedded', seed, ledger),
  ];
  const counted = (kind: string): number => ledger.items().filter((item) => item.startsWith(kind)).length;
  for (let round = 0; round < rounds; round++) {
    const [spans, messages] = [counted('otlp'), counted('embedded')];
    await until(
      'both are acknowledged',
      async () => counted('otlp') > spans + 50 && counted('embedded') > messages + 50,
    );

    // first nearly, then to the last byte
    disk!.fillUp(round % 2 === 0 ? 4 * 1024 ** 2 : 0);
    refusals.length = 0;
    await until('senders are told to come back', async () => refusals.length > 5);
    await pause(500);
    const during = ledger.count;
    await pause(1_500);
    expect(ledger.count, 'acknowledged while nothing can be kept').toBe(during);
    for (const refusal of refusals)
      expect(refusal).toEqual({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) });
    await page.goto(`${product.url}/status`);
    await expect(page.getByText(/MiB left; below \d+ MiB nothing more is accepted/).first()).toBeVisible();
    expect((await fetch(`${product.url}/readyz`)).status).toBe(503);

    const [spansBefore, messagesBefore] = [counted('otlp'), counted('embedded')];
    disk!.makeRoom();
    const freedMs = performance.now();
    await until(
      'both are acknowledged again',
      async () => counted('otlp') > spansBefore && counted('embedded') > messagesBefore,
      30_000,
      20,
    );
    console.log(
      `round ${round + 1}: accepting again ${Math.round(performance.now() - freedMs)} ms after room returned`,
    );
    await until('it is ready', async () => (await fetch(`${product.url}/readyz`)).status === 200, 30_000);
  }
  expect(product.pid).toBe(pid);
  const { sent, acknowledged } = await finished(senders, ledger);
  expect((await settled(product)).gaps).toEqual([]);
  expect(await product.stop()).toBe(0);
  expect(faultsOf(await readStore(join(product.dataDir, 'hopscope.duckdb')), acknowledged, sent)).toEqual([]);
});

test('the power is cut at any moment: what was acknowledged is there when it comes back', async () => {
  const disk = diskWithPower(256);
  test.skip(disk === null, 'a file system of its own needs root and loop devices');
  cleanups.push(() => disk!.remove());
  const cuts = long ? 20 : 3;
  test.setTimeout(cuts * 30_000 + 120_000);
  const seed = seedOf('power cut');
  const random = randomOf(seed);
  const dir = temporaryDir();
  const ledger = ledgerIn(dir);
  const mosquitto = await brokerOfYours();
  const product = await productIn(join(disk!.dir, 'data'), mosquitto);
  disk!.sync();
  product.start();
  await subscribed(product);
  const senders = [
    sendOtlp(product.otlp, seed, ledger),
    publish(mosquitto.url, 'mosquitto', seed, ledger),
    publish(product.mqtt, 'embedded', seed, ledger),
  ];
  for (let cut = 0; cut < cuts; cut++) {
    await until('it ingests', () => product.isIngesting(), 60_000, 20);
    await pause(random() * 2_500);
    disk!.cutPower();
    // It may live on for a while with a disk that answers every write with an error: then nothing must be acknowledged.
    await pause(random() * 800);
    await product.kill();
    disk!.mountAgain();
    product.start();
  }
  await product.ready();
  const { sent, acknowledged } = await finished(senders, ledger);
  console.log(`${cuts} power cuts, ${acknowledged.length} items acknowledged`);
  const { gaps } = await settled(product);
  expect(gaps).toEqual([]);
  expect(await product.stop()).toBe(0);
  expect(faultsOf(await readStore(join(product.dataDir, 'hopscope.duckdb')), acknowledged, sent)).toEqual([]);
});

test('a product that hangs: who sends waits, nobody is turned away, and it goes on where it stood', async () => {
  const hungMs = long ? 60_000 : 8_000;
  test.setTimeout(hungMs + 240_000);
  const seed = seedOf('hangs');
  const dir = temporaryDir();
  const ledger = ledgerIn(dir);
  const mosquitto = await brokerOfYours();
  const product = await productIn(join(dir, 'data'), mosquitto);
  product.start();
  await product.ready();
  await subscribed(product);
  const { pid } = product;
  const refused: number[] = [];
  const senders = [
    sendOtlp(product.otlp, seed, ledger, { refused: ({ status }) => refused.push(status) }),
    publish(mosquitto.url, 'mosquitto', seed, ledger),
    publish(product.mqtt, 'embedded', seed, ledger),
  ];
  const kinds = ['otlp', 'mosquitto', 'embedded'];
  const counted = (kind: string): number => ledger.items().filter((item) => item.startsWith(kind)).length;
  const allGoOn = (): Promise<void> => {
    const before = kinds.map(counted);
    return until(
      'all three are acknowledged',
      async () => kinds.every((kind, i) => counted(kind) > before[i]! + 50),
      60_000,
    );
  };
  await allGoOn();

  product.suspend();
  // what it had answered is still on its way to the senders
  await pause(500);
  const [during, passedOn] = [counted('otlp') + counted('embedded'), counted('mosquitto')];
  await pause(hungMs);
  expect(counted('otlp') + counted('embedded'), 'acknowledged by nobody').toBe(during);
  expect(counted('mosquitto'), 'a broker of yours takes on').toBeGreaterThan(passedOn);
  product.resume();
  await allGoOn();

  const { sent, acknowledged } = await finished(senders, ledger);
  expect(refused, 'answers other than 200').toEqual([]);
  const messages = acknowledged.filter((item) => !item.startsWith('otlp')).length;
  await until(
    'the messages are on the page, each once',
    async () => (await messagesInApi(product)) === messages,
    60_000,
  );
  const { gaps } = await settled(product);
  expect(gaps).toEqual([expect.objectContaining({ what: expect.stringMatching(/^stood still for \d+ s: nothing/) })]);
  expect(Date.parse(gaps[0]!.to) - Date.parse(gaps[0]!.from)).toBeGreaterThan(hungMs);
  expect(product.pid).toBe(pid);
  expect(await product.stop()).toBe(0);
  expect(faultsOf(await readStore(join(product.dataDir, 'hopscope.duckdb')), acknowledged, sent)).toEqual([]);
});

test('a broker of yours that restarts: what it kept arrives once; what it lost is a gap with from and to', async ({
  page,
}) => {
  test.setTimeout(180_000);
  const seed = seedOf('broker restarts');
  const dir = temporaryDir();
  const ledger = ledgerIn(dir);
  const mosquitto = await brokerOfYours();
  const product = await productIn(join(dir, 'data'), mosquitto);
  product.start();
  await product.ready();
  await subscribed(product);
  const senders: Sender[] = [];
  const published = async (count: number): Promise<Set<string>> => {
    const from = senders.reduce((sum, { sent }) => sum + sent.size, 0);
    const sender = publish(mosquitto.url, 'mosquitto', seed, ledger, { atMost: count, from, everyMs: 1 });
    senders.push(sender);
    await sender.done;
    await sender.finish();
    return sender.sent;
  };
  const messages = (): Promise<number> => messagesInApi(product);

  // While nobody reads, the broker keeps what it takes; an orderly end writes it down.
  await published(100);
  await until('all are on the page', async () => (await messages()) === 100, 30_000);
  // More than the 1,000 it may send before the first is acknowledged: those stand in the connection, the rest with the broker.
  product.suspend();
  await published(1_500);
  await mosquitto.down('SIGTERM');
  await mosquitto.up();
  product.resume();
  await until('what it kept arrived', async () => (await messages()) === 1_600, 60_000);
  expect((await settled(product)).gaps).toEqual([]);

  // Killed, and its file is gone: nobody can say what it held.
  product.suspend();
  await published(1_500);
  const killedMs = Date.now();
  await mosquitto.down('SIGKILL');
  mosquitto.forget();
  await mosquitto.up();
  product.resume();
  await until('the gap is told', async () => (await settled(product)).gaps.length > 0, 60_000);
  const { gaps } = await settled(product);
  expect(gaps).toEqual([
    {
      from: expect.any(String),
      to: expect.any(String),
      whose: 'broker yours',
      what: expect.stringContaining('lost our session'),
    },
  ]);
  const [fromMs, toMs] = [Date.parse(gaps[0]!.from), Date.parse(gaps[0]!.to)];
  expect(toMs).toBeGreaterThan(killedMs);
  await page.goto(`${product.url}/status`);
  await expect(page.getByText('the broker had lost our session').first()).toBeVisible();

  // of the lost ones, those that stood in the connection may still be on their way: what comes now has topics of its own
  const after = new Set([...(await published(100))].map(topicOfItem));
  await until(
    'what came after it arrived',
    async () =>
      (await topicsInApi(product)).filter((each) => after.has(each.topic) && each.messages === messagesPerTopic)
        .length === after.size,
    30_000,
  );
  const { sent, acknowledged } = await finished(senders, ledger);
  expect(await product.stop()).toBe(0);
  const stored = await readStore(join(product.dataDir, 'hopscope.duckdb'));
  const lost = acknowledged.filter((item) => !stored.messages.has(topicOfItem(item)));
  expect(lost.length, 'messages that the broker lost').toBeGreaterThan(100);
  for (const item of lost) {
    expect(ledger.atMs.get(item)).toBeGreaterThanOrEqual(fromMs);
    expect(ledger.atMs.get(item)).toBeLessThanOrEqual(toMs);
  }
  // of topics that were lost in part, what is there is there once
  const partly = new Set([...stored.messages].filter(([, count]) => count < messagesPerTopic).map(([topic]) => topic));
  const whole = acknowledged.filter((item) => stored.messages.has(topicOfItem(item)) && !partly.has(topicOfItem(item)));
  for (const topic of partly) stored.messages.delete(topic);
  expect(faultsOf(stored, whole, sent)).toEqual([]);
});

const brokersOf = async (product: Restartable): Promise<string> =>
  fetch(`${product.url}/api/v1/status`)
    .then(async (answer) => JSON.stringify(((await answer.json()) as { brokers: unknown }).brokers))
    .catch(() => '');

const ofMany = (figures: number[]): string =>
  `min ${Math.round(Math.min(...figures))}, median ${Math.round(quantile(figures, 0.5))}, 95 % below ${Math.round(quantile(figures, 0.95))}, max ${Math.round(Math.max(...figures))}`;
