import type { CollectorReport } from '../domain/collector-report.ts';
import type { Histogram } from '../domain/histogram.ts';
import type { IngestBatch } from '../domain/ingest-batch.ts';
import type { Span } from '../domain/span.ts';
import type { EpochMillis, Millis, Nanos } from '../domain/units.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { AuditStore } from './audit-store.ts';
import type { PathStore } from './path-store.ts';

/**
 * The telemetry store: one interface, several engines, one contract suite (store.contract.ts).
 * Every list is in the order stated, empty when there is nothing, and owned by the caller. Ranges are [fromMs, toMs).
 * Throws HopscopeError('store') when the engine cannot answer.
 */
export interface Store extends AuditStore, PathStore {
  /**
   * Appends in one transaction, durable when it resolves. A batch whose (collectorId, seq) is already stored changes nothing;
   * a span whose (trace id, span id) is among the last 2 M stored is counted as duplicate and dropped.
   */
  append(batches: IngestBatch[]): Promise<void>;
  /** How many spans at a time it takes at the least cost each. */
  readonly spansPerAppend: number;
  /** Highest contiguous seq stored of each collector: what the spool may drop, where a drain goes on. */
  watermarks(): Promise<Map<string, number>>;
  books(): Promise<Books>;
  /** How the process with the pages knows of collectors in others; null: the store belongs to one process, which knows itself. */
  reports: CollectorReports | null;
  gaps(fromMs: EpochMillis, toMs: EpochMillis): Promise<Gap[]>;
  addGap(gap: Gap): Promise<void>;

  /** Known sites, by id. */
  sites(): Promise<SiteRow[]>;
  /** All devices, by site, then name. */
  devices(): Promise<DeviceRow[]>;
  deviceEvents(
    deviceId: string | null,
    fromMs: EpochMillis,
    toMs: EpochMillis,
    limit: number,
  ): Promise<DeviceEventRow[]>;
  /** Mean per step of a gauge, per device; steps without a point are absent. Sorted by device, time. system.cpu.* is answered from system.cpu.utilization, else rates of system.cpu.time. */
  deviceSeries(
    metric: 'cpu' | 'memory',
    deviceIds: string[] | null,
    fromMs: EpochMillis,
    toMs: EpochMillis,
    stepMs: Millis,
  ): Promise<SeriesRow[]>;
  /** Latest value of every metric of a device, by metric name. */
  deviceMetrics(deviceId: string): Promise<MetricRow[]>;

  /** Hops with traffic in the range, sums over the minutes of the range (whole minutes: the range is widened to them). By hop id. */
  hopWindows(fromMs: EpochMillis, toMs: EpochMillis, hop?: bigint): Promise<HopWindow[]>;
  /** The minutes of one hop, oldest first. */
  hopMinutes(hop: bigint, fromMs: EpochMillis, toMs: EpochMillis): Promise<HopMinute[]>;
  hop(hop: bigint): Promise<HopIdentity | null>;
  /** The live verdict of every hop that ever had one. */
  liveVerdicts(): Promise<LiveVerdict[]>;
  /** Hops crossed in [fromMs, toMs): medians before `splitMs`, and since. */
  hopLevels(fromMs: EpochMillis, splitMs: EpochMillis, toMs: EpochMillis): Promise<HopLevel[]>;
  /** Crossings of one hop in the range, newest first, or slowest first. */
  crossingsOfHop(
    hop: bigint,
    fromMs: EpochMillis,
    toMs: EpochMillis,
    order: 'newest' | 'slowest' | 'fastest',
    limit: number,
  ): Promise<CrossingRow[]>;
  /** All crossings in which a span of this trace is caller or callee. By caller start. `trail`: spares looking everywhere. */
  crossingsOfTrace(traceHi: bigint, traceLo: bigint, trail?: TraceTrail): Promise<CrossingRow[]>;

