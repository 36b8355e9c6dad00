import { bucketsPerDoubling } from '#lib/domain/histogram.ts';
import { doubtNanos } from '../audit-pair.ts';

/**
 * What is judged of stored crossings as a whole: clock edges, figures once the clocks are settled, minutes. New crossings are paired and
 * judged in memory (audit-pair.ts). Temporary tables are made anew by every call (CREATE OR REPLACE).
 */

/** A CLIENT only where it ended in error: without a word of failure nobody waited. */
export const waitsForAnAnswer = `kind IN (3, 4) AND operation NOT IN (3, 5) AND (kind = 4 OR status = 2)`;
/**
 * Directed clock edges (design.md section 4.1), least per pair, floor and second. A reply edge needs a callee shorter than its caller by the
 * two-way floor; one that is not worked on after its answer, and then no reply of its hop says when it was sent: -infinity.
 * Grain: a receiver's stamp may be cut by up to 1 ms, so its edge is that much longer.
 */
/** Its stamps may be cut: what could be the two-way floor is left alone. */
const workedOn = `callee_duration_ns + direct_floor_ns > caller_duration_ns + caller_grain + callee_grain`;
export const edgesOf = (crossings: string): string => `
  WITH x AS (SELECT *, (caller_start_ns // 1000000000)::INTEGER AS second, CASE WHEN grains & 1 > 0 THEN 1000000 ELSE 0 END AS caller_grain,
                    CASE WHEN grains & 2 > 0 THEN 1000000 ELSE 0 END AS callee_grain,
                    CASE WHEN message THEN floor_ns ELSE direct_floor_ns // 2 END AS way_ns
             FROM ${crossings} WHERE caller_device <> callee_device OR passage_ns IS NOT NULL)
  SELECT caller_device AS u, callee_device AS v, second, min(callee_start_ns - caller_start_ns + callee_grain - way_ns)::DOUBLE AS least,
         way_ns::DOUBLE AS floor, CASE WHEN message THEN 1 ELSE 2 END::UTINYINT AS kind, 0::INTEGER AS flow
  FROM x WHERE caller_device <> callee_device AND caller_device <> 0 AND callee_device <> 0 GROUP BY ALL
  UNION ALL
  SELECT callee_device, caller_device, ((callee_start_ns + callee_duration_ns) // 1000000000)::INTEGER,
         min(CASE WHEN ${workedOn} THEN '-infinity'::DOUBLE
             ELSE (caller_start_ns + caller_duration_ns - callee_start_ns - callee_duration_ns + caller_grain - way_ns)::DOUBLE END),
         way_ns::DOUBLE, 3::UTINYINT, (hop % 2147483647)::INTEGER
  FROM x WHERE NOT message AND NOT error AND caller_device <> callee_device AND caller_device <> 0 AND callee_device <> 0
  GROUP BY ALL
  UNION ALL
  SELECT caller_device, passage_device, second, min(passage_ns - caller_start_ns - uplink_floor_ns)::DOUBLE, uplink_floor_ns::DOUBLE, 4::UTINYINT, 0::INTEGER
  FROM x WHERE passage_ns IS NOT NULL AND caller_device <> 0 GROUP BY ALL`;

/** Ids as one text: a list parameter costs a native call for every element. */
export const listed = (param: string): string => `(SELECT unnest(string_split(${param}, ',')::UBIGINT[]))`;

export const momentsOf = (crossings: string): string => `
  SELECT DISTINCT caller_device, callee_device, CASE WHEN passage_ns IS NULL THEN 0 ELSE passage_device END::INTEGER AS broker_device, (caller_start_ns // 1000000000)::INTEGER AS second
  FROM ${crossings} WHERE caller_device <> callee_device OR passage_ns IS NOT NULL`;

