import type { LiveState, Slice } from '../domain/live-verdict.ts';
import type { Resource } from '../domain/span.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { ClockFinding } from './store.ts';

/**
 * What the audit asks of a store: set-based steps, each of which may be repeated (design.md section 2).
 * Implemented per engine beside the rest of the store; used by lib/audit.ts alone.
 *
 * Numbers instead of names: `collector`, `broker`, `system`, `destination` are ids of strings, `resource` of resources, `device` of devices.
 * A broker's clock is the device -1 - collector (the collector beside it), so clocks of collectors need no row in devices.
 */
export interface AuditStore {
  readonly audit: AuditSteps;
}

export interface AuditSteps {
  /** One transaction, one at a time: all of it or nothing, durable when it resolves. */
  transaction<T>(work: (tx: AuditTx) => Promise<T>): Promise<T>;
}

/** New batches of one collector: (after, upto] without holes. */
export interface BatchRange {
  collector: number;
  after: bigint;
  upto: bigint;
  spans: number;
  batches: number;
  oldestArrivalMs: EpochMillis;
}

export interface ResourceRow {
  id: number;
  resource: Resource;
}

export interface PlacedDevice {
  number: number;
  id: string;
  name: string;
  site: string;
  applications: string[];
  services: string[];
  state: string;
  reason: string;
  sinceMs: EpochMillis;
  lastSeenMs: EpochMillis;
  intervalMs: number | null;
}

export interface PlacingRow {
  resource: number;
  device: number;
  site: string;
  application: string;
}

export interface SiteToSave {
  id: string;
  name: string;
  lat: number | null;
  lon: number | null;
}

/** A kind of crossing that a pass met: which hop is it, and what does physics demand of it? */
export interface RouteQuestion {
  callerResource: number;
  calleeResource: number;
  message: boolean;
  callerSystem: string;
  calleeSystem: string;
  callerDestination: string;
  calleeDestination: string;
  broker: string;
  /** as numbers, to answer with */
  key: readonly [
    callerSystem: number,
    calleeSystem: number,
    callerDestination: number,
    calleeDestination: number,
    broker: number,
  ];
}

export interface RouteAnswer {
  question: RouteQuestion;
  hop: bigint;
  floorNanos: number;
  directFloorNanos: number;
  uplinkFloorNanos: number;
}

export interface HopToSave {
  hop: bigint;
  from: { service: string; site: string; application: string };
  to: { service: string; site: string; application: string };
  system: string;
  destination: string;
  firstMs: EpochMillis;
}

/** What a caller's own words lead to: asked when an answer is missing. */
export interface TracedDestination {
  fromService: string;
  fromSite: string;
  system: string;
  /** template of what the caller named */
  destination: string;
  hop: bigint;
}

/** Smallest raw - floor (+ grain of the receiver) of one directed device pair, floor and flow within one second. */
export interface EdgeColumns {
  count: number;
  from: Int32Array;
  to: Int32Array;
  second: Int32Array;
  /** nanoseconds; -Infinity: a server of this flow worked on after its answer, so its replies say nothing of when they were sent */
  least: Float64Array;
  /** nanoseconds that were taken off */
  floor: Float64Array;
  /** edgeKind */
  kind: Uint8Array;
  /** of replies: which hop they belong to (flowOf) */
  flow: Int32Array;
}

/** One row of them. */
export interface Edge {
  from: number;
  to: number;
  second: number;
  least: number;
  floor: number;
  kind: number;
  flow: number;
}

export const edgeColumnsOf = (edges: readonly Edge[]): EdgeColumns => ({
  count: edges.length,
  from: Int32Array.from(edges, (x) => x.from),
  to: Int32Array.from(edges, (x) => x.to),
  second: Int32Array.from(edges, (x) => x.second),
  least: Float64Array.from(edges, (x) => x.least),
  floor: Float64Array.from(edges, (x) => x.floor),
  kind: Uint8Array.from(edges, (x) => x.kind),
  flow: Int32Array.from(edges, (x) => x.flow),
});

/** What crossings say of clocks. Replies are dropped first when clocks contradict each other. */
export const edgeKind = { message: 1, request: 2, reply: 3, passage: 4 } as const;
/** A hop as a small number: two hops that share one are trusted together. */
export const flowOf = (hop: bigint): number => Number(hop % 2_147_483_647n);

/** Pairs and seconds whose offset is asked: broker = device of its clock, 0 = not seen (no device has the number 0). */
export interface MomentColumns {
  count: number;
  caller: Int32Array;
  callee: Int32Array;
  broker: Int32Array;
  second: Int32Array;
}

/** One row of them. */
export interface Moment {
  caller: number;
  callee: number;
  broker: number;
  second: number;
}

export const momentColumnsOf = (moments: readonly Moment[]): MomentColumns => ({
  count: moments.length,
  caller: Int32Array.from(moments, (x) => x.caller),
  callee: Int32Array.from(moments, (x) => x.callee),
  broker: Int32Array.from(moments, (x) => x.broker),
  second: Int32Array.from(moments, (x) => x.second),
});

