import type { EpochMillis } from '../domain/units.ts';
import { minuteOf } from '../domain/units.ts';
import type { AuditTx, WaitingRoute } from '../store/audit-store.ts';
import { type Known, siteOfResource, tracedKey } from './memory.ts';
import { destinationTemplate } from './routes.ts';

/** How long an answer may take before it is missed. */
const patienceMs = 30_000;
/** callers looked at in one transaction: after a flood a few seconds may hold a million, at about 0.5 kB each */
const callersAtOnce = 40_000;
const firstLookBackMs = 10 * 60_000;
const trafficEveryMs = 60_000;
const dayMs = 86_400_000;

/**
 * Callers of destinations that used to answer (design.md section 6), a stretch of time further than the last call looked.
 * Answers how many went without, and whether there is more to look at.
 */
export async function findUnanswered(
  tx: AuditTx,
  known: Known,
  nowMs: EpochMillis,
): Promise<{ missing: number; more: boolean }> {
  const toMs = Math.floor((nowMs - patienceMs) / 1000) * 1000;
  const fromMs = Math.max(await tx.answeredUntil(), toMs - firstLookBackMs);
  if (toMs <= fromMs) return { missing: 0, more: false };
  if (nowMs - known.trafficMs >= trafficEveryMs) {
    known.traffic = new Map((await tx.hopTraffic(minuteOf(nowMs - dayMs))).map(({ hop, count }) => [hop, count]));
    known.trafficMs = nowMs;
  }
  const untilMs = await stretchEnd(tx, fromMs, toMs);
  const routes: { route: WaitingRoute; hop: bigint }[] = [];
  for (const route of await tx.waitingRoutes(fromMs, untilMs)) {
    const hop = usualHop(route, known, nowMs);
    if (hop !== null) routes.push({ route, hop });
  }
  const missing = await tx.countUnanswered(fromMs, untilMs, routes);
  return { missing, more: untilMs < toMs };
}

/** As far as there are not too many callers; a millisecond at least, however many came in it. */
async function stretchEnd(tx: AuditTx, fromMs: EpochMillis, toMs: EpochMillis): Promise<EpochMillis> {
  let untilMs = toMs;
  for (;;) {
    const callers = await tx.waitingCallers(fromMs, untilMs);
    if (callers <= callersAtOnce || untilMs - fromMs <= 1) return untilMs;
    untilMs = fromMs + Math.max(1, Math.floor(((untilMs - fromMs) * callersAtOnce * 0.9) / callers));
  }
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
