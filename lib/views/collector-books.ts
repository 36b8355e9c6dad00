import type { Books, Store } from '../store/store.ts';
import type { CollectorTally, StatusSource } from './status-source.ts';

/**
 * The books of one collector. Each figure is counted where it happens, by nobody else: received at the door, written down with the batch
 * before it is acknowledged; stored, duplicate and rejected by the store; spooled by the spool, behind what the store has.
 */
export interface CollectorBooks {
  collectorId: string;
  /** the one that receives now; the others have no spool here any more, and the store's word is all there is */
  current: boolean;
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

type Source = Pick<StatusSource, 'tally' | 'spool'>;

export async function collectorBooks(
  store: Pick<Store, 'books'>,
  status: Source,
): Promise<{ books: Books; collectors: CollectorBooks[] }> {
  const books = await store.books();
  const storedSeqs = new Map(books.byCollector.map(({ collectorId, highestSeq }) => [collectorId, highestSeq]));
  const tally = await status.tally(storedSeqs);
  const collectors = books.byCollector.map((row) =>
    row.collectorId === tally?.collectorId ? counted(row, tally, status) : formerly(row),
  );
  if (tally && !storedSeqs.has(tally.collectorId)) {
    const nothing = { stored: 0, duplicate: 0, rejected: 0 };
    collectors.push(counted({ collectorId: tally.collectorId, received: 0, ...nothing }, tally, status));
  }
  return { books, collectors };
}

type StoreRow = Omit<Books['byCollector'][number], 'highestSeq'>;

function counted({ received, ...row }: StoreRow, tally: CollectorTally, status: Source): CollectorBooks {
  const { collectorId, stored, duplicate, rejected } = row;
  const { oldestSpooledMs } = tally;
  const common = { collectorId, current: true, stored, duplicate, rejected, oldestSpooledMs };
  if (tally.acknowledgedItems === null || tally.spooledItems === null) {
    const spooled = tally.spooledItems ?? status.spool().items;
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
    received,
    stored,
    duplicate,
    rejected,
    spooled: 0,
    residual,
    oldestSpooledMs: null,
  };
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
