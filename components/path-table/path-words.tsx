import type { PathPartItem, RequestPathItem } from '#lib/views/schemas.ts';
import { siteName } from '../hop-head/site-name.ts';
import { formatBound, formatBudget } from '../ui/format.ts';
import { verdictWords } from '../verdict-badge/verdict-mark.tsx';

export type SiteNames = Record<string, string>;

/** As configured; a site without a name there is called by its id. */
export const placeName = (site: string, names: SiteNames): string => names[site] ?? siteName(site);

type Judged = Pick<RequestPathItem, 'verdict' | 'moveWhat' | 'budgetMs'>;

export const pathVerdict = (path: Judged): string =>
  path.verdict === 'leave' && path.budgetMs === null
    ? 'No budget'
    : path.verdict === 'move' && path.moveWhat === 'broker'
      ? 'Move the broker'
      : verdictWords[path.verdict];

const end = ({ service, site }: PathPartItem['from'], names: SiteNames): string =>
  service === 'restricted' ? 'a restricted service' : `${service} ${placeName(site, names)}`;

/** "line-button Hannover → factory-events Ashburn", "work in factory-events Ashburn" */
export function partName(part: PathPartItem, names: SiteNames): string {
  switch (part.kind) {
    case 'hop':
      return part.from.service === 'restricted'
        ? 'a restricted hop'
        : `${end(part.from, names)} → ${end(part.to, names)}`;
    case 'work':
      return `work in ${end(part.to, names)}`;
    case 'rest':
      return 'all smaller ones';
    case 'unknown':
      return 'not recorded';
  }
}

export const isFree = (path: Pick<RequestPathItem, 'mark' | 'budgetMs'>): boolean =>
  path.mark === 'ok' && path.budgetMs === null;

export const isUnsure = (path: Pick<RequestPathItem, 'verdict'>): boolean => path.verdict === 'cannot-tell';

/** What p95 is: said where the figure stands. */
export const howMeasured: Record<RequestPathItem['how'], string> = {
  'one-clock': 'from the start of the root to its end, on one clock: no error',
  'one-way': 'from the start of the root to the end of the last callee, on the requester’s clock',
  unknown: 'nothing could be looked at',
};

export const whyUnknown = (path: Pick<RequestPathItem, 'count'>): string =>
  path.count === 0 ? 'no request in this range' : 'the spans of these requests are gone';

export const budgetWords = (budgetMs: number | null): string =>
  budgetMs === null ? 'no budget' : `of ${formatBudget(budgetMs)}`;

/** The words after a figure that nothing bounds; a bound that is known is drawn beside the figure. */
export const openWords = (ms: number | null, boundMs: number | null): string | null =>
  ms !== null && boundMs === null && formatBound(ms, boundMs) === null ? '± unknown' : null;
