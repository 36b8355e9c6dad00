import type { AlertView } from '#lib/views/alert-schemas.ts';
import { logScale } from '../charts/scale.ts';
import { spread } from '../charts/spread.ts';
import { linePath } from '../charts/time-chart.tsx';
import { formatBudget, formatClock, latencyFigure } from '../ui/format.ts';

type Chart = NonNullable<AlertView['chart']>;

/** Between the frame and the plot: the labels stand at the right, the clock below. */
const right = 44;
const foot = 18;
const head = 22;
const lead = 10;

/**
 * p95 of an hour, drawn on the server as one picture with its words in it: it has to be read on a phone from the document alone.
 * The widths are those it is shown at, so that the words keep their size.
 */
export function AlertChart({
  chart,
  sinceMs,
  name,
  width,
  height,
  className = '',
}: {
  chart: Chart;
  sinceMs: number;
  /** what the picture says to those who cannot see it */
  name: string;
  width: number;
  height: number;
  className?: string;
}) {
  const heard = chart.points.flatMap(({ p95Ms }) => (p95Ms === null || p95Ms <= 0 ? [] : [p95Ms]));
  const values = chart.budgetMs === null ? heard : [...heard, chart.budgetMs];
  if (heard.length === 0) return null;
  const scale = logScale(Math.min(...values) / 1.6, Math.max(...values) * 1.25);
  const plotWidth = width - right - lead;
  const plotHeight = height - foot - head;
  const x = (ms: number) => round(lead + ((ms - chart.fromMs) / (chart.toMs - chart.fromMs)) * plotWidth);
  const y = (value: number) => round(head + scale.at(value) * plotHeight);
  const marker = speakingMarker(chart, sinceMs);
  const breaks = [...chart.markers.map(({ timeMs }) => timeMs), sinceMs];
  const line = linePath(
    chart.points.map(({ timeMs, p95Ms }) => ({ timeMs, value: p95Ms })),
    chart.stepMs,
    x,
    y,
    breaks,
  );
  const first = chart.points.find(({ p95Ms }) => p95Ms !== null)!;
  const last = chart.points.findLast(({ p95Ms }) => p95Ms !== null)!;
  const labels = [
    { key: 'last', value: last.p95Ms!, text: latencyFigure(last.p95Ms).text, className: 'fill-ink' },
    ...(chart.budgetMs === null
      ? []
      : [
          {
            key: 'budget',
            value: chart.budgetMs,
            text: formatBudget(chart.budgetMs).replace(/\u00a0ms$/, ''),
            className: 'fill-over',
          },
        ]),
  ];
  const heights = spread(
    labels.map(({ value }) => y(value)),
    15,
    head,
    head + plotHeight,
  );
  return (
    <svg
      role="img"
      aria-label={name}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      className={`max-w-full text-dense ${className}`}
    >
      {chart.markers.map(({ timeMs, text }) => (
        <line
          key={`${timeMs} ${text}`}
          x1={x(timeMs)}
          x2={x(timeMs)}
          y1={head - 6}
          y2={head + plotHeight}
          className="stroke-ink3"
          strokeDasharray="3 3"
        >
          <title>{`${formatClock(timeMs)} ${text}`}</title>
        </line>
      ))}
      {chart.budgetMs !== null && (
        <line
          x1={lead}
          x2={lead + plotWidth}
          y1={y(chart.budgetMs)}
          y2={y(chart.budgetMs)}
          className="stroke-over"
          strokeWidth="1.5"
        />
      )}
      <path d={line} fill="none" className="stroke-ink" strokeWidth="2" strokeLinejoin="round" />
      {marker && (
        <text
          x={x(marker.timeMs) + (x(marker.timeMs) > width / 2 ? -6 : 6)}
          y={head - 8}
          textAnchor={x(marker.timeMs) > width / 2 ? 'end' : 'start'}
          className="fill-ink"
        >
          <tspan className="font-strong">{formatClock(marker.timeMs)}</tspan> {shortened(marker.text)}
        </text>
      )}
      {labels.map((label, index) => (
        <text
          key={label.key}
          x={lead + plotWidth + 6}
          y={round(heights[index]! + 4)}
          className={`font-strong ${label.className}`}
        >
          {label.text}
        </text>
      ))}
      {first !== last && Math.abs(y(first.p95Ms!) - y(last.p95Ms!)) > 16 && (
        <text x={x(first.timeMs)} y={y(first.p95Ms!) + 16} className="fill-ink2">
          {latencyFigure(first.p95Ms).text}
        </text>
      )}
      <text x={lead} y={height - 3} className="fill-ink3">
        {formatClock(chart.fromMs)}
      </text>
      <text x={lead + plotWidth} y={height - 3} textAnchor="end" className="fill-ink3">
        {formatClock(chart.toMs)}
      </text>
    </svg>
  );
}

/** There is room for the words of one: the last before it began, else the first after. */
const speakingMarker = ({ markers }: Chart, sinceMs: number) =>
  markers.findLast(({ timeMs }) => timeMs <= sinceMs + 60_000) ?? markers[0];

const round = (value: number): number => Math.round(value * 10) / 10;

const shortened = (text: string): string => (text.length > 22 ? `${text.slice(0, 21)}…` : text);
