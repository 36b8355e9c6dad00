import { Fragment, type ReactNode } from 'react';
import { TextLink } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';

export interface Crumb {
  text: string;
  href?: string;
}

/** How every page of mine opens: where we are, what it is, the verdict in one sentence, then what can be done. */
export function PageHead({
  crumbs = [],
  title,
  badge,
  beside,
  sentence,
  actions,
}: {
  crumbs?: Crumb[];
  title: ReactNode;
  badge?: ReactNode;
  beside?: ReactNode;
  sentence?: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <header className="mb-2.5">
      {crumbs.length > 0 && (
        <nav aria-label="Breadcrumb" className="mb-0.5">
          <ol className="flex flex-wrap items-center gap-x-2 text-dense text-ink3">
            {crumbs.map((crumb, index) => (
              <Fragment key={`${crumb.text} ${crumb.href}`}>
                {index > 0 && (
                  <li aria-hidden="true">
                    <Icon name="chevronRight" size={12} />
                  </li>
                )}
                <li
                  className="min-w-0 break-words"
                  aria-current={index === crumbs.length - 1 && !crumb.href ? 'page' : undefined}
                >
                  {crumb.href ? (
                    <TextLink
                      href={crumb.href}
                      className="inline-flex min-h-6 items-center !text-ink2 max-phone:min-h-11"
                    >
                      {crumb.text}
                    </TextLink>
                  ) : (
                    crumb.text
                  )}
                </li>
              </Fragment>
            ))}
          </ol>
        </nav>
      )}
      <div className="flex flex-wrap items-end gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-96">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h1 className="min-w-0 text-title font-title break-words">{title}</h1>
            {/* its tint is measured against a panel, not the page */}
            {badge !== undefined && <span className="inline-flex rounded-pill bg-panel">{badge}</span>}
            {beside}
          </div>
          {sentence !== undefined && <p className="mt-1 max-w-[110ch] text-sentence text-ink2">{sentence}</p>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </div>
    </header>
  );
}

/** The first sentence carries the weight; what follows explains it. A full stop inside a number or a name is none. */
export function Sentence({ text }: { text: string }) {
  const end = text.search(/[.!?] (?=[A-ZÄÖÜ])/);
  if (end < 0) return <b className="font-strong text-ink">{text}</b>;
  return (
    <>
      <b className="font-strong text-ink">{text.slice(0, end + 1)}</b>
      {text.slice(end + 1)}
    </>
  );
}
