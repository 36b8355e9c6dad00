import type { PathCrossing, PathSpan } from '../domain/request-path.ts';
import type { EpochMillis, Millis } from '../domain/units.ts';
import type { HopIdentity, TraceRow } from './store.ts';

/**
 * What views ask of a store beside the tables' own reads: requests by the name of their root, and bulk forms of reads
 * that a page would otherwise repeat once a row. Same promises as Store: ranges are [fromMs, toMs), lists are the caller's.
 */
export interface PathStore {
  /**
   * Requests by root span name and application of the root, busiest first, at most 2,000. `sparkMs` has one median per step
   * from fromMs on, null where no request began. Of more than 100,000 traces a fixed share is looked at.
   */
  pathWindows(fromMs: EpochMillis, toMs: EpochMillis, stepMs: Millis): Promise<PathWindow[]>;
  /** The requests that cross each hop, busiest first within a hop. Of more than 100,000 crossings a fixed share is looked at. */
  pathsOfHops(fromMs: EpochMillis, toMs: EpochMillis): Promise<HopPath[]>;
  /** The requests of one name, step by step: every step of the range in order, those without a request too. */
  pathSeries(
    path: { rootName: string; application: string },
    fromMs: EpochMillis,
    toMs: EpochMillis,
    stepMs: Millis,
  ): Promise<PathStep[]>;
  /**
   * Up to `limit` requests of each name, spread evenly over the range, with what pathWalkOf asks for: one list each in their order, by start.
   * `count` is about how many there are of each. So that no stranger's trace fills the memory, fewer are read where they
   * have many spans (100 x `limit` spans of a name, or one request), and none of over 10,000.
   */
  pathSamples(
    paths: { rootName: string; application: string; count: number }[],
    fromMs: EpochMillis,
    toMs: EpochMillis,
    limit: number,
  ): Promise<PathSample[][]>;
  /** First and last minute of the range in which each hop was crossed. */
  hopsHeard(
    fromMs: EpochMillis,
    toMs: EpochMillis,
  ): Promise<{ hop: bigint; firstMinute: number; lastMinute: number }[]>;
  /** Names of requests in the range, busiest first, at most 500. */
  rootNames(
    fromMs: EpochMillis,
    toMs: EpochMillis,
  ): Promise<{ rootName: string; application: string; count: number }[]>;
  /** The list rows of these traces (32 hex digits each); unknown ones are left out. */
  traceRows(traceIds: string[]): Promise<TraceRow[]>;
  /** Every hop ever seen, newest first, at most 20,000. */
  hopIdentities(): Promise<HopIdentity[]>;
  /** Minutes of many topics at once; null = all. By topic, oldest first. */
  topicSeriesOf(
    topicIds: number[] | null,
    fromMs: EpochMillis,
    toMs: EpochMillis,
  ): Promise<{ topicId: number; minute: number; messages: number; payloadBytes: number }[]>;
  /** Messages and bytes per broker and minute. By broker, oldest first. */
  brokerSeries(
    fromMs: EpochMillis,
    toMs: EpochMillis,
  ): Promise<{ broker: string; minute: number; messages: number; payloadBytes: number }[]>;
  /** How often each topic speaks: what says that one has gone quiet. Topics without a message in the range are absent. */
  topicRhythms(fromMs: EpochMillis, toMs: EpochMillis): Promise<TopicRhythm[]>;
  /** Arrival of the newest batch of any kind; null when nothing ever came. */
  lastArrivalMs(): Promise<EpochMillis | null>;
}

export interface PathWindow {
  /** name of the root span */
  rootName: string;
  application: string;
  /** service of the root */
  service: string;
  /** requests */
  count: number;
  /** of which something ended in error */
  errors: number;
  /** requests that crossed at least one hop */
  crossed: number;
  /** requests whose root outlives its replies: a message came back to the root's device, or it called from there and was answered */
  closed: number;
  /** duration of the root, over the closed requests; over all where none crosses a hop. Null when neither */
  p50Ms: Millis | null;
  p95Ms: Millis | null;
  sparkMs: (Millis | null)[];
}

export interface PathStep {
  timeMs: EpochMillis;
  /** requests */
  count: number;
  errors: number;
  /** as in PathWindow; null where no request says */
  p50Ms: Millis | null;
  p95Ms: Millis | null;
}

export interface HopPath {
  hop: bigint;
  rootName: string;
  /** application and service of the root */
  application: string;
  service: string;
  count: number;
}

export interface PathSample {
  traceId: string;
  startMs: EpochMillis;
  spans: PathSpan[];
  crossings: PathCrossing[];
}

export interface TopicRhythm {
  topicId: number;
  broker: string;
  topic: string;
  messages: number;
  firstMinute: number;
  lastMs: EpochMillis;
  /** 90 % of the pauses between two minutes with messages are at most this long; null with one such minute */
  pauseMinutes: number | null;
}
