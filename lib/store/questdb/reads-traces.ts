import { parseSpanId, spanIdHex, traceIdHex } from '#lib/domain/ids.ts';
import { noResource, type Span } from '#lib/domain/span.ts';
import { type EpochMillis, epochMillisOf, millisOfNanos, nanosOfMillis, nanosPerMilli } from '#lib/domain/units.ts';
import { ascending } from '../ascending.ts';
import type { DecodeSpans, RawElsewhere } from '../raw.ts';
import type { ServiceHeard, Store, StoredSpan, TraceQuery, TraceRow, TraceTrail } from '../store.ts';
import type { AuditBook, Place } from './audit-book.ts';
import { bucketOf, idsAtOnce, listed, microsOf, parts, placeholders, signed, unsigned } from './dialect.ts';
import type { Known } from './known.ts';
import type { Param, Server } from './server.ts';

type TraceReads = Pick<
  Store,
  'traceTrail' | 'spansOfTrace' | 'linkedTraces' | 'passagesOfTrace' | 'searchTraces' | 'services' | 'servicesHeard'
>;

interface Means {
  server: Server;
  book: AuditBook;
  known: Known;
  decodeSpans: DecodeSpans;
  rawElsewhere: RawElsewhere | undefined;
}

export const traceReads = (means: Means): TraceReads => {
  const { server, book, known } = means;
  return {
    traceTrail: (traceHi, traceLo) => traceTrail(means, traceHi, traceLo),

    async spansOfTrace(traceHi, traceLo, limit = 10_000, trail) {
      const found = (trail as Trail | undefined) ?? (await traceTrail(means, traceHi, traceLo));
      if (!found) return { spans: [], total: 0 };
      return spansOfTrace(means, traceHi, traceLo, limit, found);
    },

    async linkedTraces(traceHi, traceLo) {
      const hi = signed(traceHi);
      const lo = signed(traceLo);
      const linked = (own: string, other: string, bucket: string) =>
        server.all<{ hi: bigint | null; lo: bigint | null }>(
          `SELECT DISTINCT ${other}_hi AS hi, ${other}_lo AS lo FROM ${server.table('links')}
           WHERE ${bucket} = $1 AND ${own}_lo = $2 AND ${own}_hi = $3 LIMIT 10000`,
          [bucketOf(traceLo), lo, hi],
        );
      const [to, from] = await Promise.all([
        linked('trace', 'to_trace', 'bucket'),
        linked('to_trace', 'trace', 'to_bucket'),
      ]);
      const own = traceIdHex(traceHi, traceLo);
      const ids = (rows: typeof to): string[] =>
        [...new Set(rows.map((row) => traceIdHex(unsigned(row.hi), unsigned(row.lo))))]
          .filter((id) => id !== own)
          .sort();
      return [
        ...ids(to).map((traceId) => ({ traceId, direction: 'to' as const })),
        ...ids(from).map((traceId) => ({ traceId, direction: 'from' as const })),
      ].slice(0, 50);
    },

    async passagesOfTrace(traceHi, traceLo) {
      const rows = await server.all<{
        broker: string | null;
        topic: string | null;
        span_id: bigint | null;
        received: bigint;
        payload_bytes: number;
        qos: number;
      }>(
        `SELECT broker, topic, span_id, min(receive_ns) AS received, first(payload_bytes) AS payload_bytes, first(qos) AS qos
         FROM ${server.table('passages')} WHERE ${ofTrace} ORDER BY received LIMIT 1000`,
        traceParams(traceHi, traceLo),
      );
      return rows.map((row) => ({
        broker: row.broker ?? '',
        topic: row.topic ?? '',
        spanId: spanIdHex(unsigned(row.span_id)),
        receiveNanos: row.received,
        payloadBytes: row.payload_bytes,
        qos: row.qos,
      }));
    },

    searchTraces: (query) => searchTraces(means, query),

    async services() {
      const found = new Map<string, { service: string; application: string; sites: Set<string> }>();
      for (const [symbol, { site, application }] of book.places()) {
        const service = (await known.resource(symbol)).serviceName;
        if (service === '') continue;
        const key = `${service}\u001f${application}`;
        const row = found.get(key) ?? { service, application, sites: new Set() };
        row.sites.add(site);
        found.set(key, row);
      }
      return [...found.values()]
        .map((row) => ({ ...row, sites: [...row.sites].sort() }))
        .sort((a, b) => ascending(a.service, b.service) || ascending(a.application, b.application));
    },

    async servicesHeard(fromMs, toMs) {
      const rows = await server.all<{ resource: string; first: bigint; last: bigint; arrivals: bigint }>(
        `SELECT resource, min(ts)::long AS first, max(ts)::long AS last, count_distinct(ts) AS arrivals
         FROM ${server.table('spans')} WHERE ts >= $1 AND ts < $2 GROUP BY resource`,
        [microsOf(fromMs), microsOf(toMs)],
      );
      const places = new Map(book.places());
      const found = new Map<string, ServiceHeard>();
      for (const row of rows) {
        const place = places.get(row.resource);
        const { serviceName: service, serviceVersion: version } = await known.resource(row.resource);
        if (!place || service === '') continue;
        const { deviceId: device, site, application } = place;
        const key = [service, version, device, site, application].join('\u001f');
        const [firstMs, lastMs] = [Number(row.first / 1000n), Number(row.last / 1000n)];
        const before = found.get(key) ?? { service, version, device, site, application, firstMs, lastMs, arrivals: 0 };
        found.set(key, {
          ...before,
          firstMs: Math.min(before.firstMs, firstMs),
          lastMs: Math.max(before.lastMs, lastMs),
          arrivals: before.arrivals + Number(row.arrivals),
        });
      }
      return [...found.values()].sort(
        (a, b) =>
          ascending(a.service, b.service) ||
          a.firstMs - b.firstMs ||
          ascending(a.device, b.device) ||
          ascending(a.version, b.version),
      );
    },
  };
};

