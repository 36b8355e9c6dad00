import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { HopscopeError } from '#lib/errors.ts';
import { holdDataFile } from './data-lock.ts';
import { migrations, schemaStatements, schemaVersion } from './schema.ts';
import { type ColumnSet, Connection, type Param, type ReadColumn, type Session, type Tx } from './session.ts';

export interface DatabaseOptions {
  /** what the engine may keep in memory; default 256MB */
  memoryLimit?: string;
  /** default 2 */
  threads?: number;
  /** connections for reads; each also occupies one thread of libuv's pool (4 by default) while it runs. Default 3 */
  readers?: number;
}

/**
 * The one DuckDB instance of a file: a pool of reading connections and two writers, one for what comes in, one for the audit.
 * The writers run beside each other (DuckDB is optimistic: they write different tables), each one transaction at a time.
 *
 * After a FATAL error (a checkpoint that failed, reliability.md 0.6) the instance answers nothing any more, and after a failed COMMIT
 * it should not (isFatal): it is closed and opened again, the call that met the error throws HopscopeError('store'), and calls after it find a working instance.
 *
 * Inside a transaction ask the `tx` you were given, never the database: a call that waits for another one may wait for itself.
 */
export class Database implements Session {
  readonly path: string;
  readonly #options: DatabaseOptions;
  readonly #release: () => void;
  #engine: Engine;
  #running = 0;
  #idle: (() => void) | null = null;
  #reopening: Promise<void> | null = null;
  #closed = false;
  readonly #reopened: ((session: Session) => Promise<void>)[] = [];

  private constructor(path: string, options: DatabaseOptions, engine: Engine, release: () => void) {
    this.path = path;
    this.#options = options;
    this.#engine = engine;
    this.#release = release;
  }

  static async open(path: string | ':memory:', options: DatabaseOptions = {}): Promise<Database> {
    if (path === ':memory:') return new Database(path, options, await openEngine(path, options), () => {});
    const file = resolve(path);
    try {
      mkdirSync(dirname(file), { recursive: true });
    } catch (cause) {
      throw new HopscopeError('data-dir', `cannot make the folder ${dirname(file)}: ${(cause as Error).message}`, {
        cause,
      });
    }
    const lock = holdDataFile(file);
    try {
      rmSync(`${file}.tmp`, { recursive: true, force: true }); // what a killed process had spilled
      return new Database(file, options, await openEngine(file, options), lock.release);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  all<T>(sql: string, params?: readonly Param[]): Promise<T[]> {
    return this.read((session) => session.all<T>(sql, params));
  }

  columns<C extends ReadColumn[]>(sql: string, params?: readonly Param[]): Promise<ColumnSet<C>> {
    return this.read((session) => session.columns<C>(sql, params));
  }

  /** Several reads in one snapshot of the data. */
  snapshot<T>(fn: (session: Session) => Promise<T>): Promise<T> {
    return this.read((session) => inTransaction(session as Connection, 'BEGIN READ ONLY', fn));
  }

  /** The writer of what comes in: one transaction at a time, BEGIN .. COMMIT, ROLLBACK when `fn` throws. Durable when it resolves. */
  write<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#work(() => this.#engine.ingest.run((connection) => inTransaction(connection, 'BEGIN', fn)));
  }

  /** The same on the audit's own connection. */
  audit<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#work(() => this.#engine.audit.run((connection) => inTransaction(connection, 'BEGIN', fn)));
  }

