import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Aedes, type Client, type PublishPacket } from 'aedes';
import type { Config, Listen } from '#lib/config.ts';
import type { Delivery } from '#lib/wire/mqtt-message.ts';
import type { Gather } from '../intake/gather.ts';
import type { ListenerStats } from '../intake/messages.ts';
import { cannotListen } from '../otlp/cannot-listen.ts';
import { Tally } from '../otlp/receiving.ts';
import { boundPersistence } from './bound-persistence.ts';
import { Echo } from './echo.ts';
import { pubacks } from './puback.ts';
import { RecentPublishes } from './recent-publishes.ts';

export interface EmbeddedBroker {
  readonly listen: Listen;
  stats(): ListenerStats;
  stop(): Promise<void>;
}

export interface EmbeddedBrokerOptions {
  gather: Gather;
  collectorId: string;
  /** what was taken lately, before this process began */
  deliveries: readonly Delivery[];
  log(level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>): void;
}

const packetBytesAtMost = 1024 ** 2;
const connectionsAtMost = 1_024;
/** PUBACKs a client may wait for before it is no longer listened to; told to MQTT 5 clients as Receive Maximum. */
const unacknowledgedAtMost = 256;
const stopWithinMs = 3_000;
const acknowledgeWithinMs = 500;
const refusedTopic = 'topic refused';

/** Set on a packet that was taken and sent on before aedes comes to publish it. */
const alreadyTaken = Symbol('already taken');
type TakenPacket = PublishPacket & { [alreadyTaken]?: true };
type Done = (error?: Error | null) => void;

/** The QoS 1 messages of one connection that have no PUBACK yet. */
interface Line {
  client: Client;
  unacknowledged: Set<number>;
  /** told when the client may be read from again */
  paused: Done[];
}

/**
 * aedes with a tap: every message of a client goes to its subscribers at once and, beside that, to the intake.
 *
 * QoS 1: aedes writes the PUBACK right after `authorizePublish`. Waiting for the disk there would delay the subscribers, whose
 * latency is what we measure, and stop reading from the client. So the message is taken over in authorizePublish, aedes is shown
 * a QoS 0 message that was published already, and the PUBACK is written here once the spool has it. When the spool takes
 * nothing the PUBACK is withheld; a client with too many of them outstanding is not read from until they are through.
 * QoS 2: the PUBREC waits for the disk, aedes itself knows repetitions.
 */
class TappedBroker extends Aedes {
  readonly answers = new Tally();
  readonly refused = new Tally();
  messages = 0;
  readonly #name: string;
  readonly #gather: Gather;
  readonly #recent: RecentPublishes;
  readonly #lines = new Map<string, Line>();
  #acks = new Map<Client, number[]>();
  #closing = false;
  #sawTopic: (topic: string) => void = () => {};
  /** publishes that wait until the one before has been handed to the subscribers */
  readonly #inOrder: (() => void)[] = [];
  #handingOn: PublishPacket | null = null;

  constructor(name: string, gather: Gather, deliveries: readonly Delivery[]) {
    super({
      concurrency: 1_000,
      connectTimeout: 10_000,
      drainTimeout: 5_000,
      maximumPacketSize: packetBytesAtMost,
      receiveMaximum: unacknowledgedAtMost,
      sessionExpiryIntervalLimit: 86_400,
      pendingSessionsLimit: 10_000,
      authorizePublish: (client, packet, done) => this.#authorize(client, packet, done),
    });
    this.#name = name;
    this.#gather = gather;
    this.#recent = new RecentPublishes(deliveries.filter(({ broker }) => broker === name));
    const { mq } = this as unknown as { mq: { emit(packet: PublishPacket, done: Done): unknown } };
    const emit = mq.emit.bind(mq);
    mq.emit = (packet, done) => {
      const result = emit(packet, done);
      this.#handedOn(packet.topic);
      return result;
    };
    this.on('clientDisconnect', (client) => {
      if (this.#lines.get(client.id)?.client === client) this.#lines.delete(client.id);
    });
    this.on('clientError', (_, error) => {
      if (error.message === 'packet too large') this.refused.add('too-large');
      else if (!error.message.startsWith(refusedTopic)) this.refused.add('protocol');
    });
    this.on('connectionError', () => this.refused.add('protocol'));
  }

  get repeats(): number {
    return this.#recent.repeats;
  }

  onTopic(saw: (topic: string) => void): void {
    this.#sawTopic = saw;
  }

  override publish(
    packet: PublishPacket,
    clientOrDone: Client | null | ((error?: Error) => void),
    callback?: Done,
  ): void {
    const client = typeof clientOrDone === 'function' ? null : clientOrDone;
    const done = ((typeof clientOrDone === 'function' ? clientOrDone : callback) ?? (() => {})) as Done;
    if ((packet as TakenPacket)[alreadyTaken]) {
      done();
      return;
    }
    // Our own: $SYS and echoes.
    if (client === null || packet.topic.startsWith('$SYS/')) {
      this.#forward(packet, client, done);
      return;
    }
    if (packet.qos !== 2) {
      this.#take(packet, client, null);
      this.#forward(packet, client, done);
      return;
    }
    // Within one process aedes knows repetitions itself; this one was taken by the process before.
    const { messageId } = packet;
    const message = { ...packet, payload: bytesOf(packet.payload) };
    const isRepeat =
      packet.dup && messageId !== undefined && this.#recent.find(client.id, messageId, message) === 'earlier';
    if (isRepeat) {
      this.#forward(packet, client, done);
      return;
    }
    const durable = new Promise<void>((resolve) => this.#take(packet, client, resolve));
    this.#forward(packet, client, (error) => {
      if (error) done(error);
      else void durable.then(() => done());
    });
  }

