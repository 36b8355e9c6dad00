import type { AlertView } from '#lib/views/alert-schemas.ts';
import { AlertBody } from './alert-body.tsx';

const mostFolded = 10;
const mostLines = 20;
const mostChanges = 3;

/** As much of an alert as a small document has room for, and how much there is besides. */
export function AlertPage({ view }: { view: AlertView }) {
  const { folded, history, changes, messages } = view;
  return (
    <AlertBody
      view={{
        ...view,
        folded: folded.slice(0, mostFolded),
        history: history.slice(-mostLines),
        changes: changes.slice(0, mostChanges),
        messages: messages.filter((message) => message.state !== 'sent' && message.error !== ''),
      }}
      folded={{ all: folded.length, still: folded.filter((finding) => finding.until === null).length }}
      earlierLines={Math.max(0, history.length - mostLines)}
    />
  );
}
