import * as z from 'zod';
import { pathBudgetOf } from '../domain/budget.ts';
import { floorMsBetween, greatCircleKm } from '../domain/geo.ts';
import { parseTraceId, spanIdHex, traceIdHex } from '../domain/ids.ts';
import { type Ledger, ledgerOf, type Stretch } from '../domain/ledger.ts';
import { spanKind } from '../domain/span.ts';
import { spanFlag } from '../domain/span-columns.ts';
import { type EpochMillis, epochMillisOf, type Millis, millisOfNanos } from '../domain/units.ts';
import { judge } from '../domain/verdict.ts';
import type { CrossingRow, PassageRow, SiteRow, StoredSpan } from '../store/store.ts';
import type { ViewContext } from './context.ts';
import { crossingFigures, deviceNames } from './crossing-item.ts';
import { brokerSiteOf, placeOf } from './hop-item.ts';
import { notFound } from './query.ts';
import type { LedgerLine, PassageItem, SpanItem, TraceView } from './schemas.ts';
import { type Mask, maskOf, restricted } from './trace-mask.ts';
import { distanceShareOf, isNetwork, traceSentence } from './trace-sentence.ts';
import { maySee } from './viewer.ts';
import { seesAll } from './visibility.ts';
import { instantOf, sayAgo, sayCount } from './words.ts';

export const traceQuerySchema = z.object({});
/** `traceId`: 16 or 32 hex digits of any case */
export interface TraceIdQuery {
  traceId: string;
}

/** traces that this one called into over links, and they in turn, followed for the ledger */
const followed = 5;
const spansOfFollowed = 500;
/** this long after its first span arrived, one is late */
const lateMs = 60_000;

/** this long after the last span of a trace arrived, one that is missing may be unfinished */
const unfinishedMs = 60_000;

