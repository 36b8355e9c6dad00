import type { HopView } from '#lib/views/schemas.ts';
import { linearScale, logScale, type Scale } from '../charts/scale.ts';
import { type EdgeLabel, gapsOf, linePath, plotWidth, stepPath, TimeChart } from '../charts/time-chart.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatBound, formatBudget, formatNumber, latencyFigure } from '../ui/format.ts';

const height = 252;
const levels = 6;

/** The series has an entry for every step of its grid, heard or not; its steps may be finer than the heat map's. */
const stepOf = ({ series, heat }: HopView): number =>
  series.length > 1 ? series[1]!.timeMs - series[0]!.timeMs : heat.stepMs || 60_000;

/** Lowest and highest of everything that is drawn, so that budget and floor are always in the picture. */
function extent(view: HopView, low: 'positive' | 'zero'): [number, number] {
  const { heat, series, hop } = view;
  const values = [hop.budgetMs, hop.floorMs];
  for (const point of series) values.push(point.p50Ms ?? 0, point.p95Ms ?? 0, point.floorMs);
  for (const cell of heat.cells) values.push(heat.edgesMs[cell.row] ?? 0, heat.edgesMs[cell.row + 1] ?? 0);
  const high = Math.max(...values) * 1.12;
  if (low === 'zero') return [Math.min(0, ...values), high];
  const positive = values.filter((value) => value > 0.05);
  return [Math.min(...positive, hop.budgetMs) / 1.12, high];
}

function edgeLabels(view: HopView): EdgeLabel[] {
  const { hop, series } = view;
  const last = series.findLast((point) => point.p50Ms !== null);
  const figure = (word: string, ms: number | null | undefined, boundMs: number | null) =>
    ms === null || ms === undefined
      ? []
      : [
          {
            key: word,
            value: ms,
            className: 'font-control text-ink',
            text: (
              <>
                {word} {latencyFigure(ms, boundMs).text}
                <span className="font-normal text-ink3"> {formatBound(ms, boundMs)}</span>
              </>
            ),
          },
        ];
  const floorMs = last?.floorMs ?? hop.floorMs;
  return [
    ...figure('p95', last?.p95Ms, last?.boundMs ?? null),
    ...figure('p50', last?.p50Ms, last?.boundMs ?? null),
    ...(floorMs > 0
      ? [{ key: 'floor', value: floorMs, className: 'text-net', text: `floor ${latencyFigure(floorMs).text}` }]
      : []),
    { key: 'budget', value: hop.budgetMs, className: 'text-over', text: `budget ${formatBudget(hop.budgetMs)}` },
  ];
}

function Lines({ view, scale, band }: { view: HopView; scale: Scale; band: boolean }) {
  const { range, series, hop } = view;
  const stepMs = stepOf(view);
  const x = (ms: number) => ((ms - range.fromMs) / (range.toMs - range.fromMs)) * plotWidth;
  const width = (ms: number) => x(range.fromMs + ms);
  const y = (value: number) => scale.at(value) * height;
  const breaks = view.changes.map((change) => change.timeMs);
  const points = (pick: 'p50Ms' | 'p95Ms') => series.map((point) => ({ timeMs: point.timeMs, value: point[pick] }));
  // one path, so that neighbours do not darken each other where they meet
  const bandPath = series
    .filter((point) => point.p50Ms !== null && point.boundMs !== null && point.boundMs > 0)
    .map((point) => {
      const [top, foot] = [y(point.p50Ms! + point.boundMs!), y(point.p50Ms! - point.boundMs!)];
      const step = width(stepMs);
      return `M${x(point.timeMs).toFixed(2)} ${top.toFixed(1)}h${step.toFixed(2)}V${foot.toFixed(1)}h${(-step).toFixed(2)}z`;
    })
    .join('');
  const floor = stepPath(
    series.map((point) => ({ timeMs: point.timeMs, value: point.floorMs > 0 ? point.floorMs : null })),
    stepMs,
    x,
    y,
  );
  return (
    <g fill="none" strokeLinejoin="round">
      {band && <path d={bandPath} className="fill-data" opacity=".2" />}
      <path
        d={`M0 ${y(hop.budgetMs)}H${plotWidth}`}
        className="stroke-over"
        strokeWidth="1.6"
        vectorEffect="non-scaling-stroke"
      />
      <path
        d={floor}
        className="stroke-net"
        strokeWidth="1.6"
        strokeDasharray="2 2.5"
        vectorEffect="non-scaling-stroke"
      />
      <path
        d={linePath(points('p95Ms'), stepMs, x, y, breaks)}
        className="stroke-ink"
        strokeWidth="1.2"
        strokeDasharray="4 3"
        vectorEffect="non-scaling-stroke"
      />
      <path
        d={linePath(points('p50Ms'), stepMs, x, y, breaks)}
        className="stroke-ink"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </g>
  );
}