/** Per moment, in nanoseconds; NaN = not known. */
export interface OffsetColumns {
  /** callee - caller; for clock-wrong the least error that is proven */
  offset: Float64Array;
  bound: Float64Array;
  /** 3 bounded, 4 assumed, 5 clock-wrong, 7 contradiction (index into clockLabels) */
  label: Uint8Array;
  /** 1: the two cannot stand where they are said to stand, so distance demands nothing */
  misplaced: Uint8Array;
  /** broker's clock - caller's */
  brokerOffset: Float64Array;
  brokerBound: Float64Array;
  /** +/- of callee - broker, given these offsets */
  downlinkBound: Float64Array;
}

export interface WaitingRoute {
  resource: number;
  system: number;
  destination: number;
  systemName: string;
  destinationName: string;
}

export interface AskedRoute {
  asked: WaitingRoute;
  route: bigint;
  /** hops that ever answered it */
  hops: readonly bigint[];
}

/** (after, upto] of one collector. */
export interface UncheckedRange {
  collector: number;
  after: bigint;
  upto: bigint;
  oldestArrivalMs: EpochMillis;
}

export interface HeardMinute {
  hop: bigint;
  minute: number;
  before: number | null;
  after: number | null;
}

export interface DeviceSighting {
  resource: number;
  source: string;
  arrivalMs: EpochMillis;
  intervalMs: number | null;
}

export interface DeviceSaid {
  resource: number;
  state: 'online' | 'offline';
  timeMs: EpochMillis;
  retained: boolean;
  arrivalMs: EpochMillis;
}

export interface GaugeReading {
  resource: number;
  metric: 'cpu' | 'memory';
  timeMs: EpochMillis;
  value: number;
}

export interface DeviceEventToSave {
  device: number;
  timeMs: EpochMillis;
  from: string;
  to: string;
  reason: string;
}

export interface MinuteToSettle {
  minute: number;
  crossings: number;
}

/** null: nobody's rule. */
export interface HopBudget {
  hop: bigint;
  budgetNanos: bigint | null;
}

export interface HopState {
  hop: bigint;
  state: LiveState;
}

export type HopStates = Map<bigint, LiveState[]>;

export interface ClockToSave {
  device: number;
  minute: number;
  offsetNanos: number | null;
  boundNanos: number | null;
  /** what is proven of the offset, either side; null = open */
  lowNanos: number | null;
  highNanos: number | null;
  method: string;
}

export interface AuditTx {
  // ---- 1 advance
  /** What may be read next, at most about `maxSpans` spans (at least one batch). `recentMs`: 0 looks at all batches, else only at those that arrived since. */
  batchesToRead(maxSpans: number, recentMs: EpochMillis): Promise<BatchRange[]>;
  /** ... whose callers may be looked for an answer a while after `nowMs`. */
  advance(ranges: readonly BatchRange[], nowMs: EpochMillis): Promise<void>;

  // ---- 2 place
  resourcesAfter(id: number): Promise<ResourceRow[]>;
  resourcesOf(ids: readonly number[]): Promise<ResourceRow[]>;
  placings(): Promise<PlacingRow[]>;
  devices(): Promise<PlacedDevice[]>;
  sites(): Promise<SiteToSave[]>;
  /** strings.id of collector ids that name a clock, asked by their names; 0 for a name that is not there */
  collectorNumbers(names: readonly string[]): Promise<number[]>;
  savePlacings(rows: readonly PlacingRow[]): Promise<void>;
  saveDevices(rows: readonly PlacedDevice[]): Promise<void>;
  saveSites(rows: readonly SiteToSave[]): Promise<void>;

  // ---- 3 pair. The transaction carries the work from one call to the next, in this order
  /** Looks up everything around the new rows: whole traces touched by them, links, passages. Spans older than `sinceMs` (arrival) are not looked at. */
  gather(
    ranges: readonly BatchRange[],
    sinceMs: EpochMillis,
  ): Promise<{ spans: number; around: number; callers: number }>;
  routes(): Promise<RouteQuestion[]>;
  saveHops(hops: readonly HopToSave[], traced: readonly TracedDestination[]): Promise<void>;
  hops(): Promise<HopToSave[]>;
  traced(): Promise<TracedDestination[]>;
  answerRoutes(answers: readonly RouteAnswer[]): Promise<void>;
  freshEdges(): Promise<EdgeColumns>;
  freshMoments(): Promise<MomentColumns>;
  /** Replaces the crossings of the callers that were touched, marks their minutes dirty and due to be settled. `withdrawn`: minutes that lost a pair. */
  writeCrossings(
    moments: MomentColumns,
    offsets: OffsetColumns,
    settleAtMs: (minute: number) => EpochMillis,
  ): Promise<{ crossings: number; withdrawn: number[] }>;
  writeTraces(): Promise<number>;
  writeTopicMinutes(ranges: readonly BatchRange[]): Promise<void>;

