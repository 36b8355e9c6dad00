import type { IncomingMessage } from 'node:http';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import type { WireLimits } from '#lib/wire/limits.ts';
import type { Admission } from '../intake/admission.ts';

/** Why a body was not taken. */
export type BodyFailure = 'too-large' | 'busy' | 'bad-gzip' | 'cut-off';

/** Bodies up to here are unpacked at once: a stream costs more than they do. */
const unpackAtOnceBytes = 32 * 1024;

/**
 * A request body with its share of the admission. `taken` grows as bytes come in and is given back once, by whoever ends
 * the request: never more is held than was admitted, and nothing above the limits.
 */
export class Body {
  taken = 0;
  readonly #admission: Admission;

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  take(bytes: number): boolean {
    if (!this.#admission.take(bytes)) return false;
    this.taken += bytes;
    return true;
  }

  release(): void {
    this.#admission.give(this.taken);
    this.taken = 0;
  }
}

/**
 * Reads a body; calls `done` once. `length` is the declared one, already admitted; null = chunked, admitted as it comes.
 */
export function readBody(
  request: IncomingMessage,
  length: number | null,
  gzip: boolean,
  body: Body,
  limits: WireLimits,
  done: (failure: BodyFailure | null, bytes: Uint8Array) => void,
): void {
  let whole: Uint8Array | null = null;
  let filled = 0;
  let chunks: Uint8Array[] = [];
  let received = false;
  let ended = false;

  const end = (failure: BodyFailure | null, bytes: Uint8Array = nothing): void => {
    if (ended) return;
    ended = true;
    done(failure, bytes);
  };

  request.on('data', (chunk: Buffer) => {
    if (ended) return;
    if (length === null) {
      filled += chunk.length;
      if (filled > limits.packedBytes) return end('too-large');
      if (!body.take(chunk.length)) return end('busy');
      chunks.push(chunk);
      return;
    }
    // Most bodies come in one piece, which then needs no copy.
    if (whole === null && chunk.length === length) {
      whole = chunk;
      filled = length;
      return;
    }
    whole ??= Buffer.allocUnsafeSlow(length);
    whole.set(chunk, filled);
    filled += chunk.length;
  });
  request.on('end', () => {
    received = true;
    if (ended) return;
    if (length === null) {
      whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      chunks = [];
    }
    const packed = whole ?? nothing;
    if (!gzip) return end(null, packed);
    unpack(packed, body, limits.unpackedBytes, end);
  });
  // 'close' comes after 'end' too; without one the sender went away in the middle.
  const cutOff = (): void => {
    if (!received) end('cut-off');
  };
  request.on('close', cutOff);
  request.on('error', cutOff);
}

const nothing = new Uint8Array(0);

function unpack(
  packed: Uint8Array,
  body: Body,
  limitBytes: number,
  end: (failure: BodyFailure | null, bytes?: Uint8Array) => void,
): void {
  if (packed.length <= unpackAtOnceBytes) {
    let bytes: Uint8Array;
    try {
      bytes = gunzipSync(packed, { maxOutputLength: limitBytes });
    } catch (error) {
      end((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'bad-gzip');
      return;
    }
    body.take(bytes.length) ? end(null, bytes) : end('busy');
    return;
  }
  const gunzip = createGunzip({ chunkSize: 256 * 1024, finishFlush: constants.Z_FINISH });
  const chunks: Buffer[] = [];
  let unpackedBytes = 0;
  let over = false;
  const stop = (failure: BodyFailure): void => {
    over = true;
    gunzip.destroy();
    end(failure);
  };
  gunzip.on('data', (chunk: Buffer) => {
    if (over) return;
    unpackedBytes += chunk.length;
    if (unpackedBytes > limitBytes) return stop('too-large');
    if (!body.take(chunk.length)) return stop('busy');
    chunks.push(chunk);
  });
  gunzip.on('end', () => {
    if (!over) end(null, chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, unpackedBytes));
  });
  gunzip.on('error', () => stop('bad-gzip'));
  gunzip.end(packed);
}
