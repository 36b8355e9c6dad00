import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import type { CollectorTally } from '../domain/collector-report.ts';
import type { Signal } from '../domain/ingest-batch.ts';
import { epochMillisOf, nanosPerMilli } from '../domain/units.ts';
import { HopscopeError } from '../errors.ts';
import { type DiskSpace, diskSpaceOf } from './disk-space.ts';
import type { SpoolEntry, SpoolGap, SpoolOptions, SpoolRow, SpoolStats } from './spool-row.ts';

// https://www.sqlite.org/rescode.html
const sqlite = { busy: 5, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;
export const spoolFormat = 1;
const damagedFilesKept = 3;
/** Reading every page at start is worth it only while it takes a moment. */
const quickCheckBelowBytes = 64 * 1024 ** 2;

const codeOf = (error: unknown): number => ((error as { errcode?: number }).errcode ?? 0) & 0xff;
const isDamage = (error: unknown): boolean =>
  error instanceof DamagedFile || codeOf(error) === sqlite.corrupt || codeOf(error) === sqlite.notADatabase;
const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

class DamagedFile extends Error {}

/** Beside the database, rewritten lazily and never synced: says roughly what is gone when the database is. */
interface Mark {
  collectorId: string;
  lastSeq: number;
  storedSeq: number;
  /** arrival of the newest batch known to be stored */
  storedMs: number;
  lastMs: number;
}

interface RowHead {
  seq: number;
  signal: Signal;
  arrivalMs: number;
  items: number;
  size: number;
}

/** The bytes belong to this place in the file and these figures, or the row counts as damaged. */
const checksumOf = (place: number, entry: SpoolEntry): number =>
  crc32(entry.bytes, crc32(`${place} ${entry.signal} ${entry.arrivalNanos} ${entry.items}`));

/**
 * The spool's file: a numbered queue of batches in SQLite, WAL, synchronous=FULL. Synchronous: lives in the spool's worker.
 * A file that cannot be read is renamed aside, what can be saved of it goes into a new one under a new collector id, and the gap is told.
 */
export class SpoolFile {
  collectorId = '';
  /** told since they were last taken */
  readonly gaps: SpoolGap[] = [];
  readonly #options: Omit<SpoolOptions, 'watermarks'>;
  readonly #path: string;
  readonly #markPath: string;
  /** the store's word, kept up to date; null = nobody will tell, or not yet */
  #known: Map<string, number> | null;
  #storeSpeaksLater: boolean;
  #db: DatabaseSync | null = null;
  #insert!: StatementSync;
  /** place in the file = base + seq */
  #base = 0;
  /** items acknowledged before seq 1 of this collector */
  #baseTotal = 0;
  /** items acknowledged up to the last batch; null = not counted from the beginning */
  #total: number | null = 0;
  #lastSeq = 0;
  #lastSeqAtOpen = 0;
  #lastMs = 0;
  #storedSeq = 0;
  #storedMs = 0;
  #unstoredBatches = 0;
  #unstoredItems: Record<number, number> = {};
  #marked = '';
  #madeRoomAt = Number.NEGATIVE_INFINITY;

  constructor(options: SpoolOptions) {
    const { watermarks } = options;
    this.#options = options;
    this.#known = watermarks instanceof Map ? new Map(watermarks) : null;
    this.#storeSpeaksLater = watermarks === 'later';
    this.#path = join(options.dir, 'spool.db');
    this.#markPath = join(options.dir, 'spool.mark.json');
    try {
      mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new HopscopeError(
        'data-dir',
        `${options.dir}: could not be made (${wordsOf(error)}), wanted a directory that Hopscope may write (setting: data)`,
        { cause: error },
      );
    }
    this.#open();
  }

  /** One transaction, durable when it returns; the seqs of the entries follow one another from the one returned. */
  append(entries: SpoolEntry[]): number {
    const space = this.#spaceToWrite();
    if (space.freeBytes < space.refuseBelowBytes) throw diskFull(this.#options.dir, space);
    let firstSeq = 0;
    let total: number | null = null;
    try {
      const db = this.#alive();
      firstSeq = this.#lastSeq + 1;
      total = this.#total;
      db.exec('BEGIN IMMEDIATE');
      let place = this.#base + firstSeq;
      for (const entry of entries) {
        const { signal, arrivalNanos, items, bytes } = entry;
        const restNanos = Number(arrivalNanos % nanosPerMilli);
        const crc = checksumOf(place, entry);
        if (total !== null) total += items;
        this.#insert.run(place, signal, epochMillisOf(arrivalNanos), restNanos, items, crc, bytes, total);
        place++;
      }
      db.exec('COMMIT');
    } catch (error) {
      this.#recover(error);
      throw new HopscopeError('spool', `the spool in ${this.#options.dir} could not be written: ${wordsOf(error)}`, {
        cause: error,
      });
    }
    this.#total = total;
    for (const entry of entries) this.#countUnstored(entry.signal, entry.items, 1);
    this.#lastSeq += entries.length;
    if (entries.length > 0) this.#lastMs = epochMillisOf(entries.at(-1)!.arrivalNanos);
    return firstSeq;
  }

  /** Rows from `fromSeq` on, oldest first, until `limitBytes` is reached (at least one); empty at the end. */
  read(fromSeq: number, limitBytes: number): SpoolRow[] {
    const rows: SpoolRow[] = [];
    let bytes = 0;
    try {
      const statement = this.#alive().prepare(
        'SELECT place, signal, arrivalMs, restNanos, items, crc, bytes FROM batches WHERE place >= ? ORDER BY place LIMIT 4096',
      );
      for (const row of statement.iterate(this.#base + fromSeq)) {
        const read = this.#rowOf(row);
        rows.push(read);
        bytes += read.bytes.length;
        if (bytes >= limitBytes) break;
      }
    } catch (error) {
      this.#recover(error);
      throw new HopscopeError('spool', `the spool in ${this.#options.dir} could not be read: ${wordsOf(error)}`, {
        cause: error,
      });
    }
    return rows;
  }

  /** The newest batches of a signal, oldest first: as many as it takes for `items`. */
  readLast(signal: Signal, items: number): SpoolRow[] {
    const rows: SpoolRow[] = [];
    let found = 0;
    const statement = this.#alive().prepare(
      `SELECT place, signal, arrivalMs, restNanos, items, crc, bytes FROM batches
       WHERE signal = ? AND place > ? ORDER BY place DESC LIMIT 4096`,
    );
    // behind so many batches of other signals nobody looks any more
    for (const row of statement.iterate(signal, this.#base + this.#lastSeq - 65_536)) {
      rows.push(this.#rowOf(row));
      found += row.items as number;
      if (found >= items) break;
    }
    return rows.reverse();
  }

  /**
   * What the store has, told after the spool was opened without knowing ('later'). Batches appended meanwhile stay; where their
   * numbers are already given out in the store, or those before them are gone, they become a collector of their own.
   */
  reconcile(watermarks: Map<string, number>): void {
    this.#known = new Map(watermarks);
    this.#storeSpeaksLater = false;
    if (this.#db === null) {
      this.#open();
      return;
    }
    const known = this.#known.get(this.collectorId) ?? 0;
    if (known > this.#lastSeqAtOpen && this.#lastSeq > this.#lastSeqAtOpen) this.#renameBehind(this.#lastSeqAtOpen);
    else this.#renameIfTheStoreLost();
    this.#goOnBehind(this.#known.get(this.collectorId) ?? 0);
  }

  #goOnBehind(storedSeq: number): void {
    this.#storedSeq = storedSeq;
    if (storedSeq > this.#lastSeq) {
      // The store may know more than an old copy of the file: its numbers must not be given out twice. Nor were its items counted here.
      this.#lastSeq = storedSeq;
      this.#total = null;
    }
    this.#countAllUnstored();
    this.#writeMark();
  }

  /** Of everything acknowledged under this collector's name: how much up to `seq`, and how much behind it. Null where it was not counted. */
  tally(seq: number): Omit<CollectorTally, 'collectorId'> {
    const acknowledgedItems = this.#total === null ? null : this.#total - this.#baseTotal;
    if (this.#db === null) return { acknowledgedItems: null, spooledItems: null, oldestSpooledMs: null };
    if (seq >= this.#lastSeq) return { acknowledgedItems, spooledItems: 0, oldestSpooledMs: null };
    const next = this.#db
      .prepare('SELECT place, arrivalMs, total - items AS before FROM batches WHERE place > ? ORDER BY place LIMIT 1')
      .get(this.#base + seq);
    const isThere = next?.place === this.#base + seq + 1;
    const before = isThere ? (next.before as number | null) : null;
    return {
      acknowledgedItems,
      spooledItems: this.#total === null || before === null ? null : this.#total - before,
      oldestSpooledMs: (next?.arrivalMs as number | undefined) ?? null,
    };
  }

  /** The store has everything up to `seq`. */
  markStored(seq: number): void {
    if (seq <= this.#storedSeq || this.#db === null) return;
    const heads = this.#heads(this.#storedSeq + 1, seq);
    for (const head of heads) this.#countUnstored(head.signal, -head.items, -1);
    this.#storedSeq = seq;
    this.#known?.set(this.collectorId, seq);
    this.#storedMs = heads.at(-1)?.arrivalMs ?? this.#storedMs;
  }

  stats(): SpoolStats {
    const space = diskSpaceOf(this.#options.dir);
    const oldest = this.#db?.prepare('SELECT arrivalMs FROM batches ORDER BY place LIMIT 1').get();
    const waiting = this.#db
      ?.prepare('SELECT arrivalMs FROM batches WHERE place > ? ORDER BY place LIMIT 1')
      .get(this.#base + this.#storedSeq);
    return {
      collectorId: this.collectorId,
      spooledItems: { ...this.#unstoredItems },
      spooledBatches: this.#unstoredBatches,
      bytes: this.#usedBytes(),
      oldestMs: (oldest?.arrivalMs as number | undefined) ?? null,
      waitingSinceMs: (waiting?.arrivalMs as number | undefined) ?? null,
      lastSeq: this.#lastSeq,
      storedSeq: this.#storedSeq,
      diskFreeBytes: space.freeBytes,
      refuseBelowBytes: space.refuseBelowBytes,
    };
  }

  /** Drops what is stored and past its keep time or size, a little at a time; true when there is more to drop. */
  tidy(nowMs: number): boolean {
    if (this.#db === null) return false;
    let more = false;
    try {
      const oversize = this.#usedBytes() - this.#options.keepBytes;
      more = this.#dropStored(
        (head, dropped) => dropped < oversize || head.arrivalMs < nowMs - this.#options.keepMs,
      ).more;
      this.#writeMark();
    } catch (error) {
      this.#recover(error);
    }
    return more;
  }

  close(): void {
    if (this.#db === null) return;
    try {
      this.#writeMark();
    } finally {
      this.#db.close();
      this.#db = null;
    }
  }

  #alive(): DatabaseSync {
    // A file that broke and could not be replaced (disk full, disk gone) is tried anew with every use.
    if (this.#db === null) this.#open();
    return this.#db!;
  }

  #open(): void {
    const mark = this.#readMark();
    const present = existsSync(this.#path) && statSync(this.#path).size > 0;
    let lost: string | null = mark !== null && !present ? 'the spool file is missing or empty' : null;
    if (present) {
      try {
        this.#openDatabase();
      } catch (error) {
        this.#db?.close();
        this.#db = null;
        if (!isDamage(error)) throw this.#cannotOpen(error);
        lost = `the spool file could not be read (${wordsOf(error)})`;
      }
    }
    // SQLite drops the tail of a damaged WAL without a word.
    const tailLost =
      this.#db !== null && mark?.collectorId === this.collectorId && mark.lastSeq > this.#lastSeq ? mark : null;
    if ((lost !== null || tailLost !== null) && this.#storeSpeaksLater) {
      this.#db?.close();
      this.#db = null;
      throw new HopscopeError(
        'spool',
        `${this.#path}: ${lost ?? 'its newest batches are gone'}; what is saved of it depends on what the store has, which is not open yet`,
      );
    }
    if (this.#db === null) this.#startAnew(mark, lost);
    else if (tailLost !== null) {
      const known = this.#known?.get(this.collectorId) ?? tailLost.storedSeq;
      if (known < tailLost.lastSeq) {
        this.gaps.push({
          fromMs: this.#lastMs || tailLost.storedMs,
          toMs: tailLost.lastMs,
          what: `the newest ${tailLost.lastSeq - Math.max(known, this.#lastSeq)} batches of the spool are gone`,
        });
      }
    }
    this.#goOnBehind(Math.max(this.#storedSeq, this.#known?.get(this.collectorId) ?? 0));
    this.#lastSeqAtOpen = this.#lastSeq;
  }

  #openDatabase(): void {
    const db = new DatabaseSync(this.#path, { timeout: 0 });
    this.#db = db;
    // One process only, and no shared-memory file beside the WAL.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    const isNew = (db.prepare('PRAGMA page_count').get()!.page_count as number) === 0;
    if (isNew) db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -4096; PRAGMA journal_size_limit = 16777216',
    );
    if (isNew) {
      db.exec(`
        BEGIN IMMEDIATE;
        CREATE TABLE batches (
          place INTEGER PRIMARY KEY, signal INTEGER NOT NULL, arrivalMs INTEGER NOT NULL,
          restNanos INTEGER NOT NULL, items INTEGER NOT NULL, crc INTEGER NOT NULL, bytes BLOB NOT NULL, total INTEGER
        ) STRICT;
        CREATE TABLE collector (id TEXT NOT NULL, base INTEGER NOT NULL, baseTotal INTEGER NOT NULL DEFAULT 0) STRICT;
        PRAGMA user_version = ${spoolFormat};
        COMMIT;
      `);
      db.prepare('INSERT INTO collector VALUES (?, 0, 0)').run(randomUUID());
    }
    const version = db.prepare('PRAGMA user_version').get()!.user_version;
    // acknowledged data that only a newer version understands is no damage
    if (Number(version) > spoolFormat)
      throw new HopscopeError(
        'data-dir',
        `${this.#path} was written by a newer Hopscope (its format is ${version}, this one knows ${spoolFormat}): start that one, or another data folder`,
      );
    if (version !== spoolFormat) throw new DamagedFile(`found format ${version}, wanted ${spoolFormat}`);
    if (this.#usedBytes() <= quickCheckBelowBytes) {
      const found = db.prepare('PRAGMA quick_check(1)').get()!.quick_check;
      if (found !== 'ok') throw new DamagedFile(String(found));
    }
    addTotals(db);
    const collector = db.prepare('SELECT id, base, baseTotal FROM collector').get();
    if (typeof collector?.id !== 'string' || collector.id === '') throw new DamagedFile('no collector id in it');
    this.collectorId = collector.id;
    this.#base = collector.base as number;
    this.#baseTotal = collector.baseTotal as number;
    this.#insert = db.prepare(
      'INSERT INTO batches (place, signal, arrivalMs, restNanos, items, crc, bytes, total) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    const last = db.prepare('SELECT place, arrivalMs, total FROM batches ORDER BY place DESC LIMIT 1').get();
    this.#lastSeq = last ? (last.place as number) - this.#base : 0;
    this.#lastMs = (last?.arrivalMs as number | undefined) ?? 0;
    this.#total = last ? (last.total as number | null) : this.#baseTotal;
    if (this.#known) this.#renameIfTheStoreLost();
    const mark = this.#readMark();
    this.#storedSeq = mark?.collectorId === this.collectorId ? Math.min(mark.storedSeq, this.#lastSeq) : 0;
    if (this.#known) this.#storedSeq = this.#known.get(this.collectorId) ?? 0;
    this.#heads(this.#storedSeq + 1, this.#lastSeq);
  }

  /**
   * A store that lost what it had is refilled from here (F11), but the batches before the oldest kept one are gone, and it would
   * wait for them for ever: the kept ones become a collector of their own, numbered from 1.
   */
  #renameIfTheStoreLost(): void {
    const first = this.#db!.prepare('SELECT place, arrivalMs FROM batches ORDER BY place LIMIT 1').get();
    if (!first) return;
    const known = this.#known!.get(this.collectorId) ?? 0;
    const firstSeq = (first.place as number) - this.#base;
    if (firstSeq <= known + 1) return;
    this.gaps.push({
      fromMs: first.arrivalMs as number,
      toMs: first.arrivalMs as number,
      what: `the store lost data: it is filled again from this moment on, ${firstSeq - 1 - known} batches before it are no longer kept`,
    });
    this.#renameBehind(firstSeq - 1);
  }

  /** What stands behind `seq` becomes a collector of its own, numbered from 1; what stands before it is in the store. */
  #renameBehind(seq: number): void {
    const db = this.#db!;
    const base = this.#base + seq;
    const first = db
      .prepare('SELECT total - items AS before FROM batches WHERE place > ? ORDER BY place LIMIT 1')
      .get(base);
    const collectorId = randomUUID();
    const baseTotal = (first?.before as number | null | undefined) ?? 0;
    db.exec('BEGIN IMMEDIATE');
    db.prepare('UPDATE collector SET id = ?, base = ?, baseTotal = ?').run(collectorId, base, baseTotal);
    db.prepare('DELETE FROM batches WHERE place <= ?').run(base);
    db.exec('COMMIT');
    this.#lastSeq -= seq;
    this.collectorId = collectorId;
    this.#base = base;
    this.#baseTotal = baseTotal;
  }

  #startAnew(mark: Mark | null, lost: string | null): void {
    const aside = this.#renameAside();
    const storedBefore = this.#known?.get(mark?.collectorId ?? '') ?? (this.#known ? 0 : (mark?.storedSeq ?? 0));
    try {
      this.#openDatabase();
    } catch (error) {
      this.#db?.close();
      this.#db = null;
      throw this.#cannotOpen(error);
    }
    if (lost === null) return;
    const saved = aside === null ? 0 : this.#salvage(aside, storedBefore);
    const now = Date.now();
    const fromMs = mark?.storedMs || (aside === null ? now : statSync(aside).birthtimeMs);
    const where = aside === null ? '' : `; it is kept as ${aside}`;
    this.gaps.push({
      fromMs: Math.min(fromMs, now),
      toMs: now,
      what: `${lost}; ${saved} batches that were not stored yet could be saved${where}`,
    });
  }

  /** The rows that can still be read and were not stored, under new numbers. */
  #salvage(aside: string, storedSeq: number): number {
    let saved = 0;
    let old: DatabaseSync | null = null;
    try {
      old = new DatabaseSync(aside, { timeout: 0 });
      const base = (old.prepare('SELECT base FROM collector').get()?.base as number | undefined) ?? 0;
      const one = old.prepare(
        'SELECT place, signal, arrivalMs, restNanos, items, crc, bytes FROM batches WHERE place >= ? ORDER BY place LIMIT 1',
      );
      for (let place = base + storedSeq + 1; ; ) {
        const found = one.get(place);
        if (found === undefined) break;
        const row = this.#rowOf(found);
        place = (found.place as number) + 1;
        if (row.damaged) continue;
        this.append([row]);
        saved++;
      }
    } catch {
      // What lies behind the damage stays in the file that was set aside; the gap says so.
    } finally {
      old?.close();
    }
    return saved;
  }

  #renameAside(): string | null {
    if (!existsSync(this.#path)) return null;
    const aside = `${this.#path}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(this.#path + suffix)) renameSync(this.#path + suffix, aside + suffix);
    }
    const older = readdirSync(this.#options.dir)
      .filter((name) => /^spool\.db\.damaged-.*Z$/.test(name))
      .sort()
      .slice(0, -damagedFilesKept);
    for (const name of older) {
      for (const suffix of ['', '-wal', '-shm']) rmSync(join(this.#options.dir, name + suffix), { force: true });
    }
    return aside;
  }

  /** After a failed statement: roll back; after damage or an I/O error start from what the disk really holds. */
  #recover(error: unknown): void {
    try {
      this.#db?.exec('ROLLBACK');
    } catch {
      // no transaction was open any more
    }
    const code = codeOf(error);
    if (code !== sqlite.ioError && !isDamage(error)) return;
    try {
      this.#db?.close();
    } catch {
      // it is given up either way
    }
    this.#db = null;
    try {
      if (isDamage(error)) {
        const mark = this.#markNow();
        this.#startAnew(mark, `the spool file broke while in use (${wordsOf(error)})`);
        this.#countAllUnstored();
      } else this.#open();
    } catch {
      // tried again with the next use
    }
  }

  #spaceToWrite(): DiskSpace {
    const space = diskSpaceOf(this.#options.dir);
    if (space.freeBytes >= space.refuseBelowBytes || this.#db === null) return space;
    const now = performance.now();
    if (now - this.#madeRoomAt < 1_000) return space;
    this.#madeRoomAt = now;
    // The replay window is a luxury; room for what arrives now is not.
    try {
      const wanted = space.refuseBelowBytes - space.freeBytes + 4 * 1024 ** 2;
      let left = wanted;
      while (left > 0) {
        const dropped = this.#dropStored((_, sum) => sum < left).droppedBytes;
        if (dropped === 0) break;
        left -= dropped;
      }
      this.#giveBack(wanted);
    } catch (error) {
      this.#recover(error);
    }
    return diskSpaceOf(this.#options.dir);
  }

  /** Free pages go back to the disk in small steps: moving pages needs room in the WAL, which is what there is little of. */
  #giveBack(bytes: number): void {
    const pagesPerStep = 256;
    const free = (): number => this.#db!.prepare('PRAGMA freelist_count').get()!.freelist_count as number;
    this.#db!.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    for (let steps = Math.ceil(bytes / (pagesPerStep * 4096)); steps > 0 && free() > 0; steps--) {
      this.#db!.exec(`PRAGMA incremental_vacuum(${pagesPerStep}); PRAGMA wal_checkpoint(TRUNCATE)`);
    }
  }

  /** One short transaction. The last row stays: it carries the numbering. */
  #dropStored(wanted: (head: RowHead, droppedBytes: number) => boolean): { droppedBytes: number; more: boolean } {
    const bytesPerStep = 16 * 1024 ** 2;
    let droppedBytes = 0;
    let last = 0;
    let more = true;
    for (const head of this.#heads(0, Math.min(this.#storedSeq, this.#lastSeq - 1), 256)) {
      more = wanted(head, droppedBytes);
      if (!more) break;
      droppedBytes += head.size;
      last = head.seq;
      if (droppedBytes >= bytesPerStep) break;
    }
    if (last === 0) return { droppedBytes: 0, more: false };
    this.#db!.prepare('DELETE FROM batches WHERE place <= ?').run(this.#base + last);
    return { droppedBytes, more };
  }

  #heads(fromSeq: number, toSeq: number, limit = -1): RowHead[] {
    if (fromSeq > toSeq || this.#db === null) return [];
    return this.#db
      .prepare(
        `SELECT place - ${this.#base} AS seq, signal, arrivalMs, items, length(bytes) AS size
         FROM batches WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?`,
      )
      .all(this.#base + fromSeq, this.#base + toSeq, limit) as unknown as RowHead[];
  }

  #rowOf(row: Record<string, unknown>): SpoolRow {
    const read: SpoolRow = {
      collectorId: this.collectorId,
      seq: (row.place as number) - this.#base,
      signal: row.signal as Signal,
      arrivalNanos: BigInt(row.arrivalMs as number) * nanosPerMilli + BigInt(row.restNanos as number),
      items: row.items as number,
      bytes: row.bytes as Uint8Array,
      damaged: false,
    };
    if (checksumOf(row.place as number, read) === row.crc) return read;
    return { ...read, bytes: new Uint8Array(0), damaged: true };
  }

  #countAllUnstored(): void {
    this.#unstoredBatches = 0;
    this.#unstoredItems = {};
    for (const head of this.#heads(this.#storedSeq + 1, this.#lastSeq)) this.#countUnstored(head.signal, head.items, 1);
  }

  #countUnstored(signal: number, items: number, batches: number): void {
    this.#unstoredItems[signal] = (this.#unstoredItems[signal] ?? 0) + items;
    this.#unstoredBatches += batches;
  }

  #usedBytes(): number {
    if (this.#db === null) return 0;
    const figure = (name: string): number => this.#db!.prepare(`PRAGMA ${name}`).get()![name] as number;
    return (figure('page_count') - figure('freelist_count')) * figure('page_size');
  }

  #markNow(): Mark {
    return {
      collectorId: this.collectorId,
      lastSeq: this.#lastSeq,
      storedSeq: this.#storedSeq,
      storedMs: this.#storedMs || this.#lastMs,
      lastMs: this.#lastMs,
    };
  }

  #writeMark(): void {
    const text = JSON.stringify(this.#markNow());
    if (text === this.#marked) return;
    try {
      // Renamed into place, so that a crash leaves the one or the other.
      writeFileSync(`${this.#markPath}.new`, text, { mode: 0o600 });
      renameSync(`${this.#markPath}.new`, this.#markPath);
      this.#marked = text;
    } catch {
      // a hint only; written again with the next change
    }
  }

  #readMark(): Mark | null {
    try {
      const mark = JSON.parse(readFileSync(this.#markPath, 'utf8')) as Partial<Mark>;
      if (typeof mark.collectorId !== 'string' || !Number.isSafeInteger(mark.lastSeq)) return null;
      return {
        collectorId: mark.collectorId,
        lastSeq: mark.lastSeq!,
        storedSeq: Number(mark.storedSeq) || 0,
        storedMs: Number(mark.storedMs) || 0,
        lastMs: Number(mark.lastMs) || 0,
      };
    } catch {
      return null;
    }
  }

  #cannotOpen(error: unknown): HopscopeError {
    if (error instanceof HopscopeError) return error;
    const code = codeOf(error);
    if (code === sqlite.busy) {
      return new HopscopeError(
        'data-dir',
        `${this.#path} is in use by another process; wanted one Hopscope for each data directory (setting: data)`,
        { cause: error },
      );
    }
    if (code === sqlite.full || code === sqlite.ioError) {
      return new HopscopeError('spool', `${this.#path} could not be opened: ${wordsOf(error)}`, { cause: error });
    }
    return new HopscopeError(
      'data-dir',
      `${this.#path} could not be opened (${wordsOf(error)}), wanted a directory that Hopscope may write (setting: data)`,
      { cause: error },
    );
  }
}

/** Files of before there were totals: counted from the oldest batch kept, where that is the first; unknown otherwise. */
function addTotals(db: DatabaseSync): void {
  const columns = db.prepare(`SELECT name FROM pragma_table_info('batches')`).all();
  if (columns.some(({ name }) => name === 'total')) return;
  db.exec(`
    BEGIN IMMEDIATE;
    ALTER TABLE batches ADD COLUMN total INTEGER;
    ALTER TABLE collector ADD COLUMN baseTotal INTEGER NOT NULL DEFAULT 0;
    UPDATE batches SET total = sums.total FROM (SELECT place, sum(items) OVER (ORDER BY place) AS total FROM batches) AS sums
      WHERE sums.place = batches.place AND (SELECT min(place) FROM batches) = (SELECT base + 1 FROM collector);
    COMMIT;
  `);
}

function diskFull(dir: string, space: DiskSpace): HopscopeError {
  const mib = (bytes: number) => Math.floor(bytes / 1024 ** 2);
  return new HopscopeError(
    'spool',
    `the disk of ${dir} has ${mib(space.freeBytes)} MiB left; below ${mib(space.refuseBelowBytes)} MiB nothing more is accepted`,
  );
}
