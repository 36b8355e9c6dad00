import type { Clock } from '#lib/clock.ts';
import { type Signal, signal } from '#lib/domain/ingest-batch.ts';
import { HopscopeError } from '#lib/errors.ts';
import type { Spool, SpooledAs } from '#lib/spool/spool.ts';
import { MetricsBatch, MqttBatch, type SealedBatch, TracesBatch } from '#lib/wire/batch-codec.ts';
import type { WireLimits } from '#lib/wire/limits.ts';
import type { MqttPacket } from '#lib/wire/mqtt-message.ts';
import type { Encoding, ReadResult } from '#lib/wire/read-result.ts';

/** Told when the bytes are on the disk, or that they will not be. */
export type Answer = (refused: HopscopeError | null) => void;

export interface GatherOptions {
  spool: Pick<Spool, 'append' | 'collectorId'>;
  limits: WireLimits;
  clock: Clock;
  /** a batch is durable and numbered; called in the order of the numbers, before its senders are answered */
  onSpooled(sealed: SealedBatch, as: SpooledAs, items: number): void;
}

/** A batch is closed at this size even while the disk is busy with the one before. */
const flushAtBytes = 1024 ** 2;
/** MQTT messages held while the disk takes none; beyond it they are not taken either. */
const heldBytesAtMost = 16 * 1024 ** 2;
const refuseForMs = 500;
const retryAfterMs = 250;

interface Gathered {
  signal: Signal;
  sealed: SealedBatch;
  items: number;
  bytes: number;
  answers: Answer[];
}

type AnyBatch = TracesBatch | MetricsBatch | MqttBatch;

/** One signal's batch in the making. */
class Pile<B extends AnyBatch> {
  readonly signal: Signal;
  readonly #make: (collectorId: string) => B;
  #collectorId: string;
  #batch: B;
  answers: Answer[] = [];

  constructor(of: Signal, collectorId: string, make: (collectorId: string) => B) {
    this.signal = of;
    this.#make = make;
    this.#collectorId = collectorId;
    this.#batch = make(collectorId);
  }

  get batch(): B {
    return this.#batch;
  }

  get bytes(): number {
    return this.#batch.empty ? 0 : this.#batch.bytes;
  }

  take(collectorId: string): Gathered {
    const bytes = this.#batch.bytes;
    const sealed = this.#batch.seal();
    const gathered = { signal: this.signal, sealed, items: sealed.received, bytes, answers: this.answers };
    this.answers = [];
    if (collectorId !== this.#collectorId) {
      // The spool had to start a new file; what comes from here on carries its new name.
      this.#collectorId = collectorId;
      this.#batch = this.#make(collectorId);
    }
    return gathered;
  }
}

/**
 * The group commit of the receivers: what arrives while the disk is busy becomes one batch a signal, and all its senders are
 * answered together once it is durable. HTTP and gRPC senders are refused when the spool refuses; MQTT messages are held
 * and tried again, their PUBACKs withheld meanwhile.
 */
export class Gather {
  readonly limits: WireLimits;
  readonly clock: Clock;
  /** items, rejected ones included, once they are durable */
  readonly received: Record<Signal, number> = { 1: 0, 2: 0, 3: 0 };
  /** QoS 0 messages that found no room */
  dropped = 0;
  readonly #options: GatherOptions;
  readonly #traces: Pile<TracesBatch>;
  readonly #metrics: Pile<MetricsBatch>;
  readonly #mqtt: Pile<MqttBatch>;
  #scheduled: NodeJS.Immediate | null = null;
  #appending = 0;
  #held: Gathered[] = [];
  #heldBytes = 0;
  #retrying: NodeJS.Timeout | null = null;
  #refusal: HopscopeError | null = null;
  #refusedAt = 0;
  #waitingForRoom: (() => void)[] = [];
  #idle: (() => void)[] = [];

  constructor(options: GatherOptions) {
    const { spool, limits } = options;
    this.#options = options;
    this.limits = limits;
    this.clock = options.clock;
    this.#traces = new Pile(signal.traces, spool.collectorId, (id) => new TracesBatch(limits, id));
    this.#metrics = new Pile(signal.metrics, spool.collectorId, (id) => new MetricsBatch(limits, id));
    this.#mqtt = new Pile(signal.mqtt, spool.collectorId, (id) => new MqttBatch(limits, id));
  }

  /** Why nothing is accepted at the moment; null when it is, or when it is time to try again. */
  refusal(): HopscopeError | null {
    return this.#refusal !== null && performance.now() - this.#refusedAt < refuseForMs ? this.#refusal : null;
  }

