import * as z from 'zod';
import type { Marker } from '../domain/alert.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { MarkersView } from './alert-schemas.ts';
import { rangeOf, type ViewContext } from './context.ts';
import { choiceField, limitField, rangeFields, textField } from './query.ts';
import { seesAll, visibleServices } from './visibility.ts';
import { instantOf } from './words.ts';

export const markersQuerySchema = z.object({
  ...rangeFields,
  service: textField('markers of this service'),
  source: choiceField(['told', 'noticed'], 'told by somebody, or noticed in the telemetry'),
  limit: limitField(200, 2_000),
});
export type MarkersQuery = z.output<typeof markersQuerySchema>;

/** What was deployed, moved or changed by hand, newest first. */
export async function markersView(context: ViewContext, query: MarkersQuery): Promise<MarkersView> {
  const range = rangeOf(context, query);
  const markers = (await visibleMarkers(context, range.fromMs, range.toMs)).filter(
    (marker) =>
      (query.service === undefined || marker.service === query.service) &&
      (query.source === undefined || marker.source === query.source),
  );
  const items = markers.slice(0, query.limit).map(markerItem);
  return {
    range,
    items,
    emptyReason: items.length > 0 ? null : 'No marker in this range: POST /api/v1/markers tells of a deploy.',
  };
}

export const markerItem = ({ id, timeMs, title, text, service, version, site, by, source }: Marker) => ({
  id,
  at: instantOf(timeMs),
  title,
  text,
  service,
  version,
  site,
  by,
  source,
});

/** A marker belongs to the applications of its service; one that names no service, or none that is known, to who runs the product. */
export async function visibleMarkers(
  { state, store, viewer }: ViewContext,
  fromMs: EpochMillis,
  toMs: EpochMillis,
): Promise<Marker[]> {
  const markers = state.markers.between(fromMs, toMs);
  if (seesAll(viewer)) return markers;
  const visible = new Set(visibleServices(viewer, await store.services()).map(({ service }) => service));
  return markers.filter(({ service }) => visible.has(service));
}
