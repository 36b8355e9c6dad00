import type { EpochMillis } from '#lib/domain/units.ts';
import type { ClockFinding } from '../store.ts';
import type { Session } from './session.ts';

/** Oldest first. */
export async function readFindings(
  session: Pick<Session, 'all'>,
  fromMs: EpochMillis,
  toMs: EpochMillis,
): Promise<ClockFinding[]> {
  const rows = await session.all<{
    kind: ClockFinding['kind'];
    time_ms: bigint;
    devices: string;
    sites: string;
    nanos: bigint | null;
  }>('SELECT * FROM clock_findings WHERE time_ms >= $1 AND time_ms < $2 ORDER BY time_ms, kind, devices', [
    fromMs,
    toMs,
  ]);
  return rows.map((row) => ({
    kind: row.kind,
    timeMs: Number(row.time_ms),
    devices: JSON.parse(row.devices) as string[],
    sites: JSON.parse(row.sites) as string[],
    nanos: row.nanos === null ? null : Number(row.nanos),
  }));
}
