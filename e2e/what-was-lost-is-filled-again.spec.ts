import { execFile } from 'node:child_process';
import { existsSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { expect, test } from 'playwright/test';
import { freePorts, getJson, root, temporaryDir, until } from './steps/product.ts';
import { Restartable } from './steps/restartable.ts';
import { bodyOf, httpRequest } from './steps/spans.ts';

/** What the operator does when a disk was not kind: check, refill, back up, start again. */
const cleanups: (() => unknown)[] = [];
test.afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** `npm run NAME -- ARGS`, without npm's own checks. */
function run(
  name: 'refill' | 'check' | 'backup',
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const node = join(root, 'node_modules/node/bin/node');
  const file = join(root, `collectors/commands/${name}.ts`);
  return new Promise((done) => {
    execFile(
      node,
      ['--disable-warning=ExperimentalWarning', file, ...args],
      { env: { ...process.env, ...env } },
      (error, stdout, stderr) => done({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

const offline = { HOPSCOPE_WEB: 'off', HOPSCOPE_OTLP: 'off', HOPSCOPE_OTLP_GRPC: 'off', HOPSCOPE_BROKER: 'off' };

interface Status {
  books: { received: number; stored: number; spooled: number; residual: number };
  collectors: { current: boolean; received: number; stored: number; residual: number | null }[];
  gaps: { from: string; to: string; whose: string; what: string }[];
  store: { spans: number };
}
const statusOf = (product: Restartable): Promise<Status> => getJson<Status>(product, '/api/v1/status');

async function productIn(dataDir: string): Promise<Restartable> {
  const product = await Restartable.on({ dataDir });
  cleanups.push(() => product.kill());
  return product;
}

async function send(product: Restartable, requests: number, beganMs: number): Promise<void> {
  for (let n = 0; n < requests; n++) {
    const answer = await fetch(`${product.otlp}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: bodyOf(httpRequest(), beganMs + n * 10),
    });
    expect(answer.status).toBe(200);
  }
  const client = await mqtt.connectAsync(product.mqtt, { protocolVersion: 5 });
  for (let n = 0; n < requests; n++) await client.publishAsync(`kiel/door/${n % 3}`, `${n}`, { qos: 1 });
  await client.endAsync();
}

/** What the pages show of it: which hops and topics, how often, how long. */
async function shown(product: Restartable) {
  const hops = await getJson<{ items: Record<string, unknown>[] }>(product, '/api/v1/hops?from=now-2h');
  const topics = await getJson<{ items: { topic: string; messages: number }[] }>(product, '/api/v1/topics?from=now-2h');
  const { books, store } = await statusOf(product);
  return {
    hops: hops.items.map(({ id, count, requests, errors, addedMs, rawMs }) => ({
      id,
      count,
      requests,
      errors,
      addedMs,
      rawMs,
    })),
    topics: topics.items
      .map(({ topic, messages }) => ({ topic, messages }))
      .toSorted((a, b) => (a.topic < b.topic ? -1 : 1)),
    stored: books.stored,
    residual: books.residual,
    spans: store.spans,
  };
}

const storeFiles = (dataDir: string): string[] => ['', '.wal'].map((end) => join(dataDir, `hopscope.duckdb${end}`));

test('a store that was deleted is filled again from the spool: the same hops, the same counts; a backup shows the same', async () => {
  const dir = temporaryDir();
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  const dataDir = join(dir, 'data');
  const requests = 60;
  const product = await productIn(dataDir);
  product.start();
  await product.ready();
  await send(product, requests, Date.now() - 120_000);
  const complete = async (): Promise<boolean> => {
    const { hops, topics } = await shown(product);
    const messages = topics.reduce((sum, topic) => sum + topic.messages, 0);
    return hops.length === 1 && hops[0]!.count === requests && messages === requests;
  };
  await until('everything is on the pages', complete, 60_000);
  const before = await shown(product);
  expect(before).toMatchObject({ residual: 0, stored: 4 * requests, spans: 3 * requests });
  const refused = await run('backup', ['--data', dataDir, '--to', join(dir, 'early')], offline);
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('is in use by a running Hopscope') });
  expect(await product.stop()).toBe(0);

  const copy = join(dir, 'copy');
  const backup = await run('backup', ['--data', dataDir, '--to', copy], offline);
  expect(backup).toMatchObject({ code: 0, output: expect.stringContaining(`npm start -- --data ${copy}`) });

  for (const file of storeFiles(dataDir)) rmSync(file, { force: true });
  const refill = await run('refill', ['--data', dataDir], offline);
  expect(refill).toMatchObject({
    code: 0,
    output: expect.stringMatching(new RegExp(`^${4 * requests} items were missing`, 'm')),
  });
  const again = await run('refill', ['--data', dataDir], offline);
  expect(again).toMatchObject({ code: 0, output: expect.stringContaining('Nothing was missing') });
  product.start();
  await product.ready();
  await until('everything is on the pages again', complete, 60_000);
  expect(await shown(product)).toEqual(before);
  expect((await statusOf(product)).gaps).toEqual([]);
  expect(await product.stop()).toBe(0);

  const restored = await productIn(copy);
  restored.start();
  await restored.ready();
  expect(await shown(restored)).toEqual(before);
  expect(await restored.stop()).toBe(0);
});

test('a spool that is damaged is set aside, the product starts all the same, and the page says what may be missing', async ({
  page,
}) => {
  const dataDir = join(temporaryDir(), 'data');
  const product = await productIn(dataDir);
  product.start();
  await product.ready();
  await send(product, 20, Date.now() - 60_000);
  await until('all of it is stored', async () => {
    const { books } = await statusOf(product);
    return books.stored === 80 && books.spooled === 0;
  });
  expect(await product.stop()).toBe(0);
  expect(await run('check', ['--data', dataDir], offline)).toMatchObject({
    code: 0,
    output: expect.stringContaining('is whole'),
  });

  const fd = openSync(join(dataDir, 'spool.db'), 'r+');
  for (let at = 4096; at < 40_960; at += 512) writeSync(fd, 'nonsense '.repeat(20), at);
  const check = await run('check', ['--data', dataDir], offline);
  expect(check).toMatchObject({ code: 1, output: expect.stringMatching(/^WRONG {2}The spool .*spool\.db/m) });

  product.start();
  await product.ready();
  expect(readdirSync(dataDir).filter((name) => /^spool\.db\.damaged-.*Z$/.test(name))).toHaveLength(1);
  await send(product, 20, Date.now() - 60_000);
  await until('what came since is stored', async () => {
    const { books } = await statusOf(product);
    return books.stored === 160 && books.spooled === 0;
  });
  const { gaps, collectors, books } = await statusOf(product);
  expect(gaps).toMatchObject([{ what: expect.stringContaining('the spool file could not be read') }]);
  expect(Date.parse(gaps[0]!.from)).toBeLessThanOrEqual(Date.parse(gaps[0]!.to));
  expect(
    collectors
      .map(({ current, received, residual }) => ({ current, received, residual }))
      .toSorted((a, b) => Number(a.current) - Number(b.current)),
  ).toEqual([
    { current: false, received: 80, residual: 0 },
    { current: true, received: 80, residual: 0 },
  ]);
  expect(books.residual).toBe(0);
  await page.goto(`${product.url}/status`);
  await expect(page.getByText('the spool file could not be read').first()).toBeVisible();
  await expect(page.getByText('its spool was replaced').first()).toBeVisible();
  expect(await product.stop()).toBe(0);
});

test('check says in sentences what is wrong, and its exit code tells a script', async () => {
  const dir = temporaryDir();
  const [taken, nobody] = await freePorts(2);
  const other = createServer().listen(taken, '127.0.0.1');
  cleanups.push(() => other.close());
  const config = join(dir, 'hopscope.yaml');
  writeFileSync(config, `brokers: [{ url: "mqtt://127.0.0.1:${nobody}", name: yours }]\n`);
  const found = await run('check', ['--config', config, '--data', join(dir, 'data')], {
    ...offline,
    HOPSCOPE_OTLP: `127.0.0.1:${taken}`,
  });
  expect(found.code).toBe(1);
  expect(found.output).toMatch(
    new RegExp(`^WRONG {2}127.0.0.1:${taken} for OTLP/HTTP cannot be listened on: it is taken`, 'm'),
  );
  expect(found.output).toMatch(/^WRONG {2}The broker yours at mqtt:.* does not let us in: .*ECONNREFUSED/m);
  expect(found.output).toContain('2 of');
  expect(existsSync(join(dir, 'data'))).toBe(false);

  writeFileSync(config, 'sites:\n  - id: kiel\n    latitude: 52\n');
  const broken = await run('check', ['--config', config], offline);
  expect(broken).toMatchObject({ code: 1, output: expect.stringMatching(/line 3.*latitude/) });

  writeFileSync(config, '');
  const fine = await run('check', ['--config', config, '--data', join(dir, 'data')], offline);
  expect(fine).toMatchObject({ code: 0, output: expect.stringContaining('Nothing is wrong.') });
});