  /** Whether any span of this trace is stored, whose, and where in time; null when unknown. Much cheaper than the spans. */
  traceTrail(traceHi: bigint, traceLo: bigint): Promise<TraceTrail | null>;
  /**
   * Distinct spans of a trace with all they carried, by start; at most `limit` (10,000), `total` says how many there are. Empty when unknown.
   * With the `trail` that traceTrail answered the spans are those of its moment.
   */
  spansOfTrace(
    traceHi: bigint,
    traceLo: bigint,
    limit?: number,
    trail?: TraceTrail,
  ): Promise<{ spans: StoredSpan[]; total: number }>;
  /** Other traces tied to this one by links, either way. At most 50. */
  linkedTraces(traceHi: bigint, traceLo: bigint): Promise<{ traceId: string; direction: 'to' | 'from' }[]>;
  /** Messages of this trace that a collector saw pass, by time; at most 1,000. */
  passagesOfTrace(traceHi: bigint, traceLo: bigint): Promise<PassageRow[]>;
  /** Newest first (or slowest first). */
  searchTraces(query: TraceQuery): Promise<TraceRow[]>;
  services(): Promise<{ service: string; application: string; sites: string[] }[]>;
  /** Who sent spans that arrived in the range. By service, then by first arrival. */
  servicesHeard(fromMs: EpochMillis, toMs: EpochMillis): Promise<ServiceHeard[]>;

  /** Sums over the range per topic, busiest (messages) first. */
  topicWindows(fromMs: EpochMillis, toMs: EpochMillis): Promise<TopicWindow[]>;
  /** Messages and bytes per minute, all topics of a broker or one topic, oldest first. */
  topicSeries(topicId: number | null, fromMs: EpochMillis, toMs: EpochMillis): Promise<TopicMinuteRow[]>;
  /** The newest estimate of each device's clock. */
  clocks(): Promise<ClockRow[]>;
  /** Every minute's estimate of each device's clock, by device, oldest first. */
  clockMinutes(fromMs: EpochMillis, toMs: EpochMillis): Promise<ClockRow[]>;
  /** Steps, places that cannot be right, contradictions: oldest first. */
  clockFindings(fromMs: EpochMillis, toMs: EpochMillis): Promise<ClockFinding[]>;
  /** Devices of crossings whose clocks contradict each other, by hop. */
  contradictingDevices(fromMs: EpochMillis, toMs: EpochMillis): Promise<Map<bigint, string[]>>;

  /** Removes what is older than its retention, on our own clock. */
  dropBefore(cutoffs: { spansMs: EpochMillis; crossingsMs: EpochMillis; minutesMs: EpochMillis }): Promise<void>;
  /** For the status page: engine, file size, memory. */
  status(): Promise<StoreStatus>;
  close(): Promise<void>;
}

export interface Books {
  /**
   * Totals of items since the store began: received = stored + duplicate + rejected. Received is what the batches say came in; the others
   * are counted where they happen: rows added, rows left out because they were there, what the decoder refused. Of messages
   * an item is stored when its topic's traffic, or the data point taken out of it, is.
   */
  received: number;
  stored: number;
  duplicate: number;
  rejected: number;
  rejectedByReason: Record<string, number>;
  bySignal: {
    signal: 'traces' | 'metrics' | 'mqtt';
    received: number;
    stored: number;
    duplicate: number;
    rejected: number;
  }[];
  /** the same by collector, by its id, up to the highest batch booked: what a collector's own count is compared with */
  byCollector: {
    collectorId: string;
    highestSeq: number;
    received: number;
    stored: number;
    duplicate: number;
    rejected: number;
  }[];
}

/** Of one collector, up to one of its batches. */
export interface BooksThrough {
  received: number;
  stored: number;
  duplicate: number;
  rejected: number;
}

export interface CollectorReports {
  /** Takes the place of what this collector said before. Waits for no append, and is given up within seconds: the next one is fresher. */
  tell(report: CollectorReport): Promise<void>;
  /** The last word of every collector, the newest first; of those long gone none. */
  latest(): Promise<CollectorReport[]>;
  /**
   * What the store counted of each of these collectors, by its id, up to the given batch: what a count that was told with that batch is compared
   * with. Absent where the store cannot tell: what it took is not in sight yet, or retention has added up the days before and after.
   */
  booksThrough(seqs: ReadonlyMap<string, number>): Promise<Map<string, BooksThrough>>;
}

