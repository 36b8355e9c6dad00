import Link from 'next/link';
import type { ReactNode } from 'react';
import type { PathView } from '#lib/views/schemas.ts';
import { CopyLink } from '../hop-head/copy-link.tsx';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { RowKeys } from '../hop-head/row-keys.tsx';
import { howMeasured, isFree, openWords, partName, pathVerdict, type SiteNames } from '../path-table/path-words.tsx';
import { largestParts, ShareKey, ShareParts } from '../path-table/share-parts.tsx';
import { TextLink } from '../ui/button.tsx';
import { Duration } from '../ui/duration.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatBudget, formatNumber, formatPercent, plural } from '../ui/format.ts';
import { linkTo, rangeQuery, rangeWords } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { Exports } from '../ui/table.tsx';
import { markWords, VerdictBadge } from '../verdict-badge/verdict-mark.tsx';
import { PathChart, PathSeriesTable } from './path-chart.tsx';
import { PathExamples } from './path-examples.tsx';
import { PathTree } from './path-tree.tsx';
import { PathVariants } from './path-variants.tsx';

export type PathShow = 'lines' | 'table';

function Fact({ name, children, note }: { name: string; children: ReactNode; note?: ReactNode }) {
  return (
    <div className="flex flex-wrap items-baseline justify-between gap-x-3 border-t border-line py-1 first:border-t-0">
      <dt className="text-ink2">{name}</dt>
      <dd className="text-end font-strong text-ink">{children}</dd>
      {note !== undefined && <dd className="w-full text-note text-ink3">{note}</dd>}
    </div>
  );
}

/** The numbers the verdict rests on. */
function EndToEnd({ view, siteNames }: { view: PathView; siteNames: SiteNames }) {
  const { path, range } = view;
  const open = openWords(path.p95Ms, path.boundMs);
  return (
    <Panel id="why" title="End to end" note={rangeWords(range)}>
      <dl className="text-dense">
        <Fact name="p50">
          <Duration ms={path.p50Ms} boundMs={path.boundMs} />
        </Fact>
        <Fact name="p95" note={howMeasured[path.how]}>
          <Duration ms={path.p95Ms} boundMs={path.boundMs} />
          {open !== null && <span className="font-normal text-ink3"> {open}</span>}
        </Fact>
        {path.floorMs !== null && (
          <Fact
            name="Floor, light in fibre"
            note="along the critical path: no repair of the network brings p95 below it"
          >
            <Duration ms={path.floorMs} />
          </Fact>
        )}
        <Fact name="Budget" note={path.budgetFrom ?? 'nobody set one: budgets in hopscope.yaml'}>
          {path.budgetMs === null ? 'none' : formatBudget(path.budgetMs)}
        </Fact>
        {path.blame !== null && (
          <Fact name="Begin with">
            {path.blame.hopId === null ? (
              partName(path.blame, siteNames)
            ) : (
              <TextLink href={linkTo(`/hops/${path.blame.hopId}`, range)}>{partName(path.blame, siteNames)}</TextLink>
            )}
          </Fact>
        )}
        <Fact name="Rests on" note={path.errors > 0 ? `${plural(path.errors, 'request')} with an error` : undefined}>
          {plural(path.count, 'request')}
        </Fact>
      </dl>
    </Panel>
  );
}

