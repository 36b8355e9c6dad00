import { quantile } from '../domain/histogram.ts';
import type { Millis } from '../domain/units.ts';
import { spokenMs } from '../domain/verdict.ts';
import type { HopIdentity, HopMinute, SiteRow } from '../store/store.ts';
import type { ViewContext } from './context.ts';
import { siteName } from './hop-item.ts';
import type { RangeView } from './schemas.ts';
import { seesHop } from './visibility.ts';

/** silent for so long at the start of the range, a hop began in it */
export const newAfterMs = 120_000;
const looked = 8;

export interface Predecessor {
  hop: bigint;
  /** when the traffic came over here */
  timeMs: number;
  p50Ms: Millis;
  text: string;
}

/** When the hop was first crossed within the range, if that was not at its start. */
export function beganAt(minutes: HopMinute[], range: RangeView): number | null {
  const firstMs = (minutes[0]?.minute ?? 0) * 60_000;
  return firstMs > range.fromMs + newAfterMs ? firstMs : null;
}

/**
 * A workload that moves makes a new hop: the same services over the same destination, at other sites. What went there before is the
 * hop whose traffic ended about when this one's began: the step that the page of the new hop has to show.
 */
export async function predecessorOf(
  { store, viewer }: ViewContext,
  range: RangeView,
  hop: HopIdentity,
  minutes: HopMinute[],
  sites: ReadonlyMap<string, SiteRow>,
): Promise<Predecessor | null> {
  const timeMs = beganAt(minutes, range);
  if (timeMs === null) return null;
  const siblings = (await store.hopIdentities())
    .filter((each) => each.hop !== hop.hop && isSameWork(each, hop) && seesHop(viewer, each))
    .slice(0, looked);
  const courses = await Promise.all(
    siblings.map(async (each) => ({ each, minutes: await store.hopMinutes(each.hop, range.fromMs, range.toMs) })),
  );
  const now = quantile(minutes[0]!.added, 0.5);
  let best: { each: HopIdentity; last: HopMinute } | null = null;
  for (const course of courses) {
    // one minute of both is the minute of the move
    const last = course.minutes.findLast((minute) => minute.minute * 60_000 <= timeMs && minute.count > 0);
    const goesOn = course.minutes.some((minute) => minute.minute * 60_000 > timeMs + newAfterMs && minute.count > 0);
    if (!last || goesOn) continue;
    if (best === null || last.minute > best.last.minute) best = { each: course.each, last };
  }
  const was = best && quantile(best.last.added, 0.5);
  if (best === null || was === null || now === null) return null;
  return {
    hop: best.each.hop,
    timeMs,
    p50Ms: was,
    text: `${movedWords(best.each, hop, sites)}: p50 ${spokenMs(was)} → ${spokenMs(now)}`,
  };
}

/** The same services over the same destination, wherever they stand. */
export const isSameWork = (a: HopIdentity, b: HopIdentity): boolean =>
  a.from.service === b.from.service &&
  a.to.service === b.to.service &&
  a.system === b.system &&
  a.destination === b.destination;

function movedWords(was: HopIdentity, now: HopIdentity, sites: ReadonlyMap<string, SiteRow>): string {
  const moved = (end: 'from' | 'to'): string =>
    `${now[end].service} moved from ${siteName(sites, was[end].site)} to ${siteName(sites, now[end].site)}`;
  if (was.to.site !== now.to.site) return moved('to');
  return moved('from');
}