export const offsetsTable = `CREATE OR REPLACE TEMP TABLE a_offsets AS
  SELECT unnest(string_split($1, ',')::INTEGER[]) AS caller_device, unnest(string_split($2, ',')::INTEGER[]) AS callee_device,
         unnest(string_split($3, ',')::INTEGER[]) AS broker_device, unnest(string_split($4, ',')::INTEGER[]) AS second,
         unnest(string_split($5, ',')::UTINYINT[]) AS label,
         unnest(list_transform(string_split($6, ','), lambda t: nullif(t, '')::BIGINT)) AS off_ns,
         unnest(list_transform(string_split($7, ','), lambda t: nullif(t, '')::BIGINT)) AS off_bound_ns,
         unnest(list_transform(string_split($8, ','), lambda t: nullif(t, '')::BIGINT)) AS up_ns,
         unnest(list_transform(string_split($9, ','), lambda t: nullif(t, '')::BIGINT)) AS up_bound_ns,
         unnest(list_transform(string_split($10, ','), lambda t: nullif(t, '')::BIGINT)) AS down_bound_ns,
         unnest(string_split($11, ',')::UTINYINT[]) = 1 AS misplaced`;

const coarse = '(floor(off_ns / 100000.0 + 0.5) * 100000)::BIGINT';

/**
 * What a crossing's figures are, given the offsets: as Pairing.judge in audit-pair.ts, which judges new ones.
 *
 * An RPC needs no agreeing clocks: each difference is on one clock. Its offset only places the callee on the caller's clock, so it
 * is kept within what the crossing's own two edges allow, and is a tenth of a millisecond coarse: a clock that settles by less is not worth a write.
 *
 * A message took between n_least and n_most: what the clocks allow, what its stamps may have lost (grain), and never less than its floor.
 * Its figure is the middle of what clocks and stamps say, and not less than its floor. Where nothing is left between them, its own stamps contradict what is known of the clocks.
 *
 * In stages, one select around the other: the engine writes an alias out wherever it is used, and of names that rest on names on names
 * it made expressions that took 0.2 s to plan.
 */
const judgedStages = [
  `x.caller_device = x.callee_device AS n_same,
   x.callee_start_ns - x.caller_start_ns AS n_there,
   x.caller_duration_ns - x.callee_duration_ns AS n_gap,
   CASE WHEN x.grains & 1 > 0 THEN 1000000 ELSE 0 END AS n_sent,
   CASE WHEN x.grains & 2 > 0 THEN 1000000 ELSE 0 END AS n_received,
   coalesce(o_label, 4) AS n_label`,
  `(n_same OR n_label = 4) AS n_as_sent,
   coalesce(o_misplaced, false) AND NOT n_same AS n_misplaced`,
  `CASE WHEN n_same OR n_misplaced THEN 0 ELSE x.floor_ns END AS n_floor,
   n_there - n_sent - CASE WHEN n_as_sent THEN 0 ELSE off_ns + off_bound_ns END AS n_lowest,
   n_there + n_received - CASE WHEN n_as_sent THEN 0 ELSE off_ns - off_bound_ns END AS n_most`,
  'greatest(n_floor, n_lowest) AS n_least',
  `(CASE WHEN NOT x.message THEN CASE WHEN n_gap < 0 THEN 6 WHEN n_same THEN 1 ELSE 2 END
         WHEN NOT n_same AND n_label IN (5, 7) THEN n_label
         WHEN n_most < n_least - ${doubtNanos} THEN CASE WHEN n_as_sent THEN 5 ELSE 7 END
         WHEN n_same THEN 1 ELSE n_label END)::UTINYINT AS n_clock,
   greatest(n_least, n_lowest + (n_most - n_lowest) // 2) AS n_middle`,
  `CASE WHEN NOT x.message THEN CASE WHEN n_gap >= 0 THEN n_gap END WHEN n_clock NOT IN (5, 7) THEN n_middle END AS n_added,
   CASE WHEN n_same THEN 0
        WHEN NOT x.message THEN CASE WHEN n_gap < 0 THEN CASE WHEN n_label = 3 THEN ${coarse} ELSE 0 END
          ELSE least(greatest(CASE WHEN n_label = 3 THEN ${coarse} ELSE n_there - n_gap // 2 END, n_there - n_gap), n_there) END
        WHEN n_clock = 7 THEN NULL
        WHEN n_clock = 5 THEN CASE WHEN n_label = 5 THEN off_ns ELSE n_there + n_received - n_floor END
        ELSE n_there - n_middle END AS n_offset,
   CASE WHEN NOT x.message THEN CASE WHEN n_gap >= 0 THEN n_sent + n_received END
        WHEN n_clock IN (1, 3) THEN greatest(n_most - n_middle, n_middle - n_least) END AS n_bound,
   CASE WHEN x.passage_ns IS NOT NULL THEN x.passage_ns - x.caller_start_ns - up_ns END AS n_uplink,
   CASE WHEN x.passage_ns IS NOT NULL THEN up_bound_ns + n_sent END AS n_uplink_bound`,
  `CASE WHEN n_clock NOT IN (5, 7) THEN x.callee_start_ns - x.passage_ns - n_offset + up_ns END AS n_downlink,
   CASE WHEN x.passage_ns IS NOT NULL AND n_clock NOT IN (5, 7) THEN down_bound_ns + n_received END AS n_downlink_bound`,
];

