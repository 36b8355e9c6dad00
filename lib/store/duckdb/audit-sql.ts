import { bucketsPerDoubling } from '#lib/domain/histogram.ts';

/**
 * The set operations of the audit, in the order they run. Temporary tables carry the work from one to the next, and end with the
 * transaction's next pass (CREATE OR REPLACE). Joins go by (trace_hi, trace_lo, id); the one scan over all spans compares trace_lo alone,
 * against a set built of the new rows: the widest step, and what decides how a pass grows with the table.
 */

const caller = `kind IN (3, 4) AND operation NOT IN (3, 5)`;
const callee = `kind IN (2, 5) AND operation NOT IN (3, 5)`;

/** $1 collectors, $2 after, $3 upto: every collector, also those with nothing new (after = upto). */
export const rangesTable = `CREATE OR REPLACE TEMP TABLE a_range AS
  SELECT unnest($1::INTEGER[]) AS collector, unnest($2::BIGINT[]) AS after, unnest($3::BIGINT[]) AS upto`;

/**
 * New rows of every range, as constants so that min/max of the row groups prune: four parameters a range (collector, after, upto, arrival).
 * One CREATE ... AS, never an INSERT: a prepared INSERT into a temporary table that was replaced since meets a table without columns.
 */
const inRange = (i: number): string => {
  const at = 4 * i;
  return `collector = $${at + 1} AND seq > $${at + 2} AND seq <= $${at + 3} AND arrival_ms >= $${at + 4}`;
};
const everyRange = (ranges: number, of: (where: string) => string): string =>
  Array.from({ length: ranges }, (_, i) => of(inRange(i))).join(' UNION ALL ');
export const newTracesTable = (ranges: number): string =>
  `CREATE OR REPLACE TEMP TABLE a_new_traces AS SELECT DISTINCT trace_hi, trace_lo FROM (${everyRange(
    ranges,
    (where) => `SELECT trace_hi, trace_lo FROM spans WHERE ${where}
    UNION ALL SELECT trace_hi, trace_lo FROM passages WHERE ${where}
    UNION ALL SELECT to_trace_hi, to_trace_lo FROM links WHERE ${where}`,
  )})`;
export const newTopicsTable = (ranges: number): string =>
  `CREATE OR REPLACE TEMP TABLE a_topics AS SELECT DISTINCT topic, minute FROM (${everyRange(ranges, (where) => `SELECT topic, minute FROM topic_traffic WHERE ${where}`)})`;

/** Traces that link into the new ones: their consumers may have come first. $1 arrival. */
export const touchedTable = `CREATE OR REPLACE TEMP TABLE a_touched AS
  SELECT trace_lo FROM a_new_traces
  UNION SELECT l.trace_lo FROM links l WHERE l.to_trace_lo IN (SELECT trace_lo FROM a_new_traces) AND l.arrival_ms >= $1`;

/**
 * Which rows, then the rows: one narrow scan over all spans, and the wide columns only where something was found (a third of the work of
 * doing both at once, at 5 M rows). $1 arrival.
 */
export const foundTable = `CREATE OR REPLACE TEMP TABLE a_found AS
  SELECT rowid AS r FROM spans WHERE trace_lo IN (SELECT trace_lo FROM a_touched) AND arrival_ms >= $1`;
/** Everything of the touched traces that has been read so far. `fresh`: it came with this pass. */
export const aroundTable = `CREATE OR REPLACE TEMP TABLE a_around AS
  SELECT s.trace_hi, s.trace_lo, s.span_id, s.parent_id, s.start_ns, s.duration_ns, s.arrival_ms, s.kind, s.status, s.flags, s.operation,
         s.name, s.resource, s.system, s.destination, s.collector, s.seq, s.seq > a.after AS fresh, s.r
  FROM (SELECT *, rowid AS r FROM spans WHERE rowid IN (SELECT r FROM a_found)) s
  JOIN a_range a ON a.collector = s.collector AND s.seq <= a.upto`;

/** The same span twice: the one that was read first stays. */
export const twiceQuery = `SELECT count(*)::INTEGER AS n FROM (
  SELECT 1 FROM a_around GROUP BY trace_lo, span_id, trace_hi HAVING count(*) > 1)`;
