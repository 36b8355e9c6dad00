import { MalformedError } from './malformed-error.ts';
import { textOf } from './utf8.ts';

/** JSON text -> value, nesting checked on the bytes first: V8 parses any depth, whoever walks it afterwards dies (S8). */
export function parseJson(body: Uint8Array, maxDepth: number): unknown {
  checkJsonDepth(body, maxDepth);
  try {
    return JSON.parse(textOf(body));
  } catch (cause) {
    throw new MalformedError(`json: found ${cause instanceof Error ? cause.message : 'no JSON'}, wanted a JSON document`, { cause });
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
      if (++depth > maxDepth) throw new MalformedError(`json: found values nested deeper than ${maxDepth}, wanted at most that`);
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
  value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : typeof value;

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
