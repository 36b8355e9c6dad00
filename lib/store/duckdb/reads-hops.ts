import { type EpochMillis, epochMillisOf, minuteOf, nanosPerMilli } from '#lib/domain/units.ts';
import { ascending } from '../ascending.ts';
import { type CrossingSqlRow, crossingOf, millisOrNull } from '../crossing-row.ts';
import { addBucket, type FigureSums, figuresOf } from '../hop-figures.ts';
import { liveVerdictOf, type StateRow } from '../live-row.ts';
import type { CrossingRow, HopFigures, HopIdentity, HopMinute, HopWindow, Store } from '../store.ts';
import type { Appender } from './append.ts';
import { liveVerdictsSql } from './audit-live.ts';
import type { Database } from './database.ts';
import type { Dictionary } from './dictionary.ts';
import type { Known } from './known.ts';
import type { Session } from './session.ts';

type HopReads = Pick<
  Store,
  'hopWindows' | 'hopMinutes' | 'hop' | 'liveVerdicts' | 'hopLevels' | 'crossingsOfHop' | 'crossingsOfTrace'
>;

interface Means {
  db: Database;
  dictionary: Dictionary;
  appender: Pick<Appender, 'holds'>;
  known: Known;
}

export const hopReads = ({ db, dictionary, appender, known }: Means): HopReads => ({
  hopWindows: (fromMs, toMs, hop) =>
    // two statements that must see the same minutes
    db.snapshot(async (session) => {
      const minutes = wholeMinutes(fromMs, toMs);
      const rows = await session.all<WindowRow>(hop === undefined ? windowsSql('') : windowsSql('AND m.hop = $3'), [
        ...minutes,
        ...(hop === undefined ? [] : [hop]),
      ]);
      const windows = new Map<bigint, HopWindow>();
      for (const row of rows) windows.set(row.hop, { ...identityOf(row), ...figuresSince(row, dictionary) });
      await fillHistograms(session, minutes, hop, (of) => windows.get(of));
      return [...windows.values()];
    }),

  hopMinutes: (hop, fromMs, toMs) =>
    db.snapshot(async (session) => {
      const minutes = wholeMinutes(fromMs, toMs);
      const rows = await session.all<FiguresRow & { minute: number }>(minutesSql, [...minutes, hop]);
      const found = new Map<number, HopMinute>();
      for (const row of rows) found.set(row.minute, { minute: row.minute, ...figuresSince(row, dictionary) });
      await fillHistograms(session, minutes, hop, (_, minute) => found.get(minute));
      return [...found.values()];
    }),

  async hop(hop) {
    const [row] = await db.all<IdentityRow>('SELECT * FROM hops WHERE hop = $1 LIMIT 1', [hop]);
    return row ? identityOf(row) : null;
  },

  async liveVerdicts() {
    return (await db.all<StateRow & { budget_ns: bigint | null }>(liveVerdictsSql)).map(liveVerdictOf);
  },

  async hopLevels(fromMs, splitMs, toMs) {
    const nanosAt = (atMs: number) => BigInt(Math.floor(atMs)) * nanosPerMilli;
    const rows = await db.all<LevelRow>(levelsSql, [
      ...wholeMinutes(fromMs, toMs),
      nanosAt(fromMs),
      nanosAt(toMs),
      nanosAt(splitMs),
    ]);
    return rows.map((row) => ({
      hop: row.hop,
      newestMs: epochMillisOf(row.newest_ns),
      broker: dictionary.text(row.broker ?? 0),
      beforeMs: millisOrNull(row.before_ns),
      sinceMs: millisOrNull(row.since_ns),
    }));
  },

  async crossingsOfHop(hop, fromMs, toMs, order, limit) {
    const rows = await db.all<DuckDbCrossing & { caller_device_id: string; callee_device_id: string }>(
      `${crossingsSql} WHERE x.hop = $1 AND x.minute >= $2 AND x.minute < $3 ORDER BY ${crossingOrders[order]} LIMIT $4`,
      [hop, ...wholeMinutes(fromMs, toMs), limit],
    );
    return rows.map((row) => named(row, row.caller_device_id, row.callee_device_id, dictionary));
  },

  async crossingsOfTrace(traceHi, traceLo, trail) {
    // Two passes: an OR over both ends would read every column of every row group. A crossing lies in the minute of its caller's
    // start or arrival, so those of this trace's own calls are known; who called into it from another trace is looked for everywhere.
    const ofCaller = `SELECT ${crossingColumns} FROM crossings WHERE caller_trace_hi = $1 AND caller_trace_lo = $2`;
    const [calls, called] = await Promise.all([
      trail
        ? db.all<DuckDbCrossing>(`${ofCaller} AND minute BETWEEN $3 AND $4`, [
            traceHi,
            traceLo,
            minuteOf(trail.fromMs) - 1,
            minuteOf(trail.toMs) + 1,
          ])
        : db.all<DuckDbCrossing>(ofCaller, [traceHi, traceLo]),
      appender.holds.links ? calledFromElsewhere(db, traceHi, traceLo) : [],
    ]);
    const crossings = [...calls, ...called];
    const ids = await known.deviceIds(crossings.flatMap((row) => [row.caller_device, row.callee_device]));
    return crossings
      .sort(
        (a, b) => ascending(a.caller_start_ns, b.caller_start_ns) || ascending(a.callee_start_ns, b.callee_start_ns),
      )
      .map((row) => named(row, ids.get(row.caller_device) ?? '', ids.get(row.callee_device) ?? '', dictionary));
  },
});

