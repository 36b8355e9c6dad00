'use client';

import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { type FormEvent, useEffect, useRef } from 'react';
import { Button } from '../ui/button.tsx';
import { formatClock, formatDay } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { PendingBar } from './nav.tsx';

export interface RangeChoice {
  label: string;
  href: string;
  current: boolean;
}

const words: Record<string, string> = { s: 's', m: 'min', h: 'h', d: 'd' };

/** "Last 15 min", or null where the range is not "the last so much". */
export function lastWords(fromText: string, toText: string): string | null {
  const match = /^now-(\d+)([smhd])$/.exec(fromText);
  return match && toText === 'now' ? `Last ${match[1]} ${words[match[2]!]}` : null;
}

/** 02:12 – 03:12 UTC; the day stands in front where the range is not within one. */
export function rangeClock(fromMs: number, toMs: number, fixed: boolean): string {
  const sameDay = formatDay(fromMs) === formatDay(toMs);
  if (!sameDay) return `${formatDay(fromMs)} ${formatClock(fromMs)} – ${formatDay(toMs)} ${formatClock(toMs)} UTC`;
  return `${fixed ? `${formatDay(fromMs)} ` : ''}${formatClock(fromMs)} – ${formatClock(toMs)} UTC`;
}

/** The URL is the state: every choice is a link, the rest of the query goes along. */
export function RangePicker({
  fromText,
  toText,
  fromMs,
  toMs,
  wrong,
  presets,
  refreshes,
  earlier,
  later,
  fixed,
  hidden,
  hrefOf,
}: {
  fromText: string;
  toText: string;
  fromMs: number;
  toMs: number;
  /** a range that could not be read, in words */
  wrong: string | null;
  presets: RangeChoice[];
  refreshes: RangeChoice[];
  /** shifted by half the range; null = cannot */
  earlier: string;
  later: string;
  /** the same range with absolute ends; null when it is so already */
  fixed: string | null;
  /** what else the query holds, for the form that works without script */
  hidden: [string, string][];
  hrefOf: (from: string, to: string) => string;
}) {
  const details = useRef<HTMLDetailsElement>(null);
  const router = useRouter();
  const close = () => {
    if (details.current) details.current.open = false;
  };

  useEffect(() => {
    const outside = (event: Event) => {
      if (details.current?.open && !details.current.contains(event.target as Node)) details.current.open = false;
    };
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !details.current?.open) return;
      details.current.open = false;
      details.current.querySelector('summary')?.focus();
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('keydown', onEscape);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('keydown', onEscape);
    };
  }, []);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    close();
    router.push(hrefOf(utc(String(form.get('from'))), utc(String(form.get('to')))));
  };

  const last = lastWords(fromText, toText);
  const choice =
    'relative inline-flex h-7 items-center justify-center rounded-button border px-2 text-dense font-control max-phone:h-11';
  return (
    <details ref={details} className="relative">
      <summary className="flex h-7.5 list-none items-center gap-2 rounded-button border border-line2 px-2.5 text-dense hover:bg-hover max-phone:h-11 [&::-webkit-details-marker]:hidden">
        <Icon name="clock" size={14} className="text-ink2 max-phone:hidden" />
        <span className="sr-only">Time range:</span>
        {last && <span className="font-control whitespace-nowrap">{last}</span>}
        <span className={`whitespace-nowrap ${last ? 'text-ink3 max-desk:hidden' : 'font-control'}`}>
          {rangeClock(fromMs, toMs, last === null)}
        </span>
        <Icon name="chevronDown" size={12} className="text-ink3" />
      </summary>
      <div className="absolute end-0 top-full z-40 mt-1.5 flex w-96 max-w-[calc(100vw-2rem)] flex-col gap-3 rounded-panel border border-line2 bg-panel p-3.5 max-phone:fixed max-phone:inset-x-4 max-phone:top-28 max-phone:w-auto">
        {wrong !== null && (
          <p role="alert" className="text-dense text-over">
            {wrong}
          </p>
        )}
        <div>
          <p className="mb-1.5 text-note text-ink3">Up to now</p>
          <ul className="grid grid-cols-4 gap-1.5">
            {presets.map((preset) => (
              <li key={preset.label} className="flex">
                <Link
                  href={preset.href}
                  prefetch={false}
                  scroll={false}
                  onClick={close}
                  aria-current={preset.current ? 'true' : undefined}
                  className={`${choice} w-full ${preset.current ? 'border-acc bg-acc-tint text-ink' : 'border-line2 text-ink2 hover:bg-hover'}`}
                >
                  {preset.label}
                  <PendingBar />
                </Link>
              </li>
            ))}
          </ul>
        </div>
        <form method="get" onSubmit={submit} className="flex flex-col gap-2 border-t border-line pt-3">
          {hidden.map(([name, value]) => (
            <input key={name} type="hidden" name={name} value={value} />
          ))}
          <div className="grid grid-cols-2 gap-2">
            {(
              [
                ['from', 'From, UTC', fromMs],
                ['to', 'To, UTC', toMs],
              ] as const
            ).map(([name, label, ms]) => (
              <label key={name} className="flex min-w-0 flex-col gap-1 text-note text-ink3">
                {label}
                <input
                  // a new range fills the form anew
                  key={`${fromText} ${toText}`}
                  type="datetime-local"
                  name={name}
                  required
                  step={60}
                  defaultValue={new Date(ms).toISOString().slice(0, 16)}
                  className="h-7.5 w-full min-w-0 rounded-button border border-ctl bg-panel px-1.5 text-note text-ink max-phone:h-11"
                />
              </label>
            ))}
          </div>
          <Button type="submit" small>
            Show this range
          </Button>
        </form>
        <div className="flex flex-wrap items-center gap-1.5 border-t border-line pt-3">
          <Link
            href={earlier}
            prefetch={false}
            scroll={false}
            data-key="["
            aria-keyshortcuts="["
            className={`${choice} gap-1 border-line2 text-ink2 hover:bg-hover`}
          >
            <Icon name="left" size={12} /> Earlier
            <PendingBar />
          </Link>
          <Link
            href={later}
            prefetch={false}
            scroll={false}
            data-key="]"
            aria-keyshortcuts="]"
            className={`${choice} gap-1 border-line2 text-ink2 hover:bg-hover`}
          >
            Later <Icon name="right" size={12} />
            <PendingBar />
          </Link>
          {fixed !== null && (
            <Link
              href={fixed}
              prefetch={false}
              scroll={false}
              onClick={close}
              className={`${choice} ms-auto gap-1 border-line2 text-ink2 hover:bg-hover`}
            >
              <Icon name="fix" size={12} /> Fix range
            </Link>
          )}
        </div>
        <div className="flex flex-wrap items-center gap-1.5 border-t border-line pt-3">
          <p className="me-auto text-note text-ink3">Refresh</p>
          {refreshes.map((refresh) => (
            <Link
              key={refresh.label}
              href={refresh.href}
              prefetch={false}
              scroll={false}
              replace
              aria-current={refresh.current ? 'true' : undefined}
              className={`inline-flex h-6 items-center rounded-bar px-1.5 text-dense max-phone:h-11 max-phone:px-2.5 ${refresh.current ? 'bg-acc-tint font-control text-ink' : 'text-ink2 hover:bg-hover'}`}
            >
              {refresh.label}
            </Link>
          ))}
        </div>
      </div>
    </details>
  );
}

/** The inputs hold wall-clock text in UTC; the URL holds RFC 3339. */
const utc = (text: string): string => {
  const ms = Date.parse(`${text}Z`);
  return Number.isNaN(ms) ? text : new Date(ms).toISOString().replace('.000Z', 'Z');
};
