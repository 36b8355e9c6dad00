'use client';

import { useRouter, useSearchParams } from 'next/navigation';
import { useEffect, useRef, useState, useTransition } from 'react';
import { formatAge, formatClockSeconds } from '../ui/format.ts';

const shortestMs = 2_000;
/** a window that ends now moves even when nothing arrives: silence has to become visible */
const longestMs = 10_000;
const staleAfterMs = 30_000;
const steps: Record<string, number> = { '5s': 5_000, '10s': 10_000, '30s': 30_000, '1m': 60_000, '5m': 300_000 };

type Heard = { arrivalMs: number; receivedMs: number };

/**
 * The one place that listens to the server. It never holds data: it asks the router to draw the page again, at most
 * every 2 s, never while hidden, paused, or on a range that does not move.
 */
export function LiveUpdates() {
  const router = useRouter();
  const params = useSearchParams();
  const fixed = !(params.get('to') ?? 'now').startsWith('now');
  const refresh = params.get('refresh') ?? 'live';
  const [paused, setPaused] = useState(false);
  const [connected, setConnected] = useState(true);
  const [heard, setHeard] = useState<Heard | null>(null);
  const [nowMs, setNowMs] = useState(0);
  const [pending, startTransition] = useTransition();
  const busy = useRef(false);
  busy.current = pending;

  const moving = !fixed && !paused;
  const listening = moving && refresh === 'live';

  useEffect(() => {
    if (!moving || refresh === 'off') return;
    let lastMs = Date.now();
    let due: ReturnType<typeof setTimeout> | undefined;
    const redraw = () => {
      due = undefined;
      if (document.hidden) return;
      // the answer to the last question is still on its way: ask again when it is there
      if (busy.current) {
        due = setTimeout(redraw, 250);
        return;
      }
      lastMs = Date.now();
      startTransition(() => router.refresh());
    };
    const soon = () => {
      due ??= setTimeout(redraw, Math.max(0, lastMs + shortestMs - Date.now()));
    };
    const every = setInterval(soon, refresh === 'live' ? longestMs : (steps[refresh] ?? longestMs));
    const shown = () => {
      if (!document.hidden) soon();
    };
    document.addEventListener('visibilitychange', shown);

    let source: EventSource | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let waitMs = 1_000;
    const connect = () => {
      source = new EventSource('/api/v1/stream');
      source.onopen = () => {
        waitMs = 1_000;
        setConnected(true);
      };
      const hear = (event: MessageEvent<string>) => {
        const arrivalMs = arrivalOf(event.data);
        if (arrivalMs === null) return;
        // what people did comes with the arrival of the newest data, which is as old as it was
        setHeard((last) => (last?.arrivalMs === arrivalMs ? last : { arrivalMs, receivedMs: Date.now() }));
        soon();
      };
      source.addEventListener('message', hear);
      source.addEventListener('change', hear);
      source.onerror = () => {
        setConnected(false);
        // the browser tries again by itself unless the server refused; then we do, more and more slowly
        if (source?.readyState !== EventSource.CLOSED) return;
        retry = setTimeout(connect, waitMs);
        waitMs = Math.min(30_000, waitMs * 2);
      };
    };
    if (listening) connect();

    return () => {
      clearInterval(every);
      clearTimeout(due);
      clearTimeout(retry);
      document.removeEventListener('visibilitychange', shown);
      source?.close();
    };
  }, [moving, listening, refresh, router]);

  useEffect(() => {
    setNowMs(Date.now());
    const tick = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(tick);
  }, []);

  const behindMs = heard === null ? null : Math.max(0, nowMs - heard.receivedMs);
  const stale = listening && (!connected || (behindMs !== null && behindMs > staleAfterMs));
  const state = fixed ? 'fixed' : paused ? 'paused' : refresh === 'off' ? 'off' : stale ? 'stale' : 'live';
  const word = {
    fixed: 'Fixed range',
    paused: 'Paused',
    off: 'Refresh off',
    stale: 'Stale',
    live: refresh === 'live' ? 'Live' : `Every ${refresh}`,
  }[state];
  const detail =
    state === 'stale'
      ? heard === null
        ? 'not connected'
        : `last data ${formatClockSeconds(heard.arrivalMs)} UTC`
      : state === 'live' && behindMs !== null && listening
        ? `${formatAge(behindMs)} behind`
        : null;

  return (
    <>
      <button
        type="button"
        data-key=" "
        aria-keyshortcuts="Space"
        aria-pressed={paused}
        disabled={fixed}
        onClick={() => setPaused(!paused)}
        title={fixed ? 'A range with a fixed end does not move' : paused ? 'Resume (Space)' : 'Pause (Space)'}
        className="inline-flex h-7.5 items-center gap-2 rounded-button px-1.5 text-dense enabled:hover:bg-hover max-phone:h-11"
      >
        <span
          aria-hidden="true"
          className={`size-2 rounded-full border ${
            state === 'live'
              ? 'border-ok bg-ok shadow-[0_0_0_3px_color-mix(in_srgb,var(--ok)_18%,transparent)]'
              : 'border-ink3 bg-transparent'
          }`}
        />
        <span className={`font-control whitespace-nowrap ${state === 'stale' ? 'text-noticeable' : 'text-ink'}`}>
          {word}
        </span>
        <span className="sr-only">
          {fixed ? 'live updates are off' : paused ? 'resume live updates' : 'pause live updates'}
        </span>
        {detail !== null && (
          <span className="min-w-14 text-start whitespace-nowrap text-ink3 max-wide:hidden">{detail}</span>
        )}
      </button>
      <p role="status" className="sr-only">
        {state === 'stale' ? `Stale, ${detail}` : state === 'paused' ? 'Live updates paused' : ''}
      </p>
    </>
  );
}

function arrivalOf(text: string): number | null {
  try {
    const parsed: unknown = JSON.parse(text);
    const arrivalMs = (parsed as { arrivalMs?: unknown } | null)?.arrivalMs;
    return typeof arrivalMs === 'number' ? arrivalMs : Date.now();
  } catch {
    return null;
  }
}
