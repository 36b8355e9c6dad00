/**
 * The tables of the embedded engine. No primary keys or indexes (reliability.md 0.7), nothing is updated in place but
 * what the audit derives: it deletes and inserts a derived row in one transaction, which is this engine's form of a revision.
 *
 * Units: *_ns nanoseconds (epoch on the sender's clock unless said), *_ms milliseconds, minute = minutes since the epoch.
 * Text that repeats is a number into `strings`; who sent is a number into `resources`.
 */
export const schemaVersion = 3;

/** What turns the tables of the version before into those of the one named. The statements below then find them as they want them. */
export const migrations: Record<number, readonly string[]> = {
  2: ['ALTER TABLE traces ADD COLUMN IF NOT EXISTS first_arrival_ms BIGINT'],
  3: [
    'ALTER TABLE crossings ADD COLUMN IF NOT EXISTS misplaced BOOLEAN',
    'ALTER TABLE hop_minutes ADD COLUMN IF NOT EXISTS contradiction INTEGER',
    'ALTER TABLE clocks ADD COLUMN IF NOT EXISTS low_ns BIGINT',
    'ALTER TABLE clocks ADD COLUMN IF NOT EXISTS high_ns BIGINT',
    'ALTER TABLE unanswered ADD COLUMN IF NOT EXISTS slice INTEGER',
    'ALTER TABLE unanswered ADD COLUMN IF NOT EXISTS route UBIGINT',
  ],
};

