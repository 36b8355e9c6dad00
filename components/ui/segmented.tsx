import Link from 'next/link';
import type { ReactNode } from 'react';

export interface Segment {
  label: ReactNode;
  current: boolean;
  /** where the choice lives: in the URL, so it can be shared */
  href?: string;
  /** the single key that chooses it, e.g. t for the table */
  shortcut?: string;
  /** only inside a client leaf */
  onSelect?: () => void;
}

/** A choice of few: Heatmap | Lines | Table. Links by default; buttons inside a client leaf. */
export function Segmented({ label, segments }: { label: string; segments: Segment[] }) {
  const look = (current: boolean) =>
    `inline-flex h-7 items-center gap-1.5 px-2.5 text-dense whitespace-nowrap first:rounded-s-[6px] last:rounded-e-[6px] max-phone:h-11 max-phone:px-4 ${
      current
        ? 'bg-hover font-control text-ink shadow-[inset_0_-2px_0_var(--acc)]'
        : 'text-ink2 hover:bg-hover hover:text-ink'
    }`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring a legend and a form's meaning
    <div
      role="group"
      aria-label={label}
      className="inline-flex max-w-full overflow-x-auto divide-x divide-line2 rounded-button border border-line2"
    >
      {segments.map((segment, index) =>
        segment.href === undefined ? (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: the segments are fixed
            key={index}
            type="button"
            aria-pressed={segment.current}
            data-key={segment.shortcut}
            aria-keyshortcuts={segment.shortcut}
            onClick={segment.onSelect}
            className={look(segment.current)}
          >
            {segment.label}
          </button>
        ) : (
          <Link
            // biome-ignore lint/suspicious/noArrayIndexKey: the segments are fixed
            key={index}
            href={segment.href}
            prefetch={false}
            scroll={false}
            aria-current={segment.current ? 'true' : undefined}
            data-key={segment.shortcut}
            aria-keyshortcuts={segment.shortcut}
            className={look(segment.current)}
          >
            {segment.label}
          </Link>
        ),
      )}
    </div>
  );
}