/** One request: every span, the ledger that adds up, and the sentence that says what to make of it. */
export async function traceView(context: ViewContext, query: TraceIdQuery): Promise<TraceView> {
  const { store, viewer, rules } = context;
  const words = parseTraceId(query.traceId);
  if (!words) throw notFound('trace');
  const trail = await store.traceTrail(words.hi, words.lo);
  if (!trail && seesAll(viewer)) {
    const passages = await store.passagesOfTrace(words.hi, words.lo);
    if (passages[0]) return unspannedTrace(traceIdHex(words.hi, words.lo), passages[0], passages);
  }
  // what is hidden takes no longer than what is absent
  if (!trail?.applications.some((application) => maySee(viewer, application))) throw notFound('trace');
  const [{ spans: own, total }, ownCrossings, links, devices, siteRows, passages] = await Promise.all([
    store.spansOfTrace(words.hi, words.lo, undefined, trail),
    store.crossingsOfTrace(words.hi, words.lo, trail),
    store.linkedTraces(words.hi, words.lo),
    store.devices(),
    store.sites(),
    store.passagesOfTrace(words.hi, words.lo),
  ]);
  if (!own.some((span) => maySee(viewer, span.application))) throw notFound('trace');

  const traceId = own[0]!.traceId;
  const story = await storyFrom(context, traceId, ownCrossings);
  const spans = [...own, ...story.spans];
  const { crossings } = story;
  const sites = new Map(siteRows.map((site) => [site.id, site]));
  const ledger = ledgerOf(spans, crossings, {
    brokerSite: (broker) => brokerSiteOf(rules, broker),
    floorMs: (from, to) => floorMsBetween(placeOf(sites, from), placeOf(sites, to)),
  });
  if (!ledger) throw notFound('trace');
  const mask = maskOf(viewer, spans, crossings, deviceNames(devices), (broker) => brokerSiteOf(rules, broker));
  const told: Telling = {
    spans,
    crossings,
    ledger,
    mask,
    sites,
    spanAt: spansByKey(spans),
    crossingsAt: crossingsBySpan(crossings),
  };

  const root = spans.find((span) => span.spanId === ledger.rootSpanId) ?? own[0]!;
  const rootSeen = mask.sees(root);
  const hasRoot = root.parentSpanId === '';
  const lines = ledger.stretches.map((stretch) => ledgerLine(told, stretch));
  const floorMs = ledger.stretches.reduce((sum, stretch) => sum + stretch.floorMs, 0);
  const budget = rootSeen
    ? pathBudgetOf(rules.budgets, {
        rootName: root.name,
        application: root.application,
        services: [...new Set(crossings.filter(mask.seesCrossing).flatMap((c) => serviceOf(told, c)))],
        destinations: [...new Set(crossings.filter(mask.seesCrossing).map((c) => destinationOf(told, c)))].filter(
          Boolean,
        ),
      })
    : null;
  const judged =
    budget === null || !hasRoot
      ? null
      : judge({
          count: 1,
          requests: 1,
          unanswered: 0,
          p50Ms: ledger.totalMs,
          p95Ms: ledger.totalMs,
          boundMs: ledger.boundMs,
          floorMs,
          directFloorMs: Math.max(0, floorMs - detourMs(told)),
          budgetMs: budget.ms,
        });
  const rootName = rootSeen ? root.name : restricted;
  return {
    traceId,
    rootName,
    application: rootSeen ? root.application : restricted,
    startedAt: instantOf(epochMillisOf(root.startNanos)),
    totalMs: ledger.totalMs,
    rawTotalMs: ledger.rawTotalMs,
    totalBoundMs: ledger.boundMs,
    oneClock: ledger.boundMs === 0,
    requesterDevice: mask.device(ledger.referenceDevice),
    budgetMs: budget?.ms ?? null,
    verdict: judged?.verdict ?? 'no-data',
    mark: judged?.mark ?? 'no-data',
    sentence: traceSentence({
      rootName,
      totalMs: ledger.totalMs,
      boundMs: ledger.boundMs,
      budgetMs: budget?.ms ?? null,
      floorMs,
      verdict: judged?.verdict ?? 'no-data',
      moveWhat: judged?.moveWhat ?? null,
      ledger: lines,
      hasRoot,
    }),
    distanceShare: distanceShareOf(lines, ledger.totalMs),
    kilometres: kilometresOf(lines, sites),
    spans: spanItems(told),
    spansTotal: total + (spans.length - own.length),
    crossings: crossings.map((crossing) => traceCrossing(told, crossing)),
    ledger: lines,
    offPath: ledger.offPath.map((stretch) => ledgerLine(told, stretch)),
    criticalPath: [...new Set(ledger.stretches.flatMap((stretch) => stretch.spanIds))],
    sites: sitesOf(context, told),
    linked: await visibleLinks(context, links),
    passages: passages.filter((passage) => seesAll(viewer) || seesSpan(told, passage.spanId)).map(passageItem),
    notes: notesOf(told, own, total, root, context.nowMs),
  };
}

const passageItem = ({ broker, topic, receiveNanos, spanId, payloadBytes, qos }: PassageRow): PassageItem => ({
  broker,
  topic,
  at: instantOf(epochMillisOf(receiveNanos)),
  spanId,
  payloadBytes,
  qos,
});

const seesSpan = ({ spans, mask }: Telling, spanId: string): boolean =>
  spans.some((span) => span.spanId === spanId && mask.sees(span));

/** Messages carried a trace context, but nobody sent spans: what is known is that they passed, and when. */
function unspannedTrace(traceId: string, first: PassageRow, passages: PassageRow[]): TraceView {
  const seenFor = passages.at(-1)!.receiveNanos - first.receiveNanos;
  return {
    traceId,
    rootName: first.topic,
    application: '',
    startedAt: instantOf(epochMillisOf(first.receiveNanos)),
    totalMs: millisOfNanos(seenFor),
    rawTotalMs: millisOfNanos(seenFor),
    totalBoundMs: null,
    oneClock: false,
    requesterDevice: '',
    budgetMs: null,
    verdict: 'no-data',
    mark: 'no-data',
    sentence: `${sayCount(passages.length, 'message')} of this trace passed ${first.broker}; no span of it has arrived.`,
    distanceShare: null,
    kilometres: null,
    spans: [],
    spansTotal: 0,
    crossings: [],
    ledger: [],
    offPath: [],
    criticalPath: [],
    sites: [],
    linked: [],
    passages: passages.map(passageItem),
    notes: [
      'The publisher puts a traceparent on its messages but sends no spans here: point its OpenTelemetry exporter at the OTLP address to see what happened before and after.',
    ],
  };
}