/** $1 .. $3 */
const ofTrace = 'bucket = $1 AND trace_lo = $2 AND trace_hi = $3';
const traceParams = (hi: bigint, lo: bigint): Param[] => [bucketOf(lo), signed(lo), signed(hi)];

// ---- one trace

/** What the columns say of a span; everything else is in the body it came in. */
interface SpanRow {
  span_id: bigint | null;
  parent_id: bigint | null;
  start_ns: bigint;
  duration_ns: bigint;
  arrival_us: bigint;
  collector: string;
  seq: bigint;
  kind: number;
  status: number;
  flags: number;
  name: string | null;
  resource: string;
  system: string | null;
  destination: string | null;
}

const spanColumns =
  'span_id, parent_id, start_ns, duration_ns, ts::long AS arrival_us, collector, seq, kind, status, flags, name, resource, system, destination';

/** More rows than this are cut: so many spans nobody looks at. */
const mostRows = 10_000;

interface Trail extends TraceTrail {
  /** each span once, the one that came first, by start; at most mostRows */
  rows: SpanRow[];
  places: ReadonlyMap<string, Place>;
}

async function traceTrail({ server, book }: Means, traceHi: bigint, traceLo: bigint): Promise<Trail | null> {
  const mostRead = 10 * mostRows;
  const from = `FROM ${server.table('spans')} WHERE ${ofTrace}`;
  const params = traceParams(traceHi, traceLo);
  const found = await server.all<SpanRow>(`SELECT ${spanColumns} ${from} LIMIT ${mostRead}`, params);
  const places = book.places();
  if (found.length === 0) return null;
  const distinct = distinctRows(found);
  const applications = new Set(distinct.map((row) => places.get(row.resource)?.application ?? ''));
  const countSpans = async (): Promise<number> => {
    const [row] = await server.all<{ n: bigint }>(`SELECT count_distinct(span_id) AS n ${from}`, params);
    return Number(row!.n);
  };
  const times = distinct.flatMap((row) => [Number(row.arrival_us / 1000n), epochMillisOf(row.start_ns)]);
  return {
    applications: [...applications],
    // those behind the cut are still counted
    total: found.length < mostRead ? distinct.length : await countSpans(),
    fromMs: times.reduce((a, b) => Math.min(a, b)),
    toMs: times.reduce((a, b) => Math.max(a, b)),
    rows: distinct.slice(0, mostRows),
    places,
  };
}

