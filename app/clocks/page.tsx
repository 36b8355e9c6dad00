import type { Metadata } from 'next';
import { ClocksPage } from '#components/hop-clocks/clocks-page.tsx';
import { clocksQuerySchema, clocksView } from '#lib/views/clocks-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { ask } from '../_ask.tsx';
import { hopscope } from '../_server.ts';
import { siteNames } from '../hops/_site-names.ts';

export const metadata: Metadata = { title: 'Clocks' };

export default async function Page() {
  const { view, trouble } = await ask((context) => clocksView(context, readQuery(clocksQuerySchema, {})));
  if (view === null) return trouble;
  return <ClocksPage view={view} nowMs={Number(hopscope().clock() / 1_000_000n)} siteNames={siteNames()} />;
}
