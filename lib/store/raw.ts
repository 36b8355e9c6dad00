import type { Span } from '#lib/domain/span.ts';

/** Spans of the wanted traces out of a raw batch (lib/wire/raw-batch.ts): given in, since the store knows no wire format. */
export type DecodeSpans = (raw: Uint8Array, wanted: (traceHi: bigint, traceLo: bigint) => boolean) => Span[];

/**
 * A raw batch out of a place that finds one faster; null when it is not there. DuckDB 1.5 reads all bodies of a vector, 2,048 of them,
 * to answer with one, unless the file was opened after they were written: 12 ms with bodies of 22 kB, instead of 1.
 */
export type RawElsewhere = (collectorId: string, seq: number) => Promise<Uint8Array | null>;
