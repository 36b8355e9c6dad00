import type { ReactNode } from 'react';
import { formatAbsolute, formatClock, formatDay, formatNumber } from '../ui/format.ts';
import { type Scale, timeTicks } from './scale.ts';
import { spread } from './spread.ts';

/** Text at the right edge, on the height of what it names: a legend nobody has to look up. */
export interface EdgeLabel {
  key: string;
  value: number;
  text: ReactNode;
  className: string;
}

export interface Marker {
  timeMs: number;
  text: string;
}

/** Width of the plot in its own units; it stretches to whatever the page gives, lines keep their weight. */
export const plotWidth = 1_000;

const dayMs = 86_400_000;
const labelGap = 15;
const pillRowPx = 26;

const tickText = (value: number): string =>
  formatNumber(value, Number.isInteger(value) ? 0 : Math.abs(value) >= 0.1 ? 1 : 2);

function timeText(ms: number, spanMs: number): string {
  if (spanMs <= 1.5 * dayMs) return formatClock(ms);
  return ms % dayMs === 0 ? formatDay(ms) : `${formatDay(ms)} ${formatClock(ms)}`;
}

/** Markers far enough apart to carry words; the newest speak first, the rest keep their line and stand in "What changed". */
export function speaking(markers: readonly Marker[], fromMs: number, toMs: number): ReadonlySet<Marker> {
  const chosen: Marker[] = [];
  for (const marker of [...markers].reverse()) {
    const clear = chosen.every((other) => Math.abs(other.timeMs - marker.timeMs) > (toMs - fromMs) * 0.34);
    if (clear) chosen.push(marker);
  }
  return new Set(chosen);
}

/**
 * Frame of the charts over time: axis left, plot, labels right, clock below, markers above. Drawn on the server, needs no
 * script. Shapes are SVG stretched to the width; words are HTML, so they never stretch and grow with the reader's font.
 */
export function TimeChart({
  name,
  fromMs,
  toMs,
  scale,
  height = 260,
  labels,
  markers = [],
  gaps = [],
  unit = 'ms',
  children,
  over,
}: {
  /** the verdict's sentence: what the picture says to those who cannot see it */
  name: string;
  fromMs: number;
  toMs: number;
  scale: Scale;
  height?: number;
  labels: EdgeLabel[];
  markers?: Marker[];
  /** where nothing was heard: hatched, never joined across */
  gaps?: { fromMs: number; toMs: number }[];
  unit?: string;
  /** SVG in plotWidth x height */
  children: ReactNode;
  /** HTML over the plot, placed in percent */
  over?: ReactNode;
}) {
  const share = (ms: number) => (ms - fromMs) / (toMs - fromMs);
  const inRange = markers.filter((marker) => marker.timeMs >= fromMs && marker.timeMs <= toMs);
  const withWords = speaking(inRange, fromMs, toMs);
  const top = inRange.length > 0 ? pillRowPx : 20;
  const heights = spread(
    labels.map((label) => scale.at(label.value) * height),
    labelGap,
    0,
    height,
  );
  const ticks = timeTicks(fromMs, toMs, 5).filter((ms) => share(ms) > 0.02 && share(ms) < 0.9);
  return (
    <div role="img" aria-label={name} className="px-3.5 pt-2 pb-2 text-note text-ink3">
      <div
        className="grid grid-cols-[2.25rem_minmax(0,1fr)_5.75rem] phone:grid-cols-[2.25rem_minmax(0,1fr)_7rem]"
        style={{ paddingTop: top }}
      >
        <div className="relative" style={{ height }}>
          <span className="absolute end-2" style={{ top: -top - 2 }}>
            {unit}
          </span>
          {scale.ticks.map((tick) => (
            <span key={tick} className="absolute end-2 -translate-y-1/2" style={{ top: scale.at(tick) * height }}>
              {tickText(tick)}
            </span>
          ))}
        </div>
        <div className="relative" style={{ height }}>
          {gaps.map((gap) => (
            <div
              key={gap.fromMs}
              className="hatch-gap absolute inset-y-0 opacity-30"
              style={{ left: `${share(gap.fromMs) * 100}%`, width: `${(share(gap.toMs) - share(gap.fromMs)) * 100}%` }}
            />
          ))}
          <svg
            aria-hidden="true"
            focusable="false"
            viewBox={`0 0 ${plotWidth} ${height}`}
            preserveAspectRatio="none"
            className="absolute inset-0 block h-full w-full overflow-hidden"
          >
            {scale.ticks.map((tick) => (
              <line
                key={tick}
                x1="0"
                x2={plotWidth}
                y1={scale.at(tick) * height}
                y2={scale.at(tick) * height}
                className="stroke-line"
                vectorEffect="non-scaling-stroke"
              />
            ))}
            {children}
          </svg>
          {inRange.map((marker) => (
            <div
              key={`${marker.timeMs} ${marker.text}`}
              className="absolute -top-1 bottom-0 border-s border-dashed border-ink2"
              style={{ left: `${share(marker.timeMs) * 100}%` }}
            />
          ))}
          {inRange.map((marker) => {
            const at = share(marker.timeMs);
            return withWords.has(marker) ? (
              <span
                key={`${marker.timeMs} ${marker.text}`}
                title={`${formatAbsolute(marker.timeMs)}: ${marker.text}`}
                className="absolute max-w-[46%] truncate rounded-pill border border-line2 bg-raised px-2.5 py-0.5 text-ink2"
                style={{
                  top: -top,
                  left: `${at * 100}%`,
                  transform: `translateX(${at < 0.2 ? -12 : at > 0.8 ? -88 : -50}%)`,
                }}
              >
                <b className="font-strong text-ink">{formatClock(marker.timeMs)}</b>
                <span className="max-phone:hidden"> {marker.text}</span>
              </span>
            ) : null;
          })}
          {over}
        </div>
        <div className="relative" style={{ height }}>
          {labels.map((label, index) => (
            <span
              key={label.key}
              className={`absolute start-2 -translate-y-1/2 whitespace-nowrap ${label.className}`}
              style={{ top: heights[index] }}
            >
              {label.text}
            </span>
          ))}
        </div>
        <div />
        <div className="relative mt-1 h-4">
          {ticks.map((ms) => (
            <span
              key={ms}
              className="absolute -translate-x-1/2 whitespace-nowrap"
              style={{ left: `${share(ms) * 100}%` }}
            >
              {timeText(ms, toMs - fromMs)}
            </span>
          ))}
          <span className="absolute end-0 bg-panel ps-2 whitespace-nowrap">{timeText(toMs, toMs - fromMs)} UTC</span>
        </div>
        <div />
      </div>
    </div>
  );
}

