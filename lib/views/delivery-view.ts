import * as z from 'zod';
import type { Hours, Route } from '../domain/delivery.ts';
import type { DeliveryView } from './alert-schemas.ts';
import type { ViewContext } from './context.ts';
import { choiceField, limitField, textField } from './query.ts';
import { seesAll } from './visibility.ts';
import { capital, instantOf, instantOrNull } from './words.ts';

export const deliveryQuerySchema = z.object({
  target: textField('messages to this target'),
  state: choiceField(['waiting', 'sent', 'given-up'], 'messages in this state'),
  limit: limitField(100, 1_000),
});
export type DeliveryQuery = z.output<typeof deliveryQuerySchema>;

const looked = 1_000;

/** Where alerts are sent, by which routes, and how that went. For who runs the product: a message may tell of any application. */
export async function deliveryView(
  { state, viewer, nowMs, delivery }: ViewContext,
  query: DeliveryQuery,
): Promise<DeliveryView> {
  const now = instantOf(nowMs);
  if (!seesAll(viewer))
    return { now, targets: [], routes: [], items: [], emptyReason: 'Who runs Hopscope sees where alerts are sent.' };
  const messages = state.notifications.latest(looked);
  const targets = delivery?.targets() ?? [];
  const items = messages
    .filter(
      (message) =>
        (query.target === undefined || message.target === query.target) &&
        (query.state === undefined || message.state === query.state),
    )
    .slice(0, query.limit)
    .map((message) => ({
      id: message.id,
      target: message.target,
      alertId: message.alertId,
      title: message.alert.title,
      status: message.status,
      state: message.state,
      attempts: message.attempts,
      error: message.error,
      createdAt: instantOf(message.createdMs),
      dueAt: message.state === 'waiting' ? instantOf(message.dueMs) : null,
      doneAt: instantOrNull(message.doneMs),
    }));
  return {
    now,
    targets: targets.map(({ name, kind, address }) => {
      const own = messages.filter((message) => message.target === name);
      const tried = own.filter((message) => message.attempts > 0);
      return {
        name,
        kind,
        address,
        waiting: own.filter((message) => message.state === 'waiting').length,
        lastSent: instantOrNull(own.find((message) => message.state === 'sent')?.doneMs),
        lastError: tried[0]?.error || null,
      };
    }),
    routes: targets.length === 0 ? [] : routesInWords(delivery?.routes ?? []),
    items,
    emptyReason: items.length > 0 ? null : whyNone(targets.length, messages.length),
  };
}

function whyNone(targets: number, messages: number): string {
  if (messages > 0) return 'No message fits the filter.';
  return targets === 0
    ? 'Nobody is told: no target is set in hopscope.yaml under delivery.'
    : 'Nothing was sent yet: no alert has fired since a target was set.';
}

function routesInWords(routes: Route[]): string[] {
  if (routes.length === 0) return ['Every target gets all that is critical or warning, at any hour.'];
  const words = routes.map(routeInWords);
  return [...words, 'What fits none of them is sent to nobody.'];
}

function routeInWords({ applications, severities, rules, hours, to, continue: goesOn }: Route): string {
  const what = [
    (severities ?? ['critical', 'warning']).join(' or '),
    rules === null ? '' : `of the rules ${rules.join(', ')}`,
    applications === null ? '' : `in ${applications.join(' or ')}`,
    hours === null ? '' : hoursInWords(hours),
  ].filter((part) => part !== '');
  return `${capital(what.join(' '))} goes to ${to.join(' and ')}${goesOn ? ', and the next route is looked at, too' : ''}.`;
}

const hoursInWords = ({ timeZone, days, fromMinute, toMinute }: Hours): string =>
  `${days.length === 7 ? 'daily' : days.map(capital).join(', ')} ${clockOf(fromMinute)} to ${clockOf(toMinute)} (${timeZone})`;

const clockOf = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
