import {
  type CrossingFigures,
  type CrossingStamps,
  crossingFigures,
  type Judged,
  minuteOfStart,
  pairKey,
  tracesOf,
  wordsOf,
} from '../audit-pair.ts';
import type { BatchRange, Edge, EdgeColumns, Moment, MomentColumns, OffsetColumns } from '../audit-store.ts';
import { edgeColumnsOf, edgeKind, flowOf, momentColumnsOf } from '../audit-store.ts';
import type { CellValue, WriteColumn } from '../columns.ts';
import { type HopMinute, HopMinutes } from '../minute-sums.ts';
import { cursorsOf, type Gathered, ofRange, rangeParams } from './audit-gather.ts';
import type { Turn } from './audit-turn.ts';
import { bucketOf, idsAtOnce, listed, microsOfMinute, minuteOfMicros, parts, signed, unsigned } from './dialect.ts';
import type { Cell } from './lines.ts';
import type { QuestDbCrossing } from './reads-hops.ts';
import { tables } from './schema.ts';

const cell = (column: WriteColumn, row: number): CellValue =>
  ArrayBuffer.isView(column) || Array.isArray(column) ? (column as readonly CellValue[])[row]! : (column as CellValue);

/** Where each column stands in what Pairing.columns answers: the table of duckdb/schema.ts. */
const at = {
  callerHi: 0,
  callerLo: 1,
  callerSpan: 2,
  calleeHi: 3,
  calleeLo: 4,
  calleeSpan: 5,
  hop: 6,
  message: 7,
  linked: 8,
  error: 9,
  callerDevice: 10,
  calleeDevice: 11,
  callerStart: 12,
  callerDuration: 13,
  calleeStart: 14,
  calleeDuration: 15,
  passage: 16,
  broker: 17,
  minute: 18,
  raw: 19,
  added: 20,
  offset: 21,
  bound: 22,
  clock: 23,
  floor: 24,
  directFloor: 25,
  uplink: 26,
  uplinkBound: 27,
  downlink: 28,
  downlinkBound: 29,
  passageDevice: 30,
  uplinkFloor: 31,
  grains: 32,
  misplaced: 33,
} as const;

/** Replaces the crossings of the callers that were touched. */
export async function writeCrossings(
  turn: Turn,
  { rows, pairing, index, uncertain }: Gathered,
  offsets: OffsetColumns,
): Promise<{ judged: Judged[]; withdrawn: number[]; due: Set<number> }> {
  const judged = pairing.judge(offsets);
  const { minutes, texts } = turn.kept;
  const columns = pairing.columns(judged);
  const ids = (row: number) =>
    [at.callerHi, at.callerLo, at.callerSpan, at.calleeHi, at.calleeLo, at.calleeSpan].map((c) =>
      signed(cell(columns[c]!, row) as bigint),
    );
  const written = new Set<string>();
  for (let p = 0; p < judged.length; p++) written.add(`${judged[p]!.minute} ${ids(p).join(' ')}`);
  const old = await crossingsOfCallers(turn, { rows, pairing, index, uncertain }, written);

  for (let p = 0; p < judged.length; p++) {
    const value = (c: number) => cell(columns[c]!, p) as Cell;
    const passageDevice = value(at.passageDevice) as number;
    turn.put('crossings', microsOfMinute(judged[p]!.minute), [
      bucketOf(value(at.callerLo) as bigint),
      bucketOf(value(at.calleeLo) as bigint),
      turn.deviceId(value(at.callerDevice) as number),
      turn.deviceId(value(at.calleeDevice) as number),
      texts.name(value(at.broker) as number),
      passageDevice < 0 ? texts.name(-1 - passageDevice) : null,
      ...ids(p),
      signed(value(at.hop) as bigint),
      value(at.message),
      value(at.linked),
      value(at.error),
      value(at.callerStart),
      value(at.callerDuration),
      value(at.calleeStart),
      value(at.calleeDuration),
      value(at.passage),
      value(at.raw),
      value(at.added),
      value(at.offset),
      value(at.bound),
      value(at.clock),
      value(at.floor),
      value(at.directFloor),
      value(at.uplink),
      value(at.uplinkBound),
      value(at.downlink),
      value(at.downlinkBound),
      value(at.uplinkFloor),
      value(at.grains),
      value(at.misplaced),
      false,
    ]);
  }

  const dirty = new HopMinutes();
  for (const each of old.replaced) dirty.add(each);
  for (const j of judged) {
    if (j.caller < rows.firstFresh) minutes.forget(j);
    dirty.add(j);
  }
  minutes.beginPass();
  for (const each of old.replaced) minutes.forget(each);
  for (const j of judged) {
    const sums = minutes.get(j);
    if (sums) minutes.add(sums, j);
  }
  await takeAnswered(turn, { rows, pairing, index }, judged, dirty);
  turn.markDirty(dirty.all());
  const due = new Set<number>();
  for (let p = 0; p < judged.length; p++) if (pairing.crossesClocks(p)) due.add(judged[p]!.minute);
  return { judged, withdrawn: old.withdrawn, due };
}

