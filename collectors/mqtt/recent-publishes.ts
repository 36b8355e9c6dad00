import { crc32 } from 'node:zlib';

const remembered = 20_000;

type State = 'taken' | 'durable';

/**
 * QoS 1 messages lately taken: a client that lost its connection before it read the PUBACK sends the same again, with DUP set.
 * That copy is acknowledged and dropped (design.md section 10). Known by client, packet id, topic and payload.
 */
export class RecentPublishes {
  readonly #states = new Map<string, { hash: number; state: State }>();

  /** What is known of a message that comes with DUP; null = it is new to us. */
  find(clientId: string, messageId: number, topic: string, payload: Uint8Array): State | null {
    const known = this.#states.get(`${messageId} ${clientId}`);
    return known && known.hash === hashOf(topic, payload) ? known.state : null;
  }

  taken(clientId: string, messageId: number, topic: string, payload: Uint8Array): void {
    const key = `${messageId} ${clientId}`;
    // Set anew at the end, so that the oldest stands first.
    this.#states.delete(key);
    this.#states.set(key, { hash: hashOf(topic, payload), state: 'taken' });
    if (this.#states.size > remembered) this.#states.delete(this.#states.keys().next().value!);
  }

  durable(clientId: string, messageId: number): void {
    const known = this.#states.get(`${messageId} ${clientId}`);
    if (known) known.state = 'durable';
  }
}

const hashOf = (topic: string, payload: Uint8Array): number => crc32(payload, crc32(topic));