interface Telling {
  spans: StoredSpan[];
  crossings: CrossingRow[];
  ledger: Ledger;
  mask: Mask;
  sites: ReadonlyMap<string, SiteRow>;
  /** by trace and span id */
  spanAt: ReadonlyMap<string, StoredSpan>;
  /** by the id of either span */
  crossingsAt: ReadonlyMap<string, CrossingRow[]>;
}

const spansByKey = (spans: StoredSpan[]): Map<string, StoredSpan> =>
  new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]));

function crossingsBySpan(crossings: CrossingRow[]): Map<string, CrossingRow[]> {
  const bySpan = new Map<string, CrossingRow[]>();
  for (const crossing of crossings) {
    for (const spanId of [crossing.callerSpanId, crossing.calleeSpanId]) {
      const known = bySpan.get(spanId);
      if (known) known.push(crossing);
      else bySpan.set(spanId, [crossing]);
    }
  }
  return bySpan;
}

/** Where a consumer began a trace of its own and links back, the request goes on there: one story, told in one ledger. */
async function storyFrom({ store }: ViewContext, traceId: string, begun: CrossingRow[]): Promise<Story> {
  const story: Story = { spans: [], crossings: [...begun] };
  const told = new Set([traceId]);
  for (let next = calledFrom(begun, told); next.length > 0; ) {
    for (const id of next) told.add(id);
    const parts = await Promise.all(
      next.map(async (id) => {
        const words = parseTraceId(id);
        if (!words) return { spans: [], crossings: [] };
        const [{ spans }, crossings] = await Promise.all([
          store.spansOfTrace(words.hi, words.lo, spansOfFollowed),
          store.crossingsOfTrace(words.hi, words.lo),
        ]);
        // those that came from another trace are told where they began
        return { spans, crossings: crossings.filter((crossing) => crossing.callerTraceId === id) };
      }),
    );
    story.spans.push(...parts.flatMap((part) => part.spans));
    const further = parts.flatMap((part) => part.crossings);
    story.crossings.push(...further);
    next = calledFrom(further, told);
  }
  return story;
}

interface Story {
  spans: StoredSpan[];
  crossings: CrossingRow[];
}

function calledFrom(crossings: CrossingRow[], told: ReadonlySet<string>): string[] {
  const called = new Set<string>();
  for (const { callerTraceId, calleeTraceId, calleeSpanId } of crossings) {
    if (told.has(callerTraceId) && !told.has(calleeTraceId) && calleeSpanId !== '') called.add(calleeTraceId);
  }
  return [...called].slice(0, Math.max(0, followed - told.size + 1));
}

// ---- spans

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const statuses = ['unset', 'ok', 'error'] as const;

function spanItems({ spans, ledger, mask }: Telling): SpanItem[] {
  const placed = new Map(ledger.spans.map((span) => [span.spanId, span]));
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const items = spans.map<SpanItem>((span) => {
    const place = placed.get(span.spanId);
    const durationMs = millisOfNanos(span.endNanos - span.startNanos);
    const shape = {
      spanId: span.spanId,
      parentSpanId: span.parentSpanId || null,
      traceId: span.traceId,
      kind: kinds[span.kind] ?? 'unspecified',
      startedAt: instantOf(epochMillisOf(span.startNanos)),
      rawStartMs: place?.rawStartMs ?? 0,
      startMs: place?.startMs ?? null,
      boundMs: place?.boundMs ?? null,
      durationMs,
      status: statuses[span.status] ?? 'unset',
    } satisfies Partial<SpanItem>;
    if (!mask.sees(span)) return { ...shape, ...nameless };
    return {
      ...shape,
      name: span.name,
      service: span.resource.serviceName,
      site: span.site,
      device: mask.device(span.deviceId),
      application: span.application,
      statusMessage: span.statusMessage,
      attributes: { ...span.attributes },
      resource: resourceAttributes(span.resource.attributesJson),
      events: span.events.map((event) => ({
        name: event.name,
        at: instantOf(epochMillisOf(event.timeNanos)),
        attributes: { ...event.attributes },
      })),
      links: span.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
      scope: span.scopeName,
      notes: spanNotes(span, byId.get(span.parentSpanId), mask),
    };
  });
  // by when they happened, not by what their clocks said
  return items.sort((a, b) => (a.startMs ?? a.rawStartMs) - (b.startMs ?? b.rawStartMs));
}

