import type { HopItem, Mark } from '#lib/views/schemas.ts';

/** What the page's URL asks of the list. Every field may be empty; the range stands beside it. */
export interface HopsQuery {
  application: string;
  service: string;
  site: string;
  verdict: string;
  text: string;
  /** root span name of the requests that cross */
  path: string;
  sort: HopSort;
  /** true: the column's other direction */
  reverse: boolean;
}

export const hopSorts = ['worst', 'hop', 'count', 'errors', 'p50', 'p95', 'floor', 'over-floor', 'budget'] as const;
export type HopSort = (typeof hopSorts)[number];

const one = (value: string | string[] | undefined): string =>
  ((Array.isArray(value) ? value[0] : value) ?? '').slice(0, 200);

export function hopsQueryOf(params: Record<string, string | string[] | undefined>): HopsQuery {
  const sort = one(params.sort);
  return {
    application: one(params.application),
    service: one(params.service),
    site: one(params.site),
    verdict: one(params.verdict),
    text: one(params.q).trim(),
    path: one(params.path),
    sort: hopSorts.find((known) => known === sort) ?? 'worst',
    reverse: one(params.order) === 'reverse',
  };
}

export const isFiltered = (query: HopsQuery): boolean =>
  [query.application, query.service, query.site, query.verdict, query.text, query.path].some((value) => value !== '');

/** The verdicts people filter by; the mark is the wider net (over budget = move, fix the path, unanswered). */
const marks: ReadonlySet<string> = new Set<Mark>(['ok', 'noticeable', 'over', 'cannot-tell', 'no-data']);

export const isMark = (verdict: string): boolean => marks.has(verdict);

export function matches(hop: HopItem, query: HopsQuery): boolean {
  const { application, service, site, verdict, text, path } = query;
  if (application && hop.from.application !== application && hop.to.application !== application) return false;
  if (service && hop.from.service !== service && hop.to.service !== service) return false;
  if (site && hop.from.site !== site && hop.to.site !== site) return false;
  if (path && !hop.paths.includes(path)) return false;
  if (verdict && (isMark(verdict) ? hop.mark : hop.verdict) !== verdict) return false;
  if (text === '') return true;
  const words = [
    hop.from.service,
    hop.from.site,
    hop.to.service,
    hop.to.site,
    hop.via.system,
    hop.via.destination,
    ...hop.paths,
  ];
  const heap = words.join(' ').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => heap.includes(word));
}

const rank: Record<Mark, number> = { over: 0, 'cannot-tell': 1, noticeable: 2, ok: 3, 'no-data': 4 };
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

/** Worst first: by verdict, then by what the hop adds. Unknown stands last in either direction: it is not the smallest. */
export function sorted(items: readonly HopItem[], sort: HopSort, reverse: boolean): HopItem[] {
  const sign = reverse ? -1 : 1;
  const byTitle = (a: HopItem, b: HopItem) => title(a).localeCompare(title(b), 'en');
  if (sort === 'hop') return items.toSorted((a, b) => sign * byTitle(a, b));
  const value = sort === 'worst' ? figure.p95 : figure[sort];
  return items.toSorted((a, b) => {
    if (sort === 'worst' && rank[a.mark] !== rank[b.mark]) return sign * (rank[a.mark] - rank[b.mark]);
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return x === y ? byTitle(a, b) : x === null ? 1 : -1;
    return x === y ? byTitle(a, b) : sign * (y - x);
  });
}

/** What the filters offer: everything that is in the range, not only what the filters left over. */
export function choicesOf(items: readonly HopItem[]): { applications: string[]; services: string[]; sites: string[] } {
  const distinct = (pick: (hop: HopItem) => string[]) =>
    [...new Set(items.flatMap(pick))].filter((value) => value !== '').sort((a, b) => a.localeCompare(b, 'en'));
  return {
    applications: distinct((hop) => [hop.from.application, hop.to.application]),
    services: distinct((hop) => [hop.from.service, hop.to.service]),
    sites: distinct((hop) => [hop.from.site, hop.to.site]),
  };
}
