'use client';

import { useEffect, useMemo, useRef, useState } from 'react';
import type { TraceView } from '#lib/views/schemas.ts';
import { KindPatterns, kindPaint, kindStrokeClass } from '../charts/kind.tsx';
import { siteName } from '../hop-head/site-name.ts';
import { formatLedger, formatNumber } from '../ui/format.ts';
import { type Stretch, waterfallOf } from './waterfall-geometry.ts';

const scope = 'fall';
/** before the browser has told: near what a desktop gives */
const firstWidth = 880;

/** A ribbon is as thick across whatever its slope; a long shallow way must not thin out. */
function ribbonPath(x0: number, y0: number, x1: number, y1: number, thick: number): string {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const half = ((thick / 2) * length) / Math.max(1e-6, Math.abs(y1 - y0));
  if (half <= 15) return `M${x0 - half} ${y0}L${x0 + half} ${y0}L${x1 + half} ${y1}L${x1 - half} ${y1}Z`;
  // too shallow for level ends: square ones, so that the moments of sending and receiving stay sharp
  const [dx, dy] = [((y0 - y1) / length) * (thick / 2), ((x1 - x0) / length) * (thick / 2)];
  return `M${x0 + dx} ${y0 + dy}L${x1 + dx} ${y1 + dy}L${x1 - dx} ${y1 - dy}L${x0 - dx} ${y0 - dy}Z`;
}

function Shape({
  stretch,
  laneHalf,
  dense,
  selected,
  hovered,
}: {
  stretch: Stretch;
  laneHalf: number;
  dense: boolean;
  selected: boolean;
  hovered: boolean;
}) {
  const { line, network, x0, x1, y0, y1, bound, negative, onPath } = stretch;
  const paint = kindPaint(scope, line.kind);
  const outline = selected || hovered ? 'stroke-acc' : kindStrokeClass(line.kind);
  const weight = selected ? 2.2 : hovered ? 1.6 : dense ? 0 : 1;
  const down = Math.sign(y1 - y0);
  if (!network || down === 0) {
    const half = network ? laneHalf - 5 : laneHalf;
    return (
      <g opacity={onPath ? 1 : 0.35} data-line={stretch.index} className="cursor-pointer">
        <rect
          x={Math.min(x0, x1)}
          y={y0 - half}
          width={Math.max(dense ? 0.8 : 2, Math.abs(x1 - x0))}
          height={half * 2}
          rx={Math.abs(x1 - x0) > 6 ? 2.5 : 0.5}
          {...paint}
          className={`${paint.className ?? ''} ${outline}`}
          strokeWidth={weight}
        />
      </g>
    );
  }
  const start = y0 + down * laneHalf;
  const end = y1 - down * laneHalf;
  const ribbon = ribbonPath(x0, start, x1, end, dense ? 2 : 9.6);
  return (
    <g opacity={onPath ? 1 : 0.35} data-line={stretch.index} className="cursor-pointer">
      {/* a hairline of a ribbon is hard to hit */}
      <path d={ribbon} stroke="transparent" strokeWidth="10" fill="none" />
      <path
        d={ribbon}
        {...paint}
        className={`${paint.className ?? ''} ${outline}`}
        strokeWidth={weight}
        strokeDasharray={negative ? '3 2.5' : undefined}
        strokeLinejoin="round"
      />
      {bound > 0.6 && !dense && (
        <path
          d={`M${x1 - bound} ${end}H${x1 + bound}M${x1 - bound} ${end - 3}V${end + 3}M${x1 + bound} ${end - 3}V${end + 3}`}
          fill="none"
          className="stroke-ink2"
          strokeWidth="1.1"
        />
      )}
    </g>
  );
}

/**
 * One request across the fleet: boxes are work, slanted ribbons are the way from send to receive, so distance is seen as
 * slant. The ledger beside it holds the same lines for the keyboard and for those who cannot see it.
 */
