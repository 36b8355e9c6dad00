import { type EpochMillis, epochMillisOf, minuteOf, nanosPerMilli } from '#lib/domain/units.ts';
import { ascending } from '../ascending.ts';
import { type CrossingSqlRow, crossingOf } from '../crossing-row.ts';
import { addBucket, figuresOf } from '../hop-figures.ts';
import { liveVerdictOf, type StateRow } from '../live-row.ts';
import type { HopFigures, HopIdentity, HopMinute, HopWindow, Store } from '../store.ts';
import type { AuditBook } from './audit-book.ts';
import { liveVerdictsSql } from './audit-live.ts';
import { bucketOf, microsOfMinute, minuteOfMicros, signed, unsigned } from './dialect.ts';
import type { Server } from './server.ts';

type HopReads = Pick<
  Store,
  'hopWindows' | 'hopMinutes' | 'hop' | 'liveVerdicts' | 'hopLevels' | 'crossingsOfHop' | 'crossingsOfTrace'
>;

export const hopReads = (server: Server, book: AuditBook): HopReads => ({
  async hopWindows(fromMs, toMs, hop) {
    const minutes = wholeMinutes(fromMs, toMs);
    const only = hop === undefined ? '' : 'AND hop = $3';
    const params = [...minutes, ...(hop === undefined ? [] : [signed(hop)])];
    const [sums, latest, identities] = await Promise.all([
      server.all<SumRow>(
        `SELECT hop, ${sumColumns} FROM ${server.table('hop_minutes')} WHERE ts >= $1 AND ts < $2 AND NOT gone ${only} GROUP BY hop`,
        params,
      ),
      server.all<LatestRow>(
        `SELECT hop, floor_ms, direct_floor_ms, broker FROM (
           SELECT ts, hop, floor_ms, direct_floor_ms, broker FROM ${server.table('hop_minutes')} WHERE ts >= $1 AND ts < $2 AND NOT gone ${only})
         LATEST ON ts PARTITION BY hop`,
        params,
      ),
      hop === undefined ? allHops(server) : oneHop(server, hop),
    ]);
    const floors = new Map(latest.map((row) => [row.hop, row]));
    const known = new Map(identities.map((identity) => [identity.hop, identity]));
    const windows = new Map<bigint, HopWindow>();
    for (const row of sums) {
      const identity = known.get(unsigned(row.hop));
      if (identity) windows.set(identity.hop, { ...identity, ...figuresSince(row, floors.get(row.hop)) });
    }
    await fillHistograms(server, minutes, hop, (of) => windows.get(of));
    return [...windows.values()].sort((a, b) => ascending(a.hop, b.hop));
  },

  async hopMinutes(hop, fromMs, toMs) {
    const minutes = wholeMinutes(fromMs, toMs);
    const rows = await server.all<SumRow & LatestRow & { at: bigint }>(
      `SELECT ts::long AS at, hop, ${oneColumns}, floor_ms, direct_floor_ms, broker FROM ${server.table('hop_minutes')}
       WHERE ts >= $1 AND ts < $2 AND hop = $3 AND NOT gone ORDER BY ts`,
      [...minutes, signed(hop)],
    );
    const found = new Map<number, HopMinute>();
    for (const row of rows) {
      const minute = minuteOfMicros(row.at);
      found.set(minute, { minute, ...figuresSince(row, row) });
    }
    await fillHistograms(server, minutes, hop, (_, minute) => found.get(minute));
    return [...found.values()];
  },

  async hop(hop) {
    return (await oneHop(server, hop))[0] ?? null;
  },

  async liveVerdicts() {
    return book
      .all<StateRow & { budget_ns: bigint | null }>(liveVerdictsSql)
      .map((row) => liveVerdictOf({ ...row, hop: unsigned(row.hop) }));
  },

  async hopLevels(fromMs, splitMs, toMs) {
    const nanosAt = (atMs: number) => BigInt(Math.floor(atMs)) * nanosPerMilli;
    const between = [...wholeMinutes(fromMs, toMs), nanosAt(fromMs), nanosAt(toMs)];
    const ofRange = `${server.table('crossings')} WHERE ts >= $1 AND ts < $2 AND caller_start_ns >= $3 AND caller_start_ns < $4 AND callee_span IS NOT NULL AND callee_span <> 0 AND NOT gone`;
    const [levels, brokers] = await Promise.all([
      server.all<LevelRow>(
        `SELECT hop, max(caller_start_ns) AS newest, ${median('caller_start_ns < $5')} AS before_ms, ${median('caller_start_ns >= $5')} AS since_ms
         FROM ${ofRange} GROUP BY hop`,
        [...between, nanosAt(splitMs)],
      ),
      server.all<{ hop: bigint | null; broker: string }>(
        `SELECT hop, broker FROM (SELECT ts, hop, broker FROM ${ofRange} AND broker IS NOT NULL) LATEST ON ts PARTITION BY hop`,
        between,
      ),
    ]);
    const brokerOf = new Map(brokers.map(({ hop, broker }) => [hop, broker]));
    return levels
      .map((row) => ({
        hop: unsigned(row.hop),
        newestMs: epochMillisOf(row.newest),
        broker: brokerOf.get(row.hop) ?? '',
        beforeMs: row.before_ms,
        sinceMs: row.since_ms,
      }))
      .sort((a, b) => ascending(a.hop, b.hop));
  },

  async crossingsOfHop(hop, fromMs, toMs, order, limit) {
    const [from, to] = wholeMinutes(fromMs, toMs);
    const ask = (where: string, orderBy: string, most: number) =>
      server.all<QuestDbCrossing>(
        `SELECT ${crossingColumns} FROM ${server.table('crossings')}
         WHERE ts >= $1 AND ts < $2 AND hop = $3 AND NOT gone ${where} ORDER BY ${orderBy}, caller_start_ns DESC LIMIT $4`,
        [from, to, signed(hop), most],
      );
    if (order === 'newest')
      return (await ask('', 'caller_start_ns DESC', limit)).map((row) => crossingOf(row, unsigned));
    // unmeasured ones last, whichever way: the engine would have NULL first
    const rows = await ask('AND added_ns IS NOT NULL', order === 'slowest' ? 'added_ns DESC' : 'added_ns', limit);
    if (rows.length < limit)
      rows.push(...(await ask('AND added_ns IS NULL', 'caller_start_ns DESC', limit - rows.length)));
    return rows.map((row) => crossingOf(row, unsigned));
  },

  async crossingsOfTrace(traceHi, traceLo) {
    const params = [bucketOf(traceLo), signed(traceLo), signed(traceHi)];
    const ends = (bucket: string, end: string) =>
      server.all<QuestDbCrossing>(
        `SELECT ${crossingColumns} FROM ${server.table('crossings')}
         WHERE ${bucket} = $1 AND ${end}_trace_lo = $2 AND ${end}_trace_hi = $3 AND NOT gone`,
        params,
      );
    const [calls, called] = await Promise.all([ends('bucket', 'caller'), ends('callee_bucket', 'callee')]);
    const elsewhere = called.filter((row) => row.caller_trace_lo !== params[1] || row.caller_trace_hi !== params[2]);
    return [...calls, ...elsewhere]
      .sort(
        (a, b) => ascending(a.caller_start_ns, b.caller_start_ns) || ascending(a.callee_start_ns, b.callee_start_ns),
      )
      .map((row) => crossingOf(row, unsigned));
  },
});

