import type { Judged } from '../audit-pair.ts';
import { emptySums, none, OpenMinutes, type Sums } from '../minute-sums.ts';
import { goneRow, type StoredCrossing, storedCrossings } from './audit-crossings.ts';
import { markLive } from './audit-live.ts';
import type { Turn } from './audit-turn.ts';
import { listed, microsOfMinute, signed, unsigned } from './dialect.ts';

const minutesAtOnce = 20_000;

/** Recomputes dirty (hop, minute)s: those that only gained crossings out of what is kept of them, all others out of their crossings. */
export async function writeMinutes(turn: Turn): Promise<{ minutes: number; crossings: number }> {
  const { book } = turn;
  const { minutes } = turn.kept;
  const dirty = book.own<{ hop: bigint; minute: number }>(
    'SELECT hop, minute FROM dirty ORDER BY minute DESC LIMIT ?',
    minutesAtOnce,
  );
  const hopsOf = new Map<number, bigint[]>();
  for (const { hop, minute } of dirty) {
    const hops = hopsOf.get(minute);
    if (hops) hops.push(unsigned(hop));
    else hopsOf.set(minute, [unsigned(hop)]);
  }
  let crossings = 0;
  for (const [minute, hops] of hopsOf) {
    const before = await standing(turn, minute, hops);
    const sumsOf = new Map(hops.flatMap((hop) => minutes.get({ hop, minute }) ?? []).map((sums) => [sums.hop, sums]));
    const others = hops.filter((hop) => !sumsOf.has(hop));
    const computed = await computeMinute(turn, minute, others);
    crossings += computed.crossings;
    const vanished = await bucketsOf(turn, minute, others);
    const keeps = minutes.opens(minute);
    for (const sums of computed.sums.values()) {
      sumsOf.set(sums.hop, sums);
      if (keeps && sums.count + sums.unanswered > 0) minutes.put(sums);
    }
    const turned: bigint[] = [];
    for (const hop of hops) {
      const sums = sumsOf.get(hop)!;
      putSums(turn, sums, before.has(hop), vanished.get(hop) ?? []);
      if ((before.get(hop) ?? 0) > 0 !== sums.count > 0) turned.push(hop);
    }
    for (const hop of turned) book.run('INSERT OR IGNORE INTO heard (hop, minute) VALUES (?, ?)', signed(hop), minute);
    markLive(turn, minute, hops);
    for (const hop of hops) book.run('DELETE FROM dirty WHERE hop = ? AND minute = ?', signed(hop), minute);
  }
  return { minutes: dirty.length, crossings };
}

/** Crossings counted so far, of those that have a row. */
async function standing(turn: Turn, minute: number, hops: readonly bigint[]): Promise<Map<bigint, number>> {
  const rows = await turn.rows<[bigint | null, bigint]>(
    'hop_minutes',
    (table) => `SELECT hop, "count" FROM ${table} WHERE ts = $1 AND NOT gone AND hop IN ${listed(hops)}`,
    [microsOfMinute(minute)],
  );
  return new Map(rows.map(([hop, n]) => [unsigned(hop), Number(n)]));
}

type Bucket = { kind: number; bucket: number };

async function bucketsOf(turn: Turn, minute: number, hops: readonly bigint[]): Promise<Map<bigint, Bucket[]>> {
  const found = new Map<bigint, Bucket[]>();
  if (hops.length === 0) return found;
  const rows = await turn.rows<[bigint | null, number, number]>(
    'hop_minute_buckets',
    (table) => `SELECT hop, kind, bucket FROM ${table} WHERE ts = $1 AND "count" > 0 AND hop IN ${listed(hops)}`,
    [microsOfMinute(minute)],
  );
  for (const [hop, kind, bucket] of rows) {
    const buckets = found.get(unsigned(hop));
    if (buckets) buckets.push({ kind, bucket });
    else found.set(unsigned(hop), [{ kind, bucket }]);
  }
  return found;
}

