/**
 * The tables on the server. All are WAL tables whose DEDUP UPSERT KEYS hold the designated time `ts`, so that rows which are sent again
 * change nothing and a derived row is replaced by the next one with its key.
 *
 * Received rows are keyed by what they were: batch (collector, seq) and row in it, at the arrival of the batch on the collector's clock.
 * Not at the sender's start, as a table of spans usually is: what is kept, and what the audit has not read yet, goes by arrival, and
 * rows then come in order of time, which is what the server takes fastest.
 *
 * There are no numbers for texts: a SYMBOL is the server's own dictionary, and several collectors write at once. '' is NULL.
 * Ids are LONG, the same 64 bits read as signed; -2^63 is NULL there and means itself (dialect.ts).
 *
 * Derived rows carry times that follow from what they are about, never the time of writing: a crossing stands at the minute of its caller, a
 * trace at the arrival of its first span. What was withdrawn is written again with `gone`.
 */
export const schemaVersion = 2;

export type ColumnKind = 'symbol' | 'indexed' | 'long' | 'int' | 'byte' | 'double' | 'text' | 'boolean';

export interface Table {
  partition: 'HOUR' | 'DAY' | 'MONTH' | 'YEAR';
  keys: readonly string[];
  /** in the order they are written; symbols first, as the line protocol wants it */
  columns: Record<string, ColumnKind>;
}

/** of a batch, at its arrival */
const received = (columns: Record<string, ColumnKind>): Table => ({
  partition: 'HOUR',
  keys: ['collector', 'seq', 'n'],
  columns: { collector: 'symbol', ...columns, seq: 'long', n: 'int' },
});

