import type { Metadata } from 'next';
import { DeviceBoard } from '#components/device-card/device-board.tsx';
import { deviceQuerySchema, deviceView } from '#lib/views/device-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { type Asked, ask, one } from '../../_ask.tsx';
import { siteNames } from '../../hops/_site-names.ts';

type Params = Promise<{ deviceId: string }>;

export async function generateMetadata({ params }: { params: Params }): Promise<Metadata> {
  return { title: decodeURIComponent((await params).deviceId) };
}

/** ?from&to&view=table */
export default async function DevicePage({ params, searchParams }: { params: Params; searchParams: Asked }) {
  const asked = await searchParams;
  const id = decodeURIComponent((await params).deviceId);
  const { view, trouble } = await ask((context) => deviceView(context, { ...readQuery(deviceQuerySchema, asked), id }));
  if (view === null) return trouble;
  return <DeviceBoard view={view} siteNames={siteNames()} table={one(asked.view) === 'table'} />;
}
