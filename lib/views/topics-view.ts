import * as z from 'zod';
import type { TopicRhythm } from '../store/path-store.ts';
import type { TopicWindow } from '../store/store.ts';
import { rangeOf, type ViewContext } from './context.ts';
import { brokerSiteOf } from './hop-item.ts';
import { choiceField, limitField, rangeFields, textField } from './query.ts';
import type { RangeView, TopicItem, TopicsView } from './schemas.ts';
import { emptySpark, type Grid, gridOf, sparkOf } from './spark.ts';
import { topicScope } from './visibility.ts';
import { instantOrNull } from './words.ts';

export const topicsQuerySchema = z.object({
  ...rangeFields,
  broker: textField('topics of this broker'),
  search: textField('topics whose name contains this text'),
  state: choiceField(['flowing', 'silent', 'retained-only'], 'topics in this state'),
  limit: limitField(200, 100_000),
});
export type TopicsQuery = z.output<typeof topicsQuerySchema>;

const minuteMs = 60_000;
/** the usual gap of a topic is learned from at least this long */
const rhythmMs = 3_600_000;
const longestRhythmMs = 86_400_000;

/** What the brokers carried, busiest topics first, and which of them went quiet. */
export async function topicsView(context: ViewContext, query: TopicsQuery): Promise<TopicsView> {
  const range = rangeOf(context, query);
  const { store, viewer, rules, nowMs } = context;
  const lookBackMs = Math.min(longestRhythmMs, Math.max(rhythmMs, range.toMs - range.fromMs));
  const rhythmFromMs = Math.min(range.fromMs, range.toMs - lookBackMs);
  const [windows, rhythms, services, devices] = await Promise.all([
    store.topicWindows(range.fromMs, range.toMs),
    store.topicRhythms(rhythmFromMs, range.toMs),
    store.services(),
    store.devices(),
  ]);
  const scope = topicScope(viewer, rules, services, devices);
  const rhythmOf = new Map(rhythms.map((rhythm) => [rhythm.topicId, rhythm]));
  const quiet = await quietBefore(context, range, rhythmFromMs, windows, rhythms);
  const visible = [...windows, ...quiet].filter((window) => scope.sees(window));

  const grid = gridOf(range, 60, minuteMs);
  const { brokers, coveredMs } = await brokersOf(context, range, grid, visible);
  const shown = new Set(visible.map((window) => window.topicId));
  const now = nowOf(
    Math.min(range.toMs, nowMs),
    rhythms.filter((rhythm) => shown.has(rhythm.topicId)),
  );
  const fitting = visible
    .map((window) => ({ window, state: stateOf(window, rhythmOf.get(window.topicId), now(window.broker)) }))
    .filter(
      ({ window, state }) =>
        (query.broker === undefined || window.broker === query.broker) &&
        (query.state === undefined || state === query.state) &&
        (query.search === undefined || window.topic.toLowerCase().includes(query.search.toLowerCase())),
    )
    .slice(0, query.limit);
  const sparks = await sparksOf(
    context,
    grid,
    fitting.map(({ window }) => window.topicId),
  );
  const items = fitting.map<TopicItem>(({ window, state }) => {
    const seconds = (coveredMs.get(window.broker) ?? range.toMs - range.fromMs) / 1000;
    return {
      broker: window.broker,
      topic: window.topic,
      messages: window.messages,
      messagesPerS: window.messages / seconds,
      bytesPerS: window.payloadBytes / seconds,
      retained: window.retained,
      lastSeen: instantOrNull(window.lastMs),
      publishers: scope.names(window.publishers),
      consumers: scope.names(window.consumers),
      state,
      spark: sparks.get(window.topicId) ?? emptySpark(grid),
    };
  });
  return { range, brokers, items, emptyReason: items.length > 0 ? null : whyNone(visible.length > 0) };
}

/** a broker that has been quiet for longer is quiet; up to here, what it carried may still be on its way through the spool */
const behindMs = 60_000;

/**
 * Silence is measured against what else the broker carries: while the store is behind, every topic ends at the same moment,
 * and none of them has gone quiet.
 */
function nowOf(atMs: number, rhythms: TopicRhythm[]): (broker: string) => number {
  const newest = new Map<string, number>();
  for (const { broker, lastMs } of rhythms) newest.set(broker, Math.max(newest.get(broker) ?? 0, lastMs));
  return (broker) => {
    const lastMs = newest.get(broker) ?? 0;
    return atMs - lastMs < behindMs ? Math.min(atMs, lastMs) : atMs;
  };
}

