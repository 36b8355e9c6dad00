import { type GeoPath, type GeoProjection, geoDistance, geoInterpolate, geoMercator, geoPath } from 'd3-geo';
import { feature } from 'topojson-client';
import land from 'world-atlas/land-110m.json' with { type: 'json' };

/** Server only: d3 and the atlas must never reach the client bundle. The map hands on paths and percentages. */

export interface GeoSite {
  id: string;
  lat: number;
  lon: number;
}

export interface Point {
  x: number;
  y: number;
}

export const mapWidth = 1048;
export const mapHeight = 484;

const margin = { x: 112, top: 64, bottom: 120 };
/** drawn above and below the picture, for a panel that is taller than it */
export const bleed = 160;
/** a fleet in one town still shows the country around it */
const shortestSpanDegrees = 14;
/** above this the Mercator map shows ice only; arcs over the pole leave through the top */
const highestLatitude = 72;

type Atlas = Parameters<typeof feature>[0];
const atlas = land as unknown as Atlas & { objects: { land: Atlas['objects'][string] } };
const landShape = feature(atlas, atlas.objects.land);

/** The meridian opposite the middle of the widest longitude gap: the seam goes where nobody is. */
export function centreLongitude(longitudes: readonly number[]): { centre: number; span: number } {
  const sorted = longitudes.toSorted((a, b) => a - b);
  let widest = -1;
  let seam = 0;
  for (const [index, west] of sorted.entries()) {
    const east = index + 1 < sorted.length ? sorted[index + 1]! : sorted[0]! + 360;
    if (east - west > widest) {
      widest = east - west;
      seam = (west + east) / 2;
    }
  }
  return { centre: wrap(seam + 180), span: 360 - widest };
}

const wrap = (degrees: number): number => ((((degrees + 180) % 360) + 360) % 360) - 180;

/** What a Mercator picture is made of; rounded, so that the same fleet always asks for the same outline. */
export interface Frame {
  centre: number;
  scale: number;
  shift: number;
}

export interface FleetProjection {
  project: (lon: number, lat: number) => Point;
  frame: Frame;
  graticule: string;
  dateLine: Point[];
  path: GeoPath;
  /** width of the whole world in map units: a longer step between two samples is a jump over the seam */
  worldWidth: number;
}

const projectionOf = ({ centre, scale, shift }: Frame): GeoProjection =>
  geoMercator()
    .rotate([-centre, 0])
    .scale(scale)
    .translate([mapWidth / 2, shift])
    .precision(0.05)
    .clipExtent([
      [-8, -bleed],
      [mapWidth + 8, mapHeight + bleed],
    ]);

/** The outline of the continents: 40 kB that never change, so the page only names them and the browser keeps them. */
export function landSvg(frame: Frame): string {
  const d = geoPath(projectionOf(frame)).digits(1)(landShape) ?? '';
  const box = `0 ${-bleed} ${mapWidth} ${mapHeight + 2 * bleed}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}" preserveAspectRatio="none"><path d="${d}"/></svg>`;
}

export function landHref({ centre, scale, shift }: Frame): string {
  return `/land.svg?centre=${centre}&scale=${scale}&shift=${shift}`;
}

const tenth = (value: number): number => Math.round(value * 10) / 10;

export function fleetProjection(sites: readonly GeoSite[]): FleetProjection {
  const { centre, span } = centreLongitude(sites.map((site) => site.lon));
  const degrees = Math.min(360, Math.max(span, shortestSpanDegrees));
  const usable = degrees >= 300 ? mapWidth : mapWidth - 2 * margin.x;
  const latitudes = sites.map((site) => site.lat);
  const tall = Math.abs(mercatorY(Math.max(...latitudes)) - mercatorY(Math.min(...latitudes)));
  const byWidth = usable / ((degrees * Math.PI) / 180);
  const byHeight = tall > 0 ? (mapHeight - margin.top - margin.bottom) / tall : byWidth;
  const flat: Frame = {
    centre: Math.round(centre * 1_000) / 1_000,
    scale: tenth(Math.min(byWidth, byHeight)),
    shift: 0,
  };

  // The arcs bulge poleward, the labels hang below: the sites stand a little under the middle.
  const level = projectionOf(flat);
  const siteYs = sites.map((site) => level([site.lon, site.lat])![1]);
  const topOfArcs = Math.min(...siteYs, ...arcTops(sites, level));
  const low = Math.max(...siteYs);
  const room = mapHeight - margin.top - margin.bottom;
  const high = Math.max(topOfArcs, low - room);
  const frame: Frame = { ...flat, shift: tenth(margin.top + (room - (low - high)) / 2 - high) };
  const projection = projectionOf(frame);
  const project = (lon: number, lat: number): Point => {
    const [x, y] = projection([lon, lat])!;
    return { x, y };
  };
  return {
    project,
    frame,
    graticule: graticuleOf(projection, degrees > 90 ? 20 : degrees > 30 ? 10 : 5),
    dateLine: [78, -70].map((lat) => project(179.9999, lat)),
    path: geoPath(projection).digits(1),
    worldWidth: 2 * Math.PI * frame.scale,
  };
}

