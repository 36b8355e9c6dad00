import Link from 'next/link';
import { pathIdOf } from '#lib/domain/request-path.ts';
import type { SpanItem, TraceView } from '#lib/views/schemas.ts';
import { CopyLink } from '../hop-head/copy-link.tsx';
import { PageHead, Sentence } from '../hop-head/page-head.tsx';
import { SpansPanel } from '../trace-spans/spans-panel.tsx';
import { TextLink } from '../ui/button.tsx';
import {
  formatAbsolute,
  formatAgo,
  formatBudget,
  formatClockSeconds,
  formatLatency,
  formatNumber,
  plural,
  shortId,
} from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Panel } from '../ui/panel.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { VerdictBadge, verdictWords } from '../verdict-badge/verdict-mark.tsx';
import { TraceExplorer } from './trace-explorer.tsx';

export interface TraceQuery {
  raw: boolean;
  show: 'waterfall' | 'spans';
  /** 1-based line of the ledger */
  entry: number | null;
  /** every span, not only the first */
  all: boolean;
}

const mostEntrySpans = 160;
const mostAttributes = 40;

/** The spans a ledger rests on, slimmed to what its panel shows: the browser gets no more. */
function entrySpansOf(trace: TraceView): SpanItem[] {
  const wanted = new Set([...trace.ledger, ...trace.offPath].flatMap((line) => line.spanIds));
  return trace.spans
    .filter((span) => wanted.has(span.spanId))
    .slice(0, mostEntrySpans)
    .map((span) => ({
      ...span,
      attributes: Object.fromEntries(Object.entries(span.attributes).slice(0, mostAttributes)),
      resource: {},
      events: [],
      links: [],
    }));
}

function href(trace: TraceView, query: Partial<TraceQuery>): string {
  const params = new URLSearchParams();
  if (query.raw) params.set('clock', 'raw');
  if (query.show === 'spans') params.set('show', 'spans');
  if (query.all) params.set('spans', 'all');
  if (query.entry) params.set('entry', String(query.entry));
  const text = params.toString();
  return `/traces/${trace.traceId}${text === '' ? '' : `?${text}`}`;
}

const aroundMs = 900_000;

/** The path this request followed, at the time it did; a restricted root follows none that may be seen. */
function pathHref({ rootName, application, startedAt }: TraceView): string | undefined {
  if (rootName === '' || application === '' || application === 'restricted') return undefined;
  const at = (ms: number) => new Date(Date.parse(startedAt) + ms).toISOString();
  return `/paths/${pathIdOf({ rootName, application })}?from=${at(-aroundMs)}&to=${at(aroundMs)}`;
}

const passagesShown = 50;

