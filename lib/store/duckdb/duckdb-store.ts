import type { DecodeSpans, RawElsewhere } from '../raw.ts';
import type { Store } from '../store.ts';
import { Appender, defaultRecent, type RecentBounds } from './append.ts';
import { DuckdbAudit } from './audit.ts';
import { bookReads } from './books.ts';
import { Database, type DatabaseOptions } from './database.ts';
import { Dictionary, type DictionaryBounds, defaultBounds } from './dictionary.ts';
import { Known } from './known.ts';
import { deviceReads } from './reads-devices.ts';
import { hopReads } from './reads-hops.ts';
import { duckDbPathStore } from './reads-paths.ts';
import { topicReads } from './reads-topics.ts';
import { traceReads } from './reads-traces.ts';
import { retention } from './retention.ts';
import type { Session } from './session.ts';

export interface DuckDbStoreOptions extends DatabaseOptions {
  path: string | ':memory:';
  decodeSpans: DecodeSpans;
  rawElsewhere?: RawElsewhere;
  bounds?: Partial<DictionaryBounds>;
  recent?: Partial<RecentBounds>;
}

/** The store in one file. Every subject has its own file beside this one. */
export async function openDuckDbStore(options: DuckDbStoreOptions): Promise<Store> {
  const db = await Database.open(options.path, options);
  try {
    return await storeOf(db, options);
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** The same over a database that somebody else opened and may look into: tests. */
export async function storeOf(db: Database, options: Omit<DuckDbStoreOptions, 'path'>): Promise<Store> {
  const dictionary = new Dictionary({ ...defaultBounds, ...options.bounds });
  const appender = new Appender(db, dictionary, { ...defaultRecent, ...options.recent });
  const load = async (session: Session): Promise<void> => {
    await dictionary.load(session);
    await appender.load(session);
  };
  await load(db);
  db.onReopen(load);
  const { decodeSpans, rawElsewhere } = options;
  const means = { db, dictionary, appender, known: new Known(db), decodeSpans, rawElsewhere };
  const rest = new Rest(db);
  return {
    async append(batches) {
      rest.disturb();
      await appender.append(batches);
    },
    // a commit every 50-100 ms or 8 k rows (performance.md sections 6, 10)
    spansPerAppend: 8_192,
    watermarks: async () => appender.watermarks(),
    ...bookReads(db),
    // the file is locked by one process: it receives and shows, and need not be told of itself
    reports: null,
    ...deviceReads(db, dictionary),
    ...hopReads(means),
    ...traceReads(means),
    ...topicReads(db, dictionary),
    ...duckDbPathStore(db),
    ...retention(db),
    audit: new DuckdbAudit(db),
    close() {
      rest.end();
      return db.close();
    },
  };
}

const restMs = 3_000;
const worthwhileBytes = 4 * 1024 * 1024;

/** When nothing has come in for a while the log is moved into the file: what is in the log is read more slowly, and again at a start. */
class Rest {
  readonly #db: Database;
  #timer: NodeJS.Timeout | null = null;

  constructor(db: Database) {
    this.#db = db;
  }

  disturb(): void {
    if (this.#timer) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.#tidy(), restMs).unref();
  }

  end(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  #tidy(): void {
    this.#timer = null;
    if (this.#db.logBytes() < worthwhileBytes) return;
    // what keeps it from working shows at the next append, which tells whoever waits for it
    this.#db.checkpoint().catch(() => {});
  }
}
