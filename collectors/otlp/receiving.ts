import type { Admission } from '../intake/admission.ts';
import type { Gather } from '../intake/gather.ts';
import type { IntakeTimeouts } from '../intake/messages.ts';

/** What both OTLP listeners are given. */
export interface Receiving {
  gather: Gather;
  admission: Admission;
  /** accepted in Host beside the loopback names */
  hostNames: readonly string[];
  timeouts?: Partial<IntakeTimeouts> | undefined;
  log(level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>): void;
}

/** Counts by word; the words are ours, never the sender's. */
export class Tally {
  readonly counts: Record<string, number> = {};
  add(word: string | number, n = 1): void {
    this.counts[word] = (this.counts[word] ?? 0) + n;
  }
}

/** google.rpc.Code */
export const rpcCode = {
  ok: 0,
  invalidArgument: 3,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;
