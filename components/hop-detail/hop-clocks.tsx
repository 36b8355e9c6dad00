import type { HopView } from '#lib/views/schemas.ts';
import { TextLink } from '../ui/button.tsx';
import { formatBound, formatChange, formatNumber, unknown } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';
import { clockCure, clockWords } from './clock-words.ts';

/** A bar from no error to the error at which the verdict would fall. */
function SafeBar({ boundMs, limitMs }: { boundMs: number; limitMs: number }) {
  const whole = Math.max(boundMs, limitMs) * 1.06 || 1;
  const safe = boundMs < limitMs;
  const tone = safe ? 'bg-ok' : 'bg-cannot-tell';
  return (
    <div className="mt-3">
      <div className="relative h-4" aria-hidden="true">
        <div className="absolute inset-x-0 top-1.5 h-1 rounded-full bg-line2" />
        <div
          className={`absolute top-1.5 left-0 h-1 rounded-full ${tone}`}
          style={{ width: `${(boundMs / whole) * 100}%` }}
        />
        <div
          className={`absolute top-0.5 size-3 -translate-x-1/2 rounded-full ${tone}`}
          style={{ left: `clamp(6px, ${(boundMs / whole) * 100}%, 100%)` }}
        />
        <div className="absolute top-0 h-4 w-0.5 bg-cannot-tell" style={{ left: `${(limitMs / whole) * 100}%` }} />
      </div>
      <p className="flex justify-between gap-3 text-note text-ink3">
        <span>
          ± {formatNumber(boundMs, 1)}, {safe ? 'the verdict is safe' : 'too wide to judge'}
        </span>
        <span className="text-end">from ± {formatNumber(limitMs, 1)}: cannot tell</span>
      </p>
    </div>
  );
}

/** What the ± is made of, and how much wider it might be before the verdict falls. */
export function HopClocks({ view }: { view: HopView }) {
  const { hop, clocks } = view;
  const { p95 } = hop.addedMs;
  const words = hop.clock === null ? null : clockWords[hop.clock];
  const oneClock = hop.clock === 'same-clock' || hop.clock === 'round-trip';
  const limitMs = p95 === null ? null : Math.abs(hop.budgetMs - p95);
  const cure =
    hop.verdict === 'cannot-tell' || hop.clock === 'assumed' || hop.clock === 'clock-wrong'
      ? clockCure(hop.clock)
      : null;
  return (
    <Panel
      id="clocks"
      title="How sure are the clocks"
      actions={
        <span className={`font-strong ${hop.verdict === 'cannot-tell' ? 'text-cannot-tell' : ''}`}>
          {hop.clock === null
            ? unknown
            : oneClock
              ? 'one clock'
              : hop.boundMs === null
                ? '± not known'
                : `± ${formatNumber(hop.boundMs, 1)} ms`}
        </span>
      }
      flush
    >
      {clocks.length > 0 && (
        <Table caption="Clock offsets of the device pairs on this hop">
          <thead>
            <tr>
              <Th>Pair</Th>
              <Th numeric>Offset, ms</Th>
              <Th numeric>±</Th>
            </tr>
          </thead>
          <tbody>
            {clocks.map((clock) => (
              <Tr key={clock.pair}>
                <RowHead className="py-1">
                  <span className="font-mono break-words">{clock.pair}</span>
                  <span className="block text-note text-ink3" title={clockWords[clock.label].long}>
                    {clockWords[clock.label].short}
                  </span>
                </RowHead>
                <Td numeric>{formatChange(clock.offsetMs)}</Td>
                <Td numeric className="text-ink3">
                  {clock.boundMs === null ? unknown : formatNumber(clock.boundMs, 1)}
                </Td>
              </Tr>
            ))}
          </tbody>
        </Table>
      )}
      <div className="px-3.5 pt-2 pb-3 text-dense text-ink2">
        <p>{words === null ? 'No request with a figure in this range, so there is no clock to doubt.' : words.long}</p>
        {hop.verdict === 'move' && (
          <p className="mt-1.5">The floor alone is over the budget, so no clock error can change this verdict.</p>
        )}
        {!oneClock &&
          hop.boundMs !== null &&
          limitMs !== null &&
          ['leave', 'fix-path', 'cannot-tell'].includes(hop.verdict) && (
            <SafeBar boundMs={hop.boundMs} limitMs={limitMs} />
          )}
        {cure !== null && (
          <p className="mt-2 text-ink">
            {cure}{' '}
            <TextLink href="/clocks" className="underline">
              All clocks
            </TextLink>
          </p>
        )}
        {hop.rawMs.p50 !== null && hop.addedMs.p50 !== null && !oneClock && (
          <p className="mt-2 text-note text-ink3">
            As the two clocks were sent: p50 {formatNumber(hop.rawMs.p50, 1)} ms. Corrected:{' '}
            {formatNumber(hop.addedMs.p50, 1)} ms {formatBound(hop.addedMs.p50, hop.boundMs)}.
          </p>
        )}
      </div>
    </Panel>
  );
}
