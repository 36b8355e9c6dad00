import type { DecodeSpans, RawElsewhere } from '../raw.ts';
import type { Store } from '../store.ts';
import { parseAddress } from './address.ts';
import { Appender, defaultRecent, type RecentBounds } from './append.ts';
import { QuestDbAudit } from './audit.ts';
import { AuditBook } from './audit-book.ts';
import { bookReads } from './books.ts';
import { Known } from './known.ts';
import { migrate, storeId } from './migrate.ts';
import { deviceReads } from './reads-devices.ts';
import { hopReads } from './reads-hops.ts';
import { pathReads } from './reads-paths.ts';
import { topicReads } from './reads-topics.ts';
import { traceReads } from './reads-traces.ts';
import { collectorReports } from './reports.ts';
import { retention } from './retention.ts';
import { tableNames } from './schema.ts';
import { Server, type ServerLimits } from './server.ts';
import { Watch } from './status.ts';
import { defaultBounds, type TextBounds, Texts } from './texts.ts';
import { TopicNames } from './topic-ids.ts';

export interface QuestDbStoreOptions {
  /** `questdb://...`, see address.ts */
  url: string;
  /** the audit's own book (audit-book.ts): made when it is first needed */
  bookPath: string;
  decodeSpans: DecodeSpans;
  rawElsewhere?: RawElsewhere;
  bounds?: Partial<TextBounds>;
  recent?: Partial<RecentBounds>;
  limits?: Partial<ServerLimits>;
}

/**
 * Each append is a commit of every table it touches, synced: with 8,192 rows at a time the server needs 24 us a row, with 32,768 16.6 (npm run
 * bench -- --store questdb --phases ceiling), and with a backlog of single requests another 3 us less with twice as many.
 */
const spansPerAppend = 65_536;

/** The store on a QuestDB server. Every subject has its own file beside this one. */
export async function openQuestDbStore(options: QuestDbStoreOptions): Promise<Store> {
  const server = new Server(parseAddress(options.url), options.limits);
  try {
    await migrate(server);
    return await storeOf(server, await bookOf(server, options.bookPath), options);
  } catch (error) {
    await server.close();
    throw error;
  }
}

export const bookOf = async (server: Server, path: string): Promise<AuditBook> =>
  new AuditBook(path, (await storeId(server)) ?? '');

/** The same over a server and a book that somebody else opened and may look into: tests. */
export async function storeOf(
  server: Server,
  book: AuditBook,
  options: Omit<QuestDbStoreOptions, 'url' | 'bookPath' | 'limits'>,
): Promise<Store> {
  const texts = new Texts({ ...defaultBounds, ...options.bounds });
  const appender = new Appender(server, texts, { ...defaultRecent, ...options.recent });
  // What an earlier life has sent may not be in sight yet. Without its batches nobody can tell what is stored; a table of rows that lags or is
  // suspended is said by status(), and must not keep a collector from taking in what comes
  await server.applied(['batches', 'settled_batches']);
  await server.applied(tableNames).catch(() => {});
  await texts.load(server);
  await appender.load();
  const { decodeSpans, rawElsewhere } = options;
  const means = {
    server,
    book,
    known: new Known(server),
    topics: new TopicNames(server),
    decodeSpans,
    rawElsewhere,
  };
  const watch = new Watch(server);
  const audit = new QuestDbAudit(server, book);
  return {
    append: (batches) => appender.append(batches),
    spansPerAppend,
    watermarks: async () => appender.watermarks(),
    ...bookReads(server),
    reports: collectorReports(server),
    ...deviceReads(server, book),
    ...hopReads(server, book),
    ...traceReads(means),
    ...topicReads(means),
    ...pathReads(means),
    ...retention(server, book),
    status: () => watch.status(),
    audit,
    async close() {
      await audit.idle();
      book.close();
      await server.close();
    },
  };
}
