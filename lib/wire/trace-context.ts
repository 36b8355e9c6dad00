import { hexWords } from './json-check.ts';

export interface TraceContext {
  traceHi: bigint;
  traceLo: bigint;
  spanId: bigint;
  sampled: boolean;
}

/**
 * W3C Trace Context level 2, section 3.2: `00-{32 hex}-{16 hex}-{2 hex}`, lower case only. Version ff is forbidden; a later version is
 * read by its first 55 characters if it goes on with a dash (section 3.2.4). null for anything else: a broken header is no header.
 */
export function parseTraceparent(text: string): TraceContext | null {
  if (text.length < 55 || text.charCodeAt(2) !== dash || text.charCodeAt(35) !== dash || text.charCodeAt(52) !== dash)
    return null;
  const version = lowerHexByte(text, 0);
  if (version < 0 || version === 0xff) return null;
  if (text.length > 55 && (version === 0 || text.charCodeAt(55) !== dash)) return null;
  const flags = lowerHexByte(text, 53);
  if (flags < 0 || upperCase.test(text.slice(0, 55))) return null;
  if (!hexWords(text.slice(3, 35), words, 0, 4) || !hexWords(text.slice(36, 52), words, 4, 2)) return null;
  if ((words[0]! | words[1]! | words[2]! | words[3]!) === 0 || (words[4]! | words[5]!) === 0) return null;
  // two 32-bit words at a time; little-endian, so the lower one first
  halves[1] = words[0]!;
  halves[0] = words[1]!;
  const traceHi = whole[0]!;
  halves[1] = words[2]!;
  halves[0] = words[3]!;
  const traceLo = whole[0]!;
  halves[1] = words[4]!;
  halves[0] = words[5]!;
  return { traceHi, traceLo, spanId: whole[0]!, sampled: (flags & 1) === 1 };
}

const dash = 0x2d;
const upperCase = /[A-F]/;
const words = new Int32Array(6);
const whole = new BigUint64Array(1);
const halves = new Int32Array(whole.buffer);

function lowerHexByte(text: string, at: number): number {
  const digits = text.slice(at, at + 2);
  return /^[0-9a-f]{2}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}
