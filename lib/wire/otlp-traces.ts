import type { WireLimits } from './limits.ts';
import { JsonSpans } from './otlp-traces-json.ts';
import { ProtobufSpans } from './otlp-traces-protobuf.ts';
import type { ReadResult } from './read-result.ts';
import { SpanColumnWriter, type TakenSpans } from './span-column-writer.ts';

export type { TakenSpans } from './span-column-writer.ts';

/** Reads OTLP trace requests into columns; the spans of successive requests gather until `take`. */
export class SpanReader {
  private readonly writer: SpanColumnWriter;
  private readonly protobuf: ProtobufSpans;
  /** made when the first such request comes: it holds room for texts of full length */
  private json: JsonSpans | null = null;
  private readonly limits: WireLimits;

  constructor(limits: WireLimits, collectorId: string) {
    this.limits = limits;
    this.writer = new SpanColumnWriter(limits, collectorId);
    this.protobuf = new ProtobufSpans(this.writer, limits);
  }

  /** Spans gathered since the last `take`. */
  get count(): number {
    return this.writer.count;
  }

  /** Throws MalformedError and leaves the gathered spans as they were. */
  readProtobuf(body: Uint8Array, arrivalNanos: bigint): ReadResult {
    return this.read(this.protobuf, body, arrivalNanos);
  }

  /** As readProtobuf, for OTLP/JSON. */
  readJson(body: Uint8Array, arrivalNanos: bigint): ReadResult {
    this.json ??= new JsonSpans(this.writer, this.limits);
    return this.read(this.json, body, arrivalNanos);
  }

  /** Hands out right-sized columns (their buffers may be transferred) and starts anew; the string cache is kept. */
  take(): TakenSpans {
    return this.writer.take();
  }

  private read(spans: { read(body: Uint8Array): void }, body: Uint8Array, arrivalNanos: bigint): ReadResult {
    this.writer.beginRequest(arrivalNanos);
    try {
      spans.read(body);
    } catch (cause) {
      this.writer.rollback();
      throw cause;
    }
    return this.writer.commit();
  }
}
