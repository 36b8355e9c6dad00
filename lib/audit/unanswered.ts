import { hash64 } from '../domain/ids.ts';
import { type EpochMillis, minuteOf } from '../domain/units.ts';
import type { AskedRoute, AuditTx, WaitingRoute } from '../store/audit-store.ts';
import { type Known, siteOfResource, tracedKey } from './memory.ts';
import { destinationTemplate } from './routes.ts';

/** How long an answer may take before it is missed, from when its caller was read: what is drained late is given the same time. */
const patienceMs = 30_000;
/** callers looked at in one transaction: after a flood a few seconds may hold a million, at about 0.5 kB each */
const spansAtOnce = 80_000;
const dayMinutes = 1440;

/**
 * Callers of destinations that used to answer (design.md section 6). Who is missed follows from the rows alone, not from when they came:
 * a caller without a crossing whose destination was answered by somebody within the day up to its own minute. It counts against the hop
 * that answered last. So whoever is found to have answered, or not, in a minute that has been looked at is looked at once more.
 * Answers how many rows have changed, and whether there is more to look at.
 */
export async function findUnanswered(
  tx: AuditTx,
  known: Known,
  nowMs: EpochMillis,
): Promise<{ missing: number; more: boolean }> {
  let missing = await lookAgain(tx, known, nowMs);
  const { ranges, more } = await tx.uncheckedRanges(nowMs - patienceMs, spansAtOnce);
  if (ranges.length > 0) {
    missing += await tx.countUnanswered(askedRoutes(await tx.waitingIn(ranges), known));
    await tx.checked(ranges);
  }
  return { missing, more };
}

/** What the newly heard minutes of hops say about callers that were looked at before. */
async function lookAgain(tx: AuditTx, known: Known, nowMs: EpochMillis): Promise<number> {
  const heard = await tx.takeHeard();
  if (heard.length === 0) return 0;
  const keysOf = new Map<bigint, string[]>();
  for (const [key, hops] of known.traced) for (const hop of hops) keysOf.set(hop, [...(keysOf.get(hop) ?? []), key]);

  const nowMinute = minuteOf(nowMs);
  const since = new Map<string, number>();
  const reopened: { key: string; from: number; to: number }[] = [];
  for (const { hop, minute, before, after } of heard) {
    // what the hop's other minutes answer for has been looked at with them
    const from = Math.max(minute, before === null ? minute : before + dayMinutes);
    const to = Math.min(minute + dayMinutes - 1, nowMinute, after === null ? nowMinute : after - 1);
    for (const key of keysOf.get(hop) ?? []) {
      since.set(key, Math.min(since.get(key) ?? minute, minute));
      if (from <= to) reopened.push({ key, from, to });
    }
  }
  let changed = await tx.attributeAgain(
    Array.from(since, ([key, minute]) => ({ route: routeOf(key), hops: known.traced.get(key)!, since: minute })),
  );
  if (reopened.length > 0) {
    const keys = new Set(reopened.map(({ key }) => key));
    const routes = new Set([...keys].map(routeOf));
    const resources = [...known.resources.keys()].filter((resource) => isCallerOf(keys, known, resource));
    const first = Math.min(...reopened.map(({ from }) => from));
    const waiting = await tx.waitingSince(first, resources);
    changed += await tx.countUnanswered(askedRoutes(waiting, known).filter(({ route }) => routes.has(route)));
  }
  return changed;
}

/** A key begins with service and site of the caller. */
function isCallerOf(keys: ReadonlySet<string>, known: Known, resource: number): boolean {
  const from = known.resources.get(resource)!;
  const start = tracedKey({
    fromService: from.serviceName,
    fromSite: siteOfResource(known, resource),
    system: '',
    destination: '',
  });
  // without its empty system and destination
  const prefix = start.slice(0, -1);
  for (const key of keys) if (key.startsWith(prefix)) return true;
  return false;
}

const routeOf = (key: string): bigint => hash64(key);

/** Those whose destination somebody traced ever answered: else the far end is untraced, and nobody is missed. */
function askedRoutes(waiting: readonly WaitingRoute[], known: Known): AskedRoute[] {
  return waiting.flatMap((asked) => {
    const from = known.resources.get(asked.resource);
    if (!from || asked.destinationName === '') return [];
    const key = tracedKey({
      fromService: from.serviceName,
      fromSite: siteOfResource(known, asked.resource),
      system: asked.systemName,
      destination: destinationTemplate(known, asked.destinationName),
    });
    const hops = known.traced.get(key);
    return hops ? [{ asked, route: routeOf(key), hops }] : [];
  });
}
