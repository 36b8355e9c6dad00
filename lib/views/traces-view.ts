import * as z from 'zod';
import { parseSpanId } from '../domain/ids.ts';
import { epochMillisOf } from '../domain/units.ts';
import type { TraceQuery, TraceRow } from '../store/store.ts';
import { rangeOf, type ViewContext } from './context.ts';
import { choiceField, flagField, limitField, millisField, QueryProblem, rangeFields, textField } from './query.ts';
import type { TraceItem, TracesView } from './schemas.ts';
import { maySee } from './viewer.ts';
import { seesAll, visibleServices } from './visibility.ts';
import { instantOf } from './words.ts';

export const tracesQuerySchema = z.object({
  ...rangeFields,
  service: textField('traces with a span of this service'),
  name: textField('traces whose root span has this name'),
  hop: textField('traces that cross this hop (16 hex digits)'),
  device: textField('traces with a span on this device (its id)'),
  minDuration: millisField('traces that took at least this many milliseconds'),
  maxDuration: millisField('traces that took at most this many milliseconds'),
  errors: flagField('only traces with an error'),
  order: choiceField(['newest', 'slowest'], 'default newest'),
  limit: limitField(50, 10_000),
  cursor: textField('nextCursor of the page before'),
});
export type TracesQuery = z.output<typeof tracesQuerySchema>;

const rounds = 10;

/** Requests of a range, newest or slowest first. */
export async function tracesView(context: ViewContext, query: TracesQuery): Promise<TracesView> {
  const range = rangeOf(context, query);
  const { store, viewer } = context;
  const storeQuery: TraceQuery = {
    fromMs: range.fromMs,
    toMs: range.toMs,
    service: query.service,
    rootName: query.name,
    hop: hopOf(query.hop),
    deviceId: query.device,
    minDurationMs: query.minDuration,
    maxDurationMs: query.maxDuration,
    errorsOnly: query.errors,
    order: query.order ?? 'newest',
    limit: query.limit + 1,
    beforeNanos: cursorOf(query.cursor),
  };
  const [rows, services, names] = await Promise.all([
    readVisible(context, storeQuery),
    store.services(),
    store.rootNames(range.fromMs, range.toMs),
  ]);
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  const more = rows.length > query.limit && storeQuery.order === 'newest' && last !== undefined;
  return {
    range,
    items: shown.map(traceItem),
    nextCursor: more ? String(last.startNanos) : null,
    services: [...new Set(visibleServices(viewer, services).map((row) => row.service))].sort(),
    rootNames: [...new Set(names.filter((row) => maySee(viewer, row.application)).map((row) => row.rootName))],
    emptyReason: shown.length > 0 ? null : whyNone(query),
  };
}

export const traceItem = (row: TraceRow): TraceItem => ({
  traceId: row.traceId,
  startedAt: instantOf(epochMillisOf(row.startNanos)),
  durationMs: row.durationMs,
  rootName: row.rootName,
  rootService: row.rootService,
  site: row.rootSite,
  application: row.application,
  hasRoot: row.hasRoot,
  spans: row.spans,
  errors: row.errors,
});

/** A viewer with a few applications is read for until the page is full: what is hidden must not thin the pages out. */
async function readVisible({ store, viewer }: ViewContext, query: TraceQuery): Promise<TraceRow[]> {
  if (seesAll(viewer)) return store.searchTraces(query);
  const visible: TraceRow[] = [];
  let beforeNanos = query.beforeNanos;
  // the slowest have no cursor: ask for many at once
  const limit = query.order === 'slowest' ? query.limit * rounds : Math.max(200, query.limit);
  for (let round = 0; round < rounds && visible.length < query.limit; round++) {
    const rows = await store.searchTraces({ ...query, limit, beforeNanos });
    visible.push(...rows.filter((row) => maySee(viewer, row.application)));
    if (rows.length < limit || query.order === 'slowest') break;
    beforeNanos = rows.at(-1)!.startNanos;
  }
  return visible.slice(0, query.limit);
}

function hopOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const hop = parseSpanId(text);
  if (hop === null)
    throw new QueryProblem([{ parameter: 'hop', found: text, wanted: '16 hex digits, the id of a hop' }]);
  return hop;
}

function cursorOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,19}$/.test(text)) {
    throw new QueryProblem([
      { parameter: 'cursor', found: text.slice(0, 100), wanted: 'the nextCursor of the page before' },
    ]);
  }
  return BigInt(text);
}

function whyNone(query: TracesQuery): string {
  const filters = [
    query.service,
    query.name,
    query.hop,
    query.device,
    query.minDuration,
    query.maxDuration,
    query.errors || undefined,
  ];
  if (query.cursor !== undefined) return 'That was the last page.';
  return filters.some((each) => each !== undefined)
    ? 'No trace of this range fits the filter.'
    : 'No trace began in this range.';
}
