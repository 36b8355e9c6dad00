import { leastBudgetMs } from '#lib/domain/budget.ts';
import type { LiveState, Slice } from '#lib/domain/live-verdict.ts';
import type { HopBudget, HopState, HopStates } from '../audit-store.ts';
import { type StateRow, stateOf } from '../live-row.ts';
import type { HopMinute } from '../minute-sums.ts';
import type { Turn } from './audit-turn.ts';
import { listed, microsOfMinute, minuteOfMicros, signed, unsigned } from './dialect.ts';

/**
 * Ten-second slices of hops against their budgets, recomputed whole minutes at a time from the crossings, never added to; and the
 * verdicts that lib/domain/live-verdict.ts folds out of them. Both are in the audit's book: small, and replaced all the time.
 */

/** Hops whose budget is another than the one their slices were made with: all their minutes are made again. */
export function applyBudgets({ book }: Turn, budgets: readonly HopBudget[], sinceMinute: number): void {
  const before = new Map(
    book
      .own<{ hop: bigint; budget_ns: bigint | null }>('SELECT hop, budget_ns FROM budgets')
      .map((row) => [unsigned(row.hop), row.budget_ns]),
  );
  for (const { hop, budgetNanos } of budgets) {
    if (before.has(hop) && before.get(hop) === budgetNanos) continue;
    if (before.has(hop))
      book.run(
        'INSERT OR IGNORE INTO live SELECT DISTINCT hop, minute FROM slices WHERE hop = ? AND minute >= ?',
        signed(hop),
        sinceMinute,
      );
    book.run('INSERT OR REPLACE INTO budgets VALUES (?, ?)', signed(hop), budgetNanos);
  }
}

export function markLive({ book }: Turn, minute: number, hops: readonly bigint[]): void {
  for (const hop of hops) book.run('INSERT OR IGNORE INTO live VALUES (?, ?)', signed(hop), minute);
}

export async function writeSlices(
  turn: Turn,
  sinceMinute: number,
  budgetOf: (hop: bigint) => bigint | null,
): Promise<HopMinute[]> {
  const { book } = turn;
  const found = book
    .own<{ hop: bigint; minute: number }>('SELECT hop, minute FROM live WHERE minute >= ?', sinceMinute)
    .map(({ hop, minute }) => ({ hop: unsigned(hop), minute }));
  const hopsOf = new Map<number, bigint[]>();
  for (const { hop, minute } of found) hopsOf.set(minute, [...(hopsOf.get(minute) ?? []), hop]);
  for (const [minute, hops] of hopsOf) {
    for (const hop of hops) book.run('DELETE FROM slices WHERE hop = ? AND minute = ?', signed(hop), minute);
    for (const { hop, slice, measured, over, within, floorOver, unanswered } of await slicesOfMinute(
      turn,
      minute,
      hops,
      budgetOf,
    ))
      book.run(
        'INSERT INTO slices VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        signed(hop),
        slice,
        minute,
        measured,
        over,
        within,
        floorOver,
        unanswered,
      );
  }
  book.run('DELETE FROM live');
  return found;
}

/**
 * Of a server that worked on after its answer nothing is measured. A floor over the budget is over, whatever the clocks say; without a bound
 * a crossing is neither over nor within.
 */
async function slicesOfMinute(
  turn: Turn,
  minute: number,
  hops: readonly bigint[],
  budgetOf: (hop: bigint) => bigint | null,
): Promise<(Slice & { hop: bigint })[]> {
  const slices = new Map<string, Slice & { hop: bigint }>();
  const sliceOf = (hop: bigint, slice: number): Slice => {
    const known = slices.get(`${hop} ${slice}`);
    if (known) return known;
    const made = { hop, slice, measured: 0, over: 0, within: 0, floorOver: 0, unanswered: 0 };
    slices.set(`${hop} ${slice}`, made);
    return made;
  };
  const at = microsOfMinute(minute);
  const crossings = await turn.rows<[bigint | null, bigint, number, bigint | null, bigint | null, bigint]>(
    'crossings',
    (table) =>
      `SELECT hop, caller_start_ns, clock, added_ns, bound_ns, floor_ns FROM ${table} WHERE ts = $1 AND NOT gone AND hop IN ${listed(hops)}`,
    [at],
  );
  for (const [ofHop, startNs, clock, added, bound, floor] of crossings) {
    const hop = unsigned(ofHop);
    const slice = sliceOf(hop, minuteOfNanos(startNs) === minute ? Number(startNs / 10_000_000_000n) : minute * 6);
    if (clock === overlap) continue;
    const most = BigInt(leastBudgetMs * 1e6);
    const budget = budgetOf(hop) ?? (2n * floor > most ? 2n * floor : most);
    slice.measured++;
    if (floor > budget) slice.floorOver++;
    if (floor > budget || (added !== null && bound !== null && added - bound > budget)) slice.over++;
    else if (added !== null && bound !== null && added + bound <= budget) slice.within++;
  }
  const missed = await turn.rows<[bigint | null, number | null]>(
    'unanswered',
    (table) => `SELECT hop, slice FROM ${table} WHERE ts = $1 AND NOT gone AND hop IN ${listed(hops)}`,
    [at],
  );
  for (const [hop, slice] of missed) sliceOf(unsigned(hop), slice ?? minute * 6).unanswered++;
  return [...slices.values()];
}

