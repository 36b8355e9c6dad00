import { parseSpanId, spanIdHex, traceIdHex } from '#lib/domain/ids.ts';
import { noResource, type Span } from '#lib/domain/span.ts';
import { type EpochMillis, epochMillisOf, millisOfNanos, nanosOfMillis, nanosPerMilli } from '#lib/domain/units.ts';
import { ascending } from '../ascending.ts';
import type { DecodeSpans, RawElsewhere } from '../raw.ts';
import type { Store, StoredSpan, TraceQuery, TraceRow, TraceTrail } from '../store.ts';
import type { Appender } from './append.ts';
import type { Database } from './database.ts';
import type { Dictionary } from './dictionary.ts';
import type { Known, Place } from './known.ts';
import { type Param, yieldToEvents } from './session.ts';

type TraceReads = Pick<
  Store,
  'traceTrail' | 'spansOfTrace' | 'linkedTraces' | 'passagesOfTrace' | 'searchTraces' | 'services' | 'servicesHeard'
>;

interface Means {
  db: Database;
  dictionary: Dictionary;
  decodeSpans: DecodeSpans;
  rawElsewhere: RawElsewhere | undefined;
  appender: Pick<Appender, 'holds' | 'watermarks'>;
  known: Known;
}

export const traceReads = (means: Means): TraceReads => {
  const { db, dictionary } = means;
  return {
    traceTrail: (traceHi, traceLo) => traceTrail(means, traceHi, traceLo),

    async spansOfTrace(traceHi, traceLo, limit = 10_000, trail) {
      const known = (trail as Trail | undefined) ?? (await traceTrail(means, traceHi, traceLo));
      if (!known) return { spans: [], total: 0 };
      return spansOfTrace(means, traceHi, traceLo, limit, known);
    },

    async linkedTraces(traceHi, traceLo) {
      if (!means.appender.holds.links) return [];
      const [to, from] = await Promise.all([
        db.all<TraceWords>(`SELECT to_trace_hi AS hi, to_trace_lo AS lo ${linkedSql('trace', 'to_trace')}`, [
          traceHi,
          traceLo,
        ]),
        db.all<TraceWords>(`SELECT trace_hi AS hi, trace_lo AS lo ${linkedSql('to_trace', 'trace')}`, [
          traceHi,
          traceLo,
        ]),
      ]);
      const ids = (rows: TraceWords[]): string[] => [...new Set(rows.map(({ hi, lo }) => traceIdHex(hi, lo)))].sort();
      return [
        ...ids(to).map((traceId) => ({ traceId, direction: 'to' as const })),
        ...ids(from).map((traceId) => ({ traceId, direction: 'from' as const })),
      ].slice(0, 50);
    },

    async passagesOfTrace(traceHi, traceLo) {
      if (!means.appender.holds.passages) return [];
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

    async servicesHeard(fromMs, toMs) {
      const rows = await db.all<ServiceRow>(
        `SELECT r.service, r.version, d.id AS device, p.site, p.application, min(s.first) AS first, max(s.last) AS last, sum(s.arrivals)::INTEGER AS arrivals
         FROM (SELECT resource, min(arrival_ms) AS first, max(arrival_ms) AS last, count(DISTINCT arrival_ms) AS arrivals FROM spans
               WHERE arrival_ms >= $1 AND arrival_ms < $2 GROUP BY resource) s
         JOIN resources r ON r.id = s.resource JOIN placings p ON p.resource = s.resource JOIN devices d ON d.number = p.device
         WHERE r.service <> '' GROUP BY r.service, r.version, d.id, p.site, p.application ORDER BY r.service, first, d.id, r.version`,
        [fromMs, toMs],
      );
      return rows.map(({ first, last, ...row }) => ({ ...row, firstMs: Number(first), lastMs: Number(last) }));
    },
  };
};

interface ServiceRow {
  service: string;
  version: string;
  device: string;
  site: string;
  application: string;
  first: bigint;
  last: bigint;
  arrivals: number;
}

interface TraceWords {
  hi: bigint;
  lo: bigint;
}

/** Links of a trace with others, those of one end. Few of them are distinct: a trace that links to one other does so from many spans. */
const linkedSql = (own: string, other: string): string =>
  `FROM links WHERE ${own}_hi = $1 AND ${own}_lo = $2 AND NOT (${other}_hi = $1 AND ${other}_lo = $2) LIMIT 10000`;

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
}

const spanColumns =
  'span_id, parent_id, start_ns, duration_ns, arrival_ms, collector, seq, kind, status, flags, name, resource, system, destination';

/** More rows than this are made distinct and cut by the engine. */
const rowsAtOnce = 10_000;

interface Trail extends TraceTrail {
  /** each span once, the one that came first, by start; at most rowsAtOnce */
  rows: SpanRow[];
  places: ReadonlyMap<number, Place>;
}

/**
 * The summary of a trace says between which arrivals its spans lie, and the rows of all other times need not be opened; what the audit has
 * not summed up yet is the end of the table. What else a statement costs that finds a few rows is its operators: those that group, join and
 * sort are left to us, and so is the second look for those who ask for more of the trace.
 */
