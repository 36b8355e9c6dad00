import type { Resource } from './span.ts';
import type { SpanColumns } from './span-columns.ts';
import type { EpochMillis, Millis, Nanos } from './units.ts';

/** What a batch carried. The number is what the spool and the store keep. */
export const signal = { traces: 1, metrics: 2, mqtt: 3 } as const;
export type Signal = (typeof signal)[keyof typeof signal];

/** Why an item was refused for good. One counted word each; the sender was told (partial success) or could not be (MQTT). */
export type RejectReason = 'time' | 'id' | 'malformed' | 'limit' | 'unsupported';

/**
 * One numbered batch of one collector: what was acknowledged together and is stored together.
 * Appending the same (collectorId, seq) again changes nothing.
 * The books of a batch: received = spans.count + dataPoints.length + messages + sum(rejected), before the store finds duplicates.
 */
export interface IngestBatch {
  collectorId: string;
  /** 1, 2, 3, ... without holes per collector */
  seq: number;
  signal: Signal;
  arrivalMs: EpochMillis;
  /** items that came in, rejected ones included: spans, data points or MQTT messages */
  received: number;
  rejected: Partial<Record<RejectReason, number>>;
  /** traces: the request bodies as they came, framed and zstd-compressed (lib/wire/raw-batch.ts); kept for drill-down. Otherwise null */
  raw: Uint8Array | null;
  spans: SpanColumns | null;
  dataPoints: DataPoint[];
  topicTraffic: TopicTraffic[];
  passages: Passage[];
  sightings: Sighting[];
  deviceReports: DeviceReport[];
  clockObservations: ClockObservation[];
}

/** One value of one metric at one time (OTLP metrics, host metrics as JSON, heartbeats). Key: resource, metric, attributes, time. */
export interface DataPoint {
  resource: Resource;
  /** OTel name: system.cpu.utilization (0..1), system.memory.utilization (0..1), system.cpu.time (s), process.*, ... */
  metric: string;
  /** '' or canonical JSON of the point's attributes, keys sorted */
  attributesJson: string;
  timeMs: EpochMillis;
  value: number;
}

/** What one topic carried within one batch and one minute of arrival: added up by the audit, never incremented in place. */
export interface TopicTraffic {
  broker: string;
  topic: string;
  /** minutes since the epoch, collector's clock */
  minute: number;
  messages: number;
  payloadBytes: number;
  /** retained replays: state, not traffic; not part of `messages` */
  retained: number;
  lastMs: EpochMillis;
  /** client id of the publisher where the broker told us (embedded broker), else '' */
  publisher: string;
}

/** A message with trace context that the collector saw pass (design.md section 5). */
export interface Passage {
  broker: string;
  topic: string;
  traceHi: bigint;
  traceLo: bigint;
  /** the producer's span id: parent-id of the traceparent */
  spanId: bigint;
  /** collector's clock */
  receiveNanos: Nanos;
  payloadBytes: number;
  qos: number;
}

/** `resource` was heard from within this batch. */
export interface Sighting {
  resource: Resource;
  source: 'traces' | 'metrics' | 'heartbeat' | 'json-metrics';
  arrivalMs: EpochMillis;
  count: number;
  /** how often the device says it will report; null when it does not say */
  intervalMs: Millis | null;
}

/** What a device, or its Last Will, said of itself on a status topic. */
export interface DeviceReport {
  resource: Resource;
  state: 'online' | 'offline';
  timeMs: EpochMillis;
  /** a retained replay says what was, not when */
  retained: boolean;
}

/**
 * One directed clock observation (design.md section 4.1) that is no crossing: raw = receive time on `to`'s clock - send time on `from`'s clock.
 * A Resource with hostId 'hopscope-collector:<collectorId>' stands for the collector's own clock.
 */
export interface ClockObservation {
  from: Resource;
  to: Resource;
  /** when the collector sent or received it, on its own clock: places it in time */
  atNanos: Nanos;
  rawNanos: Nanos;
  source: 'heartbeat' | 'echo' | 'export';
  /** the broker it went through; '' = direct */
  broker: string;
}
