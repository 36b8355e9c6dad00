import Link from 'next/link';
import type { FleetView, TopicItem } from '#lib/views/schemas.ts';
import { SilentMark } from '../topic-table/topic-state.tsx';
import { TextLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { formatKiloBytes, formatRate, formatRateFigure } from '../ui/format.ts';
import { linkTo } from '../ui/link-to.ts';
import { Panel } from '../ui/panel.tsx';
import { Spark } from '../ui/spark.tsx';

const mostTopics = 8;
/** what fits beside the map when there is something to decide above */
const alwaysShown = 4;
const mostBrokers = 3;

/** What the brokers carry, and its largest topics. */
export function BrokerTraffic({ view }: { view: FleetView }) {
  const [first] = view.topics;
  const silent = view.topTopics.filter((topic) => topic.state === 'silent');
  const flowing = view.topTopics.filter((topic) => topic.state !== 'silent').slice(0, mostTopics);
  return (
    <Panel
      id="broker-traffic"
      title="Broker traffic"
      note={
        view.topics.length === 1 ? first!.name : view.topics.length > 1 ? `${view.topics.length} brokers` : undefined
      }
      actions={<TextLink href={linkTo('/topics', view.range)}>Topics</TextLink>}
      flush
    >
      {first === undefined ? (
        <Empty why="No broker has passed a message in this range.">
          Name one in hopscope.yaml under <code className="font-mono">brokers</code>, or publish to the embedded broker.
          The <TextLink href="/status">status page</TextLink> says which broker is connected.
        </Empty>
      ) : (
        <div className="px-3.5 pt-2 pb-2.5">
          {view.topics.length === 1 ? (
            <div className="grid grid-cols-2 gap-4">
              <Figure value={formatRateFigure(first.messagesPerS)} unit="msg/s in" />
              <Figure value={formatRateFigure(first.bytesPerS / 1_000)} unit="kB/s in" />
              <Spark
                spark={first.spark}
                width={310}
                height={18}
                className="col-span-2 w-full"
                label={`Messages a second on ${first.name}, minimum to maximum`}
              />
            </div>
          ) : (
            <ul className="divide-y divide-line">
              {view.topics.slice(0, mostBrokers).map((broker) => (
                <li key={broker.name} className="flex min-h-7 items-center gap-3 text-dense">
                  <TextLink href={linkTo('/topics', view.range, { broker: broker.name })} className="flex-1 truncate">
                    {broker.name}
                  </TextLink>
                  <Spark spark={broker.spark} width={60} height={16} />
                  <span className="w-16 text-end">
                    <span className="font-strong">{formatRate(broker.messagesPerS)}</span>{' '}
                    <span className="text-ink3">msg/s</span>
                  </span>
                </li>
              ))}
            </ul>
          )}
          <table className="mt-1.5 w-full table-fixed border-collapse text-dense">
            <caption className="sr-only">Topics with the most messages</caption>
            <thead>
              <tr className="text-note text-ink3">
                <th scope="col" className="font-normal">
                  Top topics
                </th>
                <th scope="col" className="w-14 text-end font-normal">
                  msg/s
                </th>
                <th scope="col" className="w-14 text-end font-normal">
                  kB/s
                </th>
              </tr>
            </thead>
            <tbody>
              {flowing.map((topic, index) => (
                <TopicRow
                  key={`${topic.broker} ${topic.topic}`}
                  topic={topic}
                  view={view}
                  className={index >= alwaysShown && view.decisions.length > 0 ? 'hidden min-[110rem]:table-row' : ''}
                />
              ))}
              {silent.length > 0 && (
                <tr>
                  <th scope="colgroup" colSpan={3} className="pt-1.5 font-strong text-ink2">
                    Fell silent
                  </th>
                </tr>
              )}
              {silent.slice(0, 2).map((topic) => (
                <TopicRow key={`${topic.broker} ${topic.topic}`} topic={topic} view={view} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function Figure({ value, unit }: { value: string; unit: string }) {
  return (
    <p>
      <span className="text-title font-title">{value}</span> <span className="text-ink2">{unit}</span>
    </p>
  );
}

function TopicRow({ topic, view, className = '' }: { topic: TopicItem; view: FleetView; className?: string }) {
  return (
    <tr className={`group ${className}`}>
      <th scope="row" className="font-normal">
        <Link
          href={linkTo('/topics', view.range, { search: topic.topic })}
          prefetch={false}
          title={topic.topic}
          className="flex min-h-6 items-center gap-1.5 group-hover:underline max-phone:min-h-11"
        >
          {topic.state === 'silent' && <SilentMark />}
          <span className="truncate font-mono">{topic.topic}</span>
        </Link>
      </th>
      <td className="text-end">{formatRate(topic.messagesPerS)}</td>
      <td className="text-end text-ink3">{formatKiloBytes(topic.bytesPerS)}</td>
    </tr>
  );
}
