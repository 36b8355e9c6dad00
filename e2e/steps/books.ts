import { getJson, until } from './product.ts';

/** What /api/v1/status says of what came in. */
export interface Status {
  books: { received: number; stored: number; duplicate: number; rejected: number; spooled: number; residual: number };
  collectors: { current: boolean; lagMs: number }[];
  gaps: { from: string; to: string; whose: string; what: string }[];
}

export const statusOf = (product: { url: string }): Promise<Status> => getJson<Status>(product, '/api/v1/status');

/** Everything acknowledged has reached the store, and the audit has seen it. */
export async function settled(product: { url: string }, limitMs = 60_000): Promise<Status> {
  let status: Status | null = null;
  await until(
    'everything spooled is stored',
    async () => {
      status = await statusOf(product);
      return status.books.spooled === 0 && status.books.residual === 0;
    },
    limitMs,
  );
  return status!;
}
