import type { Metadata } from 'next';
import { headers } from 'next/headers';
import { AlertPage } from '#components/alert-page/alert-page.tsx';
import { DocumentAlone } from '#components/alert-page/document-alone.tsx';
import { alertView } from '#lib/views/alert-view.ts';
import { ask } from '../../_ask.tsx';

export const metadata: Metadata = { title: 'Alert' };

/** Where a message leads: all of it in one document. */
export default async function Page({ params }: { params: Promise<{ alertId: string }> }) {
  const { alertId } = await params;
  const { view, trouble } = await ask((context) => alertView(context, { id: decodeURIComponent(alertId) }));
  if (view === null) return trouble;
  return (
    <>
      <DocumentAlone nonce={(await headers()).get('x-nonce') ?? ''} />
      <AlertPage view={view} />
    </>
  );
}
