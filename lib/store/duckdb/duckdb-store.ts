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
import { type DecodeSpans, traceReads } from './reads-traces.ts';
import { retention } from './retention.ts';
import type { Session } from './session.ts';

export interface DuckDbStoreOptions extends DatabaseOptions {
  path: string | ':memory:';
  decodeSpans: DecodeSpans;
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
  const means = { db, dictionary, appender, known: new Known(db), decodeSpans: options.decodeSpans };
  return {
    append: (batches) => appender.append(batches),
    watermarks: async () => appender.watermarks(),
    ...bookReads(db),
    ...deviceReads(db, dictionary),
    ...hopReads(means),
    ...traceReads(means),
    ...topicReads(db, dictionary),
    ...duckDbPathStore(db),
    ...retention(db),
    audit: new DuckdbAudit(db),
    close: () => db.close(),
  };
}
