'use client';

import type { AlertView } from '#lib/views/alert-schemas.ts';
import { CopyLink } from '../hop-head/copy-link.tsx';
import { TextLink } from '../ui/button.tsx';
import { formatLatency, nbsp, plural } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { AlertBar } from './alert-bar.tsx';
import { AlertChart } from './alert-chart.tsx';
import { AlertFacts } from './alert-facts.tsx';
import { AlertHistory } from './alert-history.tsx';
import { AlertChip, standing } from './alert-words.tsx';
import { FoldedList } from './folded-list.tsx';
import { RequestStrip } from './request-strip.tsx';

/**
 * What broke, how bad, what changed, whose it is: at 4 a.m., on a phone, out of one document. What can be done comes first in it,
 * and stands under the thumb. Drawn on the server like every page; it is the browser's as well only because what a page sends of a
 * server's drawing for its scripts is larger than the drawing, and what it sends of these figures is small.
 */
export function AlertBody({
  view,
  folded,
  earlierLines,
}: {
  view: AlertView;
  /** how many there are, of which the view has the first */
  folded: { all: number; still: number };
  earlierLines: number;
}) {
  const { alert, chart } = view;
  const nowMs = Date.parse(view.now);
  const sinceMs = Date.parse(alert.since);
  const others = [plural(view.open, 'alert', 'alerts').replace(/ alerts?$/, ' open')];
  if (folded.all > 0) others.push(`${folded.all} folded in`);
  return (
    <div className="alert-page mx-auto max-w-280 px-4 pt-2 pb-4 max-phone:pb-60" data-alert-page>
      <p className="flex min-h-11 items-center gap-3 text-dense">
        <TextLink
          href="/alerts"
          className="inline-flex min-h-6 items-center gap-1 max-phone:min-h-11 max-phone:text-sentence"
        >
          <Icon name="left" size={14} />
          Alerts
        </TextLink>
        <span className="flex-1 text-center text-ink3 wide:text-start">{others.join(', ')}</span>
        <span className="copy max-phone:hidden">
          <CopyLink />
        </span>
      </p>
      <header className="mb-3 flex flex-col gap-1.5">
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-dense text-ink2">
          <AlertChip alert={alert} /> {standing(alert, nowMs)}
        </p>
        <h1 className="max-w-[34ch] text-headline font-title tracking-tight text-balance break-words wide:max-w-none wide:text-title">
          {sentencesOf(alert.title).map((sentence) => (
            <span key={sentence} className="block wide:inline">
              {sentence}{' '}
            </span>
          ))}
        </h1>
        {alert.sentence !== '' && <p className="max-w-[90ch] text-sentence text-ink2">{alert.sentence}</p>}
      </header>
      <div className="flex flex-col gap-4 wide:grid wide:grid-cols-[minmax(0,1fr)_24rem] wide:gap-6">
        <div className="contents wide:order-2 wide:flex wide:flex-col wide:gap-4">
          <AlertBar view={view} />
          <div className="order-2">
            <AlertFacts view={view} />
          </div>
        </div>
        <div className="contents wide:order-1 wide:flex wide:flex-col wide:gap-4">
          {chart && (
            <figure className="order-1">
              <figcaption className="flex text-dense">
                <b className="font-strong">p95, 1 h</b>
                <span className="ms-auto text-ink3">ms, UTC</span>
              </figcaption>
              <AlertChart
                chart={chart}
                sinceMs={sinceMs}
                name={chartName(view)}
                width={358}
                height={168}
                className="wide:hidden"
              />
              <div className="hidden wide:block">
                <AlertChart chart={chart} sinceMs={sinceMs} name={chartName(view)} width={700} height={220} />
              </div>
            </figure>
          )}
          {view.example && (
            <div className="order-3">
              <RequestStrip example={view.example} />
            </div>
          )}
          <div className="order-4">
            <FoldedList shown={view.folded} {...folded} />
          </div>
          <div className="order-5">
            <AlertHistory view={view} earlierLines={earlierLines} />
          </div>
        </div>
      </div>
    </div>
  );
}

/** Each on a line of its own where there is room for one, and no number without its unit. */
const sentencesOf = (text: string): string[] =>
  text.replaceAll(/(\d) (ms|s|min|h|%)/g, `$1${nbsp}$2`).split(/(?<=[.!?]) (?=[A-ZÄÖÜ])/);

function chartName({ alert, chart }: AlertView): string {
  const last = chart?.points.findLast(({ p95Ms }) => p95Ms !== null)?.p95Ms ?? null;
  const budget = chart?.budgetMs ?? null;
  return `p95 of ${alert.subject.name} over an hour: ${formatLatency(last)} at its end${budget === null ? '' : `, budget ${formatLatency(budget)}`}`;
}
