import type { Metadata } from 'next';
import { SilencesPage } from '#components/alert-settings/silences-page.tsx';
import { readQuery } from '#lib/views/query.ts';
import { silencesQuerySchema, silencesView } from '#lib/views/silences-view.ts';
import { ask } from '../../_ask.tsx';

export const metadata: Metadata = { title: 'Silences' };

export default async function Page() {
  const { view, trouble } = await ask((context) => silencesView(context, readQuery(silencesQuerySchema, {})));
  if (view === null) return trouble;
  return <SilencesPage view={view} />;
}