export const schemaStatements: string[] = [
  `CREATE TABLE IF NOT EXISTS meta (key VARCHAR, value VARCHAR)`,

  // ---- received: append-only, one transaction a commit, each row carries (collector, seq) of its batch
  // id 0 is '', id 1 is '__other__': what more than 200,000 distinct texts fold into
  `CREATE TABLE IF NOT EXISTS strings (id INTEGER, value VARCHAR)`,
  // at most 20,000, then one more with key and service '__other__'
  `CREATE TABLE IF NOT EXISTS resources (
     id INTEGER, key VARCHAR, service VARCHAR, namespace VARCHAR, instance VARCHAR, version VARCHAR, host_id VARCHAR, host_name VARCHAR,
     sdk_language VARCHAR, site VARCHAR, locality VARCHAR, lat DOUBLE, lon DOUBLE, cloud_region VARCHAR, attributes VARCHAR, first_ms BIGINT)`,
  // collector = strings.id of the collector's id. The ledger of the books, and what makes an append idempotent
  `CREATE TABLE IF NOT EXISTS batches (
     collector INTEGER, seq BIGINT, signal UTINYINT, arrival_ms BIGINT, received INTEGER, stored INTEGER, duplicate INTEGER, rejected INTEGER, raw BLOB USING COMPRESSION uncompressed)`,
  // what batches and rejections counted that retention has dropped; through_seq = highest seq dropped of that collector
  `CREATE TABLE IF NOT EXISTS settled_batches (
     collector INTEGER, signal UTINYINT, through_seq BIGINT, batches BIGINT, received BIGINT, stored BIGINT, duplicate BIGINT, rejected BIGINT)`,
  `CREATE TABLE IF NOT EXISTS settled_rejections (reason VARCHAR, count BIGINT)`,
  `CREATE TABLE IF NOT EXISTS rejections (collector INTEGER, seq BIGINT, arrival_ms BIGINT, reason VARCHAR, count INTEGER)`,
  `CREATE TABLE IF NOT EXISTS spans (
     trace_hi UBIGINT, trace_lo UBIGINT, span_id UBIGINT, parent_id UBIGINT, start_ns BIGINT, duration_ns BIGINT, arrival_ms BIGINT,
     collector INTEGER, seq BIGINT, kind UTINYINT, status UTINYINT, flags UTINYINT, operation UTINYINT,
     name INTEGER, resource INTEGER, system INTEGER, destination INTEGER)`,
  `CREATE TABLE IF NOT EXISTS links (
     trace_hi UBIGINT, trace_lo UBIGINT, span_id UBIGINT, to_trace_hi UBIGINT, to_trace_lo UBIGINT, to_span_id UBIGINT, arrival_ms BIGINT, collector INTEGER, seq BIGINT)`,
  // broker = strings.id, topic = topics.id
  `CREATE TABLE IF NOT EXISTS passages (
     broker INTEGER, topic INTEGER, trace_hi UBIGINT, trace_lo UBIGINT, span_id UBIGINT, receive_ns BIGINT, payload_bytes INTEGER, qos UTINYINT,
     arrival_ms BIGINT, collector INTEGER, seq BIGINT)`,
  `CREATE TABLE IF NOT EXISTS data_points (
     resource INTEGER, metric INTEGER, attributes INTEGER, time_ms BIGINT, value DOUBLE, arrival_ms BIGINT, collector INTEGER, seq BIGINT)`,
  // topic = topics.id, see below
  `CREATE TABLE IF NOT EXISTS topic_traffic (
     topic INTEGER, minute INTEGER, messages INTEGER, payload_bytes BIGINT, retained INTEGER, last_ms BIGINT, publisher INTEGER, arrival_ms BIGINT, collector INTEGER, seq BIGINT)`,
  `CREATE TABLE IF NOT EXISTS sightings (
     resource INTEGER, source VARCHAR, arrival_ms BIGINT, count INTEGER, interval_ms DOUBLE, collector INTEGER, seq BIGINT)`,
  `CREATE TABLE IF NOT EXISTS device_reports (
     resource INTEGER, state VARCHAR, time_ms BIGINT, retained BOOLEAN, arrival_ms BIGINT, collector INTEGER, seq BIGINT)`,
  `CREATE TABLE IF NOT EXISTS clock_observations (
     from_resource INTEGER, to_resource INTEGER, at_ns BIGINT, raw_ns BIGINT, source VARCHAR, broker INTEGER, arrival_ms BIGINT, collector INTEGER, seq BIGINT)`,
  // at most 20,000 names a broker, then name '__other__'; broker = strings.id
  `CREATE TABLE IF NOT EXISTS topics (id INTEGER, broker INTEGER, name VARCHAR)`,
  `CREATE TABLE IF NOT EXISTS gaps (from_ms BIGINT, to_ms BIGINT, whose VARCHAR, what VARCHAR)`,

  // ---- judged: written by the audit alone
  // how far it has read: one row a collector
  `CREATE TABLE IF NOT EXISTS audit_cursors (collector INTEGER, seq BIGINT)`,
  // one row a device; number is what crossings carry. applications: JSON array of strings
  `CREATE TABLE IF NOT EXISTS devices (
     number INTEGER, id VARCHAR, name VARCHAR, site VARCHAR, applications VARCHAR, state VARCHAR, reason VARCHAR, since_ms BIGINT,
     last_seen_ms BIGINT, interval_ms DOUBLE, services VARCHAR)`,
  `CREATE TABLE IF NOT EXISTS device_events (device INTEGER, time_ms BIGINT, from_state VARCHAR, to_state VARCHAR, reason VARCHAR)`,
  // where a resource stands, resolved once (design.md section 13)
  `CREATE TABLE IF NOT EXISTS placings (resource INTEGER, device INTEGER, site VARCHAR, application VARCHAR)`,
  // sites seen or configured; lat/lon null when unknown
  `CREATE TABLE IF NOT EXISTS sites (id VARCHAR, name VARCHAR, lat DOUBLE, lon DOUBLE)`,
  // hop = hash64 of the names; destination is the template
  `CREATE TABLE IF NOT EXISTS hops (
     hop UBIGINT, from_service VARCHAR, from_site VARCHAR, from_application VARCHAR, to_service VARCHAR, to_site VARCHAR, to_application VARCHAR,
     system VARCHAR, destination VARCHAR, first_ms BIGINT)`,
  // bound_ns is +/- of added_ns. For clock-wrong offset_ns is the least error that is proven and added_ns is null; for a contradiction both
  // are. misplaced: the two cannot stand where they are said to, so floor_ns is not believed. passage_device = clock of passage_ns (-1 - collector);
  // grains: 1 caller's, 2 callee's stamps are whole milliseconds.
  // Raw stamps are never changed. offset_ns = callee's clock minus caller's at that time, bound_ns = +/- of it (null = open interval);
  // clock = 1 same-clock, 2 round-trip, 3 bounded, 4 assumed, 5 clock-wrong, 6 overlap, 7 contradiction. added_ns = corrected figure, null where none can be given.
  // Unique by (caller_*, callee_*). floor_ns / direct_floor_ns: design.md section 3.
  `CREATE TABLE IF NOT EXISTS crossings (
     caller_trace_hi UBIGINT, caller_trace_lo UBIGINT, caller_span UBIGINT, callee_trace_hi UBIGINT, callee_trace_lo UBIGINT, callee_span UBIGINT,
     hop UBIGINT, message BOOLEAN, linked BOOLEAN, error BOOLEAN,
     caller_device INTEGER, callee_device INTEGER, caller_start_ns BIGINT, caller_duration_ns BIGINT, callee_start_ns BIGINT, callee_duration_ns BIGINT,
     passage_ns BIGINT, broker INTEGER, minute INTEGER,
     raw_ns BIGINT, added_ns BIGINT, offset_ns BIGINT, bound_ns BIGINT, clock UTINYINT, floor_ns BIGINT, direct_floor_ns BIGINT,
     uplink_ns BIGINT, uplink_bound_ns BIGINT, downlink_ns BIGINT, downlink_bound_ns BIGINT,
     passage_device INTEGER, uplink_floor_ns BIGINT, grains UTINYINT, misplaced BOOLEAN)`,
  // (hop, minute) whose row must be recomputed; minutes whose clocks are judged again, once both sides have been heard
  `CREATE TABLE IF NOT EXISTS audit_dirty (hop UBIGINT, minute INTEGER)`,
  `CREATE TABLE IF NOT EXISTS audit_due (minute INTEGER, due_ms BIGINT)`,
  // what callers name leads to which hops: asked when an answer is missing
  `CREATE TABLE IF NOT EXISTS audit_traced (from_service VARCHAR, from_site VARCHAR, system VARCHAR, destination VARCHAR, hop UBIGINT)`,
  // callers without an answer 30 s after their span came; a late answer takes its row away
  // slice: ten seconds since the epoch; route: hash64 of what the caller named. Both null in rows of version 2
  `CREATE TABLE IF NOT EXISTS unanswered (
     trace_hi UBIGINT, trace_lo UBIGINT, span_id UBIGINT, hop UBIGINT, minute INTEGER, slice INTEGER, route UBIGINT)`,
  // what was read and not yet looked through for callers without an answer
  `CREATE TABLE IF NOT EXISTS audit_unchecked (collector INTEGER, after_seq BIGINT, upto_seq BIGINT, oldest_ms BIGINT, spans INTEGER, read_ms BIGINT)`,
  // (hop, minute) crossed for the first time, or no more: who was missed there is asked again
  `CREATE TABLE IF NOT EXISTS audit_heard (hop UBIGINT, minute INTEGER)`,
  // (hop, minute) whose slices must be recomputed
  `CREATE TABLE IF NOT EXISTS audit_live (hop UBIGINT, minute INTEGER)`,
  // one row per hop and ten seconds with traffic, against the budget of live_budgets (null: nobody's rule); kept for two days
  `CREATE TABLE IF NOT EXISTS hop_slices (
     hop UBIGINT, slice INTEGER, minute INTEGER, measured INTEGER, over_budget INTEGER, within_budget INTEGER, floor_over INTEGER, unanswered INTEGER)`,
  `CREATE TABLE IF NOT EXISTS live_budgets (hop UBIGINT, budget_ns BIGINT)`,
  // each change of a hop's live verdict; the last one holds (lib/domain/live-verdict.ts)
  `CREATE TABLE IF NOT EXISTS hop_verdicts (hop UBIGINT, from_slice INTEGER, verdict VARCHAR, over_since INTEGER, unanswered_since INTEGER)`,
  // one row per hop and minute. bound_ms = the largest that is known (null: none is), the share that is not is (assumed + clock_wrong + contradiction) / count. histogram rows beside it. minute is of the caller's start (clipped to arrival when absurd)
  `CREATE TABLE IF NOT EXISTS hop_minutes (
     hop UBIGINT, minute INTEGER, count INTEGER, requests INTEGER, errors INTEGER, unanswered INTEGER, sum_ms DOUBLE, max_ms DOUBLE, bound_ms DOUBLE,
     same_clock INTEGER, round_trip INTEGER, bounded INTEGER, assumed INTEGER, clock_wrong INTEGER, overlap INTEGER,
     floor_ms DOUBLE, direct_floor_ms DOUBLE, broker INTEGER, passages INTEGER, uplink_bound_ms DOUBLE, downlink_bound_ms DOUBLE, contradiction INTEGER)`,
  // kind: 0 added, 1 raw, 2 uplink, 3 downlink (lib/domain/histogram.ts buckets)
  `CREATE TABLE IF NOT EXISTS hop_minute_buckets (hop UBIGINT, minute INTEGER, kind UTINYINT, bucket SMALLINT, count INTEGER)`,
  // one row a trace; root_* of the root span, or of the earliest span while the root is missing (has_root false).
  // Every span that was read arrived between first_arrival_ms (null: nobody knows) and arrival_ms of a row of its trace
  `CREATE TABLE IF NOT EXISTS traces (
     trace_hi UBIGINT, trace_lo UBIGINT, start_ns BIGINT, duration_ns BIGINT, root_name INTEGER, root_resource INTEGER, has_root BOOLEAN,
     spans INTEGER, errors INTEGER, arrival_ms BIGINT, first_arrival_ms BIGINT)`,
  `CREATE TABLE IF NOT EXISTS topic_minutes (topic INTEGER, minute INTEGER, messages INTEGER, payload_bytes BIGINT, retained INTEGER, last_ms BIGINT)`,
  // on the collector's clock: offset = device - collector, which lies between low and high (null = open)
  `CREATE TABLE IF NOT EXISTS clocks (device INTEGER, minute INTEGER, offset_ns BIGINT, bound_ns BIGINT, method VARCHAR, low_ns BIGINT, high_ns BIGINT)`,
  // kind: step, misplaced, contradiction; devices and sites: JSON arrays of ids; nanos: of a step
  `CREATE TABLE IF NOT EXISTS clock_findings (kind VARCHAR, time_ms BIGINT, devices VARCHAR, sites VARCHAR, nanos BIGINT)`,
];
