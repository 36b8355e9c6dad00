import type { Span } from '../domain/span.ts';
import type { WireLimits } from './limits.ts';
import type { Encoding } from './read-result.ts';

/** One request body of a batch as it came, unpacked. */
export interface Frame {
  encoding: Encoding;
  arrivalNanos: bigint;
  body: Uint8Array;
}

/** One after another: [u8 encoding][u32 LE length][u64 LE arrival in nanoseconds][body]. */
export function frameBodies(_frames: readonly Frame[]): Uint8Array {
  throw new Error('not yet');
}
/** The frames of unpacked bytes; bodies are views. Throws MalformedError. */
export function readFrames(_bytes: Uint8Array): Frame[] {
  throw new Error('not yet');
}
export function compressRaw(_bytes: Uint8Array): Uint8Array {
  throw new Error('not yet');
}
/** Throws MalformedError for bytes that are no zstd or unpack to more than maxBytes. */
export function readRaw(_raw: Uint8Array, _maxBytes?: number): Uint8Array {
  throw new Error('not yet');
}
/** Spans of the wanted traces with all they carried, out of IngestBatch.raw; only those that SpanReader accepted. */
export function decodeSpans(
  _raw: Uint8Array,
  _wanted: (traceHi: bigint, traceLo: bigint) => boolean,
  _limits?: WireLimits,
): Span[] {
  throw new Error('not yet');
}
