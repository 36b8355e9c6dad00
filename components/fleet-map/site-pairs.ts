import type { FleetView, Mark } from '#lib/views/schemas.ts';

type Edge = FleetView['edges'][number];

export interface SitePair {
  id: string;
  a: string;
  b: string;
  /** the worst of both directions: the colour */
  mark: Mark;
  /** the slower direction: the figure */
  slower: Edge;
  count: number;
  hopId: string;
}

const severity: Record<Mark, number> = { 'no-data': 0, ok: 1, 'cannot-tell': 2, noticeable: 3, over: 4 };
export const bySeverity = (a: { mark: Mark }, b: { mark: Mark }): number => severity[a.mark] - severity[b.mark];

/** One arc per site pair, worst last, so that it is drawn on top. What stays within a site is not on the map. */
export function sitePairs(edges: readonly Edge[]): SitePair[] {
  const pairs = new Map<string, SitePair>();
  for (const edge of edges) {
    if (edge.from === edge.to) continue;
    const [a, b] = edge.from < edge.to ? [edge.from, edge.to] : [edge.to, edge.from];
    const id = `${a}--${b}`;
    const known = pairs.get(id);
    if (!known) {
      pairs.set(id, { id, a, b, mark: edge.mark, slower: edge, count: edge.count, hopId: edge.worstHopId });
      continue;
    }
    known.count += edge.count;
    if ((edge.addedMs.p95 ?? -1) > (known.slower.addedMs.p95 ?? -1)) known.slower = edge;
    if (severity[edge.mark] > severity[known.mark]) {
      known.mark = edge.mark;
      known.hopId = edge.worstHopId;
    }
  }
  return [...pairs.values()].sort(bySeverity);
}

/** Hops that begin and end in one place: shown with the site. */
export const edgeWithin = (edges: readonly Edge[], site: string): Edge | undefined =>
  edges.find((edge) => edge.from === site && edge.to === site);