/** Quiet for over 5 x its usual gap (design.md section 6e). Too young to have a rhythm: not silent. */
export function isSilent(rhythm: TopicRhythm | undefined, atMs: number): boolean {
  if (!rhythm || rhythm.messages < 5) return false;
  const pauseMs = (rhythm.pauseMinutes ?? 1) * minuteMs;
  const usualMs =
    pauseMs > minuteMs ? pauseMs : Math.max(0, rhythm.lastMs - rhythm.firstMinute * minuteMs) / rhythm.messages;
  // what is counted lags by the collector's commit and one pass of the audit
  return atMs - rhythm.lastMs > Math.max(15_000, 5 * usualMs);
}

function stateOf(window: TopicWindow, rhythm: TopicRhythm | undefined, atMs: number): TopicItem['state'] {
  if (isSilent(rhythm, atMs)) return 'silent';
  return window.messages === 0 && window.retained > 0 ? 'retained-only' : 'flowing';
}

/** Topics that said nothing in the range and did before it: gone quiet, so they belong into the list, at zero. */
async function quietBefore(
  { store }: ViewContext,
  range: RangeView,
  fromMs: number,
  windows: TopicWindow[],
  rhythms: TopicRhythm[],
): Promise<TopicWindow[]> {
  const heard = new Set(windows.map((window) => window.topicId));
  const missing = new Set(rhythms.filter((rhythm) => !heard.has(rhythm.topicId)).map((rhythm) => rhythm.topicId));
  if (missing.size === 0) return [];
  const before = await store.topicWindows(fromMs, range.fromMs);
  return before
    .filter((window) => missing.has(window.topicId))
    .map((window) => ({ ...window, messages: 0, payloadBytes: 0, retained: 0 }));
}

type SeriesPoint = { minute: number; messages: number; payloadBytes: number };

/** Per broker: rates over the time it was heard in, which is shorter than the range while the product is young. */
async function brokersOf({ store, rules, viewer }: ViewContext, range: RangeView, grid: Grid, visible: TopicWindow[]) {
  const series = new Map<string, SeriesPoint[]>();
  const add = (broker: string, point: SeriesPoint): void => {
    const points = series.get(broker);
    if (points) points.push(point);
    else series.set(broker, [point]);
  };
  if (viewer.applications === 'all') {
    for (const point of await store.brokerSeries(range.fromMs, range.toMs)) add(point.broker, point);
  } else {
    const brokerOf = new Map(visible.map((window) => [window.topicId, window.broker]));
    for (const point of await store.topicSeriesOf([...brokerOf.keys()], range.fromMs, range.toMs)) {
      add(brokerOf.get(point.topicId)!, point);
    }
  }
  const coveredMs = new Map<string, number>();
  const brokers = [...series].map<TopicsView['brokers'][number]>(([name, points]) => {
    const firstMs = Math.min(...points.map((point) => point.minute)) * minuteMs;
    const covered = Math.max(1_000, range.toMs - firstMs);
    coveredMs.set(name, covered);
    const sum = (of: 'messages' | 'payloadBytes'): number => points.reduce((total, point) => total + point[of], 0);
    return {
      name,
      site: brokerSiteOf(rules, name),
      messagesPerS: (sum('messages') * 1000) / covered,
      bytesPerS: (sum('payloadBytes') * 1000) / covered,
      topics: visible.filter((window) => window.broker === name && window.messages > 0).length,
      spark: ratesOf(grid, points),
    };
  });
  return { brokers: brokers.sort((a, b) => b.messagesPerS - a.messagesPerS), coveredMs };
}

async function sparksOf({ store }: ViewContext, grid: Grid, topicIds: number[]) {
  if (topicIds.length === 0) return new Map<number, TopicItem['spark']>();
  const points = await store.topicSeriesOf(topicIds, grid.fromMs, grid.toMs);
  return new Map([...Map.groupBy(points, (point) => point.topicId)].map(([id, of]) => [id, ratesOf(grid, of)]));
}

/** Messages per second, one value a step. */
function ratesOf(grid: Grid, points: SeriesPoint[]): TopicItem['spark'] {
  const sums = new Map<number, number>();
  for (const { minute, messages } of points) {
    const timeMs = grid.fromMs + Math.floor((minute * minuteMs - grid.fromMs) / grid.stepMs) * grid.stepMs;
    sums.set(timeMs, (sums.get(timeMs) ?? 0) + messages);
  }
  return sparkOf(
    grid,
    [...sums].map(([timeMs, messages]) => ({ timeMs, value: (messages * 1000) / grid.stepMs })),
  );
}

const whyNone = (filteredAway: boolean): string =>
  filteredAway
    ? 'No topic fits the filter.'
    : 'No message was seen in this range. Topics appear when a broker named under `brokers` is connected, or clients publish to the embedded broker.';
