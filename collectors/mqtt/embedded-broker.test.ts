import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type IClientOptions, type IPublishPacket, type MqttClient, connect as mqttConnect } from 'mqtt';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '#lib/clock.ts';
import { defaultLimits } from '#lib/wire/limits.ts';
import { type Delivery, deliveryHash } from '#lib/wire/mqtt-message.ts';
import { loopback, type RunningIntake, runIntake, until } from '../intake/fixtures/running-intake.ts';
import { SlowSpool } from '../intake/fixtures/slow-spool.ts';
import { Gather } from '../intake/gather.ts';
import { startEmbeddedBroker } from './embedded-broker.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const setting = (echo = false) => ({ ...loopback(), name: 'embedded', site: '', echo });

async function start(echo = false): Promise<RunningIntake & { port: number }> {
  const running = await runIntake({ broker: setting(echo) });
  cleanups.push(() => running.stop());
  return { ...running, port: running.intake.addresses.broker!.port };
}

/** The broker with a spool that the test commands. */
async function startSlow(deliveries: Delivery[] = []) {
  const spool = new SlowSpool();
  const gather = new Gather({ spool, limits: defaultLimits, clock: systemClock, onSpooled: () => {} });
  const broker = await startEmbeddedBroker(setting(), {
    gather,
    collectorId: 'one',
    deliveries,
    log: () => {},
  });
  cleanups.push(() => broker.stop());
  return { spool, gather, broker, port: broker.listen.port };
}

async function client(port: number, options: IClientOptions = {}): Promise<MqttClient> {
  const one = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0, ...options });
  one.on('error', () => {});
  cleanups.push(() => one.endAsync(true));
  return one;
}

function receivedBy(subscriber: MqttClient): IPublishPacket[] {
  const packets: IPublishPacket[] = [];
  subscriber.on('message', (_topic, _payload, packet) => packets.push(packet));
  return packets;
}

test('forwards between MQTT 5 and 3.1.1 at every QoS, with user properties, and taps each message once with its publisher', async () => {
  const { port, store } = await start();
  const subscriber = await client(port);
  const packets = receivedBy(subscriber);
  await subscriber.subscribeAsync('factory/#', { qos: 2 });
  const five = await client(port, { clientId: 'device-5' });
  const three = await client(port, { clientId: 'device-3', protocolVersion: 4 });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  for (const qos of [0, 1, 2] as const) {
    await five.publishAsync(`factory/five/${qos}`, 'hello', { qos, properties: { userProperties: { traceparent } } });
    await three.publishAsync(`factory/three/${qos}`, 'hello', { qos });
  }
  await until('all six are delivered', () => packets.length === 6);
  expect(packets.filter(({ properties }) => properties?.userProperties?.traceparent === traceparent)).toHaveLength(3);
  expect(packets.map(({ qos }) => qos).sort()).toEqual([0, 0, 1, 1, 2, 2]);
  await until('all six are stored', () => store.messages === 6);
  const traffic = store.batches.flatMap((batch) => batch.topicTraffic);
  expect(new Set(traffic.map(({ publisher }) => publisher))).toEqual(new Set(['device-5', 'device-3']));
  const passages = store.batches.flatMap((batch) => batch.passages);
  expect(passages.map(({ topic, qos }) => [topic, qos]).sort()).toEqual(
    [0, 1, 2].map((qos) => [`factory/five/${qos}`, qos]),
  );
  expect(passages[0]).toMatchObject({ broker: 'embedded', spanId: 0xb7ad6b7169203331n });
});

test('a subscriber loses no QoS 1 message to a QoS 0 one that follows at its heels', async () => {
  const { port } = await start();
  const subscriber = await client(port);
  const packets = receivedBy(subscriber);
  await subscriber.subscribeAsync(['acknowledged/#', 'fleeting/#'], { qos: 1 });
  const publishers = await Promise.all([client(port), client(port)]);
  const count = 300;
  for (let n = 0; n < count; n++) {
    publishers[0]!.publish(`acknowledged/${n}`, 'x', { qos: 1 });
    publishers[1]!.publish(`fleeting/${n}`, 'x', { qos: 0 });
    publishers[0]!.publish(`fleeting/same/${n}`, 'x', { qos: 0 });
  }
  await until('every message was received', () => packets.length >= 3 * count);
  expect(new Set(packets.map((packet) => packet.topic)).size).toBe(3 * count);
});

