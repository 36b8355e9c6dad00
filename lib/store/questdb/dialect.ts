import type { EpochMillis } from '#lib/domain/units.ts';
import { leastLong } from './lines.ts';

/** Where this engine's words differ: ids, times, lists. */

/** The same 64 bits, read as signed. */
export const signed = (id: bigint): bigint => BigInt.asIntN(64, id);
/** ... and back. LONG keeps -2^63 for NULL, so NULL is the id it stands for. */
export const unsigned = (value: bigint | null): bigint => BigInt.asUintN(64, value ?? leastLong);

/** Low 16 bits of a trace id: random in every format of trace ids, and few enough for an index. */
export const bucketOf = (traceLo: bigint): string =>
  Number(traceLo & 0xffffn)
    .toString(16)
    .padStart(4, '0');

/** Designated times are microseconds. */
export const microsOf = (ms: EpochMillis): number => Math.floor(ms) * 1000;
export const microsOfMinute = (minute: number): number => minute * 60_000_000;
export const minuteOfMicros = (micros: bigint): number => Number(micros / 60_000_000n);

/** Ids as a list of literals: made of numbers alone, so nobody's text can be in it. */
export const listed = (ids: Iterable<bigint>): string => {
  const literals: string[] = [];
  for (const id of ids) literals.push(signed(id) === leastLong ? 'null' : String(signed(id)));
  return `(${literals.length > 0 ? literals.join(',') : 'null'})`;
};

/** `$from, $from+1, ...`: one for each text of a list. */
export const placeholders = (count: number, from: number): string =>
  Array.from({ length: count }, (_, i) => `$${from + i}`).join(', ');

/** Longer lists are asked in parts: a statement has room for about a megabyte. */
export const idsAtOnce = 4_000;
export function* parts<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
}
