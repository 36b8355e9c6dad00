import type { IngestBatch, RejectReason } from '#lib/domain/ingest-batch.ts';
import type { Gap, Store } from '#lib/store/store.ts';
import { addRejected } from '#lib/wire/read-result.ts';
import { batchesUnderwayAtMost } from './drain.ts';

export interface StoreFeedOptions {
  /** may still have to be opened: what comes meanwhile waits */
  store(): Promise<Pick<Store, 'append' | 'addGap' | 'spansPerAppend'>>;
  /** the store has everything of this collector up to `seq` */
  onStored(collectorId: string, seq: number): void;
  log(level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>): void;
}

/** Half of what is handed over at a time: while the store takes one half, the other is decoded. */
const batchesPerAppend = batchesUnderwayAtMost / 2;
/**
 * Each transaction costs a flush of every table it touches and a commit, at 20 a second a quarter of a core, whatever is in them: few
 * batches wait this long for company.
 */
const appendEveryMs = 80;
const retryFirstMs = 100;
const retryAtMostMs = 5_000;

const spansOf = (batches: IngestBatch[]): number => batches.reduce((sum, batch) => sum + (batch.spans?.count ?? 0), 0);

/** Stores batches in the order they come, many in one transaction, each again and again until the store has it. */
export class StoreFeed {
  readonly stored = { batches: 0, items: 0, rejected: {} as Partial<Record<RejectReason, number>> };
  /** why the last attempt failed; null when it did not */
  trouble: string | null = null;
  readonly #options: StoreFeedOptions;
  #batches: IngestBatch[] = [];
  #gaps: Gap[] = [];
  #isOpen = false;
  #running: Promise<void> | null = null;
  #givingUp = false;
  /** rests until there is plenty, and not because the store failed */
  #gathers = false;
  #spansPerAppend = 1;
  #wake = (): void => {};

  constructor(options: StoreFeedOptions) {
    this.#options = options;
  }

  batch(batch: IngestBatch): void {
    this.#batches.push(batch);
    if (this.#gathers && this.#isPlenty()) this.#wake();
    this.#go();
  }

  gap(gap: Gap): void {
    this.#gaps.push(gap);
    this.#go();
  }

  /** Forgets the batches that wait or are tried again (the spool has them); resolves when the store is at rest. */
  async dropWaiting(): Promise<void> {
    this.#batches = [];
    // a store that is still waited for may be long in coming, and has been given nothing
    if (!this.#isOpen) return;
    this.#givingUp = true;
    this.#wake();
    await this.#running;
    this.#givingUp = false;
  }

  #go(): void {
    this.#running ??= this.#storeAll().finally(() => {
      this.#running = null;
    });
  }

  async #storeAll(): Promise<void> {
    const store = await this.#options.store().catch(() => null);
    // It cannot be opened: the program says why and ends. What waits is in the spool.
    if (store === null) return;
    this.#isOpen = true;
    this.#spansPerAppend = store.spansPerAppend;
    while (this.#batches.length > 0 || this.#gaps.length > 0) {
      const startedMs = performance.now();
      const gap = this.#gaps[0];
      if (gap) {
        if (!(await this.#untilDone('a gap could not be stored', () => store.addGap(gap)))) return;
        this.#gaps.shift();
        continue;
      }
      const group = this.#takeGroup();
      if (!(await this.#untilDone('batches could not be stored', () => store.append(group)))) return;
      this.#tell(group);
      // Few transactions of many batches: the next one waits for company, unless there is plenty or the end is near.
      const restMs = appendEveryMs - (performance.now() - startedMs);
      if (restMs > 0 && !this.#isPlenty()) {
        this.#gathers = true;
        await this.#pause(restMs);
        this.#gathers = false;
      }
    }
  }

  #isPlenty(): boolean {
    return this.#batches.length >= batchesPerAppend || spansOf(this.#batches) >= this.#spansPerAppend;
  }

  #takeGroup(): IngestBatch[] {
    const most = Math.min(this.#batches.length, batchesPerAppend);
    let spans = 0;
    let count = 0;
    while (count < most && (count === 0 || spans < this.#spansPerAppend)) {
      spans += this.#batches[count++]!.spans?.count ?? 0;
    }
    return this.#batches.splice(0, count);
  }

  #tell(group: IngestBatch[]): void {
    const last = new Map<string, number>();
    for (const batch of group) {
      last.set(batch.collectorId, batch.seq);
      this.stored.batches++;
      this.stored.items += batch.received;
      addRejected(this.stored.rejected, batch.rejected);
    }
    for (const [collectorId, seq] of last) this.#options.onStored(collectorId, seq);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Until it succeeds; false when it is given up. */
  async #untilDone(what: string, attempt: () => Promise<void>): Promise<boolean> {
    for (let waitMs = retryFirstMs; ; waitMs = Math.min(waitMs * 2, retryAtMostMs)) {
      try {
        await attempt();
        if (this.trouble !== null) this.#options.log('info', 'the store takes data again', {});
        this.trouble = null;
        return true;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (this.trouble === null) this.#options.log('warn', `${what}, trying again`, { why });
        this.trouble = why;
        if (this.#givingUp) return false;
        await this.#pause(waitMs * (0.75 + Math.random() / 2));
      }
    }
  }
}
