import type { ReactNode } from 'react';

/** An empty panel says why it is empty and what to do about it. */
export function Empty({ why, children, className = '' }: { why: ReactNode; children?: ReactNode; className?: string }) {
  return (
    <div className={`flex flex-col items-start gap-2 px-3.5 py-5 text-body text-ink2 ${className}`}>
      <p className="max-w-[68ch] text-ink">{why}</p>
      {children !== undefined && <div className="max-w-[68ch] [&_a]:underline">{children}</div>}
    </div>
  );
}
