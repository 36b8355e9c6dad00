import type { IngestBatch } from '#lib/domain/ingest-batch.ts';
import type { SpanColumns } from '#lib/domain/span-columns.ts';
import { hashText, RecentKeys } from '../recent-keys.ts';
import type { Database } from './database.ts';
import { type Dictionary, other } from './dictionary.ts';
import { type Session, type Tx, yieldToEvents } from './session.ts';

/** How many recent keys are known, to drop what comes twice. */
export interface RecentBounds {
  spans: number;
  dataPoints: number;
  passages: number;
}
export const defaultRecent: RecentBounds = { spans: 2_000_000, dataPoints: 1_000_000, passages: 500_000 };

/** Rows judged in one go, before others may run: 1-2 ms. */
const sliceRows = 4_096;

/** Which batches of a collector are stored: all up to `through`, and single ones above. */
interface Stored {
  through: number;
  above: Set<number>;
}

/**
 * The way in. One append at a time, one transaction each. What it keeps in memory (dictionary, recent keys, which batches are stored)
 * moves on only when the transaction has committed, and is read from the file at open.
 */
export class Appender {
  readonly #db: Database;
  readonly #dictionary: Dictionary;
  readonly #recent: { spans: RecentKeys; points: RecentKeys; passages: RecentKeys };
  readonly #bounds: RecentBounds;
  #stored = new Map<string, Stored>();
  #queue: Promise<unknown> = Promise.resolve();
  readonly #scratch = new Scratch();
  /** Whether there has ever been one: most installations have no links, many no messages. */
  readonly holds = { links: false, passages: false };

