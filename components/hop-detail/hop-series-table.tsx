import type { HopView } from '#lib/views/schemas.ts';
import { StepTime } from '../charts/step-time.tsx';
import { formatLedger, formatNumber, unknown } from '../ui/format.ts';
import { RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';

const most = 240;

/** The chart's twin: the same steps in words, newest first. */
export function HopSeriesTable({ view }: { view: HopView }) {
  const { series, range } = view;
  const shown = series.slice(-most).toReversed();
  return (
    <div className="max-h-76 overflow-y-auto">
      <Table caption="Latency of this hop, step by step, newest first">
        <thead className="sticky top-0 bg-panel">
          <tr>
            <Th>UTC</Th>
            <Th numeric>Crossings</Th>
            <Th numeric>Errors</Th>
            <Th numeric>p50, ms</Th>
            <Th numeric>p95</Th>
            <Th numeric>±</Th>
            <Th numeric>Floor</Th>
          </tr>
        </thead>
        <tbody>
          {shown.map((point) => (
            <Tr key={point.timeMs}>
              <RowHead>
                <StepTime timeMs={point.timeMs} range={range} />
              </RowHead>
              <Td numeric>{formatNumber(point.count)}</Td>
              <Td numeric className="text-ink2">
                {formatNumber(point.errors)}
              </Td>
              <Td numeric className="font-strong">
                {point.p50Ms === null ? unknown : formatLedger(point.p50Ms)}
              </Td>
              <Td numeric>{point.p95Ms === null ? unknown : formatLedger(point.p95Ms)}</Td>
              <Td numeric className="text-ink3">
                {point.boundMs === null ? unknown : formatNumber(point.boundMs, 1)}
              </Td>
              <Td numeric className="text-net">
                {formatLedger(point.floorMs)}
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
      {series.length > most && (
        <p className="px-3.5 py-2 text-note text-ink3">
          The newest {most} of {formatNumber(series.length)} steps; the export holds all of them.
        </p>
      )}
    </div>
  );
}