  /** Takes no more QoS 1 messages and waits, not for ever, until those taken are acknowledged. */
  async lastAcknowledgements(withinMs: number): Promise<void> {
    this.#closing = true;
    const endMs = performance.now() + withinMs;
    const isWaiting = () => [...this.#lines.values()].some(({ unacknowledged }) => unacknowledged.size > 0);
    while (isWaiting() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /**
   * One publish after the other up to the moment it is handed to the subscribers. aedes numbers a packet first, lets QoS 1 wait for its
   * persistence, and drops at each client what comes with a lower number than the last: a QoS 0 message that overtakes makes it lose the
   * QoS 1 message before it. How long subscribers then take holds nobody up.
   */
  #forward(packet: PublishPacket, client: Client | null, done: Done): void {
    this.#inOrder.push(() => {
      this.#handingOn = packet;
      const ended: Done = (error) => {
        // it may end without ever being handed on
        if (this.#handingOn === packet) this.#handedOn(packet.topic);
        done(error);
      };
      // aedes' own signature has the client in the middle; its types leave it out.
      (super.publish as unknown as (packet: PublishPacket, client: Client | null, done: Done) => void).call(
        this,
        packet,
        client,
        ended,
      );
    });
    if (this.#handingOn === null) this.#next();
  }

  #handedOn(topic: string): void {
    if (this.#handingOn?.topic !== topic) return;
    this.#handingOn = null;
    this.#next();
  }

  #next(): void {
    while (this.#handingOn === null) {
      const forward = this.#inOrder.shift();
      if (!forward) return;
      forward();
    }
  }

  #authorize(client: Client | null, packet: PublishPacket, done: Done): void {
    const refusal = this.#refusalOf(packet);
    if (refusal) {
      this.refused.add(refusal);
      done(new Error(`${refusedTopic}: ${refusal}`));
      return;
    }
    // Wills have no packet id: aedes publishes them next.
    if (client === null || packet.qos !== 1 || packet.messageId === undefined) {
      done();
      return;
    }
    this.#takeQos1(client, packet, packet.messageId, done);
  }