  /** Moves the write-ahead log into the file, while no writer is at work: a checkpoint that meets one waits or fails (libraries.md 23). */
  checkpoint(): Promise<void> {
    return this.#work(() =>
      this.#engine.ingest.run(() => this.#engine.audit.run((connection) => connection.command('CHECKPOINT'))),
    );
  }

  /** Size of the write-ahead log. */
  logBytes(): number {
    return statSync(`${this.path}.wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Called with the fresh instance after every reopen, before anybody else may use it: what memory holds of the file is loaded again. */
  onReopen(load: (session: Session) => Promise<void>): void {
    this.#reopened.push(load);
  }

  /** Closes the instance and opens it again. Waits for what runs; what comes meanwhile waits for it. */
  reopen(): Promise<void> {
    this.#reopening ??= this.#reopenNow().then(
      () => {
        this.#reopening = null;
      },
      (error) => {
        this.#reopening = null; // the next call tries once more
        throw error;
      },
    );
    return this.#reopening;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#reopening?.catch(() => {});
    await this.#untilIdle();
    try {
      await this.#engine.audit.run((connection) => connection.command('CHECKPOINT'));
    } catch {
      // then the log is read again at the next start
    }
    this.#engine.close();
    this.#release();
  }

  private read<T>(fn: (session: Session) => Promise<T>): Promise<T> {
    return this.#work(() => this.#engine.readers.run(fn));
  }

  async #work<T>(fn: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new HopscopeError('store', `${this.path} is closed`);
    if (this.#engine.dead && !this.#reopening) this.reopen().catch(() => {});
    if (this.#reopening) await this.#reopening;
    const engine = this.#engine;
    this.#running++;
    try {
      return await fn();
    } catch (error) {
      if (isFatal(error) && engine === this.#engine && !this.#closed) {
        engine.dead = true;
        this.reopen().catch(() => {}); // not awaited: it waits for this very call to leave. Its failure meets the next caller
      }
      throw asStoreError(error);
    } finally {
      if (--this.#running === 0) this.#idle?.();
    }
  }

  async #reopenNow(): Promise<void> {
    await this.#untilIdle();
    this.#engine.dead = true;
    this.#engine.close();
    try {
      this.#engine = await openEngine(this.path, this.#options);
    } catch (cause) {
      throw new HopscopeError('store', `the telemetry store could not be opened again: ${messageOf(cause)}`, { cause });
    }
    for (const load of this.#reopened) await this.#engine.readers.run(load);
  }

  #untilIdle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle = () => {
        this.#idle = null;
        resolve();
      };
    });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The instance must go. Also after a COMMIT that failed (a full disk): nobody knows then whether it will be there after the next
 * start, and the engine keeps the memory of each such transaction for ever, 1 MB and more a try (seen with 1.5.6).
 */
export const isFatal = (error: unknown): boolean =>
  error instanceof Error &&
  (/FATAL|database has been invalidated|Failed to commit/.test(error.message) || isFatal(error.cause));

function asStoreError(error: unknown): unknown {
  if (error instanceof HopscopeError) return error;
  return new HopscopeError('store', `the telemetry store failed: ${messageOf(error)}`, { cause: error });
}

async function inTransaction<T>(connection: Connection, begin: string, fn: (tx: Tx) => Promise<T>): Promise<T> {
  await connection.command(begin);
  try {
    const result = await fn(connection);
    connection.flush();
    await connection.command('COMMIT');
    return result;
  } catch (error) {
    connection.dropWriters();
    // After a failed COMMIT there is nothing left to roll back, and an instance that is gone cannot: the first error is the one to tell.
    await connection.command('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Connections handed out first come, first served; one with a single connection is a queue. */
class Pool {
  readonly #free: Connection[];
  readonly #connections: Connection[];
  readonly #waiting: ((connection: Connection) => void)[] = [];

  constructor(connections: DuckDBConnection[]) {
    this.#connections = connections.map((duck) => new Connection(duck));
    this.#free = [...this.#connections];
  }

  async run<T>(fn: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = this.#free.pop() ?? (await new Promise<Connection>((resolve) => this.#waiting.push(resolve)));
    try {
      return await fn(connection);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(connection);
      else this.#free.push(connection);
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

interface Engine {
  readers: Pool;
  ingest: Pool;
  audit: Pool;
  /** to be closed and opened again before the next call */
  dead: boolean;
  closed: boolean;
  close(): void;
}

async function openEngine(path: string, options: DatabaseOptions): Promise<Engine> {
  const { instance, gap } = await openInstance(path, options);
  const connect = (n: number) => Promise.all(Array.from({ length: n }, () => instance.connect()));
  try {
    await applySchema(path, instance);
    const engine: Engine = {
      readers: new Pool(await connect(options.readers ?? 3)),
      ingest: new Pool(await connect(1)),
      audit: new Pool(await connect(1)),
      dead: false,
      closed: false,
      close() {
        if (this.closed) return;
        this.closed = true;
        this.readers.close();
        this.ingest.close();
        this.audit.close();
        instance.closeSync();
      },
    };
    if (gap) {
      await engine.ingest.run((connection) =>
        inTransaction(connection, 'BEGIN', (tx) =>
          tx.run('INSERT INTO gaps VALUES ($1, $2, $3, $4)', [gap.fromMs, gap.toMs, 'store', gap.what]),
        ),
      );
    }
    return engine;
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

interface LostLog {
  fromMs: number;
  toMs: number;
  what: string;
}

/** A write-ahead log with a flipped bit refuses the whole file (reliability.md 0.6). It is put aside, and the spool refills what it held. */
async function openInstance(
  path: string,
  options: DatabaseOptions,
): Promise<{ instance: DuckDBInstance; gap: LostLog | null }> {
  try {
    return { instance: await createInstance(path, options), gap: null };
  } catch (cause) {
    const wal = `${path}.wal`;
    if (!/\bWAL\b|write-ahead|replay/i.test(messageOf(cause)) || !existsSync(wal)) {
      throw new HopscopeError('data-dir', `cannot open ${path}: ${messageOf(cause)}`, { cause });
    }
    const toMs = Math.ceil(statSync(wal).mtimeMs);
    const fromMs = Math.min(toMs, Math.floor(statSync(path).mtimeMs));
    const aside = `${wal}.damaged-${new Date(toMs).toISOString().replaceAll(':', '-')}`;
    renameSync(wal, aside);
    const instance = await createInstance(path, options).catch((error) => {
      throw new HopscopeError('data-dir', `cannot open ${path}, not even without its log: ${messageOf(error)}`, {
        cause: error,
      });
    });
    return {
      instance,
      gap: { fromMs, toMs, what: `the store's log could not be read and was kept as ${aside}: ${messageOf(cause)}` },
    };
  }
}

