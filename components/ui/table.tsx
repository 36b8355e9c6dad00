import Link from 'next/link';
import type { ReactNode } from 'react';

/** A real table that scrolls sideways by itself; the caption says what it holds to those who cannot see the panel. */
export function Table({
  caption,
  children,
  className = '',
}: {
  caption: string;
  children: ReactNode;
  className?: string;
}) {
  return (
    // what scrolls must be reachable by keyboard (axe: scrollable-region-focusable); a group, for the panel is the landmark
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would mean a form
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <div className="overflow-x-auto" role="group" aria-label={caption} tabIndex={0}>
      <table className={`w-full border-collapse text-dense ${className}`}>
        <caption className="sr-only">{caption}</caption>
        {children}
      </table>
    </div>
  );
}

export type SortState = 'ascending' | 'descending' | null;

/** Heads of a list that is sorted by its URL: `hrefOf` gives the URL that sorts by a column, the other way round where it already does. */
export const sortedBy =
  <Sort extends string>(sort: Sort, reverse: boolean, hrefOf: (sort: Sort) => string) =>
  (name: Sort, ascendingFirst = false): { href: string; sorted: SortState } => ({
    href: hrefOf(name),
    sorted: sort !== name ? null : reverse === ascendingFirst ? 'descending' : 'ascending',
  });

/** Column head. Numbers stand right, their unit stands here and not in the cells. With `href` it sorts by URL. */
export function Th({
  children,
  numeric = false,
  href,
  sorted = null,
  className = '',
}: {
  children: ReactNode;
  numeric?: boolean;
  href?: string;
  sorted?: SortState;
  className?: string;
}) {
  const arrow = sorted === 'ascending' ? '↑' : sorted === 'descending' ? '↓' : '';
  return (
    <th
      scope="col"
      aria-sort={sorted ?? undefined}
      className={`h-8 px-2 font-normal whitespace-nowrap text-ink3 text-note first:ps-3.5 last:pe-3.5 ${numeric ? 'text-end' : 'text-start'} ${className}`}
    >
      {href === undefined ? (
        children
      ) : (
        <Link
          href={href}
          prefetch={false}
          scroll={false}
          className={`inline-flex min-h-6 items-center gap-1 hover:text-ink ${sorted ? 'font-control text-ink' : ''}`}
        >
          {children}
          <span aria-hidden="true">{arrow}</span>
        </Link>
      )}
    </th>
  );
}

export function Tr({ children, className = '' }: { children: ReactNode; className?: string }) {
  return <tr className={`border-t border-line hover:bg-hover ${className}`}>{children}</tr>;
}

export function Td({
  children,
  numeric = false,
  className = '',
  title,
}: {
  children: ReactNode;
  numeric?: boolean;
  className?: string;
  title?: string;
}) {
  return (
    <td
      title={title}
      className={`h-7 px-2 first:ps-3.5 last:pe-3.5 max-phone:h-11 ${numeric ? 'text-end whitespace-nowrap' : ''} ${className}`}
    >
      {children}
    </td>
  );
}

/** The cell that names its row. */
export function RowHead({ children, className = '' }: { children: ReactNode; className?: string }) {
  return (
    <th scope="row" className={`h-7 px-2 text-start font-normal first:ps-3.5 max-phone:h-11 ${className}`}>
      {children}
    </th>
  );
}

/** Every table leaves the house as CSV and JSON: the same view from the API, with the same range and filters. */
export function Exports({ api, query, what }: { api: string; query: string; what: string }) {
  const link = (format: 'csv' | 'json') => {
    const params = new URLSearchParams(query);
    params.set('format', format);
    return `${api}?${params}`;
  };
  return (
    <span className="flex items-center gap-1 text-dense max-phone:hidden">
      {(['csv', 'json'] as const).map((format) => (
        <a
          key={format}
          href={link(format)}
          aria-label={`${what} as ${format.toUpperCase()}`}
          className="inline-flex min-h-6 items-center rounded-bar px-1.5 text-acc hover:underline max-phone:min-h-11"
          download={format === 'csv' ? '' : undefined}
        >
          {format.toUpperCase()}
        </a>
      ))}
    </span>
  );
}
