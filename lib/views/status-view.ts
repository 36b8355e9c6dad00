import * as z from 'zod';
import { HopscopeError } from '#lib/errors.ts';
import { collectorBooks, sumOf } from './collector-books.ts';
import type { ViewContext } from './context.ts';
import type { StatusView } from './schemas.ts';
import { seesAll } from './visibility.ts';
import { instantOf, instantOrNull, sayCount } from './words.ts';

export const statusQuerySchema = z.object({});

const gapsShownMs = 7 * 86_400_000;

/** Slower than a busy store, sooner than who asks goes away. */
const patienceMs = 5_000;

/** The books and the parts. Totals tell of everybody's traffic: who may see only some applications learns readiness alone. */
export async function statusView({ store, status, viewer, nowMs, demo }: ViewContext): Promise<StatusView> {
  const [{ books, collectors }, store_, gaps] = await soon(
    Promise.all([collectorBooks(store, status), store.status(), store.gaps(nowMs - gapsShownMs, nowMs + 60_000)]),
    () => (seesAll(viewer) ? status.spool().items : null),
  );
  const reasons = status.reasons();
  const common = { version: status.version, demo, startedAt: instantOf(status.startedMs), ready: reasons.length === 0 };
  if (!seesAll(viewer)) return { ...common, reasons: reasons.length > 0 ? ['not ready'] : [], ...nothing };
  const spool = status.spool();
  return {
    ...common,
    reasons,
    books: { ...sumOf(collectors), rejectedByReason: books.rejectedByReason },
    collectors: collectors.map(({ collectorId, oldestSpooledMs, ...figures }) => ({
      id: collectorId,
      ...figures,
      lagMs: oldestSpooledMs === null ? 0 : Math.max(0, nowMs - oldestSpooledMs),
    })),
    listeners: status.listeners(),
    brokers: status.brokers().map(({ sinceMs, ...broker }) => ({ ...broker, since: instantOrNull(sinceMs) })),
    spool: {
      items: spool.items,
      bytes: spool.bytes,
      oldest: instantOrNull(spool.oldestMs),
      diskFreeBytes: spool.diskFreeBytes,
      refuseBelowBytes: spool.refuseBelowBytes,
    },
    store: store_,
    gaps: gaps.map(({ fromMs, toMs, whose, what }) => ({ from: instantOf(fromMs), to: instantOf(toMs), whose, what })),
  };
}

/** A store that is away is said to be, in its own words and soon; and what becomes of what comes in meanwhile. */
async function soon<T>(answer: Promise<T>, spooledItems: () => number | null): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const words = `The store has not answered for ${patienceMs / 1_000} s.`;
    timer = setTimeout(() => reject(new HopscopeError('store', words)), patienceMs);
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    const items = spooledItems();
    if (!(error instanceof HopscopeError) || error.code !== 'store' || items === null) throw error;
    const kept = `What comes in is kept: ${sayCount(items, 'item')} in the spool.`;
    throw new HopscopeError('store', `${error.message} ${kept}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const nothing = {
  books: { received: 0, stored: 0, duplicate: 0, rejected: 0, spooled: 0, residual: 0, rejectedByReason: {} },
  collectors: [],
  listeners: [],
  brokers: [],
  spool: { items: 0, bytes: 0, oldest: null, diskFreeBytes: null, refuseBelowBytes: null },
  store: { engine: '', location: '', bytesOnDisk: 0, spans: 0, warnings: [] },
  gaps: [],
} satisfies Partial<StatusView>;
