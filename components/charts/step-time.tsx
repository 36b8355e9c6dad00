import { formatAbsolute, formatClock, formatDay } from '../ui/format.ts';

/** A step of a series as the table beside its chart names it; over more than a day with its day. */
export function StepTime({ timeMs, range }: { timeMs: number; range: { fromMs: number; toMs: number } }) {
  const days = range.toMs - range.fromMs > 86_400_000;
  return (
    <time dateTime={new Date(timeMs).toISOString()} title={formatAbsolute(timeMs)}>
      {days ? `${formatDay(timeMs)} ` : ''}
      {formatClock(timeMs)}
    </time>
  );
}
