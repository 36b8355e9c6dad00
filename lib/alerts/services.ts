import type { Marker } from '../domain/alert.ts';
import { hash64, spanIdHex } from '../domain/ids.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { DeviceRow, ServiceHeard, SiteRow } from '../store/store.ts';

/**
 * Deployments that nobody told us of: a service of another version, or one that answers from another place. Judged over what was heard in
 * the last minutes alone, so whoever looks again comes to the same markers, under the same ids.
 */

export const heardBackMs = 300_000;
/** who is heard less often has no rhythm that tells coming from going */
const leastArrivals = 3;
/** spans come every few seconds */
const goneMs = 12_000;
/** a replacement is there about when the other one goes */
const aroundMs = 60_000;
/** so many usual pauses are no pause any more */
const pauses = 5;

export interface Places {
  devices: readonly DeviceRow[];
  sites: ReadonlyMap<string, SiteRow>;
}

/** `heard`: of [fromMs, nowMs). Who was heard at its very beginning was there before. */
export function noticedMarkers(
  heard: readonly ServiceHeard[],
  fromMs: EpochMillis,
  nowMs: EpochMillis,
  places: Places,
): Marker[] {
  const services = Map.groupBy(heard, ({ service, application }) => `${service}\u001f${application}`);
  return [...services.values()].flatMap((of) => changesOf(of, fromMs, nowMs, places));
}

function changesOf(heard: readonly ServiceHeard[], fromMs: EpochMillis, nowMs: EpochMillis, places: Places): Marker[] {
  const isRegular = ({ arrivals }: ServiceHeard): boolean => arrivals >= leastArrivals;
  const pauseMs = ({ firstMs, lastMs, arrivals }: ServiceHeard): number => (lastMs - firstMs) / (arrivals - 1);
  const isNew = (one: ServiceHeard): boolean =>
    isRegular(one) && one.firstMs > fromMs + Math.max(aroundMs, pauses * pauseMs(one));
  const isGone = (one: ServiceHeard): boolean =>
    isRegular(one) && one.lastMs < nowMs - Math.max(goneMs, pauses * pauseMs(one));
  return heard.filter(isNew).flatMap((now) => {
    const others = heard.filter(
      (one) =>
        one !== now && one.firstMs < now.firstMs && Math.abs(one.lastMs - now.firstMs) <= aroundMs && isGone(one),
    );
    // the same device first: a new version of it is no move
    const was = others.find((one) => one.device === now.device) ?? others.sort((a, b) => b.lastMs - a.lastMs)[0];
    return was ? [markerOf(was, now, places)] : [];
  });
}

function markerOf(was: ServiceHeard, now: ServiceHeard, { devices, sites }: Places): Marker {
  const nameOf = (id: string): string => devices.find((device) => device.id === id)?.name ?? id;
  const siteName = (id: string): string => sites.get(id)?.name ?? id;
  const isVersion = was.version !== now.version;
  const isPlace = was.device !== now.device;
  const isSite = was.site !== now.site;
  const version = isVersion && now.version !== '' ? `${now.version} instead of ${was.version || 'no version'}` : '';
  const place = isSite
    ? `${now.service} answers from ${siteName(now.site)} instead of ${siteName(was.site)}`
    : `${now.service} answers from ${nameOf(now.device)} instead of ${nameOf(was.device)}`;
  return {
    id: `noticed-${spanIdHex(hash64('noticed', now.service, was.device, was.version, now.device, now.version, String(Math.floor(now.firstMs / 60_000))))}`,
    timeMs: now.firstMs,
    title: isPlace ? place : `${now.service} ${now.version}`,
    text: [
      version === '' ? '' : isPlace ? `version ${version}` : `instead of ${was.version || 'no version'}`,
      isPlace ? `moved from ${nameOf(was.device)} to ${nameOf(now.device)}` : `on ${nameOf(now.device)}`,
    ]
      .filter((text) => text !== '')
      .join(', '),
    service: now.service,
    version: isVersion ? now.version : '',
    site: isPlace ? now.site : '',
    by: '',
    source: 'noticed',
  };
}
