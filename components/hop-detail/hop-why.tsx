import type { ReactNode } from 'react';
import type { HopItem } from '#lib/views/schemas.ts';
import { formatBudget, formatChange, formatNumber, latencyFigure, plural } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { VerdictLabel, verdictWords } from '../verdict-badge/verdict-mark.tsx';
import { RangeLadder } from './range-ladder.tsx';

const rule: Record<HopItem['verdict'], string> = {
  leave: 'Even at the far end of its error bar, p95 is within the budget.',
  move: 'The floor alone is over the budget: no repair of the network can help, only a shorter way.',
  'fix-path':
    'Even at the near end of its error bar, p95 is over the budget, while the floor would fit: the path is slow, not the distance.',
  unanswered: 'Requests went out and nobody answered, although somebody did before.',
  'cannot-tell': 'The budget lies inside the error bar: neither “within” nor “over” can be proven.',
  'no-data': 'Too few requests crossed this hop to judge it. Absent is not fast.',
};

function Fact({ name, children, note }: { name: ReactNode; children: ReactNode; note?: ReactNode }) {
  return (
    <div className="flex flex-wrap items-baseline justify-between gap-x-3 border-t border-line py-1 first:border-t-0">
      <dt className="text-ink2">{name}</dt>
      <dd className="text-end whitespace-nowrap">
        <span className="font-strong text-ink">{children}</span>
      </dd>
      {note !== undefined && <dd className="w-full text-note text-ink3">{note}</dd>}
    </div>
  );
}

const ms = (value: number) => `${latencyFigure(value).text} ${latencyFigure(value).unit}`;

/** The numbers a verdict rests on, in the order the rule asks for them (design.md section 3). */
export function HopWhy({ hop }: { hop: HopItem }) {
  const { p95 } = hop.addedMs;
  const { hiMs, loMs } = hop;
  const what = hop.verdict === 'move' && hop.moveWhat !== null ? `Move the ${hop.moveWhat}` : verdictWords[hop.verdict];
  return (
    <Panel
      id="why"
      title="Why this verdict"
      actions={<VerdictLabel mark={hop.mark} word={what} className="text-dense" />}
    >
      <p className="mb-2.5 text-ink2">{rule[hop.verdict]}</p>
      {hiMs !== null && loMs !== null && <RangeLadder hop={hop} loMs={loMs} hiMs={Math.max(hiMs, loMs)} />}
      <dl className="text-dense">
        <Fact name="Budget" note={hop.budgetFrom}>
          {formatBudget(hop.budgetMs)}
        </Fact>
        {hiMs !== null && loMs !== null ? (
          <>
            <Fact name="p95 plus its error">{ms(hiMs)}</Fact>
            <Fact
              name={
                p95! - hop.boundMs! < hop.floorMs ? 'p95 less its error, not below the floor' : 'p95 less its error'
              }
            >
              {ms(loMs)}
            </Fact>
          </>
        ) : (
          <Fact name="p95">{p95 === null ? 'not known' : `${ms(p95)}, error not known`}</Fact>
        )}
        <Fact
          name="Floor, light in fibre"
          note={
            Math.abs(hop.directFloorMs - hop.floorMs) > 0.05
              ? `through the broker; end to end it would be ${ms(hop.directFloorMs)}`
              : undefined
          }
        >
          {ms(hop.floorMs)}
        </Fact>
        {hop.baselineMs !== null && hop.addedMs.p50 !== null && (
          <Fact name="Its own normal, p50 of the window before">
            {latencyFigure(hop.baselineMs).text} → {ms(hop.addedMs.p50)}
            <span className="font-normal text-ink3"> ({formatChange(hop.addedMs.p50 - hop.baselineMs)})</span>
          </Fact>
        )}
        <Fact name="Rests on">
          {plural(hop.count, 'crossing')}
          <span className="font-normal text-ink3"> of {plural(hop.requests, 'request')}</span>
        </Fact>
        {(hop.errors > 0 || hop.unanswered > 0) && (
          <Fact name="Errors, unanswered">
            {formatNumber(hop.errors)}, {formatNumber(hop.unanswered)}
          </Fact>
        )}
      </dl>
    </Panel>
  );
}