export function Waterfall({
  trace,
  raw,
  selected,
  hovered,
  onSelect,
  onHover,
}: {
  trace: Pick<TraceView, 'ledger' | 'offPath' | 'totalMs' | 'sites' | 'sentence'>;
  raw: boolean;
  selected: number | null;
  hovered: number | null;
  onSelect: (index: number) => void;
  onHover: (index: number | null) => void;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(firstWidth);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      const measured = Math.round(entry!.contentRect.width);
      if (measured > 0) setWidth(Math.max(420, measured));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const fall = useMemo(() => waterfallOf(trace, { width, raw, siteName, selected }), [trace, width, raw, selected]);
  const lineAt = (target: EventTarget): number | null => {
    const hit = (target as Element).closest('[data-line]')?.getAttribute('data-line');
    return hit === null || hit === undefined ? null : Number(hit);
  };
  const total = formatLedger(trace.totalMs);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a shortcut for the mouse; the ledger's links do the same by keyboard
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above
    <div
      ref={frame}
      className="px-0"
      onClick={(event) => {
        const index = lineAt(event.target);
        if (index !== null) onSelect(index);
      }}
      onPointerOver={(event) => onHover(lineAt(event.target))}
      onPointerLeave={() => onHover(null)}
    >
      <svg
        role="img"
        aria-label={`${trace.sentence} The ledger holds every line of this drawing.`}
        viewBox={`0 0 ${fall.width} ${fall.height}`}
        width="100%"
        height={fall.height}
        preserveAspectRatio="none"
        className="block text-[11px]"
      >
        <KindPatterns scope={scope} />
        {fall.bands.map((band, index) => (
          <g key={band.site}>
            <rect
              x="0"
              y={band.top}
              width={fall.width}
              height={band.bottom - band.top}
              className="fill-raised"
              opacity=".5"
            />
            <text x="14" y={band.top + 15} className="fill-ink2 font-strong">
              {band.name}
            </text>
            {index > 0 && band.kilometres !== null && band.kilometres > 0 && (
              <text x="14" y={(fall.bands[index - 1]!.bottom + band.top) / 2 + 4} className="fill-ink3">
                {formatNumber(band.kilometres)} km
              </text>
            )}
          </g>
        ))}
        {fall.ticks.map((tick) => (
          <g key={tick.x}>
            <line x1={tick.x} x2={tick.x} y1="24" y2={fall.height} className="stroke-line" />
            <text x={tick.x} y="16" textAnchor="middle" className="fill-ink3">
              {tick.text}
              {tick.text === '0' ? ' ms' : ''}
            </text>
          </g>
        ))}
        {fall.lanes.map((lane) => (
          <g key={lane.device}>
            <line x1={fall.plotLeft - 6} x2={fall.width} y1={lane.y} y2={lane.y} className="stroke-line2" />
            <text x="14" y={lane.y + 4} className="fill-ink font-mono">
              <title>{lane.device}</title>
              {lane.device.length > 17 ? `${lane.device.slice(0, 16)}…` : lane.device}
            </text>
          </g>
        ))}
        <line x1={fall.totalX} x2={fall.totalX} y1="22" y2={fall.height} className="stroke-ink2" strokeWidth="1.2" />
        <text x={fall.totalX} y="16" textAnchor="middle" className="fill-ink font-strong">
          {total}
        </text>
        {fall.stretches
          .toSorted((a, b) => Number(a.onPath) - Number(b.onPath) || Number(b.network) - Number(a.network))
          .map((stretch) => (
            <Shape
              key={stretch.index}
              stretch={stretch}
              laneHalf={fall.laneHalf}
              dense={fall.dense}
              selected={stretch.index === selected}
              hovered={stretch.index === hovered}
            />
          ))}
        <path
          d={fall.critical}
          fill="none"
          className="pointer-events-none stroke-ink"
          strokeWidth={fall.dense ? 0.5 : 1.3}
          opacity={fall.dense ? 0.35 : 1}
          strokeLinejoin="round"
        />
        {fall.labels.map((label) => (
          <g key={label.index} data-line={label.index} className="cursor-pointer">
            {label.pill && (
              <rect
                x={label.x}
                y={label.y}
                width={label.width}
                height="18"
                rx="9"
                className={`fill-panel ${label.index === selected || label.index === hovered ? 'stroke-acc' : 'stroke-net'}`}
                strokeWidth={label.index === selected ? 1.6 : 1}
              />
            )}
            <text
              x={label.x + label.width / 2}
              y={label.y + (label.pill ? 12.8 : 11.5)}
              textAnchor="middle"
              // a halo, so that a grid line or a ribbon below never crosses the figures
              paintOrder="stroke"
              strokeWidth={label.pill ? 0 : 3}
              className={`stroke-panel ${label.onPath ? 'fill-ink' : 'fill-ink3'}`}
            >
              <tspan className={label.onPath ? 'font-strong' : ''}>{label.text}</tspan>
              {label.bound !== '' && <tspan className="fill-ink3"> {label.bound}</tspan>}
            </text>
          </g>
        ))}
      </svg>
      {fall.hiddenDevices > 0 && (
        <p className="px-3.5 py-2 text-note text-ink3">
          {formatNumber(fall.hiddenDevices)} more devices took part and find no lane here; the Spans view lists them.
        </p>
      )}
    </div>
  );
}
