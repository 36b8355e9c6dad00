import { parseTraceId, spanIdHex, traceIdHex } from '../../domain/ids.ts';
import type { PathSpan } from '../../domain/request-path.ts';
import { epochMillisOf, millisOfNanos, minuteOf, nanosPerMilli } from '../../domain/units.ts';
import { type CrossingSqlRow, crossingOf, millisOrNull } from '../crossing-row.ts';
import type { HopPath, PathSample, PathStep, PathStore, PathWindow } from '../path-store.ts';
import type { HopIdentity, TraceRow } from '../store.ts';
import type { Session } from './session.ts';

type Nullable<T> = T | null;
const hourMs = 3_600_000;
/** A request's crossings and spans may come this long after its root began and still belong to the same read. */
const slackMs = 600_000;

const nanosAt = (ms: number): bigint => BigInt(Math.floor(ms)) * nanosPerMilli;

/** The reads of lib/store/path-store.ts on DuckDB. `db` is asked, never written to. */
export function duckDbPathStore(db: Session): PathStore {
  return {
    async pathWindows(fromMs, toMs, stepMs) {
      const range = [nanosAt(fromMs), nanosAt(toMs)];
      const oneIn = await share(db, 'SELECT count(*) AS n FROM traces WHERE start_ns >= $1 AND start_ns < $2', range);
      const minutes = [minuteOf(fromMs), minuteOf(toMs + slackMs)];
      const rows = await db.all<PathWindowRow>(pathWindowsSql(''), [...range, nanosAt(stepMs), ...minutes, oneIn]);
      return pathWindowsOf(rows, Math.ceil((toMs - fromMs) / stepMs), oneIn);
    },

    async pathSeries({ rootName, application }, fromMs, toMs, stepMs) {
      const range = [nanosAt(fromMs), nanosAt(toMs)];
      const whose = [rootName, application];
      const oneIn = await share(
        db,
        `SELECT count(*) AS n FROM traces t JOIN placings p ON p.resource = t.root_resource WHERE t.start_ns >= $1 AND t.start_ns < $2
           AND t.root_name = (SELECT id FROM strings WHERE value = $3) AND p.application = $4`,
        [...range, ...whose],
      );
      const minutes = [minuteOf(fromMs), minuteOf(toMs + slackMs)];
      const rows = await db.all<PathWindowRow>(
        pathWindowsSql('AND t.root_name = (SELECT id FROM strings WHERE value = $7) AND p.application = $8'),
        [...range, nanosAt(stepMs), ...minutes, oneIn, ...whose],
      );
      return pathSeriesOf(rows, fromMs, stepMs, Math.ceil((toMs - fromMs) / stepMs), oneIn);
    },

    async pathsOfHops(fromMs, toMs) {
      const minutes = [minuteOf(fromMs), minuteOf(toMs)];
      const oneIn = await share(db, 'SELECT sum(count) AS n FROM hop_minutes WHERE minute BETWEEN $1 AND $2', minutes);
      const starts = [nanosAt(fromMs - hourMs), nanosAt(toMs + slackMs)];
      const rows = await db.all<HopPathRow>(pathsOfHopsSql, [...minutes, oneIn, ...starts]);
      return rows.map<HopPath>((row) => ({
        hop: row.hop,
        rootName: row.root_name,
        application: row.application,
        service: row.service,
        count: Number(row.n) * oneIn,
      }));
    },

    pathSamples: (paths, fromMs, toMs, limit) => pathSamples(db, paths, fromMs, toMs, limit),

    async hopsHeard(fromMs, toMs) {
      const rows = await db.all<{ hop: bigint; first: number; last: number }>(
        `SELECT hop, min(minute) AS first, max(minute) AS last FROM hop_minutes
         WHERE minute >= $1 AND minute < $2 AND count > 0 GROUP BY hop`,
        [minuteOf(fromMs), Math.ceil(toMs / 60_000)],
      );
      return rows.map(({ hop, first, last }) => ({ hop, firstMinute: first, lastMinute: last }));
    },

    async rootNames(fromMs, toMs) {
      const rows = await db.all<{ root_name: string; application: string; n: bigint }>(rootNamesSql, [
        nanosAt(fromMs),
        nanosAt(toMs),
      ]);
      return rows.map((row) => ({ rootName: row.root_name, application: row.application, count: Number(row.n) }));
    },

    async traceRows(traceIds) {
      const words = traceIds.map(parseTraceId).filter((each) => each !== null);
      if (words.length === 0) return [];
      const rows = await db.all<TraceSqlRow>(traceRowsSql, [words.map((w) => w.hi), words.map((w) => w.lo)]);
      return rows.map(traceRowOf);
    },

    async hopIdentities() {
      const rows = await db.all<HopSqlRow>(
        'SELECT * EXCLUDE (first_ms) FROM hops ORDER BY first_ms DESC, hop LIMIT 20000',
      );
      return rows.map<HopIdentity>((row) => ({
        hop: row.hop,
        from: { service: row.from_service, site: row.from_site, application: row.from_application },
        to: { service: row.to_service, site: row.to_site, application: row.to_application },
        system: row.system,
        destination: row.destination,
      }));
    },

    async topicSeriesOf(topicIds, fromMs, toMs) {
      const range = [minuteOf(fromMs), minuteOf(toMs - 1)];
      const rows = topicIds
        ? await db.all<TopicMinuteSqlRow>(
            `${topicSeriesSql} AND list_contains($3::INTEGER[], topic) ${topicSeriesOrder}`,
            [...range, topicIds],
          )
        : await db.all<TopicMinuteSqlRow>(`${topicSeriesSql} ${topicSeriesOrder}`, range);
      return rows.map((row) => ({
        topicId: row.topic,
        minute: row.minute,
        messages: Number(row.messages),
        payloadBytes: Number(row.payload_bytes),
      }));
    },

    async brokerSeries(fromMs, toMs) {
      const rows = await db.all<{ broker: string; minute: number; messages: bigint; payload_bytes: bigint }>(
        brokerSeriesSql,
        [minuteOf(fromMs), minuteOf(toMs - 1)],
      );
      return rows.map(({ broker, minute, messages, payload_bytes }) => ({
        broker,
        minute,
        messages: Number(messages),
        payloadBytes: Number(payload_bytes),
      }));
    },

    async topicRhythms(fromMs, toMs) {
      const rows = await db.all<RhythmSqlRow>(topicRhythmsSql, [minuteOf(fromMs), minuteOf(toMs - 1)]);
      return rows.map((row) => ({
        topicId: row.topic,
        broker: row.broker,
        topic: row.name,
        messages: Number(row.messages),
        firstMinute: row.first_minute,
        lastMs: Number(row.last_ms),
        pauseMinutes: row.pause,
      }));
    },

    async lastArrivalMs() {
      const [row] = await db.all<{ last: Nullable<bigint> }>('SELECT max(arrival_ms) AS last FROM batches');
      return row?.last == null ? null : Number(row.last);
    },
  };
}

