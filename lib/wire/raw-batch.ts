import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Span } from '../domain/span.ts';
import { defaultLimits, type WireLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import { type Encoding, encoding } from './read-result.ts';
import { decodeJsonSpans } from './span-decode-json.ts';
import { decodeProtobufSpans } from './span-decode-protobuf.ts';

/** One request body of a batch as it came, unpacked. */
export interface Frame {
  encoding: Encoding;
  arrivalNanos: bigint;
  body: Uint8Array;
}

export const frameHeadBytes = 13;

/** One after another: [u8 encoding][u32 LE length][u64 LE arrival in nanoseconds][body]. */
export function frameBodies(frames: readonly Frame[]): Uint8Array {
  let size = 0;
  for (const frame of frames) size += frameHeadBytes + frame.body.length;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const frame of frames) {
    bytes[at] = frame.encoding;
    view.setUint32(at + 1, frame.body.length, true);
    view.setBigUint64(at + 5, frame.arrivalNanos, true);
    bytes.set(frame.body, at + frameHeadBytes);
    at += frameHeadBytes + frame.body.length;
  }
  return bytes;
}

/** The frames of unpacked bytes; bodies are views. Throws MalformedError. */
export function readFrames(bytes: Uint8Array): Frame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: Frame[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < frameHeadBytes)
      throw new MalformedError(`raw batch: found ${bytes.length - at} bytes, wanted a frame head of ${frameHeadBytes}`);
    const kind = bytes[at]!;
    const length = view.getUint32(at + 1, true);
    if (kind !== encoding.protobuf && kind !== encoding.json)
      throw new MalformedError(`raw batch: found encoding ${kind}, wanted 1 or 2`);
    if (length > bytes.length - at - frameHeadBytes)
      throw new MalformedError(
        `raw batch: found a body of ${length} bytes, wanted at most the ${bytes.length - at - frameHeadBytes} that are left`,
      );
    frames.push({
      encoding: kind,
      arrivalNanos: view.getBigUint64(at + 5, true),
      body: bytes.subarray(at + frameHeadBytes, at + frameHeadBytes + length),
    });
    at += frameHeadBytes + length;
  }
  return frames;
}

/** zstd level 1: 0.4-0.8 us a span, a tenth of the size (performance.md section 10). */
export const compressRaw = (bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  // a copy: zlib's Buffer may stand in Node's shared pool, and what a batch carries must be transferable
  new Uint8Array(zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }));

/** Throws MalformedError for bytes that are no zstd or unpack to more than maxBytes. */
export function readRaw(raw: Uint8Array, maxBytes: number = defaultLimits.batchBytes): Uint8Array {
  try {
    const bytes = zstdDecompressSync(raw, { maxOutputLength: maxBytes });
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (cause) {
    throw new MalformedError(
      `raw batch: found ${cause instanceof Error ? cause.message : 'no zstd'}, wanted zstd of at most ${maxBytes} bytes`,
      { cause },
    );
  }
}

/** Spans of the wanted traces with all they carried, out of IngestBatch.raw, in the order in which they came; only those that SpanReader accepted. */
export function decodeSpans(
  raw: Uint8Array,
  wanted: (traceHi: bigint, traceLo: bigint) => boolean,
  limits: WireLimits = defaultLimits,
): Span[] {
  const spans: Span[] = [];
  for (const frame of readFrames(readRaw(raw, limits.batchBytes))) {
    const decode = frame.encoding === encoding.protobuf ? decodeProtobufSpans : decodeJsonSpans;
    decode(frame.body, frame.arrivalNanos, wanted, limits, spans);
  }
  return spans;
}