test('a will is published and tapped; a retained message is state for those who come later', async () => {
  const { port, store } = await start();
  const watcher = await client(port);
  const packets = receivedBy(watcher);
  await watcher.subscribeAsync('state/#', { qos: 1 });
  const will = { topic: 'state/will', payload: Buffer.from('offline'), qos: 1 as const, retain: true };
  const device = await client(port, { will });
  await device.publishAsync('state/now', 'online', { qos: 1, retain: true });
  device.stream.destroy();
  await until('the will arrives', () => packets.some(({ topic }) => topic === 'state/will'));
  const late = await client(port);
  const replayed = receivedBy(late);
  await late.subscribeAsync('state/#', { qos: 1 });
  await until('both are replayed', () => replayed.length === 2);
  expect(replayed.every(({ retain }) => retain)).toBe(true);
  await until('two messages are stored', () => store.messages === 2);
});

test('the PUBACK waits for the disk, the subscribers do not', async () => {
  const { spool, port } = await startSlow();
  const subscriber = await client(port);
  const packets = receivedBy(subscriber);
  await subscriber.subscribeAsync('t', { qos: 1 });
  for (const protocolVersion of [5, 4] as const) {
    const device = await client(port, { protocolVersion });
    packets.length = 0;
    let acknowledged = false;
    const published = device.publishAsync('t', 'x', { qos: 1 }).then(() => {
      acknowledged = true;
    });
    await until('it is delivered', () => packets.length === 1);
    await until('the disk is asked', () => spool.commits.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(acknowledged).toBe(false);
    spool.succeedAll();
    await published;
  }
});

test('a QoS 2 message is answered once it is on the disk', async () => {
  const { spool, port } = await startSlow();
  const device = await client(port);
  let acknowledged = false;
  const published = device.publishAsync('t', 'x', { qos: 2 }).then(() => {
    acknowledged = true;
  });
  await until('the disk is asked', () => spool.commits.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(acknowledged).toBe(false);
  spool.commits[0]!.succeed();
  await published;
});

test('while the spool refuses, PUBACKs are withheld, the connection lives and QoS 0 goes on; then all are answered', async () => {
  const { spool, port, broker } = await startSlow();
  const failing = setInterval(() => spool.failAll(), 2);
  const device = await client(port, { keepalive: 1 });
  const subscriber = await client(port);
  const packets = receivedBy(subscriber);
  await subscriber.subscribeAsync('#', { qos: 1 });
  let acknowledged = 0;
  const published = Array.from({ length: 20 }, (_, i) =>
    device.publishAsync(`t/${i}`, 'x', { qos: 1 }).then(() => acknowledged++),
  );
  await until('all are delivered', () => packets.length === 20);
  await new Promise((resolve) => setTimeout(resolve, 2_200));
  expect(device.connected).toBe(true);
  device.publish('zero', 'x');
  await until('QoS 0 is delivered', () => packets.length === 21);
  expect(acknowledged).toBe(0);
  clearInterval(failing);
  const succeeding = setInterval(() => spool.succeedAll(), 2);
  await Promise.all(published);
  clearInterval(succeeding);
  expect(broker.stats().answers).toEqual({ puback: 20 });
});

test('a copy sent again with DUP is acknowledged and counted once, also over a new connection while the first waits', async () => {
  const { spool, gather, port } = await startSlow();
  const packetId = 7;
  const raw = async () => {
    const socket = connectTcp(port, '127.0.0.1');
    cleanups.push(() => socket.destroy());
    let said = Buffer.alloc(0);
    socket.on('data', (data) => (said = Buffer.concat([said, data])));
    // CONNECT 3.1.1, clean session 0, client id "a"
    socket.write(Buffer.from([0x10, 13, 0, 4, 77, 81, 84, 84, 4, 0, 0, 60, 0, 1, 97]));
    await until('CONNACK', () => said.length >= 4);
    return { socket, rest: () => said.subarray(4) };
  };
  const publish = (dup: boolean) => Buffer.from([dup ? 0x3a : 0x32, 6, 0, 1, 116, 0, packetId, 120]);
  const first = await raw();
  first.socket.write(publish(false));
  await until('the disk is asked', () => spool.commits.length === 1);
  first.socket.destroy();
  const second = await raw();
  second.socket.write(publish(true));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(second.rest()).toHaveLength(0);
  spool.commits[0]!.succeed();
  await until('PUBACK', () => second.rest().length === 4);
  expect([...second.rest()]).toEqual([0x40, 2, 0, packetId]);
  second.socket.write(publish(true));
  await until('PUBACK again', () => second.rest().length === 8);
  expect(gather.received[3]).toBe(1);
  expect(spool.commits).toHaveLength(1);
});

test('refuses topics over 1 KiB, reserved topics and packets over 1 MiB, and counts them', async () => {
  const { port, intake } = await start();
  const device = await client(port);
  await expect(device.publishAsync('t'.repeat(1_025), 'x', { qos: 1 })).rejects.toThrow(/Not authorized/);
  await expect(device.publishAsync('$SYS/x', 'x', { qos: 1 })).rejects.toThrow(/Not authorized/);
  await device.publishAsync('t'.repeat(1_024), Buffer.alloc(1_000_000), { qos: 1 });
  const big = await client(port, { protocolVersion: 4 });
  big.publish('t', Buffer.alloc(1_100_000));
  await new Promise<void>((resolve) => big.on('close', () => resolve()));
  const { refused } = (await intake.stats()).listeners[0]!;
  expect(refused).toMatchObject({ 'long-topic': 1, 'reserved-topic': 1, 'too-large': 1 });
});

test('a session that is away keeps 1,000 messages, the rest is left out and counted', async () => {
  const { port, intake } = await start();
  const session = { clientId: 'away', clean: false, properties: { sessionExpiryInterval: 60 } };
  const first = await client(port, session);
  await first.subscribeAsync('t', { qos: 1 });
  await first.endAsync();
  const device = await client(port);
  await Promise.all(Array.from({ length: 1_010 }, (_, i) => device.publishAsync('t', `${i}`, { qos: 1 })));
  expect((await intake.stats()).listeners[0]!.refused).toEqual({ 'session-queue-full': 10 });
  const again = mqttConnect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0, ...session });
  cleanups.push(() => again.endAsync(true));
  const packets = receivedBy(again);
  await until('1,000 are delivered', () => packets.length === 1_000);
  await until('the queue is free again', async () => {
    await device.publishAsync('t', 'more', { qos: 1 });
    return packets.length > 1_000;
  });
});