export interface Gap {
  fromMs: EpochMillis;
  toMs: EpochMillis;
  whose: string;
  what: string;
}

export interface SiteRow {
  id: string;
  name: string;
  lat: number | null;
  lon: number | null;
}

export type DeviceState = 'up' | 'degraded' | 'down' | 'unknown' | 'retired';

export interface DeviceRow {
  id: string;
  name: string;
  /** 'unplaced' when nothing tells */
  site: string;
  applications: string[];
  services: string[];
  state: DeviceState;
  reason: string;
  sinceMs: EpochMillis;
  lastSeenMs: EpochMillis;
  /** how often it reports; null: it does not, or was not heard often enough to tell */
  intervalMs: Millis | null;
}

export interface DeviceEventRow {
  deviceId: string;
  timeMs: EpochMillis;
  fromState: DeviceState;
  toState: DeviceState;
  reason: string;
}

export interface SeriesRow {
  deviceId: string;
  timeMs: EpochMillis;
  value: number;
}

export interface MetricRow {
  metric: string;
  attributesJson: string;
  timeMs: EpochMillis;
  value: number;
}

export interface HopIdentity {
  /** 64-bit hash; the API shows spanIdHex(hop) */
  hop: bigint;
  from: { service: string; site: string; application: string };
  to: { service: string; site: string; application: string };
  /** mqtt, http, grpc, ... */
  system: string;
  /** destination template, route, rpc method; '' when unknown */
  destination: string;
}

export interface LiveVerdict {
  hop: bigint;
  verdict: Verdict;
  /** when what it tells began, to ten seconds */
  sinceMs: EpochMillis;
  /** since when it is over its budget, or without answers; either is kept while the other is told. Null: it is not */
  overSinceMs: EpochMillis | null;
  unansweredSinceMs: EpochMillis | null;
  /** what it was judged by; null: nobody's rule, so 50 ms or twice the floor of each crossing */
  budgetMs: Millis | null;
}

/** What a hop added of late, beside what it added before. */
export interface HopLevel {
  hop: bigint;
  /** start of its newest crossing */
  newestMs: EpochMillis;
  /** of the newest crossing that has one; '' = none */
  broker: string;
  /** medians of what has a figure; null = nothing has */
  beforeMs: Millis | null;
  sinceMs: Millis | null;
}

/** A service of one version on one device, as far as it was heard in a range. */
export interface ServiceHeard {
  service: string;
  version: string;
  device: string;
  site: string;
  application: string;
  /** arrivals of its first and last span within the range */
  firstMs: EpochMillis;
  lastMs: EpochMillis;
  /** distinct arrivals: what is exported together counts once */
  arrivals: number;
}

export interface HopFigures {
  /** crossings */
  count: number;
  /** distinct caller spans */
  requests: number;
  errors: number;
  unanswered: number;
  added: Histogram;
  raw: Histogram;
  uplink: Histogram;
  downlink: Histogram;
  sumMs: number;
  maxMs: number | null;
  /** largest bound of the crossings; null when more than 5 % have an open interval, or nothing is measured */
  boundMs: number | null;
  uplinkBoundMs: number | null;
  downlinkBoundMs: number | null;
  clocks: {
    sameClock: number;
    roundTrip: number;
    bounded: number;
    assumed: number;
    clockWrong: number;
    overlap: number;
    /** the clocks contradict each other: no figure */
    contradiction: number;
  };
  floorMs: number;
  directFloorMs: number;
  /** the broker witnessed for these messages, '' = none */
  broker: string;
  passages: number;
}

export interface HopWindow extends HopIdentity, HopFigures {}

export interface HopMinute extends HopFigures {
  minute: number;
}

export type ClockLabel =
  | 'same-clock'
  | 'round-trip'
  | 'bounded'
  | 'assumed'
  | 'clock-wrong'
  | 'overlap'
  | 'contradiction';
