import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { HopscopeError } from '#lib/errors.ts';

/**
 * The audit's own book: where it stands and who is who. Small, changed in place, and read by nobody but the process that judges, so it is a
 * file beside that process's other state and not a table of the server, which has neither DELETE nor a transaction over two tables.
 *
 * What it decides goes to the server first, under keys that follow from what it is about; then this book is committed. A crash between the
 * two repeats the pass, which writes the same rows again. A lost book is made again out of what the server holds.
 *
 * Opened when it is first asked for: a process that only collects has none.
 */
export class AuditBook {
  readonly #path: string;
  readonly #storeId: string;
  #closed = false;
  #db: DatabaseSync | null = null;
  #reader: DatabaseSync | null = null;
  #version = 0;
  #places: { version: number; byResource: Map<string, Place> } | null = null;

  constructor(path: string, storeId: string) {
    this.#path = path;
    this.#storeId = storeId;
  }

  /** Changes with every commit. */
  get version(): number {
    return this.#version;
  }

  /** Inside a transaction of the audit. */
  get writer(): DatabaseSync {
    this.#open();
    return this.#db!;
  }

  run(sql: string, ...params: SQLInputValue[]): void {
    prepared(this.writer, sql).run(...params);
  }

  /** What the transaction sees. */
  own<T>(sql: string, ...params: SQLInputValue[]): T[] {
    return rowsOf(prepared(this.writer, sql).all(...params)) as T[];
  }

