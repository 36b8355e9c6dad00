import type { IPublishPacket, MqttClient } from 'mqtt';
import type { Clock } from '#lib/clock.ts';
import { type EpochMillis, epochMillisOf } from '#lib/domain/units.ts';
import { pubacks } from './puback.ts';

/**
 * MQTT.js acknowledges a message as soon as `handleMessage` calls back, and parses nothing else until then. Acknowledging
 * only what is on the disk (libraries.md section 8, 1-4 and 8) therefore takes two things that are not its public contract:
 *
 * - a callback with an error skips the PUBACK and goes on parsing (lib/handlers/publish.js, QoS 1);
 * - `client.stream` is the transport; the PUBACK is written to it here.
 *
 * Both live in this file alone, and withheld-puback.test.ts fails against a real broker when one of them changes.
 * One client object is one connection (subscribe.ts makes a new one to reconnect): no PUBACK can reach a later connection.
 */
export interface PubackLine {
  /** the ids received on this connection and not acknowledged yet */
  readonly unacknowledged: number;
  /** when the oldest of them arrived; null = there is none */
  readonly oldestUnacknowledgedMs: EpochMillis | null;
  /** Sends the PUBACK, unless the message did not come over this connection or it is gone. Those of one tick go in one write. */
  acknowledge(messageId: number): void;
}

/**
 * `take` is called for every PUBLISH, in order: false = not now, call `again` when there is room; nothing more is read meanwhile.
 */
export function withholdPubacks(
  client: MqttClient,
  take: (packet: IPublishPacket, again: () => void) => boolean,
  clock: Clock,
): PubackLine {
  const received = new Map<number, EpochMillis>();
  let ready: number[] = [];

  client.handleMessage = (packet, done) => {
    const offer = (): void => {
      // The broker sends it again over the next connection.
      if (client.stream.destroyed) return;
      if (packet.qos === 1) received.set(packet.messageId!, epochMillisOf(clock()));
      if (!take(packet, offer)) return;
      // Once and only once: the parser's own callback is gone after the first time.
      if (packet.qos === 1) done(new Error('acknowledged once it is on the disk'));
      else done();
    };
    offer();
  };

  const write = (): void => {
    const ids = ready;
    ready = [];
    if (client.connected && !client.stream.destroyed) client.stream.write(pubacks(ids));
  };

  return {
    get unacknowledged() {
      return received.size;
    },
    get oldestUnacknowledgedMs() {
      return received.values().next().value ?? null;
    },
    acknowledge(messageId) {
      if (!received.delete(messageId)) return;
      if (ready.length === 0) queueMicrotask(write);
      ready.push(messageId);
    },
  };
}
