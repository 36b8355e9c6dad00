import type { Metadata } from 'next';
import { HopPage, type HopShow, hopShows } from '#components/hop-detail/hop-page.tsx';
import { withSiteNames } from '#components/hop-head/hop-name.tsx';
import { hopQuerySchema, hopView } from '#lib/views/hop-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { type Asked, ask, one } from '../../_ask.tsx';
import { siteNames } from '../_site-names.ts';

export const metadata: Metadata = { title: 'Hop' };

/** ?from&to&show=lines|table */
export default async function Page({
  params,
  searchParams,
}: {
  params: Promise<{ hopId: string }>;
  searchParams: Asked;
}) {
  const { hopId } = await params;
  const asked = await searchParams;
  const { view, trouble } = await ask((context) =>
    hopView(context, { ...readQuery(hopQuerySchema, asked), id: hopId.toLowerCase() }),
  );
  if (view === null) return trouble;
  const show: HopShow = hopShows.find((each) => each === one(asked.show)) ?? 'heat';
  return <HopPage view={{ ...view, hop: withSiteNames(view.hop, siteNames()) }} show={show} />;
}
