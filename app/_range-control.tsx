'use client';

import { usePathname, useSearchParams } from 'next/navigation';
import { useEffect, useState } from 'react';
import { RangePicker } from '#components/shell/range-picker.tsx';
import { defaultFromOf, parseRange, presets } from '#lib/views/range.ts';

const refreshChoices = ['live', '5s', '10s', '30s', '1m', 'off'];

/**
 * Reads the range from the URL and gives the picker the URLs that lead to others. Lives in app: components parse no URL.
 * `startMs`: the server's now, so that both draw the same first picture.
 */
export function RangeControl({ startMs }: { startMs: number }) {
  const pathname = usePathname();
  const params = useSearchParams();
  const [nowMs, setNowMs] = useState(startMs);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);

  const defaultFrom = defaultFromOf(pathname);
  const asked = parseRange(params.get('from') ?? defaultFrom, params.get('to') ?? undefined, nowMs);
  const wrong = 'wanted' in asked ? `${asked.parameter}: found "${asked.found}", wanted ${asked.wanted}.` : null;
  const range = 'wanted' in asked ? parseRange(defaultFrom, undefined, nowMs) : asked;
  // one alert, its rules, its silences: there is no range to choose
  if ('wanted' in range || pathname.startsWith('/alerts/')) return null;

  const href = (changes: Record<string, string | null>): string => {
    const query = new URLSearchParams(params);
    // a cursor belongs to the range it was made for
    query.delete('cursor');
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    return text ? `${pathname}?${text}` : pathname;
  };
  const absolute = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');
  const between = (fromMs: number, toMs: number) => href({ from: absolute(fromMs), to: absolute(toMs) });
  const half = (range.toMs - range.fromMs) / 2;
  const laterToMs = Math.min(range.toMs + half, nowMs);

  return (
    <RangePicker
      fromText={range.fromText}
      toText={range.toText}
      fromMs={range.fromMs}
      toMs={range.toMs}
      wrong={wrong}
      presets={presets.map((preset) => ({
        label: preset,
        href: href(`now-${preset}` === defaultFrom ? { from: null, to: null } : { from: `now-${preset}`, to: 'now' }),
        current: range.fromText === `now-${preset}` && range.toText === 'now',
      }))}
      refreshes={refreshChoices.map((choice) => ({
        label: choice,
        href: href({ refresh: choice === 'live' ? null : choice }),
        current: (params.get('refresh') ?? 'live') === choice,
      }))}
      earlier={between(range.fromMs - half, range.toMs - half)}
      later={between(laterToMs - 2 * half, laterToMs)}
      fixed={range.live || range.fromText.startsWith('now') ? between(range.fromMs, range.toMs) : null}
      hidden={[...params].filter(([name]) => !['from', 'to', 'cursor'].includes(name))}
      hrefOf={(from, to) => href({ from, to })}
    />
  );
}