  constructor(db: Database, dictionary: Dictionary, bounds: RecentBounds = defaultRecent) {
    this.#db = db;
    this.#dictionary = dictionary;
    this.#bounds = bounds;
    this.#recent = {
      spans: new RecentKeys(bounds.spans),
      points: new RecentKeys(bounds.dataPoints),
      passages: new RecentKeys(bounds.passages),
    };
  }

  /** The dictionary must have been loaded. */
  async load(session: Session): Promise<void> {
    this.#stored = await loadStored(session, this.#dictionary);
    await loadRecent(session, this.#recent, this.#bounds);
    const [held] = await session.all<typeof this.holds>(
      'SELECT EXISTS (SELECT 1 FROM links) AS links, EXISTS (SELECT 1 FROM passages) AS passages',
    );
    Object.assign(this.holds, held);
  }

  watermarks(): Map<string, number> {
    return new Map([...this.#stored].map(([collector, { through }]) => [collector, through]));
  }

  append(batches: IngestBatch[]): Promise<void> {
    // Its own queue around the database's: memory must have moved on before the next one looks at it.
    const turn = this.#queue.then(() => this.#appendNow(batches));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #appendNow(batches: IngestBatch[]): Promise<void> {
    if (this.#fresh(batches).length === 0) return;
    const keys = Object.values(this.#recent);
    let fresh: IngestBatch[] = [];
    try {
      await this.#db.write(async (tx) => {
        fresh = this.#fresh(batches); // asked again: while this waited, the instance may have been reopened and all of memory read anew
        for (const set of keys) set.begin();
        for (const batch of fresh) await this.#appendBatch(tx, batch);
        await this.#dictionary.write(tx);
      });
    } catch (error) {
      for (const set of keys) set.rollback();
      this.#dictionary.rolledBack();
      throw error;
    }
    for (const set of keys) set.commit();
    this.#dictionary.committed();
    for (const batch of fresh) {
      this.#markStored(batch.collectorId, batch.seq);
      if (batch.passages.length > 0) this.holds.passages = true;
      if (batch.spans && batch.spans.links.count > 0) this.holds.links = true;
    }
  }

  #fresh(batches: IngestBatch[]): IngestBatch[] {
    const seen = new Set<string>();
    return batches.filter(({ collectorId, seq }) => {
      const stored = this.#stored.get(collectorId);
      if (stored && (seq <= stored.through || stored.above.has(seq))) return false;
      const key = `${seq} ${collectorId}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  }

  #markStored(collectorId: string, seq: number): void {
    const stored = this.#stored.get(collectorId) ?? { through: 0, above: new Set() };
    this.#stored.set(collectorId, stored);
    stored.above.add(seq);
    while (stored.above.delete(stored.through + 1)) stored.through++;
  }

  async #appendBatch(tx: Tx, batch: IngestBatch): Promise<void> {
    const collector = this.#dictionary.always(batch.collectorId);
    const origin: Origin = [batch.arrivalMs, collector, batch.seq];
    const spans = batch.spans ? await this.#appendSpans(tx, batch.spans, origin) : { stored: 0, duplicate: 0 };
    const points = await this.#appendDataPoints(tx, batch, origin);
    await this.#appendPassages(tx, batch, origin);
    const messages = await this.#appendTraffic(tx, batch, origin);
    await this.#appendWord(tx, batch, origin);

    const reasons = Object.entries(batch.rejected).filter(([, count]) => count > 0);
    const rejected = reasons.reduce((sum, [, count]) => sum + count, 0);
    const duplicate = spans.duplicate + points.duplicate;
    const stored = spans.stored + points.stored + messages;
    // a batch that came again whole leaves nothing to drill down into
    const raw = spans.stored > 0 ? batch.raw : null;
    await tx.append('batches', 1, [
      collector,
      batch.seq,
      batch.signal,
      batch.arrivalMs,
      batch.received,
      stored,
      duplicate,
      rejected,
      [raw],
    ]);
    const names = reasons.map(([reason]) => reason);
    const counts = reasons.map(([, count]) => count);
    await tx.append('rejections', names.length, [collector, batch.seq, batch.arrivalMs, names, counts]);
  }

  async #appendSpans(tx: Tx, spans: SpanColumns, origin: Origin): Promise<Outcome> {
    const dictionary = this.#dictionary;
    const strings = new Int32Array(spans.strings.length).fill(-1);
    const text = (index: number): number => {
      const known = strings[index]!;
      if (known >= 0) return known;
      strings[index] = dictionary.string(spans.strings[index]!);
      return strings[index];
    };
    const resources = Int32Array.from(spans.resources, (resource) => dictionary.resourceId(resource, origin[0]));
    const words = wordsOf(spans);
    const recent = this.#recent.spans;
    const s = this.#scratch;
    /** 1 where the span was dropped; only made when one was */
    let dropped: Uint8Array | null = null;
    let stored = 0;
    for (let from = 0; from < spans.count; from += sliceRows) {
      const to = Math.min(spans.count, from + sliceRows);
      let kept = 0;
      for (let i = from; i < to; i++) {
        const w = i * 2;
        if (
          !recent.add(
            words.hi[w]!,
            words.hi[w + 1]!,
            words.lo[w]!,
            words.lo[w + 1]!,
            words.span[w]!,
            words.span[w + 1]!,
          )
        ) {
          dropped ??= new Uint8Array(spans.count);
          dropped[i] = 1;
          continue;
        }
        s.rows[kept] = i;
        s.name[kept] = text(spans.name[i]!);
        s.resource[kept] = resources[spans.resource[i]!]!;
        s.system[kept] = text(spans.system[i]!);
        s.destination[kept] = text(spans.destination[i]!);
        kept++;
      }
      stored += kept;
      const own = kept === to - from ? wholeSlice(spans, from, to) : s.pick(spans, words, kept);
      await tx.append('spans', kept, [
        ...own.ids,
        ...origin,
        ...own.bytes,
        s.name,
        s.resource,
        s.system,
        s.destination,
      ]);
      if (to < spans.count) await yieldToEvents();
    }
    await appendLinks(tx, spans, dropped, origin);
    return { stored, duplicate: spans.count - stored };
  }

  async #appendDataPoints(tx: Tx, batch: IngestBatch, origin: Origin): Promise<Outcome> {
    const { dataPoints } = batch;
    let stored = 0;
    for (let from = 0; from < dataPoints.length; from += sliceRows) {
      const rows = {
        resource: [] as number[],
        metric: [] as number[],
        attributes: [] as number[],
        time: [] as number[],
        value: [] as number[],
      };
      for (const point of dataPoints.slice(from, from + sliceRows)) {
        const resource = this.#dictionary.resourceId(point.resource, batch.arrivalMs);
        const metric = this.#dictionary.string(point.metric);
        const attributes = this.#dictionary.string(point.attributesJson);
        // what was folded is told apart by its text while that is at hand
        const own = attributes === otherId ? hashText(point.attributesJson) : 0;
        const ownMetric = metric === otherId ? hashText(point.metric) : 0;
        const timeMs = Math.round(point.timeMs);
        if (!this.#recent.points.add(resource, metric, attributes, timeMs % 4294967296, own, ownMetric)) continue;
        rows.resource.push(resource);
        rows.metric.push(metric);
        rows.attributes.push(attributes);
        rows.time.push(timeMs);
        rows.value.push(point.value);
      }
      stored += rows.time.length;
      await tx.append('data_points', rows.time.length, [
        rows.resource,
        rows.metric,
        rows.attributes,
        rows.time,
        Float64Array.from(rows.value),
        ...origin,
      ]);
    }
    return { stored, duplicate: dataPoints.length - stored };
  }

  /** A passage that is known already is left out; the message is counted all the same, in its topic's traffic. */
  async #appendPassages(tx: Tx, batch: IngestBatch, origin: Origin): Promise<void> {
    const { passages } = batch;
    for (let from = 0; from < passages.length; from += sliceRows) {
      const broker: number[] = [];
      const topic: number[] = [];
      const kept = passages.slice(from, from + sliceRows).filter((passage) => {
        const brokerId = this.#dictionary.always(passage.broker);
        const topicId = this.#dictionary.topicId(passage.broker, passage.topic);
        const own = this.#dictionary.topic(topicId)!.name === other ? hashText(passage.topic) : topicId;
        const { traceHi, traceLo, spanId } = passage;
        if (
          !this.#recent.passages.add(
            word(traceHi),
            word(traceLo),
            word(traceLo >> 32n),
            word(spanId),
            word(spanId >> 32n) ^ brokerId,
            own,
          )
        ) {
          return false;
        }
        broker.push(brokerId);
        topic.push(topicId);
        return true;
      });
      await tx.append('passages', kept.length, [
        broker,
        topic,
        BigUint64Array.from(kept, (p) => p.traceHi),
        BigUint64Array.from(kept, (p) => p.traceLo),
        BigUint64Array.from(kept, (p) => p.spanId),
        BigInt64Array.from(kept, (p) => p.receiveNanos),
        Int32Array.from(kept, (p) => p.payloadBytes),
        Uint8Array.from(kept, (p) => p.qos),
        ...origin,
      ]);
      await yieldToEvents();
    }
  }

  /** Answers how many messages its rows count. */
  async #appendTraffic(tx: Tx, batch: IngestBatch, origin: Origin): Promise<number> {
    let messages = 0;
    for (let from = 0; from < batch.topicTraffic.length; from += sliceRows) {
      const rows = batch.topicTraffic.slice(from, from + sliceRows);
      await tx.append('topic_traffic', rows.length, [
        Int32Array.from(rows, (t) => this.#dictionary.topicId(t.broker, t.topic)),
        Int32Array.from(rows, (t) => t.minute),
        Int32Array.from(rows, (t) => t.messages),
        rows.map((t) => t.payloadBytes),
        Int32Array.from(rows, (t) => t.retained),
        rows.map((t) => t.lastMs),
        Int32Array.from(rows, (t) => this.#dictionary.string(t.publisher)),
        ...origin,
      ]);
      for (const row of rows) messages += row.messages + row.retained;
      await yieldToEvents();
    }
    return messages;
  }

  /** What was heard from whom: sightings, what devices said of themselves, clocks. */
  async #appendWord(tx: Tx, batch: IngestBatch, [arrivalMs, collector, seq]: Origin): Promise<void> {
    const resource = (r: IngestBatch['sightings'][number]['resource']) => this.#dictionary.resourceId(r, arrivalMs);
    const { sightings, deviceReports: reports, clockObservations: clocks } = batch;
    await tx.append('sightings', sightings.length, [
      sightings.map((s) => resource(s.resource)),
      sightings.map((s) => s.source),
      sightings.map((s) => s.arrivalMs),
      sightings.map((s) => s.count),
      sightings.map((s) => s.intervalMs),
      collector,
      seq,
    ]);
    await tx.append('device_reports', reports.length, [
      reports.map((r) => resource(r.resource)),
      reports.map((r) => r.state),
      reports.map((r) => r.timeMs),
      reports.map((r) => r.retained),
      arrivalMs,
      collector,
      seq,
    ]);
    await tx.append('clock_observations', clocks.length, [
      clocks.map((c) => resource(c.from)),
      clocks.map((c) => resource(c.to)),
      clocks.map((c) => c.atNanos),
      clocks.map((c) => c.rawNanos),
      clocks.map((c) => c.source),
      clocks.map((c) => (c.broker === '' ? 0 : this.#dictionary.always(c.broker))),
      arrivalMs,
      collector,
      seq,
    ]);
  }
}

/** arrival_ms, collector, seq: what every received row ends with */
type Origin = [arrivalMs: number, collector: number, seq: number];

interface Outcome {
  stored: number;
  duplicate: number;
}

const otherId = 1;
const word = (value: bigint): number => Number(BigInt.asUintN(32, value));

/** The ids as 32-bit words: no BigInt is made of them on the way. */
interface Words {
  hi: Uint32Array;
  lo: Uint32Array;
  span: Uint32Array;
}

const pairs = (column: BigUint64Array | BigInt64Array): Uint32Array =>
  new Uint32Array(column.buffer, column.byteOffset, column.length * 2);

const wordsOf = (spans: SpanColumns): Words => ({
  hi: pairs(spans.traceHi),
  lo: pairs(spans.traceLo),
  span: pairs(spans.spanId),
});

interface OwnColumns {
  /** trace_hi .. duration_ns */
  ids: (BigUint64Array | BigInt64Array)[];
  /** kind .. operation */
  bytes: Uint8Array[];
}

const wholeSlice = (spans: SpanColumns, from: number, to: number): OwnColumns => ({
  ids: [spans.traceHi, spans.traceLo, spans.spanId, spans.parentId, spans.startNanos, spans.durationNanos].map(
    (column) => column.subarray(from, to),
  ),
  bytes: [spans.kind, spans.status, spans.flags, spans.operation].map((column) => column.subarray(from, to)),
});

/** Memory for one slice, used again and again. */
class Scratch {
  readonly rows = new Uint32Array(sliceRows);
  readonly name = new Int32Array(sliceRows);
  readonly resource = new Int32Array(sliceRows);
  readonly system = new Int32Array(sliceRows);
  readonly destination = new Int32Array(sliceRows);
  readonly #unsigned = [0, 1, 2, 3].map(() => new BigUint64Array(sliceRows));
  readonly #signed = [0, 1].map(() => new BigInt64Array(sliceRows));
  readonly #bytes = [0, 1, 2, 3].map(() => new Uint8Array(sliceRows));

  /** The rows named in `rows`, the first `count` of them. */
  pick(spans: SpanColumns, words: Words, count: number): OwnColumns {
    const from = [
      words.hi,
      words.lo,
      words.span,
      pairs(spans.parentId),
      pairs(spans.startNanos),
      pairs(spans.durationNanos),
    ];
    const ids = [...this.#unsigned, ...this.#signed];
    for (let c = 0; c < from.length; c++) {
      const source = from[c]!;
      const into = pairs(ids[c]!);
      for (let k = 0; k < count; k++) {
        const row = this.rows[k]! * 2;
        into[k * 2] = source[row]!;
        into[k * 2 + 1] = source[row + 1]!;
      }
    }
    const bytes = [spans.kind, spans.status, spans.flags, spans.operation];
    for (let c = 0; c < bytes.length; c++) {
      for (let k = 0; k < count; k++) this.#bytes[c]![k] = bytes[c]![this.rows[k]!]!;
    }
    return { ids, bytes: this.#bytes };
  }
}

async function appendLinks(tx: Tx, spans: SpanColumns, dropped: Uint8Array | null, origin: Origin): Promise<void> {
  const { links } = spans;
  for (let from = 0; from < links.count; from += sliceRows) {
    const kept: number[] = [];
    for (let i = from; i < Math.min(links.count, from + sliceRows); i++) if (!dropped?.[links.row[i]!]) kept.push(i);
    const ofSpan = (column: BigUint64Array) => BigUint64Array.from(kept, (i) => column[links.row[i]!]!);
    const ofLink = (column: BigUint64Array) => BigUint64Array.from(kept, (i) => column[i]!);
    await tx.append('links', kept.length, [
      ofSpan(spans.traceHi),
      ofSpan(spans.traceLo),
      ofSpan(spans.spanId),
      ofLink(links.traceHi),
      ofLink(links.traceLo),
      ofLink(links.spanId),
      ...origin,
    ]);
  }
}

/** Batches that retention dropped were without holes (retention.ts), so one number a collector stands for them. */
async function loadStored(session: Session, dictionary: Dictionary): Promise<Map<string, Stored>> {
  const found = await session.all<{ collector: number; settled: bigint; batches: bigint; highest: bigint }>(
    `SELECT collector, max(settled) AS settled, sum(batches)::BIGINT AS batches, max(highest) AS highest FROM (
       SELECT collector, through_seq AS settled, 0 AS batches, through_seq AS highest FROM settled_batches
       UNION ALL SELECT collector, 0, count(*), max(seq) FROM batches GROUP BY collector)
     GROUP BY collector`,
  );
  const stored = new Map<string, Stored>();
  for (const row of found) {
    const collectorId = dictionary.text(row.collector);
    const whole = row.settled + row.batches === row.highest;
    stored.set(
      collectorId,
      whole ? { through: Number(row.highest), above: new Set() } : await loadHoles(session, row.collector, row.settled),
    );
  }
  return stored;
}

async function loadHoles(session: Session, collector: number, settled: bigint): Promise<Stored> {
  const [run] = await session.all<{ through: bigint | null }>(
    `SELECT max(seq) AS through FROM (SELECT seq, seq - row_number() OVER (ORDER BY seq) AS start FROM batches WHERE collector = $1)
     WHERE start = $2`,
    [collector, settled],
  );
  const through = run?.through ?? settled;
  const above = await session.columns<[BigInt64Array]>('SELECT seq FROM batches WHERE collector = $1 AND seq > $2', [
    collector,
    through,
  ]);
  return { through: Number(through), above: new Set(Array.from(above.values[0], Number)) };
}

async function loadRecent(
  session: Session,
  recent: { spans: RecentKeys; points: RecentKeys; passages: RecentKeys },
  bounds: RecentBounds,
): Promise<void> {
  recent.spans.clear();
  recent.points.clear();
  recent.passages.clear();
  await inSlices(session, 'spans', bounds.spans, async (from, to) => {
    const { rowCount, values } = await session.columns<[BigUint64Array, BigUint64Array, BigUint64Array]>(
      'SELECT trace_hi, trace_lo, span_id FROM spans WHERE rowid >= $1 AND rowid < $2',
      [from, to],
    );
    const [hi, lo, span] = values.map(pairs);
    for (let w = 0; w < rowCount * 2; w += 2)
      recent.spans.add(hi![w]!, hi![w + 1]!, lo![w]!, lo![w + 1]!, span![w]!, span![w + 1]!);
  });
  await inSlices(session, 'data_points', bounds.dataPoints, async (from, to) => {
    const { rowCount, values } = await session.columns<[Int32Array, Int32Array, Int32Array, BigInt64Array]>(
      `SELECT resource, metric, attributes, time_ms FROM data_points
       WHERE rowid >= $1 AND rowid < $2 AND metric <> ${otherId} AND attributes <> ${otherId}`,
      [from, to],
    );
    const [resource, metric, attributes, time] = values;
    for (let i = 0; i < rowCount; i++) {
      recent.points.add(resource[i]!, metric[i]!, attributes[i]!, Number(time[i]!) % 4294967296, 0, 0);
    }
  });
  await inSlices(session, 'passages', bounds.passages, async (from, to) => {
    const rows = await session.columns<[Int32Array, Int32Array, BigUint64Array, BigUint64Array, BigUint64Array]>(
      `SELECT p.broker, p.topic, p.trace_hi, p.trace_lo, p.span_id FROM passages p JOIN topics t ON t.id = p.topic
       WHERE p.rowid >= $1 AND p.rowid < $2 AND t.name <> '${other}'`,
      [from, to],
    );
    const [broker, topic, hi, lo, span] = rows.values;
    for (let i = 0; i < rows.rowCount; i++) {
      const traceLo = lo[i]!;
      const spanId = span[i]!;
      recent.passages.add(
        word(hi[i]!),
        word(traceLo),
        word(traceLo >> 32n),
        word(spanId),
        word(spanId >> 32n) ^ broker[i]!,
        topic[i]!,
      );
    }
  });
}

/** The newest rows of a table, oldest first, a bounded number at a time: rows lie in the order they came. */
async function inSlices(
  session: Session,
  table: 'spans' | 'data_points' | 'passages',
  rows: number,
  each: (from: number, to: number) => Promise<void>,
): Promise<void> {
  const [newest] = await session.all<{ row: bigint | null }>(`SELECT max(rowid) AS row FROM ${table}`);
  if (newest?.row == null) return;
  const end = Number(newest.row) + 1;
  const step = 65_536;
  for (let from = Math.max(0, end - rows); from < end; from += step) {
    await each(from, Math.min(end, from + step));
    await yieldToEvents();
  }
}
