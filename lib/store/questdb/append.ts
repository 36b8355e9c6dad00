import type { IngestBatch } from '#lib/domain/ingest-batch.ts';
import type { Resource } from '#lib/domain/span.ts';
import type { SpanColumns } from '#lib/domain/span-columns.ts';
import { HopscopeError } from '#lib/errors.ts';
import { hashText, RecentKeys } from '../recent-keys.ts';
import { readStored, Stored } from './batches.ts';
import { bucketOf, microsOf } from './dialect.ts';
import { Lines, leastLong } from './lines.ts';
import type { Server } from './server.ts';
import { SpanLines } from './span-lines.ts';
import { other, type Texts } from './texts.ts';

/** How many recent keys are known, to drop what comes twice. */
export interface RecentBounds {
  spans: number;
  dataPoints: number;
  passages: number;
}
export const defaultRecent: RecentBounds = { spans: 2_000_000, dataPoints: 1_000_000, passages: 500_000 };

/** What is read again at a start: who sends twice does so within seconds. More would keep a collector from starting. */
const mostReadAgain = 200_000;

const yieldToEvents = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * The way in. One append at a time. All rows of its batches go first, and when the server has them, the batches: so a batch that is there
 * is whole, and one that is not may have left rows behind, which its next try replaces.
 *
 * What it keeps in memory (texts, recent keys, which batches are stored) moves on only when the server has taken everything.
 */