  // ---- clocks
  /** Edges out of stored crossings and observations with caller's start (or arrival) in the range. */
  edgesBetween(fromSecond: number, toSecond: number): Promise<EdgeColumns>;
  observationsOf(ranges: readonly BatchRange[]): Promise<StoredObservation[]>;
  observationsBetween(fromSecond: number, toSecond: number): Promise<StoredObservation[]>;
  minutesToSettle(nowMs: EpochMillis, limit: number): Promise<MinuteToSettle[]>;
  /** Of these minutes those that hold crossings and wait for nothing yet are due once more. */
  settleAgain(minutes: ReadonlySet<number>, settleAtMs: (minute: number) => EpochMillis): Promise<void>;
  momentsOf(minute: number): Promise<MomentColumns>;
  /** One part of the minute's crossings; with the last one it is settled. Answers how many have changed. */
  settle(
    minute: number,
    moments: MomentColumns,
    offsets: OffsetColumns,
    of: { part: number; parts: number },
  ): Promise<number>;
  saveClocks(minute: number, rows: readonly ClockToSave[]): Promise<void>;
  findings(sinceMs: EpochMillis): Promise<ClockFinding[]>;
  /** `minute`: in place of what was found of it before, steps apart. */
  saveFindings(minute: number | null, rows: readonly ClockFinding[]): Promise<void>;

  // ---- minutes
  /** Recomputes dirty (hop, minute)s; answers how many, and how many crossings were read for them. */
  writeMinutes(): Promise<{ minutes: number; crossings: number }>;

  // ---- live verdicts
  /** A hop whose budget has changed is due to be sliced anew, as far back as `sinceMinute`. */
  applyBudgets(budgets: readonly HopBudget[], sinceMinute: number): Promise<void>;
  /** Recomputes the slices of what has changed since the last call, as far back as `sinceMinute`; answers the minutes. */
  writeSlices(
    sinceMinute: number,
    budgetOf: (hop: bigint) => bigint | null,
  ): Promise<{ hop: bigint; minute: number }[]>;
  slicesOf(hops: readonly bigint[], fromSlice: number): Promise<Map<bigint, Slice[]>>;
  /** When each hop was last heard since a slice. */
  heardSince(slice: number): Promise<{ hop: bigint; slice: number }[]>;
  /** States that began at `fromSlice` or later, and the last one before it; oldest first. */
  statesOf(hops: readonly bigint[], fromSlice: number): Promise<HopStates>;
  lastStates(): Promise<HopState[]>;
  replaceStates(hop: bigint, fromSlice: number, states: readonly LiveState[]): Promise<void>;
  /** Up to which slice verdicts have been judged; null: never. */
  judgedUntil(): Promise<number | null>;
  saveJudgedUntil(slice: number): Promise<void>;
  forgetSlices(beforeMinute: number): Promise<void>;

  // ---- unanswered
  /** Ranges read up to `readMs` whose callers have not been looked at, at most about so many spans (at least one range). */
  uncheckedRanges(readMs: EpochMillis, maxSpans: number): Promise<{ ranges: UncheckedRange[]; more: boolean }>;
  /** Callers of these ranges without a crossing that are not counted as unanswered yet, by what they asked for. */
  waitingIn(ranges: readonly UncheckedRange[]): Promise<WaitingRoute[]>;
  /** The same of these resources, as far as they have been looked at, with starts from a minute on. */
  waitingSince(minute: number, resources: readonly number[]): Promise<WaitingRoute[]>;
  /** Counts the callers last waited for, each against the hop of its route that answered last within the day up to its minute; without one it is nobody's. */
  countUnanswered(routes: readonly AskedRoute[]): Promise<number>;
  checked(ranges: readonly UncheckedRange[]): Promise<void>;
  /** (hop, minute)s that are crossed now and were not, or the other way round, with the nearest minutes within a day in which the hop is. Given once. */
  takeHeard(): Promise<HeardMinute[]>;
  /** Asks once more which hop those counted of these routes count against, from a minute on. */
  attributeAgain(routes: readonly { route: bigint; hops: readonly bigint[]; since: number }[]): Promise<number>;

  // ---- devices
  sightingsOf(ranges: readonly BatchRange[]): Promise<DeviceSighting[]>;
  sightingsSince(arrivalMs: EpochMillis): Promise<DeviceSighting[]>;
  reportsOf(ranges: readonly BatchRange[]): Promise<DeviceSaid[]>;
  /** The last word of each resource. */
  lastReports(): Promise<DeviceSaid[]>;
  gauges(sinceMs: EpochMillis): Promise<GaugeReading[]>;
  saveEvents(events: readonly DeviceEventToSave[]): Promise<void>;
}

export interface StoredObservation {
  fromResource: number;
  toResource: number;
  second: number;
  rawNanos: number;
  source: string;
  broker: string;
}
