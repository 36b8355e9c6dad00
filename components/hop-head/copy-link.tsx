'use client';

import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';

/** The URL is the state: copying it is sharing what is on the screen. Without script the address bar does the same. */
export function CopyLink() {
  const [copied, setCopied] = useState<'yes' | 'no' | null>(null);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(window.location.href);
      setCopied('yes');
    } catch {
      // plain http on another machine than this one: browsers keep the clipboard closed
      setCopied('no');
    }
    setTimeout(() => setCopied(null), 2_000);
  };
  return (
    <Button onClick={() => void copy()}>
      <Icon name={copied === 'yes' ? 'check' : 'copy'} />
      <span aria-live="polite">
        {copied === null ? 'Copy link' : copied === 'yes' ? 'Copied' : 'Copy it from the address bar'}
      </span>
    </Button>
  );
}