type Paired = Pick<Gathered, 'rows' | 'pairing' | 'index'>;

/**
 * Crossings that stand there of these callers: what is not written again is gone. New callers cannot have any, unless a pass before this one
 * ended between the server and the book.
 */
async function crossingsOfCallers(
  turn: Turn,
  { rows, pairing, index, uncertain }: Paired & Pick<Gathered, 'uncertain'>,
  written: ReadonlySet<string>,
): Promise<{ replaced: HopMinute[]; withdrawn: number[] }> {
  const callers = [...pairing.affected].filter((row) => uncertain || row < rows.firstFresh);
  if (callers.length === 0) return { replaced: [], withdrawn: [] };
  const minutes = callers.map((row) => minuteOfStart(rows.startNs[row]!, rows.arrivalMs[row]!));
  const range = [minutes.reduce((a, b) => Math.min(a, b)), minutes.reduce((a, b) => Math.max(a, b))].map(
    microsOfMinute,
  );
  const stays = pairing.pairKeys((caller) => uncertain || caller < rows.firstFresh);
  const replaced: HopMinute[] = [];
  const withdrawn = new Set<number>();
  for (const some of parts([...new Set(callers.map((row) => rows.traceLo[row]!))], idsAtOnce)) {
    const found = await turn.rows<[bigint, ...(bigint | null)[]]>(
      'crossings',
      (table) =>
        `SELECT ts::long, caller_trace_hi, caller_trace_lo, caller_span, callee_trace_hi, callee_trace_lo, callee_span, hop FROM ${table}
         WHERE ts >= $1 AND ts <= $2 AND NOT gone AND caller_trace_lo IN ${listed(some)}`,
      range,
    );
    const [hi, lo, id] = [1, 2, 3].map((c) => wordsOf(BigUint64Array.from(found, (row) => unsigned(row[c]!)))) as [
      Uint32Array,
      Uint32Array,
      Uint32Array,
    ];
    for (const [i, [micros, ...values]] of found.entries()) {
      const caller = index.find(hi, lo, id, i, i);
      if (caller < 0 || !pairing.affected.has(caller)) continue;
      const minute = minuteOfMicros(micros);
      replaced.push({ hop: unsigned(values[6]!), minute });
      const key = values.slice(0, 6).map((value) => signed(unsigned(value!)));
      if (!stays.has(pairKey(caller, unsigned(values[4]!), unsigned(values[5]!)))) withdrawn.add(minute);
      if (!written.has(`${minute} ${key.join(' ')}`))
        turn.put('crossings', micros, goneRow('crossings', key, 'caller_trace_hi'));
    }
  }
  return { replaced, withdrawn: [...withdrawn] };
}

