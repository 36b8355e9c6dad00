import type { TopicItem, TopicsView } from '#lib/views/schemas.ts';
import { DeviceMark } from '../device-card/device-mark.tsx';
import { Button, TextLink } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import {
  formatAge,
  formatKiloBytes,
  formatNumber,
  formatRate,
  formatRateFigure,
  plural,
  unknown,
} from '../ui/format.ts';
import { linkTo, rangeQuery, rangeWords } from '../ui/link-to.ts';
import { Kpi, PageTitle } from '../ui/page-title.tsx';
import { Panel } from '../ui/panel.tsx';
import { RelativeTime } from '../ui/relative-time.tsx';
import { Segmented } from '../ui/segmented.tsx';
import { Spark } from '../ui/spark.tsx';
import { Exports, RowHead, Table, Td, Th } from '../ui/table.tsx';
import { FoldButton, FoldRow, Folds } from './fold.tsx';
import { TopicShare } from './topic-share.tsx';
import { TopicState } from './topic-state.tsx';
import { addedSpark, type TopicGroup, type TopicLeaf, topicRows } from './topic-tree.ts';

export interface TopicFilter {
  search: string;
  broker: string;
  state: TopicItem['state'] | '';
  share: 'bytes' | 'messages';
}

/** from this many on, second-level branches start folded */
const manyTopics = 60;

