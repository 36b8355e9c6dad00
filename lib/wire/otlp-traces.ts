import type { ClockObservation, Sighting } from '../domain/ingest-batch.ts';
import type { SpanColumns } from '../domain/span-columns.ts';
import type { WireLimits } from './limits.ts';
import type { ReadResult } from './read-result.ts';

/** The spans of one batch, and what their arrival says of their senders. */
export interface TakenSpans {
  spans: SpanColumns;
  /** one per distinct resource that sent spans, rejected ones included */
  sightings: Sighting[];
  /** per resource: request arrival - end of its last span, the smallest of the batch (design.md section 4.1, 'export') */
  clockObservations: ClockObservation[];
}

/** Reads OTLP trace requests into columns; the spans of successive requests gather until `take`. */
export class SpanReader {
  constructor(limits: WireLimits, collectorId: string) {
    void limits;
    void collectorId;
  }
  /** Spans gathered since the last `take`. */
  get count(): number {
    throw new Error('not yet');
  }
  /** Throws MalformedError and leaves the gathered spans as they were. */
  readProtobuf(_body: Uint8Array, _arrivalNanos: bigint): ReadResult {
    throw new Error('not yet');
  }
  /** As readProtobuf, for OTLP/JSON. */
  readJson(_body: Uint8Array, _arrivalNanos: bigint): ReadResult {
    throw new Error('not yet');
  }
  /** Hands out right-sized columns (their buffers may be transferred) and starts anew; the string cache is kept. */
  take(): TakenSpans {
    throw new Error('not yet');
  }
}
