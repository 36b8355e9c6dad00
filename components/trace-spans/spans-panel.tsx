import type { ReactNode } from 'react';
import type { SpanItem, TraceView } from '#lib/views/schemas.ts';
import { TextLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatAbsolute, formatLedger, formatNumber, plural, unknown } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { Table, Th } from '../ui/table.tsx';
import { AttributeList } from './attribute-list.tsx';
import { spanTree } from './span-tree.ts';

export const firstSpans = 200;
/** beyond it a page of attributes would be megabytes; the JSON export holds them all */
const mostWithAttributes = 600;

const cell = 'border-t border-line px-2 py-1 align-top first:ps-3.5 last:pe-3.5';

function Details({ span }: { span: SpanItem }) {
  const part = (title: string, body: ReactNode) => (
    <div className="mt-2">
      <p className="text-note text-ink3">{title}</p>
      {body}
    </div>
  );
  return (
    <div className="pb-2 ps-4">
      {part('Attributes', <AttributeList attributes={span.attributes} />)}
      {Object.keys(span.resource).length > 0 && part('Resource', <AttributeList attributes={span.resource} />)}
      {span.events.length > 0 &&
        part(
          'Events',
          <ul>
            {span.events.slice(0, 50).map((event, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: events have no identity of their own
              <li key={index}>
                <b className="font-strong break-words">{event.name}</b>{' '}
                <time className="text-ink3" dateTime={event.at}>
                  {formatAbsolute(Date.parse(event.at))}
                </time>
                <AttributeList attributes={event.attributes} most={24} />
              </li>
            ))}
          </ul>,
        )}
      {span.links.length > 0 &&
        part(
          'Links',
          <ul className="font-mono">
            {span.links.slice(0, 50).map((link) => (
              <li key={`${link.traceId} ${link.spanId}`}>
                <TextLink href={`/traces/${link.traceId}`} className="break-all">
                  {link.traceId}
                </TextLink>{' '}
                <span className="text-ink3">{link.spanId}</span>
              </li>
            ))}
          </ul>,
        )}
      <p className="mt-2 font-mono text-note break-all text-ink3">
        span {span.spanId}
        {span.scope !== '' && `, ${span.scope}`}
      </p>
    </div>
  );
}

function Bar({ span, lowMs, highMs, raw }: { span: SpanItem; lowMs: number; highMs: number; raw: boolean }) {
  const start = raw ? span.rawStartMs : (span.startMs ?? span.rawStartMs);
  const whole = highMs - lowMs || 1;
  return (
    <div className="relative mt-1 h-2 rounded-bar bg-raised" aria-hidden="true">
      <div
        className={`absolute inset-y-0 min-w-0.5 rounded-bar ${span.status === 'error' ? 'bg-over' : span.kind === 'client' || span.kind === 'producer' ? 'bg-net' : 'bg-cpu'}`}
        style={{
          left: `${Math.min(99.5, Math.max(0, ((start - lowMs) / whole) * 100))}%`,
          width: `${Math.min(100, (span.durationMs / whole) * 100)}%`,
        }}
      />
    </div>
  );
}

