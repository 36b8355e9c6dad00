import type { EpochMillis, Millis } from './units.ts';

/** What a collector counted itself. Null = not counted from the beginning, or no longer kept. */
export interface CollectorTally {
  collectorId: string;
  /** everything it acknowledged */
  acknowledgedItems: number | null;
  /** of it what stands behind the batch that was asked about */
  spooledItems: number | null;
  /** arrival of the oldest of those; null = there is none */
  oldestSpooledMs: EpochMillis | null;
}

export interface ListenerStatus {
  name: string;
  address: string | null;
  state: string;
  /** what was turned away since the start, by reason */
  refused: Record<string, number>;
  /** messages sent again by their publisher and recognised; null = it takes none */
  repeats: number | null;
}

export interface BrokerStatus {
  name: string;
  state: string;
  sinceMs: EpochMillis | null;
  messages: number;
  /** sent again by the broker and recognised */
  repeats: number;
  /** taken, and not acknowledged to the broker yet */
  unacknowledged: number;
  sessionsLost: number;
}

export interface SpoolStatus {
  items: number;
  bytes: number;
  /** of what is kept, and of what is not yet in the store */
  oldestMs: EpochMillis | null;
  waitingSinceMs: EpochMillis | null;
  /** of the disk it is on, and below how much nothing more is accepted; null = not known */
  diskFreeBytes: number | null;
  refuseBelowBytes: number | null;
}

/** For /metrics: name without prefix -> value. */
export interface Counter {
  name: string;
  help: string;
  type: 'counter' | 'gauge';
  samples: { labels: Record<string, string>; value: number }[];
}

/** A collector's own count at one moment. */
export interface TallyThrough extends CollectorTally {
  /** the batch it was seen from: all up to it were in the store */
  throughSeq: number;
}

/** What a collector says of itself, every few seconds, to the process that has the pages. */
export interface CollectorReport {
  collectorId: string;
  /** when it said so, by its own clock, as all times in here */
  atMs: EpochMillis;
  startedMs: EpochMillis;
  /** since when it goes by this id: a spool may be replaced while it runs */
  sinceMs: EpochMillis;
  /** when it was stopped in order; null = it goes on */
  stoppedMs: EpochMillis | null;
  version: string;
  host: string;
  /** where its spool is */
  dataDir: string;
  /** why it is not ready, in words; empty = it is */
  reasons: string[];
  listeners: ListenerStatus[];
  brokers: BrokerStatus[];
  spool: SpoolStatus;
  /** null: it could not say */
  tally: TallyThrough | null;
  counters: Counter[];
}

/**
 * A report as it was written, by a collector of any version: what is missing or of another kind is unknown, and what nobody knows here is left
 * out. So a collector that is newer than the pages can still be seen.
 */
export function readReport(collectorId: string, atMs: EpochMillis, body: string): CollectorReport {
  const said = objectOf(parsed(body));
  const spool = objectOf(said.spool);
  return {
    collectorId,
    atMs,
    startedMs: momentOf(said.startedMs) ?? atMs,
    sinceMs: numberOf(said.sinceMs) ?? momentOf(said.startedMs) ?? atMs,
    stoppedMs: momentOf(said.stoppedMs),
    version: textOf(said.version) ?? '',
    host: textOf(said.host) ?? '',
    dataDir: textOf(said.dataDir) ?? '',
    reasons: listOf(said.reasons).flatMap((reason) => textOf(reason) ?? []),
    listeners: listOf(said.listeners).flatMap(listenerOf),
    brokers: listOf(said.brokers).flatMap(brokerOf),
    spool: {
      items: numberOf(spool.items) ?? 0,
      bytes: numberOf(spool.bytes) ?? 0,
      oldestMs: momentOf(spool.oldestMs),
      waitingSinceMs: momentOf(spool.waitingSinceMs),
      diskFreeBytes: numberOf(spool.diskFreeBytes),
      refuseBelowBytes: numberOf(spool.refuseBelowBytes),
    },
    tally: tallyOf(collectorId, objectOf(said.tally)),
    counters: listOf(said.counters).flatMap(counterOf),
  };
}

/** More of a kind than any collector has. */
const mostOfAKind = 500;
const mostChars = 1_000;

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

type Said = Record<string, unknown>;
const objectOf = (value: unknown): Said => (typeof value === 'object' && value !== null ? (value as Said) : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, mostOfAKind) : []);
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value.slice(0, mostChars) : null);
const numberOf = (value: unknown): number | null =>
  typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : null;
/** What is no moment of a calendar would stop a page. */
const momentOf = (value: unknown): EpochMillis | null => {
  const ms = numberOf(value);
  return ms !== null && Math.abs(ms) <= 8.64e15 ? ms : null;
};
const entriesOf = <T>(value: unknown, as: (each: unknown) => T | null): Record<string, T> =>
  Object.fromEntries(
    Object.entries(objectOf(value))
      .slice(0, mostOfAKind)
      .flatMap(([key, each]) => {
        const read = as(each);
        return read === null ? [] : [[key, read]];
      }),
  );

