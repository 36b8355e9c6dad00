'use client';

import { useState } from 'react';
import { Icon } from '../ui/icon.tsx';

/** Says that nothing on screen is real. Closed by a cookie, so it does not come back with the next page. */
export function DemoBanner() {
  const [closed, setClosed] = useState(false);
  if (closed) return null;
  return (
    <section
      aria-label="Demo"
      className="flex min-h-8 items-center gap-2 border-b border-line bg-raised px-4 text-dense text-ink2"
    >
      <p className="py-1.5">
        <strong className="font-strong text-ink">Demo fleet:</strong> 26 simulated machines at five sites, real MQTT and
        OpenTelemetry. For your own, start with <code className="font-mono text-ink">--no-demo</code> or put a{' '}
        <code className="font-mono text-ink">hopscope.yaml</code> beside it.
      </p>
      <button
        type="button"
        aria-label="Close the demo note"
        onClick={() => {
          setClosed(true);
          // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser we support
          document.cookie = 'demo-note=closed; path=/; max-age=604800; samesite=lax';
        }}
        className="ms-auto inline-flex size-6 shrink-0 items-center justify-center rounded-button text-ink2 hover:bg-hover max-phone:size-11"
      >
        <Icon name="close" size={14} />
      </button>
    </section>
  );
}
