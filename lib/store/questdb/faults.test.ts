import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { certificateOf } from '#collectors/notify/fixtures/certificate.ts';
import { reportOf } from '#lib/domain/fixtures/collector-reports.ts';
import { decodeSketches, noonMs, traceBatch, traceHi } from '../fixtures/batches.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../fixtures/fault-proxy.ts';
import { type QuestDbServer, startQuestDb } from '../fixtures/questdb-server.ts';
import { emptyTables, patient } from '../fixtures/questdb-tables.ts';
import { startTlsProxy } from '../fixtures/tls-proxy.ts';
import { lookAtStore } from '../look.ts';
import type { Store } from '../store.ts';
import { parseAddress } from './address.ts';
import { Lines } from './lines.ts';
import { migrate, storeId } from './migrate.ts';
import { bookOf, openQuestDbStore, storeOf } from './questdb-store.ts';
import { schemaVersion } from './schema.ts';
import { Server, type ServerLimits } from './server.ts';
import { Watch } from './status.ts';

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

const settings: Record<string, string> = {
  'cairo.commit.mode': 'nosync',
  'dev.mode.enabled': 'true',
  'pg.readonly.user.enabled': 'true',
  'pg.readonly.user': 'reader',
  'pg.readonly.password': 'quest',
};

beforeAll(async () => {
  questdb = await startQuestDb(settings);
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

  it('is sent once over a slow way, however long that takes', async () => {
    await store.close();
    await open(urlThrough(proxy.port), { requestMs: 2_500 });
    const lines = new Lines(server.address.prefix);
    for (let i = 0; i < 24_000; i++) lines.add('gaps', i, ['w', 'x'.repeat(1_000), i]);
    proxy.next(['slow']);
    const beganMs = performance.now();
    await server.send(lines);
    expect(performance.now() - beganMs).toBeGreaterThan(2_500);
    expect(proxy.seen.length).toBe(1);
    await server.applied(['gaps']);
    expect(await server.all('SELECT count() AS n FROM faults_gaps')).toEqual([{ n: 24_000n }]);
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

  it('of a user who may not write is refused as a wrong setting, which ends a start, and is taken once he may', async () => {
    proxy.next(['stranger', 'stranger']);
    await expect(store.append([batch(1)])).rejects.toMatchObject({
      code: 'config',
      message: expect.stringMatching(/user admin write no rows .*401 who are you/),
    });
    proxy.next([]);
    await store.append([batch(1)]);
    await expectExactly(1);
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
    // who is at it goes on over a table that is suspended meanwhile
    await server.applied(['batches']);
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
    expect(row).toEqual({ value: String(schemaVersion) });
  });

  it('that is stopped, does not apply what it takes, and is killed, under a stream of batches, loses none and doubles none', async () => {
    const last = 60;
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
    await new Promise((next) => setTimeout(next, 400));
    await questdb.stop('SIGTERM');
    settings['cairo.wal.apply.enabled'] = 'false';
    try {
      await questdb.start();
      await expectLagWords();
    } finally {
      settings['cairo.wal.apply.enabled'] = 'true';
      await questdb.stop('SIGKILL');
      await questdb.start();
    }
    await stream;
    await expectExactly(last);
    expect((await new Watch(server).warnings()).join()).not.toContain('does not keep up');
  });

  async function expectLagWords(): Promise<void> {
    let nowMs = 0;
    const watch = new Watch(server, () => nowMs);
    const lagging = async () => (await watch.warnings()).filter((sentence) => sentence.includes('does not keep up'));
    // batches come after spans: both are behind
    await vi.waitFor(
      async () =>
        expect(
          (await server.logs()).find(({ name, sent, applied }) => name === 'faults_batches' && sent > applied),
        ).toBeDefined(),
      { timeout: 60_000 },
    );
    // a table is behind for a moment now and then
    expect(await lagging()).toEqual([]);
    nowMs = 30_000;
    expect(await lagging()).toContainEqual(
      expect.stringMatching(
        /^QuestDB does not keep up: faults_spans is \d+ transactions? behind, and what is newer cannot be seen yet$/,
      ),
    );
    // the audit does not pass over what it cannot see
    const hasty = new Server(server.address, { appliedMs: 300 });
    await expect(hasty.applied(['spans'])).rejects.toThrow(
      /QuestDB has not applied what it took: faults_spans is \d+ transactions? behind/,
    );
    await hasty.close();
  }

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
    // resumed at once, applied a moment later
    await expect.poll(() => rowsOf('spans'), { timeout: 20_000 }).toBe(100);
    await expectExactly(2);
  });

  it.runIf(process.env.HOPSCOPE_LONG)('that is too old is refused at the start, by a real one', async () => {
    const old = await startQuestDb({}, '9.2.3');
    try {
      const options = { bookPath: join(folder, 'old.sqlite'), decodeSpans: decodeSketches };
      await expect(openQuestDbStore({ url: old.url('old_'), ...options })).rejects.toMatchObject({
        code: 'config',
        message: 'store: found QuestDB 9.2.3, wanted 9.3 or newer (tried with 9.3.4)',
      });
      expect(await lookAtStore(old.url('old_'))).toContainEqual({
        wrong: true,
        sentence: expect.stringMatching(/9\.2\.3.*9\.3 or newer/),
      });
    } finally {
      await old.remove();
    }
  });

  it('whose tables several processes make at once is one store to all of them', async () => {
    const url = questdb.url('together_');
    const opened = await Promise.all(
      ['web', 'collector-1', 'collector-2'].map((name) =>
        openQuestDbStore({ url, bookPath: join(folder, `${name}.sqlite`), decodeSpans: decodeSketches }),
      ),
    );
    const [web, ...collectors] = opened as [Store, Store, Store];
    await Promise.all(collectors.map((each, i) => each.append([{ ...batch(1), collectorId: `collector-${i + 1}` }])));
    const books = await vi.waitUntil(
      async () => {
        const found = await web.books();
        return found.received === 100 && found;
      },
      { timeout: 20_000 },
    );
    expect(books.byCollector.map(({ collectorId }) => collectorId).sort()).toEqual(['collector-1', 'collector-2']);
    const reader = new Server(parseAddress(url), patient);
    const ids = await Promise.all([storeId(reader), storeId(reader)]);
    expect(ids[0]).toEqual(expect.any(String));
    await reader.close();
    for (const each of opened) await each.close();
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

it('a trace of more spans than are read says how many there are', async () => {
  await store.append([batch(1)]);
  await server.applied(['spans']);
  // 100,051 others, most of them twice
  await server.query(
    `INSERT INTO ${server.table('spans')} (ts, collector, seq, n, bucket, resource, trace_hi, trace_lo, span_id, start_ns)
     SELECT dateadd('u', x::int, ts), collector, 2L, x::int, bucket, resource, trace_hi, trace_lo, 1000L + x / 2, start_ns
     FROM long_sequence(200_100) CROSS JOIN (SELECT * FROM ${server.table('spans')} LIMIT 1)`,
  );
  server.changed('spans');
  expect(await store.traceTrail(traceHi, 1n)).toMatchObject({ total: 100_101 });
});

describe('tables', () => {
  const setSchema = async (version: string): Promise<void> => {
    const lines = new Lines('faults_');
    lines.add('meta', 0, ['schema', version]);
    await server.send(lines);
    await server.applied(['meta']);
  };
  const options = () => ({
    url: questdb.url('faults_'),
    bookPath: join(folder, 'b.sqlite'),
    decodeSpans: decodeSketches,
  });

  it('of a newer version are refused in words, and left alone', async () => {
    await setSchema('99');
    try {
      await expect(openQuestDbStore(options())).rejects.toMatchObject({
        code: 'data-dir',
        message: expect.stringContaining(
          `faults_* were written by a newer Hopscope (its schema is 99, this one knows ${schemaVersion})`,
        ),
      });
      expect(await server.all(`SELECT value FROM ${server.table('meta')} WHERE key = 'schema'`)).toEqual([
        { value: '99' },
      ]);
    } finally {
      await setSchema(String(schemaVersion));
    }
  });

  it('of an older version get what they lack, and what they hold is read', async () => {
    await store.append([batch(1)]);
    await server.applied(['spans', 'batches']);
    // as if this version had brought a table and a column
    await server.query(`DROP TABLE ${server.table('gaps')}`);
    await server.query(`ALTER TABLE ${server.table('batches')} DROP COLUMN reasons`);
    await server.applied(['batches']);
    await setSchema('0');
    await store.close();
    const migrated = await openQuestDbStore(options());
    await migrated.append([batch(2)]);
    await migrated.addGap({ fromMs: noonMs, toMs: noonMs + 1, whose: 'x', what: 'y' });
    await migrated.close();
    await open(urlThrough(proxy.port));
    await expectExactly(2);
    expect(await server.all(`SELECT value FROM ${server.table('meta')} WHERE key = 'schema'`)).toEqual([
      { value: String(schemaVersion) },
    ]);
  });
});

describe('a server that others reach', () => {
  const [own] = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4');
  if (!own) console.warn('a server that others reach: this machine has no address but loopback, skipped');

  it.runIf(own)('with the login it came with is said to be open, and no password is shown', async () => {
    const at = own!.address;
    const warningsOf = async (url: string): Promise<string[]> => {
      const direct = new Server(parseAddress(url), patient);
      const warnings = await new Watch(direct).warnings();
      await direct.close();
      return warnings.filter((sentence) => !sentence.includes('nosync'));
    };
    const ports = `${questdb.httpPort}/${questdb.pgPort}`;
    expect(await warningsOf(`questdb://127.0.0.1:${ports}`)).toEqual([]);
    // the same ports on an address that others see
    const relays = [questdb.httpPort, questdb.pgPort].map((port) =>
      createServer((socket) => {
        const server = connect(port, '127.0.0.1');
        for (const end of [socket, server]) end.on('error', () => {});
        socket.pipe(server).pipe(socket);
      }).listen(port, at),
    );
    try {
      await Promise.all(relays.map((relay) => relay.listening || once(relay, 'listening')));
      const open = [
        expect.stringContaining(
          `reached at ${at}:${questdb.pgPort} and has the name and password that each comes with`,
        ),
        expect.stringContaining(`reached at ${at}:${questdb.httpPort} and lets anybody in over HTTP`),
      ];
      for (const host of ['127.0.0.1', 'localhost', at]) {
        const found = await warningsOf(`questdb://admin:quest@${host}:${ports}`);
        expect(found, host).toEqual(open);
        expect(found.join()).not.toMatch(/:quest|admin/);
      }
      expect(await warningsOf(`questdb://reader:quest@${at}:${ports}`)).toEqual([open[1]]);
      const looks = await lookAtStore(`questdb://${at}:${ports}`);
      expect(looks).toContainEqual({ wrong: true, sentence: expect.stringContaining('lets anybody in over HTTP') });
    } finally {
      for (const relay of relays) relay.close();
    }
  });
});

describe('a server behind TLS', () => {
  it.each(['asked', 'direct'] as const)('is written to and read from, PGwire %s', async (pgTls) => {
    const tls = await behindTls(pgTls === 'asked');
    try {
      await store.close();
      await open(`questdbs://admin:quest@localhost:${tls.ports}?tables=faults_&ca=${tls.ca}&pgtls=${pgTls}`);
      await store.append([batch(1)]);
      await expectExactly(1);
      expect((await store.status()).location).toContain(`localhost:${tls.ports} over TLS`);
    } finally {
      await tls.close();
    }
  });

  it('is refused in one sentence where its certificate is not what was wanted, on either port', async () => {
    const tls = await behindTls(true);
    const plain = `${questdb.httpPort}/${questdb.pgPort}`;
    const tlsPg = tls.ports.split('/')[1];
    const other = join(folder, 'other.pem');
    writeFileSync(other, certificateOf('localhost').cert);
    const empty = join(folder, 'empty.pem');
    writeFileSync(empty, 'not a certificate');
    const troubles: [string, string | RegExp][] = [
      [
        `127.0.0.1:${tls.ports}?ca=${tls.ca}`,
        /:\d+ shows a certificate for DNS:localhost, wanted one for 127\.0\.0\.1$/,
      ],
      [
        `localhost:${tls.ports}?ca=${other}`,
        /of an unknown authority \(DEPTH_ZERO_SELF_SIGNED_CERT\), wanted .* \?ca=FILE/,
      ],
      [`localhost:${tls.ports}`, 'of an unknown authority'],
      [`localhost:${plain}?ca=${tls.ca}`, `${questdb.pgPort} speaks without TLS, wanted with TLS`],
      [`localhost:${questdb.httpPort}/${tlsPg}?ca=${tls.ca}`, `${questdb.httpPort} speaks without TLS`],
      [`localhost:${tls.ports}?ca=${folder}/no.pem`, 'no.pem could not be read (ENOENT), wanted a file with'],
      [`localhost:${tls.ports}?ca=${empty}`, 'empty.pem holds none, wanted a file with'],
    ];
    // Node's own switch changes nothing
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      for (const [place, words] of troubles) {
        const url = `questdbs://admin:quest@${place}`;
        const bookPath = join(folder, 'tls.sqlite');
        const opening = openQuestDbStore({ url, bookPath, decodeSpans: decodeSketches, limits: { sendMs: 5_000 } });
        await expect(opening, place).rejects.toMatchObject({
          code: 'config',
          message: words instanceof RegExp ? expect.stringMatching(words) : expect.stringContaining(words),
        });
        await expect(opening, place).rejects.not.toThrow('quest@');
      }
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      await tls.close();
    }
  });

  async function behindTls(asked: boolean) {
    const certificate = certificateOf('localhost');
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, certificate.cert);
    const http = await startTlsProxy(questdb.httpPort, certificate);
    const pg = await startTlsProxy(questdb.pgPort, certificate, asked);
    return {
      ca,
      ports: `${http.port}/${pg.port}`,
      close: async () => {
        await http.close();
        await pg.close();
      },
    };
  }
});
