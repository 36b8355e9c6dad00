import type { Metadata } from 'next';
import { StatusBoard } from '#components/shell/status-board.tsx';
import { statusView } from '#lib/views/status-view.ts';
import { ask } from '../_ask.tsx';

export const metadata: Metadata = { title: 'Status' };

export default async function StatusPage() {
  const { view: answer, trouble } = await ask(async (context) => ({
    view: await statusView(context),
    nowMs: context.nowMs,
  }));
  if (answer === null) return trouble;
  return <StatusBoard view={answer.view} nowMs={answer.nowMs} />;
}
