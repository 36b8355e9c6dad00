import { parseSpanId, spanIdHex, traceIdHex } from '#lib/domain/ids.ts';
import type { Resource, Span } from '#lib/domain/span.ts';
import { type EpochMillis, millisOfNanos, nanosOfMillis, nanosPerMilli } from '#lib/domain/units.ts';
import type { Store, StoredSpan, TraceQuery, TraceRow, TraceTrail } from '../store.ts';
import type { Database } from './database.ts';
import type { Dictionary } from './dictionary.ts';
import { type Param, yieldToEvents } from './session.ts';

/** Spans of the wanted traces out of a raw batch (lib/wire/raw-batch.ts): given in, since the store knows no wire format. */
export type DecodeSpans = (raw: Uint8Array, wanted: (traceHi: bigint, traceLo: bigint) => boolean) => Span[];

type TraceReads = Pick<Store, 'traceTrail' | 'spansOfTrace' | 'linkedTraces' | 'passagesOfTrace' | 'searchTraces' | 'services'>;

export const traceReads = (db: Database, dictionary: Dictionary, decodeSpans: DecodeSpans): TraceReads => ({
  traceTrail: (traceHi, traceLo) => traceTrail(db, traceHi, traceLo),

  async spansOfTrace(traceHi, traceLo, limit = 10_000, trail) {
    const known = trail ?? (await traceTrail(db, traceHi, traceLo));
    if (!known) return { spans: [], total: 0 };
    return spansOfTrace(db, dictionary, decodeSpans, traceHi, traceLo, limit, known);
  },

  async linkedTraces(traceHi, traceLo) {
    const rows = await db.all<{ hi: bigint; lo: bigint; direction: 'to' | 'from' }>(
      `SELECT DISTINCT hi, lo, direction FROM (
         SELECT to_trace_hi AS hi, to_trace_lo AS lo, 'to' AS direction FROM links WHERE trace_hi = $1 AND trace_lo = $2
         UNION ALL SELECT trace_hi, trace_lo, 'from' FROM links WHERE to_trace_hi = $1 AND to_trace_lo = $2)
       WHERE NOT (hi = $1 AND lo = $2) ORDER BY direction DESC, hi, lo LIMIT 50`,
      [traceHi, traceLo],
    );
    return rows.map(({ hi, lo, direction }) => ({ traceId: traceIdHex(hi, lo), direction }));
  },

  async passagesOfTrace(traceHi, traceLo) {
    const rows = await db.all<{
      broker: number;
      topic: number;
      span_id: bigint;
      receive_ns: bigint;
      payload_bytes: number;
      qos: number;
    }>(
      `SELECT broker, topic, span_id, min(receive_ns) AS receive_ns, any_value(payload_bytes) AS payload_bytes, any_value(qos) AS qos
       FROM passages WHERE trace_hi = $1 AND trace_lo = $2 GROUP BY broker, topic, span_id ORDER BY min(receive_ns) LIMIT 1000`,
      [traceHi, traceLo],
    );
    return rows.map((row) => ({
      broker: dictionary.text(row.broker),
      topic: dictionary.topic(row.topic)?.name ?? '',
      spanId: spanIdHex(row.span_id),
      receiveNanos: row.receive_ns,
      payloadBytes: row.payload_bytes,
      qos: row.qos,
    }));
  },

  searchTraces: (query) => searchTraces(db, dictionary, query),

  async services() {
    return db.all<{ service: string; application: string; sites: string[] }>(
      `SELECT r.service, p.application, list_sort(list(DISTINCT p.site)) AS sites FROM placings p JOIN resources r ON r.id = p.resource
       WHERE r.service <> '' GROUP BY r.service, p.application ORDER BY r.service, p.application`,
    );
  },
});

// ---- one trace

/** What the columns say of a span; everything else is in the raw batch it came in. */
interface SpanRow {
  span_id: bigint;
  parent_id: bigint;
  start_ns: bigint;
  duration_ns: bigint;
  arrival_ms: bigint;
  collector: number;
  seq: bigint;
  kind: number;
  status: number;
  flags: number;
  name: number;
  resource: number;
  system: number;
  destination: number;
  total: bigint;
}