const nameless = {
  name: restricted,
  service: restricted,
  site: restricted,
  device: restricted,
  application: restricted,
  statusMessage: '',
  attributes: {},
  resource: {},
  events: [],
  links: [],
  scope: '',
  notes: ['belongs to an application you may not see'],
} satisfies Partial<SpanItem>;

function resourceAttributes(json: string): SpanItem['resource'] {
  try {
    const parsed: unknown = JSON.parse(json || '{}');
    return parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed)
      ? { ...(parsed as SpanItem['resource']) }
      : {};
  } catch {
    return {}; // cut at 16 KiB: what is left is no JSON any more
  }
}

function spanNotes(span: StoredSpan, parent: StoredSpan | undefined, mask: Mask): string[] {
  const notes: string[] = [];
  if (span.flags & spanFlag.cut) notes.push('a name or value was longer than the limit and was cut');
  if (span.flags & spanFlag.millisecondGrain)
    notes.push('stamped in whole milliseconds: true times are up to 1 ms later');
  if (span.flags & spanFlag.sampled) notes.push('one of many: the rest was not recorded');
  if (span.parentSpanId !== '' && !parent) notes.push('its parent has not arrived');
  // across devices an asynchronous consumer ends later as a matter of course; on one clock it is worth a word
  if (
    parent &&
    parent.deviceId === span.deviceId &&
    span.endNanos > parent.endNanos &&
    span.kind !== spanKind.consumer
  ) {
    notes.push(`ends ${sayAgoFine(millisOfNanos(span.endNanos - parent.endNanos))} after its parent`);
  }
  if (parent && !mask.sees(parent)) notes.push('called from an application you may not see');
  return notes;
}

const sayAgoFine = (ms: Millis): string => (ms < 1000 ? `${ms.toFixed(1)} ms` : sayAgo(ms));

// ---- the ledger

function ledgerLine(told: Telling, stretch: Stretch): LedgerLine {
  const { mask, spans } = told;
  const moves = stretch.toWhere !== '';
  const fromDevice = mask.device(stretch.where);
  const toDevice = moves ? mask.device(stretch.toWhere) : fromDevice;
  const crossing = moves ? crossingOf(told, stretch) : undefined;
  const seen = !crossing || mask.seesCrossing(crossing);
  const ids = new Set(stretch.spanIds);
  return {
    kind: stretch.kind,
    where: moves ? `${fromDevice} → ${toDevice}` : fromDevice,
    fromDevice,
    toDevice,
    fromSite: mask.site(stretch.site),
    toSite: mask.site(stretch.toSite || stretch.site),
    service: mask.service(stretch.service),
    rawMs: stretch.rawMs,
    ms: stretch.ms,
    boundMs: stretch.boundMs,
    // the floor tells how far away the hidden end stands
    floorMs: seen ? stretch.floorMs : null,
    startMs: stretch.startMs,
    endMs: stretch.endMs,
    rawStartMs: stretch.rawStartMs,
    rawEndMs: stretch.rawEndMs,
    spanIds: stretch.spanIds,
    hopId: crossing && seen ? spanIdHex(crossing.hop) : null,
    // it may tell a span's name
    note: spans.every((span) => !ids.has(span.spanId) || mask.sees(span)) ? stretch.note : '',
  };
}

