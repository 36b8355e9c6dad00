import type { ReactNode } from 'react';
import type { LedgerLine, SpanItem } from '#lib/views/schemas.ts';
import { KindPatternSheet, KindSwatch, kindWords } from '../charts/kind.tsx';
import { AttributeList } from '../trace-spans/attribute-list.tsx';
import { isNetwork } from '../trace-waterfall/waterfall-geometry.ts';
import { TextLink } from '../ui/button.tsx';
import { formatChange, formatLedger, formatNumber } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Panel } from '../ui/panel.tsx';

const scope = 'entry';
const mostSpans = 6;

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-note text-ink3">{name}</dt>
      <dd className="font-strong break-words">{children}</dd>
    </div>
  );
}

const Soft = ({ children }: { children: ReactNode }) => <span className="font-normal text-ink3">{children}</span>;

/** One line of the ledger in full: where its number comes from, and the spans that carry it. */
export function SelectedEntry({
  line,
  number,
  count,
  onPath,
  spans,
  spansKnown,
}: {
  line: LedgerLine;
  number: number;
  count: number;
  onPath: boolean;
  spans: readonly SpanItem[];
  /** false: the spans of this line were too many to bring along */
  spansKnown: boolean;
}) {
  const network = isNetwork(line);
  const where =
    network && line.toDevice !== '' ? `${line.fromDevice} → ${line.toDevice}` : line.fromDevice || line.where;
  return (
    <Panel
      id="entry"
      title={onPath ? `Selected entry ${number} of ${count}` : 'Selected, off the critical path'}
      note={
        <span className="inline-flex items-center gap-2 text-ink">
          <KindPatternSheet scope={scope} />
          <KindSwatch kind={line.kind} scope={scope} />
          <span>
            {kindWords[line.kind]} <span className="text-ink3">{network ? '' : 'on '}</span>
            <span className="font-mono">{where}</span>
          </span>
        </span>
      }
      actions={
        <span className="inline-flex items-center gap-1.5 text-dense text-ink3 max-wide:hidden">
          <kbd className="rounded-bar border border-line2 bg-raised px-1.5 font-sans">J</kbd>
          <kbd className="rounded-bar border border-line2 bg-raised px-1.5 font-sans">K</kbd>
          step through the ledger
        </span>
      }
    >
      <dl className="grid grid-cols-2 gap-x-5 gap-y-2 text-dense phone:flex phone:flex-wrap phone:gap-x-8">
        <Fact name="Time">
          {formatLedger(line.ms)} ms{' '}
          <Soft>
            {line.boundMs === null
              ? '± not known'
              : line.boundMs >= 0.05
                ? `± ${formatNumber(line.boundMs, 1)}`
                : network
                  ? ''
                  : 'one clock'}
          </Soft>
        </Fact>
        {network && (
          <Fact name="As the clocks were sent">
            {formatLedger(line.rawMs)} ms <Soft>{line.rawMs < 0 ? 'arrives before it left' : ''}</Soft>
          </Fact>
        )}
        {network && line.floorMs !== null && (
          <Fact name="Floor, light in fibre">
            {formatLedger(line.floorMs)} ms <Soft>{formatChange(line.ms - line.floorMs)} over</Soft>
          </Fact>
        )}
        <Fact name="From, to">
          {formatLedger(line.startMs)} <Soft>to</Soft> {formatLedger(line.endMs)} ms
        </Fact>
        {line.service !== '' && <Fact name="Service">{line.service}</Fact>}
        {line.hopId !== null && (
          <Fact name="Hop">
            <TextLink href={`/hops/${line.hopId}`}>is this usual?</TextLink>
          </Fact>
        )}
      </dl>
      {line.note !== '' && (
        <p className="mt-2.5 flex gap-2 text-dense text-ink2">
          <Icon name="pulse" className="mt-px text-ink3" />
          <span className="min-w-0 break-words">{line.note}</span>
        </p>
      )}
      {spans.length > 0 && (
        <ul className="mt-3 flex flex-col gap-2.5 border-t border-line pt-2.5">
          {spans.slice(0, mostSpans).map((span) => (
            <li key={span.spanId} className="min-w-0 text-dense">
              <p className="mb-0.5 break-words">
                <b className="font-strong">{span.name}</b>{' '}
                <span className="text-ink3">
                  {span.kind} span of {span.service}, {formatLedger(span.durationMs)} ms
                </span>
                {span.status === 'error' && (
                  <span className="text-over"> error{span.statusMessage === '' ? '' : `: ${span.statusMessage}`}</span>
                )}
              </p>
              {Object.keys(span.attributes).length > 0 && <AttributeList attributes={span.attributes} most={24} />}
            </li>
          ))}
          {spans.length > mostSpans && (
            <li className="text-note text-ink3">
              and {formatNumber(spans.length - mostSpans)} more spans, in the Spans view
            </li>
          )}
        </ul>
      )}
      {!spansKnown && <p className="mt-2 text-note text-ink3">Its spans are listed in the Spans view.</p>}
    </Panel>
  );
}