async function pathSamples(
  db: Session,
  paths: { rootName: string; application: string; count: number }[],
  fromMs: number,
  toMs: number,
  limit: number,
): Promise<PathSample[][]> {
  const range = [nanosAt(fromMs), nanosAt(toMs)] as const;
  const lists = paths.map(() => new Map<string, PathSample>());
  // of many, only a share is put into order
  const shares = paths.map((path) => Math.max(1, Math.floor(path.count / (4 * limit))));
  const pick = async (wanted: number[], oneIn: number[]): Promise<void> => {
    if (wanted.length === 0) return;
    const names = wanted.map((i) => paths[i]!.rootName);
    const applications = wanted.map((i) => paths[i]!.application);
    const rows = await db.all<PickedRow>(pickTracesSql, [wanted, names, applications, oneIn, ...range, limit]);
    for (const row of rows) {
      const traceId = traceIdHex(row.trace_hi, row.trace_lo);
      lists[row.at]!.set(traceId, { traceId, startMs: epochMillisOf(row.start_ns), spans: [], crossings: [] });
    }
  };
  await pick([...paths.keys()], shares);
  const short = [...paths.keys()].filter((i) => lists[i]!.size < limit && shares[i]! > 1);
  await pick(
    short,
    short.map(() => 1),
  );
  const samples = new Map(lists.flatMap((list) => [...list]));
  if (samples.size > 0) {
    const words = [...samples.keys()].map((traceId) => parseTraceId(traceId)!);
    const ids = [words.map((each) => each.hi), words.map((each) => each.lo)] as const;
    const slack = [fromMs - slackMs, toMs + slackMs] as const;
    const [spans, crossings] = await Promise.all([
      db.all<SpanRow>(sampleSpansSql, [...ids, ...slack.map(nanosAt)]),
      db.all<CrossingSqlRow<bigint>>(sampleCrossingsSql, [...ids, ...slack.map(minuteOf)]),
    ]);
    for (const row of spans) samples.get(traceIdHex(row.trace_hi, row.trace_lo))?.spans.push(pathSpanOf(row));
    for (const row of crossings) {
      samples.get(traceIdHex(row.caller_trace_hi, row.caller_trace_lo))?.crossings.push(crossingOf(row, (id) => id));
    }
  }
  return lists.map((list) => [...list.values()].sort((a, b) => a.startMs - b.startMs));
}