/** A row that says nothing but its key, which begins at a column, and that it is gone. */
export function goneRow(
  table: 'crossings' | 'traces' | 'unanswered' | 'hop_minutes' | 'clocks',
  key: readonly Cell[],
  from: string,
): Cell[] {
  const names = Object.keys(tables[table].columns);
  const row: Cell[] = names.map(() => null);
  const start = names.indexOf(from);
  for (const [i, value] of key.entries()) row[start + i] = value;
  row[names.indexOf('gone')] = true;
  return row;
}

/** A late answer takes the question away. */
async function takeAnswered(
  turn: Turn,
  { rows, index }: Paired,
  judged: readonly Judged[],
  dirty: HopMinutes,
): Promise<void> {
  if (judged.length === 0 || !(await turn.any('unanswered'))) return;
  const answered = new Set(judged.map(({ caller }) => caller));
  for (const some of parts([...new Set([...answered].map((row) => rows.traceLo[row]!))], idsAtOnce)) {
    const found = await turn.rows<[bigint, ...(bigint | null)[]]>(
      'unanswered',
      (table) =>
        `SELECT ts::long, trace_hi, trace_lo, span_id, hop FROM ${table} WHERE NOT gone AND trace_lo IN ${listed(some)}`,
    );
    const [hi, lo, id] = [1, 2, 3].map((c) => wordsOf(BigUint64Array.from(found, (row) => unsigned(row[c]!)))) as [
      Uint32Array,
      Uint32Array,
      Uint32Array,
    ];
    for (const [i, [micros, ...values]] of found.entries()) {
      if (!answered.has(index.find(hi, lo, id, i, i))) continue;
      turn.put(
        'unanswered',
        micros,
        goneRow(
          'unanswered',
          values.slice(0, 3).map((v) => signed(unsigned(v!))),
          'trace_hi',
        ),
      );
      const where = { hop: unsigned(values[3]!), minute: minuteOfMicros(micros) };
      turn.kept.minutes.forget(where);
      dirty.add(where);
    }
  }
}

// ---- traces

export async function writeTraces(turn: Turn, { rows, index, oldTraces }: Gathered): Promise<number> {
  const key = (hi: bigint, lo: bigint): string => `${hi} ${lo}`;
  const before = new Map<string, bigint>();
  for (const { at: micros, hi, lo } of oldTraces) {
    const known = before.get(key(hi, lo));
    if (known === undefined || micros / 1000n < known) before.set(key(hi, lo), micros / 1000n);
  }
  const traces = tracesOf(rows, index.dropped, before);
  const { texts, resources } = turn.kept;
  const stands = new Map<string, bigint>();
  for (let t = 0; t < traces.count; t++) {
    const [hi, lo, start, duration, name, resource, hasRoot, spans, errors, last, first] = traces.columns.map(
      (column) => cell(column, t) as Cell,
    ) as [bigint, bigint, ...Cell[]];
    const micros = (first as bigint) * 1000n;
    stands.set(key(hi, lo), micros);
    turn.put('traces', micros, [
      bucketOf(lo),
      texts.name(name as number),
      resources.name(resource as number),
      signed(hi),
      signed(lo),
      start!,
      duration!,
      hasRoot!,
      spans!,
      errors!,
      last!,
      false,
    ]);
  }
  // an earlier span than any before it came through another collector: the trace stands there now
  for (const { at: micros, hi, lo } of oldTraces) {
    const now = stands.get(key(hi, lo));
    if (now !== undefined && now !== micros)
      turn.put('traces', micros, goneRow('traces', [signed(hi), signed(lo)], 'trace_hi'));
  }
  return traces.count;
}

// ---- topics