function distinctRows(found: SpanRow[]): SpanRow[] {
  const first = new Map<bigint | null, SpanRow>();
  for (const row of found.sort(byArrival)) if (!first.has(row.span_id)) first.set(row.span_id, row);
  return [...first.values()].sort(
    (a, b) => ascending(a.start_ns, b.start_ns) || ascending(unsigned(a.span_id), unsigned(b.span_id)),
  );
}

const byArrival = (a: SpanRow, b: SpanRow): number =>
  ascending(a.arrival_us, b.arrival_us) || ascending(a.collector, b.collector) || ascending(a.seq, b.seq);

/** A trace may be spread over as many batches as it has spans: unpacked a few at a time. */
const batchesAtOnce = 32;

async function spansOfTrace(
  means: Means,
  traceHi: bigint,
  traceLo: bigint,
  limit: number,
  trail: Trail,
): Promise<{ spans: StoredSpan[]; total: number }> {
  const rows = trail.rows.slice(0, limit);
  const wanted = new Set(rows.map((row) => unsigned(row.span_id)));
  const decoded = new Map<bigint, Span>();
  const origins = [...new Map(rows.map((row) => [`${row.collector} ${row.seq}`, row])).values()];
  for (const some of parts(origins, batchesAtOnce))
    for (const raw of await bodiesOf(means, some))
      for (const span of decode(means.decodeSpans, raw, traceHi, traceLo)) {
        const id = parseSpanId(span.spanId);
        if (id !== null && wanted.has(id) && !decoded.has(id)) decoded.set(id, span);
      }
  const traceId = traceIdHex(traceHi, traceLo);
  const spans: StoredSpan[] = [];
  for (const row of rows) {
    const place = trail.places.get(row.resource);
    spans.push({
      ...(decoded.get(unsigned(row.span_id)) ?? (await spanOfColumns(means, row, traceId))),
      deviceId: place?.deviceId ?? '',
      site: place?.site ?? '',
      application: place?.application ?? '',
      flags: row.flags,
      arrivalMs: Number(row.arrival_us / 1000n),
      system: row.system ?? '',
      destination: row.destination ?? '',
    });
  }
  return { spans, total: trail.total };
}

async function bodiesOf({ server, rawElsewhere }: Means, origins: readonly SpanRow[]): Promise<Uint8Array[]> {
  const found = await Promise.all(
    origins.map(
      async ({ collector, seq, arrival_us }) =>
        (await rawElsewhere?.(collector, Number(seq))) ??
        (
          await server.all<{ body: string | null }>(
            `SELECT body FROM ${server.table('bodies')} WHERE ts = $1 AND collector = $2 AND seq = $3`,
            [arrival_us, collector, seq],
          )
        ).map(({ body }) => Buffer.from(body ?? '', 'base64'))[0],
    ),
  );
  return found.filter((raw) => raw !== undefined);
}

function decode(decodeSpans: DecodeSpans, raw: Uint8Array, traceHi: bigint, traceLo: bigint): Span[] {
  try {
    return decodeSpans(raw, (hi, lo) => hi === traceHi && lo === traceLo);
  } catch {
    // A damaged body must not hide the trace: its spans are shown with what the columns know, and say so (spanOfColumns)
    return [];
  }
}

const spanOfColumns = async ({ known }: Means, row: SpanRow, traceId: string): Promise<Span> => ({
  traceId,
  spanId: spanIdHex(unsigned(row.span_id)),
  parentSpanId: row.parent_id === 0n ? '' : spanIdHex(unsigned(row.parent_id)),
  name: row.name ?? '',
  kind: row.kind,
  startNanos: row.start_ns,
  endNanos: row.start_ns + row.duration_ns,
  status: row.status,
  statusMessage: '',
  attributes: { 'hopscope.detail': 'the body this span came in can no longer be read' },
  events: [],
  links: [],
  resource: (await known.resource(row.resource)) ?? noResource,
  scopeName: '',
});

