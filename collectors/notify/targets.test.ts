import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Aedes } from 'aedes';
import { connectAsync, type IPublishPacket } from 'mqtt';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Notification } from '#lib/domain/alert.ts';
import type { Login, Target } from '#lib/domain/delivery.ts';
import { notificationOf, rackBack, rackMoved } from '#lib/domain/fixtures/alerts.ts';
import { Mosquitto } from '../mqtt/fixtures/mosquitto.ts';
import { deliverOver } from './deliver.ts';
import { certificateOf } from './fixtures/certificate.ts';
import { mailServer } from './fixtures/mail-server.ts';
import { targetServer } from './fixtures/target-server.ts';
import { guardOf, type Resolve } from './guard.ts';
import { type NotSent, notSent } from './outcome.ts';

const name = 'target.example';
const trusted = certificateOf(name);
const strange = certificateOf(name);
// this file runs in a process of its own
beforeAll(() => setDefaultCACertificates([...getCACertificates('default'), trusted.cert]));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Every name is this machine, as far as the test goes. */
const here: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];

/** null: it was taken. */
async function send(
  target: Target,
  notification: Notification = notificationOf(rackMoved),
  { brokers = {} as Record<string, string>, deadlineMs = 5_000 } = {},
): Promise<NotSent | null> {
  const guard = guardOf(['127.0.0.1/32'], here);
  const brokerUrl = (broker: string) => brokers[broker] ?? null;
  const deliver = deliverOver({ guard, publicUrl: 'https://hop.example.org', brokerUrl, nowMs: Date.now });
  try {
    await deliver(target, notification, AbortSignal.timeout(deadlineMs));
    return null;
  } catch (error) {
    const why = notSent(error, deadlineMs);
    expect(why.message).not.toContain('SECRET');
    return why;
  }
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

describe('a webhook over TLS', () => {
  const webhook = (host: string, at: string, more: Partial<Extract<Target, { kind: 'webhook' }>> = {}): Target => ({
    name: 'hook',
    kind: 'webhook',
    url: `https://${host}:${at.split(':')[1]}/x`,
    token: null,
    allowPlaintext: false,
    ...more,
  });
  const serve = async (certificate: typeof trusted) => {
    const server = await targetServer(undefined, certificate);
    cleanups.push(() => server.close());
    return server;
  };

  it('is checked against the name in the target, though the address was looked up before', async () => {
    const server = await serve(trusted);
    expect(await send(webhook(name, server.at, { token: 't0ken' }))).toBeNull();
    expect(server.received[0]!.headers).toMatchObject({
      host: `${name}:${server.at.split(':')[1]}`,
      authorization: 'Bearer t0ken',
      'idempotency-key': '01jrackmoved:firing',
    });
  });

  it('goes to nobody who cannot show who he is', async () => {
    const [known, unknown] = [await serve(trusted), await serve(strange)];
    expect((await send(webhook('other.example', known.at)))?.message).toBe('its certificate is for another name');
    expect((await send(webhook(name, unknown.at)))?.message).toBe(
      'its certificate is not from an authority this machine knows',
    );
    expect([...known.received, ...unknown.received]).toEqual([]);
  });

  it('takes user and password out of the URL, and sends none of them in the request line', async () => {
    const server = await serve(trusted);
    const url = `https://me:p%40ss@${name}:${server.at.split(':')[1]}/x`;
    expect(await send(webhook(name, server.at, { url }))).toBeNull();
    const [{ path, headers }] = server.received as [(typeof server.received)[0]];
    expect([path, headers.authorization]).toEqual(['/x', `Basic ${btoa('me:p@ss')}`]);
  });
});

describe('e-mail', () => {
  const ada: Login = { user: 'ada', password: 'open sesame' };
  const mailTo = (url: string, more: Partial<Extract<Target, { kind: 'email' }>> = {}): Target => ({
    name: 'mail',
    kind: 'email',
    url,
    login: null,
    from: 'Hopscope <hopscope@example.org>',
    to: ['on-call@example.org', 'Ada <ada@example.org>'],
    allowPlaintext: false,
    ...more,
  });
  const serve = async (options: Parameters<typeof mailServer>[0]) => {
    const server = await mailServer({ ...trusted, ...options });
    cleanups.push(() => server.close());
    return server;
  };

  it('goes over to TLS, logs in then, and brings text, HTML and an id of its own', async () => {
    const server = await serve({});
    const firing = notificationOf(rackMoved);
    expect(await send(mailTo(`smtp://${name}:${server.port}`, { login: ada }), firing)).toBeNull();
    expect(await send(mailTo(`smtp://${name}:${server.port}`, { login: ada }), notificationOf(rackBack))).toBeNull();
    const [first, second] = server.received;
    expect(first).toMatchObject({
      user: 'ada',
      secure: true,
      from: 'hopscope@example.org',
      to: ['on-call@example.org', 'ada@example.org'],
    });
    expect(first!.message).toContain('Subject: [critical] Button press takes 105 ms. Budget is 10 ms.\r\n');
    expect(first!.message).toContain('Message-ID: <01jrackmoved=3afiring@hopscope>\r\n');
    expect(first!.message).toContain('Auto-Submitted: auto-generated\r\n');
    expect(first!.message).toMatch(/text\/plain.*text\/html/s);
    expect(second!.message).toContain('References: <01jrackmoved@hopscope>\r\n');
  });

  it('speaks TLS from the first byte where the URL says so', async () => {
    const server = await serve({ secure: true });
    expect(await send(mailTo(`smtps://${name}:${server.port}`, { login: ada }))).toBeNull();
    expect(server.received).toMatchObject([{ user: 'ada', secure: true }]);
    expect((await send(mailTo(`smtps://other.example:${server.port}`)))?.message).toBe(
      'its certificate is for another name',
    );
  });

  it('goes in the clear only where the target allows it', async () => {
    const server = await serve({ disabledCommands: ['STARTTLS'] });
    const url = `smtp://${name}:${server.port}`;
    expect((await send(mailTo(url)))?.message).toBe('its mail server offers no TLS that can be trusted');
    expect(server.received).toEqual([]);
    expect(await send(mailTo(url, { allowPlaintext: true }))).toBeNull();
    expect(server.received).toMatchObject([{ secure: false }]);
  });

  it('is not given to a mail server with the certificate of a stranger, or for another name', async () => {
    const known = await serve({});
    expect((await send(mailTo(`smtp://other.example:${known.port}`)))?.message).toBe(
      'its certificate is for another name',
    );
    const server = await serve(strange);
    expect((await send(mailTo(`smtp://${name}:${server.port}`)))?.message).toBe(
      'its certificate is not from an authority this machine knows',
    );
    expect([...known.received, ...server.received]).toEqual([]);
  });

  it('that was refused says by which code, in our words, and whether it will ever be taken', async () => {
    const answering = async (responseCode: number) => {
      const server = await serve({
        onRcptTo: (_address, _session, done) =>
          done(Object.assign(new Error('SECRET of the server'), { responseCode })),
      });
      return send(mailTo(`smtp://${name}:${server.port}`));
    };
    expect(await answering(550)).toMatchObject({ message: 'answered 550', isFinal: true });
    expect(await answering(451)).toMatchObject({ message: 'answered 451', isFinal: false });
    const server = await serve({});
    const wrong = await send(mailTo(`smtp://${name}:${server.port}`, { login: { user: 'ada', password: 'SECRET' } }));
    expect(wrong).toMatchObject({ message: 'answered 535: the login was refused', isFinal: false });
  });

  it('to a mail server that says nothing ends at the deadline', async () => {
    const port = await portOf(createServer(() => {}));
    const why = await send(mailTo(`smtp://${name}:${port}`), undefined, { deadlineMs: 300 });
    expect(why?.isFinal).toBe(false);
  });
});

describe('MQTT', () => {
  const bus = (where: { broker: string } | { url: string; login?: Login }): Target => {
    const rest = { name: 'bus', kind: 'mqtt', topic: 'factory/alerts', allowPlaintext: true } as const;
    return 'broker' in where
      ? { ...rest, broker: where.broker }
      : { ...rest, broker: null, url: where.url, login: where.login ?? null };
  };
  const brokerOf = async (options: Parameters<typeof Aedes.createBroker>[0] = {}) => {
    const aedes = await Aedes.createBroker(options);
    cleanups.push(() => new Promise<void>((done) => aedes.close(() => done())));
    return portOf(createServer(aedes.handle));
  };
  const listenerAt = async (url: string) => {
    const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
    cleanups.push(() => client.endAsync(true));
    const packets: IPublishPacket[] = [];
    client.on('message', (_topic, _payload, packet) => packets.push(packet));
    await client.subscribeAsync('factory/#', { qos: 1 });
    return packets;
  };

  it('publishes the alert as JSON at QoS 1, its key beside it, to a URL or to a broker by its name', async () => {
    const url = `mqtt://127.0.0.1:${await brokerOf()}`;
    const packets = await listenerAt(url);
    expect(await send(bus({ url: url.replace('127.0.0.1', name) }))).toBeNull();
    expect(await send(bus({ broker: 'dublin' }), notificationOf(rackBack), { brokers: { dublin: url } })).toBeNull();
    await expect.poll(() => packets.length).toBe(2);
    const bodies = packets.map(({ payload }) => JSON.parse(String(payload)) as { key: string; status: string });
    expect(bodies.map(({ key, status }) => [key, status])).toEqual([
      ['01jrackmoved:firing', 'firing'],
      ['01jrackmoved:resolved', 'resolved'],
    ]);
    expect(packets[0]).toMatchObject({
      topic: 'factory/alerts',
      qos: 1,
      properties: { contentType: 'application/json', userProperties: { 'idempotency-key': '01jrackmoved:firing' } },
    });
  });

  it('logs in', async () => {
    const port = await brokerOf({
      authenticate: (_client, user, password, done) => done(null, user === 'ada' && String(password) === 'open sesame'),
    });
    const url = `mqtt://${name}:${port}`;
    expect(await send(bus({ url, login: { user: 'ada', password: 'open sesame' } }))).toBeNull();
    expect(
      await send(bus({ broker: 'dublin' }), undefined, {
        brokers: { dublin: `mqtt://ada:open%20sesame@127.0.0.1:${port}` },
      }),
    ).toBeNull();
    expect((await send(bus({ url, login: { user: 'ada', password: 'SECRET' } })))?.message).toMatch(
      /^the broker answered with reason code \d+$/,
    );
  });

  it('is not sent where the broker lets nobody have it', async () => {
    const mosquitto = await Mosquitto.start();
    cleanups.push(() => mosquitto.stop());
    expect(await send(bus({ url: mosquitto.url }))).toBeNull();
    const list = `${mosquitto.dir}/acl`;
    writeFileSync(list, 'topic read #\n');
    const strict = await Mosquitto.start(`acl_file ${list}`);
    cleanups.push(() => strict.stop());
    expect((await send(bus({ url: strict.url })))?.message).toBe('the broker answered with reason code 135');
  });

  it('is published in 3.1.1 where a broker knows no other, whether it says so or hangs up', async () => {
    for (const answer of [Buffer.from([0x20, 2, 0, 1]), null]) {
      const aedes = await Aedes.createBroker();
      cleanups.push(() => new Promise<void>((done) => aedes.close(() => done())));
      const topics: string[] = [];
      aedes.on('publish', ({ topic }) => topics.push(topic));
      const port = await portOf(
        createServer((socket) => {
          socket.on('error', () => {});
          socket.once('data', (connect: Buffer) => {
            // the protocol level stands behind the name [MQTT-3.1.2-2]
            if (connect[connect.indexOf('MQTT') + 4] === 5) return answer ? socket.end(answer) : socket.destroy();
            socket.unshift(connect);
            aedes.handle(socket);
          });
        }),
      );
      expect(await send(bus({ url: `mqtt://${name}:${port}` }))).toBeNull();
      expect(topics).toContain('factory/alerts');
    }
  });

  it('to a broker that is not there, hangs up or says nothing is a failure in our words', async () => {
    expect((await send(bus({ broker: 'gone' })))?.message).toBe('there is no broker gone');
    const hangsUp = await portOf(createServer((socket) => socket.destroy()));
    expect((await send(bus({ url: `mqtt://${name}:${hangsUp}` })))?.message).toMatch(
      /^the broker hung up$|^the connection was cut off$/,
    );
    const silent = await portOf(createServer(() => {}));
    const why = await send(bus({ url: `mqtt://${name}:${silent}` }), undefined, { deadlineMs: 300 });
    expect(why).toMatchObject({ isFinal: false });
  });
});
