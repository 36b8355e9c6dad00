import type { IngestBatch, Signal } from '../domain/ingest-batch.ts';
import type { WireLimits } from './limits.ts';
import type { MqttPacket } from './mqtt-message.ts';
import type { Encoding, ReadResult } from './read-result.ts';

/** What the spool keeps of a batch: enough to make the same IngestBatch again. */
export interface SpooledBatch {
  signal: Signal;
  /** when the batch was opened */
  arrivalNanos: bigint;
  /** zstd: framed request bodies (traces, metrics) or MQTT entries */
  raw: Uint8Array;
}

/** A batch that takes no more: its bytes for the spool, and the domain form for the store. */
export interface SealedBatch {
  spooled: SpooledBatch;
  /** the live path: same result as decodeBatch(spooled, ...), without decoding again. Call once. */
  ingest(seq: number): IngestBatch;
}

/** Gathers requests of one signal into one batch. Reusable: `seal` hands out what was gathered and starts the next batch. */
export class TracesBatch {
  constructor(limits: WireLimits, collectorId: string) {
    void limits;
    void collectorId;
  }
  /** spans gathered */
  get items(): number {
    throw new Error('not yet');
  }
  /** bytes of the bodies gathered, unpacked */
  get bytes(): number {
    throw new Error('not yet');
  }
  /** true while nothing was added, not even a wholly rejected request */
  get empty(): boolean {
    throw new Error('not yet');
  }
  /** Throws MalformedError; the batch is then as before. The body is kept by reference until `seal`: do not write to it. */
  add(_encoding: Encoding, _body: Uint8Array, _arrivalNanos: bigint): ReadResult {
    throw new Error('not yet');
  }
  seal(): SealedBatch {
    throw new Error('not yet');
  }
}
/** As TracesBatch. */
export class MetricsBatch {
  constructor(limits: WireLimits, collectorId: string) {
    void limits;
    void collectorId;
  }
  get items(): number {
    throw new Error('not yet');
  }
  get bytes(): number {
    throw new Error('not yet');
  }
  get empty(): boolean {
    throw new Error('not yet');
  }
  add(_encoding: Encoding, _body: Uint8Array, _arrivalNanos: bigint): ReadResult {
    throw new Error('not yet');
  }
  seal(): SealedBatch {
    throw new Error('not yet');
  }
}
export class MqttBatch {
  constructor(limits: WireLimits, collectorId: string) {
    void limits;
    void collectorId;
  }
  get items(): number {
    throw new Error('not yet');
  }
  get bytes(): number {
    throw new Error('not yet');
  }
  get empty(): boolean {
    throw new Error('not yet');
  }
  add(_packet: MqttPacket, _broker: string, _arrivalNanos: bigint, _publisher?: string): void {
    throw new Error('not yet');
  }
  seal(): SealedBatch {
    throw new Error('not yet');
  }
}
/** Spool -> domain, on replay. Throws MalformedError when the spool hands back damaged bytes. */
export function decodeBatch(
  _spooled: SpooledBatch,
  _collectorId: string,
  _seq: number,
  _limits: WireLimits,
): IngestBatch {
  throw new Error('not yet');
}
