import { sliceOf } from '#lib/domain/live-verdict.ts';
import { minuteOf } from '#lib/domain/units.ts';
import { latestMs, minuteOfStart, pickSpans, SpanIndex, SpanRows, wordsOf } from '../audit-pair.ts';
import type { AskedRoute, HeardMinute, UncheckedRange, WaitingRoute } from '../audit-store.ts';
import { goneRow } from './audit-crossings.ts';
import { cursorsOf, ofRange, rangeParams } from './audit-gather.ts';
import { readSpans, type Turn } from './audit-turn.ts';
import {
  bucketOf,
  idsAtOnce,
  listed,
  microsOf,
  microsOfMinute,
  minuteOfMicros,
  parts,
  placeholders,
  signed,
  unsigned,
} from './dialect.ts';

/** A CLIENT only where it ended in error: without a word of failure nobody waited. */
const waitsForAnAnswer = `(kind = 4 OR (kind = 3 AND status = 2)) AND operation <> 3 AND operation <> 5`;
const dayMinutes = 1440;

/** Callers without an answer, and by what they asked for. */
export interface Waiting {
  rows: SpanRows;
  minutes: ReadonlyMap<number, number>;
  callers: ReadonlyMap<WaitingRoute, number[]>;
}

export function uncheckedRanges(
  turn: Turn,
  readMs: number,
  maxSpans: number,
): { ranges: UncheckedRange[]; more: boolean } {
  const rows = turn.book.own<{
    collector: string;
    after_seq: bigint;
    upto_seq: bigint;
    oldest_ms: number;
    spans: number;
  }>('SELECT * FROM unchecked WHERE read_ms <= ? ORDER BY read_ms, collector, upto_seq', readMs);
  const ranges: UncheckedRange[] = [];
  let spans = 0;
  for (const row of rows) {
    if (spans >= maxSpans) return { ranges, more: true };
    spans += row.spans;
    ranges.push({
      collector: turn.kept.texts.of(row.collector),
      after: row.after_seq,
      upto: row.upto_seq,
      oldestArrivalMs: row.oldest_ms,
    });
  }
  return { ranges, more: false };
}

export function checked(turn: Turn, ranges: readonly UncheckedRange[]): void {
  for (const { collector, upto } of ranges)
    turn.book.run('DELETE FROM unchecked WHERE collector = ? AND upto_seq = ?', turn.kept.texts.name(collector), upto);
}

export async function waitingIn(turn: Turn, ranges: readonly UncheckedRange[]): Promise<Waiting> {
  const read = [];
  for (const range of ranges)
    read.push(await readSpans(turn, `${ofRange} AND ${waitsForAnAnswer}`, rangeParams(turn, range)));
  return waitFor(turn, new SpanRows(read, 0));
}

/** What a cursor has not passed, or what is still to be looked at, comes when its turn comes. */
export async function waitingSince(turn: Turn, minute: number, resources: readonly number[]): Promise<Waiting> {
  const { kept, book } = turn;
  const cursors = cursorsOf(book, [], (number) => kept.texts.name(number));
  const { ranges } = uncheckedRanges(turn, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY);
  const looked = [];
  for (const some of parts(resources, 1_000)) {
    const found = await readSpans(
      turn,
      `ts >= $1 AND start_ns >= $2 AND resource IN (${placeholders(some.length, 3)}) AND ${waitsForAnAnswer}`,
      [
        microsOf(minute * 60_000 - latestMs),
        BigInt(minute) * 60_000_000_000n,
        ...some.map((resource) => kept.resources.name(resource)),
      ],
    );
    const [collectors, seqs] = [found[15], found[16]];
    const rows: number[] = [];
    for (let i = 0; i < collectors.length; i++) {
      const [collector, seq] = [collectors[i]!, seqs[i]!];
      if (seq > (cursors.get(kept.texts.name(collector))?.upto ?? -1n)) continue;
      if (ranges.some((range) => range.collector === collector && seq > range.after && seq <= range.upto)) continue;
      rows.push(i);
    }
    looked.push(pickSpans(found, rows));
  }
  return waitFor(turn, new SpanRows(looked, 0));
}

