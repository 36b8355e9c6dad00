import Link from 'next/link';
import type { HopView } from '#lib/views/schemas.ts';
import { CopyLink } from '../hop-head/copy-link.tsx';
import { HopName } from '../hop-head/hop-name.tsx';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { RowKeys } from '../hop-head/row-keys.tsx';
import { linkTo, rangeQuery, rangeWords } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { Exports } from '../ui/table.tsx';
import { markWords, VerdictBadge } from '../verdict-badge/verdict-mark.tsx';
import { HopChanges } from './hop-changes.tsx';
import { HopChart, HopChartKey } from './hop-chart.tsx';
import { HopClocks } from './hop-clocks.tsx';
import { HopExamples } from './hop-examples.tsx';
import { HopLegs } from './hop-legs.tsx';
import { HopSeriesTable } from './hop-series-table.tsx';
import { HopWhy } from './hop-why.tsx';

export const hopShows = ['heat', 'lines', 'table'] as const;
export type HopShow = (typeof hopShows)[number];

function stepWords(stepMs: number): string {
  if (stepMs >= 86_400_000) return `${stepMs / 86_400_000} d`;
  if (stepMs >= 3_600_000) return `${stepMs / 3_600_000} h`;
  return stepMs >= 60_000 ? `${stepMs / 60_000} min` : `${stepMs / 1_000} s`;
}

/** One hop: what it adds, since when, and whether tuning can fix it. */
export function HopPage({ view, show }: { view: HopView; show: HopShow }) {
  const { hop, range } = view;
  const here = (next: HopShow) => linkTo(`/hops/${hop.id}`, range, { show: next === 'heat' ? null : next });
  const roundTrip = hop.clock === 'round-trip';
  const path = hop.paths.length === 1 ? hop.paths[0]! : null;
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead
        crumbs={[
          { text: 'Hops', href: linkTo('/hops', range) },
          ...(hop.to.application === ''
            ? []
            : [{ text: hop.to.application, href: linkTo('/hops', range, { application: hop.to.application }) }]),
          hop.paths.length === 0
            ? { text: 'one hop' }
            : { text: path ?? `on ${hop.paths.length} paths`, href: linkTo('/paths', range, { hop: hop.id }) },
        ]}
        title={<HopName hop={hop} />}
        badge={
          <VerdictBadge mark={hop.mark} word={hop.verdict === 'unanswered' ? 'unanswered' : markWords[hop.mark]} />
        }
        beside={
          <span className="min-w-0 font-mono text-dense break-all text-ink2">
            {hop.via.destination || hop.via.system}
          </span>
        }
        sentence={<Sentence text={hop.reason} />}
        actions={
          <>
            <Exports api={`/api/v1/hops/${hop.id}`} query={rangeQuery(range).toString()} what="This hop" />
            <CopyLink />
          </>
        }
      />
      <div className="grid gap-2.5 wide:grid-cols-[minmax(0,1fr)_minmax(20rem,24rem)]">
        <div className="flex min-w-0 flex-col gap-2.5">
          <Panel
            id="latency"
            title="Latency of this hop"
            note={`${roundTrip ? 'there and back' : 'one way'}, 1 column = ${stepWords(view.heat.stepMs)}${show === 'heat' ? ', log scale' : ''}`}
            actions={
              <>
                {show !== 'table' && <HopChartKey view={view} show={show} />}
                <Segmented
                  label="Show latency as"
                  segments={[
                    { label: 'Heat map', current: show === 'heat', href: here('heat') },
                    { label: 'Lines', current: show === 'lines', href: here('lines') },
                    { label: 'Table', current: show === 'table', href: here('table') },
                  ]}
                />
                <Link
                  hidden
                  data-key="t"
                  href={here(show === 'table' ? 'heat' : 'table')}
                  prefetch={false}
                  scroll={false}
                >
                  Table or drawing
                </Link>
              </>
            }
            flush
          >
            {show === 'table' ? <HopSeriesTable view={view} /> : <HopChart view={view} show={show} />}
          </Panel>
          <HopLegs hop={hop} since={rangeWords(range)} />
          <HopExamples view={view} />
          <RowKeys within="examples" />
        </div>
        <div className="flex min-w-0 flex-col gap-2.5">
          <HopWhy hop={hop} />
          <HopClocks view={view} />
          <HopChanges view={view} />
        </div>
      </div>
    </div>
  );
}
