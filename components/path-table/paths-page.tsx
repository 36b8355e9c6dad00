import type { Mark, PathsView } from '#lib/views/schemas.ts';
import { ListFilters } from '../hop-head/list-filters.tsx';
import { isMark } from '../hop-head/list-query.ts';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { RowKeys } from '../hop-head/row-keys.tsx';
import { ButtonLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatNumber, plural } from '../ui/format.ts';
import { linkTo, rangeQuery, rangeWords } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Exports } from '../ui/table.tsx';
import { markWords, VerdictLabel } from '../verdict-badge/verdict-mark.tsx';
import { PathCards, PathTable } from './path-table.tsx';
import { isFree, type SiteNames } from './path-words.tsx';
import { choicesOf, isFiltered, matches, type PathSort, type PathsQuery, sorted } from './paths-query.ts';
import { ShareKey } from './share-parts.tsx';

const order: Mark[] = ['over', 'noticeable', 'cannot-tell', 'ok', 'no-data'];

const params = (query: PathsQuery) => ({
  q: query.text,
  application: query.application,
  service: query.service,
  site: query.site,
  verdict: query.verdict,
  hop: query.hop,
});

function sentenceOf({ items }: PathsView): string {
  const count = (mark: Mark) => items.filter((path) => path.mark === mark).length;
  if (items.length === 0) return 'No request path was seen in this range.';
  const over = count('over');
  const unsure = count('cannot-tell');
  const free = items.filter((path) => path.budgetMs === null).length;
  const without = free === 0 ? '' : `${formatNumber(free)} of ${formatNumber(items.length)} have no budget.`;
  const judged = items.length - free;
  if (judged === 0) return 'Nothing can be over budget: nobody set one for a path.';
  if (over === 0 && unsure === 0) {
    return `Nothing needs a decision. ${judged === 1 ? 'The one path with a budget keeps it.' : `All ${formatNumber(judged)} paths with a budget keep it.`} ${without}`.trim();
  }
  const parts = [
    over > 0
      ? `${plural(over, 'path')} of ${formatNumber(items.length)} ${over === 1 ? 'is' : 'are'} over budget.`
      : '',
    unsure > 0 ? `For ${formatNumber(unsure)} the clocks do not let us tell.` : '',
    without,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** Requests end to end, by what they are called: is one over its budget, and where does its time go? */
export function PathsPage({
  view,
  query,
  siteNames = {},
}: {
  view: PathsView;
  query: PathsQuery;
  /** as configured; a site without one is called by its id */
  siteNames?: SiteNames;
}) {
  const { range } = view;
  const items = sorted(
    view.items.filter((path) => matches(path, query)),
    query.sort,
    query.reverse,
  );
  const hrefOfSort = (sort: PathSort) =>
    linkTo('/paths', range, {
      ...params(query),
      sort: sort === 'worst' ? null : sort,
      order: query.sort === sort && !query.reverse ? 'reverse' : null,
    });
  const exportQuery = new URLSearchParams(rangeQuery(range));
  for (const name of ['application', 'service', 'site', 'hop'] as const) {
    if (query[name] !== '') exportQuery.set(name, query[name]);
  }
  if (query.verdict !== '') exportQuery.set(isMark(query.verdict) ? 'mark' : 'verdict', query.verdict);
  const looked = Math.max(0, ...view.items.map((path) => path.looked));
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead title="Paths" sentence={<Sentence text={sentenceOf(view)} />} />
      <Panel
        id="paths"
        title={
          isFiltered(query)
            ? `${plural(items.length, 'path')} of ${formatNumber(view.items.length)}`
            : plural(items.length, 'path')
        }
        note={`${rangeWords(range)}; end to end${query.hop === '' ? '' : ', through one hop'}`}
        actions={
          <>
            <span className="flex flex-wrap gap-x-3 gap-y-1 text-dense">
              {order.map((mark) => {
                const count = view.items.filter((path) => path.mark === mark && !isFree(path)).length;
                return count === 0 ? null : (
                  <VerdictLabel key={mark} mark={mark} word={`${formatNumber(count)} ${markWords[mark]}`} />
                );
              })}
            </span>
            {items.length > 0 && (
              <span className="border-s border-line2 ps-3 max-desk:hidden">
                <ShareKey />
              </span>
            )}
            <Exports api="/api/v1/paths" query={exportQuery.toString()} what="These paths" />
          </>
        }
        flush
      >
        {(view.items.length > 0 || isFiltered(query)) && (
          <ListFilters
            page="/paths"
            range={range}
            query={query}
            also={['hop', query.hop]}
            placeholder="path, service, site"
            choices={choicesOf(view.items)}
            without="unanswered"
            siteNames={siteNames}
            isFiltered={isFiltered(query)}
          />
        )}
        {items.length > 0 ? (
          <>
            <PathTable
              items={items}
              range={range}
              siteNames={siteNames}
              sort={query.sort}
              reverse={query.reverse}
              hrefOfSort={hrefOfSort}
            />
            <PathCards items={items} range={range} siteNames={siteNames} />
            <RowKeys within="paths" />
            <p className="border-t border-line px-3.5 py-2 text-note text-ink3">
              Shares, and times that no single clock measures, come from up to {formatNumber(looked)} requests of each
              path, spread evenly over the range.
              {view.total > view.items.length &&
                ` Listed are ${formatNumber(view.items.length)} of ${formatNumber(view.total)} paths: those with a budget, then the busiest.`}
            </p>
          </>
        ) : view.items.length > 0 || isFiltered(query) ? (
          <Empty why="No path matches these filters, though there may be others in this range.">
            <ButtonLink href={linkTo('/paths', range)}>Clear the filters</ButtonLink>
          </Empty>
        ) : (
          <Empty why={view.emptyReason ?? 'No request crossed between two services in this range.'}>
            <p>
              A path is what requests of one name do end to end: it begins at a root span, a span without a parent, and
              follows the hops from there. Name the root span after what people do (“button press”), and give it a
              budget in <code>hopscope.yaml</code>:
            </p>
            <code className="mt-1 block break-words">{'budgets: [{ path: "button press", totalMs: 10 }]'}</code>
            <p className="mt-2 flex flex-wrap gap-2">
              <ButtonLink href="/paths?from=now-24h&to=now">Look at the last 24 h</ButtonLink>
              <ButtonLink href="/status">See what arrives</ButtonLink>
            </p>
          </Empty>
        )}
      </Panel>
    </div>
  );
}
