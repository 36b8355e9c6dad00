import type { TopicItem, TopicsView } from '#lib/views/schemas.ts';
import { Empty } from '../ui/empty.tsx';
import { formatKiloBytes, formatRate } from '../ui/format.ts';
import { Panel } from '../ui/panel.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { tiles } from './topic-tree.ts';

/** wide to high, as the panel is drawn */
const aspect = 1.25;
const mostTiles = 40;

/** Area = share of the traffic; brighter = more traced consumers. The tree beside it holds the same figures. */
export function TopicShare({
  view,
  by,
  bytesHref,
  messagesHref,
}: {
  view: TopicsView;
  by: 'bytes' | 'messages';
  bytesHref: string;
  messagesHref: string;
}) {
  const weight = (topic: TopicItem) => (by === 'bytes' ? topic.bytesPerS : topic.messagesPerS);
  const text = (topic: TopicItem) =>
    by === 'bytes' ? `${formatKiloBytes(topic.bytesPerS)} kB/s` : `${formatRate(topic.messagesPerS)} msg/s`;
  const shown = tiles(view.items.toSorted((a, b) => weight(b) - weight(a)).slice(0, mostTiles), weight, aspect);
  const mostConsumers = Math.max(1, ...view.items.map((topic) => topic.consumers.length));
  return (
    <Panel
      id="share"
      title="Share of traffic"
      note="brighter = more traced consumers"
      className="max-phone:hidden"
      actions={
        <Segmented
          label="Measure"
          segments={[
            { label: 'kB/s', current: by === 'bytes', href: bytesHref },
            { label: 'msg/s', current: by === 'messages', href: messagesHref },
          ]}
        />
      }
    >
      {shown.length === 0 ? (
        <Empty why="Nothing flowed in this range." className="px-0! py-2!" />
      ) : (
        <div
          role="img"
          aria-label={`Treemap of the traffic by ${by === 'bytes' ? 'bytes' : 'messages'}; the topic tree holds the same figures. Largest: ${shown[0]!.topic.topic}, ${text(shown[0]!.topic)}`}
          className="relative"
          style={{ aspectRatio: aspect }}
        >
          {shown.map((tile) => (
            <div
              key={`${tile.topic.broker} ${tile.topic.topic}`}
              title={`${tile.topic.topic}: ${text(tile.topic)}`}
              className="absolute p-px"
              style={{
                left: `${tile.left.toFixed(2)}%`,
                top: `${tile.top.toFixed(2)}%`,
                width: `${tile.width.toFixed(2)}%`,
                height: `${tile.height.toFixed(2)}%`,
              }}
            >
              <div
                className={`size-full overflow-hidden rounded-bar border border-line2 ${tile.width > 14 && tile.height > 7 ? 'px-1.5 py-1' : ''}`}
                style={{
                  background: `color-mix(in srgb, var(--heat) ${Math.round(
                    6 + 24 * (tile.topic.consumers.length / mostConsumers),
                  )}%, var(--panel))`,
                }}
              >
                {tile.width > 14 && tile.height > 7 && (
                  <>
                    <p className="truncate font-mono text-note text-ink">
                      {tile.topic.topic.split('/').slice(1).join('/') || tile.topic.topic}
                    </p>
                    {tile.height > 11 && <p className="text-note whitespace-nowrap text-ink2">{text(tile.topic)}</p>}
                  </>
                )}
              </div>
            </div>
          ))}
        </div>
      )}
    </Panel>
  );
}
