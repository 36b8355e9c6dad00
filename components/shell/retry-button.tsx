'use client';

import { useRouter } from 'next/navigation';
import { useTransition } from 'react';
import { Button } from '../ui/button.tsx';

/** Asks the server for this very address again. */
export function RetryButton({ reset }: { reset?: () => void }) {
  const router = useRouter();
  const [pending, start] = useTransition();
  return (
    <Button
      kind="primary"
      disabled={pending}
      onClick={() =>
        start(() => {
          router.refresh();
          reset?.();
        })
      }
    >
      {pending ? 'Asking …' : 'Retry'}
    </Button>
  );
}