/** Only what the cursor has passed: a batch behind a hole is added when its turn comes. */
export async function writeTopicMinutes(turn: Turn, ranges: readonly BatchRange[]): Promise<void> {
  const touched = new Map<number, Set<string>>();
  for (const range of ranges)
    for (const [minute, broker, topic] of await turn.rows<[number, string | null, string | null]>(
      'topic_traffic',
      (table) => `SELECT DISTINCT minute, broker, topic FROM ${table} WHERE ${ofRange}`,
      rangeParams(turn, range),
    )) {
      const topics = touched.get(minute) ?? new Set();
      touched.set(minute, topics.add(`${broker ?? ''}\u001f${topic ?? ''}`));
    }
  const cursors = cursorsOf(turn.book, ranges, (number) => turn.kept.texts.name(number));
  for (const [minute, topics] of touched) {
    const sums = new Map<
      string,
      { broker: string; topic: string; messages: bigint; bytes: bigint; retained: bigint; last: bigint }
    >();
    for (const [collector, { upto }] of cursors)
      for (const [broker, topic, messages, bytes, retained, last] of await turn.rows<
        [string | null, string | null, bigint, bigint, bigint, bigint]
      >(
        'topic_traffic',
        (table) =>
          `SELECT broker, topic, sum(messages), sum(payload_bytes), sum(retained), max(last_ms) FROM ${table}
           WHERE ts >= $1 AND ts < $2 AND minute = $3 AND collector = $4 AND seq <= $5 GROUP BY broker, topic`,
        [microsOfMinute(minute - aroundMinutes), microsOfMinute(minute + aroundMinutes), minute, collector, upto],
      )) {
        const key = `${broker ?? ''}\u001f${topic ?? ''}`;
        if (!topics.has(key)) continue;
        const sum = sums.get(key) ?? {
          broker: broker ?? '',
          topic: topic ?? '',
          messages: 0n,
          bytes: 0n,
          retained: 0n,
          last,
        };
        sums.set(key, {
          ...sum,
          messages: sum.messages + messages,
          bytes: sum.bytes + bytes,
          retained: sum.retained + retained,
          last: last > sum.last ? last : sum.last,
        });
      }
    for (const { broker, topic, messages, bytes, retained, last } of sums.values())
      turn.put('topic_minutes', microsOfMinute(minute), [broker, topic, messages, bytes, retained, last]);
  }
}
/** A minute of traffic is one of its batch's arrival: a batch that was held back for an hour is still found. */
const aroundMinutes = 60;

// ---- crossings that stand

const storedColumns = `ts::long AS at, caller_trace_hi, caller_trace_lo, caller_span, callee_trace_hi, callee_trace_lo, callee_span, hop, message, linked, error,
  caller_device, callee_device, broker, passage_collector, caller_start_ns, caller_duration_ns, callee_start_ns, callee_duration_ns, passage_ns, raw_ns, added_ns,
  offset_ns, bound_ns, clock, floor_ns, direct_floor_ns, uplink_ns, uplink_bound_ns, downlink_ns, downlink_bound_ns, uplink_floor_ns, grains, misplaced`;

export interface StoredCrossing extends QuestDbCrossing {
  at: bigint;
  passage_collector: string | null;
  uplink_floor_ns: bigint;
  grains: number;
}

export const storedCrossings = (turn: Turn, where: string, params: (number | bigint)[]): Promise<StoredCrossing[]> =>
  turn.objects('crossings', (table) => `SELECT ${storedColumns} FROM ${table} WHERE NOT gone AND ${where}`, params);

const secondOf = (nanos: bigint): number => Number(nanos / 1_000_000_000n);
const brokerOf = (turn: Turn, row: StoredCrossing): number =>
  row.passage_ns === null ? 0 : -1 - turn.kept.texts.of(row.passage_collector);

