import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Marker } from '../domain/alert.ts';
import { HopscopeError } from '../errors.ts';
import type { ViewContext } from '../views/context.ts';
import { markerItem } from '../views/markers-view.ts';
import { notFound, QueryProblem } from '../views/query.ts';
import { seesAll, visibleServices } from '../views/visibility.ts';
import { momentOf, textOf, textOrNothing } from './fields.ts';
import { requireMember } from './person.ts';

const dayMs = 86_400_000;
const minuteMs = 60_000;
const mostADay = 1_000;

export const markerSchema = z.object({
  id: textOrNothing(200, 'of your own: the same id again is the same marker, so that a script may try twice'),
  title: textOf(200, 'what happened, such as "Snapshot v42"'),
  text: textOrNothing(500, 'from what to what, why'),
  service: textOrNothing(200, 'service.name of what changed'),
  version: textOrNothing(200, 'service.version it has now'),
  site: textOrNothing(200, 'id of the site where it runs now'),
  by: textOrNothing(200, 'who did it; the sender if left out'),
  time: z
    .union([z.string().max(40), z.number()])
    .optional()
    .describe('when, within the last day: RFC 3339 or epoch milliseconds; now if left out'),
});

/** Something was deployed, moved or changed: what alerts will be held against. */
export async function addMarker(context: ViewContext, asked: z.output<typeof markerSchema>) {
  requireMember(context);
  const { state, viewer, nowMs } = context;
  await requireOwnService(context, asked.service);
  const timeMs = asked.time === undefined || asked.time === '' ? nowMs : momentOf('time', asked.time, nowMs);
  if (timeMs < nowMs - dayMs || timeMs > nowMs + 5 * minuteMs)
    throw new QueryProblem([
      {
        parameter: 'time',
        found: String(asked.time),
        wanted: 'a moment of the last 24 h, by the clock of this server',
      },
    ]);
  const marker: Marker = {
    id: asked.id ?? randomUUID(),
    timeMs,
    title: asked.title,
    text: asked.text ?? '',
    service: asked.service ?? '',
    version: asked.version ?? '',
    site: asked.site ?? '',
    by: asked.by ?? viewer.name,
    source: 'told',
  };
  return state.transaction(() => {
    const told = state.markers.between(nowMs - dayMs, nowMs + 6 * minuteMs).filter(({ source }) => source === 'told');
    const known = told.find(({ id }) => id === marker.id);
    if (known) return { ...markerItem(known), isNew: false };
    if (told.length >= mostADay)
      throw new HopscopeError('too-many', `Found ${told.length} markers within a day, wanted at most ${mostADay}.`);
    const isNew = state.markers.add(marker);
    return { ...markerItem(marker), isNew };
  });
}

/** Who sees only some applications tells of their services alone; whether another one exists is not said. */
async function requireOwnService({ store, viewer }: ViewContext, service: string | undefined): Promise<void> {
  if (seesAll(viewer)) return;
  const visible = visibleServices(viewer, await store.services()).map((row) => row.service);
  if (service === undefined || !visible.includes(service)) throw notFound('service');
}