/**
 * Two columns of all row groups say when it arrived; the other columns are then read of the row groups of those moments alone.
 * Asked for at once, every column of every row group is opened.
 */
async function traceTrail(db: Database, traceHi: bigint, traceLo: bigint): Promise<TraceTrail | null> {
  const rows = await db.all<{ arrival_ms: bigint; application: string; first_ns: bigint; last_ns: bigint }>(
    `SELECT m.arrival_ms, coalesce(p.application, '') AS application, m.first_ns, m.last_ns
     FROM (SELECT arrival_ms, resource, min(start_ns) AS first_ns, max(start_ns) AS last_ns
           FROM spans WHERE trace_hi = $1 AND trace_lo = $2 GROUP BY arrival_ms, resource) m
     LEFT JOIN placings p ON p.resource = m.resource`,
    [traceHi, traceLo],
  );
  if (rows.length === 0) return null;
  const arrivals = new Set<number>();
  let fromMs = Number.MAX_SAFE_INTEGER;
  let toMs = 0;
  for (const row of rows) {
    const arrivalMs = Number(row.arrival_ms);
    arrivals.add(arrivalMs);
    fromMs = Math.min(fromMs, arrivalMs, Math.floor(millisOfNanos(row.first_ns)));
    toMs = Math.max(toMs, arrivalMs, Math.ceil(millisOfNanos(row.last_ns)));
  }
  const applications = [...new Set(rows.map((row) => row.application))];
  return { applications, arrivalsMs: [...arrivals], fromMs, toMs };
}

/** Row groups are passed over by constants only. Few moments: each; many: all between the first and the last. */
const singleArrivals = 8;

function arrivedAt(arrivalsMs: number[], firstParam: number): { where: string; params: number[] } {
  if (arrivalsMs.length > singleArrivals) {
    let first = arrivalsMs[0]!;
    let last = first;
    for (const ms of arrivalsMs) {
      if (ms < first) first = ms;
      if (ms > last) last = ms;
    }
    return { where: `arrival_ms >= $${firstParam} AND arrival_ms <= $${firstParam + 1}`, params: [first, last] };
  }
  // filled up to one of two lengths: every text is a prepared statement
  const length = arrivalsMs.length > 2 ? singleArrivals : 2;
  const params = Array.from({ length }, (_, i) => arrivalsMs[i] ?? arrivalsMs[0]!);
  return { where: `arrival_ms IN (${params.map((_, i) => `$${firstParam + i}`).join(', ')})`, params };
}

const spanRowsSql = (arrived: string): string => `
  SELECT *, count(*) OVER () AS total FROM (
    SELECT span_id, parent_id, start_ns, duration_ns, arrival_ms, collector, seq, kind, status, flags, name, resource, system, destination
    FROM spans WHERE trace_hi = $1 AND trace_lo = $2 AND ${arrived}
    QUALIFY row_number() OVER (PARTITION BY span_id ORDER BY arrival_ms, collector, seq) = 1)
  ORDER BY start_ns, span_id LIMIT $3`;

interface Place {
  resource: number;
  device: string;
  site: string;
  application: string;
}

const placesSql = `
  SELECT p.resource, coalesce(d.id, '') AS device, p.site, p.application
  FROM placings p LEFT JOIN devices d ON d.number = p.device WHERE list_contains($1::INTEGER[], p.resource)`;

/** A trace may be spread over as many batches as it has spans: unpacked a few at a time. */
const batchesAtOnce = 32;

