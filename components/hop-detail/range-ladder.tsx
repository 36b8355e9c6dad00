import type { HopItem } from '#lib/views/schemas.ts';
import { formatBudget, latencyFigure } from '../ui/format.ts';

/** The figures of a verdict on one line: what was measured with its error bar, the floor, the budget. Log scale. */
export function RangeLadder({ hop, loMs, hiMs }: { hop: HopItem; loMs: number; hiMs: number }) {
  const all = [loMs, hiMs, hop.budgetMs, hop.floorMs].filter((ms) => ms > 0.05);
  const low = Math.log(Math.min(...all) / 1.6);
  const span = Math.log(Math.max(...all) * 1.6) - low;
  const at = (ms: number) => `${Math.min(100, Math.max(0, ((Math.log(Math.max(ms, 1e-3)) - low) / span) * 100))}%`;
  const left = at(loMs);
  const tone =
    hop.mark === 'over'
      ? 'bg-over'
      : hop.mark === 'cannot-tell'
        ? 'bg-cannot-tell'
        : hop.mark === 'noticeable'
          ? 'bg-noticeable'
          : 'bg-ok';
  const pin = (ms: number): React.CSSProperties => {
    const share = Number.parseFloat(at(ms));
    return { left: `${share}%`, transform: `translateX(${share < 12 ? 0 : share > 88 ? -100 : -50}%)` };
  };
  return (
    <div className="relative h-15 text-note" aria-hidden="true">
      <span className="absolute top-0 whitespace-nowrap text-over" style={pin(hop.budgetMs)}>
        budget {formatBudget(hop.budgetMs)}
      </span>
      <div className="absolute inset-x-0 top-7 border-t border-dashed border-line2" />
      <div
        className={`absolute top-5.5 h-3 min-w-1.5 rounded-bar ${tone}`}
        style={{ left, width: `calc(${at(hiMs)} - ${left})` }}
      />
      {hop.addedMs.p95 !== null && (
        <div className="absolute top-5 h-4 w-0.5 -translate-x-1/2 bg-ink" style={{ left: at(hop.addedMs.p95) }} />
      )}
      <div className="absolute top-4 h-6 w-0.5 -translate-x-1/2 bg-over" style={{ left: at(hop.budgetMs) }} />
      {hop.floorMs > 0.05 && (
        <>
          <div className="absolute top-4 h-6 border-s-2 border-dotted border-net" style={{ left: at(hop.floorMs) }} />
          <span className="absolute top-10.5 whitespace-nowrap text-net" style={pin(hop.floorMs)}>
            floor {latencyFigure(hop.floorMs).text}
          </span>
        </>
      )}
    </div>
  );
}
