'use client';

import { type ReactNode, useState } from 'react';
import type { SpanItem, TraceView } from '#lib/views/schemas.ts';
import { KindPatternSheet, KindSwatch, kindWords } from '../charts/kind.tsx';
import { Waterfall } from '../trace-waterfall/waterfall.tsx';
import { Panel } from '../ui/panel.tsx';
import { LedgerTable } from './ledger-table.tsx';
import { SelectedEntry } from './selected-entry.tsx';
import { ShareBar } from './share-bar.tsx';

export type ExplorerTrace = Pick<
  TraceView,
  'ledger' | 'offPath' | 'totalMs' | 'totalBoundMs' | 'oneClock' | 'requesterDevice' | 'sites' | 'sentence'
>;

const scope = 'key';

/** Ledger and waterfall show the same lines: what is chosen in one is chosen in both. The choice lives in the URL. */
export function TraceExplorer({
  trace,
  raw,
  entry,
  entrySpans,
  baseHref,
  toggle,
  spansPanel,
  below,
}: {
  trace: ExplorerTrace;
  raw: boolean;
  /** 1-based, as the URL says it */
  entry: number | null;
  /** the spans the lines rest on */
  entrySpans: SpanItem[];
  /** this page without ?entry= */
  baseHref: string;
  /** Waterfall | Spans */
  toggle: ReactNode;
  /** stands in place of the waterfall where it was asked for */
  spansPanel: ReactNode | null;
  /** under the ledger */
  below: ReactNode;
}) {
  const lines = [...trace.ledger, ...trace.offPath];
  const first = entry !== null && entry >= 1 && entry <= lines.length ? entry - 1 : null;
  const [selected, setSelected] = useState<number | null>(first);
  const [hovered, setHovered] = useState<number | null>(null);
  const hrefOf = (index: number) => `${baseHref}${baseHref.includes('?') ? '&' : '?'}entry=${index + 1}`;

  const select = (index: number) => {
    setSelected(index);
    // replace, not push: stepping through forty lines must not bury the page one came from
    window.history.replaceState(null, '', hrefOf(index));
  };
  const choose = (index: number) => {
    select(index);
    // in one column the panel is below the fold: what was tapped must show an answer
    if (window.matchMedia('(width < 64rem)').matches) {
      requestAnimationFrame(() => document.getElementById('entry')?.scrollIntoView({ block: 'nearest' }));
    }
  };
  const step = (by: 1 | -1) => {
    const next = selected === null ? (by === 1 ? 0 : lines.length - 1) : selected + by;
    if (next < 0 || next >= lines.length) return;
    select(next);
    document.querySelector<HTMLElement>(`[data-ledger="${next}"]`)?.focus();
  };
  const line = selected === null ? undefined : lines[selected];
  const bySpan = new Map(entrySpans.map((span) => [span.spanId, span]));
  const spans = (line?.spanIds ?? []).map((id) => bySpan.get(id)).filter((span) => span !== undefined);
  const kinds = [...new Set(lines.map((each) => each.kind))];

  return (
    <div className="grid gap-2.5 wide:grid-cols-[27rem_minmax(0,1fr)] desk:grid-cols-[33rem_minmax(0,1fr)]">
      <button type="button" hidden data-key="j" onClick={() => step(1)}>
        Next line
      </button>
      <button type="button" hidden data-key="k" onClick={() => step(-1)}>
        Previous line
      </button>
      <div className="flex min-w-0 flex-col gap-2.5">
        {/* the phone: one bar for the whole, then the ledger */}
        <div className="overflow-hidden rounded-panel border border-line bg-panel phone:hidden">
          <ShareBar lines={trace.ledger} scope="phone-share" />
        </div>
        <Panel
          id="ledger"
          title="Hop ledger"
          note={
            trace.requesterDevice === '' ? 'the requester is not known' : `on the clock of ${trace.requesterDevice}`
          }
          actions={<span className="text-dense text-ink3">ms</span>}
          flush
        >
          <LedgerTable
            trace={trace}
            raw={raw}
            selected={selected}
            hovered={hovered}
            hrefOf={hrefOf}
            onSelect={choose}
            onHover={setHovered}
          />
        </Panel>
        {below}
      </div>
      <div className="flex min-w-0 flex-col gap-2.5">
        {spansPanel ?? (
          <Panel
            id="waterfall"
            title="Waterfall"
            className="max-phone:hidden"
            note={
              <span className="max-desk:hidden">
                {raw ? 'as sent: ribbons may run backwards' : 'slant is distance, whiskers ±'}
              </span>
            }
            actions={
              <>
                <span className="flex flex-wrap gap-x-3 text-dense text-ink2">
                  <KindPatternSheet scope={scope} />
                  {kinds.map((kind) => (
                    <span key={kind} className="inline-flex items-center gap-1.5">
                      <KindSwatch kind={kind} scope={scope} /> {kindWords[kind]}
                    </span>
                  ))}
                </span>
                {toggle}
              </>
            }
            flush
          >
            <Waterfall
              trace={trace}
              raw={raw}
              selected={selected}
              hovered={hovered}
              onSelect={choose}
              onHover={setHovered}
            />
            <div className="border-t border-line">
              <ShareBar lines={trace.ledger} scope="share" />
            </div>
          </Panel>
        )}
        {line !== undefined && selected !== null && (
          <SelectedEntry
            line={line}
            number={selected + 1}
            count={trace.ledger.length}
            onPath={selected < trace.ledger.length}
            spans={spans}
            spansKnown={spans.length > 0 || line.spanIds.length === 0}
          />
        )}
      </div>
    </div>
  );
}
