import { ascending } from '../ascending.ts';
import {
  isCaller,
  type LinkRows,
  messagingSystems,
  Pairing,
  pickSpans,
  type SeenPassing,
  type SpanArrays,
  SpanIndex,
  SpanRows,
  wordsOf,
} from '../audit-pair.ts';
import type { BatchRange } from '../audit-store.ts';
import type { AuditBook } from './audit-book.ts';
import { readSpans, type Turn } from './audit-turn.ts';
import { idsAtOnce, listed, microsOf, parts, unsigned } from './dialect.ts';

export type Cursors = ReadonlyMap<string, { after: bigint; upto: bigint }>;

/** What a pass looks at: the new spans, and all of every trace that anything new belongs to or points at. */
export interface Gathered {
  rows: SpanRows;
  index: SpanIndex;
  pairing: Pairing;
  oldTraces: { at: bigint; hi: bigint; lo: bigint }[];
  /** new spans, each once */
  fresh: number;
  /** crossings of the new spans may stand there already */
  uncertain: boolean;
}

/** Every collector, also those with nothing new (after = upto). */
export function cursorsOf(
  book: AuditBook,
  ranges: readonly BatchRange[],
  name: (collector: number) => string,
): Cursors {
  const rows = book.own<{ collector: string; seq: bigint }>('SELECT collector, seq FROM cursors');
  const cursors = new Map(rows.map((row) => [row.collector, { after: row.seq, upto: row.seq }]));
  for (const range of ranges) cursors.set(name(range.collector), { after: range.after, upto: range.upto });
  return cursors;
}

/** Rows of a range of batches: $1 .. $4. */
export const ofRange = 'collector = $1 AND seq > $2 AND seq <= $3 AND ts >= $4';
export const rangeParams = (
  turn: Turn,
  range: { collector: number; after: bigint; upto: bigint; oldestArrivalMs: number },
) => [turn.kept.texts.name(range.collector), range.after, range.upto, microsOf(range.oldestArrivalMs)];

export async function gather(turn: Turn, ranges: readonly BatchRange[], sinceMs: number): Promise<Gathered> {
  const cursors = cursorsOf(turn.book, ranges, (number) => turn.kept.texts.name(number));
  const since = microsOf(sinceMs);
  const uncertain = await isUncertain(turn, cursors);
  const { spans, traces } = await freshRows(turn, ranges);
  const all = await withLinking(turn, traces, since);
  const oldTraces = await tracesBefore(turn, all, since);
  const old = await oldSpans(turn, oldTraces, cursors, since);
  const rows = new SpanRows(old === null ? spans : [old, ...spans], old === null ? 0 : old[0].length);
  const index = new SpanIndex(rows);
  const links = await linksFrom(turn, all, cursors, since);
  const { texts } = turn.kept;
  const pairing = new Pairing({
    rows,
    index,
    links,
    passages: await passagesOf(turn, rows, index, all, cursors, since),
    devices: devicesOfResources(turn),
    messaging: new Set(links.count > 0 ? messagingSystems.map((name) => texts.of(name)) : []),
  });
  let dropped = 0;
  for (let i = rows.firstFresh; i < rows.count; i++) dropped += index.dropped?.[i] ?? 0;
  return { rows, index, pairing, oldTraces, fresh: rows.count - rows.firstFresh - dropped, uncertain };
}

/** Until everything has been read once more that was there when it became uncertain. */
async function isUncertain(turn: Turn, cursors: Cursors): Promise<boolean> {
  const { kept } = turn;
  kept.uncertainUpto ??= new Map(
    await turn.rows<[string, bigint]>('batches', (table) => `SELECT collector, max(seq) FROM ${table}`),
  );
  for (const [collector, seq] of kept.uncertainUpto)
    if ((cursors.get(collector)?.after ?? 0n) >= seq) kept.uncertainUpto.delete(collector);
  return kept.uncertainUpto.size > 0;
}

async function freshRows(
  turn: Turn,
  ranges: readonly BatchRange[],
): Promise<{ spans: SpanArrays[]; traces: Set<bigint> }> {
  const spans: SpanArrays[] = [];
  const traces = new Set<bigint>();
  for (const range of ranges) {
    const params = rangeParams(turn, range);
    const read = await readSpans(turn, ofRange, params);
    spans.push(read);
    for (const traceLo of read[1]) traces.add(traceLo);
    for (const [table, column] of [
      ['passages', 'trace_lo'],
      ['links', 'to_trace_lo'],
    ] as const)
      for (const [lo] of await turn.rows<[bigint | null]>(
        table,
        (name) => `SELECT DISTINCT ${column} FROM ${name} WHERE ${ofRange}`,
        params,
      ))
        traces.add(unsigned(lo));
  }
  return { spans, traces };
}

/** ... and the traces that link into them: their consumers may have come first. */
async function withLinking(turn: Turn, traces: ReadonlySet<bigint>, since: number): Promise<bigint[]> {
  const all = new Set(traces);
  if (traces.size > 0 && (await turn.any('links')))
    for (const some of parts([...traces], idsAtOnce))
      for (const [lo] of await turn.rows<[bigint | null]>(
        'links',
        (name) => `SELECT DISTINCT trace_lo FROM ${name} WHERE ts >= $1 AND to_trace_lo IN ${listed(some)}`,
        [since],
      ))
        all.add(unsigned(lo));
  return [...all];
}

