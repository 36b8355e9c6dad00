import { connectAsync, type IPublishPacket } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '#lib/clock.ts';
import { until } from '../intake/fixtures/running-intake.ts';
import { oneConnection, type ProtocolVersion } from './connect.ts';
import { hasMosquitto, Mosquitto } from './fixtures/mosquitto.ts';
import { type PubackLine, withholdPubacks } from './withheld-puback.ts';

// The contract with MQTT.js's inside: fails when an upgrade changes what withheld-puback.ts leans on.

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Session {
  line: PubackLine;
  packets: IPublishPacket[];
  sessionPresent: boolean;
  drop(): Promise<void>;
}

async function connect(broker: Mosquitto, version: ProtocolVersion): Promise<Session> {
  const at = { name: 'b', url: broker.url, site: '', topics: ['#'], share: null, echo: false };
  const client = oneConnection(at, `contract-${version}`, version);
  cleanups.push(() => client.end(true));
  const packets: IPublishPacket[] = [];
  const line = withholdPubacks(client, (packet) => packets.push(packet) > 0, systemClock);
  const connected = new Promise<boolean>((resolve) =>
    client.on('connect', ({ sessionPresent }) => resolve(sessionPresent)),
  );
  client.on('error', () => {});
  client.connect();
  const sessionPresent = await connected;
  if (!sessionPresent) await client.subscribeAsync('t/#', { qos: 1 });
  return {
    line,
    packets,
    sessionPresent,
    drop: () =>
      new Promise((resolve) => {
        client.on('close', () => resolve());
        client.stream.destroy();
      }),
  };
}

for (const version of [5, 4] as const) {
  test.runIf(hasMosquitto)(
    `MQTT ${version}: goes on reading without PUBACKs, sends them when told, in any number; what has none comes again`,
    async () => {
      const broker = await Mosquitto.start('max_inflight_messages 200');
      cleanups.push(() => broker.stop());
      const first = await connect(broker, version);
      expect(first.sessionPresent).toBe(false);
      const publisher = await connectAsync(broker.url, { protocolVersion: 5 });
      cleanups.push(() => publisher.endAsync(true));
      await Promise.all(Array.from({ length: 10 }, (_, i) => publisher.publishAsync(`t/${i}`, `${i}`, { qos: 1 })));
      await publisher.publishAsync('t/zero', 'x', { qos: 0 });
      // All are read although none is acknowledged.
      await until('all are read', () => first.packets.length === 11);
      expect(first.line.unacknowledged).toBe(10);
      expect(Math.abs(first.line.oldestUnacknowledgedMs! - Date.now())).toBeLessThan(60_000);
      const ids = first.packets.filter(({ qos }) => qos === 1).map(({ messageId }) => messageId!);
      for (const id of ids.slice(0, 6)) first.line.acknowledge(id);
      expect(first.line.unacknowledged).toBe(4);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await first.drop();

      const second = await connect(broker, version);
      expect(second.sessionPresent).toBe(true);
      await until('the rest comes again', () => second.packets.length === 4);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(second.packets.map(({ topic, dup }) => [topic, dup])).toEqual([6, 7, 8, 9].map((i) => [`t/${i}`, true]));
      // A PUBACK of the connection before goes nowhere.
      first.line.acknowledge(ids[6]!);
      for (const { messageId } of second.packets) second.line.acknowledge(messageId!);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await second.drop();
      const third = await connect(broker, version);
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect([third.sessionPresent, third.packets]).toEqual([true, []]);
    },
  );
}
