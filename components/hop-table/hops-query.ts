import type { HopItem } from '#lib/views/schemas.ts';
import {
  type Choices,
  distinct,
  hasText,
  hasVerdict,
  isNarrowed,
  type ListQuery,
  listQueryOf,
  oneParam,
  ordered,
  type UrlParams,
} from '../hop-head/list-query.ts';

export interface HopsQuery extends ListQuery<HopSort> {
  /** root span name of the requests that cross */
  path: string;
}

export const hopSorts = ['worst', 'hop', 'count', 'errors', 'p50', 'p95', 'floor', 'over-floor', 'budget'] as const;
export type HopSort = (typeof hopSorts)[number];

export const hopsQueryOf = (params: UrlParams): HopsQuery => ({
  ...listQueryOf(params, hopSorts),
  path: oneParam(params.path),
});

export const isFiltered = (query: HopsQuery): boolean => isNarrowed(query, query.path);

export function matches(hop: HopItem, query: HopsQuery): boolean {
  const { application, service, site, verdict, text, path } = query;
  if (application && hop.from.application !== application && hop.to.application !== application) return false;
  if (service && hop.from.service !== service && hop.to.service !== service) return false;
  if (site && hop.from.site !== site && hop.to.site !== site) return false;
  if (path && !hop.paths.includes(path)) return false;
  const words = [
    hop.from.service,
    hop.from.site,
    hop.to.service,
    hop.to.site,
    hop.via.system,
    hop.via.destination,
    ...hop.paths,
  ];
  return hasVerdict(hop, verdict) && hasText(words, text);
}

const title = (hop: HopItem) =>
  `${hop.from.service} ${hop.from.site} ${hop.to.service} ${hop.to.site} ${hop.via.destination}`;

const figure: Record<Exclude<HopSort, 'worst' | 'hop'>, (hop: HopItem) => number | null> = {
  count: (hop) => hop.count,
  errors: (hop) => hop.errors + hop.unanswered,
  p50: (hop) => hop.addedMs.p50,
  p95: (hop) => hop.addedMs.p95,
  floor: (hop) => hop.floorMs,
  'over-floor': (hop) => hop.overFloorMs,
  budget: (hop) => hop.budgetMs,
};

/** Worst first: by verdict, then by what the hop adds. */
export const sorted = (items: readonly HopItem[], sort: HopSort, reverse: boolean): HopItem[] =>
  ordered(items, {
    byName: (a, b) => title(a).localeCompare(title(b), 'en'),
    figure: sort === 'hop' ? null : sort === 'worst' ? figure.p95 : figure[sort],
    worst: sort === 'worst',
    reverse,
  });

/** What the filters offer: everything that is in the range, not only what the filters left over. */
export const choicesOf = (items: readonly HopItem[]): Choices => ({
  applications: distinct(items.flatMap((hop) => [hop.from.application, hop.to.application])),
  services: distinct(items.flatMap((hop) => [hop.from.service, hop.to.service])),
  sites: distinct(items.flatMap((hop) => [hop.from.site, hop.to.site])),
});
