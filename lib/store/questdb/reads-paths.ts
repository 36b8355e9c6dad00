import { parseTraceId, spanIdHex, traceIdHex } from '#lib/domain/ids.ts';
import type { PathSpan } from '#lib/domain/request-path.ts';
import { epochMillisOf, millisOfNanos, minuteOf, nanosPerMilli } from '#lib/domain/units.ts';
import { ascending } from '../ascending.ts';
import { crossingOf } from '../crossing-row.ts';
import type { HopPath, PathSample, PathStep, PathStore, PathWindow } from '../path-store.ts';
import type { TraceRow } from '../store.ts';
import type { AuditBook } from './audit-book.ts';
import {
  bucketOf,
  idsAtOnce,
  listed,
  microsOf,
  microsOfMinute,
  minuteOfMicros,
  parts,
  placeholders,
  unsigned,
} from './dialect.ts';
import type { Known } from './known.ts';
import {
  crossingColumns,
  type IdentityRow,
  identityColumns,
  identityOf,
  type QuestDbCrossing,
  wholeMinutes,
} from './reads-hops.ts';
import { quantileOf } from './reads-topics.ts';
import { aheadMs, type TraceSqlRow, traceColumns, traceRowOf } from './reads-traces.ts';
import type { Param, Server } from './server.ts';

type PathReads = Omit<PathStore, 'topicSeriesOf' | 'brokerSeries' | 'topicRhythms'>;

interface Means {
  server: Server;
  book: AuditBook;
  known: Known;
}

const hourMs = 3_600_000;
/** A request's crossings and spans may come this long after its root began and still belong to the same read. */
const slackMs = 600_000;
/** More than this is not read for names and medians: one trace in so many says the same. A small fleet is read whole, however long the range. */
const readWhole = 100_000;

const nanosAt = (ms: number): bigint => BigInt(Math.floor(ms)) * nanosPerMilli;
const _ms = (nanos: bigint | null): number | null => (nanos === null ? null : millisOfNanos(nanos));

