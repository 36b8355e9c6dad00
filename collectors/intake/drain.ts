import type { Clock } from '#lib/clock.ts';
import { type IngestBatch, type Signal, signal } from '#lib/domain/ingest-batch.ts';
import { epochMillisOf } from '#lib/domain/units.ts';
import type { Spool, SpooledAs } from '#lib/spool/spool.ts';
import type { SpoolRow } from '#lib/spool/spool-row.ts';
import type { Gap } from '#lib/store/store.ts';
import { decodeBatch, type SealedBatch } from '#lib/wire/batch-codec.ts';
import type { WireLimits } from '#lib/wire/limits.ts';
import type { DrainStats } from './messages.ts';

export interface DrainOptions {
  spool: Pick<Spool, 'collectorId' | 'storedSeq' | 'lastSeq' | 'read' | 'markStored'>;
  limits: WireLimits;
  clock: Clock;
  post(batch: IngestBatch): void;
  addGap(gap: Gap): void;
  windowBatches?: number;
  windowBytes?: number;
}

/** Handed over and not yet stored: small ones, for large ones stop at a number of bytes. A commit costs the store the same whatever is in it. */
export const batchesUnderwayAtMost = 1024;

/** Decoded batches that wait for the window; beyond it they are dropped and read again from the spool. */
const waitingBytesAtMost = 8 * 1024 ** 2;
const readBytes = 4 * 1024 ** 2;
const rereadAfterMs = 250;

const waitingSize = (sealed: SealedBatch): number => sealed.spooled.raw.length * 4;

/** Roughly what a batch takes in memory. */
const bytesOf = (batch: IngestBatch): number =>
  2_000 +
  (batch.raw?.length ?? 0) +
  (batch.spans ? batch.spans.count * 80 + batch.spans.links.count * 28 + batch.spans.strings.length * 60 : 0) +
  (batch.dataPoints.length + batch.passages.length + batch.topicTraffic.length) * 200;

/** Until the store is open there is nobody to hand anything to. */
export const notDrainingYet: DrainStats = {
  batchesUnderway: 0,
  bytesUnderway: 0,
  lastSpooledSeq: 0,
  handedOverSeq: 0,
  storedSeq: 0,
  batchesReread: 0,
  batchesDamaged: 0,
};

/**
 * Hands every spooled batch to the store's side once, in the order of the numbers, with a bounded number underway.
 * Fresh batches go straight from memory; when the store is slow or away they are dropped from memory and later
 * read from the spool. At the start it goes on behind what the store has.
 */
export class Drain {
  readonly #options: DrainOptions;
  readonly #windowBatches: number;
  readonly #windowBytes: number;
  #collectorId: string;
  #lastSeq: number;
  #handedOver: number;
  #stored: number;
  #waiting = new Map<number, SealedBatch>();
  #waitingBytes = 0;
  #underway: { collectorId: string; seq: number; bytes: number }[] = [];
  #underwayBytes = 0;
  #reading = false;
  #stopped = false;
  #reread = 0;
  #damaged = 0;
  #idle: (() => void)[] = [];

  constructor(options: DrainOptions) {
    this.#options = options;
    this.#windowBatches = options.windowBatches ?? batchesUnderwayAtMost;
    this.#windowBytes = options.windowBytes ?? 16 * 1024 ** 2;
    this.#collectorId = options.spool.collectorId;
    this.#lastSeq = options.spool.lastSeq;
    this.#stored = options.spool.storedSeq;
    this.#handedOver = this.#stored;
    this.#go();
  }

  /** A batch that just became durable. */
  offer(sealed: SealedBatch, as: SpooledAs): void {
    if (as.collectorId !== this.#collectorId) this.#renew(as.collectorId);
    this.#lastSeq = Math.max(this.#lastSeq, as.seq);
    if (as.seq === this.#handedOver + 1 && !this.#reading && this.#hasRoom()) {
      this.#post(this.#fresh(sealed, as));
      return;
    }
    const bytes = waitingSize(sealed);
    if (this.#waitingBytes + bytes > waitingBytesAtMost) return;
    this.#waiting.set(as.seq, sealed);
    this.#waitingBytes += bytes;
  }

  /** The store has everything of this collector up to `seq`. */
  stored(collectorId: string, seq: number): void {
    this.#underway = this.#underway.filter((one) => {
      const done = one.collectorId === collectorId && one.seq <= seq;
      if (done) this.#underwayBytes -= one.bytes;
      return !done;
    });
    if (collectorId === this.#collectorId && seq > this.#stored) {
      this.#stored = seq;
      this.#options.spool.markStored(collectorId, seq);
    }
    this.#go();
    if (this.#isIdle()) for (const idle of this.#idle.splice(0)) idle();
  }

  /** Resolves when the store has everything that was spooled. */
  emptied(): Promise<void> {
    return this.#isIdle() ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
  }

  stats(): DrainStats {
    return {
      batchesUnderway: this.#underway.length,
      bytesUnderway: this.#underwayBytes,
      lastSpooledSeq: this.#lastSeq,
      handedOverSeq: this.#handedOver,
      storedSeq: this.#stored,
      batchesReread: this.#reread,
      batchesDamaged: this.#damaged,
    };
  }

  #isIdle(): boolean {
    return this.#stored >= this.#lastSeq && this.#underway.length === 0;
  }

