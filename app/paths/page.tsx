import type { Metadata } from 'next';
import { PathsPage } from '#components/path-table/paths-page.tsx';
import { pathsQueryOf } from '#components/path-table/paths-query.ts';
import { pathsQuerySchema, pathsView } from '#lib/views/paths-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { type Asked, ask } from '../_ask.tsx';
import { siteNames } from '../hops/_site-names.ts';

export const metadata: Metadata = { title: 'Paths' };

/** ?from&to&q&application&service&site&verdict&hop&sort&order. The view is asked for all but the hop's, so that the filters know every choice. */
export default async function Page({ searchParams }: { searchParams: Asked }) {
  const asked = await searchParams;
  const { from, to, hop } = asked;
  const { view, trouble } = await ask((context) => pathsView(context, readQuery(pathsQuerySchema, { from, to, hop })));
  if (view === null) return trouble;
  return <PathsPage view={view} query={pathsQueryOf(asked)} siteNames={siteNames()} />;
}