/** Which of these traces an earlier pass has summed up. A trace stands at its first arrival, which may be a day before its last. */
async function tracesBefore(turn: Turn, traces: readonly bigint[], since: number): Promise<Gathered['oldTraces']> {
  const found: Gathered['oldTraces'] = [];
  for (const some of parts(traces, idsAtOnce))
    for (const [at, hi, lo] of await turn.rows<[bigint, bigint | null, bigint | null]>(
      'traces',
      (name) =>
        `SELECT ts::long, trace_hi, trace_lo FROM ${name} WHERE NOT gone AND ts >= $1 AND last_arrival_ms >= $2 AND trace_lo IN ${listed(some)}`,
      [since - dayMicros, Math.floor(since / 1000)],
    ))
      found.push({ at, hi: unsigned(hi), lo: unsigned(lo) });
  return found;
}
const dayMicros = 86_400_000_000;

/** Spans of these traces that were read by an earlier pass. */
async function oldSpans(
  turn: Turn,
  traces: Gathered['oldTraces'],
  cursors: Cursors,
  since: number,
): Promise<SpanArrays | null> {
  if (traces.length === 0) return null;
  const first = traces.map(({ at }) => at).sort(ascending)[0]!;
  const found: SpanArrays[] = [];
  for (const some of parts([...new Set(traces.map(({ lo }) => lo))], idsAtOnce))
    found.push(
      await readSpans(turn, `ts >= $1 AND trace_lo IN ${listed(some)}`, [first > BigInt(since) ? first : since]),
    );
  const read = found.map((arrays) => {
    const rows: number[] = [];
    for (let i = 0; i < arrays[15].length; i++)
      if (arrays[16][i]! <= (cursors.get(turn.kept.texts.name(arrays[15][i]!))?.after ?? -1n)) rows.push(i);
    return pickSpans(arrays, rows);
  });
  const whole = read.length === 1 ? read[0]! : joined(read);
  return whole[0].length === 0 ? null : whole;
}

const joined = (of: SpanArrays[]): SpanArrays =>
  of[0]!.map((column, c) => {
    const Kind = column.constructor as new (length: number) => BigInt64Array;
    const all = new Kind(of.reduce((sum, arrays) => sum + arrays[c]!.length, 0));
    let at = 0;
    for (const arrays of of) {
      all.set(arrays[c] as BigInt64Array, at);
      at += arrays[c]!.length;
    }
    return all;
  }) as unknown as SpanArrays;

async function linksFrom(turn: Turn, traces: readonly bigint[], cursors: Cursors, since: number): Promise<LinkRows> {
  const found: (bigint | null)[][] = [];
  if (traces.length > 0 && (await turn.any('links')))
    for (const some of parts(traces, idsAtOnce))
      for (const [collector, seq, ...ids] of await turn.rows<[string, bigint, ...(bigint | null)[]]>(
        'links',
        (name) =>
          `SELECT collector, seq, trace_hi, trace_lo, span_id, to_trace_hi, to_trace_lo, to_span_id FROM ${name}
           WHERE ts >= $1 AND trace_lo IN ${listed(some)}`,
        [since],
      ))
        if (seq <= (cursors.get(collector)?.upto ?? -1n)) found.push(ids);
  const words = [0, 1, 2, 3, 4, 5].map((c) => wordsOf(BigUint64Array.from(found, (ids) => unsigned(ids[c]!))));
  const [hi, lo, id, toHi, toLo, toId] = words as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  return { count: found.length, hi, lo, id, toHi, toLo, toId };
}

/** A message that several brokers passed on is dated by the first. */
async function passagesOf(
  turn: Turn,
  rows: SpanRows,
  index: SpanIndex,
  traces: readonly bigint[],
  cursors: Cursors,
  since: number,
): Promise<Map<number, SeenPassing>> {
  const passages = new Map<number, SeenPassing>();
  if (traces.length === 0 || !(await turn.any('passages'))) return passages;
  const { texts } = turn.kept;
  for (const some of parts(traces, idsAtOnce)) {
    const found = await turn.rows<[bigint | null, bigint | null, bigint | null, bigint, string | null, string, bigint]>(
      'passages',
      (name) =>
        `SELECT trace_hi, trace_lo, span_id, receive_ns, broker, collector, seq FROM ${name} WHERE ts >= $1 AND trace_lo IN ${listed(some)}`,
      [since],
    );
    const [hi, lo, id] = [0, 1, 2].map((c) =>
      wordsOf(BigUint64Array.from(found, (row) => unsigned(row[c] as bigint | null))),
    ) as [Uint32Array, Uint32Array, Uint32Array];
    for (const [i, [, , , received, brokerName, collector, seq]] of found.entries()) {
      const cursor = cursors.get(collector);
      if (!cursor || seq > cursor.upto) continue;
      const row = index.find(hi, lo, id, i, i);
      if (row < 0 || !isCaller(rows, row)) continue;
      const before = passages.get(row);
      const broker = texts.of(brokerName);
      const first =
        !before || received < before.ns || (received === before.ns && (brokerName ?? '') < texts.name(before.broker));
      passages.set(row, {
        ns: first ? received : before.ns,
        broker: first ? broker : before.broker,
        device: first ? -1 - texts.of(collector) : before.device,
        fresh: (before?.fresh ?? false) || seq > cursor.after,
      });
    }
  }
  return passages;
}

/** Numbers of resources -> numbers of devices. */
export function devicesOfResources({ book, kept }: Turn): Map<number, number> {
  const rows = book.own<{ resource: string; device: number; collector: string | null }>(
    'SELECT resource, device, collector FROM placings',
  );
  return new Map(
    rows.map(({ resource, device, collector }) => [
      kept.resources.of(resource),
      collector === null ? device : -1 - kept.texts.of(collector),
    ]),
  );
}
