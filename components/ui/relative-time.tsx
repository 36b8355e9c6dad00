import { formatAbsolute, formatAgo } from './format.ts';

/** "31 min ago"; the absolute time in UTC stands behind it. `nowMs` comes from the view's range, never from the clock here. */
export function RelativeTime({ at, nowMs, className = '' }: { at: string; nowMs: number; className?: string }) {
  const atMs = Date.parse(at);
  return (
    <time dateTime={at} title={formatAbsolute(atMs)} className={`whitespace-nowrap ${className}`}>
      {formatAgo(atMs, nowMs)}
    </time>
  );
}
