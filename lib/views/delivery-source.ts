import type { MaskedTarget, Route } from '../domain/delivery.ts';

/** What the pages may know of the sender: never a secret. */
export interface DeliverySource {
  targets(): MaskedTarget[];
  routes: Route[];
  /** sends a test message; answers with a plain sentence on how it went */
  test(target: string): Promise<string>;
}
