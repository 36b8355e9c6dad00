import type { ComponentProps } from 'react';

/** An svg that either has a name (`label`) and is an image, or has words beside it and is decoration. Never neither. */
export function Drawing({ label, children, ...rest }: Omit<ComponentProps<'svg'>, 'role'> & { label?: string }) {
  return (
    <svg
      role={label ? 'img' : undefined}
      aria-label={label}
      aria-hidden={label ? undefined : true}
      focusable="false"
      {...rest}
    >
      {children}
    </svg>
  );
}
