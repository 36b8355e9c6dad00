import * as z from 'zod';
import type { CollectorState, SpoolStatus } from '../domain/collector-report.ts';
import { collectorTroubles } from '../domain/collector-words.ts';
import type { EpochMillis } from '../domain/units.ts';
import { HopscopeError } from '../errors.ts';
import { type CollectorBooks, collectorBooks, lagMsOf, sumOf } from './collector-books.ts';
import type { ViewContext } from './context.ts';
import { inTime } from './in-time.ts';
import type { StatusView } from './schemas.ts';
import type { StatusSource } from './status-source.ts';
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
    () => (seesAll(viewer) ? allSpools(status).items : 0),
  );
  const reasons = status.reasons();
  const common = { version: status.version, demo, startedAt: instantOf(status.startedMs), ready: reasons.length === 0 };
  if (!seesAll(viewer)) return { ...common, reasons: reasons.length > 0 ? ['not ready'] : [], ...nothing };
  const spool = allSpools(status);
  return {
    ...common,
    reasons,
    books: { ...sumOf(collectors), rejectedByReason: books.rejectedByReason },
    collectors: collectors.map((row) => collectorItem(row, status, nowMs)).sort(byHost),
    warnings: collectorTroubles(status.collectors(), nowMs),
    ...connectionsOf(status),
    spool: {
      items: status.collectors().length === 0 ? spool.items : sumOf(collectors).spooled,
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
  const late = () => new HopscopeError('store', `The store has not answered for ${patienceMs / 1_000} s.`);
  try {
    return await inTime(answer, patienceMs, late);
  } catch (error) {
    const items = spooledItems();
    if (!(error instanceof HopscopeError) || error.code !== 'store' || items === null) throw error;
    const kept = `What comes in is kept: ${sayCount(items, 'item')} in the spool.`;
    throw new HopscopeError('store', `${error.message} ${kept}`, { cause: error });
  }
}

function collectorItem(
  row: CollectorBooks,
  status: StatusSource,
  nowMs: EpochMillis,
): StatusView['collectors'][number] {
  const { collectorId, current, heard, received, stored, duplicate, rejected, spooled, residual } = row;
  const figures = { received, stored, duplicate, rejected, spooled, residual, lagMs: lagMsOf(row, nowMs) };
  const own = current ? { version: status.version, startedMs: status.startedMs, spool: status.spool() } : null;
  const about = heard?.report ?? own;
  return {
    id: collectorId,
    current,
    state: heard?.state ?? (current ? 'receiving' : 'former'),
    host: heard?.report.host ?? null,
    version: about?.version ?? null,
    startedAt: instantOrNull(about?.startedMs),
    heard: instantOrNull(heard?.heardMs),
    reasons: heard?.report.reasons ?? [],
    ...figures,
    spoolBytes: about?.spool.bytes ?? null,
    diskFreeBytes: about?.spool.diskFreeBytes ?? null,
    refuseBelowBytes: about?.spool.refuseBelowBytes ?? null,
  };
}

/** Who receives here first, then by host; those of whom the store alone knows last. */
function byHost(a: StatusView['collectors'][number], b: StatusView['collectors'][number]): number {
  const keyOf = ({ state, host, id }: typeof a): string => `${Number(state === 'former')} ${host ?? ''} ${id}`;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

/** This process's, then those of the collectors, each with whose it is. */
function connectionsOf(status: StatusSource): Pick<StatusView, 'listeners' | 'brokers'> {
  const everybody = [
    { collector: null, listeners: status.listeners(), brokers: status.brokers() },
    ...status.collectors().map(({ report: { collectorId, listeners, brokers }, state }) => ({
      collector: collectorId,
      listeners: listeners.map((listener) => asHeard(listener, state)),
      brokers: brokers.map((broker) => asHeard(broker, state)),
    })),
  ];
  return {
    listeners: everybody.flatMap(({ collector, listeners }) =>
      listeners.map((listener) => ({ ...listener, collector })),
    ),
    brokers: everybody.flatMap(({ collector, brokers }) =>
      brokers.map(({ sinceMs, ...broker }) => ({ ...broker, collector, since: instantOrNull(sinceMs) })),
    ),
  };
}

/** What one that is silent said of its connections is not known to be so any more; what was off is. */
const asHeard = <T extends { state: string }>(said: T, state: CollectorState): T =>
  state === 'receiving' || state === 'stopped' || said.state === 'off' ? said : { ...said, state: 'not heard' };

/** All spools as one: of the disks the one that is nearest to refusing. */
function allSpools(status: StatusSource): SpoolStatus {
  const spools = [status.spool(), ...status.collectors().map(({ report }) => report.spool)];
  const roomOf = ({ diskFreeBytes, refuseBelowBytes }: SpoolStatus): number =>
    diskFreeBytes === null ? Number.POSITIVE_INFINITY : diskFreeBytes - (refuseBelowBytes ?? 0);
  return spools.reduce((all, spool) => {
    const { diskFreeBytes, refuseBelowBytes } = roomOf(spool) < roomOf(all) ? spool : all;
    return {
      items: all.items + spool.items,
      bytes: all.bytes + spool.bytes,
      oldestMs: earlier(all.oldestMs, spool.oldestMs),
      waitingSinceMs: earlier(all.waitingSinceMs, spool.waitingSinceMs),
      diskFreeBytes,
      refuseBelowBytes,
    };
  });
}

const earlier = (a: EpochMillis | null, b: EpochMillis | null): EpochMillis | null =>
  a === null || b === null ? (a ?? b) : Math.min(a, b);

const nothing = {
  books: { received: 0, stored: 0, duplicate: 0, rejected: 0, spooled: 0, residual: 0, rejectedByReason: {} },
  collectors: [],
  warnings: [],
  listeners: [],
  brokers: [],
  spool: { items: 0, bytes: 0, oldest: null, diskFreeBytes: null, refuseBelowBytes: null },
  store: { engine: '', location: '', bytesOnDisk: 0, spans: 0, warnings: [] },
  gaps: [],
} satisfies Partial<StatusView>;
