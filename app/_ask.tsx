import { notFound } from 'next/navigation';
import type { ReactNode } from 'react';
import { Trouble } from '#components/shell/trouble.tsx';
import { HopscopeError } from '#lib/errors.ts';
import type { ViewContext } from '#lib/views/context.ts';
import { QueryProblem } from '#lib/views/query.ts';
import { viewContext } from './_server.ts';

/** `searchParams` of a page. */
export type Asked = Promise<Record<string, string | string[] | undefined>>;

export const one = (value: string | string[] | undefined): string => (Array.isArray(value) ? value[0] : value) ?? '';

type Answer<T> = { view: T; trouble: null } | { view: null; trouble: ReactNode };

/**
 * Asks a view for a page. What can be expected to go wrong comes back as something to show, with its words: in a
 * production build Next keeps the message of a thrown error from the browser. Anything else is for error.tsx.
 */
export async function ask<T>(question: (context: ViewContext) => Promise<T>): Promise<Answer<T>> {
  const context = await viewContext();
  const { nowMs } = context;
  try {
    const view = await question(context);
    return { view, trouble: null };
  } catch (error) {
    if (!(error instanceof HopscopeError)) throw error;
    if (error.code === 'not-found') notFound();
    if (error instanceof QueryProblem) {
      return {
        view: null,
        trouble: (
          <Trouble
            title="This address asks for something that cannot be shown"
            causes={(error.problem.errors ?? []).map(
              (each) => `${each.parameter}: found "${each.found}", wanted ${each.wanted}.`,
            )}
            atMs={nowMs}
          />
        ),
      };
    }
    return {
      view: null,
      trouble: (
        <Trouble
          title={error.code === 'busy' ? 'Hopscope is busy' : 'The store did not answer'}
          causes={[error.message]}
          atMs={nowMs}
          retry
        />
      ),
    };
  }
}