export const dropTwice = `DELETE FROM a_around WHERE r IN (
  SELECT r FROM (
    SELECT r, row_number() OVER (PARTITION BY trace_hi, trace_lo, span_id ORDER BY fresh, arrival_ms, collector, seq, r) AS n
    FROM a_around SEMI JOIN (SELECT trace_hi, trace_lo, span_id FROM a_around GROUP BY ALL HAVING count(*) > 1) USING (trace_hi, trace_lo, span_id))
  WHERE n > 1)`;

/** $1 arrival */
export const linksTable = `CREATE OR REPLACE TEMP TABLE a_links AS
  SELECT DISTINCT l.trace_hi, l.trace_lo, l.span_id, l.to_trace_hi, l.to_trace_lo, l.to_span_id
  FROM links l JOIN a_range a ON a.collector = l.collector AND l.seq <= a.upto
  WHERE l.trace_lo IN (SELECT trace_lo FROM a_touched) AND l.arrival_ms >= $1`;

/** A message that several brokers passed on is dated by the first. $1 arrival. */
export const passagesTable = `CREATE OR REPLACE TEMP TABLE a_passages AS
  SELECT p.trace_hi, p.trace_lo, p.span_id, min(p.receive_ns) AS passage_ns, arg_min(p.broker, (p.receive_ns, p.broker)) AS broker,
         arg_min(-1 - p.collector, (p.receive_ns, p.broker)) AS passage_device, bool_or(p.seq > a.after) AS fresh
  FROM passages p JOIN a_range a ON a.collector = p.collector AND p.seq <= a.upto
  WHERE p.trace_lo IN (SELECT trace_lo FROM a_touched) AND p.arrival_ms >= $1
  GROUP BY p.trace_hi, p.trace_lo, p.span_id`;

/**
 * Caller and callee, by parent or by link (design.md section 3). A link pairs a CONSUMER with a PRODUCER or with a messaging CLIENT;
 * the same resource is no crossing, unless a message went round. Wide on purpose: the columns are carried through the one join.
 */
const bothEnds = `c.r AS caller, e.r AS callee, c.kind = 4 OR e.kind = 5 AS message, c.fresh OR e.fresh AS fresh, c.fresh AS caller_fresh,
    c.trace_hi AS caller_trace_hi, c.trace_lo AS caller_trace_lo, c.span_id AS caller_span,
    e.trace_hi AS callee_trace_hi, e.trace_lo AS callee_trace_lo, e.span_id AS callee_span, c.status = 2 OR e.status = 2 AS error,
    c.start_ns AS caller_start_ns, c.duration_ns AS caller_duration_ns, e.start_ns AS callee_start_ns, e.duration_ns AS callee_duration_ns,
    c.resource AS caller_resource, e.resource AS callee_resource, c.system AS caller_system, e.system AS callee_system,
    c.destination AS caller_destination, e.destination AS callee_destination, c.arrival_ms,
    ((c.flags & 2) // 2 + (e.flags & 2))::UTINYINT AS grains`;
const callers = `(SELECT * FROM a_around WHERE ${caller}) c`;
const notItself = `(c.resource <> e.resource OR c.kind = 4 OR e.kind = 5)`;
export const pairsTable = `CREATE OR REPLACE TEMP TABLE a_pairs AS
  SELECT ${bothEnds}, false AS linked
  FROM (SELECT * FROM a_around WHERE ${callee} AND parent_id <> 0) e
  JOIN ${callers} ON c.trace_lo = e.trace_lo AND c.span_id = e.parent_id AND c.trace_hi = e.trace_hi
  WHERE ${notItself}`;
/** Parent and link to the same caller are one crossing. */
export const linkedPairsTable = `CREATE OR REPLACE TEMP TABLE a_linked AS
  SELECT ${bothEnds}, true AS linked
  FROM a_links l
  JOIN (SELECT * FROM a_around WHERE ${callee} AND kind = 5) e ON e.trace_lo = l.trace_lo AND e.span_id = l.span_id AND e.trace_hi = l.trace_hi
  JOIN ${callers} ON c.trace_lo = l.to_trace_lo AND c.span_id = l.to_span_id AND c.trace_hi = l.to_trace_hi
  WHERE (c.kind = 4 OR c.operation <> 0 OR c.system IN (SELECT id FROM strings WHERE value IN
      ('mqtt', 'kafka', 'rabbitmq', 'amqp', 'nats', 'pulsar', 'activemq', 'jms', 'rocketmq', 'aws_sqs', 'aws_sns', 'gcp_pubsub', 'servicebus', 'eventhubs', 'redis')))
    AND NOT (l.trace_lo = l.to_trace_lo AND l.trace_hi = l.to_trace_hi AND e.parent_id = l.to_span_id)`;