/** crossings.clock is the index into this list; 0 is not used. */
export const clockLabels: readonly (ClockLabel | '')[] = [
  '',
  'same-clock',
  'round-trip',
  'bounded',
  'assumed',
  'clock-wrong',
  'overlap',
  'contradiction',
];

export interface CrossingRow {
  hop: bigint;
  callerTraceId: string;
  callerSpanId: string;
  calleeTraceId: string;
  calleeSpanId: string;
  message: boolean;
  linked: boolean;
  error: boolean;
  callerDevice: string;
  calleeDevice: string;
  callerStartNanos: Nanos;
  callerDurationNanos: Nanos;
  calleeStartNanos: Nanos;
  calleeDurationNanos: Nanos;
  /** when the collector saw the message pass, its clock; null = not seen */
  passageNanos: Nanos | null;
  broker: string;
  rawMs: Millis;
  addedMs: Millis | null;
  /** callee's clock minus caller's */
  offsetMs: Millis | null;
  boundMs: Millis | null;
  clock: ClockLabel;
  floorMs: Millis;
  directFloorMs: Millis;
  uplinkMs: Millis | null;
  uplinkBoundMs: Millis | null;
  downlinkMs: Millis | null;
  downlinkBoundMs: Millis | null;
}

/** A store answers with more than this, and takes back only what it answered itself. */
export interface TraceTrail {
  /** of its spans */
  applications: string[];
  /** distinct spans */
  total: number;
  /** earliest and latest of the starts and arrivals, whatever the clocks said */
  fromMs: EpochMillis;
  toMs: EpochMillis;
}

export interface StoredSpan extends Span {
  deviceId: string;
  site: string;
  application: string;
  flags: number;
  arrivalMs: EpochMillis;
  /** as the hop sees it: system and destination template */
  system: string;
  destination: string;
}

export interface PassageRow {
  broker: string;
  topic: string;
  /** the producer's span, whether or not that span ever came */
  spanId: string;
  /** collector's clock */
  receiveNanos: Nanos;
  payloadBytes: number;
  qos: number;
}

export interface TraceQuery {
  fromMs: EpochMillis;
  toMs: EpochMillis;
  service?: string;
  /** root span name, exact */
  rootName?: string;
  hop?: bigint;
  deviceId?: string;
  minDurationMs?: Millis;
  maxDurationMs?: Millis;
  errorsOnly?: boolean;
  order?: 'newest' | 'slowest';
  limit: number;
  /** only traces that start before this (keyset paging over newest) */
  beforeNanos?: Nanos;
}

export interface TraceRow {
  traceId: string;
  startNanos: Nanos;
  durationMs: Millis;
  rootName: string;
  rootService: string;
  rootSite: string;
  application: string;
  hasRoot: boolean;
  spans: number;
  errors: number;
}

export interface TopicWindow {
  topicId: number;
  broker: string;
  topic: string;
  messages: number;
  payloadBytes: number;
  retained: number;
  lastMs: EpochMillis;
  /** services and devices seen publishing (spans, or the broker's word) and consuming (spans) */
  publishers: string[];
  consumers: string[];
}

export interface TopicMinuteRow {
  minute: number;
  messages: number;
  payloadBytes: number;
}

export interface ClockRow {
  deviceId: string;
  minute: number;
  /** device - collector; null when nothing proves it: open on one side, and 0 is possible */
  offsetMs: Millis | null;
  boundMs: Millis | null;
  /** what is proven, either side; null = open */
  lowMs: Millis | null;
  highMs: Millis | null;
  method: string;
}

/** What the clocks of these devices did, or what had to be given up so that the rest can be true. */
export interface ClockFinding {
  /** misplaced: the sites cannot be where they are said to be */
  kind: 'step' | 'misplaced' | 'contradiction';
  timeMs: EpochMillis;
  /** ids, in order; of a step: one, or two where nothing tells which */
  devices: string[];
  sites: string[];
  /** of a step: by which the first device's clock went forward */
  nanos: number | null;
}

export interface StoreStatus {
  engine: string;
  location: string;
  bytesOnDisk: number;
  spans: number;
  /** what an operator must know or do, in sentences */
  warnings: string[];
}
