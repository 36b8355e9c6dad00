'use client';

import { useState } from 'react';
import { Icon } from '../ui/icon.tsx';

export type Theme = 'dark' | 'light' | 'system';

const next: Record<Theme, Theme> = { system: 'dark', dark: 'light', light: 'system' };
const icons = { system: 'system', dark: 'moon', light: 'sun' } as const;

/**
 * A cookie, so the server already draws the chosen theme: no script before the first paint, no flash.
 * "system" is the absence of a choice; then the style sheet asks the browser.
 */
export function ThemeSwitch({ initial }: { initial: Theme }) {
  const [theme, setTheme] = useState(initial);
  const choose = (chosen: Theme) => {
    setTheme(chosen);
    const root = document.documentElement;
    if (chosen === 'system') delete root.dataset.theme;
    else root.dataset.theme = chosen;
    const age = chosen === 'system' ? 0 : 31_536_000;
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser we support
    document.cookie = `theme=${chosen}; path=/; max-age=${age}; samesite=lax`;
  };
  return (
    <button
      type="button"
      onClick={() => choose(next[theme])}
      aria-label={`Theme: ${theme}. Change to ${next[theme]}`}
      title={`Theme: ${theme}`}
      className="inline-flex size-7.5 items-center justify-center rounded-button border border-line2 text-ink2 hover:bg-hover hover:text-ink max-phone:size-11"
    >
      <Icon name={icons[theme]} />
    </button>
  );
}
