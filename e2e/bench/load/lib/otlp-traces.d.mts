export const SPANS_PER_TRACE: number;
export function traceIdHex(seed: number, index: number): string;
export class BatchSource {
  constructor(options: { batch?: number; seed?: number; startIndex?: number });
  /** valid until the next call but seven */
  next(nowMs?: number): { body: Buffer; spans: number; firstTrace: number };
}
