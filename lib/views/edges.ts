import { quantile } from '../domain/histogram.ts';
import type { Millis } from '../domain/units.ts';
import { isRoundTrip, type JudgedHop, worstFirst } from './hop-item.ts';
import type { FleetView } from './schemas.ts';

type Edge = FleetView['edges'][number];

/** What one hop adds between two sites, one way. */
interface Way {
  from: string;
  to: string;
  p50Ms: Millis | null;
  p95Ms: Millis | null;
  boundMs: Millis | null;
  halfRoundTrip: boolean;
  hop: JudgedHop;
}

/** All ways between two sites in one edge a direction: what the map draws (design.md section 12). Worst edge first. */
export function edgesOf(hops: JudgedHop[]): Edge[] {
  const ways = hops.flatMap(waysOf).filter((way) => way.from !== way.to);
  return [...Map.groupBy(ways, (way) => `${way.from}\u001f${way.to}`).values()]
    .map(edgeOf)
    .sort((a, b) => worstFirst(a, b) || `${a.from}>${a.to}`.localeCompare(`${b.from}>${b.to}`));
}

function waysOf(hop: JudgedHop): Way[] {
  const { window, item } = hop;
  const from = window.from.site;
  const to = window.to.site;
  const { p50, p95 } = item.addedMs;
  if (isRoundTrip(window)) {
    // One clock measured there and back; which way took how much is not known, so each gets half and says so
    const half = (ms: Millis | null): Millis | null => (ms === null ? null : ms / 2);
    const way = { p50Ms: half(p50), p95Ms: half(p95), boundMs: half(item.boundMs), halfRoundTrip: true, hop };
    return [
      { from, to, ...way },
      { from: to, to: from, ...way },
    ];
  }
  const brokerSite = item.legsMs?.brokerSite ?? '';
  if (brokerSite === '') {
    return [{ from, to, p50Ms: p50, p95Ms: p95, boundMs: item.boundMs, halfRoundTrip: false, hop }];
  }
  return [
    {
      from,
      to: brokerSite,
      p50Ms: quantile(window.uplink, 0.5),
      p95Ms: quantile(window.uplink, 0.95),
      boundMs: window.uplinkBoundMs,
      halfRoundTrip: false,
      hop,
    },
    {
      from: brokerSite,
      to,
      p50Ms: quantile(window.downlink, 0.5),
      p95Ms: quantile(window.downlink, 0.95),
      boundMs: window.downlinkBoundMs,
      halfRoundTrip: false,
      hop,
    },
  ];
}

function edgeOf(ways: Way[]): Edge {
  const ranked = ways.toSorted(byWorth);
  const worst = ranked[0]!;
  return {
    from: worst.from,
    to: worst.to,
    count: ways.reduce((total, way) => total + way.hop.item.count, 0),
    addedMs: { p50: weightedP50(ways), p95: worst.p95Ms },
    boundMs: worst.boundMs,
    verdict: worst.hop.item.verdict,
    mark: worst.hop.item.mark,
    halfRoundTrip: worst.halfRoundTrip,
    worstHopId: worst.hop.item.id,
    hopIds: [...new Set(ranked.map((way) => way.hop.item.id))],
  };
}

const isBounded = (way: Way): boolean => way.boundMs !== null;

/** Worst mark first; of one mark a figure that is proven before one that is only taken as it stands. */
const byWorth = (a: Way, b: Way): number => {
  const mark = worstFirst(
    { mark: a.hop.item.mark, addedMs: { p95: 0 } },
    { mark: b.hop.item.mark, addedMs: { p95: 0 } },
  );
  return mark || Number(isBounded(b)) - Number(isBounded(a)) || (b.p95Ms ?? -1) - (a.p95Ms ?? -1);
};

/** By number of crossings, over the ways whose clocks agree, where there are any. */
function weightedP50(ways: Way[]): Millis | null {
  const proven = ways.filter((way) => isBounded(way) && way.p50Ms !== null);
  const known = proven.length > 0 ? proven : ways.filter((way) => way.p50Ms !== null);
  const weight = known.reduce((sum, way) => sum + way.hop.item.count, 0);
  return weight === 0 ? null : known.reduce((sum, way) => sum + way.p50Ms! * way.hop.item.count, 0) / weight;
}