interface PickedRow {
  /** which of the paths asked for */
  at: number;
  trace_hi: bigint;
  trace_lo: bigint;
  start_ns: bigint;
}

/**
 * $1 from, $2 to, $3 step (ns), $4 .. $5 minutes of the crossings, $6 one trace in so many; `whose` may narrow it to a path.
 * `closed`: the root outlives its replies (design.md section 3, end to end rule a).
 */
const pathWindowsSql = (whose: string): string => `
  WITH roots AS (
    SELECT t.trace_hi, t.trace_lo, t.start_ns, t.duration_ns, t.start_ns + t.duration_ns AS end_ns, t.errors, t.root_name, p.application, p.device, t.root_resource
    FROM traces t JOIN placings p ON p.resource = t.root_resource
    WHERE t.has_root AND t.start_ns >= $1 AND t.start_ns < $2 AND t.trace_lo % $6::UBIGINT = 0 ${whose}),
  crossed AS (
    SELECT r.trace_hi, r.trace_lo,
           bool_or(CASE WHEN c.message THEN c.callee_device = r.device AND c.callee_start_ns + c.callee_duration_ns <= r.end_ns
                        ELSE c.caller_device = r.device AND c.caller_start_ns + c.caller_duration_ns <= r.end_ns END) AS closed
    FROM crossings c JOIN roots r ON c.caller_trace_lo = r.trace_lo AND c.caller_trace_hi = r.trace_hi
    WHERE c.minute BETWEEN $4 AND $5 AND c.callee_span <> 0 AND c.caller_trace_lo % $6::UBIGINT = 0
    GROUP BY r.trace_hi, r.trace_lo),
  requests AS (
    SELECT r.root_name, r.application, r.root_resource, r.errors, (r.start_ns - $1) // $3 AS step, r.duration_ns,
           c.closed IS NOT NULL AS crossed, coalesce(c.closed, false) AS closed
    FROM roots r LEFT JOIN crossed c USING (trace_hi, trace_lo)),
  sums AS (
    SELECT root_name, application, step, mode(root_resource) AS resource, count(*) AS n, count(*) FILTER (errors > 0) AS errors,
           count(*) FILTER (crossed) AS crossed, count(*) FILTER (closed) AS closed,
           quantile_disc(duration_ns, [0.5, 0.95]) FILTER (closed) AS closed_ns, quantile_disc(duration_ns, [0.5, 0.95]) AS all_ns
    FROM requests
    GROUP BY GROUPING SETS ((root_name, application), (root_name, application, step)))
  SELECT s.value AS root_name, u.application, u.step, r.service, u.n, u.errors, u.crossed, u.closed, u.closed_ns, u.all_ns
  FROM sums u JOIN strings s ON s.id = u.root_name JOIN resources r ON r.id = u.resource`;