async function spansOfTrace(
  db: Database,
  dictionary: Dictionary,
  decodeSpans: DecodeSpans,
  traceHi: bigint,
  traceLo: bigint,
  limit: number,
  trail: TraceTrail,
): Promise<{ spans: StoredSpan[]; total: number }> {
  const { where, params } = arrivedAt(trail.arrivalsMs, 4);
  const rows = await db.all<SpanRow>(spanRowsSql(where), [traceHi, traceLo, limit, ...params]);
  if (rows.length === 0) return { spans: [], total: 0 };
  const placesRead = db.all<Place>(placesSql, [[...new Set(rows.map((row) => row.resource))]]);
  placesRead.catch(() => {}); // awaited below: a body that cannot be read must not leave it unheard
  const wanted = new Set(rows.map((row) => row.span_id));
  const decoded = new Map<bigint, Span>();
  const batches = new Map(rows.map((row) => [`${row.collector} ${row.seq}`, row]));
  const origins = [...batches.values()];
  for (let from = 0; from < origins.length; from += batchesAtOnce) {
    for (const raw of await rawBatches(db, origins.slice(from, from + batchesAtOnce), batches)) {
      for (const span of decode(decodeSpans, raw, traceHi, traceLo)) {
        const id = parseSpanId(span.spanId);
        if (id !== null && wanted.has(id) && !decoded.has(id)) decoded.set(id, span);
      }
      await yieldToEvents();
    }
  }
  const traceId = traceIdHex(traceHi, traceLo);
  const places = new Map((await placesRead).map((place) => [place.resource, place]));
  const spans = rows.map<StoredSpan>((row) => ({
    ...(decoded.get(row.span_id) ?? spanOfColumns(row, traceId, dictionary)),
    deviceId: places.get(row.resource)?.device ?? '',
    site: places.get(row.resource)?.site ?? '',
    application: places.get(row.resource)?.application ?? '',
    flags: row.flags,
    arrivalMs: Number(row.arrival_ms),
    system: dictionary.text(row.system),
    destination: dictionary.text(row.destination),
  }));
  return { spans, total: Number(rows[0]!.total) };
}

async function rawBatches(db: Database, origins: SpanRow[], known: Map<string, SpanRow>): Promise<Uint8Array[]> {
  const arrivals = origins.map((row) => Number(row.arrival_ms));
  const found = await db.all<{ collector: number; seq: bigint; raw: Uint8Array | null }>(
    // by row number: a join on the outside would first read every body of the vectors it touches
    `SELECT collector, seq, raw FROM batches WHERE rowid IN (
       SELECT rowid FROM batches WHERE arrival_ms >= $1 AND arrival_ms <= $2
         AND (collector, seq) IN (SELECT unnest($3::INTEGER[]), unnest($4::BIGINT[])))`,
    [Math.min(...arrivals), Math.max(...arrivals), origins.map((row) => row.collector), origins.map((row) => row.seq)],
  );
  return found.flatMap(({ collector, seq, raw }) => (raw && known.has(`${collector} ${seq}`) ? [raw] : []));
}

function decode(decodeSpans: DecodeSpans, raw: Uint8Array, traceHi: bigint, traceLo: bigint): Span[] {
  try {
    return decodeSpans(raw, (hi, lo) => hi === traceHi && lo === traceLo);
  } catch {
    // A damaged body must not hide the trace: its spans are shown with what the columns know, and say so (spanOfColumns)
    return [];
  }
}

const noResource: Resource = {
  serviceName: '',
  serviceNamespace: '',
  serviceInstanceId: '',
  serviceVersion: '',
  hostId: '',
  hostName: '',
  sdkLanguage: '',
  site: '',
  locality: '',
  lat: null,
  lon: null,
  cloudRegion: '',
  attributesJson: '',
};

const spanOfColumns = (row: SpanRow, traceId: string, dictionary: Dictionary): Span => ({
  traceId,
  spanId: spanIdHex(row.span_id),
  parentSpanId: row.parent_id === 0n ? '' : spanIdHex(row.parent_id),
  name: dictionary.text(row.name),
  kind: row.kind,
  startNanos: row.start_ns,
  endNanos: row.start_ns + row.duration_ns,
  status: row.status,
  statusMessage: '',
  attributes: { 'hopscope.detail': 'the body this span came in can no longer be read' },
  events: [],
  links: [],
  resource: dictionary.resource(row.resource) ?? noResource,
  scopeName: '',
});

// ---- search

/** Spans of a trace arrive within this of each other, or the filter by service or device may miss the trace. */
const apartMs = 3_600_000;