/** What flows, what went quiet? `silent` is asked for on its own, so that a busy list cannot push it out. */
export function TopicBoard({
  view,
  silent,
  filter,
  limit,
}: {
  view: TopicsView;
  silent: TopicItem[];
  filter: TopicFilter;
  limit: number;
}) {
  const here = (changes: Partial<TopicFilter>) => {
    const next = { ...filter, ...changes };
    return linkTo('/topics', view.range, {
      search: next.search,
      broker: next.broker,
      state: next.state,
      share: next.share === 'bytes' ? '' : next.share,
    });
  };
  const brokers = filter.broker === '' ? view.brokers : view.brokers.filter((broker) => broker.name === filter.broker);
  const messagesPerS = brokers.reduce((total, broker) => total + broker.messagesPerS, 0);
  const bytesPerS = brokers.reduce((total, broker) => total + broker.bytesPerS, 0);
  const topicCount = brokers.reduce((total, broker) => total + broker.topics, 0);
  const rows = topicRows(view.items);
  const query = new URLSearchParams({
    from: view.range.fromText,
    to: view.range.toText,
    ...(filter.search && { search: filter.search }),
    ...(filter.broker && { broker: filter.broker }),
    ...(filter.state && { state: filter.state }),
  }).toString();
  const folded =
    view.items.length > manyTopics
      ? rows.filter((row) => row.kind === 'group' && row.depth === 1 && row.silent === 0).map((row) => row.id)
      : [];

  return (
    <>
      <PageTitle
        title={brokers.length === 1 ? `Topics on ${brokers[0]!.name}` : 'Topics'}
        beside={
          <span className="text-dense text-ink3">
            {plural(topicCount, 'topic')}
            {brokers.length > 1 && ` on ${plural(brokers.length, 'broker')}`}
          </span>
        }
        sentence={
          view.brokers.length === 0 ? undefined : silent.length > 0 ? (
            <>
              <strong className="font-strong text-ink">{plural(silent.length, 'topic')} fell silent.</strong> The rest
              flows as usual.
            </>
          ) : (
            <>
              <strong className="font-strong text-ink">Nothing fell silent.</strong> Every topic speaks as often as it
              usually does.
            </>
          )
        }
      >
        {view.brokers.length > 0 && (
          <>
            <Kpi value={formatRateFigure(messagesPerS)} unit="msg/s in" />
            <Kpi value={formatRateFigure(bytesPerS / 1_000)} unit="kB/s in" />
          </>
        )}
      </PageTitle>
      <div className="grid grid-cols-1 gap-2.5 p-4 pt-0 desk:grid-cols-[minmax(0,1.4fr)_minmax(0,1fr)]">
        <Panel
          id="tree"
          title="Topic tree"
          flush
          note={view.items.length >= limit ? `the ${limit} busiest of ${formatNumber(topicCount)}` : undefined}
          actions={
            <>
              <Segmented
                label="State"
                segments={[
                  { label: 'All', current: filter.state === '', href: here({ state: '' }) },
                  {
                    label: (
                      <>
                        <DeviceMark state="down" /> Silent {silent.length}
                      </>
                    ),
                    current: filter.state === 'silent',
                    href: here({ state: 'silent' }),
                  },
                  {
                    label: 'Retained only',
                    current: filter.state === 'retained-only',
                    href: here({ state: 'retained-only' }),
                  },
                ]}
              />
              <Exports api="/api/v1/topics" query={query} what="Topics" />
            </>
          }
        >
          <form
            method="get"
            action="/topics"
            className="flex flex-wrap items-center gap-2 border-b border-line px-3.5 py-2"
          >
            {[...rangeQuery(view.range)].map(([name, value]) => (
              <input key={name} type="hidden" name={name} value={value} />
            ))}
            {filter.state !== '' && <input type="hidden" name="state" value={filter.state} />}
            <input
              type="search"
              name="search"
              defaultValue={filter.search}
              placeholder="Filter, e.g. sf/sim"
              aria-label="Filter by a part of the topic"
              className="h-7.5 w-52 rounded-button border border-ctl bg-panel px-2.5 font-mono text-dense placeholder:font-sans placeholder:text-ink3 max-phone:h-11 max-phone:w-full"
            />
            {view.brokers.length > 1 && (
              <select
                name="broker"
                defaultValue={filter.broker}
                aria-label="Broker"
                className="h-7.5 rounded-button border border-ctl bg-panel px-2 text-dense max-phone:h-11 max-phone:flex-1"
              >
                <option value="">All brokers</option>
                {view.brokers.map((broker) => (
                  <option key={broker.name} value={broker.name}>
                    {broker.name}
                  </option>
                ))}
              </select>
            )}
            <Button type="submit">Filter</Button>
            {(filter.search !== '' || filter.broker !== '' || filter.state !== '') && (
              <TextLink
                href={here({ search: '', broker: '', state: '' })}
                className="inline-flex min-h-6 items-center text-dense"
              >
                Clear
              </TextLink>
            )}
          </form>
          {rows.length === 0 ? (
            <Empty why={view.emptyReason ?? 'No topic in this range.'}>
              {view.brokers.length === 0 ? (
                <>
                  The <TextLink href="/status">status page</TextLink> says which broker is connected.
                </>
              ) : (
                <TextLink href={here({ search: '', broker: '', state: '' })}>Show all topics</TextLink>
              )}
            </Empty>
          ) : (
            <Folds initial={folded} key={folded.length === 0 ? 'open' : 'folded'}>
              <Table caption="Topics by segment">
                <thead>
                  <tr>
                    <Th>Topic</Th>
                    <Th className="max-phone:hidden">{capital(rangeWords(view.range))}</Th>
                    <Th numeric>msg/s</Th>
                    <Th numeric>kB/s</Th>
                    <Th className="max-wide:hidden">Publisher</Th>
                    <Th className="max-wide:hidden">Consumer</Th>
                    <Th>State</Th>
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row) =>
                    row.kind === 'group' ? <GroupRow key={row.id} row={row} /> : <LeafRow key={row.id} row={row} />,
                  )}
                </tbody>
              </Table>
            </Folds>
          )}
        </Panel>
        <div className="flex min-w-0 flex-col gap-2.5">
          <TopicShare
            view={view}
            by={filter.share}
            bytesHref={here({ share: 'bytes' })}
            messagesHref={here({ share: 'messages' })}
          />
          <ToCheck silent={silent} view={view} />
        </div>
      </div>
    </>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const indents = ['', 'ps-5', 'ps-10'];