function listenerOf(value: unknown): ListenerStatus[] {
  const said = objectOf(value);
  const name = textOf(said.name);
  if (name === null) return [];
  const { address, state, refused, repeats } = said;
  return [
    {
      name,
      address: textOf(address),
      state: textOf(state) ?? 'unknown',
      refused: entriesOf(refused, numberOf),
      repeats: numberOf(repeats),
    },
  ];
}

function brokerOf(value: unknown): BrokerStatus[] {
  const said = objectOf(value);
  const name = textOf(said.name);
  if (name === null) return [];
  return [
    {
      name,
      state: textOf(said.state) ?? 'unknown',
      sinceMs: momentOf(said.sinceMs),
      messages: numberOf(said.messages) ?? 0,
      repeats: numberOf(said.repeats) ?? 0,
      unacknowledged: numberOf(said.unacknowledged) ?? 0,
      sessionsLost: numberOf(said.sessionsLost) ?? 0,
    },
  ];
}

function tallyOf(collectorId: string, said: Said): TallyThrough | null {
  const throughSeq = numberOf(said.throughSeq);
  if (throughSeq === null) return null;
  return {
    collectorId,
    throughSeq,
    acknowledgedItems: numberOf(said.acknowledgedItems),
    spooledItems: numberOf(said.spooledItems),
    oldestSpooledMs: momentOf(said.oldestSpooledMs),
  };
}

function counterOf(value: unknown): Counter[] {
  const said = objectOf(value);
  const name = textOf(said.name);
  if (name === null || (said.type !== 'counter' && said.type !== 'gauge')) return [];
  const samples = listOf(said.samples).flatMap((sample) => {
    const { labels, value: figure } = objectOf(sample);
    const read = numberOf(figure);
    return read === null ? [] : [{ labels: entriesOf(labels, textOf), value: read }];
  });
  return [{ name, help: textOf(said.help) ?? '', type: said.type, samples }];
}

/**
 * receiving: heard of late. silent: nothing new for 15 s. stopped: in order, by its own word. unsure: we have only begun to listen, and what
 * we found is old.
 */
export type CollectorState = 'receiving' | 'silent' | 'stopped' | 'unsure';

export interface HeardCollector {
  report: CollectorReport;
  state: CollectorState;
  /** when it said something new, by our clock; by its own where we have not been there */
  heardMs: EpochMillis;
}

/** What was heard until now. `quietSinceMs`: since when each says nothing new, as far as we were there to hear it. */
export interface Hearing {
  askedMs: EpochMillis;
  collectors: ReadonlyMap<string, HeardCollector & { quietSinceMs: EpochMillis }>;
}

const silentAfterMs: Millis = 15_000;
/** who has not asked for longer was not there to hear */
const deafAfterMs: Millis = 6_000;
const forgottenAfterMs: Millis = 7 * 86_400_000;

/**
 * What was heard, and now these reports. Silence is told by our own clock alone, from whether a report changes: clocks of two hosts need not
 * agree. While we do not hear (a store that is away, a process that slept) nobody falls silent.
 */
export function hear(before: Hearing | null, reports: readonly CollectorReport[], nowMs: EpochMillis): Hearing {
  const wasDeaf = before === null || nowMs - before.askedMs > deafAfterMs || nowMs < before.askedMs;
  const collectors = new Map<string, HeardCollector & { quietSinceMs: EpochMillis }>();
  for (const report of withoutReplaced(reports)) {
    const known = before?.collectors.get(report.collectorId);
    const isNews = known !== undefined && known.report.atMs !== report.atMs;
    const heardMs = isNews ? nowMs : (known?.heardMs ?? Math.min(report.atMs, nowMs));
    if (nowMs - heardMs > forgottenAfterMs) continue;
    const quietSinceMs = isNews || !known || wasDeaf ? nowMs : known.quietSinceMs;
    const quiet = { report, heardMs, quietSinceMs, wasSilent: known?.state === 'silent' };
    collectors.set(report.collectorId, {
      report,
      heardMs,
      quietSinceMs,
      state: isNews ? newsOf(report) : stateOf(quiet, nowMs),
    });
  }
  return { askedMs: nowMs, collectors };
}

const newsOf = ({ stoppedMs }: CollectorReport): CollectorState => (stoppedMs === null ? 'receiving' : 'stopped');

function stateOf(
  {
    report,
    heardMs,
    quietSinceMs,
    wasSilent,
  }: Omit<HeardCollector, 'state'> & { quietSinceMs: EpochMillis; wasSilent: boolean },
  nowMs: EpochMillis,
): CollectorState {
  if (report.stoppedMs !== null) return 'stopped';
  if (wasSilent || nowMs - quietSinceMs > silentAfterMs) return 'silent';
  return nowMs - heardMs > silentAfterMs ? 'unsure' : 'receiving';
}

/**
 * A spool that was damaged or lost is followed by one of another name in the same folder: the old name says nothing any more, and is no
 * collector that went silent. Two that run at a time are two, wherever they say they are.
 */
const withoutReplaced = (reports: readonly CollectorReport[]): CollectorReport[] =>
  reports.filter(
    ({ host, dataDir, atMs }) =>
      dataDir === '' ||
      !reports.some((other) => other.host === host && other.dataDir === dataDir && other.sinceMs > atMs),
  );
