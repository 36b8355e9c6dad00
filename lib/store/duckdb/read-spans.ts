import type { SpanArrays } from '../audit-pair.ts';
import type { Session } from './session.ts';

const spanColumns =
  'trace_hi, trace_lo, span_id, parent_id, start_ns, duration_ns, arrival_ms, kind, status, flags, operation, name, resource, system, destination, collector, seq';

export async function readSpans(
  session: Session,
  where: string,
  params: readonly (string | number | bigint)[],
): Promise<SpanArrays> {
  return (await session.columns<SpanArrays>(`SELECT ${spanColumns} FROM spans WHERE ${where}`, params)).values;
}
