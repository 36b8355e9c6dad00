'use client';

import { useRouter } from 'next/navigation';
import { type FormEvent, type ReactNode, useState } from 'react';

interface Answer {
  /** of a problem (RFC 9457) */
  detail?: string;
  title?: string;
  /** of what was done, where there is something to say */
  sentence?: string;
}

/**
 * A plain form that posts and comes back to a page. With scripts it stays on the page, says what went wrong beside the button,
 * and the page is drawn anew.
 */
export function WorkForm({
  action,
  back,
  className = '',
  children,
}: {
  action: string;
  /** the page to come back to; the action's own if left out */
  back?: string;
  className?: string;
  children: ReactNode;
}) {
  const router = useRouter();
  const [trouble, setTrouble] = useState('');
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const { submitter } = event.nativeEvent as SubmitEvent;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form, submitter)) body.append(name, String(value));
    setBusy(true);
    setTrouble('');
    setSaid('');
    try {
      const response = await fetch(action, { method: 'POST', headers: { accept: 'application/json' }, body });
      const answer = (await response.json().catch(() => ({}))) as Answer;
      if (response.ok) {
        setSaid(answer.sentence ?? '');
        form.reset();
        router.refresh();
      } else setTrouble(answer.detail ?? answer.title ?? `The server answered ${response.status}.`);
    } catch {
      setTrouble('The server did not answer. Nothing was changed, as far as we know; try again.');
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      method="post"
      action={action}
      onSubmit={(event) => void submit(event)}
      aria-busy={busy}
      className={`aria-busy:opacity-60 ${className}`}
    >
      {back !== undefined && <input type="hidden" name="back" value={back} />}
      {children}
      {trouble !== '' && (
        <p role="alert" className="w-full text-dense text-over">
          {trouble}
        </p>
      )}
      {said !== '' && (
        <p role="status" className="w-full text-dense text-ink2">
          {said}
        </p>
      )}
    </form>
  );
}
