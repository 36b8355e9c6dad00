import { describe, expect, it } from 'vitest';
import { fleet } from '../fixtures/fleet.ts';
import {
  arcBetween,
  centreLongitude,
  fleetProjection,
  type GeoSite,
  landSvg,
  mapHeight,
  mapWidth,
} from './map-geometry.ts';
import { placePills, placeSiteLabels } from './map-labels.ts';
import { sitePairs } from './site-pairs.ts';

const sites = fleet.sites.filter((site): site is typeof site & GeoSite => site.lat !== null && site.lon !== null);
const of = (id: string) => sites.find((site) => site.id === id)!;

describe('the fleet map', () => {
  it('puts the seam into the widest longitude gap, so that both oceans stay whole', () => {
    const { centre, span } = centreLongitude(sites.map((site) => site.lon));
    // between Hannover (9.7) and Funabashi (140)
    expect(centre).toBeCloseTo(-105.1, 0);
    expect(span).toBeCloseTo(229.8, 0);
  });

  it('copes with one site, and with two on the same spot', () => {
    for (const few of [[of('dublin')], [of('dublin'), { ...of('dublin'), id: 'again' }]]) {
      const map = fleetProjection(few);
      const { x, y } = map.project(-6.26, 53.35);
      expect(x).toBeCloseTo(mapWidth / 2, 0);
      expect(y).toBeGreaterThan(0);
      expect(y).toBeLessThan(mapHeight);
      expect(landSvg(map.frame)).not.toContain('NaN');
    }
  });

  it('keeps every site inside the picture', () => {
    const map = fleetProjection(sites);
    for (const site of sites) {
      const { x, y } = map.project(site.lon, site.lat);
      expect(x).toBeGreaterThan(40);
      expect(x).toBeLessThan(mapWidth - 40);
      expect(y).toBeGreaterThan(40);
      expect(y).toBeLessThan(mapHeight - 40);
    }
  });

  it('draws San Francisco to Funabashi over the date line in one stroke', () => {
    const arc = arcBetween(of('san-francisco'), of('funabashi'), fleetProjection(sites));
    expect(arc.d.match(/M/g)).toHaveLength(1);
    expect(arc.cuts).toEqual([]);
    expect(arc.kilometres).toBeCloseTo(8_300, -3);
  });

  it('cuts Dublin to Funabashi at both edges and says where each end leads', () => {
    const arc = arcBetween(of('dublin'), of('funabashi'), fleetProjection(sites));
    expect(arc.cuts.map(({ side, towards }) => ({ side, towards }))).toEqual([
      { side: 'right', towards: 'to' },
      { side: 'left', towards: 'from' },
    ]);
  });

  it('draws one arc a pair with the slower direction and the worse mark, worst last', () => {
    const pairs = sitePairs(fleet.edges);
    expect(pairs.map((pair) => pair.id)).not.toContain('funabashi--funabashi');
    const last = pairs.at(-1)!;
    expect(last.mark).toBe('over');
    const hannover = pairs.find((pair) => pair.id === 'dublin--hannover')!;
    expect(hannover).toMatchObject({ mark: 'over', hopId: 'aa00000000000001', slower: { addedMs: { p95: 11.2 } } });
  });

  it('keeps labels off each other and off the sites', () => {
    const map = fleetProjection(sites);
    const arcs = sitePairs(fleet.edges).map((pair) => ({
      id: pair.id,
      text: '11.2 ± 1.1 ms',
      samples: arcBetween(of(pair.a), of(pair.b), map).samples,
    }));
    const at = sites.map((site) => ({
      id: site.id,
      at: map.project(site.lon, site.lat),
      lines: [site.name, '6 devices, all live'],
    }));
    const labels = placeSiteLabels(
      at,
      arcs.map((arc) => arc.samples),
    );
    const pills = placePills(
      arcs,
      labels,
      at.map((site) => site.at),
      [],
    );
    expect(pills).toHaveLength(arcs.length);
    for (const [index, pill] of pills.entries()) {
      for (const other of pills.slice(index + 1)) {
        expect(Math.abs(pill.x - other.x) > 100 || Math.abs(pill.y - other.y) > 22).toBe(true);
      }
      for (const site of at) {
        expect(Math.abs(pill.x - site.at.x) > 50 || Math.abs(pill.y - site.at.y) > 15).toBe(true);
      }
    }
  });
});