/** The names of requests and what they cross: rows are filtered by the engine, and brought together here. */
export const pathReads = (means: Means): PathReads => {
  const { server, book } = means;
  return {
    async pathWindows(fromMs, toMs, stepMs) {
      const { requests, oneIn } = await requestsOf(means, fromMs, toMs, null);
      const steps = Math.ceil((toMs - fromMs) / stepMs);
      const groups = new Map<string, Request[]>();
      for (const request of requests) {
        const key = `${request.application}\u001f${request.rootName}`;
        const group = groups.get(key);
        if (group) group.push(request);
        else groups.set(key, [request]);
      }
      const windows: PathWindow[] = [];
      for (const group of groups.values()) {
        const [{ rootName, application }] = group as [Request];
        const figures = figuresOf(group, !group.some((request) => request.crossed));
        const local = figures.crossed === 0;
        const sparkMs = bySteps(group, fromMs, stepMs, steps).map((some) =>
          some.length === 0 ? null : figuresOf(some, local).p50Ms,
        );
        windows.push({
          rootName,
          application,
          service: (await means.known.resource(mostly(group.map(({ resource }) => resource)))).serviceName,
          count: figures.count * oneIn,
          errors: figures.errors * oneIn,
          crossed: figures.crossed * oneIn,
          closed: figures.closed * oneIn,
          p50Ms: figures.p50Ms,
          p95Ms: figures.p95Ms,
          sparkMs,
        });
      }
      return windows.sort((a, b) => b.count - a.count || a.rootName.localeCompare(b.rootName)).slice(0, 2_000);
    },

    async pathSeries(path, fromMs, toMs, stepMs) {
      const { requests, oneIn } = await requestsOf(means, fromMs, toMs, path);
      const local = !requests.some((request) => request.crossed);
      return bySteps(requests, fromMs, stepMs, Math.ceil((toMs - fromMs) / stepMs)).map<PathStep>((some, step) => {
        const figures = figuresOf(some, local);
        return {
          timeMs: fromMs + step * stepMs,
          count: figures.count * oneIn,
          errors: figures.errors * oneIn,
          p50Ms: figures.p50Ms,
          p95Ms: figures.p95Ms,
        };
      });
    },

    async pathsOfHops(fromMs, toMs) {
      const minutes = [microsOfMinute(minuteOf(fromMs)), microsOfMinute(minuteOf(toMs))];
      const oneIn = await share(
        server,
        `SELECT sum("count") AS n FROM ${server.table('hop_minutes')} WHERE ts >= $1 AND ts <= $2 AND NOT gone`,
        minutes,
      );
      const roots = await rootsOf(means, fromMs - hourMs, toMs + slackMs, null, oneIn);
      const byTrace = new Map(roots.map((root) => [root.key, root]));
      const rows = await server.arrays<[bigint | null, bigint | null, bigint | null]>(
        `SELECT hop, caller_trace_hi, caller_trace_lo FROM ${server.table('crossings')}
         WHERE ts >= $1 AND ts <= $2 AND NOT gone AND caller_trace_lo % $3 = 0`,
        [...minutes, oneIn],
      );
      const found = new Map<string, { hop: bigint; rootName: string; application: string; resources: string[] }>();
      for (const [hop, hi, lo] of rows) {
        const root = byTrace.get(`${hi} ${lo}`);
        if (!root) continue;
        const key = `${hop} ${root.application}\u001f${root.rootName}`;
        const of = found.get(key) ?? { hop: unsigned(hop), ...root, resources: [] };
        of.resources.push(root.resource);
        found.set(key, of);
      }
      const paths: HopPath[] = [];
      for (const { hop, rootName, application, resources } of found.values())
        paths.push({
          hop,
          rootName,
          application,
          service: (await means.known.resource(mostly(resources))).serviceName,
          count: resources.length * oneIn,
        });
      return paths.sort((a, b) => ascending(a.hop, b.hop) || b.count - a.count || ascending(a.rootName, b.rootName));
    },

    pathSamples: (paths, fromMs, toMs, limit) => pathSamples(means, paths, fromMs, toMs, limit),

    async hopsHeard(fromMs, toMs) {
      const rows = await server.all<{ hop: bigint | null; first: bigint; last: bigint }>(
        `SELECT hop, min(ts)::long AS first, max(ts)::long AS last FROM ${server.table('hop_minutes')}
         WHERE ts >= $1 AND ts < $2 AND "count" > 0 AND NOT gone GROUP BY hop`,
        wholeMinutes(fromMs, toMs),
      );
      return rows.map(({ hop, first, last }) => ({
        hop: unsigned(hop),
        firstMinute: minuteOfMicros(first),
        lastMinute: minuteOfMicros(last),
      }));
    },

    async rootNames(fromMs, toMs) {
      const rows = await server.all<{ root_name: string | null; root_resource: string; n: bigint }>(
        `SELECT root_name, root_resource, count() AS n FROM ${server.table('traces')}
         WHERE NOT gone AND has_root AND ts >= $1 AND start_ns >= $2 AND start_ns < $3 GROUP BY root_name, root_resource`,
        [microsOf(fromMs - aheadMs), nanosAt(fromMs), nanosAt(toMs)],
      );
      const places = book.places();
      const counts = new Map<string, { rootName: string; application: string; count: number }>();
      for (const row of rows) {
        const application = places.get(row.root_resource)?.application;
        if (application === undefined) continue;
        const rootName = row.root_name ?? '';
        const key = `${application}\u001f${rootName}`;
        const of = counts.get(key) ?? { rootName, application, count: 0 };
        of.count += Number(row.n);
        counts.set(key, of);
      }
      return [...counts.values()].sort((a, b) => b.count - a.count || ascending(a.rootName, b.rootName)).slice(0, 500);
    },

    async traceRows(traceIds) {
      const words = traceIds.map(parseTraceId).filter((each) => each !== null);
      const found: TraceRow[] = [];
      const wanted = new Set(words.map(({ hi, lo }) => `${hi} ${lo}`));
      for (const some of parts(words, idsAtOnce)) {
        const rows = await server.all<TraceSqlRow>(
          `SELECT ${traceColumns} FROM ${server.table('traces')}
           WHERE NOT gone AND bucket IN (${placeholders(some.length, 1)}) AND trace_lo IN ${listed(some.map(({ lo }) => lo))}`,
          some.map(({ lo }) => bucketOf(lo)),
        );
        for (const row of rows)
          if (wanted.has(`${unsigned(row.trace_hi)} ${unsigned(row.trace_lo)}`) && book.places().has(row.root_resource))
            found.push(await traceRowOf(means, row));
      }
      return found.sort((a, b) => ascending(b.startNanos, a.startNanos));
    },

    async hopIdentities() {
      const rows = await server.all<IdentityRow>(`SELECT ${identityColumns} FROM ${server.table('hops')}`);
      return rows
        .sort((a, b) => ascending(b.first_ms, a.first_ms) || ascending(unsigned(a.hop), unsigned(b.hop)))
        .slice(0, 20_000)
        .map(identityOf);
    },

    async lastArrivalMs() {
      const [row] = await server.all<{ last: bigint | null }>(
        `SELECT max(ts)::long AS last FROM ${server.table('batches')}`,
      );
      return row?.last == null ? null : Number(row.last / 1000n);
    },
  };
};

