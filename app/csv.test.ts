import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { csvOf } from './_csv.ts';

const row = z.object({
  name: z.string(),
  addedMs: z.object({ p50: z.number().nullable() }),
  legs: z.object({ uplink: z.number() }).nullable(),
  paths: z.array(z.string()),
  ok: z.boolean(),
  cpuSpark: z.object({ values: z.array(z.number()) }),
  points: z.array(z.number()),
});
const values = {
  name: 'a',
  addedMs: { p50: -1.5 },
  legs: null,
  paths: ['x', 'y'],
  ok: true,
  cpuSpark: { values: [1] },
  points: [1],
};

describe('CSV', () => {
  it('has its header even when there is no row', () => {
    expect(csvOf(row, [])).toBe('name,addedMs.p50,legs.uplink,paths,ok\r\n');
  });

  it('ends rows with CR LF, leaves unknown empty, and keeps a negative number a number', () => {
    expect(csvOf(row, [values])).toBe('name,addedMs.p50,legs.uplink,paths,ok\r\na,-1.5,,x; y,true\r\n');
  });

  it.each([
    ['=HYPERLINK("http://evil")', `"'=HYPERLINK(""http://evil"")"`],
    ['+1+1', "'+1+1"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['\rx', `"'\rx"`],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
  ])('disarms and quotes %j', (name, cell) => {
    expect(
      csvOf(row, [{ ...values, name }])
        .split('\r\n')
        .slice(1)
        .join('\r\n')
        .startsWith(`${cell},`),
    ).toBe(true);
  });
});
