import type { Millis } from './units.ts';

export interface LatLon {
  lat: number;
  lon: number;
}

/** Light in fibre: 4.9 microseconds a kilometre, one way. */
export const fibreMsPerKm = 0.0049;

const earthRadiusKm = 6371.0088;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Great-circle distance (haversine on the mean radius: within 0.6 % of the ellipsoid). */
export function greatCircleKm(a: LatLon, b: LatLon): number {
  const dLat = radians(b.lat - a.lat);
  const dLon = radians(b.lon - a.lon);
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(dLon / 2) ** 2;
  return 2 * earthRadiusKm * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** What physics demands one way. A place that is not known demands nothing: a floor must never be too high. */
export function floorMsBetween(a: LatLon | null, b: LatLon | null): Millis {
  return a === null || b === null ? 0 : greatCircleKm(a, b) * fibreMsPerKm;
}