/** Meridians and parallels are straight in a Mercator map: two numbers a line. */
function graticuleOf(projection: GeoProjection, step: number): string {
  let lines = '';
  for (let lon = -180; lon < 180; lon += step) {
    const [x] = projection([lon + 1e-6, 0])!;
    if (x > 0 && x < mapWidth) lines += `M${x.toFixed(1)} ${-bleed}V${mapHeight + bleed}`;
  }
  for (let lat = -80; lat <= 80; lat += step) {
    const [, y] = projection([0, lat])!;
    if (y > -bleed && y < mapHeight + bleed) lines += `M0 ${y.toFixed(1)}H${mapWidth}`;
  }
  return lines;
}

const mercatorY = (lat: number): number => Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));

/** How high the arcs between neighbours reach; those over the pole may leave the picture. */
function arcTops(sites: readonly GeoSite[], projection: GeoProjection): number[] {
  const tops: number[] = [];
  for (const [index, a] of sites.entries()) {
    for (const b of sites.slice(index + 1)) {
      const between = geoInterpolate([a.lon, a.lat], [b.lon, b.lat]);
      const highest = Array.from({ length: 9 }, (_, i) => between(i / 8)).reduce((x, y) => (y[1] > x[1] ? y : x));
      if (Math.abs(highest[1]) <= highestLatitude) tops.push(projection(highest)![1]);
    }
  }
  return tops;
}

export interface ArcSample extends Point {
  /** share of the way, 0..1 */
  t: number;
  visible: boolean;
}

export interface Arc {
  d: string;
  samples: ArcSample[];
  /** where it leaves the picture sideways, and what is on the other side */
  cuts: { x: number; y: number; side: 'left' | 'right'; towards: 'from' | 'to' }[];
  kilometres: number;
}

/** A great circle, the short way; drawn unbroken where the crop allows, else cut at both edges. */
export function arcBetween(from: GeoSite, to: GeoSite, map: FleetProjection): Arc {
  const between = geoInterpolate([from.lon, from.lat], [to.lon, to.lat]);
  const count = 160;
  const samples = Array.from({ length: count + 1 }, (_, index): ArcSample => {
    const t = index / count;
    const [lon, lat] = between(t);
    const point = map.project(lon, lat);
    return { ...point, t, visible: inside(point) };
  });
  const cuts: Arc['cuts'] = [];
  for (let index = 1; index < samples.length; index++) {
    const before = samples[index - 1]!;
    const after = samples[index]!;
    if (before.visible === after.visible) continue;
    const shown = before.visible ? before : after;
    const hidden = before.visible ? after : before;
    const jumped = Math.abs(hidden.x - shown.x) > map.worldWidth / 2;
    // through the top or bottom edge: the arc comes back into the picture by itself or its end is cut too
    if (!jumped && hidden.x > 0 && hidden.x < mapWidth) continue;
    cuts.push({
      x: shown.x < mapWidth / 2 ? 0 : mapWidth,
      y: shown.y,
      side: shown.x < mapWidth / 2 ? 'left' : 'right',
      towards: before.visible ? 'to' : 'from',
    });
  }
  return {
    d:
      map.path({
        type: 'LineString',
        coordinates: [
          [from.lon, from.lat],
          [to.lon, to.lat],
        ],
      }) ?? '',
    samples,
    cuts,
    kilometres: geoDistance([from.lon, from.lat], [to.lon, to.lat]) * 6_371,
  };
}

const inside = ({ x, y }: Point): boolean => x >= 0 && x <= mapWidth && y >= 0 && y <= mapHeight;
