import type { Mark, RequestPathItem } from '#lib/views/schemas.ts';

/** What the page's URL asks of the list. Every field may be empty; the range stands beside it. */
export interface PathsQuery {
  application: string;
  service: string;
  site: string;
  verdict: string;
  text: string;
  /** id of a hop that the paths cross */
  hop: string;
  sort: PathSort;
  /** true: the column's other direction */
  reverse: boolean;
}

export const pathSorts = ['worst', 'path', 'count', 'errors', 'p50', 'p95', 'budget'] as const;
export type PathSort = (typeof pathSorts)[number];

const one = (value: string | string[] | undefined): string =>
  ((Array.isArray(value) ? value[0] : value) ?? '').slice(0, 200);

export function pathsQueryOf(params: Record<string, string | string[] | undefined>): PathsQuery {
  const sort = one(params.sort);
  return {
    application: one(params.application),
    service: one(params.service),
    site: one(params.site),
    verdict: one(params.verdict),
    text: one(params.q).trim(),
    hop: one(params.hop),
    sort: pathSorts.find((known) => known === sort) ?? 'worst',
    reverse: one(params.order) === 'reverse',
  };
}

export const isFiltered = (query: PathsQuery): boolean =>
  [query.application, query.service, query.site, query.verdict, query.text, query.hop].some((value) => value !== '');

/** The mark is the wider net: over budget is move and fix the path. */
const marks: ReadonlySet<string> = new Set<Mark>(['ok', 'noticeable', 'over', 'cannot-tell', 'no-data']);

export const isMark = (verdict: string): boolean => marks.has(verdict);

/** The hop is asked of the view, which knows more than the parts that are shown. */
export function matches(path: RequestPathItem, query: PathsQuery): boolean {
  const { application, service, site, verdict, text } = query;
  if (application && path.application !== application) return false;
  if (service && !path.services.includes(service)) return false;
  if (site && !path.sites.includes(site)) return false;
  if (verdict && (isMark(verdict) ? path.mark : path.verdict) !== verdict) return false;
  if (text === '') return true;
  const heap = [path.name, path.application, ...path.services, ...path.sites].join(' ').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => heap.includes(word));
}

const rank: Record<Mark, number> = { over: 0, 'cannot-tell': 1, noticeable: 2, ok: 3, 'no-data': 4 };

const figure: Record<Exclude<PathSort, 'worst' | 'path'>, (path: RequestPathItem) => number | null> = {
  count: (path) => path.count,
  errors: (path) => path.errors,
  p50: (path) => path.p50Ms,
  p95: (path) => path.p95Ms,
  budget: (path) => path.budgetMs,
};

/** Worst first: by verdict, then by how long it takes. Unknown stands last in either direction: it is not the smallest. */
export function sorted(items: readonly RequestPathItem[], sort: PathSort, reverse: boolean): RequestPathItem[] {
  const sign = reverse ? -1 : 1;
  const byName = (a: RequestPathItem, b: RequestPathItem) =>
    a.name.localeCompare(b.name, 'en') || a.application.localeCompare(b.application, 'en');
  if (sort === 'path') return items.toSorted((a, b) => sign * byName(a, b));
  const value = sort === 'worst' ? figure.p95 : figure[sort];
  return items.toSorted((a, b) => {
    if (sort === 'worst' && rank[a.mark] !== rank[b.mark]) return sign * (rank[a.mark] - rank[b.mark]);
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return x === y ? byName(a, b) : x === null ? 1 : -1;
    return x === y ? byName(a, b) : sign * (y - x);
  });
}

/** What the filters offer: everything that is in the range, not only what the filters left over. */
export function choicesOf(items: readonly RequestPathItem[]) {
  const distinct = (pick: (path: RequestPathItem) => string[]) =>
    [...new Set(items.flatMap(pick))].filter((value) => value !== '').sort((a, b) => a.localeCompare(b, 'en'));
  return {
    applications: distinct((path) => [path.application]),
    services: distinct((path) => path.services),
    sites: distinct((path) => path.sites),
  };
}
