import { leastBudgetMs } from '#lib/domain/budget.ts';
import type { LiveState, Slice } from '#lib/domain/live-verdict.ts';
import type { HopBudget, HopState, HopStates } from '../audit-store.ts';
import { type StateRow, stateOf } from '../live-row.ts';
import type { HopMinute } from '../minute-sums.ts';
import { listed } from './audit-sql.ts';
import type { Tx } from './session.ts';

/**
 * Ten-second slices of hops against their budgets, recomputed whole minutes at a time from the crossings, never added to; and the
 * verdicts that lib/domain/live-verdict.ts folds out of them. What is to be recomputed is kept in audit_live.
 */

/** Nobody's rule: 50 ms, or twice the floor where that is more (lib/domain/budget.ts). */
const budget = `coalesce(b.budget_ns, greatest(${leastBudgetMs * 1e6}, 2 * x.floor_ns))`;
const overFloor = `x.floor_ns > ${budget}`;

/**
 * Of a server that worked on after its answer nothing is measured. A floor over the budget is over, whatever the clocks say; without a bound
 * a crossing is neither over nor within. $1 minute, $2 hops; $3, $4 budgets by hop ('' = nobody's rule)
 */
const insertSlices = `INSERT INTO hop_slices
  SELECT hop, slice::INTEGER, $1::INTEGER, sum(measured)::INTEGER, sum(over_budget)::INTEGER, sum(within_budget)::INTEGER, sum(floor_over)::INTEGER, sum(unanswered)::INTEGER
  FROM (
    SELECT x.hop, CASE WHEN x.caller_start_ns // 60000000000 = $1 THEN x.caller_start_ns // 10000000000 ELSE $1 * 6 END AS slice,
           CASE WHEN x.clock = 6 THEN 0 ELSE 1 END AS measured,
           CASE WHEN x.clock <> 6 AND (${overFloor} OR coalesce(x.added_ns - x.bound_ns > ${budget}, false)) THEN 1 ELSE 0 END AS over_budget,
           CASE WHEN x.clock <> 6 AND NOT ${overFloor} AND coalesce(x.added_ns + x.bound_ns <= ${budget}, false) THEN 1 ELSE 0 END AS within_budget,
           CASE WHEN x.clock <> 6 AND ${overFloor} THEN 1 ELSE 0 END AS floor_over,
           0 AS unanswered
    FROM crossings x
    LEFT JOIN (SELECT unnest(string_split($3, ',')::UBIGINT[]) AS hop, unnest(list_transform(string_split($4, ','), lambda t: nullif(t, '')::BIGINT)) AS budget_ns) b
      ON b.hop = x.hop
    WHERE x.minute = $1 AND x.hop IN ${listed('$2')}
    UNION ALL
    SELECT hop, coalesce(slice, minute * 6), 0, 0, 0, 0, 1 FROM unanswered WHERE minute = $1 AND hop IN ${listed('$2')})
  GROUP BY hop, slice`;

/** Hops whose budget is another than the one their slices were made with: all their minutes are made again. */
export async function applyBudgets(tx: Tx, budgets: readonly HopBudget[], sinceMinute: number): Promise<void> {
  const before = new Map(
    (await tx.all<{ hop: bigint; budget_ns: bigint | null }>('SELECT hop, budget_ns FROM live_budgets')).map((row) => [
      row.hop,
      row.budget_ns,
    ]),
  );
  const changed = budgets.filter(({ hop, budgetNanos }) => before.get(hop) !== budgetNanos);
  if (changed.length === 0) return;
  const known = changed.filter(({ hop }) => before.has(hop));
  if (known.length > 0) {
    await tx.run(
      `INSERT INTO audit_live SELECT DISTINCT hop, minute FROM hop_slices WHERE minute >= $1 AND hop IN ${listed('$2')}`,
      [sinceMinute, known.map(({ hop }) => hop).join(',')],
    );
    await tx.run(`DELETE FROM live_budgets WHERE hop IN ${listed('$1')}`, [known.map(({ hop }) => hop).join(',')]);
  }
  await tx.append('live_budgets', changed.length, [
    BigUint64Array.from(changed, ({ hop }) => hop),
    changed.map(({ budgetNanos }) => budgetNanos),
  ]);
  tx.flush();
}

