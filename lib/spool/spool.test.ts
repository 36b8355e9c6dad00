import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { signal } from '../domain/ingest-batch.ts';
import { lookAtSpool } from './look.ts';
import { openSpool, type Spool } from './spool.ts';
import { SpoolFile } from './spool-file.ts';
import type { SpoolEntry, SpoolOptions } from './spool-row.ts';

let dir: string;
const opened: Spool[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hopscope-spool-'));
});
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close();
  rmSync(dir, { recursive: true, force: true });
});

const nowNanos = 1_790_000_000_123_456_789n;
const oldestSpooledMs = Number(nowNanos / 1_000_000n);
const entry = (text: string, more: Partial<SpoolEntry> = {}): SpoolEntry => ({
  signal: signal.traces,
  arrivalNanos: nowNanos,
  items: 1,
  bytes: new TextEncoder().encode(text),
  ...more,
});
const open = async (more: Partial<SpoolOptions> = {}): Promise<Spool> => {
  const spool = await openSpool({ dir, keepMs: 3_600_000, keepBytes: 1 << 30, ...more });
  opened.push(spool);
  return spool;
};
const textOf = ({ bytes }: { bytes: Uint8Array }): string => new TextDecoder().decode(bytes);
const seqsOf = (as: { seq: number }[]): number[] => as.map(({ seq }) => seq);

test('numbers batches without holes, also those appended at the same moment', async () => {
  const spool = await open();
  const all = await Promise.all([
    spool.append([entry('a'), entry('b')]),
    spool.append([entry('c')]),
    spool.append([entry('d')]),
  ]);
  expect(all.map(seqsOf)).toEqual([[1, 2], [3], [4]]);
  expect(all[0]![0]!.collectorId).toBe(spool.collectorId);
  const rows = await spool.read(2, 1 << 20);
  expect(rows.map(textOf)).toEqual(['b', 'c', 'd']);
  expect(rows[0]).toMatchObject({ seq: 2, arrivalNanos: nowNanos, items: 1, signal: signal.traces, damaged: false });
});

test('a file of a newer version is refused in words, and stays as it is', async () => {
  const first = await open();
  await first.append([entry('a')]);
  await first.close();
  const setFormat = (format: number): void => {
    const db = new DatabaseSync(join(dir, 'spool.db'));
    db.exec(`PRAGMA user_version = ${format}`);
    db.close();
  };
  setFormat(2);
  await expect(open()).rejects.toMatchObject({
    code: 'data-dir',
    message: expect.stringMatching(/spool.db was written by a newer Hopscope \(its format is 2, this one knows 1\)/),
  });
  expect(lookAtSpool(dir)).toContainEqual({ wrong: true, sentence: expect.stringContaining('newer Hopscope') });
  setFormat(1);
  expect((await (await open()).read(1, 1 << 20)).map(textOf)).toEqual(['a']);
});

test('what was appended is there after reopening, under the same collector id', async () => {
  const first = await open();
  await first.append([entry('a'), entry('b')]);
  await first.close();
  const second = await open();
  expect(second.collectorId).toBe(first.collectorId);
  expect(second.gaps).toEqual([]);
  expect(seqsOf(await second.append([entry('c')]))).toEqual([3]);
  expect((await second.read(1, 1 << 20)).map(textOf)).toEqual(['a', 'b', 'c']);
});

test('a second process on the same directory is refused with a sentence', async () => {
  await open();
  await expect(openSpool({ dir, keepMs: 1, keepBytes: 1 })).rejects.toThrow(/in use by another process.*setting: data/);
});

test('read gives at least one batch and stops at the byte limit', async () => {
  const spool = await open();
  await spool.append(Array.from({ length: 10 }, (_, i) => entry('x'.repeat(1000), { items: i })));
  expect(await spool.read(1, 1)).toHaveLength(1);
  expect(await spool.read(1, 2500)).toHaveLength(3);
  expect(await spool.read(11, 2500)).toEqual([]);
});