interface PathWindowRow {
  root_name: string;
  application: string;
  /** null in the row of the whole range */
  step: Nullable<bigint>;
  service: string;
  n: bigint;
  errors: bigint;
  crossed: bigint;
  closed: bigint;
  /** median and 95th percentile */
  closed_ns: Nullable<bigint[]>;
  all_ns: bigint[];
}

function pathWindowsOf(rows: PathWindowRow[], steps: number, oneIn: number): PathWindow[] {
  const keyOf = (row: PathWindowRow): string => `${row.application}\u001f${row.root_name}`;
  const windows = new Map<string, PathWindow>();
  for (const row of rows) {
    if (row.step !== null) continue;
    const [p50, p95] = durationsOf(row, row.crossed === 0n);
    windows.set(keyOf(row), {
      rootName: row.root_name,
      application: row.application,
      service: row.service,
      count: Number(row.n) * oneIn,
      errors: Number(row.errors) * oneIn,
      crossed: Number(row.crossed) * oneIn,
      closed: Number(row.closed) * oneIn,
      p50Ms: p50,
      p95Ms: p95,
      sparkMs: Array.from({ length: steps }, () => null),
    });
  }
  for (const row of rows) {
    if (row.step === null) continue;
    const window = windows.get(keyOf(row))!;
    window.sparkMs[Number(row.step)] = durationsOf(row, window.crossed === 0)[0];
  }
  return [...windows.values()]
    .sort((a, b) => b.count - a.count || a.rootName.localeCompare(b.rootName))
    .slice(0, 2_000);
}

function pathSeriesOf(rows: PathWindowRow[], fromMs: number, stepMs: number, steps: number, oneIn: number): PathStep[] {
  const local = rows.find((row) => row.step === null)?.crossed === 0n;
  const byStep = new Map(rows.filter((row) => row.step !== null).map((row) => [Number(row.step), row]));
  return Array.from({ length: steps }, (_, step) => {
    const row = byStep.get(step);
    const [p50Ms, p95Ms] = row ? durationsOf(row, local) : [null, null];
    return {
      timeMs: fromMs + step * stepMs,
      count: Number(row?.n ?? 0) * oneIn,
      errors: Number(row?.errors ?? 0) * oneIn,
      p50Ms,
      p95Ms,
    };
  });
}

/** Median and 95th percentile; of requests that never left their device all count, else those that were closed. */
function durationsOf(row: PathWindowRow, local: boolean): [Nullable<number>, Nullable<number>] {
  const nanos = local ? row.all_ns : row.closed_ns;
  return [millisOrNull(nanos?.[0] ?? null), millisOrNull(nanos?.[1] ?? null)];
}

/** More than this is not read for names and medians: one trace in so many says the same. A small fleet is read whole, however long the range. */
const readWhole = 100_000;

async function share(db: Session, countSql: string, params: (number | bigint | string)[]): Promise<number> {
  const [row] = await db.all<{ n: Nullable<bigint> }>(countSql, params);
  return Math.max(1, Math.floor(Number(row?.n ?? 0) / readWhole));
}

interface HopPathRow {
  hop: bigint;
  root_name: string;
  application: string;
  service: string;
  n: bigint;
}

