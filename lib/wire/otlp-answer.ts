import type { WireLimits } from './limits.ts';
import type { Encoding } from './read-result.ts';

/** Bodies of answers, in the encoding of the request. partial_success is left out when rejected is 0 and message is ''. */
export function exportTraceResponse(_encoding: Encoding, _rejectedSpans: number, _message: string): Uint8Array {
  throw new Error('not yet');
}
export function exportMetricsResponse(_encoding: Encoding, _rejectedDataPoints: number, _message: string): Uint8Array {
  throw new Error('not yet');
}
export function exportLogsResponse(_encoding: Encoding, _rejectedLogRecords: number, _message: string): Uint8Array {
  throw new Error('not yet');
}
/** google.rpc.Status; `code` is a gRPC code (3 invalid argument, 8 resource exhausted, 14 unavailable, 16 unauthenticated, 7 permission denied). */
export function statusBody(_encoding: Encoding, _code: number, _message: string): Uint8Array {
  throw new Error('not yet');
}
/** How many log records a request carries: we keep none and say so. Throws MalformedError. */
export function countLogRecords(_body: Uint8Array, _encoding: Encoding, _limits: WireLimits): number {
  throw new Error('not yet');
}