/** What the collector beside the broker saw of this request with its own eyes. */
function Passages({ passages }: { passages: TraceView['passages'] }) {
  return (
    <Panel id="passages" title="Seen passing" note={plural(passages.length, 'message')}>
      <ul className="flex flex-col gap-2 text-dense">
        {passages.slice(0, passagesShown).map((passage) => (
          <li key={`${passage.spanId} ${passage.topic} ${passage.at}`}>
            <span className="block font-mono break-all">{passage.topic}</span>
            <span className="text-ink3">
              {passage.broker} at{' '}
              <time dateTime={passage.at} title={formatAbsolute(Date.parse(passage.at))}>
                {formatClockSeconds(Date.parse(passage.at))} UTC
              </time>
              , {formatNumber(passage.payloadBytes)} bytes, QoS {passage.qos}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Notes({ trace }: { trace: TraceView }) {
  // the view says it too; the other two cases it leaves to this panel
  const notes = trace.notes.filter((note) => !note.startsWith('Sent and answered on one clock'));
  return (
    <>
      <Panel id="sure" title="How sure is this">
        <ul className="flex flex-col gap-2 text-dense text-ink2">
          <li className="flex gap-2.5">
            <Icon name="clock" className="mt-px text-ink3" />
            <span>
              {trace.spans.length === 0
                ? 'Seen by the collector alone, on its own clock: when each message passed, not what happened before or after.'
                : trace.oneClock
                  ? 'Sent and answered on one clock, so the total carries no error. Only the split between devices does.'
                  : trace.totalBoundMs === null
                    ? 'The end is on another device, whose clock cannot be brought onto the requester’s: the total has no known error bar.'
                    : `The end is on another device, so the total carries ± ${formatNumber(trace.totalBoundMs, 1)} ms.`}
            </span>
          </li>
          {notes.map((note) => (
            <li key={note} className="flex gap-2.5">
              <Icon name="pulse" className="mt-px text-ink3" />
              <span className="min-w-0 break-words">{note}</span>
            </li>
          ))}
        </ul>
      </Panel>
      {trace.passages.length > 0 && <Passages passages={trace.passages} />}
      {trace.linked.length > 0 && (
        <Panel id="linked" title="Linked traces" note="by span link">
          <ul className="flex flex-col gap-1 text-dense">
            {trace.linked.map((link) => (
              <li key={`${link.traceId} ${link.direction}`} className="flex items-baseline gap-2">
                <span className="w-14 shrink-0 text-ink3">{link.direction === 'to' ? 'leads to' : 'led here'}</span>
                <TextLink href={`/traces/${link.traceId}`} className="min-w-0 font-mono break-all">
                  {link.traceId}
                </TextLink>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

/** One request: where it spent its time, line by line, and how sure that is. */
export function TracePage({ trace, query, nowMs }: { trace: TraceView; query: TraceQuery; nowMs: number }) {
  const { raw, show, all } = query;
  const startedMs = Date.parse(trace.startedAt);
  const total = formatLatency(trace.totalMs, trace.totalBoundMs);
  const badge =
    trace.budgetMs === null
      ? `${total}, no budget`
      : `${total} of ${formatBudget(trace.budgetMs)}: ${verdictWords[trace.verdict]}`;
  const name = trace.rootName === '' ? 'Root span missing' : trace.rootName;
  const toggle = (
    <Segmented
      label="Show the request as"
      segments={[
        { label: 'Waterfall', current: show === 'waterfall', href: href(trace, { raw, entry: query.entry }) },
        { label: 'Spans', current: show === 'spans', href: href(trace, { raw, entry: query.entry, show: 'spans' }) },
      ]}
    />
  );
  return (
    <div className="px-4 pt-3 pb-4">
      <PageHead
        crumbs={[
          { text: 'Traces', href: '/traces' },
          ...(trace.application === '' ? [] : [{ text: trace.application }]),
          {
            text: name,
            href: pathHref(trace),
          },
        ]}
        title={name}
        badge={<VerdictBadge mark={trace.mark} word={badge} />}
        beside={
          <span className="flex min-w-0 flex-wrap gap-x-3 text-dense text-ink2">
            <span className="font-mono" title={trace.traceId}>
              {shortId(trace.traceId)}
            </span>
            <time dateTime={trace.startedAt} title={formatAbsolute(startedMs)}>
              {formatClockSeconds(startedMs)} UTC, {formatAgo(startedMs, nowMs)}
            </time>
          </span>
        }
        sentence={<Sentence text={trace.sentence} />}
        actions={
          <>
            <span className="inline-flex items-center gap-2 text-dense text-ink3">
              <span aria-hidden="true">Clock</span>
              <Segmented
                label="Clock"
                segments={[
                  { label: 'Corrected ±', current: !raw, href: href(trace, { ...query, raw: false }) },
                  { label: 'Raw', current: raw, href: href(trace, { ...query, raw: true }) },
                ]}
              />
            </span>
            <Link hidden data-key="c" href={href(trace, { ...query, raw: !raw })} prefetch={false} scroll={false}>
              Other clock
            </Link>
            <Link
              hidden
              data-key="t"
              href={href(trace, { raw, entry: query.entry, show: show === 'spans' ? 'waterfall' : 'spans' })}
              prefetch={false}
              scroll={false}
            >
              Table or drawing
            </Link>
            <CopyLink />
            <a
              href={`/api/v1/traces/${trace.traceId}`}
              className="inline-flex h-7.5 items-center gap-1.5 rounded-button border border-line2 bg-panel px-3 text-dense font-control hover:bg-hover max-phone:h-11 max-phone:rounded-phone max-phone:text-body"
            >
              <Icon name="external" /> JSON
            </a>
          </>
        }
      />
      {trace.spans.length === 0 ? (
        <div className="grid max-w-200 gap-2.5">
          <Notes trace={trace} />
        </div>
      ) : (
        <TraceExplorer
          key={trace.traceId}
          trace={{
            ledger: trace.ledger,
            offPath: trace.offPath,
            totalMs: trace.totalMs,
            totalBoundMs: trace.totalBoundMs,
            oneClock: trace.oneClock,
            requesterDevice: trace.requesterDevice,
            sites: trace.sites,
            sentence: trace.sentence,
          }}
          raw={raw}
          entry={query.entry}
          entrySpans={entrySpansOf(trace)}
          baseHref={href(trace, { raw, show, all })}
          toggle={toggle}
          spansPanel={
            show === 'spans' ? (
              <SpansPanel
                trace={trace}
                raw={raw}
                all={all}
                allHref={href(trace, { raw, show: 'spans', all: true })}
                toggle={toggle}
              />
            ) : null
          }
          below={<Notes trace={trace} />}
        />
      )}
      {show === 'waterfall' && trace.spans.length > 0 && (
        <p className="mt-2.5 text-dense phone:hidden">
          <TextLink href={href(trace, { raw, show: 'spans' })} className="inline-flex min-h-11 items-center">
            All {formatNumber(trace.spansTotal)} spans
          </TextLink>
        </p>
      )}
    </div>
  );
}
