import { bucketsPerDoubling } from '#lib/domain/histogram.ts';

/**
 * What is judged of stored crossings as a whole: clock edges, figures once the clocks are settled, minutes. New crossings are paired and
 * judged in memory (audit-pair.ts). Temporary tables are made anew by every call (CREATE OR REPLACE).
 */

/** A CLIENT only where it ended in error: without a word of failure nobody waited. */
export const waitsForAnAnswer = `kind IN (3, 4) AND operation NOT IN (3, 5) AND (kind = 4 OR status = 2)`;
/** A CLIENT of one of these talks to a broker. */
export const messagingSystems = `'mqtt', 'kafka', 'rabbitmq', 'amqp', 'nats', 'pulsar', 'activemq', 'jms', 'rocketmq', 'aws_sqs', 'aws_sns', 'gcp_pubsub', 'servicebus', 'eventhubs', 'redis'`;

/**
 * Directed clock edges (design.md section 4.1), least per pair and second. A reply edge needs a callee shorter than its caller by the two-way
 * floor, and an answer in time. Grain: a receiver's stamp may be cut by up to 1 ms, so its edge is that much longer.
 */
export const edgesOf = (crossings: string): string => `
  WITH x AS (SELECT *, (caller_start_ns // 1000000000)::INTEGER AS second, CASE WHEN grains & 1 > 0 THEN 1000000 ELSE 0 END AS caller_grain,
                    CASE WHEN grains & 2 > 0 THEN 1000000 ELSE 0 END AS callee_grain
             FROM ${crossings} WHERE caller_device <> callee_device OR passage_ns IS NOT NULL)
  SELECT caller_device AS u, callee_device AS v, second, min(callee_start_ns - caller_start_ns + callee_grain - CASE WHEN message THEN floor_ns ELSE direct_floor_ns // 2 END)::DOUBLE AS least,
         CASE WHEN message THEN 1 ELSE 2 END::UTINYINT AS kind
  FROM x WHERE caller_device <> callee_device AND caller_device <> 0 AND callee_device <> 0 GROUP BY ALL
  UNION ALL
  SELECT callee_device, caller_device, second, min(caller_start_ns + caller_duration_ns - callee_start_ns - callee_duration_ns + caller_grain - direct_floor_ns // 2)::DOUBLE, 3::UTINYINT
  FROM x WHERE NOT message AND NOT error AND caller_device <> callee_device AND caller_device <> 0 AND callee_device <> 0
    AND callee_duration_ns + direct_floor_ns <= caller_duration_ns
  GROUP BY ALL
  UNION ALL
  SELECT caller_device, passage_device, second, min(passage_ns - caller_start_ns - uplink_floor_ns)::DOUBLE, 4::UTINYINT
  FROM x WHERE passage_ns IS NOT NULL AND caller_device <> 0 GROUP BY ALL`;

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
         unnest(list_transform(string_split($10, ','), lambda t: nullif(t, '')::BIGINT)) AS down_bound_ns`;

/** What a stored crossing's figures are, given the offsets: as Pairing.judge says of new ones (audit-minutes.test.ts holds them equal). */
const grain = `(CASE WHEN x.grains = 0 THEN 0 WHEN x.message THEN 1000000 WHEN x.grains = 3 THEN 2000000 ELSE 1000000 END)`;
const coarse = `(floor(o.off_ns / 100000.0 + 0.5) * 100000)::BIGINT`;
const rpcGap = `(x.caller_duration_ns - x.callee_duration_ns)`;
export const judgedColumns = `
  CASE WHEN x.message THEN x.callee_start_ns - x.caller_start_ns ELSE ${rpcGap} END AS raw_ns,
  CASE WHEN NOT x.message THEN CASE WHEN ${rpcGap} >= 0 THEN ${rpcGap} END
       WHEN x.caller_device = x.callee_device THEN x.callee_start_ns - x.caller_start_ns
       WHEN o.label = 5 THEN NULL
       ELSE x.callee_start_ns - x.caller_start_ns - coalesce(o.off_ns, 0) END AS added_ns,
  CASE WHEN x.caller_device = x.callee_device THEN 0
       WHEN NOT x.message THEN CASE WHEN ${rpcGap} < 0 THEN coalesce(${coarse}, 0) ELSE
         least(greatest(coalesce(CASE WHEN o.label = 3 THEN ${coarse} END, x.callee_start_ns - x.caller_start_ns - ${rpcGap} // 2),
                        x.callee_start_ns - x.caller_start_ns - ${rpcGap}), x.callee_start_ns - x.caller_start_ns) END
       ELSE o.off_ns END AS offset_ns,
  CASE WHEN NOT x.message THEN CASE WHEN ${rpcGap} >= 0 THEN ${grain} END
       WHEN x.caller_device = x.callee_device THEN ${grain}
       ELSE o.off_bound_ns + ${grain} END AS bound_ns,
  (CASE WHEN NOT x.message AND ${rpcGap} < 0 THEN 6 WHEN x.caller_device = x.callee_device THEN 1 WHEN NOT x.message THEN 2 ELSE coalesce(o.label, 4) END)::UTINYINT AS clock,
  x.passage_ns - x.caller_start_ns - coalesce(o.up_ns, 0) AS uplink_ns,
  CASE WHEN x.passage_ns IS NOT NULL THEN o.up_bound_ns + CASE WHEN x.grains & 1 > 0 THEN 1000000 ELSE 0 END END AS uplink_bound_ns,
  CASE WHEN x.caller_device <> x.callee_device AND (o.label = 5 OR o.label IS NULL) THEN NULL
       ELSE x.callee_start_ns - x.passage_ns - CASE WHEN x.caller_device = x.callee_device THEN 0 ELSE o.off_ns END + coalesce(o.up_ns, 0) END AS downlink_ns,
  CASE WHEN x.passage_ns IS NOT NULL THEN o.down_bound_ns + CASE WHEN x.grains & 2 > 0 THEN 1000000 ELSE 0 END END AS downlink_bound_ns`;

export const offsetsJoin = `LEFT JOIN a_offsets o ON o.caller_device = x.caller_device AND o.callee_device = x.callee_device
  AND o.broker_device = CASE WHEN x.passage_ns IS NULL THEN 0 ELSE x.passage_device END AND o.second = x.caller_start_ns // 1000000000`;

export const settleUpdate = `UPDATE crossings SET added_ns = j.added_ns, offset_ns = j.offset_ns, bound_ns = j.bound_ns, clock = j.clock,
    uplink_ns = j.uplink_ns, uplink_bound_ns = j.uplink_bound_ns, downlink_ns = j.downlink_ns, downlink_bound_ns = j.downlink_bound_ns
  FROM a_settled j WHERE crossings.rowid = j.r AND crossings.minute = $1`;
/** $1 minute, $2 part of $3 */
export const settledTable = `CREATE OR REPLACE TEMP TABLE a_settled AS
  SELECT * FROM (
    SELECT x.rowid AS r, x.hop AS of_hop, x.offset_ns AS o0, x.bound_ns AS b0, x.clock AS c0, x.uplink_ns AS u0, x.uplink_bound_ns AS ub0,
           x.downlink_bound_ns AS db0, ${judgedColumns}
    FROM crossings x ${offsetsJoin} WHERE x.minute = $1 AND x.caller_span % $3::UBIGINT = $2::UBIGINT)
  WHERE c0 <> clock OR o0 IS DISTINCT FROM offset_ns OR b0 IS DISTINCT FROM bound_ns OR u0 IS DISTINCT FROM uplink_ns
    OR ub0 IS DISTINCT FROM uplink_bound_ns OR db0 IS DISTINCT FROM downlink_bound_ns`;

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
  SELECT x.hop, hash(x.caller_trace_lo, x.caller_span) AS caller, x.error, x.message, x.added_ns, x.raw_ns, x.bound_ns, x.clock, x.floor_ns, x.direct_floor_ns, x.broker, x.passage_ns IS NOT NULL AS passed,
         x.uplink_ns, x.uplink_bound_ns, x.downlink_ns, x.downlink_bound_ns
  FROM crossings x WHERE x.minute = $1 AND x.hop IN (SELECT hop FROM a_dirty WHERE minute = $1)`;
export const insertHopMinutes = `INSERT INTO hop_minutes BY NAME
  SELECT d.hop, d.minute, coalesce(m.count, 0) AS count, coalesce(m.requests, 0) AS requests, coalesce(m.errors, 0) AS errors, coalesce(u.n, 0) AS unanswered,
         coalesce(m.sum_ms, 0) AS sum_ms, m.max_ms, m.bound_ms, coalesce(same_clock, 0) AS same_clock, coalesce(round_trip, 0) AS round_trip,
         coalesce(bounded, 0) AS bounded, coalesce(assumed, 0) AS assumed, coalesce(clock_wrong, 0) AS clock_wrong, coalesce(overlap, 0) AS overlap,
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
           count(*) FILTER (clock = 5)::INTEGER AS clock_wrong, count(*) FILTER (clock = 6)::INTEGER AS overlap,
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
