import { floorMsBetween } from '../domain/geo.ts';
import { hash64 } from '../domain/ids.ts';
import { applicationOf } from '../domain/placing.ts';
import type { Rules } from '../domain/rule.ts';
import { isTemplate } from '../domain/topic-template.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { HopToSave, RouteAnswer, RouteQuestion, TracedDestination } from '../store/audit-store.ts';
import { brokerSite, placeOf } from './clocks.ts';
import { type Known, rememberTraced, siteOfResource } from './memory.ts';

/** What everything beyond the bound folds into. */
export const otherDestination = '__other__';
const mostHops = 5000;

export interface Answered {
  answers: RouteAnswer[];
  hops: HopToSave[];
  traced: TracedDestination[];
}

/** Which hop is it, and what does physics demand of it? Asked once per kind of crossing, not per crossing. */
export function answerRoutes(
  questions: readonly RouteQuestion[],
  rules: Rules,
  known: Known,
  nowMs: EpochMillis,
): Answered {
  const found: Answered = { answers: [], hops: [], traced: [] };
  for (const question of questions) {
    const hop = hopOf(question, rules, known, nowMs);
    if (!known.hops.has(hop.hop)) {
      known.hops.set(hop.hop, hop);
      found.hops.push(hop);
    }
    if (question.callerDestination !== '') {
      const traced: TracedDestination = {
        fromService: hop.from.service,
        fromSite: hop.from.site,
        system: question.callerSystem,
        destination: destinationTemplate(known, question.callerDestination),
        hop: hop.hop,
      };
      if (rememberTraced(known, traced)) found.traced.push(traced);
    }
    found.answers.push({ question, hop: hop.hop, ...floorsOf(question, rules, known) });
  }
  return found;
}

export const destinationTemplate = (known: Known, destination: string): string =>
  destination.includes('/') ? known.templates.templateOf(destination) : destination;

function hopOf(question: RouteQuestion, rules: Rules, known: Known, nowMs: EpochMillis): HopToSave {
  const from = known.resources.get(question.callerResource)!;
  const to = known.resources.get(question.calleeResource)!;
  const system = question.callerSystem || question.calleeSystem;
  const named = destinationOf(question);
  const template = destinationTemplate(known, named);
  const end = (resource: typeof from, id: number) => ({
    service: resource.serviceName,
    site: siteOfResource(known, id),
    application: applicationOf(resource.serviceName, resource.serviceNamespace, named, rules.applications),
  });
  const ends = { from: end(from, question.callerResource), to: end(to, question.calleeResource) };
  const idOf = (destination: string) =>
    hash64(ends.from.service, ends.from.site, ends.to.service, ends.to.site, system, destination);
  const id = idOf(template);
  const full = !known.hops.has(id) && known.hops.size >= mostHops;
  const destination = full ? otherDestination : template;
  return { hop: full ? idOf(otherDestination) : id, ...ends, system, destination, firstMs: nowMs };
}

/** A server knows its route, a producer its topic; a template says more than a name. */
function destinationOf(question: RouteQuestion): string {
  const [first, second] = question.message
    ? [question.callerDestination, question.calleeDestination]
    : [question.calleeDestination, question.callerDestination];
  if (first === '') return second;
  return !isTemplate(first) && second !== '' && isTemplate(second) ? second : first;
}

function floorsOf(question: RouteQuestion, rules: Rules, known: Known): Omit<RouteAnswer, 'question' | 'hop'> {
  const from = placeOf(known, siteOfResource(known, question.callerResource));
  const to = placeOf(known, siteOfResource(known, question.calleeResource));
  const directMs = floorMsBetween(from, to);
  // An RPC goes there and back
  if (!question.message) return { floorNanos: directMs * 2e6, directFloorNanos: directMs * 2e6, uplinkFloorNanos: 0 };
  const broker = question.broker === '' ? null : placeOf(known, brokerSite(rules, question.broker));
  const uplinkMs = floorMsBetween(from, broker);
  const throughMs = broker === null ? directMs : Math.max(directMs, uplinkMs + floorMsBetween(broker, to));
  return { floorNanos: throughMs * 1e6, directFloorNanos: directMs * 1e6, uplinkFloorNanos: uplinkMs * 1e6 };
}
