import type { ReactNode } from 'react';

/** A card: head of 40 px with title, note and actions, then its body. The title names the region. */
export function Panel({
  id,
  title,
  note,
  actions,
  children,
  flush = false,
  className = '',
  level = 2,
}: {
  /** anchor, and what ties the title to the region */
  id: string;
  title: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** no padding: tables and maps reach the border */
  flush?: boolean;
  className?: string;
  level?: 2 | 3;
}) {
  const Heading = `h${level}` as const;
  return (
    <section
      id={id}
      aria-labelledby={`${id}-title`}
      className={`min-w-0 overflow-hidden rounded-panel border border-line bg-panel ${className}`}
    >
      <header className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3.5 py-1">
        <Heading id={`${id}-title`} className="text-body font-title">
          {title}
        </Heading>
        {note !== undefined && <p className="text-dense text-ink3 max-phone:order-last max-phone:w-full">{note}</p>}
        {actions !== undefined && <div className="ms-auto flex min-w-0 flex-wrap items-center gap-2">{actions}</div>}
      </header>
      <div className={flush ? '' : 'p-3.5'}>{children}</div>
    </section>
  );
}
