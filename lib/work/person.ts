import { HopscopeError } from '../errors.ts';
import type { ViewContext } from '../views/context.ts';
import { seesAll } from '../views/visibility.ts';

/** Who only looks changes nothing. */
export function requireMember({ viewer }: ViewContext): void {
  if (viewer.role === 'viewer')
    throw new HopscopeError('forbidden', 'Found the role viewer, wanted member or owner: a viewer changes nothing.');
}

/** What holds for every application is set by who sees every application. */
export function requireOwner(context: ViewContext): void {
  requireMember(context);
  if (context.viewer.role !== 'owner' || !seesAll(context.viewer))
    throw new HopscopeError('forbidden', `Found the role ${context.viewer.role}, wanted owner.`);
}