/** [from, to) of minutes, as designated times; a minute begun counts whole. */
export const wholeMinutes = (fromMs: EpochMillis, toMs: EpochMillis): [number, number] => [
  microsOfMinute(minuteOf(fromMs)),
  microsOfMinute(Math.ceil(toMs / 60_000)),
];

interface LevelRow {
  hop: bigint | null;
  newest: bigint;
  before_ms: number | null;
  since_ms: number | null;
}

/** To three digits; the engine's own medians are exact for nobody. Below zero it knows none, and nothing that has a figure takes less than nothing. */
const median = (which: string): string =>
  `approx_percentile(CASE WHEN ${which} AND added_ns >= 0 THEN added_ns / 1000000.0 ELSE NULL END, 0.5, 3)`;

const counts = [
  'count',
  'requests',
  'errors',
  'unanswered',
  'same_clock',
  'round_trip',
  'bounded',
  'assumed',
  'clock_wrong',
  'overlap',
  'contradiction',
  'passages',
] as const;
const highest = ['max_ms', 'bound_ms', 'uplink_bound_ms', 'downlink_bound_ms'] as const;
/** `count` is a word of the engine's */
const column = (name: string): string => (name === 'count' ? '"count"' : name);
const sumColumns = [
  ...counts.map((name) => `sum(${column(name)}) AS ${column(name)}`),
  ...highest.map((name) => `max(${name}) AS ${name}`),
  'sum(sum_ms) AS sum_ms',
].join(', ');
const oneColumns = [...counts, ...highest, 'sum_ms'].map(column).join(', ');

