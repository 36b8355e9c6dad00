import type { PathView } from '#lib/views/schemas.ts';
import { linearScale, logScale } from '../charts/scale.ts';
import { StepTime } from '../charts/step-time.tsx';
import { type EdgeLabel, gapsOf, linePath, plotWidth, TimeChart } from '../charts/time-chart.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatBudget, formatLedger, formatNumber, latencyFigure, unknown } from '../ui/format.ts';
import { RowHead, Table, Td, Th, Tr } from '../ui/table.tsx';

const height = 220;

const stepOf = ({ series }: PathView): number => (series.length > 1 ? series[1]!.timeMs - series[0]!.timeMs : 60_000);

/** From a few ms to a hundred within one range, a line from 0 would hide the lower half: then the scale is logarithmic. */
function scaleOf({ series, path }: PathView) {
  const values = [path.budgetMs, path.floorMs, ...series.flatMap((point) => [point.p50Ms, point.p95Ms])].filter(
    (value) => value !== null && value > 0.05,
  ) as number[];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return high > 10 * low ? logScale(low / 1.2, high * 1.2) : linearScale(0, high * 1.12, 5);
}

function edgeLabels({ path, series }: PathView): EdgeLabel[] {
  const last = series.findLast((point) => point.p50Ms !== null);
  const label = (word: string, value: number | null | undefined, className: string, text: string): EdgeLabel[] =>
    value === null || value === undefined ? [] : [{ key: word, value, className, text: `${word} ${text}` }];
  return [
    ...label('p95', last?.p95Ms, 'font-control text-ink', latencyFigure(last?.p95Ms ?? null).text),
    ...label('p50', last?.p50Ms, 'font-control text-ink', latencyFigure(last?.p50Ms ?? null).text),
    ...label(
      'floor',
      path.floorMs && path.floorMs > 0.05 ? path.floorMs : null,
      'text-net',
      latencyFigure(path.floorMs).text,
    ),
    ...label('budget', path.budgetMs, 'text-over', formatBudget(path.budgetMs)),
  ];
}

/** End to end over time: median and p95 of each step, against the budget and the floor of the slow ones. */
export function PathChart({ view }: { view: PathView }) {
  const { range, series, path } = view;
  if (series.every((point) => point.p50Ms === null)) {
    return <Empty why="No request of this range could be measured. Widen the range, or wait for the next request." />;
  }
  const stepMs = stepOf(view);
  const scale = scaleOf(view);
  const x = (ms: number) => ((ms - range.fromMs) / (range.toMs - range.fromMs)) * plotWidth;
  const y = (value: number) => scale.at(value) * height;
  const points = (pick: 'p50Ms' | 'p95Ms') => series.map((point) => ({ timeMs: point.timeMs, value: point[pick] }));
  const heard = series.filter((point) => point.count > 0).map((point) => point.timeMs);
  const level = (ms: number) => `M0 ${y(ms)}H${plotWidth}`;
  return (
    <TimeChart
      name={`${path.name} end to end. ${path.reason}`}
      fromMs={range.fromMs}
      toMs={range.toMs}
      scale={scale}
      height={height}
      labels={edgeLabels(view)}
      gaps={gapsOf(heard, stepMs, range.fromMs, range.toMs)}
    >
      <g fill="none" strokeLinejoin="round">
        {path.budgetMs !== null && (
          <path d={level(path.budgetMs)} className="stroke-over" strokeWidth="1.6" vectorEffect="non-scaling-stroke" />
        )}
        {path.floorMs !== null && path.floorMs > 0.05 && (
          <path
            d={level(path.floorMs)}
            className="stroke-net"
            strokeWidth="1.6"
            strokeDasharray="2 2.5"
            vectorEffect="non-scaling-stroke"
          />
        )}
        <path
          d={linePath(points('p95Ms'), stepMs, x, y)}
          className="stroke-ink"
          strokeWidth="1.2"
          strokeDasharray="4 3"
          vectorEffect="non-scaling-stroke"
        />
        <path
          d={linePath(points('p50Ms'), stepMs, x, y)}
          className="stroke-ink"
          strokeWidth="1.5"
          vectorEffect="non-scaling-stroke"
        />
      </g>
    </TimeChart>
  );
}

/** The chart's twin: the same steps in words, newest first. */
export function PathSeriesTable({ view }: { view: PathView }) {
  const { series, range } = view;
  return (
    <div className="max-h-76 overflow-y-auto">
      <Table caption="Requests of this path, step by step, newest first">
        <thead className="sticky top-0 bg-panel">
          <tr>
            <Th>UTC</Th>
            <Th numeric>Requests</Th>
            <Th numeric>Errors</Th>
            <Th numeric>p50, ms</Th>
            <Th numeric>p95</Th>
          </tr>
        </thead>
        <tbody>
          {series.toReversed().map((point) => (
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
            </Tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}
