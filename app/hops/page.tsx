import type { Metadata } from 'next';
import { HopsPage } from '#components/hop-table/hops-page.tsx';
import { hopsQueryOf } from '#components/hop-table/hops-query.ts';
import { hopsQuerySchema, hopsView } from '#lib/views/hops-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { type Asked, ask } from '../_ask.tsx';
import { siteNames } from './_site-names.ts';

export const metadata: Metadata = { title: 'Hops' };

/** ?from&to&q&application&service&site&verdict&path&sort&order. The view is asked for all, so that the filters know every choice. */
export default async function Page({ searchParams }: { searchParams: Asked }) {
  const asked = await searchParams;
  const { from, to } = asked;
  const { view, trouble } = await ask((context) =>
    hopsView(context, readQuery(hopsQuerySchema, { from, to, limit: '5000' })),
  );
  if (view === null) return trouble;
  return <HopsPage view={view} query={hopsQueryOf(asked)} siteNames={siteNames()} />;
}
