'use client';

import { useEffect, useState } from 'react';
import { formatClock } from '../ui/format.ts';

/** 03:41 CET: the clock on the reader's wall. The server does not know it, so without scripts it is UTC. */
export function LocalClock({ atMs }: { atMs: number }) {
  const [text, setText] = useState(`${formatClock(atMs)} UTC`);
  useEffect(() => {
    const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' });
    setText(clock.format(atMs));
  }, [atMs]);
  return <time dateTime={new Date(atMs).toISOString()}>{text}</time>;
}
