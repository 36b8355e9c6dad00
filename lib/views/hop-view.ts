import * as z from 'zod';
import { addHistogram, type Histogram, quantile } from '../domain/histogram.ts';
import { parseSpanId } from '../domain/ids.ts';
import type { ClockLabel, CrossingRow, HopIdentity, HopMinute, HopWindow } from '../store/store.ts';
import { rangeOf, type ViewContext } from './context.ts';
import { crossingItem, deviceNames } from './crossing-item.ts';
import { heatOf } from './heat.ts';
import { judgeHop } from './hop-item.ts';
import { readHops } from './hop-reading.ts';
import { levelShifts, sayShift } from './level-shift.ts';
import { predecessorOf } from './predecessor.ts';
import { notFound, rangeFields } from './query.ts';
import type { CrossingItem, HopView } from './schemas.ts';
import { type Grid, gridOf } from './spark.ts';
import { maySee } from './viewer.ts';
import { seesHop } from './visibility.ts';
import { sayClock } from './words.ts';

export const hopQuerySchema = z.object(rangeFields);
export type HopQuery = z.output<typeof hopQuerySchema> & { id: string };

const minuteMs = 60_000;
/** libraries of charts slow down beyond it, and no screen has more columns */
const seriesPoints = 1_500;
const heatColumns = 240;
const looked = 200;

/** One hop: its figures, its course over the range, examples to open, and how far its clocks can be trusted. */
export async function hopView(context: ViewContext, query: HopQuery): Promise<HopView> {
  const range = rangeOf(context, query);
  const { store, viewer, rules } = context;
  const hop = parseSpanId(query.id);
  const identity = hop === null ? null : await store.hop(hop);
  if (hop === null || identity === null || !seesHop(viewer, identity)) throw notFound('hop');

  const [reading, minutes, devices, newest, slowest, fastest] = await Promise.all([
    readHops(context, range, hop),
    store.hopMinutes(hop, range.fromMs, range.toMs),
    store.devices(),
    store.crossingsOfHop(hop, range.fromMs, range.toMs, 'newest', looked),
    store.crossingsOfHop(hop, range.fromMs, range.toMs, 'slowest', 1),
    store.crossingsOfHop(hop, range.fromMs, range.toMs, 'fastest', 1),
  ]);
  const judged =
    reading.hops[0] ??
    judgeHop(noTraffic(identity), {
      rules,
      sites: reading.sites,
      paths: reading.pathsOf.get(hop) ?? [],
      live: reading.liveOf.get(hop) ?? null,
      baselineMs: null,
    });
  const shifts = levelShifts(minutes);
  const moved = await predecessorOf(context, range, identity, minutes, reading.sites);
  const changes = [
    ...(moved ? [moved] : []),
    ...shifts.map((shift) => ({ timeMs: shift.timeMs, text: sayShift(shift), hop })),
  ];
  const last = changes.at(-1);
  const before = last ? await store.crossingsOfHop(last.hop, range.fromMs, last.timeMs, 'newest', 1) : [];

  const nameOf = deviceNames(devices);
  const { item } = judged;
  const picked = examplesOf({ newest, slowest, fastest, before, changedMs: last?.timeMs ?? null }, item.addedMs.p50);
  const requests = new Map(
    (await store.traceRows([...new Set(picked.map(([, row]) => row.callerTraceId))])).map((row) => [row.traceId, row]),
  );
  /** A root that ended before this hop was crossed did not wait for an answer: its own time says nothing about the whole. */
  const requestMs = ({ callerTraceId, addedMs }: CrossingRow): number | null => {
    const root = requests.get(callerTraceId);
    return root?.hasRoot && maySee(viewer, root.application) && root.durationMs >= (addedMs ?? 0)
      ? root.durationMs
      : null;
  };
  return {
    range,
    hop: item,
    series: seriesOf(minutes, gridOf(range, seriesPoints, minuteMs), item.floorMs),
    heat: heatOf(minutes, gridOf(range, heatColumns, minuteMs)),
    examples: picked.map(([why, row]) => ({
      ...crossingItem(row, why, item.budgetMs, nameOf),
      requestMs: requestMs(row),
    })),
    clocks: clockPairs(newest, nameOf),
    changes: changes.map(({ timeMs, text }) => ({ timeMs, text })),
  };
}