  #refusalOf(packet: PublishPacket): string | null {
    if (packet.topic.startsWith('$SYS/')) return 'reserved-topic';
    return Buffer.byteLength(packet.topic) > this.#gather.limits.topicBytes ? 'long-topic' : null;
  }

  #takeQos1(client: Client, packet: TakenPacket, messageId: number, done: Done): void {
    // Not read any more: the client keeps it for the next run, and will not have it counted twice.
    if (this.#closing) return;
    const { id } = client;
    const payload = bytesOf(packet.payload);
    const before = packet.dup ? this.#recent.find(id, messageId, { ...packet, payload }) : null;
    const message: PublishPacket = { ...packet, dup: false };
    packet[alreadyTaken] = true;
    packet.qos = 0;
    if (before === 'durable' || before === 'earlier') {
      // Kept already; whether it was also handed on before the process ended nobody knows.
      if (before === 'earlier') this.#forward(message, client, () => {});
      this.#acknowledge(client, messageId);
      done();
      return;
    }
    let line = this.#lines.get(id);
    if (line?.client !== client) {
      line = { client, unacknowledged: new Set(), paused: [] };
      this.#lines.set(id, line);
    }
    line.unacknowledged.add(messageId);
    // A copy of one that still waits for the disk is acknowledged together with it.
    let hasRoom = true;
    if (before === null) {
      this.#recent.taken(id, messageId, { ...message, payload });
      this.#forward(message, client, () => {});
      hasRoom = this.#take(message, client, () => this.#durable(id, messageId));
    }
    if (hasRoom && line.unacknowledged.size < unacknowledgedAtMost) done();
    else line.paused.push(done);
  }

  #durable(clientId: string, messageId: number): void {
    this.#recent.durable(clientId, messageId);
    const line = this.#lines.get(clientId);
    if (!line?.unacknowledged.delete(messageId)) return;
    this.#acknowledge(line.client, messageId);
    if (line.unacknowledged.size < unacknowledgedAtMost) for (const go of line.paused.splice(0)) go();
  }

  /**
   * `durable` is called once the message is on the disk; null for QoS 0 and wills, which nobody waits for.
   * False: the intake has no room, the message waits here; its client should say no more.
   */
  #take(packet: PublishPacket, client: Client, durable: (() => void) | null): boolean {
    this.messages++;
    this.#sawTopic(packet.topic);
    const message = {
      topic: packet.topic,
      payload: bytesOf(packet.payload),
      qos: packet.qos,
      // What passes through the broker is live; only a subscriber's copy can be a replay.
      retain: false,
      dup: packet.dup,
      messageId: packet.messageId,
      properties: packet.properties as { userProperties?: Record<string, string | string[]> } | undefined,
    };
    const offer = (): boolean => {
      const taken = this.#gather.mqtt(message, this.#name, client.id, durable);
      if (!taken && durable) this.#gather.whenRoom(offer);
      return taken || !durable;
    };
    return offer();
  }

  /** One write a client for all the PUBACKs of a group commit. */
  #acknowledge(client: Client, messageId: number): void {
    if (this.#acks.size === 0) queueMicrotask(() => this.#writeAcks());
    const ids = this.#acks.get(client);
    if (ids) ids.push(messageId);
    else this.#acks.set(client, [messageId]);
  }

  #writeAcks(): void {
    const acks = this.#acks;
    this.#acks = new Map();
    for (const [client, messageIds] of acks) {
      // On another connection the client sends again, with DUP, and is answered there. One that was let in a moment ago may speak before
      // aedes calls it connected, which it does once the queue of its session is sent.
      if (client.closed) continue;
      client.conn.write(pubacks(messageIds));
      this.answers.add('puback', messageIds.length);
    }
  }
}

const bytesOf = (payload: string | Buffer): Uint8Array =>
  typeof payload === 'string' ? Buffer.from(payload) : payload;

/** An MQTT 5 and 3.1.1 broker in this process; QoS >= 1 is acknowledged once it is in the spool. */
export async function startEmbeddedBroker(
  at: NonNullable<Config['broker']>,
  { gather, collectorId, deliveries, log }: EmbeddedBrokerOptions,
): Promise<EmbeddedBroker> {
  const broker = new TappedBroker(at.name, gather, deliveries);
  await broker.listen();
  const dropped = boundPersistence(broker);
  (broker as NodeJS.EventEmitter).on('error', (error: Error) => {
    log('warn', 'the embedded broker reported an error', { why: error.message });
  });

  const echo = at.echo
    ? new Echo(collectorId, gather.clock, (topic, payload) => {
        broker.publish({ cmd: 'publish', topic, payload, qos: 0, retain: false, dup: false }, null);
      })
    : null;
  if (echo) broker.onTopic((topic) => echo.sawTopic(topic));

  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  server.maxConnections = connectionsAtMost;
  server.on('drop', () => broker.refused.add('connections'));
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at.port, at.host, resolve);
    });
  } catch (error) {
    echo?.stop();
    broker.close();
    throw cannotListen('MQTT broker', at, 'broker.listen', 'HOPSCOPE_BROKER', error);
  }
  server.on('error', (error) => log('warn', 'the MQTT listener reported an error', { why: error.message }));
  const listen = { host: at.host, port: (server.address() as AddressInfo).port };

  return {
    listen,
    stats: () => ({
      name: 'broker',
      listen,
      connections: sockets.size,
      requests: broker.messages,
      answers: { ...broker.answers.counts },
      refused: { ...broker.refused.counts, ...dropped() },
      repeats: broker.repeats,
    }),
    async stop() {
      echo?.stop();
      server.close();
      await broker.lastAcknowledgements(acknowledgeWithinMs);
      await Promise.race([
        new Promise<void>((resolve) => broker.close(() => resolve())),
        new Promise<void>((resolve) => setTimeout(resolve, stopWithinMs).unref()),
      ]);
      for (const socket of sockets) socket.destroy();
    },
  };
}