test('counts what is not stored yet, by signal, and goes by the word of the store', async () => {
  const spool = await open();
  await spool.append([
    entry('a', { items: 5 }),
    entry('b', { signal: signal.mqtt, items: 7 }),
    entry('c', { items: 1, arrivalNanos: nowNanos + 5_000_000_000n }),
  ]);
  const firstMs = Number(nowNanos / 1_000_000n);
  expect(await spool.stats()).toMatchObject({ oldestMs: firstMs, waitingSinceMs: firstMs });
  expect((await spool.stats()).spooledItems).toEqual({ 1: 6, 3: 7 });
  spool.markStored(spool.collectorId, 2);
  expect(await spool.stats()).toMatchObject({
    spooledItems: { 1: 1, 3: 0 },
    spooledBatches: 1,
    oldestMs: firstMs,
    waitingSinceMs: firstMs + 5_000,
    storedSeq: 2,
    lastSeq: 3,
  });
  spool.markStored(spool.collectorId, 3);
  expect((await spool.stats()).waitingSinceMs).toBeNull();
  await spool.close();
  const again = await open({ watermarks: new Map([[spool.collectorId, 1]]) });
  expect(again.storedSeq).toBe(1);
  expect((await again.stats()).spooledItems).toEqual({ 1: 1, 3: 7 });
});

test('a store that knows more than the file does not get a number twice', async () => {
  const spool = await open();
  await spool.append([entry('a')]);
  await spool.close();
  const again = await open({ watermarks: new Map([[spool.collectorId, 40]]) });
  expect(seqsOf(await again.append([entry('b')]))).toEqual([41]);
});

test('a store that lost everything is refilled from the oldest batch kept', async () => {
  const spool = await open();
  await spool.append([entry('a'), entry('b')]);
  spool.markStored(spool.collectorId, 2);
  await spool.close();
  expect((await open({ watermarks: new Map() })).storedSeq).toBe(0);
});

test('a store that lost everything is refilled under a new name when its oldest batches are no longer kept', () => {
  const keep = { dir, keepMs: 1_000, keepBytes: 1 << 30 };
  const file = new SpoolFile(keep);
  file.append(Array.from({ length: 10 }, (_, i) => entry(`batch ${i + 1}`)));
  file.markStored(6);
  while (file.tidy(Number(nowNanos / 1_000_000n) + 2_000));
  file.close();
  const known = new SpoolFile({ ...keep, watermarks: new Map([[file.collectorId, 6]]) });
  expect([known.collectorId, known.stats().storedSeq, known.gaps]).toEqual([file.collectorId, 6, []]);
  known.close();

  const lost = new SpoolFile({ ...keep, watermarks: new Map() });
  expect(lost.collectorId).not.toBe(file.collectorId);
  expect(lost.gaps[0]!.what).toMatch(/6 batches before it are no longer kept/);
  expect(lost.read(1, 1 << 20).map((row) => [row.seq, textOf(row), row.damaged])).toEqual(
    [7, 8, 9, 10].map((n, i) => [i + 1, `batch ${n}`, false]),
  );
  expect(lost.append([entry('next')])).toBe(5);
  lost.close();
  const again = new SpoolFile({ ...keep, watermarks: new Map([[lost.collectorId, 2]]) });
  expect([again.collectorId, again.stats().storedSeq, again.gaps]).toEqual([lost.collectorId, 2, []]);
  expect(again.stats().spooledItems).toEqual({ 1: 3 });
  again.close();
});

test('takes batches before the store is open, and goes on where the store says once it is', async () => {
  const before = await open();
  await before.append([entry('a'), entry('b'), entry('c')]);
  before.markStored(before.collectorId, 1);
  await before.close();

  const spool = await open({ watermarks: 'later' });
  expect(seqsOf(await spool.append([entry('d')]))).toEqual([4]);
  const { collectorId } = spool;
  expect(await spool.reconcile(new Map([[collectorId, 2]]))).toEqual({ collectorId, storedSeq: 2, lastSeq: 4 });
  expect((await spool.stats()).spooledItems).toEqual({ 1: 2 });
  expect(seqsOf(await spool.append([entry('e')]))).toEqual([5]);
});