test('with echo on, devices that send heartbeats are asked for the time, and their answer becomes a clock observation', async () => {
  const { port, store } = await start(true);
  const device = await client(port);
  const asked = receivedBy(device);
  await device.subscribeAsync('hopscope/v1/pi-1/echo', { qos: 0 });
  const nanos = () => (BigInt(Date.now()) * 1_000_000n).toString();
  const heartbeat = JSON.stringify({ v: 1, sentUnixNano: nanos(), seq: 1, intervalMs: 1000, cpu: 0.5, memory: 0.5 });
  await device.publishAsync('hopscope/v1/pi-1/heartbeat', heartbeat, { qos: 1 });
  await until('it is asked', () => asked.length === 1);
  const { id, t1 } = JSON.parse(asked[0]!.payload.toString()) as { id: string; t1: string };
  await device.publishAsync('hopscope/v1/pi-1/echo-reply', JSON.stringify({ id, t1, t2: nanos(), t3: nanos() }), {
    qos: 1,
  });
  await until(
    'both edges are stored',
    () =>
      store.batches.flatMap((batch) => batch.clockObservations).filter(({ source }) => source === 'echo').length === 2,
  );
});

test('every PUBACK is kept through kill -9', { timeout: 60_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopscope-broker-'));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  let acknowledged = 0;
  let sent = 0;
  for (let round = 0; round < 3; round++) {
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        join(import.meta.dirname, '../intake/fixtures/intake-until-killed.ts'),
        dir,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [ready] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const { broker } = JSON.parse(ready) as { broker: number };
    const devices = await Promise.all(Array.from({ length: 4 }, () => client(broker, { keepalive: 60 })));
    const pump = setInterval(() => {
      for (const device of devices) {
        if (!device.connected) continue;
        sent++;
        device.publish('line/1', `${sent}`, { qos: 1 }, (error) => {
          if (!error) acknowledged++;
        });
      }
    }, 1);
    const enough = acknowledged + 200;
    await until('enough is acknowledged', () => acknowledged > enough);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
    child.kill('SIGKILL');
    await once(child, 'close');
    clearInterval(pump);
    for (const device of devices) device.end(true);
  }
  const running = await runIntake({}, { dir });
  await until('the drain has caught up', async () => {
    const { drain } = await running.intake.stats();
    return drain.lastSpooledSeq > 0 && drain.storedSeq === drain.lastSpooledSeq;
  });
  expect(running.store.messages).toBeGreaterThanOrEqual(acknowledged);
  expect(running.store.messages).toBeLessThanOrEqual(sent);
  await running.stop();
});

