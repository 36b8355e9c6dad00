import * as z from 'zod';
import { rangeOf, type ViewContext } from './context.ts';
import { worstFirst } from './hop-item.ts';
import { readHops } from './hop-reading.ts';
import { choiceField, limitField, rangeFields, textField } from './query.ts';
import { type HopItem, type HopsView, markSchema } from './schemas.ts';
import { seesAll } from './visibility.ts';

export const hopsQuerySchema = z.object({
  ...rangeFields,
  application: textField('hops with an end in this application'),
  service: textField('hops with this service at an end'),
  site: textField('hops with an end at this site'),
  path: textField('hops crossed by requests whose root span has this name'),
  mark: choiceField(markSchema.options, 'hops with this mark'),
  order: choiceField(['worst', 'added', 'count', 'name'], 'default worst: worst mark first, then p95'),
  limit: limitField(500, 5_000),
});
export type HopsQuery = z.output<typeof hopsQuerySchema>;

/** Hops of a range, worst first. */
export async function hopsView(context: ViewContext, query: HopsQuery): Promise<HopsView> {
  const range = rangeOf(context, query);
  const { hops } = await readHops(context, range);
  const items = hops
    .map((hop) => hop.item)
    .filter((item) => matches(item, query))
    .sort(orders[query.order ?? 'worst'])
    .slice(0, query.limit);
  const emptyReason = items.length > 0 ? null : await whyNoHops(context, hops.length > 0);
  return { range, items, emptyReason };
}

const matches = (item: HopItem, query: HopsQuery): boolean =>
  (query.application === undefined ||
    item.from.application === query.application ||
    item.to.application === query.application) &&
  (query.service === undefined || item.from.service === query.service || item.to.service === query.service) &&
  (query.site === undefined || item.from.site === query.site || item.to.site === query.site) &&
  (query.path === undefined || item.paths.includes(query.path)) &&
  (query.mark === undefined || item.mark === query.mark);

const nameOf = (item: HopItem): string =>
  `${item.from.service}\u001f${item.to.service}\u001f${item.via.destination}\u001f${item.id}`;
const byName = (a: HopItem, b: HopItem): number => nameOf(a).localeCompare(nameOf(b));
const orders: Record<NonNullable<HopsQuery['order']>, (a: HopItem, b: HopItem) => number> = {
  worst: (a, b) => worstFirst(a, b) || byName(a, b),
  added: (a, b) => (b.addedMs.p95 ?? -1) - (a.addedMs.p95 ?? -1) || byName(a, b),
  count: (a, b) => b.count - a.count || byName(a, b),
  name: byName,
};

async function whyNoHops({ store, viewer }: ViewContext, filteredAway: boolean): Promise<string> {
  if (filteredAway) return 'No hop of this range fits the filter.';
  // what else is known may belong to applications this viewer may not see
  if (!seesAll(viewer)) return 'No hop was crossed in this range.';
  const { spans } = await store.status();
  if (spans > 0) {
    return 'No hop was crossed in this range. A hop needs both ends to report: spans of kind CLIENT or PRODUCER, and SERVER or CONSUMER that carry on their trace (MQTT 5 user properties, HTTP traceparent).';
  }
  return 'No hops yet: no span has arrived. Send OTLP to port 4318; MQTT clients need version 5 to carry the trace context.';
}
