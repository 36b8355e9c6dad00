'use client';

import { useState } from 'react';
import type { TraceView } from '#lib/views/schemas.ts';
import { KindPatternSheet, KindSwatch } from '../charts/kind.tsx';
import { isNetwork } from '../trace-waterfall/waterfall-geometry.ts';
import { Button } from '../ui/button.tsx';
import { formatChange, formatLedger, formatNumber } from '../ui/format.ts';
import { type LedgerRow, ledgerRows, ledgerSums } from './ledger-sums.ts';

const scope = 'ledger';
const firstLines = 200;

const cell = 'h-6.5 px-1 text-end whitespace-nowrap first:ps-3.5 last:pe-3.5 max-phone:h-11';
/** beside the waterfall on a small desktop there is no room for it */
const narrow = 'wide:max-desk:hidden';
const head = `${cell} sticky top-0 z-10 bg-panel font-normal text-note text-ink3`;

function Where({ row }: { row: LedgerRow }) {
  const { line } = row;
  const network = isNetwork(line);
  return (
    <span className="block max-w-44 truncate font-mono text-note max-phone:max-w-44" title={line.where}>
      {network && line.toDevice !== '' ? `→ ${line.toDevice}` : line.fromDevice || line.where}
    </span>
  );
}

/**
 * Every stretch of the request in one line; lines add up to the total exactly. Rows are links (?entry=3), so they work
 * without script, can be shared and are reached by keyboard.
 */
export function LedgerTable({
  trace,
  raw,
  selected,
  hovered,
  hrefOf,
  onSelect,
  onHover,
}: {
  trace: Pick<TraceView, 'ledger' | 'totalMs' | 'totalBoundMs' | 'oneClock'>;
  raw: boolean;
  selected: number | null;
  hovered: number | null;
  hrefOf: (index: number) => string;
  onSelect: (index: number) => void;
  onHover: (index: number | null) => void;
}) {
  const [all, setAll] = useState(false);
  const rows = ledgerRows(trace.ledger, raw);
  const sums = ledgerSums(rows);
  const shown = all || rows.length <= firstLines ? rows : rows.slice(0, firstLines);
  return (
    <>
      <KindPatternSheet scope={scope} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section className="max-h-132 overflow-auto max-wide:max-h-none" aria-label="Lines of the ledger" tabIndex={0}>
        <table className="w-full border-collapse text-dense">
          <caption className="sr-only">
            Every stretch of this request in order, in milliseconds; the lines add up to the total
          </caption>
          <thead>
            <tr>
              <th scope="col" className={`${head} text-start`}>
                Entry
              </th>
              <th scope="col" className={`${head} text-start max-phone:hidden`}>
                At / to
              </th>
              <th scope="col" className={`${head} max-phone:hidden ${raw ? '!text-ink' : ''}`}>
                raw
              </th>
              <th scope="col" className={head}>
                time
              </th>
              <th scope="col" className={`${head} max-phone:hidden`}>
                ±
              </th>
              <th scope="col" className={`${head} max-phone:hidden ${narrow}`}>
                over floor
              </th>
              <th scope="col" className={head}>
                balance
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => {
              const { line, index } = row;
              const current = index === selected;
              const differs = Math.abs(line.rawMs - line.ms) >= 0.05;
              return (
                <tr
                  key={index}
                  onPointerEnter={() => onHover(index)}
                  onPointerLeave={() => onHover(null)}
                  className={`relative border-t border-line ${current ? 'bg-acc-tint shadow-[inset_2px_0_0_var(--acc)]' : index === hovered ? 'bg-hover' : 'hover:bg-hover'}`}
                >
                  <th scope="row" className={`${cell} !text-start font-normal`}>
                    <a
                      href={hrefOf(index)}
                      aria-current={current ? 'true' : undefined}
                      data-ledger={index}
                      onClick={(event) => {
                        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
                        event.preventDefault();
                        onSelect(index);
                      }}
                      className="stretch-link inline-flex min-h-6 items-center gap-2 text-ink"
                    >
                      <KindSwatch kind={line.kind} scope={scope} />
                      <span className="py-1">
                        {row.name.split(' incl. ')[0]}
                        {row.name.includes(' incl. ') && <span className="text-ink3"> incl. broker</span>}
                        <span className="block phone:hidden">
                          <Where row={row} />
                        </span>
                      </span>
                    </a>
                  </th>
                  <td className={`${cell} !text-start max-phone:hidden`}>
                    <Where row={row} />
                  </td>
                  <td className={`${cell} max-phone:hidden ${raw ? 'text-ink' : 'text-ink3'}`}>
                    {differs || raw ? formatLedger(line.rawMs) : ''}
                  </td>
                  <td className={`${cell} font-strong ${raw ? 'text-ink3' : 'text-ink'}`}>
                    {formatLedger(line.ms)}
                    {line.boundMs !== null && line.boundMs >= 0.05 && (
                      <span className="font-normal text-ink3 phone:hidden"> ± {formatNumber(line.boundMs, 1)}</span>
                    )}
                  </td>
                  <td className={`${cell} text-ink3 max-phone:hidden`}>
                    {line.boundMs === null ? (
                      <span title="The clocks of the two devices have no common bound">not known</span>
                    ) : line.boundMs >= 0.05 ? (
                      `± ${formatNumber(line.boundMs, 1)}`
                    ) : (
                      ''
                    )}
                  </td>
                  <td className={`${cell} max-phone:hidden ${narrow}`}>
                    {row.overFloorMs === null ? '' : formatChange(row.overFloorMs)}
                  </td>
                  <td className={`${cell} text-ink2`}>{formatLedger(row.balanceMs)}</td>
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr className="border-t border-line2 font-strong [&>*]:sticky [&>*]:bottom-0 [&>*]:bg-raised">
              <th scope="row" className={`${cell} h-8 text-start font-strong`}>
                Balance, exact
              </th>
              <td className={`${cell} max-phone:hidden`} />
              <td className={`${cell} max-phone:hidden ${raw ? 'text-ink' : 'font-normal text-ink3'}`}>
                {formatLedger(sums.rawMs)}
              </td>
              <td className={cell}>{formatLedger(sums.ms)}</td>
              <td className={`${cell} font-normal text-ink3 max-phone:hidden`}>
                {trace.oneClock
                  ? '± 0'
                  : trace.totalBoundMs === null
                    ? 'not known'
                    : `± ${formatNumber(trace.totalBoundMs, 1)}`}
              </td>
              <td className={`${cell} max-phone:hidden ${narrow}`}>
                {sums.overFloorMs === null ? '' : formatChange(sums.overFloorMs)}
              </td>
              <td className={cell}>{formatLedger(raw ? sums.rawMs : sums.ms)}</td>
            </tr>
          </tfoot>
        </table>
      </section>
      {shown.length < rows.length && (
        <div className="border-t border-line px-3.5 py-2">
          <Button small onClick={() => setAll(true)}>
            Show all {formatNumber(rows.length)} lines
          </Button>
        </div>
      )}
    </>
  );
}