interface Path {
  rootName: string;
  application: string;
}

interface Root extends Path {
  /** trace as it is stored: hi, lo */
  key: string;
  startNs: bigint;
  durationNs: bigint;
  errors: number;
  spans: number;
  resource: string;
  device: string;
}

/** A request: did it cross a hop, and does its root outlive its replies (design.md section 3, end to end rule a)? */
interface Request extends Root {
  crossed: boolean;
  closed: boolean;
}

const rootParams = (fromMs: number, toMs: number): Param[] => [
  microsOf(fromMs - aheadMs),
  nanosAt(fromMs),
  nanosAt(toMs),
];
const ofRange = 'NOT gone AND has_root AND ts >= $1 AND start_ns >= $2 AND start_ns < $3';

/** Of placed roots, one trace in so many. */
async function rootsOf(
  { server, book }: Means,
  fromMs: number,
  toMs: number,
  path: Path | null,
  oneIn: number,
): Promise<Root[]> {
  const named = path === null ? '' : path.rootName === '' ? 'AND root_name IS NULL' : 'AND root_name = $5';
  const rows = await server.arrays<
    [bigint | null, bigint | null, bigint, bigint, bigint, bigint, string | null, string]
  >(
    `SELECT trace_hi, trace_lo, start_ns, duration_ns, errors, spans, root_name, root_resource FROM ${server.table('traces')}
     WHERE ${ofRange} AND trace_lo % $4 = 0 ${named}`,
    [...rootParams(fromMs, toMs), oneIn, ...(path && path.rootName !== '' ? [path.rootName] : [])],
  );
  const places = book.places();
  return rows.flatMap(([hi, lo, startNs, durationNs, errors, spans, rootName, resource]) => {
    const place = places.get(resource);
    if (!place || (path && place.application !== path.application)) return [];
    return [
      {
        key: `${hi} ${lo}`,
        startNs,
        durationNs,
        errors: Number(errors),
        spans: Number(spans),
        rootName: rootName ?? '',
        resource,
        application: place.application,
        device: place.deviceId,
      },
    ];
  });
}

