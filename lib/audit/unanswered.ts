import type { EpochMillis } from '../domain/units.ts';
import { minuteOf } from '../domain/units.ts';
import type { AuditTx, WaitingRoute } from '../store/audit-store.ts';
import { type Known, siteOfResource, tracedKey } from './memory.ts';
import { destinationTemplate } from './routes.ts';

/** How long an answer may take before it is missed. */
const patienceMs = 30_000;
const stepMs = 10_000;
const firstLookBackMs = 10 * 60_000;
const trafficEveryMs = 60_000;
const dayMs = 86_400_000;

/** Callers of destinations that used to answer (design.md section 6). Returns how many went without. */
export async function findUnanswered(tx: AuditTx, known: Known, nowMs: EpochMillis): Promise<number> {
  const toMs = Math.floor((nowMs - patienceMs) / 1000) * 1000;
  const fromMs = Math.max(await tx.answeredUntil(), toMs - firstLookBackMs);
  if (toMs <= fromMs) return 0;
  if (nowMs - known.trafficMs >= trafficEveryMs) {
    known.traffic = new Map((await tx.hopTraffic(minuteOf(nowMs - dayMs))).map(({ hop, count }) => [hop, count]));
    known.trafficMs = nowMs;
  }
  let missing = 0;
  for (let at = fromMs; at < toMs; at += stepMs) {
    const until = Math.min(toMs, at + stepMs);
    const routes: { route: WaitingRoute; hop: bigint }[] = [];
    for (const route of await tx.waitingRoutes(at, until)) {
      const hop = usualHop(route, known, nowMs);
      if (hop !== null) routes.push({ route, hop });
    }
    missing += await tx.countUnanswered(at, until, routes);
  }
  return missing;
}

/** The hop that most often answered what this caller named; null when nobody traced ever did within a day: then the far end is untraced. */
function usualHop(route: WaitingRoute, known: Known, nowMs: EpochMillis): bigint | null {
  const from = known.resources.get(route.resource);
  if (!from || route.destinationName === '') return null;
  const hops = known.traced.get(
    tracedKey({
      fromService: from.serviceName,
      fromSite: siteOfResource(known, route.resource),
      system: route.systemName,
      destination: destinationTemplate(known, route.destinationName),
    }),
  );
  let best: bigint | null = null;
  let most = 0;
  for (const hop of hops ?? []) {
    const count = known.traffic.get(hop) ?? (nowMs - (known.crossedMs.get(hop) ?? 0) < dayMs ? 1 : 0);
    if (count > most || (count === most && best !== null && hop < best)) {
      best = hop;
      most = count;
    }
  }
  return best;
}