type SumRow = Record<(typeof counts)[number], bigint> &
  Record<(typeof highest)[number] | 'sum_ms', number | null> & { hop: bigint | null };
interface LatestRow {
  hop: bigint | null;
  floor_ms: number | null;
  direct_floor_ms: number | null;
  broker: string | null;
}

const figuresSince = (row: SumRow, latest: LatestRow | undefined): HopFigures =>
  figuresOf(row, {
    floorMs: latest?.floor_ms ?? 0,
    directFloorMs: latest?.direct_floor_ms ?? 0,
    broker: latest?.broker ?? '',
  });

async function fillHistograms(
  server: Server,
  minutes: [number, number],
  hop: bigint | undefined,
  figures: (hop: bigint, minute: number) => HopFigures | undefined,
): Promise<void> {
  // One hop: per minute, the caller adds up what it wants. All hops: added up by the engine
  const sql =
    hop === undefined
      ? `SELECT hop, 0L AS at, kind, bucket, sum("count") AS n FROM ${server.table('hop_minute_buckets')}
         WHERE ts >= $1 AND ts < $2 AND "count" > 0 GROUP BY hop, kind, bucket`
      : `SELECT hop, ts::long AS at, kind, bucket, "count" AS n FROM ${server.table('hop_minute_buckets')}
         WHERE ts >= $1 AND ts < $2 AND hop = $3 AND "count" > 0`;
  const rows = await server.arrays<[bigint | null, bigint, number, number, bigint]>(
    sql,
    hop === undefined ? minutes : [...minutes, signed(hop)],
  );
  for (const [of, at, kind, bucket, n] of rows)
    addBucket(figures(unsigned(of), minuteOfMicros(at)), kind, bucket, Number(n));
}

// ---- identities

export interface IdentityRow {
  hop: bigint | null;
  from_service: string | null;
  from_site: string | null;
  from_application: string | null;
  to_service: string | null;
  to_site: string | null;
  to_application: string | null;
  system: string | null;
  destination: string | null;
  first_ms: bigint;
}

export const identityOf = (row: IdentityRow): HopIdentity => ({
  hop: unsigned(row.hop),
  from: { service: row.from_service ?? '', site: row.from_site ?? '', application: row.from_application ?? '' },
  to: { service: row.to_service ?? '', site: row.to_site ?? '', application: row.to_application ?? '' },
  system: row.system ?? '',
  destination: row.destination ?? '',
});

export const identityColumns =
  'hop, from_service, from_site, from_application, to_service, to_site, to_application, system, destination, first_ms';

const allHops = async (server: Server): Promise<HopIdentity[]> =>
  (await server.all<IdentityRow>(`SELECT ${identityColumns} FROM ${server.table('hops')}`)).map(identityOf);

const oneHop = async (server: Server, hop: bigint): Promise<HopIdentity[]> =>
  (
    await server.all<IdentityRow>(`SELECT ${identityColumns} FROM ${server.table('hops')} WHERE hop = $1 LIMIT 1`, [
      signed(hop),
    ])
  ).map(identityOf);

// ---- crossings

export type QuestDbCrossing = CrossingSqlRow<bigint | null> & {
  floor_ns: bigint;
  direct_floor_ns: bigint;
  misplaced: boolean;
};

export const crossingColumns = `caller_trace_hi, caller_trace_lo, caller_span, callee_trace_hi, callee_trace_lo, callee_span, hop, message, linked, error,
  caller_device, callee_device, caller_start_ns, caller_duration_ns, callee_start_ns, callee_duration_ns, passage_ns, broker, raw_ns, added_ns,
  offset_ns, bound_ns, clock, floor_ns, direct_floor_ns, uplink_ns, uplink_bound_ns, downlink_ns, downlink_bound_ns, misplaced`;
