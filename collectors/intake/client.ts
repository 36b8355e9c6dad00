import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { IngestBatch, RejectReason } from '#lib/domain/ingest-batch.ts';
import { HopscopeError } from '#lib/errors.ts';
import type { SpoolOptions } from '#lib/spool/spool-row.ts';
import type { Gap, Store } from '#lib/store/store.ts';
import { defaultLimits, type WireLimits } from '#lib/wire/limits.ts';
import { addRejected } from '#lib/wire/read-result.ts';
import type {
  BoundAddresses,
  FromIntake,
  IntakeConfig,
  IntakeSetup,
  IntakeStats,
  IntakeThreadStats,
  IntakeTimeouts,
  ToIntake,
} from './messages.ts';

export interface IntakeOptions {
  config: IntakeConfig;
  store: Pick<Store, 'append' | 'watermarks' | 'addGap'>;
  /** directory of the spool; also remembers the client ids of broker sessions */
  spoolDir: string;
  spool: Pick<SpoolOptions, 'keepMs' | 'keepBytes'>;
  limits?: WireLimits;
  log?: (level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>) => void;
  timeouts?: Partial<IntakeTimeouts>;
}

/** The receiving side of the program, in threads of its own. */
export interface Intake {
  /** where the listeners really listen; null = off */
  readonly addresses: BoundAddresses;
  stats(): Promise<IntakeStats>;
  /** Stops receiving, then waits up to `graceMs` (10 s) until the store has everything; what is left stays in the spool. */
  stop(graceMs?: number): Promise<void>;
}

/** A transaction of the store holds up to this many spans, gathered for up to this long. */
const spansPerAppend = 8_192;
const batchesPerAppend = 64;
const appendEveryMs = 50;
const retryFirstMs = 100;
const retryAtMostMs = 5_000;

/**
 * Starts the intake's thread and stores what it hands over, in order, again and again until the store has it.
 * Rejects with HopscopeError('listen') when a listener's port is taken and 'data-dir' when the spool's directory is of no use.
 */
export async function startIntake(options: IntakeOptions): Promise<Intake> {
  const { store } = options;
  const log = options.log ?? (() => {});
  const watermarks = await store.watermarks();
  const setup: IntakeSetup = {
    config: {
      otlp: options.config.otlp,
      otlpGrpc: options.config.otlpGrpc,
      broker: options.config.broker,
      brokers: options.config.brokers,
      hostNames: options.config.hostNames,
    },
    spool: { dir: options.spoolDir, watermarks, ...options.spool },
    limits: options.limits ?? defaultLimits,
    ...(options.timeouts && { timeouts: options.timeouts }),
  };
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: setup, name: 'hopscope-intake' });
  const tell = (message: ToIntake): void => worker.postMessage(message);

  let waiting: IngestBatch[] = [];
  let gapsWaiting: Gap[] = [];
  let storing = false;
  let stopping = false;
  let storeTrouble: string | null = null;
  const stored = { batches: 0, items: 0, rejected: {} as Partial<Record<RejectReason, number>> };
  const asked = new Map<number, (stats: IntakeThreadStats) => void>();
  let lastAsked = 0;

  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  /** Until it succeeds; false when the program stops first. */
  const untilDone = async (what: string, attempt: () => Promise<void>): Promise<boolean> => {
    for (let waitMs = retryFirstMs; ; waitMs = Math.min(waitMs * 2, retryAtMostMs)) {
      try {
        await attempt();
        if (storeTrouble !== null) log('info', 'the store takes data again', {});
        storeTrouble = null;
        return true;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (storeTrouble === null) log('warn', `${what}, trying again`, { why });
        storeTrouble = why;
        if (stopping) return false;
        await pause(waitMs * (0.75 + Math.random() / 2));
      }
    }
  };

  const takeGroup = (): IngestBatch[] => {
    let spans = 0;
    let count = 0;
    while (count < waiting.length && count < batchesPerAppend && (count === 0 || spans < spansPerAppend)) {
      spans += waiting[count++]!.spans?.count ?? 0;
    }
    return waiting.splice(0, count);
  };

  const storeAll = async (): Promise<void> => {
    if (storing) return;
    storing = true;
    while (waiting.length > 0 || gapsWaiting.length > 0) {
      const startedMs = performance.now();
      const gap = gapsWaiting[0];
      if (gap) {
        if (!(await untilDone('a gap could not be stored', () => store.addGap(gap)))) break;
        gapsWaiting.shift();
        continue;
      }
      const group = takeGroup();
      if (!(await untilDone('batches could not be stored', () => store.append(group)))) break;
      const last = new Map<string, number>();
      for (const batch of group) {
        last.set(batch.collectorId, batch.seq);
        stored.batches++;
        stored.items += batch.received;
        addRejected(stored.rejected, batch.rejected);
      }
      for (const [collectorId, seq] of last) tell({ kind: 'stored', collectorId, seq });
      // Few transactions of many batches: the next one waits for company, unless there is plenty or the end is near.
      const restMs = appendEveryMs - (performance.now() - startedMs);
      const plenty = waiting.length >= batchesPerAppend || spansOf(waiting) >= spansPerAppend;
      if (restMs > 0 && !plenty && !stopping) await pause(restMs);
    }
    storing = false;
  };

  const started = new Promise<Extract<FromIntake, { kind: 'ready' }>>((resolve, reject) => {
    worker.on('message', (message: FromIntake) => {
      switch (message.kind) {
        case 'ready':
          return resolve(message);
        case 'cannot-start':
          return reject(new HopscopeError(message.code, message.message));
        case 'batch':
          waiting.push(message.batch);
          return void storeAll();
        case 'gap':
          gapsWaiting.push(message.gap);
          return void storeAll();
        case 'log':
          return log(message.level, message.sentence, message.fields);
        case 'stats':
          asked.get(message.id)?.(message.stats);
          asked.delete(message.id);
          return;
        case 'stopped':
          return;
      }
    });
    worker.on('error', (error) => {
      reject(new HopscopeError('internal', `the intake failed: ${error.message}`, { cause: error }));
      log('warn', 'the intake thread failed', { why: error.stack ?? error.message });
    });
  });
  const { addresses } = await started;

  return {
    addresses,
    async stats() {
      const thread = await new Promise<IntakeThreadStats>((resolve) => {
        const id = ++lastAsked;
        asked.set(id, resolve);
        tell({ kind: 'stats', id });
      });
      return { ...thread, stored: { ...stored, rejected: { ...stored.rejected } }, storeTrouble };
    },
    async stop(graceMs = 10_000) {
      const ended = once(worker, 'exit');
      tell({ kind: 'stop', graceMs });
      await ended;
      stopping = true;
      waiting = [];
      gapsWaiting = [];
      while (storing) await pause(5);
    },
  };
}

const spansOf = (batches: IngestBatch[]): number => batches.reduce((sum, batch) => sum + (batch.spans?.count ?? 0), 0);