async function searchTraces(db: Database, dictionary: Dictionary, query: TraceQuery): Promise<TraceRow[]> {
  const params: Param[] = [];
  const bind = (value: Param): string => `$${params.push(value)}`;
  const where = [`t.start_ns >= ${bind(nanosAt(query.fromMs))}`, `t.start_ns < ${bind(nanosAt(query.toMs))}`];
  if (query.beforeNanos !== undefined) where.push(`t.start_ns < ${bind(query.beforeNanos)}`);
  if (query.minDurationMs !== undefined) where.push(`t.duration_ns >= ${bind(nanosOfMillis(query.minDurationMs))}`);
  if (query.maxDurationMs !== undefined) where.push(`t.duration_ns <= ${bind(nanosOfMillis(query.maxDurationMs))}`);
  if (query.errorsOnly) where.push('t.errors > 0');
  if (query.rootName !== undefined) {
    const name = dictionary.textId(query.rootName);
    if (name === undefined) return [];
    where.push(`t.root_name = ${bind(name)}`);
  }
  const resources = await resourcesOf(db, query, dictionary);
  if (resources?.length === 0) return [];
  if (resources || query.hop !== undefined) {
    const [range] = await db.all<{ first: bigint | null; last: bigint | null }>(
      `SELECT min(arrival_ms) AS first, max(arrival_ms) AS last FROM traces t WHERE ${where.join(' AND ')}`,
      params,
    );
    if (range?.first == null || range.last == null) return [];
    const fromMs = Number(range.first) - apartMs;
    const toMs = Number(range.last) + apartMs;
    if (resources) {
      where.push(`(t.trace_hi, t.trace_lo) IN (SELECT trace_hi, trace_lo FROM spans
        WHERE arrival_ms >= ${bind(fromMs)} AND arrival_ms <= ${bind(toMs)} AND resource IN (SELECT unnest(${bind(resources)}::INTEGER[])))`);
    }
    if (query.hop !== undefined) {
      const hop = bind(query.hop);
      where.push(`(t.trace_hi, t.trace_lo) IN (SELECT caller_trace_hi, caller_trace_lo FROM crossings WHERE hop = ${hop}
        UNION SELECT callee_trace_hi, callee_trace_lo FROM crossings WHERE hop = ${hop})`);
    }
  }
  const order =
    query.order === 'slowest' ? 't.duration_ns DESC, t.start_ns DESC' : 't.start_ns DESC, t.trace_hi, t.trace_lo';
  const rows = await db.all<TraceSqlRow>(
    `SELECT f.*, coalesce(p.site, '') AS site, coalesce(p.application, '') AS application
     FROM (SELECT * FROM traces t WHERE ${where.join(' AND ')} ORDER BY ${order} LIMIT ${bind(query.limit)}) f
     LEFT JOIN placings p ON p.resource = f.root_resource ORDER BY ${order.replaceAll('t.', 'f.')}`,
    params,
  );
  return rows.map<TraceRow>((row) => ({
    traceId: traceIdHex(row.trace_hi, row.trace_lo),
    startNanos: row.start_ns,
    durationMs: millisOfNanos(row.duration_ns),
    rootName: dictionary.text(row.root_name),
    rootService: dictionary.resource(row.root_resource)?.serviceName ?? '',
    rootSite: row.site,
    application: row.application,
    hasRoot: row.has_root,
    spans: row.spans,
    errors: row.errors,
  }));
}

interface TraceSqlRow {
  trace_hi: bigint;
  trace_lo: bigint;
  start_ns: bigint;
  duration_ns: bigint;
  root_name: number;
  root_resource: number;
  has_root: boolean;
  spans: number;
  errors: number;
  site: string;
  application: string;
}

const nanosAt = (ms: EpochMillis): bigint => BigInt(Math.floor(ms)) * nanosPerMilli;

/** Resources that a span must have one of; null = any. */
async function resourcesOf(db: Database, query: TraceQuery, dictionary: Dictionary): Promise<number[] | null> {
  let resources: number[] | null = null;
  if (query.service !== undefined) {
    resources = dictionary.resources.flatMap((resource, id) => (resource?.serviceName === query.service ? [id] : []));
  }
  if (query.deviceId !== undefined) {
    const rows = await db.all<{ resource: number }>(
      'SELECT p.resource FROM placings p JOIN devices d ON d.number = p.device WHERE d.id = $1',
      [query.deviceId],
    );
    const ofDevice = new Set(rows.map((row) => row.resource));
    resources = resources ? resources.filter((id) => ofDevice.has(id)) : [...ofDevice];
  }
  return resources;
}