test('numbers given out before the store was open are given up where the store knows them already', async () => {
  const before = await open();
  await before.append([entry('a'), entry('b')]);
  await before.close();

  // the spool is an older copy: the store has batches 3 to 9 of it, which are not those appended here
  const spool = await open({ watermarks: 'later' });
  const [as] = await spool.append([entry('x', { items: 5 })]);
  expect(as).toEqual({ collectorId: before.collectorId, seq: 3 });
  const position = await spool.reconcile(new Map([[before.collectorId, 9]]));
  expect(position).toEqual({ collectorId: spool.collectorId, storedSeq: 0, lastSeq: 1 });
  expect(spool.collectorId).not.toBe(before.collectorId);
  expect((await spool.read(1, 1 << 20)).map((row) => [row.collectorId, row.seq, textOf(row), row.damaged])).toEqual([
    [spool.collectorId, 1, 'x', false],
  ]);
  expect(await spool.append([entry('y')])).toEqual([{ collectorId: spool.collectorId, seq: 2 }]);
  expect(await spool.tally(0)).toEqual({
    collectorId: spool.collectorId,
    acknowledgedItems: 6,
    spooledItems: 6,
    oldestSpooledMs,
  });
});

test('a damaged file waits for the store: what is saved of it depends on what the store has', async () => {
  const before = await open();
  await before.append([entry('a'), entry('b')]);
  await before.close();
  truncateSync(join(dir, 'spool.db'), 0);
  await expect(open({ watermarks: 'later' })).rejects.toThrow(/missing or empty.*what the store has/);
  const after = await open({ watermarks: new Map([[before.collectorId, 1]]) });
  expect(after.gaps).toHaveLength(1);
});

test('adds up what it acknowledged, by itself, and says how much of it stands behind a batch', async () => {
  const spool = await open();
  await spool.append([entry('a', { items: 5 }), entry('b', { items: 7 }), entry('c', { items: 1 })]);
  const { collectorId } = spool;
  expect(await spool.tally(1)).toEqual({ collectorId, acknowledgedItems: 13, spooledItems: 8, oldestSpooledMs });
  expect(await spool.tally(3)).toEqual({ collectorId, acknowledgedItems: 13, spooledItems: 0, oldestSpooledMs: null });
  await spool.close();
  const again = await open();
  await again.append([entry('d', { items: 2 })]);
  expect(await again.tally(3)).toEqual({ collectorId, acknowledgedItems: 15, spooledItems: 2, oldestSpooledMs });
});

test('a file of before there were totals is counted from its first batch, or not at all', () => {
  const options = { dir, keepMs: 1_000, keepBytes: 1 << 30 };
  const file = new SpoolFile(options);
  file.append([entry('a', { items: 5 }), entry('b', { items: 7 })]);
  file.close();
  const forget = (): void => {
    const db = new DatabaseSync(join(dir, 'spool.db'));
    db.exec('ALTER TABLE batches DROP COLUMN total; ALTER TABLE collector DROP COLUMN baseTotal');
    db.close();
  };
  forget();
  const whole = new SpoolFile(options);
  expect(whole.tally(1)).toEqual({ acknowledgedItems: 12, spooledItems: 7, oldestSpooledMs });
  whole.append([entry('c')]);
  whole.markStored(2);
  while (whole.tidy(Number(nowNanos / 1_000_000n) + 2_000));
  whole.close();
  forget();
  const part = new SpoolFile(options);
  expect(part.tally(2)).toEqual({ acknowledgedItems: null, spooledItems: null, oldestSpooledMs });
  part.close();
});