function createInstance(path: string, options: DatabaseOptions): Promise<DuckDBInstance> {
  return DuckDBInstance.create(path, {
    // as config, since a SET would come after the log has been replayed without the limit
    memory_limit: options.memoryLimit ?? '256MB',
    threads: String(options.threads ?? 2),
    // what is in the log is in memory too, is read more slowly, and is read again at a start; half the size costs no throughput
    checkpoint_threshold: '64MB',
    // A prepared plan keeps what the tables' statistics allowed when it was made, and silently misses rows that came later
    // (duckdb#23704, #24182; #24696 stops using them for prepared statements, as we do here until it is released).
    disabled_optimizers: 'statistics_propagation',
    enable_external_access: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    max_temp_directory_size: '2GB',
    // gives freed memory back to the system instead of keeping a burst's worth for ever
    allocator_background_threads: 'true',
    lock_configuration: 'true',
  });
}

async function applySchema(path: string, instance: DuckDBInstance): Promise<void> {
  const connection = new Connection(await instance.connect());
  try {
    await connection.command(schemaStatements[0]!);
    const [found] = await connection.all<{ value: string }>(`SELECT value FROM meta WHERE key = 'schema'`);
    if (found && Number(found.value) > schemaVersion) {
      throw new HopscopeError(
        'data-dir',
        `${path} was written by a newer Hopscope (its schema is ${found.value}, this one knows ${schemaVersion}): start that one, or another data folder`,
      );
    }
    const from = found ? Number(found.value) : schemaVersion;
    await connection.command('BEGIN');
    for (let version = from + 1; version <= schemaVersion; version++) {
      for (const statement of migrations[version] ?? []) await connection.command(statement);
    }
    const [before] = await connection.all<{ n: bigint }>('SELECT count(*) AS n FROM duckdb_tables()');
    for (const statement of schemaStatements) await connection.command(statement);
    const [after] = await connection.all<{ n: bigint }>('SELECT count(*) AS n FROM duckdb_tables()');
    if (!found || from !== schemaVersion) {
      await connection.run(`DELETE FROM meta WHERE key = 'schema'`);
      await connection.run(`INSERT INTO meta VALUES ('schema', $1)`, [String(schemaVersion)]);
    }
    await connection.command('COMMIT');
    // a change of tables is not left to a replay of the log (libraries.md 24)
    if (after!.n !== before!.n || from !== schemaVersion) await connection.command('CHECKPOINT');
  } finally {
    connection.close();
  }
}
