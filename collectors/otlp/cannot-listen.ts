import type { Listen } from '#lib/config.ts';
import { HopscopeError } from '#lib/errors.ts';

/** A listener that cannot start, in a sentence that says what to change. */
export function cannotListen(
  what: string,
  at: Listen,
  setting: string,
  variable: string,
  error: unknown,
): HopscopeError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const found =
    code === 'EADDRINUSE'
      ? 'is in use by another program'
      : code === 'EACCES'
        ? 'may not be opened by this user'
        : code === 'EADDRNOTAVAIL'
          ? 'is no address of this machine'
          : `could not be opened (${code})`;
  return new HopscopeError(
    'listen',
    `${what}: ${at.host}:${at.port} ${found}; set another one with ${setting} in hopscope.yaml or ${variable}=ADDRESS:PORT, or switch it off with "off"`,
    { cause: error },
  );
}
