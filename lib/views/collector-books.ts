import type { CollectorTally, HeardCollector } from '../domain/collector-report.ts';
import type { EpochMillis, Millis } from '../domain/units.ts';
import type { Books, BooksThrough, Store } from '../store/store.ts';
import type { StatusSource } from './status-source.ts';

/**
 * The books of one collector. Each figure is counted where it happens, by nobody else: received at the door, written down with the batch
 * before it is acknowledged; stored, duplicate and rejected by the store; spooled by the spool, behind what the store has.
 */
export interface CollectorBooks {
  collectorId: string;
  /** it receives now, here or as it was heard of late; the others are silent, stopped, or known from the store's word alone */
  current: boolean;
  /** what it says of itself, with whose moment all figures are; null: it is in this process, or only the store knows of it */
  heard: HeardCollector | null;
  received: number;
  stored: number;
  duplicate: number;
  rejected: number;
  spooled: number;
  /** received - stored - duplicate - rejected - spooled; null where received was not counted at the door */
  residual: number | null;
  /** arrival of the oldest batch that is not stored yet; null = there is none */
  oldestSpooledMs: number | null;
}

type Source = Pick<StatusSource, 'tally' | 'spool' | 'collectors'>;

export async function collectorBooks(
  store: Pick<Store, 'books' | 'reports'>,
  status: Source,
): Promise<{ books: Books; collectors: CollectorBooks[] }> {
  const books = await store.books();
  const storedSeqs = new Map(books.byCollector.map(({ collectorId, highestSeq }) => [collectorId, highestSeq]));
  const tally = await status.tally(storedSeqs);
  const others = new Map(status.collectors().map((heard) => [heard.report.collectorId, heard]));
  const through = await booksOf([...others.values()], store);
  const rowOf = (row: StoreRow): CollectorBooks => {
    const heard = others.get(row.collectorId);
    if (heard) return toldBy(heard, through.get(row.collectorId), row);
    return row.collectorId === tally?.collectorId ? counted(row, tally, status.spool().items) : formerly(row);
  };
  const unknown = [...(tally ? [tally.collectorId] : []), ...others.keys()].filter((id) => !storedSeqs.has(id));
  const nothing = { received: 0, stored: 0, duplicate: 0, rejected: 0 };
  const rows = [...books.byCollector, ...unknown.map((collectorId) => ({ collectorId, ...nothing }))];
  return { books, collectors: rows.map(rowOf) };
}

type StoreRow = Omit<Books['byCollector'][number], 'highestSeq'>;

/** Of each up to the batch its report was written with: what came since is in the next one. */
async function booksOf(
  others: readonly HeardCollector[],
  { reports }: Pick<Store, 'reports'>,
): Promise<Map<string, BooksThrough>> {
  const seqs = others.flatMap(({ report: { collectorId, tally } }) =>
    tally ? [[collectorId, tally.throughSeq] as const] : [],
  );
  return reports && seqs.length > 0 ? await reports.booksThrough(new Map(seqs)) : new Map();
}

function toldBy(heard: HeardCollector, through: BooksThrough | undefined, row: StoreRow): CollectorBooks {
  const { report, state } = heard;
  const { tally, spool } = report;
  const current = state === 'receiving';
  if (tally && through) return { ...counted({ ...row, ...through }, tally, spool.items), current, heard };
  const uncounted = { ...nothingCounted, collectorId: row.collectorId, oldestSpooledMs: spool.waitingSinceMs };
  return { ...counted(row, uncounted, spool.items), current, heard };
}

const nothingCounted = { acknowledgedItems: null, spooledItems: null };

function counted({ received, ...row }: StoreRow, tally: CollectorTally, spoolItems: number): CollectorBooks {
  const { collectorId, stored, duplicate, rejected } = row;
  const { oldestSpooledMs } = tally;
  const common = { collectorId, current: true, heard: null, stored, duplicate, rejected, oldestSpooledMs };
  if (tally.acknowledgedItems === null || tally.spooledItems === null) {
    const spooled = tally.spooledItems ?? spoolItems;
    return { ...common, received: received + spooled, spooled, residual: null };
  }
  const residual = tally.acknowledgedItems - stored - duplicate - rejected - tally.spooledItems;
  return { ...common, received: tally.acknowledgedItems, spooled: tally.spooledItems, residual };
}

/** The items that came in are those its batches say: whether the store kept each is still shown. */
function formerly({ collectorId, received, stored, duplicate, rejected }: StoreRow): CollectorBooks {
  const residual = received - stored - duplicate - rejected;
  return {
    collectorId,
    current: false,
    heard: null,
    received,
    stored,
    duplicate,
    rejected,
    spooled: 0,
    residual,
    oldestSpooledMs: null,
  };
}

/**
 * How long the oldest of what is spooled has waited. Of a collector in another process by its own clock, up to its word, and by ours since:
 * two clocks are not compared.
 */
export function lagMsOf({ oldestSpooledMs, heard }: CollectorBooks, nowMs: EpochMillis): Millis {
  if (oldestSpooledMs === null) return 0;
  const sinceMs = heard === null || heard.state === 'receiving' ? 0 : nowMs - heard.heardMs;
  return Math.max(0, heard === null ? nowMs - oldestSpooledMs : heard.report.atMs - oldestSpooledMs + sinceMs);
}

/** Over all collectors; the residual of those that can say. */
export function sumOf(collectors: readonly CollectorBooks[]) {
  const sum = (figure: 'received' | 'stored' | 'duplicate' | 'rejected' | 'spooled'): number =>
    collectors.reduce((total, row) => total + row[figure], 0);
  return {
    received: sum('received'),
    stored: sum('stored'),
    duplicate: sum('duplicate'),
    rejected: sum('rejected'),
    spooled: sum('spooled'),
    residual: collectors.reduce((total, { residual }) => total + (residual ?? 0), 0),
  };
}
