import type { DeviceView } from '#lib/views/schemas.ts';
import { formatClock, formatDay, formatPercent, plural } from '../ui/format.ts';

const width = 640;
const height = 150;

const steps = [60, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 604_800].map((s) => s * 1_000);

/** Round moments, about `most` of them. */
export function timeTicks(fromMs: number, toMs: number, most: number): number[] {
  const step = steps.find((each) => (toMs - fromMs) / each <= most) ?? steps.at(-1)!;
  const ticks: number[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs; at += step) ticks.push(at);
  return ticks;
}

interface Piece {
  points: { timeMs: number; value: number }[];
}

/** A line is cut where a step is missing or empty: a gap is never joined across. */
export function linePieces(series: readonly { timeMs: number; value: number | null }[]): Piece[] {
  const distances = series.slice(1).map((point, index) => point.timeMs - series[index]!.timeMs);
  const usualMs = distances.length > 0 ? Math.min(...distances) : 0;
  const pieces: Piece[] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { timeMs, value } of series) {
    if (value === null) continue;
    if (timeMs - lastMs > 2.5 * usualMs) pieces.push({ points: [] });
    pieces.at(-1)!.points.push({ timeMs, value });
    lastMs = timeMs;
  }
  return pieces;
}

/**
 * CPU or memory over the range, always on 0 to 100 %, with the line above which a device counts as degraded.
 * Drawn on the server; the words are HTML over the drawing, so they keep their size.
 */
export function UsageChart({
  series,
  of,
  name,
  fromMs,
  toMs,
  limit,
}: {
  series: DeviceView['series'];
  of: 'cpu' | 'memory';
  name: string;
  fromMs: number;
  toMs: number;
  /** 0..1 */
  limit: number;
}) {
  const pieces = linePieces(series.map((point) => ({ timeMs: point.timeMs, value: point[of] })));
  const values = pieces.flatMap((piece) => piece.points.map((point) => point.value));
  const x = (timeMs: number) => Math.round(((timeMs - fromMs) / (toMs - fromMs)) * width * 10) / 10;
  const y = (share: number) => Math.round((1 - Math.min(1, Math.max(0, share))) * height * 10) / 10;
  const gaps = gapsOf(pieces, fromMs, toMs);
  const peak = Math.max(...values);
  const label =
    values.length === 0
      ? `${name}: nothing reported in this range`
      : `${name}: highest ${formatPercent(peak)}${gaps.length > 0 ? `, ${plural(gaps.length, 'gap')}` : ''}`;
  const ticks = timeTicks(fromMs, toMs, 6);
  const longerThanDay = toMs - fromMs > 36 * 3_600_000;
  return (
    <figure className="px-3.5 pt-3 pb-2">
      <figcaption className="mb-2 flex items-baseline gap-2 text-dense">
        <span className="font-strong">{name}</span>
        {values.length > 0 && <span className="text-ink3">highest {formatPercent(peak)}</span>}
        <span className="ms-auto text-note text-ink3">%</span>
      </figcaption>
      <div className="relative ms-7 me-16 h-37.5">
        <svg
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          className="absolute inset-0 size-full overflow-visible"
          role="img"
          aria-label={label}
        >
          {[0, 0.25, 0.5, 0.75, 1].map((share) => (
            <path key={share} d={`M0 ${y(share)}H${width}`} className="stroke-line" vectorEffect="non-scaling-stroke" />
          ))}
          <path
            d={`M0 ${y(limit)}H${width}`}
            className="stroke-noticeable"
            strokeDasharray="3 3"
            vectorEffect="non-scaling-stroke"
          />
          {pieces.map((piece) => {
            const points = piece.points.map((point) => `${x(point.timeMs)} ${y(point.value)}`);
            if (points.length === 1) points.push(`${x(piece.points[0]!.timeMs) + 2} ${y(piece.points[0]!.value)}`);
            const start = x(piece.points[0]!.timeMs);
            const end = points.at(-1)!.split(' ')[0];
            return (
              <g key={piece.points[0]!.timeMs}>
                <path
                  d={`M${start} ${height}L${points.join('L')}L${end} ${height}Z`}
                  className="fill-data"
                  opacity=".14"
                />
                <path
                  d={`M${points.join('L')}`}
                  fill="none"
                  className="stroke-data"
                  strokeWidth="1.5"
                  strokeLinejoin="round"
                  vectorEffect="non-scaling-stroke"
                />
              </g>
            );
          })}
        </svg>
        {gaps.map((gap) => (
          <span
            key={gap.fromMs}
            title={`nothing heard ${formatClock(gap.fromMs)} to ${formatClock(gap.toMs)} UTC`}
            className="hatch-gap absolute inset-y-0"
            style={{
              left: `${(100 * (gap.fromMs - fromMs)) / (toMs - fromMs)}%`,
              width: `${(100 * (gap.toMs - gap.fromMs)) / (toMs - fromMs)}%`,
            }}
          />
        ))}
        <div aria-hidden="true" className="text-note text-ink3">
          {[0, 50, 100].map((percent) => (
            <span
              key={percent}
              className="absolute -start-7 w-5.5 -translate-y-1/2 text-end"
              style={{ top: `${100 - percent}%` }}
            >
              {percent}
            </span>
          ))}
          <span
            className="absolute -end-16 w-15 -translate-y-1/2 text-noticeable"
            style={{ top: `${100 - limit * 100}%` }}
          >
            {of === 'cpu' ? 'hot' : 'limit'} {Math.round(limit * 100)}
          </span>
        </div>
      </div>
      <div aria-hidden="true" className="relative ms-7 me-16 mt-1 h-4 text-note text-ink3">
        {ticks.map((tick) => (
          <span
            key={tick}
            className="absolute -translate-x-1/2 whitespace-nowrap"
            style={{ left: `${(100 * (tick - fromMs)) / (toMs - fromMs)}%` }}
          >
            {longerThanDay ? formatDay(tick) : formatClock(tick)}
          </span>
        ))}
        <span className="absolute -end-16 w-15">UTC</span>
      </div>
    </figure>
  );
}

/** Stretches longer than a usual step in which nothing was heard, the edges of the range included. */
export function gapsOf(pieces: readonly Piece[], fromMs: number, toMs: number): { fromMs: number; toMs: number }[] {
  if (pieces.length === 0) return [{ fromMs, toMs }];
  const shortestMs = (toMs - fromMs) / 50;
  const ends = pieces.map((piece) => [piece.points[0]!.timeMs, piece.points.at(-1)!.timeMs] as const);
  const gaps = [
    { fromMs, toMs: ends[0]![0] },
    ...ends.slice(1).map(([start], index) => ({ fromMs: ends[index]![1], toMs: start })),
    { fromMs: ends.at(-1)![1], toMs },
  ];
  return gaps.filter((gap) => gap.toMs - gap.fromMs > shortestMs);
}
