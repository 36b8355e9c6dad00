import { Worker } from 'node:worker_threads';
import type { CollectorTally } from '../domain/collector-report.ts';
import type { Signal } from '../domain/ingest-batch.ts';
import { HopscopeError } from '../errors.ts';
import type { SpoolFailure, SpoolPosition, SpoolReply, SpoolRequest, SpoolWorkerOptions } from './spool-messages.ts';
import type { SpoolEntry, SpoolGap, SpoolOptions, SpoolRow, SpoolStats } from './spool-row.ts';

/** The number a batch got: (collectorId, seq), 1, 2, 3, ... without holes per collector. */
export interface SpooledAs {
  collectorId: string;
  seq: number;
}

/**
 * What was acknowledged and is not yet in the store, and a replay window of what is. Durable when `append` resolves.
 * Everything rejects with HopscopeError('spool') while the disk is full or broken, and works again by itself when it is not.
 */
export interface Spool {
  /** of the file in use; changes when a broken file had to be replaced, see onRenewed */
  readonly collectorId: string;
  /** as found at open: the drain goes on behind storedSeq */
  readonly storedSeq: number;
  readonly lastSeq: number;
  /** Acknowledged data that a damaged file may have cost, found at open. */
  readonly gaps: SpoolGap[];
  /** Resolves after the fsync of the group commit the entries were part of. Rejects at once when too many bytes wait already. */
  append(entries: SpoolEntry[]): Promise<SpooledAs[]>;
  /** Rows of the file in use from `fromSeq` on, oldest first, until `limitBytes` (at least one); empty at the end. */
  read(fromSeq: number, limitBytes: number): Promise<SpoolRow[]>;
  /** The newest batches of a signal, oldest first: as many as it takes for `items`. */
  readLast(signal: Signal, items: number): Promise<SpoolRow[]>;
  /**
   * For a spool that was opened with watermarks 'later': what the store has. From here on the numbers stand; under another
   * collector id where those given out so far cannot.
   */
  reconcile(watermarks: Map<string, number>): Promise<SpoolPosition>;
  /** The collector's own count of what it acknowledged, seen from a batch that the store has. */
  tally(seq: number): Promise<CollectorTally>;
  markStored(collectorId: string, seq: number): void;
  stats(): Promise<SpoolStats>;
  onRenewed(listener: (collectorId: string, gaps: SpoolGap[]) => void): void;
  close(): Promise<void>;
}

/** Waiting for the disk; above it senders are told to come back. */
const queuedBytesAtMost = 64 * 1024 ** 2;

const bytesOf = (entries: SpoolEntry[]): number => entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
const thrown = ({ code, message }: SpoolFailure): HopscopeError => new HopscopeError(code, message);

interface Waiting {
  resolve(value: never): void;
  reject(error: HopscopeError): void;
  entries: number;
  bytes: number;
}

/** Opens the spool in `dir` in a thread of its own; a damaged file is set aside first (see `gaps`). */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: options satisfies SpoolWorkerOptions,
    name: 'hopscope-spool',
  });
  const opened = await firstReply(worker, options.dir);
  if (opened.kind !== 'opened') {
    await worker.terminate();
    throw thrown((opened as Extract<SpoolReply, { kind: 'cannot-open' }>).failure);
  }

  const waiting = new Map<number, Waiting>();
  const renewedListeners: ((collectorId: string, gaps: SpoolGap[]) => void)[] = [];
  let collectorId = opened.collectorId;
  let lastId = 0;
  let queuedBytes = 0;
  let ended: HopscopeError | null = null;

  const take = (id: number): Waiting | undefined => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (one) queuedBytes -= one.bytes;
    return one;
  };

  const end = (error: HopscopeError): void => {
    ended ??= error;
    for (const id of [...waiting.keys()]) take(id)?.reject(ended);
  };

  worker.on('message', (reply: SpoolReply) => {
    switch (reply.kind) {
      case 'appended':
        for (const [id, firstSeq] of reply.firstSeqs) {
          const one = take(id);
          if (!one) continue;
          const seqs = Array.from({ length: one.entries }, (_, i): SpooledAs => {
            return { collectorId: reply.collectorId, seq: firstSeq + i };
          });
          one.resolve(seqs as never);
        }
        return;
      case 'failed':
        for (const id of reply.ids) take(id)?.reject(thrown(reply.failure));
        return;
      case 'rows':
        return take(reply.id)?.resolve(reply.rows as never);
      case 'stats':
        return take(reply.id)?.resolve(reply.stats as never);
      case 'tally':
        return take(reply.id)?.resolve(reply.tally as never);
      case 'reconciled':
        return take(reply.id)?.resolve(reply.position as never);
      case 'closed':
        return take(reply.id)?.resolve(undefined as never);
      case 'renewed':
        collectorId = reply.collectorId;
        for (const listener of renewedListeners) listener(reply.collectorId, reply.gaps);
        return;
    }
  });
  worker.on('error', (error) => end(new HopscopeError('spool', 'the spool thread failed', { cause: error })));
  worker.on('exit', () => end(new HopscopeError('spool', 'the spool is closed')));

  const ask = <T>(
    request: (id: number) => SpoolRequest,
    entries = 0,
    bytes = 0,
    transfer?: ArrayBuffer[],
  ): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (ended) return reject(ended);
      const id = ++lastId;
      waiting.set(id, { resolve: resolve as (value: never) => void, reject, entries, bytes });
      queuedBytes += bytes;
      worker.postMessage(request(id), transfer);
    });

  return {
    get collectorId() {
      return collectorId;
    },
    storedSeq: opened.storedSeq,
    lastSeq: opened.lastSeq,
    gaps: opened.gaps,
    append(entries) {
      if (entries.length === 0) return Promise.resolve([]);
      const bytes = bytesOf(entries);
      if (queuedBytes > 0 && queuedBytes + bytes > queuedBytesAtMost) {
        return Promise.reject(new HopscopeError('spool', `${queuedBytes} bytes already wait for the disk`));
      }
      // A copy of exactly these bytes: a view would take its whole buffer along, and the caller keeps its own.
      const copies = entries.map((entry) => ({ ...entry, bytes: new Uint8Array(entry.bytes) }));
      const buffers = copies.map((copy) => copy.bytes.buffer);
      return ask((id) => ({ kind: 'append', id, entries: copies }), copies.length, bytes, buffers);
    },
    read: (fromSeq, limitBytes) => ask((id) => ({ kind: 'read', id, fromSeq, limitBytes })),
    readLast: (of, items) => ask((id) => ({ kind: 'read-last', id, signal: of, items })),
    reconcile: (watermarks) => ask((id) => ({ kind: 'reconcile', id, watermarks })),
    tally: (seq) => ask((id) => ({ kind: 'tally', id, seq })),
    markStored: (of, seq) => {
      if (!ended) worker.postMessage({ kind: 'stored', collectorId: of, seq } satisfies SpoolRequest);
    },
    stats: () => ask((id) => ({ kind: 'stats', id })),
    onRenewed: (listener) => {
      renewedListeners.push(listener);
    },
    async close() {
      if (ended) return;
      await ask<void>((id) => ({ kind: 'close', id }));
      await worker.terminate();
    },
  };
}

function firstReply(worker: Worker, dir: string): Promise<SpoolReply> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', (error) =>
      reject(new HopscopeError('spool', `the spool thread for ${dir} failed: ${error.message}`, { cause: error })),
    );
  });
}
