import type { End, PathWalk } from './path-walk.ts';
import type { Millis } from './units.ts';

/** End to end of several requests of one path, by nearest rank. */
export interface EndToEndFigures {
  p50Ms: Millis | null;
  p95Ms: Millis | null;
  /** the largest of the requests, open when over one in twenty is (design.md section 4.8) */
  boundMs: Millis | null;
  /** 95th percentile of the requests' floors: no repair of the network can bring p95 below it, wherever the slow ones went */
  floorMs: Millis | null;
  directFloorMs: Millis | null;
  /** requests that one clock measured, 0..1 */
  oneClock: number;
}

export function endToEndFiguresOf(walks: readonly PathWalk[]): EndToEndFigures {
  const rank = (pick: (walk: PathWalk) => Millis, q: number) => nearestRank(walks.map(pick), q);
  return {
    p50Ms: rank((walk) => walk.totalMs, 0.5),
    p95Ms: rank((walk) => walk.totalMs, 0.95),
    boundMs: boundOf(walks.map((walk) => walk.boundMs)),
    floorMs: rank((walk) => walk.floorMs, 0.95),
    directFloorMs: rank((walk) => walk.directFloorMs, 0.95),
    oneClock: walks.length === 0 ? 0 : walks.filter((walk) => walk.rule === 'a').length / walks.length,
  };
}

export function nearestRank(values: readonly number[], q: number): number | null {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? null;
}

function boundOf(bounds: readonly (Millis | null)[]): Millis | null {
  if (bounds.length === 0) return null;
  const open = bounds.filter((bound) => bound === null).length;
  return open > 0.05 * bounds.length ? null : Math.max(...bounds.map((bound) => bound ?? 0));
}

/** Requests that took the same tree. */
export interface PathVariant {
  id: bigint;
  walks: PathWalk[];
}

/** Busiest first; among equals the smaller id, so that any order of requests gives the same list. */
export function variantsOf(walks: readonly PathWalk[]): PathVariant[] {
  return [...Map.groupBy(walks, (walk) => walk.path.id)]
    .map(([id, of]) => ({ id, walks: of }))
    .sort((a, b) => b.walks.length - a.walks.length || (a.id < b.id ? -1 : 1));
}

/** One place of a tree over the requests that took it. */
export interface PlaceFigures {
  at: string;
  parent: string | null;
  /** null for the root */
  hop: bigint | null;
  from: End;
  to: End;
  broker: string;
  /** how often it was crossed in one request */
  count: { least: number; most: number };
  attempts: { least: number; most: number };
  addedMs: { p50: Millis | null; p95: Millis | null };
  boundMs: Millis | null;
  floorMs: Millis;
  /** means over all requests, and their parts of the mean total */
  wayMs: Millis;
  workMs: Millis;
  wayShare: number;
  workShare: number;
  /** requests that waited for it, 0..1: a branch beside the critical path has 0 */
  onPath: number;
}

/** In the order of the tree, the root first. */
export function placesOf({ walks }: PathVariant): PlaceFigures[] {
  const totalMs = sumOf(walks.map((walk) => walk.totalMs));
  const share = (ms: Millis): number => (totalMs > 0 ? ms / totalMs : 0);
  return walks[0]!.places.map((first, i) => {
    // one tree, one order of places
    const places = walks.map((walk) => walk.places[i]!);
    const range = (pick: (place: (typeof places)[number]) => number) => ({
      least: Math.min(...places.map(pick)),
      most: Math.max(...places.map(pick)),
    });
    const added = places.flatMap((place) => place.addedMs.filter((ms) => ms !== null));
    const wayMs = sumOf(places.map((place) => place.wayMs));
    const workMs = sumOf(places.map((place) => place.workMs));
    return {
      at: first.at,
      parent: first.parent,
      hop: first.hop,
      from: first.from,
      to: first.to,
      broker: places.find((place) => place.broker !== '')?.broker ?? '',
      count: range((place) => place.count),
      attempts: range((place) => place.attempts),
      addedMs: { p50: nearestRank(added, 0.5), p95: nearestRank(added, 0.95) },
      boundMs: boundOf(places.map((place) => place.boundMs)),
      floorMs: Math.max(...places.map((place) => place.floorMs)),
      wayMs: wayMs / walks.length,
      workMs: workMs / walks.length,
      wayShare: share(wayMs),
      workShare: share(workMs),
      onPath: places.filter((place) => place.onPath).length / places.length,
    };
  });
}

/** A part of the time end to end: the way of one hop, the work of one service at one site, or what nothing explains. */
export interface PathPart {
  kind: 'hop' | 'work' | 'unknown';
  hop: bigint | null;
  from: End;
  to: End;
  broker: string;
  /** mean over all requests */
  ms: Millis;
  share: number;
  floorMs: Millis;
  directFloorMs: Millis;
}

const nowhere: End = { service: '', site: '', application: '' };

/** Where the time went over all trees of a path, in the order requests meet it. The parts add up to the mean total. */
export function partsOf(walks: readonly PathWalk[]): PathPart[] {
  const parts = new Map<string, PathPart>();
  const spend = (key: string, ms: Millis, part: Omit<PathPart, 'ms' | 'share'>): void => {
    const known = parts.get(key);
    if (!known) {
      parts.set(key, { ...part, ms, share: 0 });
      return;
    }
    known.ms += ms;
    known.floorMs = Math.max(known.floorMs, part.floorMs);
    known.directFloorMs = Math.max(known.directFloorMs, part.directFloorMs);
    if (known.broker === '') known.broker = part.broker;
  };
  // the longest tree first: what the others share with it then stands in its order
  for (const walk of walks.toSorted((a, b) => b.places.length - a.places.length || (a.path.id < b.path.id ? -1 : 1))) {
    for (const place of walk.places) {
      const { hop, from, to, broker, floorMs, directFloorMs } = place;
      if (!place.onPath) continue;
      if (hop !== null)
        spend(`hop ${hop}`, place.wayMs, { kind: 'hop', hop, from, to, broker, floorMs, directFloorMs });
      const work = { kind: 'work' as const, hop: null, from: to, to, broker: '', floorMs: 0, directFloorMs: 0 };
      spend(`work ${to.service}\u001f${to.site}\u001f${to.application}`, place.workMs, work);
    }
    const unknown = { kind: 'unknown' as const, hop: null, from: nowhere, to: nowhere, broker: '' };
    if (walk.elsewhereMs !== 0) spend('unknown', walk.elsewhereMs, { ...unknown, floorMs: 0, directFloorMs: 0 });
  }
  const totalMs = sumOf(walks.map((walk) => walk.totalMs));
  return [...parts.values()].map((part) => ({
    ...part,
    ms: part.ms / walks.length,
    share: totalMs > 0 ? part.ms / totalMs : 0,
  }));
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
