export const SPANS_PER_TRACE: number;
export function traceIdHex(seed: number, index: number): string;
/** `body` is good until the next call. */
export class BatchSource {
  constructor(options: { batch?: number; seed?: number; startIndex?: number });
  next(nowMs?: number): { body: Buffer; spans: number; firstTrace: number };
}
