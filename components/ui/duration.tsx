import type { Mark } from '#lib/views/schemas.ts';
import { formatBound, formatBudget, latencyFigure, nbsp, unknown } from './format.ts';

/**
 * "50.3 ± 2.4 ms". The ± is thin and pale; where it is wider than what it is judged against (`unsure`) it takes the
 * colour of "cannot tell". Unknown is "–" with its reason on hover, never 0.
 */
export function Duration({
  ms,
  boundMs = null,
  unit = true,
  unsure = false,
  mark,
  whyUnknown = 'nothing was measured in this range',
  className = '',
}: {
  ms: number | null;
  boundMs?: number | null;
  /** false in tables: the head says it */
  unit?: boolean;
  unsure?: boolean;
  /** colours the value; only for verdicts */
  mark?: Mark;
  whyUnknown?: string;
  className?: string;
}) {
  if (ms === null) {
    return (
      <span className={`text-ink3 ${className}`} title={whyUnknown}>
        {unknown}
        <span className="sr-only"> unknown: {whyUnknown}</span>
      </span>
    );
  }
  const figure = latencyFigure(ms, boundMs);
  const bound = formatBound(ms, boundMs);
  const colour = mark === 'over' ? 'text-over' : mark === 'noticeable' ? 'text-noticeable' : 'text-ink';
  return (
    <span className={`whitespace-nowrap ${className}`}>
      <span className={`font-strong ${colour}`}>{figure.text}</span>
      {bound !== null && (
        <span className={`font-normal ${unsure ? 'text-cannot-tell' : 'text-ink3'}`}>
          {nbsp}
          {bound}
        </span>
      )}
      {unit && (
        <span className={bound === null ? `font-strong ${colour}` : 'text-ink3'}>
          {nbsp}
          {figure.unit}
        </span>
      )}
    </span>
  );
}

/** "105 ms of 10 ms" */
export function OfBudget({ budgetMs }: { budgetMs: number | null }) {
  return budgetMs === null ? null : <span className="whitespace-nowrap text-ink3">of {formatBudget(budgetMs)}</span>;
}