test('what the process before had taken is answered and handed on when it comes again with DUP, and not taken twice', async () => {
  const payload = Buffer.from('21.5');
  const known = {
    broker: 'embedded',
    publisher: 'sensor',
    arrivalNanos: 1n,
    hash: deliveryHash({ topic: 'room', payload }),
  };
  const { spool, port } = await startSlow([
    { ...known, messageId: 7 },
    { ...known, messageId: 8 },
  ]);
  const listener = await client(port);
  const heard: string[] = [];
  listener.on('message', (topic) => heard.push(topic));
  await listener.subscribeAsync('room');

  const socket = connectTcp(port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  const answers: number[][] = [];
  socket.on('data', (bytes) => answers.push([...bytes]));
  // MQTT 3.1.1, 3.1: clean session, client id "sensor"
  socket.write(Buffer.from([0x10, 18, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 60, 0, 6, ...Buffer.from('sensor')]));
  await until('it is let in', () => answers.length === 1);
  const publish = (flags: number, id: number): void => {
    socket.write(Buffer.from([0x30 | flags, 12, 0, 4, ...Buffer.from('room'), 0, id, ...payload]));
  };
  const [dup, qos1, qos2] = [8, 2, 4] as const;
  publish(dup | qos1, 7);
  await until('PUBACK', () => answers.length === 2);
  publish(dup | qos2, 8);
  await until('PUBREC', () => answers.length === 3);
  expect(answers.slice(1)).toEqual([
    [0x40, 2, 0, 7],
    [0x50, 2, 0, 8],
  ]);
  await until('both were handed on', () => heard.length === 2);
  expect(spool.commits).toHaveLength(0);

  // the same id without DUP is another message
  publish(qos1, 7);
  await until('it waits for the disk', () => spool.commits.length === 1);
  expect(answers).toHaveLength(3);
});

test('who speaks while the queue of its session is being sent is answered like anybody', async () => {
  const payload = Buffer.from('21.5');
  const delivery = { broker: 'embedded', publisher: 'sensor', messageId: 7, arrivalNanos: 1n };
  const { spool, port } = await startSlow([{ ...delivery, hash: deliveryHash({ topic: 'room', payload }) }]);
  const succeeding = setInterval(() => spool.succeedAll(), 2);
  cleanups.push(() => clearInterval(succeeding));
  const before = await client(port, { clientId: 'sensor', clean: false, protocolVersion: 4 });
  await before.subscribeAsync('queue', { qos: 1 });
  await before.endAsync();
  const device = await client(port);
  const queued = Buffer.alloc(50_000, 'x');
  for (let n = 0; n < 200; n++) await device.publishAsync('queue', queued, { qos: 1 });

  const socket = connectTcp(port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  let heard = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    // sent again at once, as soon as CONNACK is there
    if (heard.length === 0) socket.write(Buffer.from([0x3a, 12, 0, 4, ...Buffer.from('room'), 0, 7, ...payload]));
    heard = Buffer.concat([heard, bytes]);
  });
  socket.write(Buffer.from([0x10, 18, 0, 4, ...Buffer.from('MQTT'), 4, 0, 0, 60, 0, 6, ...Buffer.from('sensor')]));
  await until('the whole queue arrived', () => heard.length > 200 * queued.length);
  await until('PUBACK', () => heard.includes(Buffer.from([0x40, 2, 0, 7])));
});
