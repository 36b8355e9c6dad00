import { type Clock, systemClock } from '#lib/clock.ts';
import type { CollectorTally, TallyThrough } from '#lib/domain/collector-report.ts';
import { signal } from '#lib/domain/ingest-batch.ts';
import { HopscopeError } from '#lib/errors.ts';
import { openSpool, type Spool } from '#lib/spool/spool.ts';
import type { SpoolPosition } from '#lib/spool/spool-messages.ts';
import type { SpoolGap } from '#lib/spool/spool-row.ts';
import { deliveriesOf } from '#lib/wire/batch-codec.ts';
import type { WireLimits } from '#lib/wire/limits.ts';
import type { Delivery } from '#lib/wire/mqtt-message.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../mqtt/embedded-broker.ts';
import { deliveriesRead } from '../mqtt/recent-publishes.ts';
import { type Subscriber, startSubscriber } from '../mqtt/subscribe.ts';
import { type OtlpGrpc, startOtlpGrpc } from '../otlp/grpc.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../otlp/receiver.ts';
import { Admission } from './admission.ts';
import { Drain, notDrainingYet } from './drain.ts';
import { Gather } from './gather.ts';
import type { BoundAddresses, FromIntake, IntakeSetup, IntakeThreadStats } from './messages.ts';
import { watchPauses } from './pauses.ts';

/** OTLP request bodies in memory at one time, over all connections (F22). */
const bodyBytesInFlightAtMost = 64 * 1024 ** 2;
const reopenSpoolAfterMs = 250;

/** Everything that receives, in one thread: listeners, group commit, spool, drain. */
export interface OpenIntake {
  readonly addresses: BoundAddresses;
  readonly collectorId: string;
  /** What the store has: batches are handed over from here on. */
  storeOpened(watermarks: Map<string, number>): Promise<void>;
  /** The store has everything of this collector up to `seq`. */
  stored(collectorId: string, seq: number): void;
  stats(): Promise<IntakeThreadStats>;
  /** The spool's own count, seen from what the store has of its collector; null when the spool cannot say. */
  tally(storedSeqs: Map<string, number>): Promise<CollectorTally | null>;
  /** IngestBatch.raw, while the spool keeps it; null when it does not, or cannot say. */
  rawBatch(collectorId: string, seq: number): Promise<Uint8Array | null>;
  /**
   * Stops receiving, answers what was taken, waits up to `graceMs` for the store to have it all; the rest stays in the spool. Resolves with
   * the last count, seen from what the store had by then; null when the store was never there, or the spool cannot say.
   */
  stop(graceMs: number): Promise<TallyThrough | null>;
}

/**
 * Opens spool and listeners; throws HopscopeError('listen' | 'data-dir'). `say` gets batches, gaps and log lines.
 * With watermarks 'later' it receives before the store is open, and hands batches over after `storeOpened`. `storeSays` is asked
 * what the store has, again and again, where the spool cannot be opened; null = not known yet.
 */
