import type { HopItem } from '#lib/views/schemas.ts';
import { formatAbsolute, formatClock, formatDay } from '../ui/format.ts';

type Live = NonNullable<HopItem['live']>;

const liveWords: Record<Live['verdict'], string> = {
  leave: 'within budget',
  move: 'over budget',
  'fix-path': 'over budget',
  unanswered: 'without answers',
  'cannot-tell': 'not to be told',
  'no-data': 'too little traffic for a verdict',
};

/** "over budget since 14:03": how the hop stands now, which takes more than one bad minute to change. */
export function LiveNote({ live, nowMs, className = '' }: { live: Live; nowMs: number; className?: string }) {
  const day = nowMs - live.sinceMs > 20 * 3_600_000 ? `${formatDay(live.sinceMs)} ` : '';
  return (
    <span className={`whitespace-nowrap ${className}`}>
      {liveWords[live.verdict]} since{' '}
      <time dateTime={live.since} title={formatAbsolute(live.sinceMs)}>
        {day}
        {formatClock(live.sinceMs)}
      </time>
    </span>
  );
}

/** In a list only what somebody should look at. */
export const isTrouble = (live: Live | null): live is Live =>
  live !== null && (live.verdict === 'move' || live.verdict === 'fix-path' || live.verdict === 'unanswered');
