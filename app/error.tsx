'use client';

import { useState } from 'react';
import { RetryButton } from '#components/shell/retry-button.tsx';
import { buttonClass } from '#components/ui/button.tsx';
import { formatAbsolute } from '#components/ui/format.ts';

/** What no view expected. In production the cause stays in the server's log, under this number. */
export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const [atMs] = useState(() => Date.now());
  return (
    <div className="mx-auto flex max-w-160 flex-col items-start gap-3 px-4 py-14" role="alert">
      <h1 className="text-title font-title">This page could not be drawn</h1>
      <p className="text-sentence text-ink2">
        {error.digest === undefined
          ? error.message
          : 'The cause is in the log of the program that serves this page, under the number below.'}{' '}
        What was received is stored all the same; the other pages keep working.
      </p>
      <p className="text-dense text-ink3">
        {formatAbsolute(atMs)}
        {error.digest !== undefined && (
          <>
            , number <code className="font-mono">{error.digest}</code>
          </>
        )}
      </p>
      <p className="flex flex-wrap gap-2">
        <RetryButton reset={reset} />
        <a href="/status" className={buttonClass('plain')}>
          Status
        </a>
      </p>
    </div>
  );
}