async function requestsOf(
  means: Means,
  fromMs: number,
  toMs: number,
  path: Path | null,
): Promise<{ requests: Request[]; oneIn: number }> {
  const { server } = means;
  const oneIn = await share(
    server,
    `SELECT count() AS n FROM ${server.table('traces')} WHERE ${ofRange} ${path && path.rootName !== '' ? 'AND root_name = $4' : ''}`,
    [...rootParams(fromMs, toMs), ...(path && path.rootName !== '' ? [path.rootName] : [])],
  );
  const roots = await rootsOf(means, fromMs, toMs, path, oneIn);
  const requests = new Map(roots.map((root) => [root.key, { ...root, crossed: false, closed: false }]));
  const rows = await server.arrays<
    [bigint | null, bigint | null, boolean, string | null, string | null, bigint, bigint, bigint, bigint]
  >(
    `SELECT caller_trace_hi, caller_trace_lo, message, caller_device, callee_device, caller_start_ns, caller_duration_ns, callee_start_ns, callee_duration_ns
     FROM ${server.table('crossings')} WHERE ts >= $1 AND ts <= $2 AND NOT gone AND callee_span <> 0 AND caller_trace_lo % $3 = 0`,
    [microsOfMinute(minuteOf(fromMs)), microsOfMinute(minuteOf(toMs + slackMs)), oneIn],
  );
  for (const [hi, lo, message, caller, callee, callerStart, callerTook, calleeStart, calleeTook] of rows) {
    const request = requests.get(`${hi} ${lo}`);
    if (!request) continue;
    request.crossed = true;
    const end = request.startNs + request.durationNs;
    const [device, at] = message ? [callee, calleeStart + calleeTook] : [caller, callerStart + callerTook];
    if (device !== null && device === request.device && at <= end) request.closed = true;
  }
  return { requests: [...requests.values()], oneIn };
}

function bySteps(requests: readonly Request[], fromMs: number, stepMs: number, steps: number): Request[][] {
  const lists = Array.from({ length: steps }, (): Request[] => []);
  const [from, step] = [nanosAt(fromMs), nanosAt(stepMs)];
  for (const request of requests) lists[Number((request.startNs - from) / step)]?.push(request);
  return lists;
}

/** Of requests that never left their device all count, else those that were closed. */
function figuresOf(requests: readonly Request[], local: boolean) {
  const closed = requests.filter((request) => request.closed);
  const told = (local ? requests : closed).map(({ durationNs }) => Number(durationNs));
  const quantile = (share: number): number | null => {
    const nanos = quantileOf(told, share);
    return nanos === null ? null : nanos / 1e6;
  };
  return {
    count: requests.length,
    errors: requests.filter(({ errors }) => errors > 0).length,
    crossed: requests.filter(({ crossed }) => crossed).length,
    closed: closed.length,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
  };
}

