import type { Alert } from '../domain/alert.ts';
import { parseSpanId } from '../domain/ids.ts';
import type { EpochMillis } from '../domain/units.ts';
import { spokenMs } from '../domain/verdict.ts';
import { HopscopeError } from '../errors.ts';
import type { AlertView } from './alert-schemas.ts';
import { rangeOf, type ViewContext } from './context.ts';
import { siteName } from './hop-item.ts';
import { readHops } from './hop-reading.ts';
import { seriesOf } from './hop-view.ts';
import { pathView } from './path-view.ts';
import { predecessorOf } from './predecessor.ts';
import type { HopItem } from './schemas.ts';
import { gridOf } from './spark.ts';
import { seesHop } from './visibility.ts';
import { instantOf, sayBound } from './words.ts';

export interface Around {
  fromMs: EpochMillis;
  toMs: EpochMillis;
}

export interface Course {
  /** "Hannover to Ashburn, 50.3 ± 2.4 ms" */
  place: string;
  chart: Pick<NonNullable<AlertView['chart']>, 'stepMs' | 'points' | 'budgetMs'>;
}

const minuteMs = 60_000;
const columns = 120;

/** Its p95 over this time, and where it goes; null where the alert is not about a time, or nothing of it is kept any more. */
export async function courseOf(context: ViewContext, alert: Alert, around: Around): Promise<Course | null> {
  const { figure, subject } = alert;
  const budgetMs = figure?.unit === 'ms' ? figure.threshold : null;
  const course =
    subject.kind === 'hop'
      ? await courseOfHop(context, alert, around)
      : subject.kind === 'path'
        ? await courseOfPath(context, alert, around)
        : null;
  return course && { ...course, chart: { ...course.chart, budgetMs: budgetMs ?? course.chart.budgetMs } };
}

/** What was moved goes on as another hop: before the beginning the line is that of the hop it was. */
async function courseOfHop(context: ViewContext, { subject, sinceMs }: Alert, around: Around): Promise<Course | null> {
  const { store, viewer } = context;
  const hop = parseSpanId(subject.id);
  const identity = hop === null ? null : await store.hop(hop);
  if (hop === null || identity === null || !seesHop(viewer, identity)) return null;
  const range = rangeOf(context, { from: instantOf(around.fromMs), to: instantOf(around.toMs) });
  // judged since it began, so that what was before does not stand in its figure
  const since = { ...range, fromMs: Math.max(around.fromMs, Math.min(sinceMs, around.toMs - minuteMs)) };
  const [{ hops, sites }, minutes] = await Promise.all([
    readHops(context, since, hop),
    store.hopMinutes(hop, around.fromMs, around.toMs),
  ]);
  const moved = await predecessorOf(context, range, identity, minutes, sites);
  const before = moved ? await store.hopMinutes(moved.hop, around.fromMs, moved.timeMs) : [];
  const grid = gridOf(range, columns, minuteMs);
  const item = hops[0]?.item ?? null;
  return {
    place: wayOf(siteName(sites, identity.from.site), siteName(sites, identity.to.site), item),
    chart: {
      stepMs: grid.stepMs,
      points: seriesOf([...before, ...minutes], grid, 0).map(({ timeMs, p95Ms }) => ({ timeMs, p95Ms })),
      budgetMs: item?.budgetMs ?? null,
    },
  };
}

function wayOf(from: string, to: string, item: HopItem | null): string {
  const way = from === to ? `within ${from}` : `${from} to ${to}`;
  const ms = item?.addedMs.p50 ?? null;
  if (item === null || ms === null) return way;
  return `${way}, ${sayFigure(ms, item.boundMs)}`;
}

/** "50.3 ± 2.4 ms"; an error bar of 10 ms or more takes the decimal away */
function sayFigure(ms: number, boundMs: number | null): string {
  const text = spokenMs(ms);
  if (boundMs === null) return `${text}, ± not known`;
  if (boundMs < (ms >= 99.95 ? 0.5 : 0.05) || !text.endsWith(' ms')) return text;
  return `${boundMs >= 9.95 ? Math.round(ms) : text.slice(0, -3)} ${sayBound(boundMs)} ms`;
}

async function courseOfPath(context: ViewContext, { subject }: Alert, around: Around): Promise<Course | null> {
  try {
    const range = { from: instantOf(around.fromMs), to: instantOf(around.toMs) };
    const [{ path, series }, sites] = await Promise.all([
      pathView(context, { ...range, id: subject.id }),
      context.store.sites(),
    ]);
    const names = new Map(sites.map((site) => [site.id, site]));
    return {
      place: [path.service, ...path.sites.map((site) => siteName(names, site))].join(', '),
      chart: {
        stepMs: series.length > 1 ? series[1]!.timeMs - series[0]!.timeMs : minuteMs,
        points: series.map(({ timeMs, p95Ms }) => ({ timeMs, p95Ms })),
        budgetMs: path.budgetMs,
      },
    };
  } catch (error) {
    // an alert is kept for longer than the requests it was judged by
    if (error instanceof HopscopeError && error.code === 'not-found') return null;
    throw error;
  }
}