export const offsetsJoin = `LEFT JOIN a_offsets o ON o.caller_device = x.caller_device AND o.callee_device = x.callee_device
  AND o.broker_device = CASE WHEN x.passage_ns IS NULL THEN 0 ELSE x.passage_device END AND o.second = x.caller_start_ns // 1000000000`;

export const settleUpdate = `UPDATE crossings SET added_ns = j.n_added, offset_ns = j.n_offset, bound_ns = j.n_bound, clock = j.n_clock, misplaced = j.n_misplaced,
    uplink_ns = j.n_uplink, uplink_bound_ns = j.n_uplink_bound, downlink_ns = j.n_downlink, downlink_bound_ns = j.n_downlink_bound
  FROM a_settled j WHERE crossings.rowid = j.r AND crossings.minute = $1`;
/** $1 minute, $2 part of $3 */
export const settledTable = `CREATE OR REPLACE TEMP TABLE a_settled AS
  SELECT rowid AS r, hop AS of_hop, n_added, n_offset, n_bound, n_clock, n_misplaced, n_uplink, n_uplink_bound, n_downlink, n_downlink_bound
  FROM ${judgedStages.reduce(
    (inner, stage) => `(SELECT x.*, ${stage} FROM ${inner} x)`,
    `(SELECT x.*, x.rowid, o.label AS o_label, o.misplaced AS o_misplaced, o.off_ns, o.off_bound_ns, o.up_ns, o.up_bound_ns, o.down_bound_ns
      FROM crossings x ${offsetsJoin} WHERE x.minute = $1 AND x.caller_span % $3::UBIGINT = $2::UBIGINT)`,
  )} x
  WHERE clock <> n_clock OR misplaced IS DISTINCT FROM n_misplaced OR offset_ns IS DISTINCT FROM n_offset OR bound_ns IS DISTINCT FROM n_bound
     OR uplink_ns IS DISTINCT FROM n_uplink OR uplink_bound_ns IS DISTINCT FROM n_uplink_bound OR downlink_bound_ns IS DISTINCT FROM n_downlink_bound`;

// ---- minutes

const ms = (column: string): string => `(${column} / 1e6)`;
const clampedLog = (value: string): string =>
  `least(1280, greatest(-640, floor(log2(${value}) * ${bucketsPerDoubling})))`;
/** lib/domain/histogram.ts, bucketOf. */
const bucket = (column: string): string =>
  `(CASE WHEN ${column} > 0 THEN ${clampedLog(ms(column))} WHEN ${column} = 0 THEN -641 ELSE -1282 - ${clampedLog(ms(`-${column}`))} END)::SMALLINT`;

/** $1 minute, $2 hops */
export const dirtyTable = `CREATE OR REPLACE TEMP TABLE a_dirty AS
  SELECT unnest(string_split($2, ',')::UBIGINT[]) AS hop, $1::INTEGER AS minute`;
/** One at a time: a constant lets min/max of the row groups prune. $1 minute */
export const minuteCrossings = `CREATE OR REPLACE TEMP TABLE a_minute AS
  SELECT x.hop, hash(x.caller_trace_lo, x.caller_span) AS caller, x.error, x.message, x.added_ns, x.raw_ns, x.bound_ns, x.clock,
         CASE WHEN x.misplaced THEN 0 ELSE x.floor_ns END AS floor_ns, CASE WHEN x.misplaced THEN 0 ELSE x.direct_floor_ns END AS direct_floor_ns, x.broker, x.passage_ns IS NOT NULL AS passed,
         x.uplink_ns, x.uplink_bound_ns, x.downlink_ns, x.downlink_bound_ns
  FROM crossings x WHERE x.minute = $1 AND x.hop IN (SELECT hop FROM a_dirty WHERE minute = $1)`;
