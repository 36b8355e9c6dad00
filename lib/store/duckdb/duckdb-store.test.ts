import { spawn } from 'node:child_process';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { bucketOf } from '#lib/domain/histogram.ts';
import { resourceKey } from '#lib/domain/span.ts';
import { decodeSketches, noonMs, noonNanos, traceBatch, traceHi } from '../fixtures/batches.ts';
import { openStore } from '../open.ts';
import { type Seed, storeContract } from '../store.contract.ts';
import { DuckdbAudit } from './audit.ts';
import { Database } from './database.ts';
import { openDuckDbStore, storeOf } from './duckdb-store.ts';
import { schemaVersion } from './schema.ts';

const dirs: string[] = [];
const newDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'hopscope-store-'));
  dirs.push(dir);
  return dir;
};
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});
// Small sets of recent keys: 60 MB and their emptying in every test would be most of its time
const recent = { spans: 50_000, dataPoints: 1_000, passages: 1_000 };

storeContract('DuckDB', {
  without: { reports: 'the file belongs to one process, which knows itself' },
  newDir,
  async open(dir, bounds) {
    const db = await Database.open(join(dir, 'test.duckdb'));
    return {
      store: await storeOf(db, { decodeSpans: decodeSketches, bounds, recent }),
      seed: seedOf(db),
      async received() {
        const [row] = await db.all<Record<string, bigint>>(
          `SELECT (SELECT count(*) FROM spans) AS spans, (SELECT count(*) FROM links) AS links, (SELECT count(*) FROM passages) AS passages,
             (SELECT count(*) FROM data_points) AS "dataPoints", (SELECT count(DISTINCT topic) FROM topic_traffic) AS topics,
             (SELECT coalesce(sum(messages), 0)::BIGINT FROM topic_traffic) AS messages, (SELECT count(*) FROM strings) AS texts`,
        );
        return Object.fromEntries(Object.entries(row!).map(([name, n]) => [name, Number(n)])) as never;
      },
    };
  },
});

