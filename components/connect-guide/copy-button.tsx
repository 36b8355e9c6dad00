'use client';

import { useEffect, useState } from 'react';
import { Icon } from '../ui/icon.tsx';

/** Over plain http on another host the browser has no clipboard: then the lines are selected instead. */
export function CopyButton({ text, what, targetId }: { text: string; what: string; targetId: string }) {
  const [done, setDone] = useState<'no' | 'copied' | 'selected'>('no');
  useEffect(() => {
    if (done === 'no') return;
    const timer = setTimeout(() => setDone('no'), 2_000);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone('copied');
    } catch {
      const target = document.getElementById(targetId);
      if (target) window.getSelection()?.selectAllChildren(target);
      setDone('selected');
    }
  };
  return (
    <button
      type="button"
      onClick={() => void copy()}
      aria-label={`Copy ${what}`}
      className="inline-flex h-7 items-center gap-1.5 rounded-button border border-line2 bg-panel px-2 text-dense text-ink2 hover:bg-hover hover:text-ink max-phone:h-11 max-phone:px-3"
    >
      <Icon name={done === 'copied' ? 'check' : 'copy'} size={14} />
      <span aria-live="polite">{done === 'copied' ? 'Copied' : done === 'selected' ? 'Selected' : 'Copy'}</span>
    </button>
  );
}