export const insertHopMinutes = `INSERT INTO hop_minutes BY NAME
  SELECT d.hop, d.minute, coalesce(m.count, 0) AS count, coalesce(m.requests, 0) AS requests, coalesce(m.errors, 0) AS errors, coalesce(u.n, 0) AS unanswered,
         coalesce(m.sum_ms, 0) AS sum_ms, m.max_ms, m.bound_ms, coalesce(same_clock, 0) AS same_clock, coalesce(round_trip, 0) AS round_trip,
         coalesce(bounded, 0) AS bounded, coalesce(assumed, 0) AS assumed, coalesce(clock_wrong, 0) AS clock_wrong, coalesce(overlap, 0) AS overlap, coalesce(contradiction, 0) AS contradiction,
         coalesce(floor_ms, 0) AS floor_ms, coalesce(direct_floor_ms, 0) AS direct_floor_ms, coalesce(m.broker, 0) AS broker, coalesce(passages, 0) AS passages,
         m.uplink_bound_ms, m.downlink_bound_ms
  FROM (SELECT hop, minute FROM a_dirty WHERE minute = $1) d
  LEFT JOIN (
    SELECT hop, count(*)::INTEGER AS count,
           (count(DISTINCT caller) FILTER (message) + count(*) FILTER (NOT message))::INTEGER AS requests,
           count(*) FILTER (error)::INTEGER AS errors,
           sum(added_ns)::DOUBLE / 1e6 AS sum_ms, max(added_ns) / 1e6 AS max_ms, max(bound_ns) / 1e6 AS bound_ms,
           count(*) FILTER (clock = 1)::INTEGER AS same_clock, count(*) FILTER (clock = 2)::INTEGER AS round_trip,
           count(*) FILTER (clock = 3)::INTEGER AS bounded, count(*) FILTER (clock = 4)::INTEGER AS assumed,
           count(*) FILTER (clock = 5)::INTEGER AS clock_wrong, count(*) FILTER (clock = 6)::INTEGER AS overlap, count(*) FILTER (clock = 7)::INTEGER AS contradiction,
           max(floor_ns) / 1e6 AS floor_ms, max(direct_floor_ns) / 1e6 AS direct_floor_ms, max(broker) AS broker,
           count(*) FILTER (passed)::INTEGER AS passages, max(uplink_bound_ns) / 1e6 AS uplink_bound_ms, max(downlink_bound_ns) / 1e6 AS downlink_bound_ms
    FROM a_minute GROUP BY hop) m ON m.hop = d.hop
  LEFT JOIN (SELECT hop, count(DISTINCT (trace_hi, trace_lo, span_id))::INTEGER AS n FROM unanswered WHERE minute = $1 GROUP BY hop) u ON u.hop = d.hop
  WHERE m.hop IS NOT NULL OR u.hop IS NOT NULL`;
export const insertBuckets = `INSERT INTO hop_minute_buckets
  SELECT hop, $1::INTEGER AS minute, 0::UTINYINT, ${bucket('added_ns')} AS bucket, count(*)::INTEGER FROM a_minute WHERE added_ns IS NOT NULL GROUP BY hop, bucket
  UNION ALL
  SELECT hop, $1::INTEGER, 1::UTINYINT, ${bucket('raw_ns')} AS bucket, count(*)::INTEGER FROM a_minute GROUP BY hop, bucket
  UNION ALL
  SELECT hop, $1::INTEGER, 2::UTINYINT, ${bucket('uplink_ns')} AS bucket, count(*)::INTEGER FROM a_minute WHERE uplink_ns IS NOT NULL GROUP BY hop, bucket
  UNION ALL
  SELECT hop, $1::INTEGER, 3::UTINYINT, ${bucket('downlink_ns')} AS bucket, count(*)::INTEGER FROM a_minute WHERE downlink_ns IS NOT NULL GROUP BY hop, bucket`;
