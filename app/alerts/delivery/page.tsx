import type { Metadata } from 'next';
import { DeliveryPage } from '#components/alert-settings/delivery-page.tsx';
import { deliveryQuerySchema, deliveryView } from '#lib/views/delivery-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { ask } from '../../_ask.tsx';

export const metadata: Metadata = { title: 'Delivery' };

export default async function Page() {
  const { view, trouble } = await ask((context) => deliveryView(context, readQuery(deliveryQuerySchema, {})));
  if (view === null) return trouble;
  return <DeliveryPage view={view} />;
}