// ---- search

/** Spans of a trace arrive within this of each other, or the filter by service or device may miss the trace. */
const apartMs = 3_600_000;
/** A trace is kept by its first arrival: a sender's clock may be this far ahead of ours, and a span this late. */
export const aheadMs = 86_400_000;
/** Traces looked at first for a filter by what happened within them, for each that is wanted. */
const firstPage = 10;

const nanosAt = (ms: EpochMillis): bigint => BigInt(Math.floor(ms)) * nanosPerMilli;

export interface TraceSqlRow {
  trace_hi: bigint | null;
  trace_lo: bigint | null;
  start_ns: bigint;
  duration_ns: bigint;
  root_name: string | null;
  root_resource: string;
  has_root: boolean;
  spans: bigint;
  errors: bigint;
  last_arrival_ms: bigint;
}

export const traceColumns =
  'trace_hi, trace_lo, start_ns, duration_ns, root_name, root_resource, has_root, spans, errors, last_arrival_ms';

/**
 * A service that is in every tenth trace is found among the first ones of the list: only their spans are looked at. Where too few of them
 * have it, the engine joins all traces with those that do.
 */
async function searchTraces(means: Means, query: TraceQuery): Promise<TraceRow[]> {
  const { server } = means;
  const params: Param[] = [];
  const bind = (value: Param): string => `$${params.push(value)}`;
  const where = [
    'NOT gone',
    `ts >= ${bind(microsOf(query.fromMs - aheadMs))}`,
    `start_ns >= ${bind(nanosAt(query.fromMs))}`,
    `start_ns < ${bind(nanosAt(query.toMs))}`,
  ];
  if (query.beforeNanos !== undefined) where.push(`start_ns < ${bind(query.beforeNanos)}`);
  if (query.minDurationMs !== undefined) where.push(`duration_ns >= ${bind(nanosOfMillis(query.minDurationMs))}`);
  if (query.maxDurationMs !== undefined) where.push(`duration_ns <= ${bind(nanosOfMillis(query.maxDurationMs))}`);
  if (query.errorsOnly) where.push('errors > 0');
  if (query.rootName !== undefined)
    where.push(query.rootName === '' ? 'root_name IS NULL' : `root_name = ${bind(query.rootName)}`);
  const orderBy =
    query.order === 'slowest'
      ? 'duration_ns DESC, start_ns DESC, trace_hi, trace_lo'
      : 'start_ns DESC, trace_hi, trace_lo';
  const resources = await resourcesOf(means, query);
  if (resources?.length === 0) return [];
  const traces = `SELECT ${traceColumns} FROM ${server.table('traces')} WHERE ${where.join(' AND ')}`;
  const filter: Filter = { resources, hop: query.hop };
  const filtered = resources !== null || query.hop !== undefined;
  const size = filtered ? firstPage * query.limit : query.limit;
  const first = await server.all<TraceSqlRow>(`${traces} ORDER BY ${orderBy} LIMIT ${size}`, params);
  let found = filtered ? await holding(means, filter, first) : first;
  if (filtered && found.length < query.limit && first.length === size)
    found = await server.all<TraceSqlRow>(
      `SELECT ${traceColumns} FROM (${traces}) t ${joins(means, query, filter, bind)} ORDER BY ${orderBy} LIMIT ${query.limit}`,
      params,
    );
  const rows: TraceRow[] = [];
  for (const row of found.slice(0, query.limit)) rows.push(await traceRowOf(means, row));
  return rows;
}

export async function traceRowOf({ book, known }: Pick<Means, 'book' | 'known'>, row: TraceSqlRow): Promise<TraceRow> {
  const place = book.places().get(row.root_resource);
  return {
    traceId: traceIdHex(unsigned(row.trace_hi), unsigned(row.trace_lo)),
    startNanos: row.start_ns,
    durationMs: millisOfNanos(row.duration_ns),
    rootName: row.root_name ?? '',
    rootService: (await known.resource(row.root_resource)).serviceName,
    rootSite: place?.site ?? '',
    application: place?.application ?? '',
    hasRoot: row.has_root,
    spans: Number(row.spans),
    errors: Number(row.errors),
  };
}

