import { MalformedError } from './malformed-error.ts';
import { textOf } from './utf8.ts';

/** JSON text -> value, nesting checked on the bytes first: V8 parses any depth, whoever walks it afterwards dies (S8). */
export function parseJson(body: Uint8Array, maxDepth: number): unknown {
  checkJsonDepth(body, maxDepth);
  try {
    return JSON.parse(textOf(body));
  } catch (cause) {
    throw new MalformedError(
      `json: found ${cause instanceof Error ? cause.message : 'no JSON'}, wanted a JSON document`,
      { cause },
    );
  }
}

function checkJsonDepth(body: Uint8Array, maxDepth: number): void {
  let depth = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!;
    if (byte === quote) {
      // to the end of the string; brackets in it do not count
      for (i++; i < body.length && body[i] !== quote; i++) if (body[i] === backslash) i++;
    } else if (byte === openObject || byte === openList) {
      if (++depth > maxDepth)
        throw new MalformedError(`json: found values nested deeper than ${maxDepth}, wanted at most that`);
    } else if (byte === closeObject || byte === closeList) depth--;
  }
}

const quote = 0x22;
const backslash = 0x5c;
const openObject = 0x7b;
const closeObject = 0x7d;
const openList = 0x5b;
const closeList = 0x5d;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const found = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : typeof value === 'string'
        ? JSON.stringify(value.slice(0, 40))
        : typeof value;

/** '' when absent. */
export function jsonString(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  throw new MalformedError(`json: found ${found(value)}, wanted a string in ${what}`);
}

/** Enums are integers only in OTLP/JSON; absent is 0. */
export function jsonEnum(value: unknown, what: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw new MalformedError(`json: found ${found(value)}, wanted an integer in ${what}`);
}

/** A 64-bit integer: a string of digits, or a number. */
export function jsonBigInt(value: unknown, what: string): bigint {
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt.asIntN(64, BigInt(value));
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt.asIntN(64, BigInt(value));
  throw new MalformedError(`json: found ${found(value)}, wanted a 64-bit integer in ${what}`);
}

/** A double; protobuf JSON writes NaN and the infinities as strings, and lets numbers stand in quotes. */
export function jsonNumber(value: unknown, what: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string') {
    if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
    if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) return Number(value);
  }
  throw new MalformedError(`json: found ${found(value)}, wanted a number in ${what}`);
}

/** A list, [] when absent. */
export function jsonList(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  if (value === undefined || value === null) return [];
  throw new MalformedError(`json: found ${found(value)}, wanted a list in ${what}`);
}

/** An object of unknown keys. */
export function jsonRecord(value: unknown, what: string): Record<string, unknown> {
  if (isRecord(value)) return value;
  throw new MalformedError(`json: found ${found(value)}, wanted an object in ${what}`);
}

/**
 * An unsigned 64-bit integer as two halves, without a BigInt: digits are taken as a * 10^9 + b and multiplied out in 16-bit steps.
 * Absent is 0. The halves are signed, as Int32Array keeps them.
 */
export function jsonFixed64(value: unknown, what: string, into: Int32Array, hiAt: number, loAt: number): void {
  if (typeof value === 'string' && value.length <= 20 && /^\d+$/.test(value)) {
    const split = Math.max(0, value.length - 9);
    const a = split === 0 ? 0 : Number(value.slice(0, split));
    const b = Number(value.slice(split));
    const upper = Math.floor(a / 65_536) * 1e9;
    const carry = Math.floor(upper / 65_536);
    const low = (upper % 65_536) * 65_536 + (a % 65_536) * 1e9 + b;
    const hi = carry + Math.floor(low / 4_294_967_296);
    if (hi <= 0xffffffff) {
      into[hiAt] = hi;
      into[loAt] = low % 4_294_967_296;
      return;
    }
  } else if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 64) {
    into[hiAt] = Math.floor(value / 4_294_967_296);
    into[loAt] = value % 4_294_967_296;
    return;
  } else if (value === undefined || value === null) {
    into[hiAt] = 0;
    into[loAt] = 0;
    return;
  }
  throw new MalformedError(`json: found ${found(value)}, wanted an unsigned 64-bit integer in ${what}`);
}

/** Hex digits of any case -> big-endian 32-bit words; false when there are not exactly that many. */
export function hexWords(text: string, into: Int32Array, at: number, words: number): boolean {
  if (text.length !== words * 8) return false;
  for (let w = 0; w < words; w++) {
    let value = 0;
    for (let i = w * 8; i < w * 8 + 8; i++) {
      const code = text.charCodeAt(i);
      const digit =
        code >= 48 && code <= 57
          ? code - 48
          : code >= 97 && code <= 102
            ? code - 87
            : code >= 65 && code <= 70
              ? code - 55
              : -1;
      if (digit < 0) return false;
      value = (value << 4) | digit;
    }
    into[at + w] = value;
  }
  return true;
}
