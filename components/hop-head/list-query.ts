import type { Mark } from '#lib/views/schemas.ts';

/** What the URL of a ranked list asks of it. Every field may be empty; the range stands beside it. */
export interface ListQuery<Sort extends string = string> {
  application: string;
  service: string;
  site: string;
  verdict: string;
  text: string;
  sort: Sort;
  /** true: the column's other direction */
  reverse: boolean;
}

export type UrlParams = Record<string, string | string[] | undefined>;

export const oneParam = (value: string | string[] | undefined): string =>
  ((Array.isArray(value) ? value[0] : value) ?? '').slice(0, 200);

export function listQueryOf<Sort extends string>(
  params: UrlParams,
  sorts: readonly ['worst', ...Sort[]],
): ListQuery<'worst' | Sort> {
  const sort = oneParam(params.sort);
  return {
    application: oneParam(params.application),
    service: oneParam(params.service),
    site: oneParam(params.site),
    verdict: oneParam(params.verdict),
    text: oneParam(params.q).trim(),
    sort: sorts.find((known) => known === sort) ?? 'worst',
    reverse: oneParam(params.order) === 'reverse',
  };
}

/** `more`: what else the list can be narrowed by. */
export const isNarrowed = (query: ListQuery, more: string): boolean =>
  [query.application, query.service, query.site, query.verdict, query.text, more].some((value) => value !== '');

/** The verdicts people filter by; the mark is the wider net (over budget = move, fix the path, unanswered). */
const marks: ReadonlySet<string> = new Set<Mark>(['ok', 'noticeable', 'over', 'cannot-tell', 'no-data']);

export const isMark = (verdict: string): boolean => marks.has(verdict);

export const hasVerdict = (item: { mark: Mark; verdict: string }, verdict: string): boolean =>
  verdict === '' || (isMark(verdict) ? item.mark : item.verdict) === verdict;

/** Every word that was typed stands somewhere in these. */
export function hasText(words: readonly string[], text: string): boolean {
  if (text === '') return true;
  const heap = words.join(' ').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => heap.includes(word));
}

const rank: Record<Mark, number> = { over: 0, 'cannot-tell': 1, noticeable: 2, ok: 3, 'no-data': 4 };

interface Order<Item> {
  byName: (a: Item, b: Item) => number;
  /** null: by name */
  figure: ((item: Item) => number | null) | null;
  /** by verdict first */
  worst: boolean;
  reverse: boolean;
}

/** The largest first. Unknown stands last in either direction: it is not the smallest. */
export function ordered<Item extends { mark: Mark }>(
  items: readonly Item[],
  { byName, figure, worst, reverse }: Order<Item>,
): Item[] {
  const sign = reverse ? -1 : 1;
  if (figure === null) return items.toSorted((a, b) => sign * byName(a, b));
  return items.toSorted((a, b) => {
    if (worst && rank[a.mark] !== rank[b.mark]) return sign * (rank[a.mark] - rank[b.mark]);
    const [x, y] = [figure(a), figure(b)];
    if (x === null || y === null) return x === y ? byName(a, b) : x === null ? 1 : -1;
    return x === y ? byName(a, b) : sign * (y - x);
  });
}

export interface Choices {
  applications: string[];
  services: string[];
  sites: string[];
}

/** What a filter offers: each value once. */
export const distinct = (values: readonly string[]): string[] =>
  [...new Set(values)].filter((value) => value !== '').sort((a, b) => a.localeCompare(b, 'en'));