export async function openIntake(
  setup: IntakeSetup,
  say: (message: Extract<FromIntake, { kind: 'batch' | 'gap' | 'log' }>) => void,
  clock: Clock = systemClock,
  storeSays: () => Map<string, number> | null = () => null,
): Promise<OpenIntake> {
  const { config, limits } = setup;
  const spool = await spoolWhenItOpens(setup, storeSays, (error) => {
    say({
      kind: 'log',
      level: 'warn',
      sentence: 'the spool cannot be opened, trying again',
      fields: { why: error.message },
    });
  });
  const tellGaps = (collectorId: string, gaps: SpoolGap[]): void => {
    for (const gap of gaps) say({ kind: 'gap', gap: { ...gap, whose: `collector ${collectorId}` } });
  };
  tellGaps(spool.collectorId, spool.gaps);
  spool.onRenewed(tellGaps);

  let drain: Drain | null = null;
  let stopping = false;
  const drainFrom = (at: SpoolPosition): void => {
    drain = new Drain({
      spool: { ...at, read: spool.read, markStored: spool.markStored },
      limits,
      clock,
      post: (batch) => say({ kind: 'batch', batch }),
      addGap: (gap) => say({ kind: 'gap', gap }),
    });
  };
  if (setup.spool.watermarks !== 'later') drainFrom(spool);
  // What comes before the store is open is read again from the spool.
  const gather = new Gather({ spool, limits, clock, onSpooled: (sealed, as) => drain?.offer(sealed, as) });
  const admission = new Admission(bodyBytesInFlightAtMost);
  const log = (level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>): void =>
    say({ kind: 'log', level, sentence, fields });

  const endPauses = watchPauses(clock, (fromMs, toMs) => {
    const what = `stood still for ${Math.round((toMs - fromMs) / 1_000)} s: nothing was taken in, senders had to wait`;
    log('warn', 'this process stood still', { forMs: Math.round(toMs - fromMs) });
    say({ kind: 'gap', gap: { fromMs, toMs, whose: `collector ${spool.collectorId}`, what } });
  });

  let http: OtlpReceiver | null = null;
  let grpc: OtlpGrpc | null = null;
  let broker: EmbeddedBroker | null = null;
  const subscribers: Subscriber[] = [];
  const stopListeners = async (): Promise<void> => {
    await Promise.all([http?.stop(), grpc?.stop(), broker?.stop(), ...subscribers.map((each) => each.stop())]);
  };

  try {
    const deliveries = await takenBefore(spool, limits);
    const receiving = { gather, admission, hostNames: config.hostNames, timeouts: setup.timeouts, log };
    if (config.otlp) http = await startOtlpReceiver(config.otlp, receiving);
    if (config.otlpGrpc) grpc = await startOtlpGrpc(config.otlpGrpc, receiving);
    if (config.broker)
      broker = await startEmbeddedBroker(config.broker, { gather, log, deliveries, collectorId: spool.collectorId });
    for (const connection of config.brokers) {
      subscribers.push(
        startSubscriber(connection, {
          gather,
          log,
          deliveries,
          dataDir: setup.spool.dir,
          collectorId: spool.collectorId,
          onGap: (gap) => say({ kind: 'gap', gap }),
        }),
      );
    }
  } catch (error) {
    endPauses();
    await stopListeners();
    await spool.close();
    throw error;
  }

  return {
    addresses: { otlp: http?.listen ?? null, otlpGrpc: grpc?.listen ?? null, broker: broker?.listen ?? null },
    collectorId: spool.collectorId,
    async storeOpened(watermarks) {
      while (drain === null && !stopping) {
        try {
          drainFrom(await spool.reconcile(watermarks));
        } catch {
          // The spool says in its stats what is wrong; nothing has been handed over yet.
          await new Promise((resolve) => setTimeout(resolve, reopenSpoolAfterMs));
        }
      }
    },
    stored: (collectorId, seq) => drain?.stored(collectorId, seq),
    async stats() {
      return {
        collectorId: spool.collectorId,
        received: { traces: gather.received[1], metrics: gather.received[2], mqtt: gather.received[3] },
        listeners: [http?.stats(), grpc?.stats(), broker?.stats()].filter((each) => each !== undefined),
        brokers: subscribers.map((each) => each.stats()),
        logRecordsIgnored: (http?.logRecordsIgnored() ?? 0) + (grpc?.logRecordsIgnored() ?? 0),
        messagesDropped: gather.dropped,
        bodyBytesInFlight: admission.takenBytes,
        heldMessageBytes: gather.heldBytes,
        spool: await spool.stats().catch(() => null),
        spoolTrouble: gather.trouble?.message ?? null,
        drain: drain?.stats() ?? notDrainingYet,
      };
    },
    async tally(storedSeqs) {
      return spool.tally(storedSeqs.get(spool.collectorId) ?? 0).catch(() => null);
    },
    async rawBatch(collectorId, seq) {
      if (collectorId !== spool.collectorId) return null;
      const [row] = await spool.read(seq, 1).catch(() => []);
      const found = row?.collectorId === collectorId && row.seq === seq && row.signal === signal.traces && !row.damaged;
      return found ? row.bytes : null;
    },
    async stop(graceMs) {
      stopping = true;
      endPauses();
      await stopListeners();
      await gather.settle();
      const grace = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
      await Promise.race([drain?.emptied(), grace]);
      drain?.stop();
      const throughSeq = drain?.stats().storedSeq;
      const last = throughSeq === undefined ? null : await spool.tally(throughSeq).catch(() => null);
      await spool.close();
      return last && { ...last, throughSeq: throughSeq! };
    },
  };
}

/** Messages whose answers the process before may not have sent any more: they come again. */
async function takenBefore(spool: Spool, limits: WireLimits): Promise<Delivery[]> {
  const rows = await spool.readLast(signal.mqtt, deliveriesRead).catch(() => []);
  return rows.flatMap((row) => {
    try {
      return row.damaged ? [] : deliveriesOf(row.bytes, limits);
    } catch {
      return []; // the drain says what could not be read
    }
  });
}

/** A full disk at the start is no reason not to start: it is tried until there is room. */
async function spoolWhenItOpens(
  setup: IntakeSetup,
  storeSays: () => Map<string, number> | null,
  onFailure: (error: HopscopeError) => void,
): Promise<Spool> {
  for (let first = true; ; first = false) {
    try {
      const watermarks = (first ? null : storeSays()) ?? setup.spool.watermarks;
      return await openSpool({ ...setup.spool, watermarks });
    } catch (error) {
      if (!(error instanceof HopscopeError) || error.code !== 'spool') throw error;
      if (first) onFailure(error);
      await new Promise((resolve) => setTimeout(resolve, reopenSpoolAfterMs));
    }
  }
}
