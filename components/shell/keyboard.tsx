'use client';

import { useEffect, useRef, useState } from 'react';
import { Icon } from '../ui/icon.tsx';

const keys: [string, string][] = [
  ['/', 'search'],
  ['g f', 'fleet'],
  ['g h', 'hops'],
  ['g r', 'request paths'],
  ['g t', 'traces'],
  ['g o', 'topics'],
  ['g d', 'devices'],
  ['g a', 'alerts'],
  ['[  ]', 'range earlier, later'],
  ['t', 'table instead of drawing'],
  ['J  K', 'next, previous row'],
  ['Enter', 'open'],
  ['a', 'acknowledge the alert'],
  ['c', 'clock: corrected or raw'],
  ['Space', 'pause live updates'],
  ['Esc', 'close'],
  ['?', 'this list'],
];

const setting = 'hopscope.single-keys';

/**
 * Every control says its own key (`data-key`); this only presses it. So a page adds a key by drawing a control.
 * Single keys can be switched off (WCAG 2.1.4).
 */
export function Keyboard() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [enabled, setEnabled] = useState(true);

  useEffect(() => setEnabled(localStorage.getItem(setting) !== 'off'), []);

  useEffect(() => {
    let firstMs = 0;
    const press = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const typing = target.closest('input, textarea, select, [contenteditable="true"]') !== null;
      if (event.key === 'Escape') {
        if (typing) target.blur();
        // what a press opened on the page (a site on the map) closes again
        for (const open of document.querySelectorAll<HTMLDetailsElement>('details[name][open]')) open.open = false;
      }
      if (typing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (dialog.current?.open || !enabled) return;
      // space and enter belong to the control that has the focus
      if (event.key === ' ' && target.closest('a, button, summary, [tabindex], dialog') !== null) return;
      if (event.key === '?') {
        dialog.current?.showModal();
        return;
      }
      if (event.key === 'g') {
        firstMs = event.timeStamp;
        return;
      }
      const key = firstMs > 0 && event.timeStamp - firstMs < 1_500 ? `g ${event.key}` : event.key;
      firstMs = 0;
      const control = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
      if (control === null) return;
      event.preventDefault();
      if (control instanceof HTMLInputElement) {
        control.focus();
        control.select();
      } else control.click();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [enabled]);

  const close = () => dialog.current?.close();
  return (
    <>
      <button
        type="button"
        onClick={() => dialog.current?.showModal()}
        className="inline-flex min-h-6 items-center text-acc hover:underline max-phone:min-h-11"
      >
        Keyboard
      </button>
      <dialog
        ref={dialog}
        aria-labelledby="keys-title"
        onClick={(event) => event.target === dialog.current && close()}
        onKeyDown={(event) => event.key === 'Escape' && close()}
        className="m-auto w-90 max-w-[calc(100vw-2rem)] rounded-panel border border-line2 bg-panel p-0 text-ink backdrop:bg-bg/70"
      >
        <div className="flex items-center justify-between border-b border-line px-3.5 py-1.5">
          <h2 id="keys-title" className="text-body font-title">
            Keyboard
          </h2>
          <button
            type="button"
            onClick={close}
            aria-label="Close"
            className="inline-flex size-7 items-center justify-center rounded-button text-ink2 hover:bg-hover max-phone:size-11"
          >
            <Icon name="close" />
          </button>
        </div>
        <dl className="grid grid-cols-[5.5rem_1fr] gap-y-1.5 p-3.5">
          {keys.map(([key, what]) => (
            <div key={key} className="contents">
              <dt>
                <kbd className="rounded-bar border border-line2 bg-raised px-1.5 py-0.5 font-sans text-dense whitespace-pre">
                  {key}
                </kbd>
              </dt>
              <dd className="text-ink2">{what}</dd>
            </div>
          ))}
        </dl>
        <label className="flex min-h-10 items-center gap-2 border-t border-line px-3.5 text-ink2">
          <input
            type="checkbox"
            checked={enabled}
            className="size-4 accent-acc"
            onChange={(event) => {
              setEnabled(event.target.checked);
              localStorage.setItem(setting, event.target.checked ? 'on' : 'off');
            }}
          />
          Single keys act
        </label>
      </dialog>
    </>
  );
}