/** Only a link ties a callee to a caller of another trace, and few traces have one. */
async function calledFromElsewhere(db: Database, traceHi: bigint, traceLo: bigint): Promise<DuckDbCrossing[]> {
  const links = await db.columns('SELECT 1::INTEGER FROM links WHERE trace_hi = $1 AND trace_lo = $2 LIMIT 1', [
    traceHi,
    traceLo,
  ]);
  if (links.rowCount === 0) return [];
  const ends = 'callee_trace_hi = $1 AND callee_trace_lo = $2 AND NOT (caller_trace_hi = $1 AND caller_trace_lo = $2)';
  const found = await db.columns<[Int32Array]>(`SELECT minute FROM crossings WHERE ${ends}`, [traceHi, traceLo]);
  if (found.rowCount === 0) return [];
  let [first, last] = [found.values[0][0]!, found.values[0][0]!];
  for (const minute of found.values[0]) {
    first = Math.min(first, minute);
    last = Math.max(last, minute);
  }
  return db.all<DuckDbCrossing>(`SELECT ${crossingColumns} FROM crossings WHERE ${ends} AND minute BETWEEN $3 AND $4`, [
    traceHi,
    traceLo,
    first,
    last,
  ]);
}

/** [from, to) of minutes; a minute begun counts whole. */
const wholeMinutes = (fromMs: EpochMillis, toMs: EpochMillis): [number, number] => [
  minuteOf(fromMs),
  Math.ceil(toMs / 60_000),
];

const sums = `
  sum(m.count)::BIGINT AS count, sum(m.requests)::BIGINT AS requests, sum(m.errors)::BIGINT AS errors, sum(m.unanswered)::BIGINT AS unanswered,
  sum(m.sum_ms) AS sum_ms, max(m.max_ms) AS max_ms, max(m.bound_ms) AS bound_ms,
  sum(m.same_clock)::BIGINT AS same_clock, sum(m.round_trip)::BIGINT AS round_trip, sum(m.bounded)::BIGINT AS bounded,
  sum(m.assumed)::BIGINT AS assumed, sum(m.clock_wrong)::BIGINT AS clock_wrong, sum(m.overlap)::BIGINT AS overlap, coalesce(sum(m.contradiction), 0)::BIGINT AS contradiction,
  arg_max(m.floor_ms, m.minute) AS floor_ms, arg_max(m.direct_floor_ms, m.minute) AS direct_floor_ms, arg_max(m.broker, m.minute) AS broker,
  sum(m.passages)::BIGINT AS passages, max(m.uplink_bound_ms) AS uplink_bound_ms, max(m.downlink_bound_ms) AS downlink_bound_ms`;

const windowsSql = (only: string): string => `
  SELECT h.*, w.* EXCLUDE (hop)
  FROM (SELECT m.hop, ${sums} FROM hop_minutes m WHERE m.minute >= $1 AND m.minute < $2 ${only} GROUP BY m.hop) w
  JOIN hops h ON h.hop = w.hop ORDER BY h.hop`;

const minutesSql = `
  SELECT m.minute, ${sums} FROM hop_minutes m WHERE m.minute >= $1 AND m.minute < $2 AND m.hop = $3 GROUP BY m.minute ORDER BY m.minute`;

interface IdentityRow {
  hop: bigint;
  from_service: string;
  from_site: string;
  from_application: string;
  to_service: string;
  to_site: string;
  to_application: string;
  system: string;
  destination: string;
}