  /** For people: why the last append failed; null when it did not. */
  get trouble(): HopscopeError | null {
    return this.#refusal;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Throws MalformedError; then `answer` is not called. The body must not be written to any more. */
  traces(encoding: Encoding, body: Uint8Array, answer: Answer): ReadResult {
    return this.#add(this.#traces, this.#traces.batch.add(encoding, body, this.clock()), answer);
  }

  metrics(encoding: Encoding, body: Uint8Array, answer: Answer): ReadResult {
    return this.#add(this.#metrics, this.#metrics.batch.add(encoding, body, this.clock()), answer);
  }

  /**
   * False: no room, the message was not taken (see whenRoom). `answer` is told only of success: a message that was taken
   * is tried until it is durable. null for QoS 0: nobody waits, and without room the message is counted as dropped.
   */
  mqtt(packet: MqttPacket, broker: string, publisher: string, answer: Answer | null): boolean {
    if (this.#heldBytes + this.#mqtt.bytes > heldBytesAtMost) {
      if (answer === null) this.dropped++;
      return false;
    }
    this.#mqtt.batch.add(packet, broker, this.clock(), publisher);
    if (answer !== null) this.#mqtt.answers.push(answer);
    this.#schedule();
    return true;
  }

  whenRoom(go: () => void): void {
    this.#waitingForRoom.push(go);
  }

  /** Resolves when everything taken so far is on the disk or was refused; held MQTT messages are left to their senders. */
  async settle(): Promise<void> {
    while (this.#appending > 0 || this.#ready().length > 0) {
      this.#flush();
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
    if (this.#retrying) clearTimeout(this.#retrying);
  }

  #add(pile: Pile<AnyBatch>, result: ReadResult, answer: Answer): ReadResult {
    if (result.received === 0) {
      // Nothing in it to keep; the sender is answered in its turn all the same.
      setImmediate(answer, null);
      return result;
    }
    pile.answers.push(answer);
    this.#schedule();
    return result;
  }

  #schedule(): void {
    // While the disk is busy the next batch grows; idle, it waits for nobody but this tick's own senders.
    if (this.#appending > 0 && this.#bytes() < flushAtBytes) return;
    this.#scheduled ??= setImmediate(() => this.#flush());
  }

  #bytes(): number {
    return this.#traces.bytes + this.#metrics.bytes + this.#mqtt.bytes;
  }

  #flush(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = null;
    const group = this.#ready().map((pile) => pile.take(this.#options.spool.collectorId));
    if (group.length > 0) this.#append(group);
  }

  #ready(): Pile<AnyBatch>[] {
    const piles: Pile<AnyBatch>[] = [this.#traces, this.#metrics];
    // Messages of later must not overtake those that are held.
    if (this.#held.length === 0) piles.push(this.#mqtt);
    return piles.filter((pile) => !pile.batch.empty);
  }

  #append(group: Gathered[]): void {
    this.#appending++;
    const entries = group.map(({ signal: of, sealed, items }) => {
      return { signal: of, arrivalNanos: sealed.spooled.arrivalNanos, items, bytes: sealed.spooled.raw };
    });
    this.#options.spool.append(entries).then(
      (as) => {
        this.#refusal = null;
        group.forEach((each, i) => {
          this.received[each.signal] += each.items;
          this.#options.onSpooled(each.sealed, as[i]!, each.items);
        });
        this.#appended();
        for (const { answers } of group) for (const answer of answers) answer(null);
      },
      (error: unknown) => {
        const refusal =
          error instanceof HopscopeError ? error : new HopscopeError('spool', 'the spool failed', { cause: error });
        this.#refusal = refusal;
        this.#refusedAt = performance.now();
        for (const each of group) {
          if (each.signal === signal.mqtt) this.#hold(each);
          else for (const answer of each.answers) answer(refusal);
        }
        this.#appended();
      },
    );
  }

  #appended(): void {
    this.#appending--;
    if (this.#ready().length > 0) this.#scheduled ??= setImmediate(() => this.#flush());
    if (this.#appending === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  #hold(gathered: Gathered): void {
    this.#held.push(gathered);
    this.#heldBytes += gathered.bytes;
    this.#retrying ??= setTimeout(() => {
      this.#retrying = null;
      this.#heldBytes = 0;
      this.#append(this.#held.splice(0));
      for (const go of this.#waitingForRoom.splice(0)) go();
    }, retryAfterMs);
  }
}