/** The crossing that both ends of the stretch belong to, else the one that one end does. */
function crossingOf({ crossingsAt }: Telling, { spanIds }: Stretch): CrossingRow | undefined {
  const near = spanIds.flatMap((spanId) => crossingsAt.get(spanId) ?? []);
  return near.find((c) => spanIds.includes(c.callerSpanId) && spanIds.includes(c.calleeSpanId)) ?? near[0];
}

/** How much longer the fibre is by way of the brokers than end to end, on the critical path. */
function detourMs({ crossings, ledger }: Telling): Millis {
  const path = new Set(ledger.stretches.flatMap((stretch) => stretch.spanIds));
  return crossings
    .filter((c) => path.has(c.callerSpanId) && path.has(c.calleeSpanId))
    .reduce((sum, c) => sum + (c.floorMs - c.directFloorMs), 0);
}

function kilometresOf(lines: LedgerLine[], sites: ReadonlyMap<string, SiteRow>): number | null {
  let kilometres: number | null = null;
  for (const line of lines) {
    if (!isNetwork(line.kind)) continue;
    const from = placeOf(sites, line.fromSite);
    const to = placeOf(sites, line.toSite);
    if (from && to) kilometres = (kilometres ?? 0) + greatCircleKm(from, to);
  }
  return kilometres;
}

// ---- crossings

const spanOf = ({ spanAt }: Telling, traceId: string, spanId: string): StoredSpan | undefined =>
  spanAt.get(`${traceId}/${spanId}`);

function serviceOf(told: Telling, crossing: CrossingRow): string[] {
  const callee = spanOf(told, crossing.calleeTraceId, crossing.calleeSpanId);
  return callee && callee.resource.serviceName !== '' ? [callee.resource.serviceName] : [];
}

function destinationOf(told: Telling, crossing: CrossingRow): string {
  const caller = spanOf(told, crossing.callerTraceId, crossing.callerSpanId);
  const callee = spanOf(told, crossing.calleeTraceId, crossing.calleeSpanId);
  return callee?.destination || caller?.destination || '';
}

function traceCrossing(told: Telling, row: CrossingRow): TraceView['crossings'][number] {
  const { mask } = told;
  const caller = spanOf(told, row.callerTraceId, row.callerSpanId);
  const callee = spanOf(told, row.calleeTraceId, row.calleeSpanId);
  const seen = mask.seesCrossing(row);
  return {
    ...crossingFigures(row, mask.device),
    hopId: seen ? spanIdHex(row.hop) : '',
    message: row.message,
    linked: row.linked,
    broker: seen ? row.broker : '',
    system: seen ? callee?.system || caller?.system || '' : '',
    destination: seen ? destinationOf(told, row) : '',
    offsetMs: seen ? row.offsetMs : null,
    floorMs: seen ? row.floorMs : 0,
    fromSite: mask.site(caller?.site ?? ''),
    toSite: mask.site(callee?.site ?? ''),
  };
}

// ---- around it

function sitesOf({ rules }: ViewContext, { spans, crossings, mask, sites }: Telling): TraceView['sites'] {
  const ids = new Set(spans.map((span) => mask.site(span.site)));
  for (const { broker } of crossings) if (broker !== '') ids.add(mask.site(brokerSiteOf(rules, broker)));
  ids.delete(restricted);
  ids.delete('');
  return [...ids].map((id) => {
    const site = sites.get(id);
    return { id, name: site?.name ?? id, lat: site?.lat ?? null, lon: site?.lon ?? null };
  });
}

async function visibleLinks(
  { store, viewer }: ViewContext,
  links: Pick<TraceView['linked'][number], 'traceId' | 'direction'>[],
): Promise<TraceView['linked']> {
  if (links.length === 0) return [];
  const rows = new Map((await store.traceRows(links.map((link) => link.traceId))).map((row) => [row.traceId, row]));
  return links.flatMap((link) => {
    const row = rows.get(link.traceId);
    const seen = row ? maySee(viewer, row.application) : seesAll(viewer);
    return seen ? [{ ...link, rootName: row?.hasRoot ? row.rootName : '' }] : [];
  });
}

