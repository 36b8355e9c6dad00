import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { reportOf } from '#lib/domain/fixtures/collector-reports.ts';
import { decodeSketches, noonMs, traceBatch, traceHi } from '../fixtures/batches.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../fixtures/fault-proxy.ts';
import { type QuestDbServer, startQuestDb } from '../fixtures/questdb-server.ts';
import { emptyTables, patient } from '../fixtures/questdb-tables.ts';
import type { Store } from '../store.ts';
import { parseAddress } from './address.ts';
import { Lines } from './lines.ts';
import { migrate } from './migrate.ts';
import { bookOf, openQuestDbStore, storeOf } from './questdb-store.ts';
import { Server, type ServerLimits } from './server.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

let questdb: QuestDbServer;
let proxy: FaultProxy;
let folder: string;
let server: Server;
let store: Store;

const recent = { spans: 10_000, dataPoints: 1_000, passages: 1_000 };
/** In through the proxy, out straight. */
const urlThrough = (...ports: number[]) =>
  `questdb://admin:quest@${ports.map((port) => `127.0.0.1:${port}/${questdb.pgPort}`).join(',')}?tables=faults_`;

async function open(url: string, limits: Partial<ServerLimits> = {}): Promise<void> {
  server = new Server(parseAddress(url), { ...patient, requestMs: 400, sendMs: 5_000, ...limits });
  store = await storeOf(server, await bookOf(server, join(folder, 'audit.sqlite')), {
    decodeSpans: decodeSketches,
    recent,
  });
}