export const linksExist = `SELECT count(*)::INTEGER AS n FROM (SELECT 1 FROM a_links LIMIT 1)`;
export const addLinkedPairs = `INSERT INTO a_pairs SELECT * FROM a_linked`;

/**
 * Of several SERVERs of one CLIENT the last that fits into it counts: how long both took is on their own clocks; whether it ended in
 * time is only asked where both share one. The others go.
 */
export const severalServers = `SELECT count(*)::INTEGER AS n FROM (SELECT 1 FROM a_pairs WHERE NOT message GROUP BY caller HAVING count(*) > 1 LIMIT 1)`;
export const dropOtherServers = `DELETE FROM a_pairs WHERE NOT message AND (caller, callee) IN (
  SELECT caller, callee FROM (
    SELECT caller, callee, row_number() OVER (PARTITION BY caller ORDER BY
             x.callee_duration_ns <= x.caller_duration_ns AND (pc.device IS DISTINCT FROM pe.device
               OR x.callee_start_ns + x.callee_duration_ns <= x.caller_start_ns + x.caller_duration_ns) DESC,
             x.callee_start_ns + x.callee_duration_ns DESC, x.callee_span) AS n
    FROM a_pairs x LEFT JOIN placings pc ON pc.resource = x.caller_resource LEFT JOIN placings pe ON pe.resource = x.callee_resource
    WHERE NOT message AND caller IN (SELECT caller FROM a_pairs WHERE NOT message GROUP BY caller HAVING count(*) > 1))
  WHERE n > 1)`;

/** Callers whose crossings are made anew: one of both ends, or the passage, is new. Asked before other servers are dropped: they count too. */
export const affectedTable = `CREATE OR REPLACE TEMP TABLE a_affected AS
  SELECT DISTINCT caller, caller_fresh FROM a_pairs WHERE fresh
  UNION
  SELECT c.r, c.fresh FROM a_passages p JOIN ${callers} ON c.trace_lo = p.trace_lo AND c.span_id = p.span_id AND c.trace_hi = p.trace_hi
  WHERE p.fresh`;
export const dropUntouched = `DELETE FROM a_pairs WHERE caller NOT IN (SELECT caller FROM a_affected)`;
export const anyUntouched = `SELECT count(*)::INTEGER AS n FROM (SELECT 1 FROM a_pairs WHERE NOT fresh LIMIT 1)`;

const passageJoin = `LEFT JOIN a_passages g ON x.message AND g.trace_lo = x.caller_trace_lo AND g.span_id = x.caller_span AND g.trace_hi = x.caller_trace_hi`;

export const routesQuery = `SELECT q.*, sc.value AS caller_system_name, se.value AS callee_system_name, dc.value AS caller_destination_name,
    de.value AS callee_destination_name, b.value AS broker_name
  FROM (SELECT DISTINCT x.caller_resource, x.callee_resource, x.message, x.caller_system, x.callee_system, x.caller_destination, x.callee_destination,
          coalesce(g.broker, 0) AS broker
        FROM a_pairs x ${passageJoin}) q
  JOIN strings sc ON sc.id = q.caller_system JOIN strings se ON se.id = q.callee_system
  JOIN strings dc ON dc.id = q.caller_destination JOIN strings de ON de.id = q.callee_destination
  JOIN strings b ON b.id = q.broker`;

/** One text instead of lists: a list parameter costs a native call for every element. */
export const routesTable = `CREATE OR REPLACE TEMP TABLE a_routes AS
  SELECT unnest(string_split($1, ',')::INTEGER[]) AS caller_resource, unnest(string_split($2, ',')::INTEGER[]) AS callee_resource,
         unnest(string_split($3, ',')::BOOLEAN[]) AS message, unnest(string_split($4, ',')::INTEGER[]) AS caller_system,
         unnest(string_split($5, ',')::INTEGER[]) AS callee_system, unnest(string_split($6, ',')::INTEGER[]) AS caller_destination,
         unnest(string_split($7, ',')::INTEGER[]) AS callee_destination, unnest(string_split($8, ',')::INTEGER[]) AS broker,
         unnest(string_split($9, ',')::UBIGINT[]) AS hop, unnest(string_split($10, ',')::BIGINT[]) AS floor_ns,
         unnest(string_split($11, ',')::BIGINT[]) AS direct_floor_ns, unnest(string_split($12, ',')::BIGINT[]) AS uplink_floor_ns`;