/** Without those that have a crossing, and those that are counted already. */
async function waitFor(turn: Turn, rows: SpanRows): Promise<Waiting> {
  const index = new SpanIndex(rows);
  const minutes = new Map<number, number>();
  for (let i = 0; i < rows.count; i++)
    if (!index.dropped?.[i]) minutes.set(i, minuteOfStart(rows.startNs[i]!, rows.arrivalMs[i]!));
  const leave = (found: readonly (bigint | null)[][]): void => {
    const [hi, lo, id] = [0, 1, 2].map((c) => wordsOf(BigUint64Array.from(found, (row) => unsigned(row[c]!)))) as [
      Uint32Array,
      Uint32Array,
      Uint32Array,
    ];
    for (let i = 0; i < found.length; i++) minutes.delete(index.find(hi, lo, id, i, i));
  };
  const all = [...minutes.values()];
  const range = [
    all.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER),
    all.reduce((a, b) => Math.max(a, b), 0),
  ];
  for (const some of parts([...new Set(Array.from(minutes.keys(), (row) => rows.traceLo[row]!))], idsAtOnce)) {
    leave(
      await turn.rows<(bigint | null)[]>(
        'crossings',
        (table) =>
          `SELECT caller_trace_hi, caller_trace_lo, caller_span FROM ${table} WHERE ts >= $1 AND ts <= $2 AND NOT gone AND caller_trace_lo IN ${listed(some)}`,
        range.map(microsOfMinute),
      ),
    );
    leave(
      await turn.rows<(bigint | null)[]>(
        'unanswered',
        (table) => `SELECT trace_hi, trace_lo, span_id FROM ${table} WHERE NOT gone AND trace_lo IN ${listed(some)}`,
      ),
    );
  }
  const { texts } = turn.kept;
  const routes = new Map<string, { route: WaitingRoute; callers: number[] }>();
  for (const row of minutes.keys()) {
    const [resource, system, destination] = [rows.resource[row]!, rows.system[row]!, rows.destination[row]!];
    const key = `${resource} ${system} ${destination}`;
    const known = routes.get(key);
    if (known) known.callers.push(row);
    else
      routes.set(key, {
        route: {
          resource,
          system,
          destination,
          systemName: texts.name(system),
          destinationName: texts.name(destination),
        },
        callers: [row],
      });
  }
  return { rows, minutes, callers: new Map([...routes.values()].map(({ route, callers }) => [route, callers])) };
}

export async function countUnanswered(turn: Turn, waiting: Waiting, routes: readonly AskedRoute[]): Promise<number> {
  const { rows, minutes, callers } = waiting;
  const asked = routes.flatMap(({ asked: of, route }) =>
    callers.get(of)!.map((row) => ({ row, route, minute: minutes.get(row)! })),
  );
  const hopOf = await lastToAnswer(turn, new Map(routes.map(({ route, hops }) => [route, hops])), asked);
  const missing = asked.flatMap((one) => {
    const hop = hopOf(one);
    return hop === null ? [] : [{ ...one, hop }];
  });
  for (const { row, hop, minute, route } of missing) {
    const startMs = Number(rows.startNs[row]! / 1_000_000n);
    putUnanswered(turn, minute, {
      hi: rows.traceHi[row]!,
      lo: rows.traceLo[row]!,
      span: rows.spanId[row]!,
      hop,
      // a start that was absurd says nothing about the ten seconds
      slice: minuteOf(startMs) === minute ? sliceOf(startMs) : null,
      route,
    });
  }
  turn.changed(missing);
  return missing.length;
}

interface Unanswered {
  hi: bigint;
  lo: bigint;
  span: bigint;
  hop: bigint;
  slice: number | null;
  route: bigint;
}

function putUnanswered(turn: Turn, minute: number, { hi, lo, span, hop, slice, route }: Unanswered): void {
  turn.put('unanswered', microsOfMinute(minute), [
    bucketOf(lo),
    signed(hi),
    signed(lo),
    signed(span),
    signed(hop),
    slice,
    signed(route),
    false,
  ]);
}

/** Of the hops of a route the one that answered last within the day up to a minute; of two in the same minute the lower number. */
async function lastToAnswer(
  turn: Turn,
  hopsOf: ReadonlyMap<bigint, readonly bigint[]>,
  asked: readonly { route: bigint; minute: number }[],
): Promise<(of: { route: bigint; minute: number }) => bigint | null> {
  const key = ({ route, minute }: { route: bigint; minute: number }): string => `${route} ${minute}`;
  const found = new Map<string, bigint>();
  const open = new Map(asked.map((one) => [key(one), one]));
  // who answers at all has mostly done so within minutes
  for (const reach of [10, dayMinutes]) {
    const wanted = [...open.values()];
    if (wanted.length === 0) break;
    const all = wanted.map(({ minute }) => minute);
    const heard = await heardMinutes(
      turn,
      [...new Set(wanted.flatMap(({ route }) => hopsOf.get(route)!))],
      all.reduce((a, b) => Math.min(a, b)) - reach + 1,
      all.reduce((a, b) => Math.max(a, b)),
    );
    for (const one of wanted) {
      let best: { hop: bigint; minute: number } | null = null;
      for (const hop of hopsOf.get(one.route)!) {
        const minute = lastBefore(heard.get(hop) ?? [], one.minute);
        if (minute === null || minute <= one.minute - reach) continue;
        if (!best || minute > best.minute || (minute === best.minute && hop < best.hop)) best = { hop, minute };
      }
      if (!best) continue;
      found.set(key(one), best.hop);
      open.delete(key(one));
    }
  }
  return (of) => found.get(key(of)) ?? null;
}