export class Appender {
  readonly #server: Server;
  readonly #texts: Texts;
  readonly #recent: { spans: RecentKeys; points: RecentKeys; passages: RecentKeys };
  readonly #bounds: RecentBounds;
  /** the same from append to append: what cannot be sent for long is made again and again, and takes no more memory for it */
  readonly #rows: Lines;
  readonly #whole: Lines;
  #stored = new Map<string, Stored>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(server: Server, texts: Texts, bounds: RecentBounds = defaultRecent) {
    this.#server = server;
    this.#rows = new Lines(server.address.prefix);
    this.#whole = new Lines(server.address.prefix);
    this.#texts = texts;
    this.#bounds = bounds;
    this.#recent = {
      spans: new RecentKeys(bounds.spans),
      points: new RecentKeys(bounds.dataPoints),
      passages: new RecentKeys(bounds.passages),
    };
  }

  /** The texts must have been loaded. */
  async load(): Promise<void> {
    this.#stored = await readStored(this.#server);
    await this.#loadRecent();
  }

  watermarks(): Map<string, number> {
    return new Map([...this.#stored].map(([collector, stored]) => [collector, stored.through]));
  }

  append(batches: IngestBatch[]): Promise<void> {
    const turn = this.#queue.then(() => this.#appendNow(batches));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #appendNow(batches: IngestBatch[]): Promise<void> {
    const fresh = this.#fresh(batches);
    if (fresh.length === 0) return;
    const keys = Object.values(this.#recent);
    const rows = this.#rows;
    const whole = this.#whole;
    rows.clear();
    whole.clear();
    for (const set of keys) set.begin();
    const sending = this.#server.sending();
    try {
      for (const batch of fresh) {
        this.#write(batch, rows, whole);
        sending.add(rows.takeFull());
        await yieldToEvents();
      }
      this.#texts.write(rows);
      sending.add(rows.bodies());
      await sending.end();
      for (const table of rows.tables) this.#server.changed(table);
      await this.#server.send(whole);
    } catch (error) {
      // what is still on its way stands in memory that the next append writes over
      await sending.end().catch(() => {});
      for (const set of keys) set.rollback();
      this.#texts.rolledBack();
      if (error instanceof HopscopeError) throw error;
      throw new HopscopeError('store', `a batch cannot be stored: ${(error as Error).message}`, { cause: error });
    }
    for (const set of keys) set.commit();
    this.#texts.committed();
    for (const batch of fresh) this.#storedOf(batch.collectorId).add(batch.seq);
  }

  #storedOf(collectorId: string): Stored {
    const stored = this.#stored.get(collectorId) ?? new Stored();
    this.#stored.set(collectorId, stored);
    return stored;
  }

  #fresh(batches: IngestBatch[]): IngestBatch[] {
    const seen = new Set<string>();
    return batches.filter(({ collectorId, seq }) => {
      if (this.#stored.get(collectorId)?.has(seq)) return false;
      const key = `${seq} ${collectorId}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  }

  #write(batch: IngestBatch, rows: Lines, whole: Lines): void {
    const origin: Origin = {
      micros: microsOf(batch.arrivalMs),
      arrivalMs: batch.arrivalMs,
      collector: this.#texts.always(batch.collectorId),
      seq: batch.seq,
      resources: new Map(),
    };
    const spans = batch.spans ? this.#writeSpans(rows, batch.spans, origin) : nothing;
    const points = this.#writeDataPoints(rows, batch, origin);
    this.#writePassages(rows, batch, origin);
    const messages = this.#writeTraffic(rows, batch, origin);
    this.#writeWord(rows, batch, origin);
    // a batch that came again whole leaves nothing to drill down into
    if (batch.raw && spans.stored > 0)
      rows.add('bodies', origin.micros, [origin.collector, Buffer.from(batch.raw).toString('base64'), origin.seq, 0]);

    const reasons = Object.entries(batch.rejected).filter(([, count]) => count > 0);
    const rejected = reasons.reduce((sum, [, count]) => sum + count, 0);
    const duplicate = spans.duplicate + points.duplicate;
    const stored = spans.stored + points.stored + messages;
    whole.add('batches', origin.micros, [
      origin.collector,
      origin.seq,
      batch.signal,
      batch.received,
      stored,
      duplicate,
      rejected,
      reasons.length === 0 ? null : JSON.stringify(Object.fromEntries(reasons)),
    ]);
  }

  #writeSpans(rows: Lines, spans: SpanColumns, origin: Origin): Outcome {
    const { micros, collector, seq } = origin;
    const lines = new SpanLines(
      rows,
      spans,
      origin,
      spans.resources.map((resource) => this.#resource(resource, origin).symbol),
      (index) => this.#texts.text(spans.strings[index]!),
    );
    const [hiWords, loWords, idWords] = [spans.traceHi, spans.traceLo, spans.spanId].map(pairs);
    const recent = this.#recent.spans;
    /** 1 where the span was dropped; only made when one was */
    let dropped: Uint8Array | null = null;
    let stored = 0;
    for (let i = 0; i < spans.count; i++) {
      const w = i * 2;
      if (!recent.add(hiWords![w]!, hiWords![w + 1]!, loWords![w]!, loWords![w + 1]!, idWords![w]!, idWords![w + 1]!)) {
        dropped ??= new Uint8Array(spans.count);
        dropped[i] = 1;
        continue;
      }
      stored++;
      lines.add(i);
    }
    const [hi, lo, id] = [spans.traceHi, spans.traceLo, spans.spanId].map(asSigned);
    const { links } = spans;
    const [toHi, toLo, toId] = [links.traceHi, links.traceLo, links.spanId].map(asSigned);
    for (let l = 0; l < links.count; l++) {
      const i = links.row[l]!;
      if (dropped?.[i]) continue;
      rows.add('links', micros, [
        collector,
        bucketOf(lo![i]!),
        bucketOf(toLo![l]!),
        hi![i]!,
        lo![i]!,
        id![i]!,
        toHi![l]!,
        toLo![l]!,
        toId![l]!,
        seq,
        l,
      ]);
    }
    return { stored, duplicate: spans.count - stored };
  }

  /** A batch names each of its resources many times, as the same object. */
  #resource(resource: Resource, { arrivalMs, resources }: Origin): KnownResource {
    const before = resources.get(resource);
    if (before) return before;
    const known = this.#texts.resource(resource, arrivalMs);
    resources.set(resource, known);
    return known;
  }

  #writeDataPoints(rows: Lines, { dataPoints }: IngestBatch, origin: Origin): Outcome {
    const { micros, collector, seq } = origin;
    let stored = 0;
    for (const [n, point] of dataPoints.entries()) {
      const resource = this.#resource(point.resource, origin);
      const metric = this.#texts.text(point.metric);
      const attributes = this.#texts.text(point.attributesJson);
      // what was folded is told apart by its text while that is at hand
      const own = attributes === other ? hashText(point.attributesJson) : 0;
      const ownMetric = metric === other ? hashText(point.metric) : 0;
      const timeMs = Math.round(point.timeMs);
      if (
        !this.#recent.points.add(
          resource.number,
          this.#texts.numberOf(metric),
          this.#texts.numberOf(attributes),
          timeMs % 4294967296,
          own,
          ownMetric,
        )
      )
        continue;
      stored++;
      rows.add('data_points', micros, [collector, resource.symbol, metric, attributes, timeMs, point.value, seq, n]);
    }
    return { stored, duplicate: dataPoints.length - stored };
  }

  /** A passage that is known already is left out; the message is counted all the same, in its topic's traffic. */
  #writePassages(rows: Lines, { passages }: IngestBatch, { micros, collector, seq }: Origin): void {
    for (const [n, passage] of passages.entries()) {
      const { broker, traceHi, traceLo, spanId } = passage;
      const topic = this.#texts.topic(broker, passage.topic);
      const own = topic === other ? hashText(passage.topic) : this.#texts.topicNumber(broker, topic);
      if (!this.#recent.passages.add(...passageWords(traceHi, traceLo, spanId, this.#texts.numberOf(broker), own)))
        continue;
      rows.add('passages', micros, [
        collector,
        bucketOf(traceLo),
        broker,
        topic,
        BigInt.asIntN(64, traceHi),
        BigInt.asIntN(64, traceLo),
        BigInt.asIntN(64, spanId),
        passage.receiveNanos,
        passage.payloadBytes,
        passage.qos,
        seq,
        n,
      ]);
    }
  }

  /** Answers how many messages its rows count. */
  #writeTraffic(rows: Lines, { topicTraffic }: IngestBatch, { micros, collector, seq }: Origin): number {
    for (const [n, t] of topicTraffic.entries())
      rows.add('topic_traffic', micros, [
        collector,
        t.broker,
        this.#texts.topic(t.broker, t.topic),
        this.#texts.text(t.publisher),
        t.minute,
        t.messages,
        t.payloadBytes,
        t.retained,
        t.lastMs,
        seq,
        n,
      ]);
    return topicTraffic.reduce((sum, { messages, retained }) => sum + messages + retained, 0);
  }

  /** What was heard from whom: sightings, what devices said of themselves, clocks. */
  #writeWord(rows: Lines, batch: IngestBatch, origin: Origin): void {
    const { micros, collector, seq } = origin;
    const resource = (of: Resource): string => this.#resource(of, origin).symbol;
    for (const [n, s] of batch.sightings.entries())
      rows.add('sightings', micros, [
        collector,
        resource(s.resource),
        s.source,
        s.arrivalMs,
        s.count,
        s.intervalMs,
        seq,
        n,
      ]);
    for (const [n, r] of batch.deviceReports.entries())
      rows.add('device_reports', micros, [collector, resource(r.resource), r.state, r.timeMs, r.retained, seq, n]);
    for (const [n, c] of batch.clockObservations.entries())
      rows.add('clock_observations', micros, [
        collector,
        resource(c.from),
        resource(c.to),
        c.source,
        c.broker === '' ? '' : this.#texts.always(c.broker),
        c.atNanos,
        c.rawNanos,
        seq,
        n,
      ]);
  }

  /** Rows of a batch that was never finished do not count: it comes again, and must find its spans new. */
  async #loadRecent(): Promise<void> {
    const { spans, points, passages } = this.#recent;
    for (const set of [spans, points, passages]) set.clear();
    const newest = (most: number): string => `LIMIT -${Math.min(most, mostReadAgain)}`;
    const isStored = (collector: string, seq: bigint): boolean =>
      this.#stored.get(collector)?.has(Number(seq)) ?? false;
    const word = (value: bigint): number => Number(BigInt.asUintN(32, value));
    const table = (name: 'spans' | 'data_points' | 'passages') => this.#server.table(name);
    for (const [collector, seq, hi, lo, id] of await this.#server.arrays<[string, bigint, ...(bigint | null)[]]>(
      `SELECT collector, seq, trace_hi, trace_lo, span_id FROM ${table('spans')} ${newest(this.#bounds.spans)}`,
    )) {
      if (!isStored(collector, seq)) continue;
      const [h, l, s] = [hi, lo, id].map((value) => value ?? leastLong) as [bigint, bigint, bigint];
      spans.add(word(h), word(h >> 32n), word(l), word(l >> 32n), word(s), word(s >> 32n));
    }
    for (const [collector, seq, resource, metric, attributes, timeMs] of await this.#server.arrays<
      [string, bigint, string, string | null, string | null, bigint]
    >(
      `SELECT collector, seq, resource, metric, attributes, time_ms FROM ${table('data_points')} ${newest(this.#bounds.dataPoints)}`,
    )) {
      if (!isStored(collector, seq) || metric === other || attributes === other) continue;
      points.add(
        this.#texts.resourceNumber(resource),
        this.#texts.numberOf(metric ?? ''),
        this.#texts.numberOf(attributes ?? ''),
        Number(timeMs) % 4294967296,
        0,
        0,
      );
    }
    for (const [collector, seq, broker, topic, hi, lo, id] of await this.#server.arrays<
      [string, bigint, string | null, string | null, ...(bigint | null)[]]
    >(
      `SELECT collector, seq, broker, topic, trace_hi, trace_lo, span_id FROM ${table('passages')} ${newest(this.#bounds.passages)}`,
    )) {
      if (!isStored(collector, seq) || topic === null || topic === other) continue;
      const [h, l, s] = [hi, lo, id].map((value) => value ?? leastLong) as [bigint, bigint, bigint];
      const own = this.#texts.topicNumber(broker ?? '', topic);
      passages.add(...passageWords(h, l, s, this.#texts.numberOf(broker ?? ''), own));
    }
  }
}

interface Origin {
  micros: number;
  arrivalMs: number;
  collector: string;
  seq: number;
  resources: Map<Resource, KnownResource>;
}
type KnownResource = ReturnType<Texts['resource']>;

interface Outcome {
  stored: number;
  duplicate: number;
}
const nothing: Outcome = { stored: 0, duplicate: 0 };

const pairs = (column: BigUint64Array): Uint32Array =>
  new Uint32Array(column.buffer, column.byteOffset, column.length * 2);
const asSigned = (column: BigUint64Array): BigInt64Array =>
  new BigInt64Array(column.buffer, column.byteOffset, column.length);

function passageWords(
  hi: bigint,
  lo: bigint,
  spanId: bigint,
  broker: number,
  own: number,
): [number, number, number, number, number, number] {
  const word = (value: bigint): number => Number(BigInt.asUintN(32, value));
  return [word(hi), word(lo), word(lo >> 32n), word(spanId), word(spanId >> 32n) ^ broker, own];
}