beforeAll(async () => {
  questdb = await startQuestDb({
    'cairo.commit.mode': 'nosync',
    'dev.mode.enabled': 'true',
    'pg.readonly.user.enabled': 'true',
    'pg.readonly.user': 'reader',
    'pg.readonly.password': 'quest',
  });
  proxy = await startFaultProxy(questdb.httpPort);
});
afterAll(async () => {
  await proxy.close();
  await questdb.remove();
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hopscope-faults-'));
  proxy.next([]);
  const direct = new Server(parseAddress(questdb.url('faults_')), patient);
  await emptyTables(direct);
  await direct.close();
  await open(urlThrough(proxy.port));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const batch = (seq: number) =>
  traceBatch(
    seq,
    Array.from({ length: 50 }, (_, i) => ({ trace: BigInt(seq), span: BigInt(i + 1) })),
  );
const rowsOf = async (table: 'spans' | 'bodies' | 'batches'): Promise<number> =>
  Number((await server.all<{ n: bigint }>(`SELECT count() AS n FROM ${server.table(table)}`))[0]!.n);

async function expectExactly(batches: number): Promise<void> {
  expect([await rowsOf('spans'), await rowsOf('bodies'), await rowsOf('batches')]).toEqual([
    batches * 50,
    batches,
    batches,
  ]);
  expect(await store.books()).toMatchObject({ received: batches * 50, stored: batches * 50, duplicate: 0 });
  expect((await store.watermarks()).get('collector-1') ?? 0).toBe(batches);
  for (let seq = 1; seq <= batches; seq++) expect((await store.spansOfTrace(traceHi, BigInt(seq))).total).toBe(50);
}

it("a collector's word does not wait behind an append that hangs", async () => {
  await store.close();
  await open(urlThrough(proxy.port), { sendMs: 60_000, requestMs: 60_000 });
  proxy.next(['hang']);
  const appended = store.append([batch(1)]).then(
    () => 'appended',
    () => 'closed',
  );
  await expect.poll(() => proxy.seen.length, { timeout: 30_000 }).toBe(1);
  await store.reports!.tell(reportOf('a', { atMs: 7 }));
  await expect
    .poll(async () => (await store.reports!.latest()).map(({ atMs }) => atMs), { timeout: 30_000 })
    .toEqual([7]);
  await store.close();
  expect(await appended).toBe('closed');
});

describe('a batch', () => {
  it.each<[string, Fault[]]>([
    ['whose answer is lost', ['lose-answer']],
    ['whose answers are lost, of the rows and of the batch', ['lose-answer', 'pass', 'lose-answer']],
    ['that is cut in the middle', ['cut', 'cut']],
    ['that is refused with 503', ['busy', 'busy', 'busy']],
    ['that nobody answers', ['hang']],
    ['that meets all of it', ['busy', 'cut', 'lose-answer', 'hang', 'pass', 'cut', 'lose-answer', 'busy']],
  ])('%s is sent again as it was, and is there once', async (_, faults) => {
    proxy.next(faults);
    await store.append([batch(1)]);
    const [first] = proxy.seen;
    const rows = proxy.seen.filter(({ body }) => body.length === first!.body.length);
    expect(rows.length).toBeGreaterThan(1);
    // the same bytes, the same times
    for (const { body } of rows) expect(body).toBe(first!.body);
    await expectExactly(1);
    await store.append([batch(2)]);
    await expectExactly(2);
  });

  it('that cannot be sent in time is said to be lost to who sent it, and is there once when it comes again', async () => {
    await store.close();
    await open(urlThrough(proxy.port), { sendMs: 900, requestMs: 200 });
    proxy.next(Array.from({ length: 50 }, () => 'busy'));
    await expect(store.append([batch(1)])).rejects.toMatchObject({
      code: 'store',
      message: expect.stringMatching(/did not take rows for 1 s: 127\.0\.0\.1:\d+ answered 503 not now/),
    });
    // its rows arrive, the batch does not: whoever looks for the batch must not find it
    proxy.next(['pass', ...Array.from({ length: 50 }, () => 'hang' as const)]);
    await expect(store.append([batch(1)])).rejects.toMatchObject({
      code: 'store',
      message: expect.stringContaining('did not answer within 200 ms'),
    });
    expect(await rowsOf('spans')).toBe(50);
    expect(await store.books()).toMatchObject({ received: 0, stored: 0 });
    expect(await store.watermarks()).toEqual(new Map());
    proxy.next([]);
    await store.append([batch(1)]);
    await expectExactly(1);
  });

  it('whose rows were left behind by a process that died is stored, and counted as new, by the next one', async () => {
    await store.close();
    await open(urlThrough(proxy.port), { sendMs: 500, requestMs: 200 });
    proxy.next(['pass', ...Array.from({ length: 50 }, () => 'hang' as const)]);
    await expect(store.append([batch(1)])).rejects.toThrow();
    await store.close();
    proxy.next([]);
    await open(urlThrough(proxy.port));
    expect(await store.watermarks()).toEqual(new Map());
    await store.append([batch(1)]);
    await expectExactly(1);
  });

  it('finds another address where one refuses, and says so in words where all do', async () => {
    await store.close();
    const gone = await startFaultProxy(questdb.httpPort);
    await gone.close();
    await open(urlThrough(gone.port, proxy.port));
    await store.append([batch(1)]);
    await expectExactly(1);
    await store.close();
    await open(urlThrough(gone.port), { sendMs: 300 });
    await expect(store.append([batch(2)])).rejects.toMatchObject({
      code: 'store',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('that the server finds wrong is refused at once, with its words', async () => {
    await server.query(`ALTER TABLE ${server.table('gaps')} DROP COLUMN to_ms`);
    const began = performance.now();
    await expect(store.addGap({ fromMs: noonMs, toMs: noonMs + 1, whose: 'x', what: 'y' })).rejects.toMatchObject({
      code: 'store',
      message: expect.stringContaining('to_ms does not exist'),
    });
    expect(performance.now() - began).toBeLessThan(5_000);
    await server.query(`DROP TABLE ${server.table('gaps')}`);
  });
});

describe('a server', () => {
  it('that has not shown the batches yet tells no figures of them', async () => {
    await store.append([batch(1)]);
    const through = async () => Object.fromEntries(await store.reports!.booksThrough(new Map([['collector-1', 2]])));
    await server.query(`ALTER TABLE ${server.table('batches')} SUSPEND WAL`);
    await store.append([batch(2)]);
    expect(await through()).toEqual({});
    await server.query(`ALTER TABLE ${server.table('batches')} RESUME WAL`);
    await expect.poll(through, { timeout: 30_000 }).toMatchObject({ 'collector-1': { received: 100, stored: 100 } });
  });

  it('whose tables an older Hopscope made gets those that came since', async () => {
    await store.close();
    const older = new Server(parseAddress(questdb.url('faults_')), patient);
    await older.query(`DROP TABLE ${older.table('collector_reports')}`);
    const lines = new Lines(older.address.prefix);
    lines.add('meta', 0, ['schema', '1']);
    await older.send(lines);
    await older.visible();
    await migrate(older);
    await older.close();
    await open(urlThrough(proxy.port));
    await store.reports!.tell(reportOf('a', { atMs: 7 }));
    await expect.poll(async () => (await store.reports!.latest()).length, { timeout: 30_000 }).toBe(1);
    const [row] = await server.all<{ value: string }>(`SELECT value FROM ${server.table('meta')} WHERE key = 'schema'`);
    expect(row).toEqual({ value: '2' });
  });

  it('that is stopped, and killed, under a stream of batches loses none and doubles none', async () => {
    const last = 30;
    const stream = (async () => {
      for (let seq = 1; seq <= last; seq++) {
        // as a spool does: the same batch until it is taken
        while (
          !(await store.append([batch(seq)]).then(
            () => true,
            () => false,
          ))
        ) {}
        await new Promise((next) => setTimeout(next, 50));
      }
    })();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await new Promise((next) => setTimeout(next, 400));
      await questdb.stop(signal);
      await questdb.start();
    }
    await stream;
    await expectExactly(last);
  });

  it('is described, with what is wrong with it: nosync, a suspended table', async () => {
    await store.append([batch(1)]);
    const healthy = await store.status();
    expect(healthy).toMatchObject({ engine: expect.stringMatching(/^QuestDB 9\./), spans: 50 });
    expect(healthy.location).not.toContain('quest@');
    expect(healthy.bytesOnDisk).toBeGreaterThan(1_000);
    expect(healthy.warnings).toEqual([expect.stringContaining('cairo.commit.mode=nosync')]);
    await server.query(`ALTER TABLE ${server.table('spans')} SUSPEND WAL`);
    await store.close();
    await open(urlThrough(proxy.port), { visibleMs: 300, appliedMs: 500 });
    await store.append([batch(2)]);
    expect((await store.status()).warnings).toContainEqual(
      expect.stringMatching(/suspended the table faults_spans.*ALTER TABLE faults_spans RESUME WAL/),
    );
    // the pages go on with what there is; the audit does not pass over rows that it cannot see
    expect((await store.spansOfTrace(traceHi, 2n)).total).toBe(0);
    await expect(store.audit.transaction((tx) => tx.batchesToRead(1_000, 0))).rejects.toThrow('suspended');
    await server.query(`ALTER TABLE ${server.table('spans')} RESUME WAL`);
    await vi.waitFor(async () => expect((await store.status()).warnings).toHaveLength(1), { timeout: 20_000 });
    await expectExactly(2);
  });

  it('that cannot be used is refused at the start, with the reason', async () => {
    const options = { bookPath: join(folder, 'other.sqlite'), decodeSpans: decodeSketches };
    const reader = `questdb://reader:quest@127.0.0.1:${questdb.httpPort}/${questdb.pgPort}?tables=reader_`;
    await expect(openQuestDbStore({ url: reader, ...options })).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('the user reader may not make tables'),
    });
    await expect(openQuestDbStore({ url: 'questdb://127.0.0.1:1/1', ...options })).rejects.toMatchObject({
      code: 'store',
      message: expect.stringMatching(/cannot be reached at 127\.0\.0\.1:1\/1 .*is it running/),
    });
    const stranger = `questdb://admin:wrong@127.0.0.1:${questdb.httpPort}/${questdb.pgPort}`;
    await expect(openQuestDbStore({ url: stranger, ...options })).rejects.toMatchObject({ code: 'config' });
  });
});