function notesOf(
  { spans, crossings, ledger, mask }: Telling,
  own: StoredSpan[],
  total: number,
  root: StoredSpan,
  nowMs: EpochMillis,
): string[] {
  const notes: string[] = [];
  const known = new Set(own.map((span) => span.spanId));
  const orphans = own.filter((span) => span.parentSpanId !== '' && !known.has(span.parentSpanId));
  if (total > own.length)
    notes.push(`Only the first ${sayCount(own.length, 'span')} of ${total.toLocaleString('en-US')} are shown.`);
  // a span is sent when it ends: what has just arrived may have a parent that still runs
  const running =
    nowMs - Math.max(...own.map((span) => span.arrivalMs)) < unfinishedMs ? ', and may still be running' : '';
  if (root.parentSpanId !== '') notes.push(`The root has not arrived${running}: times count from the earliest span.`);
  const orphaned = orphans.filter((span) => span.spanId !== root.spanId).length;
  if (orphaned > 0)
    notes.push(`${sayCount(orphaned, 'span has a parent', 'spans have parents')} that did not arrive${running}.`);
  const firstMs = Math.min(...own.map((span) => span.arrivalMs));
  const late = own.filter((span) => span.arrivalMs - firstMs > lateMs);
  if (late.length > 0) {
    const most = Math.max(...late.map((span) => span.arrivalMs - firstMs));
    notes.push(`${sayCount(late.length, 'span')} arrived up to ${sayAgo(most)} after the first.`);
  }
  const cut = own.filter((span) => span.flags & spanFlag.cut).length;
  if (cut > 0) notes.push(`${sayCount(cut, 'span has', 'spans have')} a name or value that was cut.`);
  if (own.some((span) => span.flags & spanFlag.sampled))
    notes.push('Sampled: one of many requests, the others were not recorded.');
  const further = new Set(
    spans.filter((span) => span.traceId !== root.traceId && mask.sees(span)).map((s) => s.traceId),
  );
  if (further.size > 0)
    notes.push(
      `Goes on in ${sayCount(further.size, 'linked trace')}: told here as one story, from its beginning to its end.`,
    );
  if (crossings.some((c) => c.calleeTraceId === root.traceId && c.callerTraceId !== root.traceId))
    notes.push('Began in another trace, which is linked: this is the part from the message that was received here.');
  const waiting = crossings.filter((c) => c.calleeSpanId === '' || /^0+$/.test(c.calleeSpanId)).length;
  if (waiting > 0) notes.push(`${sayCount(waiting, 'call has', 'calls have')} no answer in this trace (yet).`);
  const wrong = new Set(
    crossings
      .filter((c) => c.clock === 'clock-wrong')
      .flatMap((c) => [mask.device(c.callerDevice), mask.device(c.calleeDevice)]),
  );
  if (wrong.size > 0) notes.push(`A clock is proven wrong between ${[...wrong].join(' and ')}.`);
  const contradicting = new Set(
    crossings
      .filter((c) => c.clock === 'contradiction')
      .flatMap((c) => [mask.device(c.callerDevice), mask.device(c.calleeDevice)]),
  );
  if (contradicting.size > 0) notes.push(`The clocks of ${[...contradicting].join(' and ')} contradict each other.`);
  if (crossings.some((c) => c.clock === 'assumed'))
    notes.push('Some clocks are assumed to agree: nothing came back that could prove it.');
  if (ledger.clocksContradict)
    notes.push('Clocks contradict each other: no setting of them explains every message, so some ways look too short.');
  if (ledger.boundMs === 0)
    notes.push(`Sent and answered on one clock, so the total carries no error. Only the split between devices does.`);
  if (own.some((span) => !mask.sees(span)))
    notes.push('Parts of this request belong to applications you may not see: they keep their times.');
  return notes;
}