export async function edgesBetween(turn: Turn, fromSecond: number, toSecond: number): Promise<EdgeColumns> {
  const rows = await storedCrossings(turn, 'ts >= $1 AND ts <= $2 AND caller_start_ns >= $3 AND caller_start_ns < $4', [
    microsOfMinute(Math.floor(fromSecond / 60)),
    microsOfMinute(Math.floor(toSecond / 60)),
    BigInt(fromSecond) * 1_000_000_000n,
    BigInt(toSecond) * 1_000_000_000n,
  ]);
  return edgesOf(turn, rows);
}

/** Directed clock edges of crossings, least of a pair, floor and second: as edgesOf in duckdb/audit-sql.ts, which says why. */
function edgesOf(turn: Turn, rows: readonly StoredCrossing[]): EdgeColumns {
  const edges = new Map<string, Edge>();
  const see = (edge: Edge): void => {
    const key = `${edge.from} ${edge.to} ${edge.second} ${edge.floor} ${edge.kind} ${edge.flow}`;
    const known = edges.get(key);
    if (!known || edge.least < known.least) edges.set(key, edge);
  };
  for (const row of rows) {
    const [from, to] = [turn.deviceNumber(row.caller_device), turn.deviceNumber(row.callee_device)];
    const second = secondOf(row.caller_start_ns);
    const [callerGrain, calleeGrain] = [row.grains & 1 ? 1_000_000 : 0, row.grains & 2 ? 1_000_000 : 0];
    const way = row.message ? Number(row.floor_ns) : Math.floor(Number(row.direct_floor_ns) / 2);
    if (from !== to && from !== 0 && to !== 0) {
      const there = Number(row.callee_start_ns - row.caller_start_ns);
      const kind = row.message ? edgeKind.message : edgeKind.request;
      see({ from, to, second, least: there + calleeGrain - way, floor: way, kind, flow: 0 });
      if (!row.message && !row.error) {
        const [took, served] = [Number(row.caller_duration_ns), Number(row.callee_duration_ns)];
        const workedOn = served + Number(row.direct_floor_ns) > took + callerGrain + calleeGrain;
        see({
          from: to,
          to: from,
          second: secondOf(row.callee_start_ns + row.callee_duration_ns),
          least: workedOn ? Number.NEGATIVE_INFINITY : took - served - there + callerGrain - way,
          floor: way,
          kind: edgeKind.reply,
          flow: flowOf(unsigned(row.hop)),
        });
      }
    }
    if (row.passage_ns !== null && from !== 0) {
      const floor = Number(row.uplink_floor_ns);
      see({
        from,
        to: brokerOf(turn, row),
        second,
        least: Number(row.passage_ns - row.caller_start_ns) - floor,
        floor,
        kind: edgeKind.passage,
        flow: 0,
      });
    }
  }
  return edgeColumnsOf([...edges.values()]);
}

// ---- settling

const momentKey = ({ caller, callee, broker, second }: Moment): string => `${caller} ${callee} ${broker} ${second}`;

/** null: on one clock, and nobody saw it pass. */
function momentOf(
  turn: Turn,
  row: Pick<StoredCrossing, 'caller_device' | 'callee_device' | 'passage_ns' | 'passage_collector' | 'caller_start_ns'>,
): Moment | null {
  const [caller, callee] = [turn.deviceNumber(row.caller_device), turn.deviceNumber(row.callee_device)];
  if (caller === callee && row.passage_ns === null) return null;
  return { caller, callee, broker: brokerOf(turn, row as StoredCrossing), second: secondOf(row.caller_start_ns) };
}

export async function momentsOf(turn: Turn, minute: number): Promise<MomentColumns> {
  const rows = await turn.objects<StoredCrossing>(
    'crossings',
    (table) =>
      `SELECT DISTINCT caller_device, callee_device, passage_ns, passage_collector, caller_start_ns FROM ${table} WHERE ts = $1 AND NOT gone`,
    [microsOfMinute(minute)],
  );
  const moments = new Map<string, Moment>();
  for (const row of rows) {
    const moment = momentOf(turn, row);
    if (moment) moments.set(momentKey(moment), moment);
  }
  return momentColumnsOf([...moments.values()]);
}