async function traceTrail({ db, appender, known }: Means, traceHi: bigint, traceLo: bigint): Promise<Trail | null> {
  // asked before the summaries: what is read meanwhile then stands in both places, never in neither
  const readThrough = await known.auditedThrough(appender.watermarks().size);
  const ofTrace = `SELECT ${spanColumns} FROM spans WHERE trace_hi = $1 AND trace_lo = $2 AND`;
  const most = `LIMIT ${rowsAtOnce + 1}`;
  const [summaries, tail] = await Promise.all([
    db.columns<[BigInt64Array, BigInt64Array]>(
      'SELECT coalesce(first_arrival_ms, 0), arrival_ms FROM traces WHERE trace_hi = $1 AND trace_lo = $2',
      [traceHi, traceLo],
    ),
    db.all<SpanRow>(`${ofTrace} seq > $3 ${most}`, [traceHi, traceLo, readThrough]),
  ]);
  const [firsts, lasts] = summaries.values;
  const range = [firsts.sort()[0] ?? 1n, lasts.sort().at(-1) ?? 0n];
  const summed = await db.all<SpanRow>(`${ofTrace} arrival_ms >= $3 AND arrival_ms <= $4 ${most}`, [
    traceHi,
    traceLo,
    ...range,
  ]);
  const found = [...summed, ...tail];
  const distinct =
    found.length > rowsAtOnce
      ? await db.all<SpanRow & { total: bigint }>(manyRowsSql, [traceHi, traceLo, ...range, readThrough])
      : distinctRows(found);
  const [any] = distinct;
  // asked for the unknown as for the hidden one: both take as long
  const places = await known.places(new Set(distinct.map((row) => row.resource)));
  if (!any) return null;
  const applications = new Set(distinct.map((row) => places.get(row.resource)?.application ?? ''));
  const times = distinct.flatMap((row) => [Number(row.arrival_ms), epochMillisOf(row.start_ns)]);
  return {
    applications: [...applications],
    total: 'total' in any ? Number(any.total) : distinct.length,
    fromMs: times.reduce((a, b) => Math.min(a, b)),
    toMs: times.reduce((a, b) => Math.max(a, b)),
    rows: distinct,
    places,
  };
}

const manyRowsSql = `
  SELECT *, count(*) OVER () AS total FROM (
    SELECT ${spanColumns} FROM spans WHERE trace_hi = $1 AND trace_lo = $2 AND (arrival_ms BETWEEN $3 AND $4 OR seq > $5)
    QUALIFY row_number() OVER (PARTITION BY span_id ORDER BY arrival_ms, collector, seq) = 1)
  ORDER BY start_ns, span_id LIMIT ${rowsAtOnce}`;

function distinctRows(found: SpanRow[]): SpanRow[] {
  const first = new Map<bigint, SpanRow>();
  for (const row of found.sort(byArrival)) if (!first.has(row.span_id)) first.set(row.span_id, row);
  return [...first.values()].sort((a, b) => ascending(a.start_ns, b.start_ns) || ascending(a.span_id, b.span_id));
}

const byArrival = (a: SpanRow, b: SpanRow): number =>
  ascending(a.arrival_ms, b.arrival_ms) || a.collector - b.collector || ascending(a.seq, b.seq);

/** A trace may be spread over as many batches as it has spans: unpacked a few at a time. */
const batchesAtOnce = 32;

async function spansOfTrace(
  means: Means,
  traceHi: bigint,
  traceLo: bigint,
  limit: number,
  trail: Trail,
): Promise<{ spans: StoredSpan[]; total: number }> {
  const { dictionary, decodeSpans } = means;
  const rows = trail.rows.slice(0, limit);
  const wanted = new Set(rows.map((row) => row.span_id));
  const decoded = new Map<bigint, Span>();
  const batches = new Map(rows.map((row) => [`${row.collector} ${row.seq}`, row]));
  const origins = [...batches.values()];
  for (let from = 0; from < origins.length; from += batchesAtOnce) {
    for (const raw of await rawBatches(means, origins.slice(from, from + batchesAtOnce))) {
      for (const span of decode(decodeSpans, raw, traceHi, traceLo)) {
        const id = parseSpanId(span.spanId);
        if (id !== null && wanted.has(id) && !decoded.has(id)) decoded.set(id, span);
      }
      await yieldToEvents();
    }
  }
  const traceId = traceIdHex(traceHi, traceLo);
  const spans = rows.map<StoredSpan>((row) => ({
    ...(decoded.get(row.span_id) ?? spanOfColumns(row, traceId, dictionary)),
    deviceId: trail.places.get(row.resource)?.deviceId ?? '',
    site: trail.places.get(row.resource)?.site ?? '',
    application: trail.places.get(row.resource)?.application ?? '',
    flags: row.flags,
    arrivalMs: Number(row.arrival_ms),
    system: dictionary.text(row.system),
    destination: dictionary.text(row.destination),
  }));
  return { spans, total: trail.total };
}

