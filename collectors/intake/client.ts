import { Worker } from 'node:worker_threads';
import type { Config, Listen } from '#lib/config.ts';
import type { CollectorTally, TallyThrough } from '#lib/domain/collector-report.ts';
import { HopscopeError } from '#lib/errors.ts';
import type { SpoolOptions } from '#lib/spool/spool-row.ts';
import type { Store } from '#lib/store/store.ts';
import { defaultLimits, type WireLimits } from '#lib/wire/limits.ts';
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
import { StoreFeed } from './store-feed.ts';

export interface IntakeOptions {
  config: IntakeConfig & Partial<Pick<Config, 'retention'>>;
  /** a function is asked for it once the listeners listen, or earlier when the spool cannot be opened without it */
  store: IntakeStore | (() => Promise<IntakeStore>);
  /** directory of the spool; also remembers the client ids of broker sessions */
  spoolDir: string;
  spool: Pick<SpoolOptions, 'keepMs' | 'keepBytes'>;
  limits?: WireLimits;
  log?: (level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>) => void;
  timeouts?: Partial<IntakeTimeouts>;
}

type IntakeStore = Pick<Store, 'append' | 'watermarks' | 'addGap' | 'spansPerAppend'>;

/** The receiving side of the program, in threads of its own. */
export interface Intake {
  /** where the listeners really listen; null = off */
  readonly addresses: BoundAddresses;
  /** Rejects with HopscopeError('busy') while the thread is being started again. */
  stats(): Promise<IntakeStats>;
  /** The spool's own count, seen from what the store has of its collector; null when it cannot say. */
  tally(storedSeqs: Map<string, number>): Promise<CollectorTally | null>;
  /** IngestBatch.raw, while the spool keeps it; null when it does not, or is too busy to say. */
  rawBatch(collectorId: string, seq: number): Promise<Uint8Array | null>;
  /**
   * Stops receiving, then waits up to `graceMs` (10 s) until the store has everything; what is left stays in the spool. Resolves with the last
   * count of what was acknowledged; null when nobody could say.
   */
  stop(graceMs?: number): Promise<TallyThrough | null>;
}

interface Thread {
  worker: Worker;
  addresses: BoundAddresses;
  ended: Promise<void>;
}

const restartAfterMs = 500;
/** the store has them too, and is not much slower */
const rawWithinMs = 25;
/** beyond its grace a thread that hangs is ended; the spool has what it held */
const terminateAfterMs = 8_000;

/**
 * Starts the intake's thread and stores what it hands over. A thread that dies is started again, on the same addresses,
 * behind what the store has by then; what was acknowledged is in the spool.
 * Rejects with HopscopeError('listen') when a listener's port is taken and 'data-dir' when the spool's directory is of no use.
 */