  /** What is committed. */
  all<T>(sql: string, ...params: SQLInputValue[]): T[] {
    this.#open();
    return rowsOf(prepared(this.#reader!, sql).all(...params)) as T[];
  }

  begin(): void {
    this.writer.exec('BEGIN IMMEDIATE');
  }
  commit(): void {
    this.writer.exec('COMMIT');
    this.#version++;
  }
  rollback(): void {
    if (this.#db?.isTransaction) this.#db.exec('ROLLBACK');
  }

  /** Where resources stand, by their symbols; those that the audit has not placed yet are missing. */
  places(): ReadonlyMap<string, Place> {
    if (this.#places?.version === this.#version) return this.#places.byResource;
    const rows = this.all<{ resource: string; device: string | null; site: string; application: string }>(
      'SELECT p.resource, d.id AS device, p.site, p.application FROM placings p LEFT JOIN devices d ON d.number = p.device',
    );
    const byResource = new Map(
      rows.map(({ resource, device, site, application }) => [resource, { deviceId: device ?? '', site, application }]),
    );
    this.#places = { version: this.#version, byResource };
    return byResource;
  }

  /** The last verdict of a hop still holds. */
  forgetBefore(minute: number): void {
    if (!this.#db) return;
    this.run(
      'DELETE FROM hop_verdicts WHERE from_slice < ? AND from_slice < (SELECT max(l.from_slice) FROM hop_verdicts l WHERE l.hop = hop_verdicts.hop)',
      minute * 6,
    );
    this.run('DELETE FROM clock_findings WHERE time_ms < ?', minute * 60_000);
  }

  close(): void {
    this.#closed = true;
    this.#reader?.close();
    this.#db?.close();
    this.#reader = null;
    this.#db = null;
  }

  #open(): void {
    if (this.#closed) throw new HopscopeError('store', 'the store is closed');
    if (this.#db) return;
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      let { db, unfit } = openBook(this.#path, this.#storeId);
      if (unfit !== null) {
        db.close();
        for (const end of ['', '-wal', '-shm'])
          if (existsSync(this.#path + end)) renameSync(this.#path + end, `${this.#path}.${unfit}${end}`);
        ({ db } = openBook(this.#path, this.#storeId));
      }
      db.prepare(`INSERT OR REPLACE INTO meta VALUES ('store', ?)`).run(this.#storeId);
      this.#db = db;
      this.#reader = new DatabaseSync(this.#path, { readOnly: true, readBigInts: true });
    } catch (cause) {
      throw new HopscopeError('data-dir', `cannot open ${this.#path}: ${(cause as Error).message}`, { cause });
    }
  }
}

/** `unfit`: why a new one must take its place, which is then made out of what the server holds. */
function openBook(path: string, storeId: string): { db: DatabaseSync; unfit: string | null } {
  const db = new DatabaseSync(path, { readBigInts: true });
  try {
    // those from before there was a number are of version 1
    const version = Number(db.prepare('PRAGMA user_version').get()!.user_version) || 1;
    if (version !== bookVersion) return { db, unfit: `of-version-${version}` };
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
    db.exec(schema);
    db.exec(`PRAGMA user_version = ${bookVersion}`);
    const of = db.prepare(`SELECT value FROM meta WHERE key = 'store'`).get()?.value;
    // of tables that are no more: its cursors would keep the audit from reading the new ones
    return { db, unfit: of === undefined || of === storeId ? null : `of-${of}` };
  } catch (error) {
    if (!damage.has((error as { errcode?: number }).errcode ?? 0)) {
      db.close();
      throw error;
    }
    return { db, unfit: 'damaged' };
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB, https://www.sqlite.org/rescode.html */
const damage = new Set([11, 26]);

export interface Place {
  deviceId: string;
  site: string;
  application: string;
}

/** 64 bits wide; all other integers are numbers */
const wide = new Set(['hop', 'route', 'seq', 'after_seq', 'upto_seq', 'budget_ns']);

const rowsOf = (rows: Record<string, unknown>[]): Record<string, unknown>[] =>
  rows.map((row) => {
    const plain: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(row))
      plain[name] = typeof value === 'bigint' && !wide.has(name) ? Number(value) : value;
    return plain;
  });

const statements = new WeakMap<DatabaseSync, Map<string, ReturnType<DatabaseSync['prepare']>>>();
function prepared(db: DatabaseSync, sql: string): ReturnType<DatabaseSync['prepare']> {
  const known = statements.get(db) ?? new Map();
  statements.set(db, known);
  const statement = known.get(sql) ?? db.prepare(sql);
  known.set(sql, statement);
  return statement;
}

/** Another one means another book, made anew: there is nothing in it that the server cannot say. */
const bookVersion = 1;

// hop, route: 64 bits read as signed. collector, resource: as the server knows them; placings.collector: whose clock it is, instead of a device
const schema = `
  CREATE TABLE IF NOT EXISTS cursors (collector TEXT PRIMARY KEY, seq INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS unchecked (collector TEXT, after_seq INTEGER, upto_seq INTEGER, oldest_ms INTEGER, spans INTEGER, read_ms INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS devices (
    number INTEGER PRIMARY KEY, id TEXT, name TEXT, site TEXT, applications TEXT, state TEXT, reason TEXT, since_ms INTEGER, last_seen_ms INTEGER,
    interval_ms REAL, services TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS placings (resource TEXT PRIMARY KEY, device INTEGER, collector TEXT, site TEXT, application TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS sites (id TEXT PRIMARY KEY, name TEXT, lat REAL, lon REAL) STRICT;
  CREATE TABLE IF NOT EXISTS traced (
    from_service TEXT, from_site TEXT, system TEXT, destination TEXT, hop INTEGER, UNIQUE (from_service, from_site, system, destination, hop)) STRICT;
  CREATE TABLE IF NOT EXISTS dirty (hop INTEGER, minute INTEGER, PRIMARY KEY (minute, hop)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS due (minute INTEGER PRIMARY KEY, due_ms INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS heard (hop INTEGER, minute INTEGER, PRIMARY KEY (hop, minute)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS live (hop INTEGER, minute INTEGER, PRIMARY KEY (minute, hop)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS budgets (hop INTEGER PRIMARY KEY, budget_ns INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS slices (
    hop INTEGER, slice INTEGER, minute INTEGER, measured INTEGER, over_budget INTEGER, within_budget INTEGER, floor_over INTEGER, unanswered INTEGER,
    PRIMARY KEY (hop, minute, slice)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS slices_by_minute ON slices (minute);
  CREATE TABLE IF NOT EXISTS hop_verdicts (
    hop INTEGER, from_slice INTEGER, verdict TEXT, over_since INTEGER, unanswered_since INTEGER, PRIMARY KEY (hop, from_slice)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS clock_findings (kind TEXT, time_ms INTEGER, devices TEXT, sites TEXT, nanos INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) STRICT;
`;