export async function writeSlices(
  tx: Tx,
  sinceMinute: number,
  budgetOf: (hop: bigint) => bigint | null,
): Promise<HopMinute[]> {
  const dirty = await tx.columns<[BigUint64Array, Int32Array]>(
    'SELECT DISTINCT hop, minute FROM audit_live WHERE minute >= $1',
    [sinceMinute],
  );
  const hopsOf = new Map<number, bigint[]>();
  const found: HopMinute[] = [];
  for (let i = 0; i < dirty.rowCount; i++) {
    const [hop, minute] = [dirty.values[0][i]!, dirty.values[1][i]!];
    found.push({ hop, minute });
    const hops = hopsOf.get(minute);
    if (hops) hops.push(hop);
    else hopsOf.set(minute, [hop]);
  }
  for (const [minute, hops] of hopsOf) {
    const list = hops.join(',');
    await tx.run(`DELETE FROM hop_slices WHERE minute = $1 AND hop IN ${listed('$2')}`, [minute, list]);
    await tx.run(insertSlices, [minute, list, list, hops.map((hop) => budgetOf(hop) ?? '').join(',')]);
  }
  await tx.run('DELETE FROM audit_live');
  return found;
}

export async function markLive(tx: Tx, minute: number, hops: readonly bigint[]): Promise<void> {
  await tx.append('audit_live', hops.length, [BigUint64Array.from(hops), minute]);
}

/** By hop, each ascending. */
export async function slicesOf(tx: Tx, hops: readonly bigint[], fromSlice: number): Promise<Map<bigint, Slice[]>> {
  const read = await tx.columns<[BigUint64Array, ...Int32Array[]]>(
    `SELECT hop, slice, sum(measured)::INTEGER, sum(over_budget)::INTEGER, sum(within_budget)::INTEGER, sum(floor_over)::INTEGER, sum(unanswered)::INTEGER
     FROM hop_slices WHERE minute >= $1 AND slice >= $2 AND hop IN ${listed('$3')} GROUP BY hop, slice ORDER BY hop, slice`,
    [Math.floor(fromSlice / 6), fromSlice, hops.join(',')],
  );
  const [of, slice, measured, over, within, floorOver, unanswered] = read.values as [BigUint64Array, ...Int32Array[]];
  const found = new Map<bigint, Slice[]>();
  for (let i = 0; i < read.rowCount; i++) {
    const slices = found.get(of[i]!);
    const one = {
      slice: slice![i]!,
      measured: measured![i]!,
      over: over![i]!,
      within: within![i]!,
      floorOver: floorOver![i]!,
      unanswered: unanswered![i]!,
    };
    if (slices) slices.push(one);
    else found.set(of[i]!, [one]);
  }
  return found;
}

/** The states of these hops that began at `fromSlice` or later, and the last one before it. By hop, oldest first. */
export async function statesOf(tx: Tx, hops: readonly bigint[], fromSlice: number): Promise<HopStates> {
  const rows = await tx.all<StateRow>(
    `SELECT * FROM hop_verdicts WHERE hop IN ${listed('$1')}
       AND (from_slice >= $2 OR (hop, from_slice) IN (SELECT (hop, max(from_slice)) FROM hop_verdicts WHERE from_slice < $2 GROUP BY hop))
     ORDER BY hop, from_slice`,
    [hops.join(','), fromSlice],
  );
  const found: HopStates = new Map();
  for (const row of rows) {
    const states = found.get(row.hop);
    if (states) states.push(stateOf(row));
    else found.set(row.hop, [stateOf(row)]);
  }
  return found;
}

export async function lastStates(tx: Tx): Promise<HopState[]> {
  const rows = await tx.all<StateRow>(lastStatesSql);
  return rows.map((row) => ({ hop: row.hop, state: stateOf(row) }));
}

export const lastStatesSql =
  'SELECT * FROM hop_verdicts WHERE (hop, from_slice) IN (SELECT (hop, max(from_slice)) FROM hop_verdicts GROUP BY hop)';

/** The same, with the budget that each was judged by. */
export const liveVerdictsSql = `
  SELECT v.*, b.budget_ns FROM (${lastStatesSql}) v LEFT JOIN live_budgets b ON b.hop = v.hop`;

export async function replaceStates(
  tx: Tx,
  hop: bigint,
  fromSlice: number,
  states: readonly LiveState[],
): Promise<void> {
  await tx.run('DELETE FROM hop_verdicts WHERE hop = $1 AND from_slice >= $2', [hop, fromSlice]);
  for (const { from, verdict, overSince, unansweredSince } of states)
    await tx.run('INSERT INTO hop_verdicts VALUES ($1, $2, $3, $4, $5)', [
      hop,
      from,
      verdict,
      overSince,
      unansweredSince,
    ]);
}