/**
 * With hop and floors. The minute is the caller's, unless its clock is absurd: then it is that of its arrival.
 * $1: how far a start may lie before the arrival, in ms.
 */
export const freshTable = `CREATE OR REPLACE TEMP TABLE a_fresh AS
  SELECT x.caller_trace_hi, x.caller_trace_lo, x.caller_span, x.callee_trace_hi, x.callee_trace_lo, x.callee_span, x.message, x.linked, x.error,
         coalesce(pc.device, 0) AS caller_device, coalesce(pe.device, 0) AS callee_device,
         x.caller_start_ns, x.caller_duration_ns, x.callee_start_ns, x.callee_duration_ns,
         g.passage_ns, coalesce(g.broker, 0) AS broker, coalesce(g.passage_device, 0) AS passage_device, x.grains,
         q.hop, q.floor_ns, q.direct_floor_ns, q.uplink_floor_ns,
         (CASE WHEN x.caller_start_ns // 1000000 BETWEEN x.arrival_ms - $1::BIGINT AND x.arrival_ms + 300000
               THEN x.caller_start_ns // 1000000 ELSE x.arrival_ms END // 60000)::INTEGER AS minute
  FROM a_pairs x ${passageJoin}
  JOIN a_routes q ON q.caller_resource = x.caller_resource AND q.callee_resource = x.callee_resource AND q.message = x.message
    AND q.caller_system = x.caller_system AND q.callee_system = x.callee_system AND q.caller_destination = x.caller_destination
    AND q.callee_destination = x.callee_destination AND q.broker = coalesce(g.broker, 0)
  LEFT JOIN placings pc ON pc.resource = x.caller_resource LEFT JOIN placings pe ON pe.resource = x.callee_resource`;

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

/**
 * What a crossing's figures are, given the offsets: the one place that says so, for new crossings and for settled ones alike.
 * An RPC needs no agreeing clocks: each difference is on one clock. Its offset only places the callee on the caller's clock, so it
 * is kept within what the crossing's own two edges allow.
 */