/** The whole bar with its largest parts in words. */
function Shares({ view, siteNames }: { view: PathView; siteNames: SiteNames }) {
  const { parts } = view.path;
  return (
    <div className="border-b border-line px-3.5 py-3">
      <ShareParts parts={parts} siteNames={siteNames} className="!h-4" />
      <ul className="mt-1.5 flex flex-wrap gap-x-5 gap-y-1 text-dense">
        {largestParts(parts).map((part) => (
          <li key={`${part.kind} ${part.hopId} ${partName(part, siteNames)}`}>
            <b className="font-strong">{formatPercent(part.share)}</b>{' '}
            <span className="text-ink2">{partName(part, siteNames)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** One request path: where its time goes hop by hop, whether it keeps its budget, and which requests to open. */
export function PathPage({
  view,
  asked,
  show,
  siteNames = {},
}: {
  view: PathView;
  /** id of the tree that the URL asks for; '' = the busiest */
  asked: string;
  show: PathShow;
  siteNames?: SiteNames;
}) {
  const { path, range, variants, variantId } = view;
  const variant = asked === '' || asked === variants[0]?.id ? null : asked;
  const here = (next: PathShow) =>
    linkTo(`/paths/${path.id}`, range, { variant, show: next === 'lines' ? null : next });
  const isOther = asked !== '' && variantId !== null && asked !== variantId;
  const way = variants.findIndex((each) => each.id === variantId) + 1;
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead
        crumbs={[
          { text: 'Paths', href: linkTo('/paths', range) },
          { text: path.application, href: linkTo('/paths', range, { application: path.application }) },
          { text: path.name },
        ]}
        title={path.name}
        badge={
          <VerdictBadge
            mark={isFree(path) ? 'no-data' : path.mark}
            word={isFree(path) ? pathVerdict(path) : markWords[path.mark]}
          />
        }
        beside={
          path.service === '' ? undefined : (
            <span className="min-w-0 font-mono text-dense break-all text-ink2">from {path.service}</span>
          )
        }
        sentence={<Sentence text={path.reason} />}
        actions={
          <>
            <Exports api={`/api/v1/paths/${path.id}`} query={rangeQuery(range).toString()} what="This path" />
            <CopyLink />
          </>
        }
      />
      <div className="grid gap-2.5 wide:grid-cols-[minmax(0,1fr)_minmax(20rem,24rem)]">
        <div className="flex min-w-0 flex-col gap-2.5">
          <Panel
            id="tree"
            title="Where the time goes"
            note={
              variants.length > 1
                ? `way ${formatNumber(way)} of ${formatNumber(variants.length)}, hop by hop`
                : 'hop by hop from the root'
            }
            actions={<ShareKey />}
            flush
          >
            {view.places.length === 0 ? (
              <Empty
                why={
                  path.count === 0
                    ? 'No request took this path in this range.'
                    : 'The spans of these requests are gone (see retention), so what happened on the way cannot be told.'
                }
              >
                <TextLink href={`/paths/${path.id}?from=now-24h&to=now`}>Look at the last 24 h</TextLink>
              </Empty>
            ) : (
              <>
                {isOther && (
                  <p className="border-b border-line bg-raised px-3.5 py-2 text-dense text-ink2">
                    The way this link asks for is not among the {formatNumber(path.looked)} requests looked at: shown is
                    the busiest one.
                  </p>
                )}
                {variants.length === 1 && <Shares view={view} siteNames={siteNames} />}
                <PathTree view={view} siteNames={siteNames} />
              </>
            )}
          </Panel>
          <Panel
            id="latency"
            title="End to end over time"
            actions={
              <>
                <span className="flex items-center gap-3 text-dense text-ink2 max-wide:hidden" aria-hidden="true">
                  <span className="inline-flex items-center gap-1.5">
                    <span className="w-4 border-t-2 border-ink" /> p50
                  </span>
                  <span className="inline-flex items-center gap-1.5">
                    <span className="w-4 border-t-2 border-dashed border-ink" /> p95
                  </span>
                </span>
                <Segmented
                  label="Show latency as"
                  segments={[
                    { label: 'Lines', current: show === 'lines', href: here('lines') },
                    { label: 'Table', current: show === 'table', href: here('table') },
                  ]}
                />
                <Link
                  hidden
                  data-key="t"
                  href={here(show === 'table' ? 'lines' : 'table')}
                  prefetch={false}
                  scroll={false}
                >
                  Table or drawing
                </Link>
              </>
            }
            flush
          >
            {show === 'table' ? <PathSeriesTable view={view} /> : <PathChart view={view} />}
          </Panel>
          <PathExamples view={view} />
          <RowKeys within="main" />
        </div>
        <div className="flex min-w-0 flex-col gap-2.5">
          {variants.length > 0 && <PathVariants view={view} siteNames={siteNames} />}
          <EndToEnd view={view} siteNames={siteNames} />
        </div>
      </div>
    </div>
  );
}