/** The one that is there most often. */
function mostly(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

async function share(server: Server, countSql: string, params: Param[]): Promise<number> {
  const [row] = await server.all<{ n: bigint | null }>(countSql, params);
  return Math.max(1, Math.floor(Number(row?.n ?? 0) / readWhole));
}

/** A fixed order that has nothing to do with time: the same requests are sampled again. */
const scattered = (key: string): number => {
  const [, lo] = key.split(' ');
  return Number(BigInt.asUintN(53, BigInt(lo === 'null' ? 0 : lo!) * 0x9e3779b97f4a7c15n));
};

async function pathSamples(
  means: Means,
  paths: { rootName: string; application: string; count: number }[],
  fromMs: number,
  toMs: number,
  limit: number,
): Promise<PathSample[][]> {
  const lists = await Promise.all(
    paths.map(async (path) => {
      // of many, only a share is put into order
      const share = Math.max(1, Math.floor(path.count / (4 * limit)));
      const picked = await pickRoots(means, path, fromMs, toMs, limit, share);
      return picked.length < limit && share > 1 ? pickRoots(means, path, fromMs, toMs, limit, 1) : picked;
    }),
  );
  const samples = new Map<string, PathSample>();
  const byPath = lists.map((list) =>
    list.map((root) => {
      const [hi, lo] = root.key.split(' ').map((word) => unsigned(word === 'null' ? null : BigInt(word))) as [
        bigint,
        bigint,
      ];
      const sample = samples.get(root.key) ?? {
        traceId: traceIdHex(hi, lo),
        startMs: epochMillisOf(root.startNs),
        spans: [],
        crossings: [],
      };
      samples.set(root.key, sample);
      return sample;
    }),
  );
  await fillSamples(means, samples, fromMs, toMs);
  return byPath.map((list) => list.sort((a, b) => a.startMs - b.startMs));
}

async function pickRoots(
  means: Means,
  path: Path,
  fromMs: number,
  toMs: number,
  limit: number,
  oneIn: number,
): Promise<Root[]> {
  const roots = (await rootsOf(means, fromMs, toMs, path, oneIn))
    .filter(({ spans }) => spans <= 10_000)
    .map((root) => ({ root, order: scattered(root.key) }))
    .sort((a, b) => a.order - b.order || ascending(a.root.key, b.root.key))
    .slice(0, limit);
  let spans = 0;
  return roots
    .filter(({ root }, i) => {
      spans += root.spans;
      return i === 0 || spans <= 100 * limit;
    })
    .map(({ root }) => root);
}

async function fillSamples(
  { server, book, known }: Means,
  samples: ReadonlyMap<string, PathSample>,
  fromMs: number,
  toMs: number,
): Promise<void> {
  const places = book.places();
  const los = [...samples.keys()]
    .map((key) => key.split(' ')[1]!)
    .map((word) => (word === 'null' ? unsigned(null) : BigInt(word)));
  const slack = [fromMs - slackMs, toMs + slackMs] as const;
  for (const some of parts(los, idsAtOnce)) {
    const list = listed(some);
    const [spans, crossings] = await Promise.all([
      server.all<SpanRow>(
        `SELECT trace_hi, trace_lo, span_id, parent_id, start_ns, duration_ns, kind, status, name, resource FROM ${server.table('spans')}
         WHERE ts >= $1 AND start_ns >= $2 AND start_ns < $3 AND trace_lo IN ${list} ORDER BY ts`,
        [microsOf(slack[0] - aheadMs), nanosAt(slack[0]), nanosAt(slack[1])],
      ),
      server.all<QuestDbCrossing>(
        `SELECT ${crossingColumns} FROM ${server.table('crossings')}
         WHERE ts >= $1 AND ts <= $2 AND NOT gone AND caller_trace_lo IN ${list} ORDER BY caller_start_ns`,
        slack.map((at) => microsOfMinute(minuteOf(at))),
      ),
    ]);
    const seen = new Set<string>();
    for (const row of spans) {
      const key = `${row.trace_hi} ${row.trace_lo}`;
      const place = places.get(row.resource);
      if (!place || seen.has(`${key} ${row.span_id}`)) continue;
      seen.add(`${key} ${row.span_id}`);
      const { serviceName } = await known.resource(row.resource);
      samples.get(key)?.spans.push({
        traceId: samples.get(key)!.traceId,
        spanId: spanIdHex(unsigned(row.span_id)),
        parentSpanId: row.parent_id === 0n ? '' : spanIdHex(unsigned(row.parent_id)),
        name: row.name ?? '',
        kind: row.kind,
        startNanos: row.start_ns,
        endNanos: row.start_ns + row.duration_ns,
        status: row.status,
        deviceId: place.deviceId,
        site: place.site,
        application: place.application,
        resource: { serviceName },
      } satisfies PathSpan);
    }
    for (const row of crossings)
      samples.get(`${row.caller_trace_hi} ${row.caller_trace_lo}`)?.crossings.push(crossingOf(row, unsigned));
  }
}

interface SpanRow {
  trace_hi: bigint | null;
  trace_lo: bigint | null;
  span_id: bigint | null;
  parent_id: bigint | null;
  start_ns: bigint;
  duration_ns: bigint;
  kind: number;
  status: number;
  name: string | null;
  resource: string;
}
