import type { Metadata } from 'next';
import { TopicBoard } from '#components/topic-table/topic-board.tsx';
import { readQuery } from '#lib/views/query.ts';
import { topicsQuerySchema, topicsView } from '#lib/views/topics-view.ts';
import { type Asked, ask, one } from '../_ask.tsx';

export const metadata: Metadata = { title: 'Topics' };

const silentShown = 50;

/** ?from&to&search&broker&state&share=messages&limit */
export default async function TopicsPage({ searchParams }: { searchParams: Asked }) {
  const asked = await searchParams;
  const { view: answer, trouble } = await ask(async (context) => {
    const query = readQuery(topicsQuerySchema, asked);
    const [view, quiet] = await Promise.all([
      topicsView(context, query),
      topicsView(context, { ...query, search: undefined, state: 'silent', limit: silentShown }),
    ]);
    return { view, quiet, query };
  });
  if (answer === null) return trouble;
  const { view, quiet, query } = answer;
  return (
    <TopicBoard
      view={view}
      silent={quiet.items}
      limit={query.limit}
      filter={{
        search: query.search ?? '',
        broker: query.broker ?? '',
        state: query.state ?? '',
        share: one(asked.share) === 'messages' ? 'messages' : 'bytes',
      }}
    />
  );
}
