'use client';

import { createContext, type ReactNode, use, useMemo, useState } from 'react';
import { Icon } from '../ui/icon.tsx';

const Folded = createContext<{ folded: ReadonlySet<string>; toggle: (id: string) => void }>({
  folded: new Set(),
  toggle: () => {},
});

/** Which branches are folded; the rows themselves are drawn on the server and handed through. */
export function Folds({ initial, children }: { initial: string[]; children: ReactNode }) {
  const [folded, setFolded] = useState<ReadonlySet<string>>(() => new Set(initial));
  const value = useMemo(
    () => ({
      folded,
      toggle: (id: string) =>
        setFolded((before) => {
          const after = new Set(before);
          if (!after.delete(id)) after.add(id);
          return after;
        }),
    }),
    [folded],
  );
  return <Folded value={value}>{children}</Folded>;
}

export function FoldRow({ within, className, children }: { within: string[]; className: string; children: ReactNode }) {
  const { folded } = use(Folded);
  return (
    <tr hidden={within.some((id) => folded.has(id))} className={className}>
      {children}
    </tr>
  );
}

export function FoldButton({ id, children }: { id: string; children: ReactNode }) {
  const { folded, toggle } = use(Folded);
  const open = !folded.has(id);
  return (
    <button
      type="button"
      aria-expanded={open}
      onClick={() => toggle(id)}
      className="inline-flex min-h-6 items-center gap-1.5 max-phone:min-h-11"
    >
      <Icon name={open ? 'chevronDown' : 'chevronRight'} size={12} className="text-ink3" />
      {children}
    </button>
  );
}