function seedOf(db: Database): Seed {
  const columnsOf = (rows: readonly (readonly unknown[])[]): never[] =>
    (rows[0] ?? []).map((_, c) => rows.map((row) => row[c])) as never[];
  const insert = (table: string, rows: readonly (readonly unknown[])[]): Promise<void> =>
    db.audit((tx) => tx.append(table, rows.length, columnsOf(rows)));
  const number = async (sql: string, value: string): Promise<number> => {
    const [row] = await db.all<{ id: number }>(sql, [value]);
    return row?.id ?? 0;
  };
  const resource = (r: Parameters<typeof resourceKey>[0]) =>
    number('SELECT id FROM resources WHERE key = $1', resourceKey(r));
  const text = (value: string) => number('SELECT id FROM strings WHERE value = $1', value);
  return {
    devices: (rows) =>
      insert(
        'devices',
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
    placings: async (rows) =>
      insert(
        'placings',
        await Promise.all(rows.map(async (p) => [await resource(p.resource), p.device, p.site, p.application])),
      ),
    sites: (rows) =>
      insert(
        'sites',
        rows.map((s) => [s.id, s.name, s.lat, s.lon]),
      ),
    deviceEvents: (rows) =>
      insert(
        'device_events',
        rows.map((e) => [e.device, e.timeMs, e.from, e.to, e.reason]),
      ),
    hops: (rows) =>
      insert(
        'hops',
        rows.map((h) => [h.hop, h.from, 'here', 'app', h.to, 'there', 'app', 'mqtt', h.destination, noonMs]),
      ),
    async hopMinutes(rows) {
      const broker = await Promise.all(rows.map((m) => text(m.broker ?? '')));
      await insert(
        'hop_minutes',
        rows.map((m, i) => {
          const count = m.bounded + m.assumed;
          const sum = m.added.reduce((a, b) => a + b, 0);
          return [
            m.hop,
            m.minute,
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
            m.floorMs,
            m.floorMs,
            broker[i],
            0,
            null,
            null,
            0,
          ];
        }),
      );
      await insert(
        'hop_minute_buckets',
        rows.flatMap((m) => m.added.map((ms) => [m.hop, m.minute, 0, bucketOf(ms), 1])),
      );
    },
    crossings: (rows) =>
      insert(
        'crossings',
        rows.map((c) => {
          const start = noonNanos + BigInt(c.startMs) * 1_000_000n;
          return [
            traceHi,
            c.callerTrace,
            c.callerSpan,
            traceHi,
            c.calleeTrace,
            c.calleeSpan,
            c.hop,
            true,
            false,
            false,
            c.callerDevice,
            c.calleeDevice,
            start,
            1_000_000n,
            start + 6_000_000n,
            1_000_000n,
            null,
            0,
            Math.floor((noonMs + c.startMs) / 60_000),
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
            null,
            null,
            0,
            false,
          ];
        }),
      ),
    traces: async (rows) =>
      insert(
        'traces',
        await Promise.all(
          rows.map(async (t) => [
            traceHi,
            t.trace,
            noonNanos + BigInt(t.startMs) * 1_000_000n,
            BigInt(t.durationMs) * 1_000_000n,
            await text(t.rootName),
            await resource(t.rootResource),
            true,
            t.spans,
            t.errors,
            noonMs,
            noonMs,
          ]),
        ),
      ),
    topicMinutes: async (rows) =>
      insert(
        'topic_minutes',
        await Promise.all(
          rows.map(async (t) => [
            await number('SELECT id FROM topics WHERE name = $1', t.topic),
            t.minute,
            t.messages,
            t.payloadBytes,
            t.retained ?? 0,
            noonMs,
          ]),
        ),
      ),
    clocks: (rows) =>
      insert(
        'clocks',
        rows.map((c) => [c.device, c.minute, c.offsetNanos, c.boundNanos, c.method, c.lowNanos ?? null, null]),
      ),
  };
}

describe('the embedded store', () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });
  const opened = async <T extends { close(): Promise<void> }>(what: Promise<T>): Promise<T> => {
    const each = await what;
    open.push(each);
    return each;
  };
  const file = () => join(newDir(), 'h.duckdb');
  const store = (path: string) => opened(openDuckDbStore({ path, decodeSpans: decodeSketches, recent }));

  it('keeps every append that had resolved through kill -9, and opens again', { timeout: 60_000 }, async () => {
    const path = file();
    const spansPerBatch = 200;
    let next = 1;
    for (const lifeMs of [150, 400, 250, 600]) {
      const resolved = await appendUntilKilled(path, next, spansPerBatch, lifeMs);
      const found = await openDuckDbStore({ path, decodeSpans: decodeSketches, recent });
      const through = (await found.watermarks()).get('collector-1') ?? 0;
      // the one that was under way may be there as well
      expect([resolved, resolved + 1]).toContain(through);
      expect(await found.books()).toMatchObject({
        received: through * spansPerBatch,
        stored: through * spansPerBatch,
        duplicate: 0,
      });
      expect((await found.status()).spans).toBe(through * spansPerBatch);
      if (through > 0)
        expect((await found.spansOfTrace(traceHi, BigInt(through))).spans.at(-1)!.name).toBe(
          `step ${through} ${(spansPerBatch - 1) % 7}`,
        );
      await found.close();
      next = through + 1;
    }
    expect(next).toBeGreaterThan(2);
  });

  it('takes bodies from where they are found faster, and those it does not find there from the file', async () => {
    const asked: [string, number][] = [];
    const elsewhere = traceBatch(1, [{ trace: 1n, span: 1n, name: 'from elsewhere' }]).raw;
    const found = await opened(
      openDuckDbStore({
        path: file(),
        decodeSpans: decodeSketches,
        recent,
        rawElsewhere: async (collectorId, seq) => {
          asked.push([collectorId, seq]);
          return seq === 1 ? elsewhere : null;
        },
      }),
    );
    await found.append([
      traceBatch(1, [{ trace: 1n, span: 1n, name: 'from the file' }]),
      traceBatch(2, [{ trace: 1n, span: 2n, startMs: 1, name: 'from the file' }]),
      traceBatch(3, [{ trace: 1n, span: 3n, startMs: 2, name: 'from the file too' }]),
    ]);
    const { spans } = await found.spansOfTrace(traceHi, 1n);
    expect(spans.map(({ name }) => name)).toEqual(['from elsewhere', 'from the file', 'from the file too']);
    expect(asked).toEqual([1, 2, 3].map((seq) => ['collector-1', seq]));
  });

  it('is refused a second time in the same process, and names the process that holds it otherwise', async () => {
    const path = file();
    await store(path);
    await expect(store(path)).rejects.toMatchObject({
      code: 'data-dir',
      message: expect.stringContaining('already open in this process'),
    });
    const child = await startAppending(path, 1, 1).then(
      () => 'opened',
      (error: Error) => error.message,
    );
    expect(child).toContain(`held by process ${process.pid}`);
  });

  it('takes over the lock of a process that is gone', async () => {
    const path = file();
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: process.pid, started: 'long ago', since: 'then' }));
    await (await store(path)).close();
    writeFileSync(`${path}.lock`, '{"pid":');
    await store(path);
    expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8')).pid).toBe(process.pid);
  });

  it('puts a damaged log aside, opens without it and shows the gap', async () => {
    const path = file();
    const first = await openDuckDbStore({ path, decodeSpans: decodeSketches, recent });
    await first.append([traceBatch(1, [{ trace: 1n, span: 1n }])]);
    await first.close(); // seq 1 is in the file
    await appendUntilKilled(path, 2, 50, 300);
    flipBit(`${path}.wal`);
    const found = await store(path);
    expect(await found.watermarks()).toEqual(new Map([['collector-1', 1]]));
    expect(readdirSync(join(path, '..')).filter((name) => name.includes('.wal.damaged-'))).toHaveLength(1);
    const [gap] = await found.gaps(0, Date.now() + 60_000);
    expect(gap).toMatchObject({ whose: 'store', what: expect.stringContaining('.wal.damaged-') });
    await found.append([traceBatch(2, [{ trace: 2n, span: 1n }])]);
    expect((await found.books()).stored).toBe(2);
  });

  it.runIf(process.platform === 'linux')(
    'answers on, and loses nothing, when the disk is full',
    { timeout: 60_000 },
    async () => {
      const path = file();
      const found = await onFullDisk(path, 4_000, 100);
      expect(found.appended).toBeGreaterThan(0);
      expect(found.failures).toHaveLength(4);
      expect(found.failures[0]).toMatch(/^store: .*Failed to commit/);
      expect(found).toMatchObject({ stored: found.appended, spans: found.appended });
      const later = await store(path);
      expect(await later.watermarks()).toEqual(new Map([['collector-1', found.appended]]));
      await later.append([traceBatch(found.appended + 1, [{ trace: 2n, span: 1n }])]);
      expect((await later.books()).stored).toBe(found.appended + 1);
    },
  );

  it.runIf(process.platform === 'linux')('goes on after a checkpoint that failed', { timeout: 60_000 }, async () => {
    const found = await onFullDisk(file(), 8_200, 8);
    expect(found.failures).toEqual([expect.stringMatching(/^store: .*FATAL Error: Failed to create checkpoint/)]);
    expect(found).toMatchObject({ appended: 8, stored: 8, spans: 7 });
  });

  it('refuses a file of a newer version in words', async () => {
    const path = file();
    const db = await Database.open(path);
    await db.write((tx) => tx.run(`UPDATE meta SET value = $1 WHERE key = 'schema'`, [String(schemaVersion + 1)]));
    await db.close();
    await expect(Database.open(path)).rejects.toMatchObject({
      code: 'data-dir',
      message: expect.stringContaining('newer Hopscope'),
    });
  });

  it('opens a file of the version before and finds its traces', async () => {
    const path = file();
    const old = await Database.open(path);
    await old.write(async (tx) => {
      await tx.run('ALTER TABLE traces DROP COLUMN first_arrival_ms');
      await tx.run('INSERT INTO traces VALUES (1, 2, 3, 4, 0, 0, true, 1, 0, 5)');
      await tx.run(`UPDATE meta SET value = '1' WHERE key = 'schema'`);
    });
    await old.close();
    const db = await opened(Database.open(path));
    expect(await db.all('SELECT trace_lo, arrival_ms, first_arrival_ms FROM traces')).toEqual([
      { trace_lo: 2n, arrival_ms: 5n, first_arrival_ms: null },
    ]);
    expect(await db.all(`SELECT value FROM meta WHERE key = 'schema'`)).toEqual([{ value: String(schemaVersion) }]);
  });

  it('opens a file of version 2 and keeps what nobody answered in it', async () => {
    const path = file();
    const old = await Database.open(path);
    await old.write(async (tx) => {
      for (const column of ['slice', 'route']) await tx.run(`ALTER TABLE unanswered DROP COLUMN ${column}`);
      for (const table of ['audit_live', 'hop_slices', 'live_budgets', 'hop_verdicts'])
        await tx.run(`DROP TABLE ${table}`);
      await tx.run('INSERT INTO unanswered VALUES (1, 2, 3, 4, 5)');
      await tx.run(`UPDATE meta SET value = '2' WHERE key = 'schema'`);
    });
    await old.close();
    const db = await opened(Database.open(path));
    expect(await db.all('SELECT hop, minute, slice, route FROM unanswered')).toEqual([
      { hop: 4n, minute: 5, slice: null, route: null },
    ]);
    const again = await storeOf(db, { decodeSpans: (() => []) as never });
    expect(await again.liveVerdicts()).toEqual([]);
  });

  it('opens a file from before clocks were found to contradict each other, and writes to it', async () => {
    const path = file();
    const old = await Database.open(path);
    await old.write(async (tx) => {
      await tx.run('ALTER TABLE crossings DROP COLUMN misplaced');
      await tx.run('ALTER TABLE hop_minutes DROP COLUMN contradiction');
      await tx.run('ALTER TABLE clocks DROP COLUMN low_ns');
      await tx.run('ALTER TABLE clocks DROP COLUMN high_ns');
      await tx.run('DROP TABLE clock_findings');
      await tx.run(`INSERT INTO clocks VALUES (1, 2, 3, 4, 'bounded')`);
      await tx.run(`UPDATE meta SET value = '2' WHERE key = 'schema'`);
    });
    await old.close();
    const db = await opened(Database.open(path));
    expect(await db.all('SELECT * FROM clocks')).toEqual([
      { device: 1, minute: 2, offset_ns: 3n, bound_ns: 4n, method: 'bounded', low_ns: null, high_ns: null },
    ]);
    expect(await db.all('SELECT misplaced FROM crossings')).toEqual([]);
    expect(await db.all('SELECT contradiction FROM hop_minutes')).toEqual([]);
    const finding = { kind: 'step' as const, timeMs: 60_000, devices: ['a'], sites: ['here'], nanos: -5 };
    await new DuckdbAudit(db).transaction((tx) => tx.saveFindings(null, [finding]));
    await new DuckdbAudit(db).transaction((tx) => tx.saveFindings(1, [{ ...finding, kind: 'misplaced', nanos: null }]));
    await new DuckdbAudit(db).transaction((tx) => tx.saveFindings(1, []));
    expect(await new DuckdbAudit(db).transaction((tx) => tx.findings(0))).toEqual([finding]);
  });

  it('moves its log into the file when nothing has come for a while', async () => {
    const path = file();
    const kept = await store(path);
    const log = () => statSync(`${path}.wal`, { throwIfNoEntry: false })?.size ?? 0;
    const raw = new Uint8Array(5_000_000);
    await kept.append([{ ...traceBatch(1, [{ trace: 1n, span: 1n }]), raw }]);
    expect(log()).toBeGreaterThan(raw.length);
    await expect.poll(log, { timeout: 20_000 }).toBeLessThan(100_000);
  });

  it('sees rows that came after a statement was prepared', async () => {
    const db = await opened(Database.open(':memory:', { readers: 1 }));
    const count = async () => (await db.all<{ n: bigint }>('SELECT count(*) AS n FROM gaps WHERE from_ms > 100'))[0]!.n;
    const groups = () => db.all('SELECT from_ms, count(*) AS n FROM gaps GROUP BY from_ms');
    expect(await count()).toBe(0n);
    expect(await groups()).toEqual([]);
    await db.write((tx) => tx.append('gaps', 2, [[1, 143], [1, 143], 'x', 'y']));
    expect(await count()).toBe(1n);
    expect(await groups()).toHaveLength(2);
  });

  it('goes on after the instance was closed and opened under it', async () => {
    const db = await opened(Database.open(file()));
    const found = await storeOf(db, { decodeSpans: decodeSketches, recent });
    await found.append([traceBatch(1, [{ trace: 1n, span: 1n, name: 'before' }])]);
    const [, , spans] = await Promise.all([
      db.reopen(),
      found.append([
        traceBatch(2, [
          { trace: 1n, span: 1n },
          { trace: 1n, span: 2n, name: 'after' },
        ]),
      ]),
      found.spansOfTrace(traceHi, 1n),
    ]);
    expect(spans.spans[0]!.name).toBe('before');
    expect(await found.books()).toMatchObject({ received: 3, stored: 2, duplicate: 1 });
  });

  it('gives back what a transaction wrote when it fails, in the file and in the appender', async () => {
    const db = await opened(Database.open(':memory:'));
    await expect(
      db.write(async (tx) => {
        await tx.append('gaps', 1, [1, 1, 'lost', 'rows']);
        throw new Error('on purpose');
      }),
    ).rejects.toMatchObject({ code: 'store' });
    await db.write((tx) => tx.append('gaps', 1, [2, 2, 'kept', null]));
    expect(await db.all('SELECT whose, what FROM gaps')).toEqual([{ whose: 'kept', what: null }]);
  });

  it('says which kinds of store there are', async () => {
    const others = { dataDir: newDir(), decodeSpans: decodeSketches };
    for (const url of ['questdb://', 'questdb://x:99999', 'postgres:x', 'duckdb:'])
      await expect(openStore({ url, ...others })).rejects.toMatchObject({ code: 'config' });
    expect((await (await opened(openStore({ url: `duckdb:${file()}`, ...others }))).status()).engine).toMatch(
      /^DuckDB v/,
    );
  });
});

