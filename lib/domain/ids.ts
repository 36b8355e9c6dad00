/** Trace ids are kept as two 64-bit words, span ids as one: columns of words compare and join without strings. */
export interface TraceWords {
  hi: bigint;
  lo: bigint;
}

const hex16 = (word: bigint): string => word.toString(16).padStart(16, '0');

/** 32 lower-case hex digits (W3C Trace Context, trace-id). */
export const traceIdHex = (hi: bigint, lo: bigint): string => hex16(hi) + hex16(lo);
/** 16 lower-case hex digits (W3C Trace Context, parent-id). */
export const spanIdHex = (word: bigint): string => hex16(word);

/** Accepts 16 or 32 hex digits of any case, as links from other tools carry them; null for anything else. */
export function parseTraceId(text: string): TraceWords | null {
  if (!/^(?:[0-9a-fA-F]{16}|[0-9a-fA-F]{32})$/.test(text)) return null;
  const full = text.padStart(32, '0');
  return { hi: BigInt(`0x${full.slice(0, 16)}`), lo: BigInt(`0x${full.slice(16)}`) };
}

export function parseSpanId(text: string): bigint | null {
  return /^[0-9a-fA-F]{16}$/.test(text) ? BigInt(`0x${text}`) : null;
}

const fnvOffset = 0xcbf29ce484222325n;
const fnvPrime = 0x100000001b3n;

/**
 * A stable 64-bit name for a list of words: FNV-1a over UTF-8 with a separator no name contains.
 * Hop and path ids are made of it, so they hold over restarts and engines.
 */
export function hash64(...words: string[]): bigint {
  let hash = fnvOffset;
  for (const byte of new TextEncoder().encode(words.join('\u001f'))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * fnvPrime);
  }
  return hash;
}
