import type { Metadata } from 'next';
import { DeviceBoard } from '#components/device-table/device-board.tsx';
import { type DeviceSort, deviceSorts, startsDescending } from '#components/device-table/device-order.ts';
import { devicesQuerySchema, devicesView } from '#lib/views/devices-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { deviceStateSchema } from '#lib/views/schemas.ts';
import { type Asked, ask, one } from '../_ask.tsx';
import { siteNames } from '../hops/_site-names.ts';

export const metadata: Metadata = { title: 'Devices' };

/** ?from&to&site&state&q&sort&order. The view is asked for all, so that the filter can say how many each choice has. */
export default async function DevicesPage({ searchParams }: { searchParams: Asked }) {
  const asked = await searchParams;
  const { view, trouble } = await ask((context) =>
    devicesView(context, { ...readQuery(devicesQuerySchema, asked), site: undefined, state: undefined }),
  );
  if (view === null) return trouble;
  const sort: DeviceSort = deviceSorts.find((each) => each === one(asked.sort)) ?? 'name';
  const order = one(asked.order);
  return (
    <DeviceBoard
      view={view}
      siteNames={siteNames()}
      filter={{
        q: one(asked.q).slice(0, 200),
        site: one(asked.site),
        state: deviceStateSchema.options.find((each) => each === one(asked.state)) ?? '',
        sort,
        descending: order === '' ? startsDescending(sort) : order === 'desc',
      }}
    />
  );
}