const forever = new URL('../fixtures/append-forever.ts', import.meta.url).pathname;
const untilFull = new URL('../fixtures/append-until-full.ts', import.meta.url).pathname;

/** Resolves when the child has stored its first batch; rejects with what it said when it ends before. */
function startAppending(
  path: string,
  first: number,
  size: number,
): Promise<{ last: () => number; kill: () => Promise<void> }> {
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    forever,
    path,
    String(first),
    String(size),
  ]);
  let said = '';
  let failed = '';
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.stderr.on('data', (bytes) => {
    failed += bytes;
  });
  return new Promise((resolve, reject) => {
    void ended.then(() => reject(new Error(failed)));
    child.stdout.on('data', (bytes) => {
      said += bytes;
      resolve({
        last: () => Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1)),
        kill: async () => {
          child.kill('SIGKILL');
          await ended;
        },
      });
    });
  });
}

async function appendUntilKilled(path: string, first: number, size: number, lifeMs: number): Promise<number> {
  const child = await startAppending(path, first, size);
  await new Promise((resolve) => setTimeout(resolve, lifeMs)); // the moment of death is the point: any
  await child.kill();
  return child.last();
}

interface FullDisk {
  appended: number;
  stored: number;
  spans: number;
  failures: string[];
}

/** A limit on the size of files, with its signal ignored, makes every write beyond it fail. */
async function onFullDisk(path: string, kilobytes: number, batches: number): Promise<FullDisk> {
  const script = `trap '' XFSZ; ulimit -f ${kilobytes}; exec "$@"`;
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', untilFull, path, String(batches)];
  const child = spawn('bash', ['-c', script, 'bash', ...node], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const bytes of child.stdout) said += bytes;
  return JSON.parse(said) as FullDisk;
}

function flipBit(path: string): void {
  const at = Math.floor(statSync(path).size / 2);
  const byte = readFileSync(path)[at]!;
  const fd = openSync(path, 'r+');
  writeSync(fd, new Uint8Array([byte ^ 0x10]), 0, 1, at);
  closeSync(fd);
}
