import type { RequestPathItem } from '#lib/views/schemas.ts';
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

export interface PathsQuery extends ListQuery<PathSort> {
  /** id of a hop that the paths cross */
  hop: string;
}

export const pathSorts = ['worst', 'path', 'count', 'errors', 'p50', 'p95', 'budget'] as const;
export type PathSort = (typeof pathSorts)[number];

export const pathsQueryOf = (params: UrlParams): PathsQuery => ({
  ...listQueryOf(params, pathSorts),
  hop: oneParam(params.hop),
});

export const isFiltered = (query: PathsQuery): boolean => isNarrowed(query, query.hop);

/** The hop is asked of the view, which knows more than the parts that are shown. */
export function matches(path: RequestPathItem, query: PathsQuery): boolean {
  const { application, service, site, verdict, text } = query;
  if (application && path.application !== application) return false;
  if (service && !path.services.includes(service)) return false;
  if (site && !path.sites.includes(site)) return false;
  const words = [path.name, path.application, ...path.services, ...path.sites];
  return hasVerdict(path, verdict) && hasText(words, text);
}

const figure: Record<Exclude<PathSort, 'worst' | 'path'>, (path: RequestPathItem) => number | null> = {
  count: (path) => path.count,
  errors: (path) => path.errors,
  p50: (path) => path.p50Ms,
  p95: (path) => path.p95Ms,
  budget: (path) => path.budgetMs,
};

/** Worst first: by verdict, then by how long it takes. */
export const sorted = (items: readonly RequestPathItem[], sort: PathSort, reverse: boolean): RequestPathItem[] =>
  ordered(items, {
    byName: (a, b) => a.name.localeCompare(b.name, 'en') || a.application.localeCompare(b.application, 'en'),
    figure: sort === 'path' ? null : sort === 'worst' ? figure.p95 : figure[sort],
    worst: sort === 'worst',
    reverse,
  });

/** What the filters offer: everything that is in the range, not only what the filters left over. */
export const choicesOf = (items: readonly RequestPathItem[]): Choices => ({
  applications: distinct(items.map((path) => path.application)),
  services: distinct(items.flatMap((path) => path.services)),
  sites: distinct(items.flatMap((path) => path.sites)),
});
