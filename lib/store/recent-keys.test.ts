import { expect, it } from 'vitest';
import { RecentKeys } from './recent-keys.ts';

const add = (keys: RecentKeys, n: number): boolean => keys.add(n, 0, 7, 0, n ^ 0x5bd1e995, 1);

it('knows the last `capacity` keys, whatever came before them', () => {
  const keys = new RecentKeys(1000);
  for (let n = 0; n < 5_000; n++) expect(add(keys, n)).toBe(true);
  for (let n = 4_000; n < 5_000; n++) expect(add(keys, n)).toBe(false);
});

it('stays bounded', () => {
  const keys = new RecentKeys(1000);
  for (let n = 0; n < 100_000; n++) add(keys, n);
  expect(keys.size).toBeLessThanOrEqual(1500);
});

it('takes back what was added since begin, and nothing else', () => {
  const keys = new RecentKeys(1000);
  for (let n = 0; n < 400; n++) add(keys, n);
  keys.begin();
  for (let n = 400; n < 700; n++) add(keys, n); // crosses into a new generation
  keys.rollback();
  for (let n = 0; n < 400; n++) expect(add(keys, n)).toBe(false);
  for (let n = 400; n < 700; n++) expect(add(keys, n)).toBe(true);
});

it('takes back a transaction larger than all it can hold', () => {
  const keys = new RecentKeys(100);
  keys.begin();
  for (let n = 0; n < 1_000; n++) add(keys, n);
  keys.rollback();
  expect(keys.size).toBe(0);
  for (let n = 0; n < 50; n++) expect(add(keys, n)).toBe(true);
});

it('tells close keys apart', () => {
  const keys = new RecentKeys(300_000);
  for (let n = 0; n < 300_000; n++) expect(keys.add(0, 0, 0, 0, 0, n)).toBe(true);
});
