import { describe, expect, it, vi } from 'vitest';
import { inOrder, type Outcome, outcomeOf, scattered } from './fixtures/scattered.ts';

vi.setConfig({ testTimeout: 600_000 });

const long = process.env.HOPSCOPE_LONG === '1';
/** 25: a contradiction that was resolved by who had been heard first */
const seeds = long ? Array.from({ length: 40 }, (_, i) => i + 1) : [25];

/** The table that differs least, and its first row on either side. */
function smallestDifference(wanted: Outcome, found: Outcome): string | null {
  let least: { table: string; rows: number; text: string } | null = null;
  for (const table of Object.keys(wanted) as (keyof Outcome)[]) {
    const [inWanted, inFound] = [new Set(wanted[table]), new Set(found[table])];
    const missing = wanted[table].filter((row) => !inFound.has(row));
    const extra = found[table].filter((row) => !inWanted.has(row));
    const rows = missing.length + extra.length + Math.abs(wanted[table].length - found[table].length);
    if (rows === 0 || (least !== null && least.rows <= rows)) continue;
    least = {
      table,
      rows,
      text: `${table} (${missing.length} missing, ${extra.length} extra of ${wanted[table].length})\n  wanted ${missing[0]}\n  found  ${extra[0]}`,
    };
  }
  return least?.text ?? null;
}

describe('whatever the order, the copies and the delay', () => {
  it.each(seeds)('the same spans end in the same crossings, minutes, traces and verdicts (seed %i)', async (seed) => {
    const wanted = await outcomeOf(inOrder(seed));
    expect(wanted.crossings.length).toBeGreaterThan(200);
    expect(wanted.verdicts.length).toBeGreaterThan(2);
    const found = await outcomeOf(scattered(seed));
    const difference = smallestDifference(wanted, found);
    expect(difference === null ? null : `seed ${seed}: ${difference}`).toBeNull();
  });
});
