import { describe, expect, it } from 'vitest';
import { bucketOf, type Histogram } from '../domain/histogram.ts';
import { hash64 } from '../domain/ids.ts';
import type { HopWindow, SiteRow } from '../store/store.ts';
import { edgesOf } from './edges.ts';
import { rules } from './fixtures/world.ts';
import { judgeHop, weakestClock } from './hop-item.ts';

const sites = new Map(rules.sites.map((site) => [site.id, site as SiteRow]));
const at = (ms: number, count = 100): Histogram => new Map([[bucketOf(ms), count]]);
const clocks = { sameClock: 0, roundTrip: 0, bounded: 0, assumed: 0, clockWrong: 0, overlap: 0, contradiction: 0 };

const hop = (name: string, from: string, to: string, addedMs: number, more: Partial<HopWindow> = {}): HopWindow => ({
  hop: hash64(name),
  from: { service: `${name}-caller`, site: from, application: 'factory' },
  to: { service: `${name}-callee`, site: to, application: 'factory' },
  system: 'mqtt',
  destination: name,
  count: 100,
  requests: 100,
  errors: 0,
  unanswered: 0,
  added: at(addedMs),
  raw: at(addedMs),
  uplink: new Map(),
  downlink: new Map(),
  sumMs: addedMs * 100,
  maxMs: addedMs,
  boundMs: 0.5,
  uplinkBoundMs: null,
  downlinkBoundMs: null,
  clocks: { ...clocks, bounded: 100 },
  floorMs: 0,
  directFloorMs: 0,
  broker: '',
  passages: 0,
  ...more,
});

const judged = (window: HopWindow) => judgeHop(window, { rules, sites, paths: [], live: null, baselineMs: null });
const edges = (...windows: HopWindow[]) => edgesOf(windows.map(judged));
const near = (ms: number) => expect.closeTo(ms, -Math.floor(Math.log10(ms * 0.05)));

describe('edges between sites', () => {
  it('draw no way within one site', () => {
    expect(edges(hop('a', 'hannover', 'hannover', 1))).toEqual([]);
  });

  it('take a message by way of the broker where it was seen, each leg with its own bound', () => {
    const seen = hop('a', 'hannover', 'ashburn', 50, {
      broker: 'broker-dublin',
      passages: 100,
      uplink: at(9.6),
      downlink: at(40.4),
      uplinkBoundMs: 1.1,
      downlinkBoundMs: 2.2,
    });
    expect(edges(seen)).toEqual([
      expect.objectContaining({
        from: 'dublin',
        to: 'ashburn',
        boundMs: 2.2,
        halfRoundTrip: false,
        addedMs: { p50: near(40.4), p95: near(40.4) },
      }),
      expect.objectContaining({
        from: 'hannover',
        to: 'dublin',
        boundMs: 1.1,
        addedMs: { p50: near(9.6), p95: near(9.6) },
      }),
    ]);
  });

  it('are one edge end to end where no broker was seen, or where it stands at no known site', () => {
    expect(edges(hop('a', 'hannover', 'ashburn', 50))).toHaveLength(1);
    const elsewhere = hop('b', 'hannover', 'ashburn', 50, {
      broker: 'unknown',
      passages: 3,
      uplink: at(1),
      downlink: at(1),
    });
    expect(edges(elsewhere)).toEqual([expect.objectContaining({ from: 'hannover', to: 'ashburn' })]);
  });

  it('give a call half of its round trip each way, and say so', () => {
    const call = hop('a', 'hannover', 'dublin', 20, { clocks: { ...clocks, roundTrip: 100 }, boundMs: 1 });
    const drawn = edges(call);
    expect(drawn.map((edge) => `${edge.from} ${edge.to}`).sort()).toEqual(['dublin hannover', 'hannover dublin']);
    for (const edge of drawn)
      expect(edge).toMatchObject({ halfRoundTrip: true, boundMs: 0.5, addedMs: { p95: near(10) } });
  });

  it('show the p95 of the worst hop and the p50 of all by count', () => {
    const slow = hop('slow', 'hannover', 'dublin', 90, { count: 100 });
    const quick = hop('quick', 'hannover', 'dublin', 10, { count: 300 });
    const [edge, ...others] = edges(quick, slow);
    expect(others).toEqual([]);
    expect(edge).toMatchObject({ mark: 'over', count: 400, addedMs: { p50: near(30), p95: near(90) } });
    expect(edge!.worstHopId).toBe(judged(slow).item.id);
    expect(edge!.hopIds).toHaveLength(2);
  });

  it('do not let an unknown clock speak for a proven one', () => {
    const proven = hop('proven', 'hannover', 'dublin', 10);
    const assumed = hop('assumed', 'hannover', 'dublin', 700, { boundMs: null, clocks: { ...clocks, assumed: 100 } });
    const [edge] = edges(proven, assumed);
    expect(edge!.mark).toBe('cannot-tell');
    expect(edge!.addedMs.p50).toEqual(near(10));
  });
});

describe('the clock of a hop', () => {
  it('is the weakest that covers over 5 %', () => {
    expect(weakestClock({ ...clocks, bounded: 95, assumed: 5 })).toBe('bounded');
    expect(weakestClock({ ...clocks, bounded: 94, assumed: 6 })).toBe('assumed');
    expect(weakestClock(clocks)).toBeNull();
  });
});
