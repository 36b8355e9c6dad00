import type { Mark, Spark as SparkValues } from '#lib/views/schemas.ts';
import { Drawing } from './drawing.tsx';

const strokes: Record<'data' | Mark, string> = {
  data: 'text-data',
  ok: 'text-data',
  noticeable: 'text-noticeable',
  over: 'text-over',
  'cannot-tell': 'text-data',
  'no-data': 'text-ink3',
};

export interface SparkPaths {
  line: string;
  area: string;
  /** x ranges in which nothing was heard */
  gaps: { x: number; width: number }[];
}

/** Pieces of a line, cut where nothing was heard: a gap is never joined across. */
export function sparkPaths(
  values: readonly (number | null)[],
  width: number,
  height: number,
  low: number,
  high: number,
): SparkPaths {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const inset = 1;
  const y = (value: number) => {
    const share = high > low ? (Math.min(high, Math.max(low, value)) - low) / (high - low) : 0.5;
    return round(height - inset - share * (height - 2 * inset));
  };
  let line = '';
  let area = '';
  const gaps: SparkPaths['gaps'] = [];
  let index = 0;
  while (index < values.length) {
    const start = index;
    if (values[index] === null) {
      while (index < values.length && values[index] === null) index++;
      const x = round(Math.max(0, start - 1) * step);
      gaps.push({ x, width: round(Math.min(values.length - 1, index) * step - x) });
      continue;
    }
    const points: string[] = [];
    while (index < values.length && values[index] !== null) {
      points.push(`${round(index * step)} ${y(values[index]!)}`);
      index++;
    }
    // a lone point still has to be seen
    if (points.length === 1) points.push(`${round(start * step + 1)} ${y(values[start]!)}`);
    const last = points.at(-1)!.split(' ')[0];
    line += `M${points.join('L')}`;
    area += `M${round(start * step)} ${height}L${points.join('L')}L${last} ${height}Z`;
  }
  return { line, area, gaps };
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** Not more points than can be told apart; of several the highest stays, for a peak is what one looks for. */
export function thinned(values: readonly (number | null)[], most: number): (number | null)[] {
  if (values.length <= most) return [...values];
  const thin: (number | null)[] = [];
  for (let index = 0; index < most; index++) {
    const bucket = values.slice(
      Math.floor((index * values.length) / most),
      Math.floor(((index + 1) * values.length) / most),
    );
    const heard = bucket.filter((value) => value !== null);
    thin.push(heard.length === 0 ? null : Math.max(...heard));
  }
  return thin;
}

/**
 * Inline SVG, drawn on the server. CPU and memory stand on 0 to 1 (`range={[0, 1]}`); anything else runs from its
 * minimum to its maximum and the panel says so. A silent tail is dotted. Beside its number it is decoration.
 */
export function Spark({
  spark,
  range,
  width = 48,
  height = 16,
  tone = 'data',
  label,
  className = '',
}: {
  spark: SparkValues;
  range?: readonly [number, number];
  width?: number;
  height?: number;
  tone?: 'data' | Mark;
  label?: string;
  className?: string;
}) {
  const values = thinned(spark.values, Math.round(width * 0.75));
  const heard = values.filter((value) => value !== null);
  const low = range ? range[0] : Math.min(...heard);
  const high = range ? range[1] : Math.max(...heard);
  const { line, area, gaps } = sparkPaths(values, width, height, low, high);
  return (
    <Drawing
      label={label}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      preserveAspectRatio="none"
      className={`inline-block shrink-0 overflow-visible align-middle ${strokes[tone]} ${className}`}
    >
      {heard.length > 0 && <path d={area} fill="currentColor" opacity=".16" />}
      {heard.length > 0 && (
        <path
          d={line}
          fill="none"
          stroke="currentColor"
          strokeWidth="1.2"
          strokeLinejoin="round"
          vectorEffect="non-scaling-stroke"
        />
      )}
      {gaps.map((gap) => (
        <path
          key={gap.x}
          d={`M${gap.x} ${height - 1}h${Math.max(1, gap.width)}`}
          stroke="currentColor"
          strokeWidth="1"
          strokeDasharray="1.5 2.5"
          opacity=".7"
          vectorEffect="non-scaling-stroke"
        />
      ))}
    </Drawing>
  );
}