const pathsOfHopsSql = `
  SELECT c.hop, s.value AS root_name, p.application, mode(r.service) AS service, count(*) AS n
  FROM crossings c
    JOIN traces t ON t.trace_hi = c.caller_trace_hi AND t.trace_lo = c.caller_trace_lo
    JOIN strings s ON s.id = t.root_name JOIN placings p ON p.resource = t.root_resource JOIN resources r ON r.id = t.root_resource
  WHERE c.minute BETWEEN $1 AND $2 AND c.caller_trace_lo % $3::UBIGINT = 0
    AND t.has_root AND t.start_ns >= $4 AND t.start_ns < $5
  GROUP BY c.hop, s.value, p.application ORDER BY c.hop, n DESC, root_name`;

/**
 * $1 .. $4 the paths: number, root name, application, one trace in so many; $5 .. $6 range; $7 traces of each.
 * Names and resources are few: their numbers are found first, so that traces are compared by number.
 */
const pickTracesSql = `
  WITH asked AS (SELECT unnest($1::INTEGER[]) AS at, unnest($2::VARCHAR[]) AS name, unnest($3::VARCHAR[]) AS application, unnest($4::UBIGINT[]) AS one_in),
  roots AS (SELECT a.at, a.one_in, s.id AS root_name, p.resource
            FROM asked a JOIN strings s ON s.value = a.name JOIN placings p ON p.application = a.application)
  SELECT r.at, t.trace_hi, t.trace_lo, t.start_ns
  FROM traces t JOIN roots r ON r.root_name = t.root_name AND r.resource = t.root_resource
  WHERE t.has_root AND t.start_ns >= $5 AND t.start_ns < $6 AND t.trace_lo % r.one_in = 0 AND t.spans <= 10000
  WINDOW of_path AS (PARTITION BY r.at ORDER BY hash(t.trace_hi, t.trace_lo), t.trace_lo ROWS UNBOUNDED PRECEDING)
  QUALIFY row_number() OVER of_path <= $7
    AND (row_number() OVER of_path = 1 OR sum(t.spans) OVER of_path <= 100 * $7)`;

/** $1, $2: two lists of equal length, the words of the trace ids. */
const wanted = 'wanted AS (SELECT unnest($1::UBIGINT[]) AS trace_hi, unnest($2::UBIGINT[]) AS trace_lo)';

const sampleSpansSql = `
  WITH ${wanted}
  SELECT DISTINCT ON (s.trace_hi, s.trace_lo, s.span_id) s.trace_hi, s.trace_lo, s.span_id, s.parent_id, s.start_ns, s.duration_ns, s.kind, s.status,
         n.value AS name, r.service, d.id AS device, p.site, p.application
  FROM spans s JOIN wanted w ON w.trace_hi = s.trace_hi AND w.trace_lo = s.trace_lo
    JOIN strings n ON n.id = s.name JOIN resources r ON r.id = s.resource
    JOIN placings p ON p.resource = s.resource JOIN devices d ON d.number = p.device
  WHERE s.start_ns >= $3 AND s.start_ns < $4`;

interface SpanRow {
  trace_hi: bigint;
  trace_lo: bigint;
  span_id: bigint;
  parent_id: bigint;
  start_ns: bigint;
  duration_ns: bigint;
  kind: number;
  status: number;
  name: string;
  service: string;
  device: string;
  site: string;
  application: string;
}

const pathSpanOf = (row: SpanRow): PathSpan => ({
  traceId: traceIdHex(row.trace_hi, row.trace_lo),
  spanId: spanIdHex(row.span_id),
  parentSpanId: row.parent_id === 0n ? '' : spanIdHex(row.parent_id),
  name: row.name,
  kind: row.kind,
  startNanos: row.start_ns,
  endNanos: row.start_ns + row.duration_ns,
  status: row.status,
  deviceId: row.device,
  site: row.site,
  application: row.application,
  resource: { serviceName: row.service },
});

