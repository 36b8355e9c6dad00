import type { ViewContext } from '../views/context.ts';
import { notFound } from '../views/query.ts';
import { requireOwner } from './person.ts';

/** A message that says that it is a test, to see whether it arrives. */
export async function testTarget(
  context: ViewContext,
  { target }: { target: string },
): Promise<{ target: string; sentence: string }> {
  requireOwner(context);
  const known = context.delivery?.targets().some(({ name }) => name === target);
  if (!context.delivery || !known) throw notFound('target');
  return { target, sentence: await context.delivery.test(target) };
}
