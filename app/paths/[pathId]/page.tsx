import type { Metadata } from 'next';
import { PathPage } from '#components/path-detail/path-page.tsx';
import { pathQuerySchema, pathView } from '#lib/views/path-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { type Asked, ask, one } from '../../_ask.tsx';
import { siteNames } from '../../hops/_site-names.ts';

export const metadata: Metadata = { title: 'Path' };

/** ?from&to&variant&show=table */
export default async function Page({
  params,
  searchParams,
}: {
  params: Promise<{ pathId: string }>;
  searchParams: Asked;
}) {
  const { pathId } = await params;
  const asked = await searchParams;
  const { view, trouble } = await ask((context) =>
    pathView(context, { ...readQuery(pathQuerySchema, asked), id: pathId }),
  );
  if (view === null) return trouble;
  return (
    <PathPage
      view={view}
      asked={one(asked.variant)}
      show={one(asked.show) === 'table' ? 'table' : 'lines'}
      siteNames={siteNames()}
    />
  );
}