/** Judges one part of the minute's crossings anew; answers how many have changed. */
export async function settle(
  turn: Turn,
  minute: number,
  moments: MomentColumns,
  offsets: OffsetColumns,
  { part, parts: of }: { part: number; parts: number },
): Promise<number> {
  const rows = await storedCrossings(turn, 'ts = $1 AND coalesce(abs(caller_span % $2), 0) = $3', [
    microsOfMinute(minute),
    of,
    part,
  ]);
  const momentAt = new Map<string, number>();
  for (let m = 0; m < moments.count; m++)
    momentAt.set(
      momentKey({
        caller: moments.caller[m]!,
        callee: moments.callee[m]!,
        broker: moments.broker[m]!,
        second: moments.second[m]!,
      }),
      m,
    );
  const changed = new HopMinutes();
  let count = 0;
  for (const row of rows) {
    const moment = momentOf(turn, row);
    const figures = crossingFigures(
      stampsOf(turn, row),
      offsets,
      moment ? (momentAt.get(momentKey(moment)) ?? -1) : -1,
    );
    if (isAsBefore(row, figures)) continue;
    count++;
    changed.add({ hop: unsigned(row.hop), minute });
    putAgain(turn, row, figures);
  }
  turn.changed(changed.all());
  return count;
}

function stampsOf(turn: Turn, row: StoredCrossing): CrossingStamps {
  return {
    message: row.message,
    same: turn.deviceNumber(row.caller_device) === turn.deviceNumber(row.callee_device),
    there: Number(row.callee_start_ns - row.caller_start_ns),
    gap: Number(row.caller_duration_ns - row.callee_duration_ns),
    callerGrain: (row.grains & 1) > 0,
    calleeGrain: (row.grains & 2) > 0,
    floor: Number(row.floor_ns),
    uplinkRaw: row.passage_ns === null ? null : Number(row.passage_ns - row.caller_start_ns),
    downlinkRaw: row.passage_ns === null ? null : Number(row.callee_start_ns - row.passage_ns),
  };
}

const orNull = (nanos: number): bigint | null => (Number.isNaN(nanos) ? null : BigInt(nanos));

function isAsBefore(row: StoredCrossing, figures: CrossingFigures): boolean {
  return (
    row.clock === figures.clock &&
    row.misplaced === figures.misplaced &&
    row.offset_ns === orNull(figures.offset) &&
    row.bound_ns === orNull(figures.bound) &&
    row.uplink_ns === orNull(figures.uplink) &&
    row.uplink_bound_ns === orNull(figures.uplinkBound) &&
    row.downlink_bound_ns === orNull(figures.downlinkBound)
  );
}

function putAgain(turn: Turn, row: StoredCrossing, figures: CrossingFigures): void {
  turn.put('crossings', row.at, [
    bucketOf(unsigned(row.caller_trace_lo)),
    bucketOf(unsigned(row.callee_trace_lo)),
    row.caller_device,
    row.callee_device,
    row.broker,
    row.passage_collector,
    row.caller_trace_hi,
    row.caller_trace_lo,
    row.caller_span,
    row.callee_trace_hi,
    row.callee_trace_lo,
    row.callee_span,
    row.hop,
    row.message,
    row.linked,
    row.error,
    row.caller_start_ns,
    row.caller_duration_ns,
    row.callee_start_ns,
    row.callee_duration_ns,
    row.passage_ns,
    row.raw_ns,
    orNull(figures.added),
    orNull(figures.offset),
    orNull(figures.bound),
    figures.clock,
    row.floor_ns,
    row.direct_floor_ns,
    orNull(figures.uplink),
    orNull(figures.uplinkBound),
    orNull(figures.downlink),
    orNull(figures.downlinkBound),
    row.uplink_floor_ns,
    row.grains,
    figures.misplaced,
    false,
  ]);
}
