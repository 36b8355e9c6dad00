import type { Signal } from '../domain/ingest-batch.ts';
import type { EpochMillis, Millis, Nanos } from '../domain/units.ts';

/** What is to be kept: one batch, as bytes the decoder understands again (lib/wire/batch-codec.ts). */
export interface SpoolEntry {
  signal: Signal;
  /** collector's clock, when the batch was opened */
  arrivalNanos: Nanos;
  /** spans, data points or messages received in it: what the books count as spooled */
  items: number;
  bytes: Uint8Array;
}

/** A kept batch. `damaged`: its bytes no longer match their checksum and are left out. */
export interface SpoolRow extends SpoolEntry {
  collectorId: string;
  seq: number;
  damaged: boolean;
}

/** Acknowledged data that may be missing, for the store's gaps. */
export interface SpoolGap {
  fromMs: EpochMillis;
  toMs: EpochMillis;
  what: string;
}

export interface SpoolStats {
  collectorId: string;
  /** acknowledged and not yet in the store, by signal number */
  spooledItems: Record<number, number>;
  spooledBatches: number;
  /** of the file in use, kept batches included */
  bytes: number;
  /** arrival of the oldest batch that is kept, null = empty */
  oldestMs: EpochMillis | null;
  /** arrival of the oldest batch that is not yet in the store, null = none waits */
  waitingSinceMs: EpochMillis | null;
  lastSeq: number;
  storedSeq: number;
  diskFreeBytes: number;
  /** below this much free disk nothing is accepted */
  refuseBelowBytes: number;
}

export interface SpoolOptions {
  dir: string;
  /** stored batches are kept this long, so that a store that lost them can be refilled */
  keepMs: Millis;
  /** and at most this much */
  keepBytes: number;
  /** the store's word on what it has, by collector; goes before what the file remembers. 'later': told by `reconcile` */
  watermarks?: Map<string, number> | 'later';
}
