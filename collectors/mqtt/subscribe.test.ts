import { execFile } from 'node:child_process';
import { createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, describe, expect, test } from 'vitest';
import type { BrokerConnection } from '#lib/config.ts';
import { type RunningIntake, runIntake, until } from '../intake/fixtures/running-intake.ts';
import { hasMosquitto, Mosquitto } from './fixtures/mosquitto.ts';

const run = promisify(execFile);
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const connection = (broker: { url: string }, more: Partial<BrokerConnection> = {}): BrokerConnection => {
  return { name: 'line', url: broker.url, site: 'dublin', topics: ['#'], share: null, echo: false, ...more };
};

async function broker(extra?: string): Promise<Mosquitto> {
  const started = await Mosquitto.start(extra);
  cleanups.push(() => started.stop());
  return started;
}

async function intakeAt(...brokers: BrokerConnection[]): Promise<RunningIntake> {
  const running = await runIntake({ brokers });
  cleanups.push(() => running.stop());
  await connected(running);
  return running;
}

const connected = ({ intake }: RunningIntake) =>
  until('the broker is connected', async () =>
    (await intake.stats()).brokers.every(({ state }) => state === 'connected'),
  );

async function publisherAt({ url }: { url: string }): Promise<MqttClient> {
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 50 });
  client.on('error', () => {});
  cleanups.push(() => client.endAsync(true));
  return client;
}

