import type { Metadata } from 'next';
import { RulesPage } from '#components/alert-settings/rules-page.tsx';
import { rulesView } from '#lib/views/rules-view.ts';
import { ask } from '../../_ask.tsx';
import { hopscope } from '../../_server.ts';

export const metadata: Metadata = { title: 'Rules' };

export default async function Page() {
  const { view, trouble } = await ask((context) => rulesView(context));
  if (view === null) return trouble;
  return <RulesPage view={view} webUrl={hopscope().config.delivery.publicUrl} />;
}