/** What must be in a trace: a span of one of these resources, a crossing of this hop. */
interface Filter {
  resources: string[] | null;
  hop: bigint | undefined;
}

/** Those of a few traces that have it. */
async function holding({ server }: Means, { resources, hop }: Filter, rows: TraceSqlRow[]): Promise<TraceSqlRow[]> {
  let left = rows;
  const among = async (ask: (some: readonly TraceSqlRow[], list: string) => Promise<TraceWords[]>): Promise<void> => {
    const here = new Set<string>();
    for (const some of parts(left, idsAtOnce))
      for (const { hi, lo } of await ask(some, listed(some.map((row) => unsigned(row.trace_lo)))))
        here.add(`${hi} ${lo}`);
    left = left.filter((row) => here.has(`${row.trace_hi} ${row.trace_lo}`));
  };
  if (resources)
    await among((some, list) => {
      const arrivals = some.map((row) => Number(row.last_arrival_ms));
      return server.all<TraceWords>(
        `SELECT DISTINCT trace_hi AS hi, trace_lo AS lo FROM ${server.table('spans')}
         WHERE ts >= $1 AND ts <= $2 AND resource IN (${placeholders(resources.length, 3)}) AND trace_lo IN ${list}`,
        [microsOf(Math.min(...arrivals) - apartMs), microsOf(Math.max(...arrivals) + apartMs), ...resources],
      );
    });
  if (hop !== undefined)
    await among((_, list) =>
      server.all<TraceWords>(
        `SELECT DISTINCT caller_trace_hi AS hi, caller_trace_lo AS lo FROM ${server.table('crossings')} WHERE NOT gone AND hop = $1 AND caller_trace_lo IN ${list}
       UNION SELECT DISTINCT callee_trace_hi AS hi, callee_trace_lo AS lo FROM ${server.table('crossings')} WHERE NOT gone AND hop = $1 AND callee_trace_lo IN ${list}`,
        [signed(hop)],
      ),
    );
  return left;
}

interface TraceWords {
  hi: bigint | null;
  lo: bigint | null;
}

/** The same as joins. Crossings stand at the minute of their caller, which lies within a day of the trace's start. */
function joins(
  { server }: Means,
  query: TraceQuery,
  { resources, hop }: Filter,
  bind: (value: Param) => string,
): string {
  const found: string[] = [];
  const from = bind(microsOf(query.fromMs - aheadMs));
  if (resources)
    found.push(`JOIN (SELECT DISTINCT trace_hi AS hi, trace_lo AS lo FROM ${server.table('spans')}
      WHERE ts >= ${from} AND resource IN (${resources.map(bind).join(', ')})) s ON s.lo = t.trace_lo AND s.hi = t.trace_hi`);
  if (hop !== undefined) {
    const of = `FROM ${server.table('crossings')} WHERE NOT gone AND ts >= ${from} AND hop = ${bind(signed(hop))}`;
    found.push(`JOIN (SELECT DISTINCT hi, lo FROM (
        SELECT caller_trace_hi AS hi, caller_trace_lo AS lo ${of} UNION ALL SELECT callee_trace_hi AS hi, callee_trace_lo AS lo ${of})) c
      ON c.lo = t.trace_lo AND c.hi = t.trace_hi`);
  }
  return found.join(' ');
}

/** Resources that a span must have one of; null = any. */
async function resourcesOf({ book, known }: Means, query: TraceQuery): Promise<string[] | null> {
  let resources: string[] | null = null;
  if (query.service !== undefined) resources = await known.resourcesOfService(query.service);
  if (query.deviceId !== undefined) {
    const ofDevice = new Set(
      [...book.places()].flatMap(([symbol, { deviceId }]) => (deviceId === query.deviceId ? [symbol] : [])),
    );
    resources = resources ? resources.filter((symbol) => ofDevice.has(symbol)) : [...ofDevice];
  }
  return resources;
}