  #hasRoom(): boolean {
    return this.#underway.length < this.#windowBatches && this.#underwayBytes < this.#windowBytes;
  }

  /** The spool had to start a new file: what the old one still held is in it under new numbers, or is a gap. */
  #renew(collectorId: string): void {
    this.#collectorId = collectorId;
    this.#handedOver = 0;
    this.#stored = 0;
    this.#lastSeq = 0;
    this.#waiting.clear();
    this.#waitingBytes = 0;
  }

  #go(): void {
    while (!this.#stopped && !this.#reading && this.#handedOver < this.#lastSeq && this.#hasRoom()) {
      const seq = this.#handedOver + 1;
      const fresh = this.#takeWaiting(seq);
      if (fresh) this.#post(fresh);
      else void this.#readOn(seq);
    }
  }

  async #readOn(fromSeq: number): Promise<void> {
    const collectorId = this.#collectorId;
    const lastSeq = this.#lastSeq;
    this.#reading = true;
    try {
      const rows = await this.#options.spool.read(fromSeq, readBytes);
      if (collectorId !== this.#collectorId) return;
      if (rows.length === 0) this.#passOver(lastSeq);
      for (const row of rows) {
        if (this.#stopped || collectorId !== this.#collectorId || row.collectorId !== collectorId) break;
        if (!this.#hasRoom()) break;
        if (row.seq > this.#handedOver + 1) this.#passOver(row.seq - 1);
        this.#post(this.#takeWaiting(row.seq) ?? this.#decoded(row));
        // One batch a turn: receivers answer in between.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch {
      // The spool says in its stats what is wrong; the drain only waits for it.
      await new Promise((resolve) => setTimeout(resolve, rereadAfterMs).unref());
    } finally {
      this.#reading = false;
    }
    this.#go();
  }

  /** Numbers the file no longer has: an empty batch each, so that the store's watermark can go on. */
  #passOver(lastSeq: number): void {
    const fromSeq = this.#handedOver + 1;
    const nowMs = epochMillisOf(this.#options.clock());
    while (this.#handedOver < lastSeq) {
      this.#damaged++;
      this.#post(emptyBatch({ collectorId: this.#collectorId, seq: this.#handedOver + 1 }, signal.traces, nowMs, 0));
    }
    this.#options.addGap({
      fromMs: nowMs,
      toMs: nowMs,
      whose: `collector ${this.#collectorId}`,
      what: `batches ${fromSeq} to ${lastSeq} are no longer in the spool`,
    });
  }

  #takeWaiting(seq: number): IngestBatch | null {
    const sealed = this.#waiting.get(seq);
    if (!sealed) return null;
    this.#waiting.delete(seq);
    this.#waitingBytes -= waitingSize(sealed);
    return this.#fresh(sealed, { collectorId: this.#collectorId, seq });
  }

  #fresh(sealed: SealedBatch, { collectorId, seq }: SpooledAs): IngestBatch {
    const batch = sealed.ingest(seq);
    // Gathered for the file before this one, appended to this one.
    return batch.collectorId === collectorId
      ? batch
      : decodeBatch(sealed.spooled, collectorId, seq, this.#options.limits);
  }

  #decoded(row: SpoolRow): IngestBatch {
    const { arrivalNanos, bytes, collectorId, seq } = row;
    this.#reread++;
    try {
      const spooled = { signal: row.signal, arrivalNanos, raw: bytes };
      if (!row.damaged) return decodeBatch(spooled, collectorId, seq, this.#options.limits);
    } catch {
      // as damaged as one whose checksum is wrong
    }
    this.#damaged++;
    const arrivalMs = epochMillisOf(arrivalNanos);
    this.#options.addGap({
      fromMs: arrivalMs,
      toMs: arrivalMs,
      whose: `collector ${collectorId}`,
      what: `batch ${seq} (${row.items} items) could not be read back from the spool`,
    });
    return emptyBatch(row, row.signal, arrivalMs, row.items);
  }

  #post(batch: IngestBatch): void {
    const bytes = bytesOf(batch);
    this.#handedOver = batch.seq;
    this.#underway.push({ collectorId: batch.collectorId, seq: batch.seq, bytes });
    this.#underwayBytes += bytes;
    this.#options.post(batch);
  }
}

/** Keeps the numbering without holes and the books in balance where a batch is lost. */
function emptyBatch(as: SpooledAs, of: Signal, arrivalMs: number, items: number): IngestBatch {
  return {
    collectorId: as.collectorId,
    seq: as.seq,
    signal: of,
    arrivalMs,
    received: items,
    rejected: items > 0 ? { malformed: items } : {},
    raw: null,
    spans: null,
    dataPoints: [],
    topicTraffic: [],
    passages: [],
    sightings: [],
    deviceReports: [],
    clockObservations: [],
  };
}