/** One path a shade instead of a rectangle a cell: a day of minutes stays light. */
function Cells({ view, scale }: { view: HopView; scale: Scale }) {
  const { range, heat } = view;
  const x = (ms: number) => ((ms - range.fromMs) / (range.toMs - range.fromMs)) * plotWidth;
  const most = Math.max(1, ...heat.cells.map((cell) => cell.count));
  const column = x(range.fromMs + heat.stepMs);
  const paths = new Array<string>(levels).fill('');
  for (const cell of heat.cells) {
    const low = heat.edgesMs[cell.row];
    const high = heat.edgesMs[cell.row + 1];
    if (low === undefined || high === undefined) continue;
    const share = most === 1 ? 1 : Math.log(cell.count) / Math.log(most);
    const level = Math.min(levels - 1, Math.max(0, Math.round(share * (levels - 1))));
    const top = scale.at(high) * height;
    const tall = Math.max(2, scale.at(low) * height - top - 0.8);
    const left = x(cell.timeMs) + column * 0.04;
    paths[level] +=
      `M${left.toFixed(2)} ${top.toFixed(1)}h${(column * 0.92).toFixed(2)}v${tall.toFixed(1)}h${(-column * 0.92).toFixed(2)}z`;
  }
  return (
    <g className="fill-heat">
      {paths.map((path, level) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the shade is the identity
        path === '' ? null : <path key={level} d={path} opacity={0.2 + (0.75 * level) / (levels - 1)} />,
      )}
    </g>
  );
}

/** "no tuning gets below this line": said under the floor, where it stands long enough and has room. */
function FloorNote({ view, scale }: { view: HopView; scale: Scale }) {
  const { range, series } = view;
  const last = series.at(-1);
  if (!last || last.floorMs <= 0) return null;
  const first = series.findLast((point) => Math.abs(point.floorMs - last.floorMs) > 0.05);
  const startMs = Math.max(range.fromMs, first ? first.timeMs + stepOf(view) : range.fromMs);
  const share = (startMs - range.fromMs) / (range.toMs - range.fromMs);
  const top = scale.at(last.floorMs) * height;
  const budgetTop = scale.at(view.hop.budgetMs) * height;
  if (share > 0.6 || top > height - 16 || (budgetTop > top - 2 && budgetTop < top + 16)) return null;
  return (
    <span
      className="absolute mt-0.5 ms-2 whitespace-nowrap text-net max-wide:hidden"
      style={{ top, left: `${share * 100}%` }}
    >
      fibre floor {latencyFigure(last.floorMs).text} ms: no tuning gets below this line
    </span>
  );
}

/** Latency of one hop over time: where its requests fell (heat), or its percentiles (lines). Budget and floor are always drawn. */
export function HopChart({ view, show }: { view: HopView; show: 'heat' | 'lines' }) {
  const { range, series, heat, changes, hop } = view;
  if (series.every((point) => point.count === 0) && heat.cells.length === 0) {
    return <Empty why="No request crossed this hop in this range. Widen the range, or wait for the next request." />;
  }
  const scale = show === 'heat' ? logScale(...extent(view, 'positive')) : linearScale(...extent(view, 'zero'), 6);
  const heard = series.filter((point) => point.count > 0).map((point) => point.timeMs);
  return (
    <TimeChart
      name={hop.reason}
      fromMs={range.fromMs}
      toMs={range.toMs}
      scale={scale}
      height={height}
      labels={edgeLabels(view)}
      markers={changes}
      gaps={gapsOf(heard, stepOf(view), range.fromMs, range.toMs)}
      over={<FloorNote view={view} scale={scale} />}
    >
      {show === 'heat' && <Cells view={view} scale={scale} />}
      <Lines view={view} scale={scale} band={show === 'lines'} />
    </TimeChart>
  );
}

/** What the strokes and shades mean, once, in the head of the panel. */
export function HopChartKey({ view, show }: { view: HopView; show: 'heat' | 'lines' }) {
  const most = Math.max(0, ...view.heat.cells.map((cell) => cell.count));
  return (
    <span className="flex items-center gap-3 text-dense text-ink2 max-wide:hidden" aria-hidden="true">
      <span className="inline-flex items-center gap-1.5">
        <span className="w-4 border-t-2 border-ink" /> p50
      </span>
      <span className="inline-flex items-center gap-1.5">
        <span className="w-4 border-t-2 border-dashed border-ink" /> p95
      </span>
      {show === 'heat' && most > 0 && (
        <span className="inline-flex items-center gap-1.5">
          <span className="inline-flex gap-px">
            {[0.2, 0.45, 0.7, 0.95].map((opacity) => (
              <span key={opacity} className="size-2.5 rounded-[2px] bg-heat" style={{ opacity }} />
            ))}
          </span>
          {most === 1 ? '1 request' : `1 to ${formatNumber(most)} requests`}
        </span>
      )}
      {show === 'lines' && (
        <span className="inline-flex items-center gap-1.5">
          <span className="h-2.5 w-4 bg-data opacity-30" /> ± of p50
        </span>
      )}
    </span>
  );
}