export const tables = {
  meta: { partition: 'YEAR', keys: ['key'], columns: { key: 'symbol', value: 'text' } },

  // ---- received. `bucket` of a trace id: 65,536 values, so an index finds a trace without a time (performance.md 10.9)
  spans: received({
    bucket: 'indexed',
    name: 'symbol',
    resource: 'symbol',
    system: 'symbol',
    destination: 'symbol',
    trace_hi: 'long',
    trace_lo: 'long',
    span_id: 'long',
    parent_id: 'long',
    start_ns: 'long',
    duration_ns: 'long',
    kind: 'byte',
    status: 'byte',
    flags: 'byte',
    operation: 'byte',
  }),
  links: received({
    bucket: 'indexed',
    to_bucket: 'indexed',
    trace_hi: 'long',
    trace_lo: 'long',
    span_id: 'long',
    to_trace_hi: 'long',
    to_trace_lo: 'long',
    to_span_id: 'long',
  }),
  passages: received({
    bucket: 'indexed',
    broker: 'symbol',
    topic: 'symbol',
    trace_hi: 'long',
    trace_lo: 'long',
    span_id: 'long',
    receive_ns: 'long',
    payload_bytes: 'int',
    qos: 'byte',
  }),
  data_points: received({
    resource: 'symbol',
    metric: 'symbol',
    attributes: 'symbol',
    time_ms: 'long',
    value: 'double',
  }),
  topic_traffic: received({
    broker: 'symbol',
    topic: 'symbol',
    publisher: 'symbol',
    minute: 'int',
    messages: 'long',
    payload_bytes: 'long',
    retained: 'long',
    last_ms: 'long',
  }),
  sightings: received({
    resource: 'symbol',
    source: 'symbol',
    arrival_ms: 'long',
    count: 'long',
    interval_ms: 'double',
  }),
  device_reports: received({ resource: 'symbol', state: 'symbol', time_ms: 'long', retained: 'boolean' }),
  clock_observations: received({
    from_resource: 'symbol',
    to_resource: 'symbol',
    source: 'symbol',
    broker: 'symbol',
    at_ns: 'long',
    raw_ns: 'long',
  }),
  // the request bodies, base64: the line protocol has no bytes
  bodies: received({ body: 'text' }),
  // written when all rows of the batch are with the server; reasons: JSON, count by reason of rejection
  batches: {
    partition: 'DAY',
    keys: ['collector', 'seq'],
    columns: {
      collector: 'symbol',
      seq: 'long',
      signal: 'byte',
      received: 'long',
      stored: 'long',
      duplicate: 'long',
      rejected: 'long',
      reasons: 'text',
    },
  },
  // what the batches of a day counted whose rows retention drops, run = cutoff of that retention; seqs: '1-7,9'
  settled_batches: {
    partition: 'YEAR',
    keys: ['collector', 'signal', 'run'],
    columns: {
      collector: 'symbol',
      signal: 'byte',
      run: 'long',
      received: 'long',
      stored: 'long',
      duplicate: 'long',
      rejected: 'long',
      reasons: 'text',
      seqs: 'text',
    },
  },
  // what bounds the symbols: at most 200,000 distinct texts, 20,000 resources, 20,000 topics a broker, then `__other__`
  texts: { partition: 'YEAR', keys: ['text'], columns: { text: 'text' } },
  topics: { partition: 'YEAR', keys: ['broker', 'topic'], columns: { broker: 'symbol', topic: 'text' } },
  // key: digest of what tells a resource apart
  resources: {
    partition: 'YEAR',
    keys: ['key'],
    columns: {
      key: 'symbol',
      service: 'text',
      namespace: 'text',
      instance: 'text',
      version: 'text',
      host_id: 'text',
      host_name: 'text',
      sdk_language: 'text',
      site: 'text',
      locality: 'text',
      lat: 'double',
      lon: 'double',
      cloud_region: 'text',
      attributes: 'text',
      first_ms: 'long',
      // in which order those of the same time came
      rank: 'int',
    },
  },
  // what each collector says of itself, at time 0 so that its next word takes the place of the last one. body: JSON; '-' = forgotten
  collector_reports: {
    partition: 'YEAR',
    keys: ['collector'],
    columns: { collector: 'symbol', at_ms: 'long', body: 'text' },
  },
  gaps: { partition: 'MONTH', keys: ['whose', 'what'], columns: { whose: 'symbol', what: 'text', to_ms: 'long' } },

  // ---- judged, by the audit alone. Devices by their ids: their numbers are the audit's own affair
  hops: {
    partition: 'YEAR',
    keys: ['hop'],
    columns: {
      hop: 'long',
      from_service: 'text',
      from_site: 'text',
      from_application: 'text',
      to_service: 'text',
      to_site: 'text',
      to_application: 'text',
      system: 'text',
      destination: 'text',
      first_ms: 'long',
    },
  },
  // at the minute of the caller. As in duckdb/schema.ts; passage_collector: whose clock passage_ns is of
  crossings: {
    partition: 'HOUR',
    keys: ['caller_trace_hi', 'caller_trace_lo', 'caller_span', 'callee_trace_hi', 'callee_trace_lo', 'callee_span'],
    columns: {
      bucket: 'indexed',
      callee_bucket: 'indexed',
      caller_device: 'symbol',
      callee_device: 'symbol',
      broker: 'symbol',
      passage_collector: 'symbol',
      caller_trace_hi: 'long',
      caller_trace_lo: 'long',
      caller_span: 'long',
      callee_trace_hi: 'long',
      callee_trace_lo: 'long',
      callee_span: 'long',
      hop: 'long',
      message: 'boolean',
      linked: 'boolean',
      error: 'boolean',
      caller_start_ns: 'long',
      caller_duration_ns: 'long',
      callee_start_ns: 'long',
      callee_duration_ns: 'long',
      passage_ns: 'long',
      raw_ns: 'long',
      added_ns: 'long',
      offset_ns: 'long',
      bound_ns: 'long',
      clock: 'byte',
      floor_ns: 'long',
      direct_floor_ns: 'long',
      uplink_ns: 'long',
      uplink_bound_ns: 'long',
      downlink_ns: 'long',
      downlink_bound_ns: 'long',
      uplink_floor_ns: 'long',
      grains: 'byte',
      misplaced: 'boolean',
      gone: 'boolean',
    },
  },
  // at the arrival of its first span
  traces: {
    partition: 'HOUR',
    keys: ['trace_hi', 'trace_lo'],
    columns: {
      bucket: 'indexed',
      root_name: 'symbol',
      root_resource: 'symbol',
      trace_hi: 'long',
      trace_lo: 'long',
      start_ns: 'long',
      duration_ns: 'long',
      has_root: 'boolean',
      spans: 'long',
      errors: 'long',
      last_arrival_ms: 'long',
      gone: 'boolean',
    },
  },
  // at the minute of the caller; route: hash of what it named; slice: ten seconds since the epoch
  unanswered: {
    partition: 'HOUR',
    keys: ['trace_hi', 'trace_lo', 'span_id'],
    columns: {
      bucket: 'indexed',
      trace_hi: 'long',
      trace_lo: 'long',
      span_id: 'long',
      hop: 'long',
      slice: 'int',
      route: 'long',
      gone: 'boolean',
    },
  },
  hop_minutes: {
    partition: 'DAY',
    keys: ['hop'],
    columns: {
      broker: 'symbol',
      hop: 'long',
      count: 'long',
      requests: 'long',
      errors: 'long',
      unanswered: 'long',
      sum_ms: 'double',
      max_ms: 'double',
      bound_ms: 'double',
      same_clock: 'long',
      round_trip: 'long',
      bounded: 'long',
      assumed: 'long',
      clock_wrong: 'long',
      overlap: 'long',
      contradiction: 'long',
      floor_ms: 'double',
      direct_floor_ms: 'double',
      passages: 'long',
      uplink_bound_ms: 'double',
      downlink_bound_ms: 'double',
      gone: 'boolean',
    },
  },
  // kind: 0 added, 1 raw, 2 uplink, 3 downlink; count 0: gone
  hop_minute_buckets: {
    partition: 'DAY',
    keys: ['hop', 'kind', 'bucket'],
    columns: { hop: 'long', kind: 'byte', bucket: 'int', count: 'long' },
  },
  topic_minutes: {
    partition: 'DAY',
    keys: ['broker', 'topic'],
    columns: {
      broker: 'symbol',
      topic: 'symbol',
      messages: 'long',
      payload_bytes: 'long',
      retained: 'long',
      last_ms: 'long',
    },
  },
  clocks: {
    partition: 'DAY',
    keys: ['device'],
    columns: {
      device: 'symbol',
      method: 'symbol',
      offset_ns: 'long',
      bound_ns: 'long',
      low_ns: 'long',
      high_ns: 'long',
      gone: 'boolean',
    },
  },
  device_events: {
    partition: 'MONTH',
    keys: ['device', 'from_state', 'to_state'],
    columns: { device: 'symbol', from_state: 'symbol', to_state: 'symbol', reason: 'text', time_ms: 'long' },
  },
} as const satisfies Record<string, Table>;

export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as TableName[];

/** What batches carry: their rows are with the server before the batch is. */
export const receivedTables = tableNames.filter((name) => (tables[name].keys as readonly string[]).includes('n'));

const typeOf: Record<ColumnKind, string> = {
  symbol: 'SYMBOL',
  indexed: 'SYMBOL CAPACITY 65536 INDEX',
  long: 'LONG',
  int: 'INT',
  byte: 'BYTE',
  double: 'DOUBLE',
  text: 'VARCHAR',
  boolean: 'BOOLEAN',
};

export const columnType = (kind: ColumnKind): string => typeOf[kind];

export function createStatement(name: TableName, prefix: string): string {
  const { columns, partition, keys }: Table = tables[name];
  const all = Object.entries(columns).map(([column, kind]) => `${column} ${typeOf[kind]}`);
  return `CREATE TABLE IF NOT EXISTS ${prefix}${name} (ts TIMESTAMP, ${all.join(', ')}) TIMESTAMP(ts)
    PARTITION BY ${partition} WAL DEDUP UPSERT KEYS(ts, ${keys.join(', ')})`;
}
