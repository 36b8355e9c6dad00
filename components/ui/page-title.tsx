import type { ReactNode } from 'react';

/** The head of a page: where one is, its title, one sentence with the verdict, figures or actions at the right. */
export function PageTitle({
  above,
  title,
  beside,
  sentence,
  children,
}: {
  above?: ReactNode;
  title: ReactNode;
  /** badges and ids in the line of the title */
  beside?: ReactNode;
  sentence?: ReactNode;
  /** at the right: figures, buttons */
  children?: ReactNode;
}) {
  return (
    <div className="flex flex-wrap items-end gap-x-8 gap-y-2 px-4 pt-3.5 pb-2.5">
      <div className="flex min-w-0 flex-1 basis-100 flex-col gap-1">
        {above && <div className="text-dense text-ink2">{above}</div>}
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <h1 className="text-title font-title wrap-anywhere">{title}</h1>
          {beside}
        </div>
        {sentence && <p className="max-w-[90ch] text-sentence text-ink2">{sentence}</p>}
      </div>
      {children && <div className="flex flex-wrap items-end gap-x-7 gap-y-2">{children}</div>}
    </div>
  );
}

/** A headline figure with its unit. */
export function Kpi({ value, unit, className = '' }: { value: string; unit: string; className?: string }) {
  return (
    <p className={`whitespace-nowrap ${className}`}>
      <span className="text-title font-title">{value}</span> <span className="text-dense text-ink2">{unit}</span>
    </p>
  );
}
