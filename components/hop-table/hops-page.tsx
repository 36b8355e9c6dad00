import type { HopsView, Mark } from '#lib/views/schemas.ts';
import { withSiteNames } from '../hop-head/hop-name.tsx';
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
import { HopCards, HopTable } from './hop-table.tsx';
import { choicesOf, type HopSort, type HopsQuery, isFiltered, matches, sorted } from './hops-query.ts';

const order: Mark[] = ['over', 'noticeable', 'cannot-tell', 'ok', 'no-data'];

const params = (query: HopsQuery) => ({
  q: query.text,
  application: query.application,
  service: query.service,
  site: query.site,
  verdict: query.verdict,
  path: query.path,
});

function sentenceOf(view: HopsView): string {
  const count = (mark: Mark) => view.items.filter((hop) => hop.mark === mark).length;
  const over = count('over');
  const unsure = count('cannot-tell');
  if (view.items.length === 0) return 'No hop was seen in this range.';
  if (over === 0 && unsure === 0)
    return `Nothing needs a decision. All ${plural(view.items.length, 'hop')} are within budget or have nothing to judge.`;
  const parts = [
    over > 0
      ? `${plural(over, 'hop')} of ${formatNumber(view.items.length)} ${over === 1 ? 'is' : 'are'} over budget.`
      : '',
    unsure > 0 ? `For ${formatNumber(unsure)} the clocks do not let us tell.` : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** All hops, ranked by what they add. */
export function HopsPage({
  view,
  query,
  siteNames = {},
}: {
  view: HopsView;
  query: HopsQuery;
  /** as configured; a site without one is called by its id */
  siteNames?: Record<string, string>;
}) {
  const { range } = view;
  const items = sorted(
    view.items.filter((hop) => matches(hop, query)),
    query.sort,
    query.reverse,
  ).map((hop) => withSiteNames(hop, siteNames));
  const hrefOfSort = (sort: HopSort) =>
    linkTo('/hops', range, {
      ...params(query),
      sort: sort === 'worst' ? null : sort,
      order: query.sort === sort && !query.reverse ? 'reverse' : null,
    });
  const exportQuery = new URLSearchParams(rangeQuery(range));
  for (const name of ['application', 'service', 'site', 'path'] as const) {
    if (query[name] !== '') exportQuery.set(name, query[name]);
  }
  if (isMark(query.verdict)) exportQuery.set('mark', query.verdict);
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead title="Hops" sentence={<Sentence text={sentenceOf(view)} />} />
      <Panel
        id="hops"
        title={
          isFiltered(query)
            ? `${plural(items.length, 'hop')} of ${formatNumber(view.items.length)}`
            : plural(items.length, 'hop')
        }
        note={`${rangeWords(range)}; added latency, ± of the clocks`}
        actions={
          <>
            <span className="flex flex-wrap gap-x-3 gap-y-1 text-dense">
              {order.map((mark) => {
                const count = view.items.filter((hop) => hop.mark === mark).length;
                return count === 0 ? null : (
                  <VerdictLabel key={mark} mark={mark} word={`${formatNumber(count)} ${markWords[mark]}`} />
                );
              })}
            </span>
            <Exports api="/api/v1/hops" query={exportQuery.toString()} what="These hops" />
          </>
        }
        flush
      >
        {view.items.length > 0 && (
          <ListFilters
            page="/hops"
            range={range}
            query={query}
            also={['path', query.path]}
            placeholder="service, topic, path"
            choices={choicesOf(view.items)}
            siteNames={siteNames}
            isFiltered={isFiltered(query)}
          />
        )}
        {items.length > 0 ? (
          <>
            <HopTable items={items} range={range} sort={query.sort} reverse={query.reverse} hrefOfSort={hrefOfSort} />
            <HopCards items={items} range={range} />
            <RowKeys within="hops" />
          </>
        ) : view.items.length > 0 ? (
          <Empty why="No hop matches these filters, though there are hops in this range.">
            <ButtonLink href={linkTo('/hops', range)}>Clear the filters</ButtonLink>
          </Empty>
        ) : (
          <Empty why={view.emptyReason ?? 'No request crossed between two services in this range.'}>
            <p>
              A hop appears when a caller span and its callee span share a trace: over HTTP by the{' '}
              <code>traceparent</code> header, over MQTT 5 by a user property of the same name. MQTT 3.1.1 cannot carry
              it.
            </p>
            <p className="mt-2 flex flex-wrap gap-2">
              <ButtonLink href="/hops?from=now-24h&to=now">Look at the last 24 h</ButtonLink>
              <ButtonLink href="/status">See what arrives</ButtonLink>
            </p>
          </Empty>
        )}
      </Panel>
    </div>
  );
}
