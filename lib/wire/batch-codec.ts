import { type IngestBatch, type Signal, signal } from '../domain/ingest-batch.ts';
import { epochMillisOf, type Nanos } from '../domain/units.ts';
import type { WireLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import { MqttEntryWriter, readMqttEntries } from './mqtt-entry.ts';
import { type Delivery, type MqttPacket, MqttReader, mqttEntry } from './mqtt-message.ts';
import { MetricsGathering } from './otlp-metrics.ts';
import { SpanReader } from './otlp-traces.ts';
import { compressRaw, type Frame, frameBodies, frameHeadBytes, readFrames, readRaw } from './raw-batch.ts';
import { addRejected, type Encoding, encoding, type ReadResult } from './read-result.ts';

/** What the spool keeps of a batch: enough to make the same IngestBatch again. */
export interface SpooledBatch {
  signal: Signal;
  /** of the first thing in the batch */
  arrivalNanos: Nanos;
  /** zstd: framed request bodies (traces, metrics) or MQTT entries */
  raw: Uint8Array;
}

/** A batch that takes no more: its bytes for the spool, and the domain form for the store. */
export interface SealedBatch {
  spooled: SpooledBatch;
  /** items in it, rejected ones included */
  received: number;
  /** The live path: the same as decodeBatch(spooled, ...) without decoding again. */
  ingest(seq: number): IngestBatch;
}

type Parts = Omit<IngestBatch, 'collectorId' | 'seq' | 'signal' | 'arrivalMs' | 'raw'>;

const nothing = (): Parts => ({
  received: 0,
  rejected: {},
  spans: null,
  dataPoints: [],
  topicTraffic: [],
  passages: [],
  sightings: [],
  deviceReports: [],
  clockObservations: [],
});

const sealed = (collectorId: string, spooled: SpooledBatch, parts: Parts): SealedBatch => ({
  spooled,
  received: parts.received,
  ingest: (seq) => ({
    collectorId,
    seq,
    signal: spooled.signal,
    arrivalMs: epochMillisOf(spooled.arrivalNanos),
    raw: spooled.signal === signal.traces ? spooled.raw : null,
    ...parts,
  }),
});

/** Gathers trace requests into one batch. `seal` hands out what was gathered and starts the next batch; what was learnt of names is kept. */
export class TracesBatch {
  private frames: Frame[] = [];
  private frameBytes = 0;
  private received = 0;
  private rejected: IngestBatch['rejected'] = {};
  private readonly reader: SpanReader;
  private readonly limits: WireLimits;
  private readonly collectorId: string;

  constructor(limits: WireLimits, collectorId: string) {
    this.limits = limits;
    this.reader = new SpanReader(limits, collectorId);
    this.collectorId = collectorId;
  }

  /** spans gathered */
  get items(): number {
    return this.reader.count;
  }

  /** bytes of the framed bodies gathered, unpacked; seal well before limits.batchBytes */
  get bytes(): number {
    return this.frameBytes;
  }

  /** true while there is nothing to be sealed, not even a request that was rejected whole */
  get empty(): boolean {
    return this.frames.length === 0;
  }

  /** Throws MalformedError; the batch is then as before. The body is kept by reference until `seal`: do not write to it. */
  add(written: Encoding, body: Uint8Array, arrivalNanos: Nanos): ReadResult {
    checkRoom(this.frameBytes, body, this.limits);
    const result =
      written === encoding.protobuf
        ? this.reader.readProtobuf(body, arrivalNanos)
        : this.reader.readJson(body, arrivalNanos);
    // an empty request is a success that leaves nothing
    if (result.received > 0) {
      this.frames.push({ encoding: written, arrivalNanos, body });
      this.frameBytes += frameHeadBytes + body.length;
      this.received += result.received;
      addRejected(this.rejected, result.rejected);
    }
    return result;
  }

  seal(): SealedBatch {
    const spooled = {
      signal: signal.traces,
      arrivalNanos: firstArrival(this.frames),
      raw: compressRaw(frameBodies(this.frames)),
    };
    return this.sealAs(spooled);
  }

  /** For replay: the spool already has the bytes. */
  sealAs(spooled: SpooledBatch): SealedBatch {
    const parts = { ...nothing(), received: this.received, rejected: this.rejected, ...this.reader.take() };
    this.frames = [];
    this.frameBytes = 0;
    this.received = 0;
    this.rejected = {};
    return sealed(this.collectorId, spooled, parts);
  }
}

/** As TracesBatch, for metrics. */
export class MetricsBatch {
  private frames: Frame[] = [];
  private frameBytes = 0;
  private readonly metrics: MetricsGathering;
  private readonly limits: WireLimits;
  private readonly collectorId: string;

  constructor(limits: WireLimits, collectorId: string) {
    this.limits = limits;
    this.metrics = new MetricsGathering(limits);
    this.collectorId = collectorId;
  }

  /** data points gathered */
  get items(): number {
    return this.metrics.count;
  }

  get bytes(): number {
    return this.frameBytes;
  }

  get empty(): boolean {
    return this.frames.length === 0;
  }

  /** As TracesBatch.add. */
  add(written: Encoding, body: Uint8Array, arrivalNanos: Nanos): ReadResult {
    checkRoom(this.frameBytes, body, this.limits);
    const result = this.metrics.add(body, written, epochMillisOf(arrivalNanos));
    if (result.received > 0) {
      this.frames.push({ encoding: written, arrivalNanos, body });
      this.frameBytes += frameHeadBytes + body.length;
    }
    return result;
  }

  seal(): SealedBatch {
    const spooled = {
      signal: signal.metrics,
      arrivalNanos: firstArrival(this.frames),
      raw: compressRaw(frameBodies(this.frames)),
    };
    return this.sealAs(spooled);
  }

  sealAs(spooled: SpooledBatch): SealedBatch {
    const parts = { ...nothing(), ...this.metrics.take() };
    this.frames = [];
    this.frameBytes = 0;
    return sealed(this.collectorId, spooled, parts);
  }
}

/** As TracesBatch, for messages. */
export class MqttBatch {
  private firstNanos = 0n;
  private readonly writer = new MqttEntryWriter();
  private readonly reader: MqttReader;
  private readonly limits: WireLimits;
  private readonly collectorId: string;

  constructor(limits: WireLimits, collectorId: string) {
    this.reader = new MqttReader(limits, collectorId);
    this.limits = limits;
    this.collectorId = collectorId;
  }

  /** messages gathered */
  get items(): number {
    return this.reader.count;
  }

  get bytes(): number {
    return this.writer.bytes;
  }

  get empty(): boolean {
    return this.reader.count === 0;
  }

  /** The payload is copied where it is needed: the packet may be used again. */
  add(packet: MqttPacket, broker: string, arrivalNanos: Nanos, publisher = ''): void {
    const entry = mqttEntry(packet, broker, arrivalNanos, publisher, this.limits);
    if (this.empty) this.firstNanos = arrivalNanos;
    this.writer.write(entry);
    this.reader.readEntry(entry);
  }

  seal(): SealedBatch {
    const spooled = { signal: signal.mqtt, arrivalNanos: this.firstNanos, raw: compressRaw(this.writer.take()) };
    return sealed(this.collectorId, spooled, { ...nothing(), ...this.reader.take() });
  }
}

/** The QoS > 0 messages of a spooled batch of messages. Throws MalformedError. */
export function deliveriesOf(raw: Uint8Array, limits: WireLimits): Delivery[] {
  return readMqttEntries(readRaw(raw, limits.batchBytes)).flatMap(({ delivery, broker, publisher, arrivalNanos }) =>
    delivery === null ? [] : [{ broker, publisher, arrivalNanos, ...delivery }],
  );
}

/** A batch that unpacks to more than readRaw takes could be acknowledged and never replayed: better no batch at all. */
function checkRoom(gathered: number, body: Uint8Array, limits: WireLimits): void {
  const bytes = gathered + frameHeadBytes + body.length;
  if (bytes > limits.batchBytes)
    throw new RangeError(
      `batch: found ${bytes} bytes, wanted at most ${limits.batchBytes}; seal the batch before adding to it`,
    );
}

const firstArrival = (frames: readonly Frame[]): Nanos => frames[0]?.arrivalNanos ?? 0n;

/**
 * Spool -> domain, on replay. Throws MalformedError when the spool hands back damaged bytes.
 * A body that was accepted before is accepted again: same bytes, same arrival, same limits.
 */
export function decodeBatch(spooled: SpooledBatch, collectorId: string, seq: number, limits: WireLimits): IngestBatch {
  const bytes = readRaw(spooled.raw, limits.batchBytes);
  switch (spooled.signal) {
    case signal.traces:
    case signal.metrics: {
      const batch =
        spooled.signal === signal.traces ? new TracesBatch(limits, collectorId) : new MetricsBatch(limits, collectorId);
      for (const frame of readFrames(bytes)) batch.add(frame.encoding, frame.body, frame.arrivalNanos);
      return batch.sealAs(spooled).ingest(seq);
    }
    case signal.mqtt: {
      const reader = new MqttReader(limits, collectorId);
      for (const entry of readMqttEntries(bytes)) reader.readEntry(entry);
      return sealed(collectorId, spooled, { ...nothing(), ...reader.take() }).ingest(seq);
    }
    default:
      throw new MalformedError(`spooled batch: found signal ${String(spooled.signal)}, wanted 1, 2 or 3`);
  }
}