async function computeMinute(
  turn: Turn,
  minute: number,
  hops: readonly bigint[],
): Promise<{ sums: Map<bigint, Sums>; crossings: number }> {
  const sums = new Map(hops.map((hop) => [hop, emptySums({ hop, minute })]));
  if (hops.length === 0) return { sums, crossings: 0 };
  const at = microsOfMinute(minute);
  const rows = await storedCrossings(turn, `ts = $1 AND hop IN ${listed(hops)}`, [at]);
  const adding = new OpenMinutes();
  const callers = new Map<string, number>();
  for (const row of rows) {
    const name = `${row.caller_trace_lo} ${row.caller_span}`;
    const caller = callers.get(name) ?? callers.size;
    callers.set(name, caller);
    adding.add(sums.get(unsigned(row.hop))!, judgedOf(turn, row, minute, caller));
  }
  for (const of of sums.values()) of.callers.clear();
  const missed = await turn.rows<[bigint | null, bigint]>(
    'unanswered',
    (table) => `SELECT hop, count() FROM ${table} WHERE ts = $1 AND NOT gone AND hop IN ${listed(hops)} GROUP BY hop`,
    [at],
  );
  for (const [hop, n] of missed) sums.get(unsigned(hop))!.unanswered = Number(n);
  return { sums, crossings: rows.length };
}

const orNaN = (nanos: bigint | null): number => (nanos === null ? Number.NaN : Number(nanos));

const judgedOf = (turn: Turn, row: StoredCrossing, minute: number, caller: number): Judged => ({
  clock: row.clock,
  raw: Number(row.raw_ns),
  added: orNaN(row.added_ns),
  offset: orNaN(row.offset_ns),
  bound: orNaN(row.bound_ns),
  uplink: orNaN(row.uplink_ns),
  uplinkBound: orNaN(row.uplink_bound_ns),
  downlink: orNaN(row.downlink_ns),
  downlinkBound: orNaN(row.downlink_bound_ns),
  misplaced: row.misplaced,
  grains: row.grains,
  error: row.error,
  message: row.message,
  passed: row.passage_ns !== null,
  broker: turn.kept.texts.of(row.broker),
  hop: unsigned(row.hop),
  minute,
  floor: row.misplaced ? 0 : Number(row.floor_ns),
  directFloor: row.misplaced ? 0 : Number(row.direct_floor_ns),
  caller,
});

/** Replaces a minute's row and buckets. */
function putSums(turn: Turn, sums: Sums, stood: boolean, before: readonly Bucket[]): void {
  const { hop, minute, buckets, clocks } = sums;
  const at = microsOfMinute(minute);
  for (const [kind, of] of buckets.entries())
    for (const [bucket, n] of of) turn.put('hop_minute_buckets', at, [signed(hop), kind, bucket, n]);
  for (const { kind, bucket } of before)
    if (!buckets[kind]!.has(bucket)) turn.put('hop_minute_buckets', at, [signed(hop), kind, bucket, 0]);
  if (sums.count + sums.unanswered === 0) {
    if (stood) turn.put('hop_minutes', at, goneRow('hop_minutes', [signed(hop)], 'hop'));
    return;
  }
  const ms = (nanos: number): number | null => (nanos === none ? null : nanos / 1e6);
  turn.put('hop_minutes', at, [
    turn.kept.texts.name(sums.broker),
    signed(hop),
    sums.count,
    sums.requests,
    sums.errors,
    sums.unanswered,
    sums.sumNs / 1e6,
    ms(sums.maxNs),
    ms(sums.boundNs),
    clocks[1]!,
    clocks[2]!,
    clocks[3]!,
    clocks[4]!,
    clocks[5]!,
    clocks[6]!,
    clocks[7]!,
    sums.floorNs / 1e6,
    sums.directFloorNs / 1e6,
    sums.passages,
    ms(sums.uplinkBoundNs),
    ms(sums.downlinkBoundNs),
    false,
  ]);
}
