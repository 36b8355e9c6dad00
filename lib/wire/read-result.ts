import type { RejectReason } from '../domain/ingest-batch.ts';

/** What a request carried and what became of it. received = accepted + sum(rejected). */
export interface ReadResult {
  received: number;
  accepted: number;
  rejected: Partial<Record<RejectReason, number>>;
  /** '' when nothing was rejected; else what to tell the sender (partial success) */
  message: string;
}

/** How a request body is written; the number is what a frame of a raw batch carries. */
export const encoding = { protobuf: 1, json: 2 } as const;
export type Encoding = (typeof encoding)[keyof typeof encoding];

export const rejectedCount = (rejected: Partial<Record<RejectReason, number>>): number =>
  Object.values(rejected).reduce((sum, n) => sum + n, 0);

export function addRejected(
  to: Partial<Record<RejectReason, number>>,
  more: Partial<Record<RejectReason, number>>,
): void {
  for (const reason of Object.keys(more) as RejectReason[]) to[reason] = (to[reason] ?? 0) + more[reason]!;
}
