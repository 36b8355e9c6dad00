import type { Metadata } from 'next';
import { TracePage, type TraceQuery } from '#components/trace-ledger/trace-page.tsx';
import { traceView } from '#lib/views/trace-view.ts';
import { type Asked, ask, one } from '../../_ask.tsx';
import { hopscope } from '../../_server.ts';

export const metadata: Metadata = { title: 'Trace' };

/** ?clock=raw&show=spans&entry=9&spans=all */
export default async function Page({
  params,
  searchParams,
}: {
  params: Promise<{ traceId: string }>;
  searchParams: Asked;
}) {
  const { traceId } = await params;
  const asked = await searchParams;
  const { view, trouble } = await ask((context) => traceView(context, { traceId }));
  if (view === null) return trouble;
  const query: TraceQuery = {
    raw: one(asked.clock) === 'raw',
    show: one(asked.show) === 'spans' ? 'spans' : 'waterfall',
    entry: /^\d{1,5}$/.test(one(asked.entry)) ? Number(one(asked.entry)) : null,
    all: one(asked.spans) === 'all',
  };
  return <TracePage trace={view} query={query} nowMs={Number(hopscope().clock() / 1_000_000n)} />;
}