export function seriesOf(minutes: HopMinute[], grid: Grid, floorMs: number): HopView['series'] {
  const steps = Array.from({ length: grid.steps }, () => [] as HopMinute[]);
  for (const minute of minutes) steps[Math.floor((minute.minute * minuteMs - grid.fromMs) / grid.stepMs)]?.push(minute);
  let floor = minutes[0]?.floorMs ?? floorMs;
  return steps.map((heard, i) => {
    const added: Histogram = new Map();
    let count = 0;
    let errors = 0;
    let open = 0;
    let bound = 0;
    for (const minute of heard) {
      addHistogram(added, minute.added);
      count += minute.count;
      errors += minute.errors;
      if (minute.boundMs === null) open += minute.count;
      else bound = Math.max(bound, minute.boundMs);
      floor = minute.floorMs;
    }
    return {
      timeMs: grid.fromMs + i * grid.stepMs,
      count,
      errors,
      p50Ms: quantile(added, 0.5),
      p95Ms: quantile(added, 0.95),
      // as in a minute: open for more than one in twenty is open (design.md section 4.8)
      boundMs: count === 0 || open > 0.05 * count ? null : bound,
      floorMs: floor,
    };
  });
}

interface Candidates {
  newest: CrossingRow[];
  slowest: CrossingRow[];
  fastest: CrossingRow[];
  /** last one before the last change */
  before: CrossingRow[];
  changedMs: number | null;
}

/** Picked to span the range: each crossing once, under the first reason that names it, newest first. */
function examplesOf(
  { newest, slowest, fastest, before, changedMs }: Candidates,
  p50: number | null,
): [CrossingItem['why'], CrossingRow][] {
  const typical = p50 === null ? undefined : closestTo(newest, p50);
  const picks: [string, CrossingRow | undefined][] = [
    ['typical', typical],
    ['slowest in range', slowest[0]],
    ['fastest in range', fastest[0]],
    [`last before ${changedMs === null ? '' : sayClock(changedMs)}`, before[0]],
    ['newest error', newest.find((row) => row.error)],
    ['newest', newest[0]],
  ];
  const seen = new Set<string>();
  return picks
    .filter((pick): pick is [string, CrossingRow] => {
      const row = pick[1];
      if (!row) return false;
      const key = `${row.callerTraceId} ${row.callerSpanId} ${row.calleeTraceId} ${row.calleeSpanId}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .sort(([, a], [, b]) =>
      a.callerStartNanos < b.callerStartNanos ? 1 : a.callerStartNanos > b.callerStartNanos ? -1 : 0,
    );
}

function closestTo(rows: CrossingRow[], ms: number): CrossingRow | undefined {
  let best: CrossingRow | undefined;
  for (const row of rows) {
    if (row.addedMs === null) continue;
    if (best === undefined || Math.abs(row.addedMs - ms) < Math.abs(best.addedMs! - ms)) best = row;
  }
  return best;
}

/** The pairs of clocks behind the newest crossings, with what is known of each pair now. */
function clockPairs(newest: CrossingRow[], nameOf: (id: string) => string): HopView['clocks'] {
  const pairs = new Map<string, HopView['clocks'][number]>();
  for (const row of newest) {
    const pair = `${nameOf(row.callerDevice)} : ${nameOf(row.calleeDevice)}`;
    const known = pairs.get(pair);
    if (known) {
      known.crossings++;
      continue;
    }
    // newest first: the first one seen has today's offset
    pairs.set(pair, {
      pair,
      offsetMs: row.offsetMs,
      boundMs: row.boundMs,
      label: row.clock as ClockLabel,
      crossings: 1,
    });
  }
  return [...pairs.values()].sort((a, b) => b.crossings - a.crossings).slice(0, 20);
}

/** A hop that is known and was not crossed in this range. */
const noTraffic = (identity: HopIdentity): HopWindow => ({
  ...identity,
  count: 0,
  requests: 0,
  errors: 0,
  unanswered: 0,
  added: new Map(),
  raw: new Map(),
  uplink: new Map(),
  downlink: new Map(),
  sumMs: 0,
  maxMs: null,
  boundMs: null,
  uplinkBoundMs: null,
  downlinkBoundMs: null,
  clocks: { sameClock: 0, roundTrip: 0, bounded: 0, assumed: 0, clockWrong: 0, overlap: 0, contradiction: 0 },
  floorMs: 0,
  directFloorMs: 0,
  broker: '',
  passages: 0,
});
