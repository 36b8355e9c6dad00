import type { DataPoint, Sighting } from '../domain/ingest-batch.ts';
import type { WireLimits } from './limits.ts';
import type { Encoding, ReadResult } from './read-result.ts';

export interface ReadMetrics extends ReadResult {
  dataPoints: DataPoint[];
  sightings: Sighting[];
}
/** Throws MalformedError. A histogram point counts as two received items (its count, its sum). */
export function readMetrics(
  _body: Uint8Array,
  _encoding: Encoding,
  _arrivalMs: number,
  _limits: WireLimits,
): ReadMetrics {
  throw new Error('not yet');
}
