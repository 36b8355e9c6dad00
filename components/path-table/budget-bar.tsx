import type { Mark } from '#lib/views/schemas.ts';
import { Drawing } from '../ui/drawing.tsx';

const tones: Record<Mark, string> = {
  ok: 'fill-data',
  noticeable: 'fill-noticeable',
  over: 'fill-over',
  'cannot-tell': 'fill-cannot-tell',
  'no-data': 'fill-ink3',
};

const width = 72;
const height = 12;

/** p95 as a bar from 0, the budget as a line across it. What is far over stops at the end; its number stands beside. */
export function BudgetBar({
  p95Ms,
  boundMs,
  budgetMs,
  mark,
}: {
  p95Ms: number | null;
  boundMs: number | null;
  budgetMs: number | null;
  mark: Mark;
}) {
  if (p95Ms === null || budgetMs === null) return null;
  const most = Math.min(3 * budgetMs, Math.max(budgetMs * 1.15, p95Ms + (boundMs ?? 0)));
  const x = (ms: number) => Math.round(Math.min(1, Math.max(0, ms / most)) * width * 10) / 10;
  const bound = boundMs === null || boundMs <= 0 ? null : boundMs;
  return (
    <Drawing
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      className="inline-block shrink-0 align-middle"
    >
      <rect x="0" y="3" width={width} height="6" rx="2" className="fill-raised" />
      <rect x="0" y="3" width={Math.max(1, x(p95Ms))} height="6" rx="2" className={tones[mark]} />
      {bound !== null && (
        <path d={`M${x(p95Ms - bound)} 6H${x(p95Ms + bound)}`} className="stroke-ink2" strokeWidth="1.2" />
      )}
      <path d={`M${x(budgetMs)} 0V${height}`} className="stroke-ink" strokeWidth="1.4" />
    </Drawing>
  );
}
