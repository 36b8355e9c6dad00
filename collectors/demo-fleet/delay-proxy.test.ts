import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type DelayProxy, startDelayProxy } from './delay-proxy.ts';
import { seededRandom } from './random.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function echoServer(): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => server.close());
  return server;
}

async function proxyTo(server: Server, oneWayMs: number): Promise<DelayProxy> {
  const { port } = server.address() as AddressInfo;
  const random = seededRandom(1, 'proxy');
  const proxy = await startDelayProxy({ targetHost: '127.0.0.1', targetPort: port, oneWayMs, random });
  cleanUps.push(() => proxy.close());
  return proxy;
}

function dial(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  cleanUps.push(() => socket.destroy());
  return socket;
}

function received(socket: Socket, bytes: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length >= bytes) resolve(all);
    });
  });
}

test('there and back takes at least twice the one-way delay', async () => {
  const proxy = await proxyTo(await echoServer(), 30);
  const socket = dial(proxy.port);
  const startedMs = performance.now();
  socket.write('ping');
  expect((await received(socket, 4)).toString()).toBe('ping');
  expect(performance.now() - startedMs).toBeGreaterThan(58);
});

test('bytes keep their order although each has its own jitter', async () => {
  const proxy = await proxyTo(await echoServer(), 5);
  const socket = dial(proxy.port);
  const sent = Array.from({ length: 200 }, (_, i) => `${i},`).join('');
  for (let i = 0; i < 200; i++) {
    socket.write(`${i},`);
    if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await received(socket, sent.length)).toString()).toBe(sent);
});

test('a torn connection is torn on the far side too', async () => {
  const server = await echoServer();
  const farClosed = new Promise<void>((resolve) => {
    server.once('connection', (far) => far.once('close', () => resolve()));
  });
  const proxy = await proxyTo(server, 5);
  const socket = dial(proxy.port);
  socket.write('x');
  await received(socket, 1);
  socket.destroy();
  await farClosed;
});

test('a target that is not there closes the connection instead of hanging', async () => {
  const server = await echoServer();
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const random = seededRandom(1, 'proxy');
  const proxy = await startDelayProxy({ targetHost: '127.0.0.1', targetPort: port, oneWayMs: 2, random });
  cleanUps.push(() => proxy.close());
  const socket = dial(proxy.port);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
});

test('a new delay holds from the next byte on', async () => {
  const proxy = await proxyTo(await echoServer(), 1);
  const socket = dial(proxy.port);
  socket.write('a');
  await received(socket, 1);
  proxy.setOneWayMs(25);
  const startedMs = performance.now();
  socket.write('b');
  await received(socket, 1);
  expect(performance.now() - startedMs).toBeGreaterThan(48);
});