function GroupRow({ row }: { row: TopicGroup }) {
  return (
    <FoldRow within={row.within} className="border-t border-line bg-raised">
      <RowHead>
        <span className={indents[row.depth]!}>
          <FoldButton id={row.id}>
            <span className="font-mono">{row.label}</span>
            <span className="text-ink3">
              {row.topics.length}
              <span className="sr-only"> topics</span>
            </span>
          </FoldButton>
        </span>
      </RowHead>
      <Td className="max-phone:hidden">
        <Spark spark={addedSpark(row.topics)} width={52} height={15} />
      </Td>
      <Td numeric>
        <span className="font-strong">{formatRate(row.messagesPerS)}</span>
      </Td>
      <Td numeric className="text-ink2">
        {formatKiloBytes(row.bytesPerS)}
      </Td>
      <Td className="max-wide:hidden"> </Td>
      <Td className="max-wide:hidden"> </Td>
      <Td className="whitespace-nowrap text-ink2">{row.silent > 0 ? `${row.silent} silent` : ''}</Td>
    </FoldRow>
  );
}

function LeafRow({ row }: { row: TopicLeaf }) {
  const { topic } = row;
  const silent = topic.state === 'silent';
  return (
    <FoldRow within={row.within} className="border-t border-line hover:bg-hover">
      <RowHead>
        <span className={`block font-mono wrap-anywhere ${indents[row.depth]!}`} title={topic.topic}>
          <span className="ps-4.5">{row.label}</span>
        </span>
      </RowHead>
      <Td className="max-phone:hidden">
        <Spark spark={topic.spark} width={52} height={15} />
      </Td>
      <Td numeric>
        <span className={silent ? 'text-ink3' : 'font-strong'}>{formatRate(topic.messagesPerS)}</span>
      </Td>
      <Td numeric className="text-ink2">
        {formatKiloBytes(topic.bytesPerS)}
      </Td>
      <Td className="max-w-44 truncate text-ink2 max-wide:hidden" title={topic.publishers.join(', ')}>
        <Names names={topic.publishers} none="no traced publisher" />
      </Td>
      <Td className="max-w-44 truncate text-ink2 max-wide:hidden" title={topic.consumers.join(', ')}>
        <Names names={topic.consumers} none="no traced consumer; an untraced one cannot be seen" />
      </Td>
      <Td>
        <TopicState state={topic.state} />
      </Td>
    </FoldRow>
  );
}

function Names({ names, none }: { names: string[]; none: string }) {
  const [first] = names;
  if (first === undefined) {
    return (
      <span className="text-ink3" title={none}>
        {unknown}
        <span className="sr-only"> {none}</span>
      </span>
    );
  }
  return (
    <>
      {first}
      {names.length > 1 && <span className="text-ink3"> +{names.length - 1}</span>}
    </>
  );
}

function ToCheck({ silent, view }: { silent: TopicItem[]; view: TopicsView }) {
  return (
    <Panel id="to-check" title="To check" note="quiet for over 5 times their usual gap" flush>
      {silent.length === 0 ? (
        <Empty why={view.brokers.length === 0 ? 'Nothing to watch yet.' : 'No topic went quiet.'} />
      ) : (
        <ul className="divide-y divide-line">
          {silent.map((topic) => (
            <li key={`${topic.broker} ${topic.topic}`} className="flex gap-3 px-3.5 py-2">
              <DeviceMark state="down" label="silent" />
              <div className="min-w-0 flex-1">
                <p className="truncate font-mono text-dense" title={topic.topic}>
                  {topic.topic}
                </p>
                <p className="text-note text-ink3">
                  last message{' '}
                  {topic.lastSeen === null ? (
                    'before this range'
                  ) : (
                    <RelativeTime at={topic.lastSeen} nowMs={view.range.toMs} />
                  )}
                  {topic.publishers.length > 0 && `, ${topic.publishers.join(', ')} published`}
                </p>
              </div>
              {topic.lastSeen !== null && (
                <p className="text-dense whitespace-nowrap">
                  <span className="font-strong">{formatAge(view.range.toMs - Date.parse(topic.lastSeen))}</span>
                </p>
              )}
              {topic.publishers[0] && (
                <TextLink
                  href={linkTo('/devices', view.range, { q: topic.publishers[0] })}
                  className="inline-flex min-h-6 items-center text-dense"
                  aria-label={`Publisher ${topic.publishers[0]}`}
                >
                  Publisher
                </TextLink>
              )}
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
