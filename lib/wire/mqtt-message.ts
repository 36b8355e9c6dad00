import { crc32 } from 'node:zlib';
import type {
  ClockObservation,
  DataPoint,
  DeviceReport,
  Passage,
  RejectReason,
  Sighting,
  TopicTraffic,
} from '../domain/ingest-batch.ts';
import type { Resource } from '../domain/span.ts';
import { resourceKey } from '../domain/span.ts';
import { type EpochMillis, epochMillisOf, minuteOf, type Nanos } from '../domain/units.ts';
import { deviceTopicOf, echoReply, heartbeat, isOwnEcho, statusOf } from './device-topics.ts';
import { readHostMetrics } from './host-metrics.ts';
import { parseJson } from './json-check.ts';
import type { WireLimits } from './limits.ts';
import { canonicalJson, collectorResource, namedDevice } from './resource.ts';
import { parseTraceparent, type TraceContext } from './trace-context.ts';
import { cutText, textOf } from './utf8.ts';

/**
 * What MQTT.js and aedes hand over. `retain` is that of a subscriber's copy: set only on a replay.
 * Whoever sees publishes inside the broker passes false, there the flag only asks to keep the message.
 */
export interface MqttPacket {
  topic: string;
  payload: Uint8Array;
  qos: number;
  retain: boolean;
  dup: boolean;
  /** QoS > 0: the packet id, which a repetition has again */
  messageId?: number | undefined;
  properties?: { userProperties?: Record<string, string | string[]> | null | undefined } | undefined;
}

/** A packet reduced to what is kept of it: what the spool holds and the reader reads. */
export interface MqttEntry {
  broker: string;
  topic: string;
  publisher: string;
  qos: number;
  retain: boolean;
  dup: boolean;
  arrivalNanos: Nanos;
  payloadBytes: number;
  /** only where the topic needs it and it is short enough */
  payload: Uint8Array | null;
  trace: TraceContext | null;
  /** QoS > 0: what a repetition of it is known by */
  delivery: { messageId: number; hash: number } | null;
}

/** A message that was taken, as it is known again when it comes with DUP after a restart. */
export interface Delivery {
  broker: string;
  publisher: string;
  messageId: number;
  hash: number;
  arrivalNanos: Nanos;
}

/** Of everything in it that the sender may not change when it sends it again. */
export function deliveryHash({
  topic,
  payload,
  properties,
}: Pick<MqttPacket, 'topic' | 'payload' | 'properties'>): number {
  const traceparent = properties?.userProperties?.traceparent;
  return crc32(payload, crc32(`${topic}\u0000${traceparent ?? ''}`));
}

export interface MqttParts {
  /** messages + data points taken out of payloads; = messages and retained of topicTraffic + dataPoints.length + sum(rejected) */
  received: number;
  rejected: Partial<Record<RejectReason, number>>;
  topicTraffic: TopicTraffic[];
  passages: Passage[];
  sightings: Sighting[];
  deviceReports: DeviceReport[];
  dataPoints: DataPoint[];
  clockObservations: ClockObservation[];
}

export const otherTopic = '__other__';

export function mqttEntry(
  packet: MqttPacket,
  broker: string,
  arrivalNanos: Nanos,
  publisher: string,
  limits: WireLimits,
): MqttEntry {
  const topic = cutText(packet.topic, limits.topicBytes);
  const traceparent = packet.properties?.userProperties?.traceparent;
  return {
    broker,
    topic,
    publisher,
    qos: packet.qos,
    retain: packet.retain,
    dup: packet.dup,
    arrivalNanos,
    payloadBytes: packet.payload.length,
    payload: packet.payload.length < limits.payloadBytes && needsPayload(topic) ? packet.payload : null,
    // sent twice it is no traceparent (W3C Trace Context, section 3.2)
    trace: typeof traceparent === 'string' ? parseTraceparent(traceparent) : null,
    delivery:
      packet.qos > 0 && packet.messageId !== undefined
        ? { messageId: packet.messageId, hash: deliveryHash(packet) }
        : null,
  };
}

/** The payload is looked into on these topics only, chosen by name, never by sniffing. */
const needsPayload = (topic: string): boolean => topic.startsWith('hopscope/v1/') || isMetricsTopic(topic);
const isMetricsTopic = (topic: string): boolean => topic.endsWith('/metrics') || topic.startsWith('telegraf/');

/** Gathers what the messages of a batch tell, until `take`. */
export class MqttReader {
  private messages = 0;
  private received = 0;
  private rejected: Partial<Record<RejectReason, number>> = {};
  /** rows by topic, one map for each broker, publisher and minute */
  private traffic = new Map<string, Map<string, TopicTraffic>>();
  private rows = 0;
  private passages: Passage[] = [];
  private heard = new Map<string, Sighting>();
  private deviceReports: DeviceReport[] = [];
  private dataPoints: DataPoint[] = [];
  private clockObservations: ClockObservation[] = [];
  // the map of the message before: mostly it is the same again
  private lastBroker = '';
  private lastPublisher = '';
  private lastMinute = -1;
  private lastTopics = new Map<string, TopicTraffic>();
  private readonly limits: WireLimits;
  private readonly collectorId: string;
  private readonly collector: Resource;