/** The waterfall in words: every span, under the one that called it, with all it carried. */
export function SpansPanel({
  trace,
  raw,
  all,
  allHref,
  toggle,
}: {
  trace: Pick<TraceView, 'spans' | 'spansTotal' | 'totalMs'>;
  raw: boolean;
  all: boolean;
  allHref: string;
  toggle: ReactNode;
}) {
  const rows = spanTree(trace.spans, raw);
  const shown = all ? rows : rows.slice(0, firstSpans);
  const startOf = (span: SpanItem) => (raw ? span.rawStartMs : (span.startMs ?? span.rawStartMs));
  let lowMs = 0;
  let highMs = trace.totalMs;
  for (const { span } of rows) {
    lowMs = Math.min(lowMs, startOf(span));
    highMs = Math.max(highMs, startOf(span) + span.durationMs);
  }
  return (
    <Panel
      id="spans"
      title="Spans"
      note={`${plural(trace.spansTotal, 'span')}; start ${raw ? 'as each sender’s clock said' : 'on the requester’s clock'}`}
      actions={toggle}
      flush
    >
      {rows.length === 0 ? (
        <Empty why="No span of this trace is here any more: retention has removed them, or they are still on their way." />
      ) : (
        <Table caption="All spans of this trace, children under their parents" className="table-fixed min-w-160">
          <thead>
            <tr>
              <Th className="w-[38%]">Span</Th>
              <Th className="w-[24%]">Service, device</Th>
              <Th numeric className="w-22">
                Start, ms
              </Th>
              <Th numeric className="w-20">
                Took, ms
              </Th>
              <Th>Timeline</Th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ span, depth, orphan }, index) => (
              <tr key={`${span.traceId} ${span.spanId}`} className="hover:bg-hover">
                <th scope="row" className={`${cell} text-start font-normal`}>
                  <div style={{ paddingInlineStart: `${Math.min(depth, 14) * 0.7}rem` }}>
                    {index < mostWithAttributes ? (
                      <details>
                        <summary className="min-h-6 break-words">
                          <span className="font-strong">{span.name}</span> <SpanWords span={span} />
                        </summary>
                        <Details span={span} />
                      </details>
                    ) : (
                      <p className="break-words">
                        <span className="font-strong">{span.name}</span> <SpanWords span={span} />
                      </p>
                    )}
                    {(span.notes.length > 0 || orphan) && (
                      <p className="text-note text-ink3">
                        {[
                          ...(orphan && !span.notes.some((note) => note.includes('parent'))
                            ? ['its parent is not here']
                            : []),
                          ...span.notes,
                        ].join('; ')}
                      </p>
                    )}
                  </div>
                </th>
                <td className={`${cell} break-words`}>
                  {span.service} <span className="block font-mono text-note text-ink3">{span.device}</span>
                </td>
                <td
                  className={`${cell} text-end whitespace-nowrap`}
                  title={`${formatAbsolute(Date.parse(span.startedAt))} on its own clock`}
                >
                  {raw ? (
                    formatLedger(span.rawStartMs)
                  ) : span.startMs === null ? (
                    <span className="text-ink3" title="its clock cannot be brought onto the requester's">
                      {unknown}
                    </span>
                  ) : (
                    <>
                      {formatLedger(span.startMs)}
                      {span.boundMs !== null && span.boundMs >= 0.05 && (
                        <span className="block text-note text-ink3">± {formatNumber(span.boundMs, 1)}</span>
                      )}
                    </>
                  )}
                </td>
                <td className={`${cell} text-end font-strong whitespace-nowrap`}>{formatLedger(span.durationMs)}</td>
                <td className={cell}>
                  <Bar span={span} lowMs={lowMs} highMs={highMs} raw={raw} />
                </td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
      {shown.length < rows.length && (
        <p className="border-t border-line px-3.5 py-2 text-dense">
          The first {formatNumber(shown.length)} of {formatNumber(rows.length)}.{' '}
          <TextLink href={allHref} className="underline">
            Show all
          </TextLink>
        </p>
      )}
      {trace.spansTotal > trace.spans.length && (
        <p className="border-t border-line px-3.5 py-2 text-dense text-ink2">
          {formatNumber(trace.spansTotal - trace.spans.length)} more spans are too many for one page; the JSON export
          has them.
        </p>
      )}
    </Panel>
  );
}

function SpanWords({ span }: { span: SpanItem }) {
  return (
    <>
      <span className="text-ink3">{span.kind}</span>
      {span.status === 'error' && (
        <span className="text-over"> error{span.statusMessage === '' ? '' : `: ${span.statusMessage}`}</span>
      )}
    </>
  );
}
