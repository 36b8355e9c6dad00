// One real MQTT 5 connection that outlives every disconnect, and hands each message on with the moment it came.

import type { Socket } from 'node:net';
import type { HrTime } from '@opentelemetry/api';
import { connect, type IClientPublishOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import type { DeviceClock } from './device-clock.ts';

export interface Message {
  topic: string;
  payload: Buffer;
  receivedAt: HrTime;
  properties: NonNullable<IPublishPacket['properties']>;
  /** Where the message came from, so that an answer takes the same way. */
  link: MqttLink;
}

export type MessageHandler = (message: Message) => void;

export interface MqttLinkOptions {
  port: number;
  clientId: string;
  brokerName: string;
  clock: DeviceClock;
  will?: { topic: string; payload: string };
  onConnect?: (link: MqttLink) => void;
}

export class MqttLink {
  readonly brokerName: string;
  readonly #options: MqttLinkOptions;
  readonly #handlers = new Map<string, Set<MessageHandler>>();
  #client: MqttClient | undefined;

  constructor(options: MqttLinkOptions) {
    this.#options = options;
    this.brokerName = options.brokerName;
  }

  get isConnected(): boolean {
    return this.#client?.connected ?? false;
  }

  get clientId(): string {
    return this.#options.clientId;
  }

  plugIn(): void {
    if (this.#client) return;
    const { port, clientId, clock, will, onConnect } = this.#options;
    const client = connect({
      host: '127.0.0.1',
      port,
      protocol: 'mqtt',
      protocolVersion: 5,
      clientId,
      clean: true,
      keepalive: 30,
      reconnectPeriod: 1000,
      connectTimeout: 10_000,
      queueQoSZero: false,
      resubscribe: false,
      will: will && { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    });
    this.#client = client;
    client.on('error', () => {});
    client.on('connect', () => {
      // Without it an acknowledgement in flight holds the next publish back for 40 ms (Nagle and delayed ACK).
      (client.stream as unknown as Socket).setNoDelay(true);
      const filters = [...this.#handlers.keys()];
      if (filters.length > 0) client.subscribe(filters, { qos: 1 }, () => {});
      onConnect?.(this);
    });
    client.on('message', (topic, payload, packet) => {
      const receivedAt = clock.hrTime();
      if (packet.retain) return;
      const message: Message = { topic, payload, receivedAt, properties: packet.properties ?? {}, link: this };
      for (const [filter, handlers] of this.#handlers) {
        if (matches(filter, topic)) for (const handler of handlers) handler(message);
      }
    });
  }

  /** Torn out of the wall: no DISCONNECT, so the broker publishes the Will. */
  unplug(): void {
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    client.options.reconnectPeriod = 0;
    client.stream.destroy();
    client.end(true);
  }

  /** Leaves politely; the broker drops the Will. */
  async leave(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    await new Promise<void>((resolve) => client.end(!client.connected, () => resolve()));
  }

  subscribe(filter: string, handler: MessageHandler): void {
    const handlers = this.#handlers.get(filter) ?? new Set();
    this.#handlers.set(filter, handlers.add(handler));
    if (handlers.size === 1 && this.isConnected) this.#client?.subscribe(filter, { qos: 1 }, () => {});
  }

  unsubscribe(filter: string, handler: MessageHandler): void {
    const handlers = this.#handlers.get(filter);
    if (!handlers?.delete(handler) || handlers.size > 0) return;
    this.#handlers.delete(filter);
    if (this.isConnected) this.#client?.unsubscribe(filter, () => {});
  }

  /** Dropped while the line is down: a queue of old messages would come back as hours of false latency. */
  publish(
    topic: string,
    payload: string | Buffer,
    options: IClientPublishOptions,
    done?: (error?: Error) => void,
  ): void {
    if (!this.#client?.connected) {
      done?.(new Error('not connected'));
      return;
    }
    this.#client.publish(topic, payload, options, (error) => done?.(error ?? undefined));
  }
}

function matches(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true;
    if (i >= levels.length || (level !== '+' && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}