interface FiguresRow extends FigureSums {
  floor_ms: number | null;
  direct_floor_ms: number | null;
  broker: number | null;
}

type WindowRow = IdentityRow & FiguresRow;

const identityOf = (row: IdentityRow): HopIdentity => ({
  hop: row.hop,
  from: { service: row.from_service, site: row.from_site, application: row.from_application },
  to: { service: row.to_service, site: row.to_site, application: row.to_application },
  system: row.system,
  destination: row.destination,
});

const figuresSince = (row: FiguresRow, dictionary: Dictionary): HopFigures =>
  figuresOf(row, {
    floorMs: row.floor_ms ?? 0,
    directFloorMs: row.direct_floor_ms ?? 0,
    broker: dictionary.text(row.broker ?? 0),
  });

async function fillHistograms(
  session: Session,
  minutes: [number, number],
  hop: bigint | undefined,
  figures: (hop: bigint, minute: number) => HopFigures | undefined,
): Promise<void> {
  // One hop: per minute, the caller adds up what it wants. All hops: added up by the engine
  const sql =
    hop === undefined
      ? `SELECT hop, 0::INTEGER AS minute, kind, bucket, sum(count)::BIGINT AS count FROM hop_minute_buckets
         WHERE minute >= $1 AND minute < $2 GROUP BY hop, kind, bucket`
      : `SELECT hop, minute, kind, bucket, sum(count)::BIGINT AS count FROM hop_minute_buckets
         WHERE minute >= $1 AND minute < $2 AND hop = $3 GROUP BY hop, minute, kind, bucket`;
  const read = await session.columns<[BigUint64Array, Int32Array, Uint8Array, Int16Array, BigInt64Array]>(
    sql,
    hop === undefined ? minutes : [...minutes, hop],
  );
  const [hops, atMinutes, kinds, buckets, counts] = read.values;
  for (let i = 0; i < read.rowCount; i++)
    addBucket(figures(hops[i]!, atMinutes[i]!), kinds[i]!, buckets[i]!, Number(counts[i]!));
}

interface LevelRow {
  hop: bigint;
  newest_ns: bigint;
  broker: number | null;
  before_ns: bigint | null;
  since_ns: bigint | null;
}

/** $1, $2 minutes of $3 from, $4 to; $5 split */
const levelsSql = `
  SELECT hop, max(caller_start_ns) AS newest_ns, arg_max(broker, caller_start_ns) FILTER (broker <> 0) AS broker,
         quantile_disc(added_ns, 0.5) FILTER (caller_start_ns < $5) AS before_ns, quantile_disc(added_ns, 0.5) FILTER (caller_start_ns >= $5) AS since_ns
  FROM crossings WHERE minute >= $1 AND minute < $2 AND caller_start_ns >= $3 AND caller_start_ns < $4 AND callee_span <> 0
  GROUP BY hop ORDER BY hop`;

// ---- crossings

const crossingsSql = `
  SELECT x.*, coalesce(a.id, '') AS caller_device_id, coalesce(b.id, '') AS callee_device_id FROM crossings x
  LEFT JOIN devices a ON a.number = x.caller_device LEFT JOIN devices b ON b.number = x.callee_device`;

const crossingOrders = {
  newest: 'x.caller_start_ns DESC',
  slowest: 'x.added_ns DESC NULLS LAST, x.caller_start_ns DESC',
  fastest: 'x.added_ns ASC NULLS LAST, x.caller_start_ns DESC',
} as const;

const crossingColumns = `caller_trace_hi, caller_trace_lo, caller_span, callee_trace_hi, callee_trace_lo, callee_span, hop, message, linked, error,
  caller_device, callee_device, caller_start_ns, caller_duration_ns, callee_start_ns, callee_duration_ns, passage_ns, broker, raw_ns, added_ns,
  offset_ns, bound_ns, clock, floor_ns, direct_floor_ns, uplink_ns, uplink_bound_ns, downlink_ns, downlink_bound_ns, misplaced`;

type DuckDbCrossing = Omit<CrossingSqlRow<bigint, number>, 'broker'> & { broker: number | null };

/** Devices and broker stand in the table as numbers. */
const named = (row: DuckDbCrossing, callerDevice: string, calleeDevice: string, dictionary: Dictionary): CrossingRow =>
  crossingOf(
    { ...row, caller_device: callerDevice, callee_device: calleeDevice, broker: dictionary.text(row.broker ?? 0) },
    (id) => id,
  );