test('the newest batches of one signal are read back, as many as it takes', async () => {
  const spool = await open();
  const mqtt = (text: string) => entry(text, { signal: signal.mqtt, items: 10 });
  await spool.append([mqtt('a'), entry('b'), mqtt('c'), entry('d'), mqtt('e')]);
  expect((await spool.readLast(signal.mqtt, 15)).map(textOf)).toEqual(['c', 'e']);
  expect((await spool.readLast(signal.mqtt, 1_000)).map(textOf)).toEqual(['a', 'c', 'e']);
});

test('drops stored batches past their time or size, never those that are not stored, and keeps counting', () => {
  const file = new SpoolFile({ dir, keepMs: 1000, keepBytes: 1 << 30 });
  file.append(Array.from({ length: 20 }, () => entry('x'.repeat(10_000))));
  file.markStored(10);
  const nowMs = Number(nowNanos / 1_000_000n);
  file.tidy(nowMs + 500);
  expect(file.read(1, 1)[0]!.seq).toBe(1);
  while (file.tidy(nowMs + 2000));
  expect(file.read(1, 1)[0]!.seq).toBe(11);
  file.markStored(20);
  while (file.tidy(nowMs + 2000));
  expect(file.read(1, 1)[0]!.seq).toBe(20);
  file.close();
  const again = new SpoolFile({ dir, keepMs: 1000, keepBytes: 1 << 30 });
  expect(again.append([entry('y')])).toBe(21);
  again.close();

  const small = new SpoolFile({ dir, keepMs: 1e12, keepBytes: 100_000 });
  small.append(Array.from({ length: 50 }, () => entry('x'.repeat(10_000))));
  small.markStored(60);
  while (small.tidy(nowMs));
  expect(small.stats().bytes).toBeLessThan(130_000 + 8 * 10_000);
  expect(small.read(61, 1)).toHaveLength(1);
  small.close();
});

test('every acknowledged append survives kill -9', { timeout: 60_000 }, async () => {
  let acked = 0;
  const rounds = process.env.HOPSCOPE_LONG ? 50 : 5;
  for (let round = 0; round < rounds; round++) {
    const child: ChildProcess = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'fixtures/append-until-killed.ts'), dir],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    const killAfter = 20 + Math.random() * 150;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      if (said === '') setTimeout(() => child.kill('SIGKILL'), killAfter);
      said += text;
    });
    await once(child, 'close');
    const seqs = said.split('\n').slice(0, -1).map(Number);
    acked = Math.max(acked, ...seqs);
    expect(seqs.length).toBeGreaterThan(3);
    const spool = await open();
    expect(spool.gaps).toEqual([]);
    expect(spool.lastSeq).toBeGreaterThanOrEqual(acked);
    let next = 1;
    for (;;) {
      const rows = await spool.read(next, 4 << 20);
      if (rows.length === 0) break;
      for (const row of rows) {
        expect(row.seq).toBe(next++);
        expect(row.damaged).toBe(false);
      }
    }
    expect(next - 1).toBe(spool.lastSeq);
    await spool.close();
  }
  expect(acked).toBeGreaterThan(20);
});

const damages: Record<string, (path: string) => void> = {
  'garbage instead of a database': (path) => writeFileSync(path, 'this was a database once '.repeat(1000)),
  'a broken header': (path) => {
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 0, 40);
    writeFileSync(path, bytes);
  },
  'half the file gone': (path) => truncateSync(path, Math.floor(readFileSync(path).length / 8192) * 4096),
  'an empty file': (path) => truncateSync(path, 0),
  'no file': (path) => rmSync(path),
  'a page of zeros': (path) => {
    const bytes = readFileSync(path);
    bytes.fill(0, 4096, 8192);
    writeFileSync(path, bytes);
  },
};

