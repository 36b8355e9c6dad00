/** Nanoseconds since the Unix epoch, or a difference of two such stamps. */
export type Nanos = bigint;
/** A duration in milliseconds, fractions allowed. */
export type Millis = number;
/** Milliseconds since the Unix epoch. */
export type EpochMillis = number;

export const nanosPerMilli = 1_000_000n;

export const nanosOfMillis = (ms: Millis): Nanos => BigInt(Math.round(ms * 1e6));
export const millisOfNanos = (nanos: Nanos): Millis => Number(nanos) / 1e6;
/** Whole milliseconds since the epoch, rounded down. */
export const epochMillisOf = (nanos: Nanos): EpochMillis => Number(nanos / nanosPerMilli);
/** The minute a moment falls in, counted from the epoch: what every `*_minutes` table is keyed by. */
export const minuteOf = (ms: EpochMillis): number => Math.floor(ms / 60_000);
