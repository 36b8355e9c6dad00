import type { Metadata } from 'next';
import { AlertsPage } from '#components/alert-table/alerts-page.tsx';
import { alertsFormOf } from '#components/alert-table/alerts-query.ts';
import { alertsQuerySchema, alertsView } from '#lib/views/alerts-view.ts';
import { readQuery } from '#lib/views/query.ts';
import { type Asked, ask } from '../_ask.tsx';

export const metadata: Metadata = { title: 'Alerts' };

/** ?from&to&state&rule&severity&application&cursor. An empty field of the form asks for nothing. */
export default async function Page({ searchParams }: { searchParams: Asked }) {
  const asked = await searchParams;
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ''));
  const { view, trouble } = await ask(async (context) => alertsView(context, readQuery(alertsQuerySchema, given)));
  if (view === null) return trouble;
  return <AlertsPage view={view} form={alertsFormOf(asked)} />;
}