  constructor(limits: WireLimits, collectorId: string) {
    this.limits = limits;
    this.collectorId = collectorId;
    this.collector = collectorResource(collectorId);
  }

  /** Messages since the last `take`. */
  get count(): number {
    return this.messages;
  }

  read(packet: MqttPacket, broker: string, arrivalNanos: Nanos, publisher = ''): void {
    this.readEntry(mqttEntry(packet, broker, arrivalNanos, publisher, this.limits));
  }

  readEntry(entry: MqttEntry): void {
    this.messages++;
    this.received++;
    const arrivalMs = epochMillisOf(entry.arrivalNanos);
    if (!this.readPayload(entry, arrivalMs)) {
      this.reject('malformed');
      return;
    }
    this.addTraffic(entry, arrivalMs);
    const { trace } = entry;
    // a replay or a repetition comes when it comes: its time says nothing (design.md section 4.7); an unsampled trace has no spans to meet it
    if (trace?.sampled && !entry.retain && !entry.dup) {
      const { traceHi, traceLo, spanId } = trace;
      this.passages.push({
        broker: entry.broker,
        topic: entry.topic,
        traceHi,
        traceLo,
        spanId,
        receiveNanos: entry.arrivalNanos,
        payloadBytes: entry.payloadBytes,
        qos: entry.qos,
      });
    }
  }

  take(): MqttParts {
    const topicTraffic: TopicTraffic[] = [];
    for (const topics of this.traffic.values()) for (const row of topics.values()) topicTraffic.push(row);
    const parts: MqttParts = {
      received: this.received,
      rejected: this.rejected,
      topicTraffic,
      passages: this.passages,
      sightings: [...this.heard.values()],
      deviceReports: this.deviceReports,
      dataPoints: this.dataPoints,
      clockObservations: this.clockObservations,
    };
    this.messages = 0;
    this.received = 0;
    this.rejected = {};
    this.traffic = new Map();
    this.rows = 0;
    this.passages = [];
    this.heard = new Map();
    this.deviceReports = [];
    this.dataPoints = [];
    this.clockObservations = [];
    this.lastMinute = -1;
    return parts;
  }

  private addTraffic(entry: MqttEntry, arrivalMs: EpochMillis): void {
    const minute = minuteOf(arrivalMs);
    let topics = this.lastTopics;
    if (minute !== this.lastMinute || entry.broker !== this.lastBroker || entry.publisher !== this.lastPublisher) {
      topics = this.topicsOf(entry.broker, entry.publisher, minute);
      this.lastTopics = topics;
      this.lastMinute = minute;
      this.lastBroker = entry.broker;
      this.lastPublisher = entry.publisher;
    }
    let row = topics.get(entry.topic);
    if (row === undefined) {
      if (this.rows >= this.limits.topicsPerBatch) {
        this.addOther(entry, minute, arrivalMs);
        return;
      }
      row = newRow(entry.broker, entry.topic, minute, arrivalMs, entry.publisher);
      topics.set(entry.topic, row);
      this.rows++;
    }
    addTo(row, entry, arrivalMs);
  }

  /** Beyond the bound one row per broker and minute, whoever published: sums stay exact, names are lost. */
  private addOther(entry: MqttEntry, minute: number, arrivalMs: EpochMillis): void {
    const topics = this.topicsOf(entry.broker, '', minute);
    let row = topics.get(otherTopic);
    if (row === undefined) {
      row = newRow(entry.broker, otherTopic, minute, arrivalMs, '');
      topics.set(otherTopic, row);
    }
    addTo(row, entry, arrivalMs);
  }

  private topicsOf(broker: string, publisher: string, minute: number): Map<string, TopicTraffic> {
    const key = `${minute}\u001f${broker}\u001f${publisher}`;
    let topics = this.traffic.get(key);
    if (topics === undefined) {
      topics = new Map();
      this.traffic.set(key, topics);
    }
    return topics;
  }

  /** false when one of our own topics carries what it must not. */
  private readPayload(entry: MqttEntry, arrivalMs: EpochMillis): boolean {
    const own = deviceTopicOf(entry.topic);
    if (own !== null) {
      // what we asked ourselves
      if (own.what === 'echo') return true;
      if (entry.payload === null) return false;
      if (own.what === 'status') return this.readStatus(entry, own.device, entry.payload, arrivalMs);
      if (entry.retain) return true;
      return own.what === 'heartbeat'
        ? this.readHeartbeat(entry, own.device, entry.payload, arrivalMs)
        : this.readEchoReply(entry, own.device, entry.payload);
    }
    if (entry.payload !== null && !entry.retain && isMetricsTopic(entry.topic))
      this.readMetrics(entry.payload, arrivalMs);
    return true;
  }

