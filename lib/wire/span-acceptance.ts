import type { Nanos } from '../domain/units.ts';
import type { WireLimits } from './limits.ts';

/** The time rule of SpanColumnWriter in whole numbers, for the drill-down: what was rejected then is not shown now. */
export const isAcceptedTime = (startNanos: Nanos, endNanos: Nanos, arrivalNanos: Nanos, limits: WireLimits): boolean =>
  endNanos >= startNanos &&
  endNanos < 1n << 63n &&
  startNanos >= arrivalNanos - BigInt(limits.retentionMs) * 1_000_000n &&
  startNanos <= arrivalNanos + BigInt(limits.aheadMs) * 1_000_000n;