export async function startIntake(options: IntakeOptions): Promise<Intake> {
  const { config } = options;
  const store = async (): Promise<IntakeStore> =>
    typeof options.store === 'function' ? await options.store() : options.store;
  const log = options.log ?? (() => {});
  const asked = new Map<number, { resolve(stats: IntakeThreadStats): void; reject(error: Error): void }>();
  const tallyAsked = new Map<number, (tally: CollectorTally | null) => void>();
  const rawAsked = new Map<number, (raw: Uint8Array | null) => void>();
  let lastAsked = 0;
  let stopping = false;
  let thread: Thread | null = null;
  let lastTally: TallyThrough | null = null;

  const tell = (message: ToIntake): void => thread?.worker.postMessage(message);
  const feed = new StoreFeed({
    store,
    log,
    onStored: (collectorId, seq) => tell({ kind: 'stored', collectorId, seq }),
  });

  const retentionMs = config.retention?.spansMs ?? defaultLimits.retentionMs;
  const limits = options.limits ?? { ...defaultLimits, retentionMs };
  const setup = (bound: BoundAddresses | null): IntakeSetup => ({
    config: {
      otlp: onceBound(config.otlp, bound?.otlp),
      otlpGrpc: onceBound(config.otlpGrpc, bound?.otlpGrpc),
      broker: config.broker && { ...config.broker, ...bound?.broker },
      brokers: config.brokers,
      hostNames: config.hostNames,
    },
    spool: { dir: options.spoolDir, watermarks: 'later', ...options.spool },
    limits,
    ...(options.timeouts && { timeouts: options.timeouts }),
  });

  const startThread = async (bound: BoundAddresses | null): Promise<Thread> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: setup(bound),
      name: 'hopscope-intake',
      // bodies come and go by the thousand: with the pages' small nursery (package.json, start) they would grow old in it
      resourceLimits: { maxYoungGenerationSizeMb: 48 },
    });
    const ended = new Promise<void>((resolve) => worker.on('exit', () => resolve()));
    const tellWhatIsStored = async (): Promise<void> => {
      const watermarks = await (await store()).watermarks();
      worker.postMessage({ kind: 'store-open', watermarks } satisfies ToIntake);
    };
    return new Promise<Thread>((resolve, reject) => {
      worker.on('error', (error) => log('warn', 'the intake thread failed', { why: error.stack ?? error.message }));
      void ended.then(() => reject(new HopscopeError('internal', 'the intake thread ended before it was ready')));
      worker.on('message', (message: FromIntake) => {
        switch (message.kind) {
          case 'needs-store':
            tellWhatIsStored().catch(reject);
            return;
          case 'ready':
            resolve({ worker, addresses: message.addresses, ended });
            // its failure is met by whoever opens it
            if (!message.knowsStore) tellWhatIsStored().catch(() => {});
            return;
          case 'cannot-start':
            return reject(new HopscopeError(message.code, message.message));
          case 'batch':
            return feed.batch(message.batch);
          case 'gap':
            return feed.gap(message.gap);
          case 'log':
            return log(message.level, message.sentence, message.fields);
          case 'stats':
            asked.get(message.id)?.resolve(message.stats);
            asked.delete(message.id);
            return;
          case 'tally':
            tallyAsked.get(message.id)?.(message.tally);
            tallyAsked.delete(message.id);
            return;
          case 'raw':
            return rawAsked.get(message.id)?.(message.raw);
          case 'stopped':
            lastTally = message.last;
            return;
        }
      });
    });
  };

  const watch = async (current: Thread): Promise<void> => {
    await current.ended;
    thread = null;
    for (const { reject } of asked.values()) reject(new HopscopeError('busy', 'the intake thread ended'));
    asked.clear();
    for (const answer of tallyAsked.values()) answer(null);
    tallyAsked.clear();
    while (!stopping) {
      log('warn', 'the intake thread ended, starting it again', {});
      await feed.dropWaiting();
      await new Promise((resolve) => setTimeout(resolve, restartAfterMs));
      if (stopping) return;
      try {
        thread = await startThread(current.addresses);
        void watch(thread);
        return;
      } catch (error) {
        log('warn', 'the intake thread could not be started', { why: String(error) });
      }
    }
  };

  const first = await startThread(null);
  thread = first;
  void watch(first);

  return {
    addresses: first.addresses,
    async stats() {
      const ofThread = await new Promise<IntakeThreadStats>((resolve, reject) => {
        if (thread === null) return reject(new HopscopeError('busy', 'the intake thread is being started'));
        const id = ++lastAsked;
        asked.set(id, { resolve, reject });
        tell({ kind: 'stats', id });
      });
      return { ...ofThread, stored: structuredClone(feed.stored), storeTrouble: feed.trouble };
    },
    tally(storedSeqs) {
      if (thread === null) return Promise.resolve(null);
      const id = ++lastAsked;
      return new Promise((resolve) => {
        tallyAsked.set(id, resolve);
        tell({ kind: 'tally', id, storedSeqs });
      });
    },
    rawBatch(collectorId, seq) {
      if (thread === null) return Promise.resolve(null);
      const id = ++lastAsked;
      return new Promise((resolve) => {
        const answer = (raw: Uint8Array | null): void => {
          clearTimeout(late);
          rawAsked.delete(id);
          resolve(raw);
        };
        const late = setTimeout(answer, rawWithinMs, null);
        rawAsked.set(id, answer);
        tell({ kind: 'raw', id, collectorId, seq });
      });
    },
    async stop(graceMs = 10_000) {
      stopping = true;
      const last = thread;
      tell({ kind: 'stop', graceMs });
      const overdue = setTimeout(() => void last?.worker.terminate(), graceMs + terminateAfterMs);
      await last?.ended;
      clearTimeout(overdue);
      await feed.dropWaiting();
      return lastTally;
    },
  };
}

/** A port that was left to the system stays what it was given. */
const onceBound = (wanted: Listen | null, bound: Listen | null | undefined): Listen | null =>
  wanted && { ...wanted, ...bound };