for (const [name, damage] of Object.entries(damages)) {
  test(`starts anew under another collector id and tells the gap: ${name}`, async () => {
    const before = await open();
    await before.append(Array.from({ length: 40 }, (_, i) => entry(`${i} `.repeat(2000))));
    await before.close();
    damage(join(dir, 'spool.db'));
    const after = await open();
    expect(after.collectorId).not.toBe(before.collectorId);
    expect(after.gaps).toHaveLength(1);
    expect(after.gaps[0]!.fromMs).toBeLessThanOrEqual(after.gaps[0]!.toMs);
    expect(after.gaps[0]!.what).toMatch(/spool file/);
    const first = (await after.append([entry('new')]))[0]!;
    expect(textOf((await after.read(first.seq, 1))[0]!)).toBe('new');
    const aside = readdirSync(dir).filter((file) => /\.damaged-/.test(file));
    expect(aside.length).toBe(name === 'no file' ? 0 : 1);
    await after.close();
    expect((await open()).gaps).toEqual([]);
  });
}

test('survives any flipped bit: starts, and every batch it hands out is whole or marked damaged', {
  timeout: 60_000,
}, () => {
  const source = join(dir, 'source');
  const file = new SpoolFile({ dir: source, keepMs: 1e12, keepBytes: 1 << 30 });
  for (let i = 0; i < 30; i++) file.append([entry(`${i} `.repeat(i * 40 + 1), { items: i })]);
  file.close();
  const good = readFileSync(join(source, 'spool.db'));
  let random = 42;
  const next = (below: number): number => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
    return random % below;
  };
  const rounds = process.env.HOPSCOPE_LONG ? 500 : 60;
  for (let round = 0; round < rounds; round++) {
    const path = join(dir, `flip-${round}`);
    const bytes = Buffer.from(good);
    bytes[next(bytes.length)]! ^= 1 << next(8);
    rmSync(path, { recursive: true, force: true });
    const start = new SpoolFile({ dir: path, keepMs: 1e12, keepBytes: 1 << 30 });
    start.close();
    writeFileSync(join(path, 'spool.db'), bytes);
    const damaged = new SpoolFile({ dir: path, keepMs: 1e12, keepBytes: 1 << 30 });
    for (let from = 1; ; ) {
      const rows = damaged.read(from, 1 << 20);
      if (rows.length === 0) break;
      for (const row of rows) {
        if (!row.damaged) expect(textOf(row)).toBe(`${row.items} `.repeat(row.items * 40 + 1));
        from = row.seq + 1;
      }
    }
    damaged.append([entry('goes on')]);
    damaged.close();
    rmSync(path, { recursive: true });
  }
});

test('a file that breaks while in use is replaced, and appends go on under another collector id', async () => {
  const spool = await open();
  const renewed: string[] = [];
  spool.onRenewed((collectorId, gaps) => renewed.push(`${collectorId} ${gaps[0]?.what}`));
  const before = spool.collectorId;
  for (let i = 0; i < 30; i++) await spool.append([entry('x'.repeat(1 << 20))]);
  const path = join(dir, 'spool.db');
  const size = readFileSync(path).length;
  writeFileSync(path, Buffer.alloc(size, 0xa5), { flag: 'r+' });
  // The tidying may have come across it first.
  const read = await spool.read(1, 1 << 30).catch((error: unknown) => error);
  if (renewed.length > 0) expect(read).toEqual([]);
  else expect(read).toMatchObject({ code: 'spool' });
  const [as] = await spool.append([entry('goes on')]);
  expect(as!.collectorId).not.toBe(before);
  expect(spool.collectorId).toBe(as!.collectorId);
  expect(renewed).toEqual([expect.stringMatching(`^${as!.collectorId} the spool file broke while in use`)]);
  expect((await spool.read(as!.seq, 1)).map(textOf)).toEqual(['goes on']);
});

test('refuses at once when too many bytes wait for the disk', async () => {
  const spool = await open();
  const big = new Uint8Array(40 << 20);
  const first = spool.append([entry('', { bytes: big })]);
  await expect(spool.append([entry('', { bytes: big })])).rejects.toMatchObject({ code: 'spool' });
  await first;
  expect(seqsOf(await spool.append([entry('b')]))).toEqual([2]);
});
