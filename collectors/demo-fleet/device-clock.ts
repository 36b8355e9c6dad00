// A device's own clock, wrong on purpose: offset, drift and steps on top of the machine's high resolution time.
// Every exported time stamp is given explicitly from here, because the SDK would stamp with the one clock all 26 share.

import type { HrTime } from '@opentelemetry/api';

const originNanos = BigInt(Math.round(performance.timeOrigin * 1e6));

export function realUnixNanos(): bigint {
  return originNanos + BigInt(Math.round(performance.now() * 1e6));
}

export interface ClockError {
  offsetMs: number;
  driftPpm: number;
}

export class DeviceClock {
  readonly #offsetNanos: bigint;
  readonly #driftPpb: bigint;
  readonly #startedNanos: bigint;
  readonly #realNanos: () => bigint;
  #stepNanos = 0n;

  constructor(error: ClockError, realNanos: () => bigint = realUnixNanos) {
    this.#offsetNanos = msToNanos(error.offsetMs);
    this.#driftPpb = BigInt(Math.round(error.driftPpm * 1000));
    this.#realNanos = realNanos;
    this.#startedNanos = realNanos();
  }

  nowNanos(): bigint {
    const real = this.#realNanos();
    return real + this.#errorAt(real);
  }

  hrTime(): HrTime {
    return nanosToHrTime(this.nowNanos());
  }

  offsetNanos(): bigint {
    return this.#errorAt(this.#realNanos());
  }

  /** Sets how far the clock has been stepped in all; 0 takes the step back. */
  setStepMs(ms: number): void {
    this.#stepNanos = msToNanos(ms);
  }

  #errorAt(real: bigint): bigint {
    const drifted = ((real - this.#startedNanos) * this.#driftPpb) / 1_000_000_000n;
    return this.#offsetNanos + this.#stepNanos + drifted;
  }
}

export function nanosToHrTime(nanos: bigint): HrTime {
  return [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)];
}

function msToNanos(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}
