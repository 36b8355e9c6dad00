import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTraceparent } from './trace-context.ts';

const id = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';

test('a traceparent of today', () => {
  expect(parseTraceparent(`00-${id}-${parent}-01`)).toEqual({
    traceHi: 0x0af7651916cd43ddn,
    traceLo: 0x8448eb211c80319cn,
    spanId: 0xb7ad6b7169203331n,
    sampled: true,
  });
  expect(parseTraceparent(`00-${id}-${parent}-00`)?.sampled).toBe(false);
  // level 2: the random flag and bits to come
  expect(parseTraceparent(`00-${id}-${parent}-03`)?.sampled).toBe(true);
  expect(parseTraceparent(`00-${id}-${parent}-fe`)?.sampled).toBe(false);
});

test('a later version is read by its first 55 characters', () => {
  expect(parseTraceparent(`01-${id}-${parent}-01`)?.sampled).toBe(true);
  expect(parseTraceparent(`cc-${id}-${parent}-01-what-comes`)?.spanId).toBe(0xb7ad6b7169203331n);
  expect(parseTraceparent(`cc-${id}-${parent}-01.what`)).toBeNull();
});

test.each([
  ['version ff', `ff-${id}-${parent}-01`],
  ['version 00 with more', `00-${id}-${parent}-01-x`],
  ['a zero trace id', `00-${'0'.repeat(32)}-${parent}-01`],
  ['a zero parent id', `00-${id}-${'0'.repeat(16)}-01`],
  ['upper case', `00-${id.toUpperCase()}-${parent}-01`],
  ['upper case flags', `00-${id}-${parent}-0A`],
  ['upper case version', `0A-${id}-${parent}-01`],
  ['no hex', `00-${id.replace('a', 'g')}-${parent}-01`],
  ['no dashes', `00_${id}_${parent}_01`],
  ['a space', ` 00-${id}-${parent}-01`],
  ['too short', `00-${id}-${parent}-0`],
  ['nothing', ''],
])('refused: %s', (_what, text) => {
  expect(parseTraceparent(text)).toBeNull();
});

test('any text is read or refused', () => {
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => parseTraceparent(text) === null || text.length >= 55));
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (hi, lo) => {
      const hex = (n: bigint) => n.toString(16).padStart(16, '0');
      expect(parseTraceparent(`00-${hex(hi)}${hex(lo)}-${hex(hi)}-01`)).toEqual({
        traceHi: hi,
        traceLo: lo,
        spanId: hi,
        sampled: true,
      });
    }),
  );
});