const sampleCrossingsSql = `
  WITH ${wanted}
  SELECT c.* EXCLUDE (broker, caller_device, callee_device), b.value AS broker, f.id AS caller_device, coalesce(t.id, '') AS callee_device
  FROM crossings c JOIN wanted w ON w.trace_hi = c.caller_trace_hi AND w.trace_lo = c.caller_trace_lo
    LEFT JOIN strings b ON b.id = c.broker
    JOIN devices f ON f.number = c.caller_device LEFT JOIN devices t ON t.number = c.callee_device
  WHERE c.minute BETWEEN $3 AND $4
  ORDER BY c.caller_start_ns`;

const rootNamesSql = `
  SELECT s.value AS root_name, p.application, count(*) AS n
  FROM traces t JOIN strings s ON s.id = t.root_name JOIN placings p ON p.resource = t.root_resource
  WHERE t.has_root AND t.start_ns >= $1 AND t.start_ns < $2
  GROUP BY ALL ORDER BY n DESC, root_name LIMIT 500`;

const traceRowsSql = `
  WITH ${wanted}
  SELECT t.trace_hi, t.trace_lo, t.start_ns, t.duration_ns, t.has_root, t.spans, t.errors, s.value AS root_name, r.service, p.site, p.application
  FROM traces t JOIN wanted w ON w.trace_hi = t.trace_hi AND w.trace_lo = t.trace_lo
    JOIN strings s ON s.id = t.root_name JOIN resources r ON r.id = t.root_resource JOIN placings p ON p.resource = t.root_resource
  ORDER BY t.start_ns DESC`;

interface TraceSqlRow {
  trace_hi: bigint;
  trace_lo: bigint;
  start_ns: bigint;
  duration_ns: bigint;
  has_root: boolean;
  spans: number;
  errors: number;
  root_name: string;
  service: string;
  site: string;
  application: string;
}

const traceRowOf = (row: TraceSqlRow): TraceRow => ({
  traceId: traceIdHex(row.trace_hi, row.trace_lo),
  startNanos: row.start_ns,
  durationMs: millisOfNanos(row.duration_ns),
  rootName: row.root_name,
  rootService: row.service,
  rootSite: row.site,
  application: row.application,
  hasRoot: row.has_root,
  spans: row.spans,
  errors: row.errors,
});

interface HopSqlRow {
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

const topicSeriesSql =
  'SELECT topic, minute, messages, payload_bytes FROM topic_minutes WHERE minute BETWEEN $1 AND $2';
const topicSeriesOrder = 'ORDER BY topic, minute';

interface TopicMinuteSqlRow {
  topic: number;
  minute: number;
  messages: number | bigint;
  payload_bytes: number | bigint;
}

const brokerSeriesSql = `
  SELECT b.value AS broker, m.minute, sum(m.messages)::BIGINT AS messages, sum(m.payload_bytes)::BIGINT AS payload_bytes
  FROM topic_minutes m JOIN topics t ON t.id = m.topic JOIN strings b ON b.id = t.broker
  WHERE m.minute BETWEEN $1 AND $2 GROUP BY ALL ORDER BY broker, minute`;

const topicRhythmsSql = `
  WITH heard AS (
    SELECT topic, minute, messages, last_ms, minute - lag(minute) OVER (PARTITION BY topic ORDER BY minute) AS pause
    FROM topic_minutes WHERE minute BETWEEN $1 AND $2 AND messages > 0)
  SELECT h.topic, b.value AS broker, t.name, sum(h.messages)::BIGINT AS messages, min(h.minute) AS first_minute, max(h.last_ms) AS last_ms,
         quantile_disc(h.pause, 0.9) AS pause
  FROM heard h JOIN topics t ON t.id = h.topic JOIN strings b ON b.id = t.broker
  GROUP BY h.topic, b.value, t.name ORDER BY messages DESC, h.topic`;

interface RhythmSqlRow {
  topic: number;
  broker: string;
  name: string;
  messages: bigint;
  first_minute: number;
  last_ms: bigint;
  pause: Nullable<number>;
}