/** Minutes in which each hop was crossed, oldest first. */
async function heardMinutes(
  turn: Turn,
  hops: readonly bigint[],
  fromMinute: number,
  toMinute: number,
): Promise<Map<bigint, number[]>> {
  const found = new Map<bigint, number[]>();
  for (const some of parts(hops, idsAtOnce))
    for (const [hop, at] of await turn.rows<[bigint | null, bigint]>(
      'hop_minutes',
      (table) =>
        `SELECT hop, ts::long FROM ${table} WHERE ts >= $1 AND ts <= $2 AND "count" > 0 AND NOT gone AND hop IN ${listed(some)} ORDER BY ts`,
      [microsOfMinute(fromMinute), microsOfMinute(toMinute)],
    )) {
      const minutes = found.get(unsigned(hop));
      if (minutes) minutes.push(minuteOfMicros(at));
      else found.set(unsigned(hop), [minuteOfMicros(at)]);
    }
  return found;
}

/** The last of them that is not after a minute. */
function lastBefore(minutes: readonly number[], minute: number): number | null {
  let [low, high] = [0, minutes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (minutes[middle]! <= minute) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? null : minutes[low - 1]!;
}

export async function takeHeard(turn: Turn): Promise<HeardMinute[]> {
  const heard = turn.book
    .own<{ hop: bigint; minute: number }>('SELECT hop, minute FROM heard')
    .map(({ hop, minute }) => ({ hop: unsigned(hop), minute }));
  if (heard.length === 0) return [];
  turn.book.run('DELETE FROM heard');
  const all = heard.map(({ minute }) => minute);
  const near = await heardMinutes(
    turn,
    [...new Set(heard.map(({ hop }) => hop))],
    all.reduce((a, b) => Math.min(a, b)) - dayMinutes + 1,
    all.reduce((a, b) => Math.max(a, b)) + dayMinutes - 1,
  );
  return heard.map(({ hop, minute }) => {
    const minutes = near.get(hop) ?? [];
    const before = lastBefore(minutes, minute - 1);
    const after = minutes.find((other) => other > minute) ?? null;
    return {
      hop,
      minute,
      before: before !== null && before > minute - dayMinutes ? before : null,
      after: after !== null && after < minute + dayMinutes ? after : null,
    };
  });
}

export async function attributeAgain(
  turn: Turn,
  routes: readonly { route: bigint; hops: readonly bigint[]; since: number }[],
): Promise<number> {
  if (routes.length === 0 || !(await turn.any('unanswered'))) return 0;
  const since = new Map(routes.map((each) => [each.route, each.since]));
  const rows: (Unanswered & { minute: number })[] = [];
  for (const some of parts([...since.keys()], idsAtOnce))
    for (const [at, hi, lo, span, hop, slice, route] of await turn.rows<
      [bigint, bigint | null, bigint | null, bigint | null, bigint | null, number | null, bigint | null]
    >(
      'unanswered',
      (table) =>
        `SELECT ts::long, trace_hi, trace_lo, span_id, hop, slice, route FROM ${table} WHERE ts >= $1 AND NOT gone AND route IN ${listed(some)}`,
      [microsOfMinute([...since.values()].reduce((a, b) => Math.min(a, b)))],
    )) {
      const minute = minuteOfMicros(at);
      const from = since.get(unsigned(route))!;
      if (minute < from || minute >= from + dayMinutes) continue;
      rows.push({
        minute,
        hi: unsigned(hi),
        lo: unsigned(lo),
        span: unsigned(span),
        hop: unsigned(hop),
        slice,
        route: unsigned(route),
      });
    }
  const hopOf = await lastToAnswer(turn, new Map(routes.map(({ route, hops }) => [route, hops])), rows);
  const wrong = rows.flatMap((row) => (hopOf(row) === row.hop ? [] : [{ ...row, now: hopOf(row) }]));
  for (const { now, ...row } of wrong) {
    if (now === null)
      turn.put(
        'unanswered',
        microsOfMinute(row.minute),
        goneRow('unanswered', [signed(row.hi), signed(row.lo), signed(row.span)], 'trace_hi'),
      );
    else putUnanswered(turn, row.minute, { ...row, hop: now });
  }
  turn.changed([...wrong, ...wrong.flatMap(({ now, minute }) => (now === null ? [] : [{ hop: now, minute }]))]);
  return wrong.length;
}