describe.runIf(hasMosquitto)('a subscriber at a real mosquitto', () => {
  test('takes messages of every QoS from mosquitto_pub, once each although its filters overlap', async () => {
    const at = await broker();
    const running = await intakeAt(connection(at, { topics: ['factory/#', 'factory/line/+'] }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const qos of ['0', '1', '2']) {
      await run('mosquitto_pub', ['-p', String(at.port), '-t', `factory/line/${qos}`, '-m', 'hello', '-q', qos]);
    }
    await run('mosquitto_pub', ['-p', String(at.port), '-t', 'other', '-m', 'x']);
    await until('all are stored', () => running.store.messages === 3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(running.store.messages).toBe(3);
    const traffic = running.store.batches.flatMap((batch) => batch.topicTraffic);
    expect(traffic.every((each) => each.broker === 'line')).toBe(true);
    await until(
      'the broker has all PUBACKs',
      async () => (await running.intake.stats()).brokers[0]!.unacknowledged === 0,
    );
  });

  test('a traceparent in the user properties is a passage; retained replays are state', async () => {
    const at = await broker();
    const publisher = await publisherAt(at);
    await publisher.publishAsync('state/old', 'x', { qos: 1, retain: true });
    const running = await intakeAt(connection(at));
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await publisher.publishAsync('t', 'x', { qos: 1, properties: { userProperties: { traceparent } } });
    await until('the passage is stored', () => running.store.batches.some(({ passages }) => passages.length === 1));
    const traffic = running.store.batches.flatMap((batch) => batch.topicTraffic);
    expect(traffic.find(({ topic }) => topic === 'state/old')).toMatchObject({ messages: 0, retained: 1 });
  });

  test('through orderly restarts of the broker nothing is lost, and there is no gap', { timeout: 30_000 }, async () => {
    const at = await broker();
    const running = await intakeAt(connection(at));
    const publisher = await publisherAt(at);
    let sent = 0;
    const pump = setInterval(() => publisher.publish('line', `${++sent}`, { qos: 1 }), 2);
    for (let i = 0; i < 2; i++) {
      await new Promise((resolve) => setTimeout(resolve, 400));
      await at.down('SIGTERM');
      await at.up();
      await connected(running);
    }
    clearInterval(pump);
    await until('all are stored', () => running.store.messages >= sent, 20_000);
    expect(running.store.gaps).toEqual([]);
    expect((await running.intake.stats()).brokers[0]!.reconnects).toBeGreaterThanOrEqual(2);
  });

  test('a session that the broker lost is a gap, and we are subscribed again at once', {
    timeout: 30_000,
  }, async () => {
    const at = await broker();
    const running = await intakeAt(connection(at));
    const publisher = await publisherAt(at);
    await publisher.publishAsync('t', '1', { qos: 1 });
    await until('it is stored', () => running.store.messages === 1);
    const beforeMs = Date.now();
    await at.down('SIGKILL');
    at.forget();
    await at.up();
    await until('the gap is told', () => running.store.gaps.length === 1);
    const [gap] = running.store.gaps;
    expect(gap).toMatchObject({ whose: 'broker line', what: expect.stringMatching(/lost our session/) });
    expect(gap!.fromMs).toBeLessThanOrEqual(beforeMs + 1_000);
    expect(gap!.toMs).toBeGreaterThan(gap!.fromMs);
    await until('messages come again', async () => {
      await publisher.publishAsync('t', '2', { qos: 1 });
      return running.store.messages > 1;
    });
    expect((await running.intake.stats()).brokers[0]!.sessionsLost).toBe(1);
  });

  test('the session outlives us: what arrives meanwhile is delivered to the next run, without a gap and without replays', {
    timeout: 30_000,
  }, async () => {
    const at = await broker();
    const publisher = await publisherAt(at);
    await publisher.publishAsync('state', 'x', { qos: 1, retain: true });
    const first = await runIntake({ brokers: [connection(at)] });
    await connected(first);
    await until('the retained message came', () => first.store.batches.length === 1);
    await first.stop(true);
    for (let i = 0; i < 50; i++) await publisher.publishAsync('t', `${i}`, { qos: 1 });
    const second = await runIntake({ brokers: [connection(at)] }, { dir: first.dir, store: first.store });
    cleanups.push(() => second.stop());
    await until('all are stored', () => second.store.messages === 50);
    await connected(second);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(second.store.gaps).toEqual([]);
    expect(
      second.store.batches.flatMap((batch) => batch.topicTraffic).reduce((n, { retained }) => n + retained, 0),
    ).toBe(1);
  });

  test("reads the broker's own counters, and never publishes while echo is off", async () => {
    const at = await broker();
    const running = await intakeAt(connection(at));
    await until('counters came', async () => {
      return (await running.intake.stats()).brokers[0]!.sys['broker/clients/connected'] !== undefined;
    });
    const watcher = await publisherAt(at);
    const seen: string[] = [];
    watcher.on('message', (topic) => seen.push(topic));
    await watcher.subscribeAsync('#');
    await watcher.publishAsync('hopscope/v1/pi-1/heartbeat', JSON.stringify({ v: 1, sentUnixNano: '1', seq: 1 }), {
      qos: 1,
    });
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(seen).toEqual(['hopscope/v1/pi-1/heartbeat']);
    expect(running.store.messages).toBe(1);
  });

  test('with echo on asks devices for the time and does not count its own questions', async () => {
    const at = await broker();
    const running = await intakeAt(connection(at, { echo: true }));
    const device = await publisherAt(at);
    const asked: string[] = [];
    device.on('message', (_, payload) => asked.push(payload.toString()));
    await device.subscribeAsync('hopscope/v1/pi-1/echo');
    const sentUnixNano = (BigInt(Date.now()) * 1_000_000n).toString();
    await device.publishAsync(
      'hopscope/v1/pi-1/heartbeat',
      JSON.stringify({ v: 1, sentUnixNano, seq: 1, intervalMs: 1000 }),
      { qos: 1 },
    );
    await until('it is asked', () => asked.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(running.store.messages).toBe(1);
  });

  test('two members of a share group get half each', async () => {
    const at = await broker();
    const one = await intakeAt(connection(at, { share: 'hopscope' }));
    const two = await intakeAt(connection(at, { share: 'hopscope' }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const publisher = await publisherAt(at);
    for (let i = 0; i < 40; i++) await publisher.publishAsync('t', `${i}`, { qos: 1 });
    await until('all are stored', () => one.store.messages + two.store.messages === 40);
    expect(one.store.messages).toBeGreaterThan(5);
    expect(two.store.messages).toBeGreaterThan(5);
  });

  test('a password is used, and never shown', async () => {
    const at = await broker();
    const url = at.url.replace('mqtt://', 'mqtt://who:s@c%2Fret@');
    const running = await intakeAt(connection({ url }));
    expect((await running.intake.stats()).brokers[0]!.url).toBe(at.url.replace('mqtt://', 'mqtt://who@'));
  });
});

test('a broker that only speaks MQTT 3.1.1 is spoken to in 3.1.1, whether it says so or hangs up', async () => {
  for (const refusal of [Buffer.from([0x20, 2, 0, 1]), null]) {
    const versions: number[] = [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      socket.once('data', (connect) => {
        versions.push(connect[8]!);
        if (connect[8] === 4) socket.write(Buffer.from([0x20, 2, 0, 0]));
        else if (refusal) socket.end(refusal);
        else socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const running = await runIntake({ brokers: [connection({ url: `mqtt://127.0.0.1:${port}` })] });
    await connected(running);
    expect(versions[0]).toBe(5);
    expect((await running.intake.stats()).brokers[0]).toMatchObject({ protocolVersion: 4 });
    await running.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

test('a broker that is not there is tried again within 5 s, and said', async () => {
  const running = await runIntake({ brokers: [connection({ url: 'mqtt://127.0.0.1:1' })] });
  await until('it was tried three times', async () => (await running.intake.stats()).brokers[0]!.reconnects >= 3);
  expect((await running.intake.stats()).brokers[0]!.lastError).toMatch(/ECONNREFUSED/);
  await running.stop();
});
