import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { type Clock, systemClock } from '#lib/clock.ts';
import type { CollectorReport, TallyThrough } from '#lib/domain/collector-report.ts';
import { epochMillisOf, type Millis } from '#lib/domain/units.ts';
import type { Store } from '#lib/store/store.ts';
import type { StatusSource } from '#lib/views/status-source.ts';

export interface ReportingOptions {
  store: Pick<Store, 'reports' | 'watermarks'>;
  status: StatusSource;
  dataDir: string;
  host?: string;
  clock?: Clock;
  log(level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>): void;
  /** how often while something changes, and while nothing does */
  busyMs?: Millis;
  quietMs?: Millis;
}

/** What a collector says goodbye with: the count of its intake once that had ended. */
export type StopReporting = (last: TallyThrough | null) => Promise<void>;

const trouble = 'the report to the pages could not be written, trying again';

/**
 * Says every few seconds through the store how this collector is: the pages are in another process. A report that cannot be written is no
 * trouble of the collector's; the next one is fresher. Where the store belongs to this process nobody needs to be told.
 */
export function startReporting(options: ReportingOptions): StopReporting {
  const { store, status, clock = systemClock, busyMs = 2_000, quietMs = 5_000 } = options;
  const { reports } = store;
  if (reports === null) return async () => {};
  const host = options.host ?? hostname();
  const dataDir = resolve(options.dataDir);
  const nowMs = (): number => epochMillisOf(clock());
  /** which name it goes by, and since when */
  let named: { collectorId: string; sinceMs: number } | null = null;
  let lastTally: TallyThrough | null = null;
  let told: { shape: string; atMs: number } | null = null;
  let failed = false;
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;

  const reportNow = (collectorId: string, tally: TallyThrough | null): CollectorReport => {
    if (named?.collectorId !== collectorId)
      named = { collectorId, sinceMs: named === null ? status.startedMs : nowMs() };
    return {
      ...named,
      atMs: nowMs(),
      startedMs: status.startedMs,
      stoppedMs: null,
      version: status.version,
      host,
      dataDir,
      reasons: status.reasons(),
      listeners: status.listeners().filter(({ name }) => name !== 'web'),
      brokers: status.brokers(),
      spool: status.spool(),
      tally,
      counters: status.counters(),
    };
  };

  const tell = async (report: CollectorReport): Promise<void> => {
    try {
      await reports.tell(report);
      if (failed) options.log('info', 'the report to the pages is written again', {});
      failed = false;
    } catch (error) {
      if (!failed) options.log('warn', trouble, { why: error instanceof Error ? error.message : String(error) });
      failed = true;
    }
  };

  const tellWhatIsNew = async (): Promise<void> => {
    const storedSeqs = await store.watermarks();
    const tally = await status.tally(storedSeqs);
    const collectorId = tally?.collectorId ?? named?.collectorId;
    // an intake that never answered has no name yet
    if (collectorId === undefined) return;
    lastTally = tally && { ...tally, throughSeq: storedSeqs.get(collectorId) ?? 0 };
    const report = reportNow(collectorId, lastTally);
    const shape = shapeOf(report);
    // what was set back by hand makes no long pause
    const pauseMs = told === null ? quietMs : Math.abs(report.atMs - told.atMs);
    if (told?.shape === shape && pauseMs < quietMs && !failed) return;
    await tell(report);
    told = { shape, atMs: report.atMs };
  };

  let running: Promise<void> = Promise.resolve();
  const turn = (): void => {
    running = tellWhatIsNew()
      // a store that is away says so by itself
      .catch(() => {})
      .finally(() => {
        if (!stopping) timer = setTimeout(turn, busyMs);
      });
  };
  turn();

  return async (last) => {
    stopping = true;
    clearTimeout(timer);
    // what is under way must not take the place of the last word
    await running;
    const tally = last ?? lastTally;
    if (tally) await tell(stopped(reportNow(tally.collectorId, tally), tally));
  };
}

/** What people would notice; a disk of which others write is no news. */
const shapeOf = ({ reasons, listeners, brokers, spool, tally, collectorId }: CollectorReport): string =>
  JSON.stringify([collectorId, reasons, listeners, brokers, spool.waitingSinceMs, tally]);

function stopped(report: CollectorReport, { spooledItems, oldestSpooledMs }: TallyThrough): CollectorReport {
  return {
    ...report,
    stoppedMs: report.atMs,
    reasons: [],
    listeners: report.listeners.map((listener) => ({
      ...listener,
      state: listener.address === null ? listener.state : 'stopped',
    })),
    brokers: report.brokers.map((broker) => ({ ...broker, state: 'stopped', sinceMs: report.atMs, unacknowledged: 0 })),
    spool: { ...report.spool, items: spooledItems ?? report.spool.items, waitingSinceMs: oldestSpooledMs },
  };
}
