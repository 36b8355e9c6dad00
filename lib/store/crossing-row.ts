import { spanIdHex, traceIdHex } from '../domain/ids.ts';
import { millisOfNanos } from '../domain/units.ts';
import { type CrossingRow, clockLabels } from './store.ts';

/** A crossing as an engine reads it: ids, devices and broker as it has them. */
export interface CrossingSqlRow<Id, Name = string | null> {
  caller_trace_hi: Id;
  caller_trace_lo: Id;
  caller_span: Id;
  callee_trace_hi: Id;
  callee_trace_lo: Id;
  callee_span: Id;
  hop: Id;
  message: boolean;
  linked: boolean;
  error: boolean;
  caller_device: Name;
  callee_device: Name;
  caller_start_ns: bigint;
  caller_duration_ns: bigint;
  callee_start_ns: bigint;
  callee_duration_ns: bigint;
  passage_ns: bigint | null;
  broker: Name;
  raw_ns: bigint;
  added_ns: bigint | null;
  offset_ns: bigint | null;
  bound_ns: bigint | null;
  clock: number;
  floor_ns: bigint | null;
  direct_floor_ns: bigint | null;
  uplink_ns: bigint | null;
  uplink_bound_ns: bigint | null;
  downlink_ns: bigint | null;
  downlink_bound_ns: bigint | null;
  misplaced: boolean | null;
}

export const millisOrNull = (nanos: bigint | null): number | null => (nanos === null ? null : millisOfNanos(nanos));

/** `unsigned`: the 64 bits of an id. */
export const crossingOf = <Id>(row: CrossingSqlRow<Id>, unsigned: (id: Id) => bigint): CrossingRow => ({
  hop: unsigned(row.hop),
  callerTraceId: traceIdHex(unsigned(row.caller_trace_hi), unsigned(row.caller_trace_lo)),
  callerSpanId: spanIdHex(unsigned(row.caller_span)),
  calleeTraceId: traceIdHex(unsigned(row.callee_trace_hi), unsigned(row.callee_trace_lo)),
  calleeSpanId: spanIdHex(unsigned(row.callee_span)),
  message: row.message,
  linked: row.linked,
  error: row.error,
  callerDevice: row.caller_device ?? '',
  calleeDevice: row.callee_device ?? '',
  callerStartNanos: row.caller_start_ns,
  callerDurationNanos: row.caller_duration_ns,
  calleeStartNanos: row.callee_start_ns,
  calleeDurationNanos: row.callee_duration_ns,
  passageNanos: row.passage_ns,
  broker: row.broker ?? '',
  rawMs: millisOfNanos(row.raw_ns),
  addedMs: millisOrNull(row.added_ns),
  offsetMs: millisOrNull(row.offset_ns),
  boundMs: millisOrNull(row.bound_ns),
  clock: clockLabels[row.clock] || 'assumed',
  // what cannot be where it is said to be has no distance
  floorMs: row.misplaced ? 0 : millisOfNanos(row.floor_ns ?? 0n),
  directFloorMs: row.misplaced ? 0 : millisOfNanos(row.direct_floor_ns ?? 0n),
  uplinkMs: millisOrNull(row.uplink_ns),
  uplinkBoundMs: millisOrNull(row.uplink_bound_ns),
  downlinkMs: millisOrNull(row.downlink_ns),
  downlinkBoundMs: millisOrNull(row.downlink_bound_ns),
});
