'use client';

import { type ReactNode, useState } from 'react';
import type { LedgerLine, TraceView } from '#lib/views/schemas.ts';
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

interface Choice {
  raw: boolean;
  selected: number | null;
  hovered: number | null;
  hrefOf: (index: number) => string;
  onSelect: (index: number) => void;
  onHover: (index: number | null) => void;
}

/** Rows are links (?entry=3), so they work without script, can be shared and are reached by keyboard. */
function LineRow({
  row,
  choice,
  last,
}: {
  row: LedgerRow;
  choice: Choice;
  /** the last cell: the balance, or when a line beside the path began */
  last: number;
}) {
  const { raw, selected, hovered, hrefOf, onSelect, onHover } = choice;
  const { line, index } = row;
  const current = index === selected;
  const differs = Math.abs(line.rawMs - line.ms) >= 0.05;
  // what is no work and no way needs its reason at once; of the others the panel of the chosen line tells
  const reason = line.kind === 'wait' || line.kind === 'unknown' ? line.note : '';
  return (
    <tr
      onPointerEnter={() => onHover(index)}
      onPointerLeave={() => onHover(null)}
      className={`relative border-t border-line ${current ? 'bg-acc-tint shadow-[inset_2px_0_0_var(--acc)]' : index === hovered ? 'bg-hover' : 'hover:bg-hover'}`}
    >
      <th scope="row" className={`${cell} !text-start font-normal`}>
        <a
          href={hrefOf(index)}
          aria-current={current ? 'true' : undefined}
          data-ledger={index}
          title={line.note === '' ? undefined : line.note}
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
            {reason !== '' && <span className="block max-w-44 text-note whitespace-normal text-ink3">{reason}</span>}
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
      <td className={`${cell} text-ink2`}>{formatLedger(last)}</td>
    </tr>
  );
}

function Heads({ raw, last }: { raw: boolean; last: string }) {
  return (
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
          {last}
        </th>
      </tr>
    </thead>
  );
}

/** Long ledgers come in part: the first lines say where to look. */
function InPart({ rows, children }: { rows: LedgerRow[]; children: (shown: LedgerRow[]) => ReactNode }) {
  const [all, setAll] = useState(false);
  const shown = all || rows.length <= firstLines ? rows : rows.slice(0, firstLines);
  return (
    <>
      {children(shown)}
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

/** Every stretch of the request in one line; lines add up to the total exactly. What did not delay the answer stands below the sum. */
export function LedgerTable({
  trace,
  ...choice
}: { trace: Pick<TraceView, 'ledger' | 'offPath' | 'totalMs' | 'totalBoundMs' | 'oneClock'> } & Choice) {
  const { raw } = choice;
  const rows = ledgerRows(trace.ledger, raw);
  const sums = ledgerSums(rows);
  return (
    <>
      <KindPatternSheet scope={scope} />
      <InPart rows={rows}>
        {(shown) => (
          <section
            className="max-h-132 overflow-auto max-wide:max-h-none"
            aria-label="Lines of the ledger"
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
            tabIndex={0}
          >
            <table className="w-full border-collapse text-dense">
              <caption className="sr-only">
                Every stretch of this request in order, in milliseconds; the lines add up to the total
              </caption>
              <Heads raw={raw} last="balance" />
              <tbody>
                {shown.map((row) => (
                  <LineRow key={row.index} row={row} choice={choice} last={row.balanceMs} />
                ))}
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
        )}
      </InPart>
      {trace.offPath.length > 0 && <Beside lines={trace.offPath} first={rows.length} choice={choice} />}
    </>
  );
}

/** Branches that the answer did not wait for: not in the sum, each with the moment it began. */
function Beside({ lines, first, choice }: { lines: LedgerLine[]; first: number; choice: Choice }) {
  const rows = ledgerRows(lines, choice.raw).map((row) => ({ ...row, index: first + row.index }));
  return (
    <section aria-label="Beside the path" className="border-t border-line2">
      <h3 className="px-3.5 pt-2.5 text-dense font-title">
        Beside the path <span className="font-normal text-ink3">the answer did not wait for this</span>
      </h3>
      <InPart rows={rows}>
        {(shown) => (
          <table className="w-full border-collapse text-dense">
            <caption className="sr-only">Stretches off the critical path, not in the sum, in milliseconds</caption>
            <Heads raw={choice.raw} last="began at" />
            <tbody>
              {shown.map((row) => (
                <LineRow
                  key={row.index}
                  row={row}
                  choice={choice}
                  last={choice.raw ? row.line.rawStartMs : row.line.startMs}
                />
              ))}
            </tbody>
          </table>
        )}
      </InPart>
    </section>
  );
}
