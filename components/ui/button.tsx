import Link from 'next/link';
import type { ComponentProps, ReactNode } from 'react';

/** primary: filled ink, one per page region, named after its outcome. plain: outlined. quiet: text only. */
export type ButtonKind = 'primary' | 'plain' | 'quiet';

const shape =
  'inline-flex items-center justify-center gap-1.5 rounded-button px-3 text-dense font-control whitespace-nowrap transition-colors disabled:opacity-60 max-phone:min-h-11 max-phone:rounded-phone max-phone:px-4 max-phone:text-body';

const kinds: Record<ButtonKind, string> = {
  primary: 'border border-ink bg-ink text-bg hover:opacity-90',
  plain: 'border border-line2 bg-panel text-ink hover:bg-hover',
  quiet: 'text-acc hover:bg-hover',
};

export const buttonClass = (kind: ButtonKind = 'plain', small = false): string =>
  `${shape} ${kinds[kind]} ${small ? 'h-7' : 'h-7.5'}`;

export function Button({
  kind = 'plain',
  small = false,
  className = '',
  type = 'button',
  ...rest
}: ComponentProps<'button'> & { kind?: ButtonKind; small?: boolean }) {
  return <button type={type} className={`${buttonClass(kind, small)} ${className}`} {...rest} />;
}

export function ButtonLink({
  href,
  kind = 'plain',
  small = false,
  className = '',
  children,
}: {
  href: string;
  kind?: ButtonKind;
  small?: boolean;
  className?: string;
  children: ReactNode;
}) {
  return (
    <Link href={href} prefetch={false} className={`${buttonClass(kind, small)} ${className}`}>
      {children}
    </Link>
  );
}

/** A link inside text and panel heads. No prefetch: a page of rows would ask the store for every one of them. */
export function TextLink({
  href,
  className = '',
  children,
  ...rest
}: {
  href: string;
  className?: string;
  children: ReactNode;
  'aria-label'?: string;
  title?: string;
}) {
  return (
    <Link href={href} prefetch={false} className={`text-acc hover:underline ${className}`} {...rest}>
      {children}
    </Link>
  );
}