const overlap = 6;
const minuteOfNanos = (nanos: bigint): number => minuteOfMicros(nanos / 1000n);

/** By hop, each ascending. */
export function slicesOf({ book }: Turn, hops: readonly bigint[], fromSlice: number): Map<bigint, Slice[]> {
  const found = new Map<bigint, Slice[]>();
  for (const hop of hops) {
    const rows = book.own<{
      slice: number;
      measured: number;
      over_budget: number;
      within_budget: number;
      floor_over: number;
      unanswered: number;
    }>(
      `SELECT slice, sum(measured) AS measured, sum(over_budget) AS over_budget, sum(within_budget) AS within_budget,
         sum(floor_over) AS floor_over, sum(unanswered) AS unanswered
       FROM slices WHERE hop = ? AND minute >= ? AND slice >= ? GROUP BY slice ORDER BY slice`,
      signed(hop),
      Math.floor(fromSlice / 6),
      fromSlice,
    );
    if (rows.length > 0)
      found.set(
        hop,
        rows.map((row) => ({
          slice: row.slice,
          measured: row.measured,
          over: row.over_budget,
          within: row.within_budget,
          floorOver: row.floor_over,
          unanswered: row.unanswered,
        })),
      );
  }
  return found;
}

export function heardSince({ book }: Turn, slice: number): { hop: bigint; slice: number }[] {
  return book
    .own<{ hop: bigint; slice: number }>(
      'SELECT hop, max(slice) AS slice FROM slices WHERE minute >= ? AND slice >= ? GROUP BY hop',
      Math.floor(slice / 6),
      slice,
    )
    .map((row) => ({ hop: unsigned(row.hop), slice: row.slice }));
}

// ---- verdicts

export const lastStatesSql = `SELECT * FROM hop_verdicts v
  WHERE from_slice = (SELECT max(l.from_slice) FROM hop_verdicts l WHERE l.hop = v.hop) ORDER BY hop`;

export const liveVerdictsSql = `SELECT v.*, b.budget_ns FROM (${lastStatesSql}) v LEFT JOIN budgets b ON b.hop = v.hop`;

/** The states of these hops that began at `fromSlice` or later, and the last one before it. Oldest first. */
export function statesOf({ book }: Turn, hops: readonly bigint[], fromSlice: number): HopStates {
  const found: HopStates = new Map();
  for (const hop of hops) {
    const rows = book.own<StateRow>(
      `SELECT * FROM hop_verdicts WHERE hop = ?1
         AND from_slice >= coalesce((SELECT max(from_slice) FROM hop_verdicts WHERE hop = ?1 AND from_slice < ?2), ?2) ORDER BY from_slice`,
      signed(hop),
      fromSlice,
    );
    if (rows.length > 0) found.set(hop, rows.map(stateOf));
  }
  return found;
}

export const lastStates = ({ book }: Turn): HopState[] =>
  book.own<StateRow>(lastStatesSql).map((row) => ({ hop: unsigned(row.hop), state: stateOf(row) }));

export function replaceStates({ book }: Turn, hop: bigint, fromSlice: number, states: readonly LiveState[]): void {
  book.run('DELETE FROM hop_verdicts WHERE hop = ? AND from_slice >= ?', signed(hop), fromSlice);
  for (const { from, verdict, overSince, unansweredSince } of states)
    book.run(
      'INSERT OR REPLACE INTO hop_verdicts VALUES (?, ?, ?, ?, ?)',
      signed(hop),
      from,
      verdict,
      overSince,
      unansweredSince,
    );
}
