import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { TracesPage } from '#components/trace-table/traces-page.tsx';
import { formParams, traceIdOf, tracesFormOf } from '#components/trace-table/traces-query.ts';
import { readQuery } from '#lib/views/query.ts';
import { tracesQuerySchema, tracesView } from '#lib/views/traces-view.ts';
import { type Asked, ask, one } from '../_ask.tsx';
import { siteNames } from '../hops/_site-names.ts';

export const metadata: Metadata = { title: 'Traces' };

/** ?from&to&service&name&hop&minDuration&maxDuration&errors&order&cursor; ?id= opens a trace */
export default async function Page({ searchParams }: { searchParams: Asked }) {
  const asked = await searchParams;
  const id = one(asked.id).trim();
  const traceId = traceIdOf(id);
  if (traceId !== null) redirect(`/traces/${traceId}`);
  const form = tracesFormOf(asked);
  const fields = Object.entries({ from: one(asked.from), to: one(asked.to), cursor: form.cursor, ...formParams(form) });
  const { view, trouble } = await ask((context) =>
    tracesView(context, readQuery(tracesQuerySchema, Object.fromEntries(fields.filter(([, value]) => value !== '')))),
  );
  if (view === null) return trouble;
  return <TracesPage view={view} form={form} wrongId={id === '' ? null : id.slice(0, 100)} siteNames={siteNames()} />;
}