const grain = `(CASE WHEN x.grains = 0 THEN 0 WHEN x.message THEN 1000000 WHEN x.grains = 3 THEN 2000000 ELSE 1000000 END)`;
const rpcGap = `(x.caller_duration_ns - x.callee_duration_ns)`;
export const judgedColumns = `
  CASE WHEN x.message THEN x.callee_start_ns - x.caller_start_ns ELSE ${rpcGap} END AS raw_ns,
  CASE WHEN NOT x.message THEN CASE WHEN ${rpcGap} >= 0 THEN ${rpcGap} END
       WHEN x.caller_device = x.callee_device THEN x.callee_start_ns - x.caller_start_ns
       WHEN o.label = 5 THEN NULL
       ELSE x.callee_start_ns - x.caller_start_ns - coalesce(o.off_ns, 0) END AS added_ns,
  CASE WHEN x.caller_device = x.callee_device THEN 0
       WHEN NOT x.message THEN CASE WHEN ${rpcGap} < 0 THEN coalesce(o.off_ns, 0) ELSE
         least(greatest(coalesce(CASE WHEN o.label = 3 THEN o.off_ns END, x.callee_start_ns - x.caller_start_ns - ${rpcGap} // 2),
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

/** Crossings of callers that had been there before; new callers cannot have any. */
export const oldCrossingsTable = `CREATE OR REPLACE TEMP TABLE a_old AS
  SELECT x.rowid AS r, x.hop, x.minute FROM crossings x
  JOIN (SELECT c.trace_hi, c.trace_lo, c.span_id FROM a_affected f JOIN a_around c ON c.r = f.caller WHERE NOT f.caller_fresh) k
    ON x.caller_trace_lo = k.trace_lo AND x.caller_span = k.span_id AND x.caller_trace_hi = k.trace_hi`;
export const anyOldCaller = `SELECT count(*)::INTEGER AS n FROM a_affected WHERE NOT caller_fresh`;

export const insertCrossings = `INSERT INTO crossings BY NAME
  SELECT x.caller_trace_hi, x.caller_trace_lo, x.caller_span, x.callee_trace_hi, x.callee_trace_lo, x.callee_span, x.hop, x.message, x.linked, x.error,
         x.caller_device, x.callee_device, x.caller_start_ns, x.caller_duration_ns, x.callee_start_ns, x.callee_duration_ns,
         x.passage_ns, x.broker, x.minute, x.floor_ns, x.direct_floor_ns, x.passage_device, x.uplink_floor_ns, x.grains, ${judgedColumns}
  FROM a_fresh x ${offsetsJoin}`;

export const markDirty = `INSERT INTO audit_dirty
  SELECT DISTINCT hop, minute FROM (SELECT hop, minute FROM a_fresh UNION SELECT hop, minute FROM a_old)
  EXCEPT SELECT hop, minute FROM audit_dirty`;

/** A late answer takes the question away. */
export const answeredNow = `CREATE OR REPLACE TEMP TABLE a_answered AS
  SELECT u.rowid AS r, u.hop, u.minute FROM unanswered u
  SEMI JOIN a_fresh f ON f.caller_trace_lo = u.trace_lo AND f.caller_span = u.span_id AND f.caller_trace_hi = u.trace_hi`;

export const settleUpdate = `UPDATE crossings SET added_ns = j.added_ns, offset_ns = j.offset_ns, bound_ns = j.bound_ns, clock = j.clock,
    uplink_ns = j.uplink_ns, uplink_bound_ns = j.uplink_bound_ns, downlink_ns = j.downlink_ns, downlink_bound_ns = j.downlink_bound_ns
  FROM a_settled j WHERE crossings.rowid = j.r AND crossings.minute = $1`;
/** $1 minute. An RPC's offset only places it in the drawing: less than 0.1 ms is not worth a write. */
export const settledTable = `CREATE OR REPLACE TEMP TABLE a_settled AS
  SELECT * FROM (
    SELECT x.rowid AS r, x.hop AS of_hop, x.message AS is_message, x.offset_ns AS o0, x.bound_ns AS b0, x.clock AS c0, x.uplink_ns AS u0, x.uplink_bound_ns AS ub0,
           x.downlink_bound_ns AS db0, ${judgedColumns}
    FROM crossings x ${offsetsJoin} WHERE x.minute = $1)
  WHERE c0 <> clock OR CASE WHEN is_message THEN o0 IS DISTINCT FROM offset_ns OR b0 IS DISTINCT FROM bound_ns OR u0 IS DISTINCT FROM uplink_ns
      OR ub0 IS DISTINCT FROM uplink_bound_ns OR db0 IS DISTINCT FROM downlink_bound_ns
    ELSE abs(coalesce(o0, 0) - coalesce(offset_ns, 0)) > 100000 END`;

// ---- traces

export const tracesTable = `CREATE OR REPLACE TEMP TABLE a_traces AS
  WITH of_trace AS (SELECT * FROM a_around SEMI JOIN (SELECT DISTINCT trace_hi, trace_lo FROM a_around WHERE fresh) USING (trace_hi, trace_lo)),
  first AS (
    SELECT trace_hi, trace_lo, arg_min((name, resource, start_ns, duration_ns, parent_id = 0), (parent_id <> 0, start_ns, span_id)) AS root,
           min(start_ns) AS start_ns, max(start_ns + duration_ns) AS end_ns, count(*)::INTEGER AS spans,
           count(*) FILTER (status = 2)::INTEGER AS errors, max(arrival_ms) AS arrival_ms
    FROM of_trace GROUP BY trace_hi, trace_lo)
  SELECT trace_hi, trace_lo, CASE WHEN struct_extract_at(root, 5) THEN struct_extract_at(root, 3) ELSE start_ns END AS start_ns,
         CASE WHEN struct_extract_at(root, 5) THEN struct_extract_at(root, 4) ELSE end_ns - start_ns END AS duration_ns,
         struct_extract_at(root, 1) AS root_name, struct_extract_at(root, 2) AS root_resource, struct_extract_at(root, 5) AS has_root,
         spans, errors, arrival_ms
  FROM first`;
/** Traces with spans that came before may have a row already. */
export const dropTraces = `DELETE FROM traces WHERE rowid IN (
  SELECT t.rowid FROM traces t SEMI JOIN (
    SELECT DISTINCT n.trace_hi, n.trace_lo FROM a_traces n SEMI JOIN (SELECT trace_hi, trace_lo FROM a_around WHERE NOT fresh) o USING (trace_hi, trace_lo)) d
  ON t.trace_lo = d.trace_lo AND t.trace_hi = d.trace_hi)`;
export const anyOldTrace = `SELECT count(*)::INTEGER AS n FROM (SELECT 1 FROM a_around WHERE NOT fresh LIMIT 1)`;
export const insertTraces = `INSERT INTO traces BY NAME SELECT * FROM a_traces`;

// ---- minutes

const ms = (column: string): string => `(${column} / 1e6)`;
const clampedLog = (value: string): string =>
  `least(1280, greatest(-640, floor(log2(${value}) * ${bucketsPerDoubling})))`;
/** lib/domain/histogram.ts, bucketOf. */
const bucket = (column: string): string =>
  `(CASE WHEN ${column} > 0 THEN ${clampedLog(ms(column))} WHEN ${column} = 0 THEN -641 ELSE -1282 - ${clampedLog(ms(`-${column}`))} END)::SMALLINT`;

export const dirtyTable = `CREATE OR REPLACE TEMP TABLE a_dirty AS SELECT DISTINCT hop, minute FROM audit_dirty ORDER BY minute DESC LIMIT $1`;
export const dirtyMinutes = `SELECT DISTINCT minute FROM a_dirty ORDER BY minute`;
/** One at a time: a constant lets min/max of the row groups prune. $1 minute */
export const minuteCrossings = `CREATE OR REPLACE TEMP TABLE a_minute AS
  SELECT x.hop, x.caller_span, x.error, x.message, x.added_ns, x.raw_ns, x.bound_ns, x.clock, x.floor_ns, x.direct_floor_ns, x.broker, x.passage_ns IS NOT NULL AS passed,
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
           (count(DISTINCT caller_span) FILTER (message) + count(*) FILTER (NOT message))::INTEGER AS requests,
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