  private readStatus(entry: MqttEntry, device: string, payload: Uint8Array, arrivalMs: EpochMillis): boolean {
    // an empty retained message removes the one before (MQTT 5, 3.3.1.3): nobody's state
    if (payload.length === 0) return true;
    const state = payload.length <= 256 ? statusOf(textOf(payload)) : null;
    if (state === null) return false;
    this.deviceReports.push({ resource: namedDevice(device), state, timeMs: arrivalMs, retained: entry.retain });
    return true;
  }

  private readHeartbeat(entry: MqttEntry, device: string, payload: Uint8Array, arrivalMs: EpochMillis): boolean {
    const beat = heartbeat.safeParse(this.jsonOf(payload));
    if (!beat.success) return false;
    const resource = namedDevice(device);
    const { sentUnixNano, intervalMs, cpu, memory } = beat.data;
    this.hear(resource, 'heartbeat', arrivalMs, intervalMs ?? null);
    // the collector's clock: a device whose clock is wrong is not to lose its load
    if (cpu != null) this.addPoint(resource, 'system.cpu.utilization', {}, arrivalMs, cpu);
    if (memory != null) this.addPoint(resource, 'system.memory.utilization', {}, arrivalMs, memory);
    if (!entry.dup) {
      const rawNanos = entry.arrivalNanos - sentUnixNano;
      this.observe(resource, this.collector, entry.broker, entry.arrivalNanos, rawNanos, 'heartbeat');
    }
    return true;
  }

  private readEchoReply(entry: MqttEntry, device: string, payload: Uint8Array): boolean {
    const reply = echoReply.safeParse(this.jsonOf(payload));
    if (!reply.success) return false;
    const { id, t1, t2, t3 } = reply.data;
    if (entry.dup || !isOwnEcho(id, this.collectorId)) return true;
    const resource = namedDevice(device);
    // dated by when it was asked: a device may keep its answer for minutes, while its clock drifts on
    this.observe(this.collector, resource, entry.broker, t1, t2 - t1, 'echo');
    this.observe(resource, this.collector, entry.broker, entry.arrivalNanos, entry.arrivalNanos - t3, 'echo');
    return true;
  }

  private readMetrics(payload: Uint8Array, arrivalMs: EpochMillis): void {
    for (const { host, timeMs, values } of readHostMetrics(this.jsonOf(payload))) {
      const resource = namedDevice(host);
      this.hear(resource, 'json-metrics', arrivalMs, null);
      const at = Math.floor(timeMs ?? arrivalMs);
      for (const { metric, attributes, value } of values) {
        if (at < arrivalMs - this.limits.retentionMs || at > arrivalMs + this.limits.aheadMs) this.refusePoint('time');
        else this.addPoint(resource, metric, attributes, at, value);
      }
    }
  }

  /** undefined for what is no JSON. */
  private jsonOf(payload: Uint8Array): unknown {
    try {
      return parseJson(payload, this.limits.jsonDepth);
    } catch {
      return undefined;
    }
  }

  private addPoint(
    resource: Resource,
    metric: string,
    attributes: Record<string, string>,
    timeMs: EpochMillis,
    value: number,
  ): void {
    if (this.dataPoints.length >= this.limits.dataPointsPerRequest) {
      this.refusePoint('limit');
      return;
    }
    this.received++;
    const attributesJson =
      Object.keys(attributes).length === 0 ? '' : canonicalJson(attributes, this.limits.valueBytes);
    this.dataPoints.push({ resource, metric, attributesJson, timeMs, value });
  }

  private refusePoint(reason: RejectReason): void {
    this.received++;
    this.reject(reason);
  }

  private hear(
    resource: Resource,
    source: Sighting['source'],
    arrivalMs: EpochMillis,
    intervalMs: number | null,
  ): void {
    const key = `${source}\u001f${resourceKey(resource)}`;
    const known = this.heard.get(key);
    if (known === undefined) {
      this.heard.set(key, { resource, source, arrivalMs, count: 1, intervalMs });
      return;
    }
    known.count++;
    known.arrivalMs = Math.max(known.arrivalMs, arrivalMs);
    known.intervalMs = intervalMs ?? known.intervalMs;
  }

  private observe(
    from: Resource,
    to: Resource,
    broker: string,
    atNanos: Nanos,
    rawNanos: Nanos,
    source: 'heartbeat' | 'echo',
  ): void {
    this.clockObservations.push({ from, to, atNanos, rawNanos, source, broker });
  }

  private reject(reason: RejectReason): void {
    this.rejected[reason] = (this.rejected[reason] ?? 0) + 1;
  }
}

const newRow = (
  broker: string,
  topic: string,
  minute: number,
  lastMs: EpochMillis,
  publisher: string,
): TopicTraffic => ({
  broker,
  topic,
  minute,
  messages: 0,
  payloadBytes: 0,
  retained: 0,
  lastMs,
  publisher,
});

function addTo(row: TopicTraffic, entry: MqttEntry, arrivalMs: EpochMillis): void {
  if (entry.retain) row.retained++;
  else {
    row.messages++;
    row.payloadBytes += entry.payloadBytes;
  }
  if (arrivalMs > row.lastMs) row.lastMs = arrivalMs;
}