export interface TimePoint {
  timeMs: number;
  value: number | null;
}

/** A line through the middle of its steps, cut where nothing was heard. A lone point still has to be seen. */
export function linePath(
  points: readonly TimePoint[],
  stepMs: number,
  x: (ms: number) => number,
  y: (value: number) => number,
  /** moments at which the level changed: a line that sloped over them would tell of values that never were */
  breaks: readonly number[] = [],
): string {
  const cut = (fromMs: number, toMs: number) =>
    breaks.some((ms) => ms > fromMs + stepMs / 2 && ms <= toMs + stepMs / 2);
  let path = '';
  let lastMs = Number.NEGATIVE_INFINITY;
  points.forEach((point, index) => {
    if (point.value === null) return;
    const joined = point.timeMs - lastMs <= stepMs * 1.5 && !cut(lastMs, point.timeMs);
    const at = `${round(x(point.timeMs + stepMs / 2))} ${round(y(point.value))}`;
    path += joined ? `L${at}` : `M${at}`;
    const next = points[index + 1];
    const goesOn =
      next !== undefined &&
      next.value !== null &&
      next.timeMs - point.timeMs <= stepMs * 1.5 &&
      !cut(point.timeMs, next.timeMs);
    if (!joined && !goesOn) path += `m${-round((x(stepMs) - x(0)) * 0.4)} 0h${round((x(stepMs) - x(0)) * 0.8)}`;
    lastMs = point.timeMs;
  });
  return path;
}

/** A level that holds for its whole step: floors and budgets change at once, they do not slope. */
export function stepPath(
  points: readonly TimePoint[],
  stepMs: number,
  x: (ms: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let lastEnd = Number.NaN;
  let lastValue: number | null = null;
  for (const point of points) {
    if (point.value === null) {
      lastValue = null;
      continue;
    }
    const same = lastValue !== null && Math.abs(lastValue - point.value) < 1e-6;
    if (!(same && point.timeMs - lastEnd <= stepMs * 0.5))
      path += `M${round(x(point.timeMs))} ${round(y(point.value))}`;
    path += `H${round(x(point.timeMs + stepMs))}`;
    lastEnd = point.timeMs + stepMs;
    lastValue = point.value;
  }
  return path;
}

/** Stretches of two steps and more in which nothing was heard. */
export function gapsOf(times: readonly number[], stepMs: number, fromMs: number, toMs: number) {
  const gaps: { fromMs: number; toMs: number }[] = [];
  let end = fromMs;
  for (const time of [...times, toMs]) {
    if (time - end >= stepMs * 2) gaps.push({ fromMs: end, toMs: Math.min(time, toMs) });
    end = Math.max(end, time + stepMs);
  }
  return gaps;
}

const round = (value: number): number => Math.round(value * 100) / 100;