// ---- unanswered

/** Callers that came in [$1, $2), once each; a CLIENT only where it ended in error: without a word of failure nobody waited. */
export const waitingTable = `CREATE OR REPLACE TEMP TABLE a_waiting AS
  SELECT DISTINCT ON (trace_hi, trace_lo, span_id) trace_hi, trace_lo, span_id, resource, system, destination, start_ns, arrival_ms
  FROM spans WHERE arrival_ms >= $1 AND arrival_ms < $2 AND ${caller} AND (kind = 4 OR status = 2)`;
export const waitingRoutes = `SELECT q.*, s.value AS system_name, d.value AS destination_name
  FROM (SELECT DISTINCT resource, system, destination FROM a_waiting) q JOIN strings s ON s.id = q.system JOIN strings d ON d.id = q.destination`;
/** $1 resources, $2 systems, $3 destinations, $4 hops, $5 how far before its arrival a start may lie */
export const insertUnanswered = `INSERT INTO unanswered
  SELECT w.trace_hi, w.trace_lo, w.span_id, q.hop,
         (CASE WHEN w.start_ns // 1000000 BETWEEN w.arrival_ms - $5::BIGINT AND w.arrival_ms + 300000 THEN w.start_ns // 1000000 ELSE w.arrival_ms END // 60000)::INTEGER
  FROM a_waiting w
  JOIN (SELECT unnest($1::INTEGER[]) AS resource, unnest($2::INTEGER[]) AS system, unnest($3::INTEGER[]) AS destination, unnest($4::UBIGINT[]) AS hop) q
    USING (resource, system, destination)
  ANTI JOIN (SELECT caller_trace_hi, caller_trace_lo, caller_span FROM crossings WHERE minute >= $6 AND minute <= $7) x
    ON x.caller_trace_lo = w.trace_lo AND x.caller_span = w.span_id AND x.caller_trace_hi = w.trace_hi
  ANTI JOIN unanswered u ON u.trace_lo = w.trace_lo AND u.span_id = w.span_id AND u.trace_hi = w.trace_hi`;
