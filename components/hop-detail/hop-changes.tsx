import type { HopView } from '#lib/views/schemas.ts';
import { formatAbsolute, formatClock, formatDay } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Panel } from '../ui/panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';

/** Newest first: what happened last is what is asked for. */
export function HopChanges({ view }: { view: HopView }) {
  const { changes, range } = view;
  return (
    <Panel id="changes" title="What changed" note={changes.length > 0 ? 'times in UTC' : undefined}>
      {changes.length === 0 ? (
        <p className="text-dense text-ink2">
          Nothing in this range: the level of this hop held. A wider range may show when it was last different.
        </p>
      ) : (
        <ol className="flex flex-col gap-3">
          {changes.toReversed().map((change) => (
            <li key={`${change.timeMs} ${change.text}`} className="flex gap-2.5 text-dense">
              <Icon name="pulse" className="mt-0.5 text-ink3" />
              <div className="min-w-0">
                <p className="font-strong">
                  <time dateTime={new Date(change.timeMs).toISOString()} title={formatAbsolute(change.timeMs)}>
                    {range.toMs - change.timeMs > 86_400_000 ? `${formatDay(change.timeMs)} ` : ''}
                    {formatClock(change.timeMs)}
                  </time>{' '}
                  <RelativeTime
                    at={new Date(change.timeMs).toISOString()}
                    nowMs={range.toMs}
                    className="font-normal text-ink3"
                  />
                </p>
                <p className="break-words text-ink2">{change.text}</p>
              </div>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}
