import { expect, test } from 'vitest';
import { ByteTable } from './byte-table.ts';

const keys = (count: number): Uint8Array[] => {
  let state = 12_345;
  return Array.from({ length: count }, () => {
    const words = new Uint32Array(2);
    for (let i = 0; i < 2; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      words[i] = state ^ (state >>> 13);
    }
    return new Uint8Array(words.buffer);
  });
};
const entryOf = (table: ByteTable, bytes: Uint8Array) =>
  table.entryOf(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);

test('different bytes are different entries, also where their hashes are the same', { timeout: 30_000 }, () => {
  // of 300,000 random keys about ten pairs share a 32-bit hash
  const table = new ByteTable(400_000, 16 * 1024 * 1024);
  const all = keys(300_000);
  const entries = all.map((key) => entryOf(table, key));
  const taken = entries.filter((entry) => entry >= 0);
  expect(new Set(taken).size).toBe(taken.length);
  expect(taken.length).toBeGreaterThan(299_000);
  for (let i = 0; i < all.length; i += 101) expect(entryOf(table, all[i]!)).toBe(entries[i]);
});

test('a full table turns away what is new and still knows what it has', () => {
  const table = new ByteTable(100, 10_000);
  const all = keys(200);
  const entries = all.map((key) => entryOf(table, key));
  expect(table.size).toBeLessThanOrEqual(100);
  expect(table.overflowed).toBe(true);
  all.forEach((key, i) => {
    expect(entryOf(table, key)).toBe(entries[i]);
  });
  table.clear();
  expect(table.overflowed).toBe(false);
  expect(entryOf(table, all[150]!)).toBe(0);
  expect(new ByteTable(100, 4).entryOf(all[0]!, new DataView(all[0]!.buffer), 0, 8)).toBe(-1);
});
