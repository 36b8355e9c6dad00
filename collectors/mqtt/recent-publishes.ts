import { type Delivery, deliveryHash, type MqttPacket } from '#lib/wire/mqtt-message.ts';

const remembered = 20_000;

/** earlier: durable since before this process began, which nobody who listens to us may have seen */
type State = 'taken' | 'durable' | 'earlier';
type Message = Pick<MqttPacket, 'topic' | 'payload' | 'properties'>;

/**
 * QoS > 0 messages lately taken: a client that lost its connection before it read the answer sends the same again, with DUP set.
 * That copy is acknowledged and dropped (design.md section 10). Known by client, packet id, topic, trace context and payload;
 * those of before a restart from the spool.
 */
export class RecentPublishes {
  /** repetitions that were recognised */
  repeats = 0;
  readonly #states = new Map<string, { hash: number; state: State }>();

  constructor(before: readonly Delivery[] = []) {
    for (const { publisher, messageId, hash } of before) this.#set(publisher, messageId, { hash, state: 'earlier' });
  }

  /** What is known of a message that comes with DUP; null = it is new to us. */
  find(clientId: string, messageId: number, message: Message): State | null {
    const known = this.#states.get(`${messageId} ${clientId}`);
    if (!known || known.hash !== deliveryHash(message)) return null;
    this.repeats++;
    return known.state;
  }

  taken(clientId: string, messageId: number, message: Message): void {
    this.#set(clientId, messageId, { hash: deliveryHash(message), state: 'taken' });
  }

  durable(clientId: string, messageId: number): void {
    const known = this.#states.get(`${messageId} ${clientId}`);
    if (known) known.state = 'durable';
  }

  /** The session is gone: what comes with DUP from here on is of another one. */
  forget(): void {
    this.#states.clear();
  }

  #set(clientId: string, messageId: number, what: { hash: number; state: State }): void {
    const key = `${messageId} ${clientId}`;
    // Set anew at the end, so that the oldest stands first.
    this.#states.delete(key);
    this.#states.set(key, what);
    if (this.#states.size > remembered) this.#states.delete(this.#states.keys().next().value!);
  }
}

/** As many messages as are looked back for at a start. */
export const deliveriesRead = remembered;