interface RawRow {
  raw: Uint8Array | null;
}

async function rawBatches(means: Means, origins: SpanRow[]): Promise<Uint8Array[]> {
  const found = await Promise.all(
    origins.map((origin) => means.rawElsewhere?.(means.dictionary.text(origin.collector), Number(origin.seq))),
  );
  const missing = origins.filter((_, i) => !found[i]);
  return [...found, ...(await storedRawBatches(means.db, missing))].filter((raw) => raw != null);
}

async function storedRawBatches(db: Database, origins: SpanRow[]): Promise<(Uint8Array | null)[]> {
  const [first] = origins;
  if (!first) return [];
  if (origins.length === 1) {
    const rows = await db.all<RawRow>('SELECT raw FROM batches WHERE arrival_ms = $1 AND collector = $2 AND seq = $3', [
      first.arrival_ms,
      first.collector,
      first.seq,
    ]);
    return rows.map(({ raw }) => raw);
  }
  const arrivals = origins.map((row) => Number(row.arrival_ms));
  const rows = await db.all<RawRow>(
    // by row number: a join on the outside would first read every body of the vectors it touches
    `SELECT raw FROM batches WHERE rowid IN (
       SELECT rowid FROM batches WHERE arrival_ms >= $1 AND arrival_ms <= $2
         AND (collector, seq) IN (SELECT unnest($3::INTEGER[]), unnest($4::BIGINT[])))`,
    [Math.min(...arrivals), Math.max(...arrivals), origins.map((row) => row.collector), origins.map((row) => row.seq)],
  );
  return rows.map(({ raw }) => raw);
}

function decode(decodeSpans: DecodeSpans, raw: Uint8Array, traceHi: bigint, traceLo: bigint): Span[] {
  try {
    return decodeSpans(raw, (hi, lo) => hi === traceHi && lo === traceLo);
  } catch {
    // A damaged body must not hide the trace: its spans are shown with what the columns know, and say so (spanOfColumns)
    return [];
  }
}

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
  const orderBy =
    query.order === 'slowest' ? 't.duration_ns DESC, t.start_ns DESC' : 't.start_ns DESC, t.trace_hi, t.trace_lo';
  const resources = await resourcesOf(db, query, dictionary);
  if (resources?.length === 0) return [];
  if (resources && query.hop === undefined) {
    const first = await searchFirst(db, { where, params: [...params], orderBy, resources, limit: query.limit });
    if (first) return first.map((row) => traceRowOf(row, dictionary));
  }
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
  const rows = await db.all<TraceSqlRow>(tracesSql(where, orderBy, bind(query.limit)), params);
  return rows.map((row) => traceRowOf(row, dictionary));
}

const tracesSql = (where: string[], orderBy: string, limit: string): string => `
  SELECT f.*, coalesce(p.site, '') AS site, coalesce(p.application, '') AS application
  FROM (SELECT * FROM traces t WHERE ${where.join(' AND ')} ORDER BY ${orderBy} LIMIT ${limit}) f
  LEFT JOIN placings p ON p.resource = f.root_resource ORDER BY ${orderBy.replaceAll('t.', 'f.')}`;

const traceRowOf = (row: TraceSqlRow, dictionary: Dictionary): TraceRow => ({
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
});

interface FirstSearch {
  where: string[];
  params: Param[];
  orderBy: string;
  resources: number[];
  limit: number;
}

/**
 * A service that is in every tenth trace is found among the first ones of the list: only their spans are looked at.
 * null: too few of them have it, look at all.
 */
async function searchFirst(db: Database, search: FirstSearch): Promise<TraceSqlRow[] | null> {
  const most = 10 * search.limit;
  const bound = [...search.params, most];
  const first = await db.all<TraceSqlRow & { arrival_ms: bigint }>(
    tracesSql(search.where, search.orderBy, `$${bound.length}`),
    bound,
  );
  if (first.length === 0) return [];
  const arrivals = first.map((row) => Number(row.arrival_ms));
  const holders = await db.all<TraceWords>(
    `WITH wanted AS (SELECT unnest($1::UBIGINT[]) AS hi, unnest($2::UBIGINT[]) AS lo)
     SELECT DISTINCT w.hi, w.lo FROM spans s JOIN wanted w ON s.trace_lo = w.lo AND s.trace_hi = w.hi
     WHERE s.arrival_ms >= $3 AND s.arrival_ms <= $4 AND list_contains($5::INTEGER[], s.resource)`,
    [
      first.map((row) => row.trace_hi),
      first.map((row) => row.trace_lo),
      Math.min(...arrivals) - apartMs,
      Math.max(...arrivals) + apartMs,
      search.resources,
    ],
  );
  const found = new Set(holders.map(({ hi, lo }) => traceIdHex(hi, lo)));
  const rows = first.filter((row) => found.has(traceIdHex(row.trace_hi, row.trace_lo)));
  return rows.length >= search.limit || first.length < most ? rows.slice(0, search.limit) : null;
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
