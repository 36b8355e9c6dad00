import * as z from 'zod';
import { collectorBooks, sumOf } from './collector-books.ts';
import type { ViewContext } from './context.ts';
import type { StatusView } from './schemas.ts';
import { seesAll } from './visibility.ts';
import { instantOf, instantOrNull } from './words.ts';

export const statusQuerySchema = z.object({});

const gapsShownMs = 7 * 86_400_000;

/** The books and the parts. Totals tell of everybody's traffic: who may see only some applications learns readiness alone. */
export async function statusView({ store, status, viewer, nowMs, demo }: ViewContext): Promise<StatusView> {
  const [{ books, collectors }, store_, gaps] = await Promise.all([
    collectorBooks(store, status),
    store.status(),
    store.gaps(nowMs - gapsShownMs, nowMs + 60_000),
  ]);
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

const nothing = {
  books: { received: 0, stored: 0, duplicate: 0, rejected: 0, spooled: 0, residual: 0, rejectedByReason: {} },
  collectors: [],
  listeners: [],
  brokers: [],
  spool: { items: 0, bytes: 0, oldest: null, diskFreeBytes: null, refuseBelowBytes: null },
  store: { engine: '', location: '', bytesOnDisk: 0, spans: 0, warnings: [] },
  gaps: [],
} satisfies Partial<StatusView>;
