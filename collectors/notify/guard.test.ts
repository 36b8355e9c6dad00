import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Target } from '#lib/domain/delivery.ts';
import { notificationOf, rackMoved } from '#lib/domain/fixtures/alerts.ts';
import { bytesOf, rangeOf, reachOf } from './address-ranges.ts';
import { deliverOver } from './deliver.ts';
import { guardOf, type Resolve } from './guard.ts';

/** Hears every connection to any address of this machine at its port. */
let port: number;
let heard = 0;
const canary = createServer((socket) => {
  heard++;
  socket.on('error', () => {});
  socket.destroy();
});
beforeAll(async () => {
  canary.listen(0, '::');
  await once(canary, 'listening');
  ({ port } = canary.address() as AddressInfo);
});
afterAll(() => canary.close());
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  heard = 0;
});

const named: Record<string, string[]> = {
  'one-private-among-public.example': ['93.184.215.14', '127.0.0.1'],
  'private-v6-among-public.example': ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', 'fd00::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'nat64.example': ['64:ff9b::7f00:1'],
  'metadata.google.internal': ['169.254.169.254'],
  'intranet.example': ['10.1.2.3'],
  'router.example': ['192.168.0.1'],
  'carrier.example': ['100.64.9.9'],
  'loopback.example': ['127.0.0.1'],
  'loopback6.example': ['::1'],
  'localhost.': ['127.0.0.1'],
  'ip6-localhost': ['::1'],
};

/** Names of the table, and every other spelling as this machine's own resolver reads it. */
const resolve: Resolve = async (host) => {
  const addresses = named[host.toLowerCase()];
  if (addresses) return addresses.map((address) => ({ address, family: isIP(address) }));
  const { lookup } = await import('node:dns/promises');
  return lookup(host, { all: true });
};

const sendTo = (target: Target, allowPrivate: string[] = [], resolver = resolve) =>
  deliverOver({
    guard: guardOf(allowPrivate, resolver),
    publicUrl: '',
    brokerUrl: () => null,
    nowMs: () => rackMoved.seenMs,
  })(target, notificationOf(rackMoved), AbortSignal.timeout(5_000));

const webhook = (url: string): Target => ({ name: 'x', kind: 'webhook', url, token: null, allowPlaintext: true });
const mqtt = (url: string): Target => ({
  name: 'x',
  kind: 'mqtt',
  broker: null,
  url,
  login: null,
  topic: 'alerts',
  allowPlaintext: true,
});
const email = (url: string): Target => ({
  name: 'x',
  kind: 'email',
  url,
  login: null,
  from: 'a@example.org',
  to: ['b@example.org'],
  allowPlaintext: true,
});

/** Every way we know to write an address that nobody outside may be sent to. */
const loopbackForms = [
  ...['127.0.0.1', '127.0.0.2', '127.255.255.254', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.0.0.1'],
  ...['0x7f.1', '0177.0.0.1', '0177.0.0.01', '017700000001', '00000177.0.0.1', '0x7F.0x0.0x0.0x1', '127.0x1'],
  ...['localhost', 'LOCALHOST', 'localhost.', 'ip6-localhost', 'loopback.example', 'loopback6.example', 'ⓛocalhost'],
  ...['①②⑦.⓪.⓪.①', '127。0。0。1', '%31%32%37.0.0.1', '0', '0.0.0.0', '0x0', '00000', '0.0'],
  ...['[::1]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::]', '[::0.0.0.1]'],
  ...[
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::FFFF:7F00:0001]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[::ffff:0:127.0.0.1]',
  ],
  ...['[::127.0.0.1]', '[64:ff9b::127.0.0.1]', '[64:ff9b::7f00:1]', '[64:ff9b:1::7f00:1]', '[2002:7f00:1::]'],
  ...[
    '[2002:7f00:0001::1]',
    '[2001:0:7f00:1::]',
    '[::ffff:0.0.0.0]',
    '[fe80::7f00:1]',
    'mapped.example',
    'nat64.example',
  ],
];
const privateForms = [
  ...['10.0.0.1', '10.255.255.255', '167772161', '0xa000001', '012.0.0.1', '10.1', '172.16.0.1', '172.31.255.254'],
  ...['2886729729', '192.168.0.1', '192.168.255.255', '3232235521', '0xc0a80001', '0300.0250.0.1', '192.168.257'],
  ...['[::ffff:10.0.0.1]', '[::ffff:a00:1]', '[64:ff9b::10.0.0.1]', '[2002:a00:1::]', '[::ffff:192.168.0.1]'],
  ...['[fc00::1]', '[fd00::1]', '[fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]', '[fec0::1]', 'intranet.example'],
  ...['router.example', 'one-private-among-public.example', 'private-v6-among-public.example'],
];
const otherForms = [
  ...[
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    '169.254.43518',
    '[::ffff:169.254.169.254]',
  ],
  ...[
    '[64:ff9b::169.254.169.254]',
    '[fd00:ec2::254]',
    'metadata.google.internal',
    '169.254.0.1',
    '[fe80::1]',
    '[febf::1]',
  ],
  ...[
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    '100.64.0.1',
    '100.127.255.254',
    '1681915905',
    'carrier.example',
  ],
  ...['224.0.0.1', '239.255.255.250', '255.255.255.255', '4294967295', '240.0.0.1', '[ff02::1]', '[ff0e::1]'],
  ...['192.0.2.1', '198.18.0.1', '198.19.255.254', '198.51.100.7', '203.0.113.7', '192.88.99.1', '0.1.2.3'],
  ...['[2001:db8::1]', '[3fff::1]', '[100::1]', '[2001::1]', '[4000::1]', '[1234::1]'],
];
const ownForms = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter(({ address }) => reachOf(bytesOf(address)) !== 'public')
  .map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address));

const urls = [
  ...[...loopbackForms, ...privateForms, ...otherForms, ...ownForms].map((host) => `http://${host}:PORT/hook`),
  ...['127.0.0.1', '[::1]', '2130706433', '169.254.169.254', '[::ffff:10.0.0.1]'].map(
    (host) => `https://${host}:PORT/`,
  ),
  'http://93.184.215.14@127.0.0.1:PORT/',
  'http://hooks.slack.com:443@127.0.0.1:PORT/',
  'http://127.0.0.1:PORT\\@hooks.slack.com/',
  'http://127.0.0.1:PORT#@hooks.slack.com/',
  'http:127.0.0.1:PORT/hook',
  'http:\\\\127.0.0.1:PORT\\hook',
  'http://127.0.0.1\t:PORT/',
];

describe('no message goes to an address nobody outside may be sent to', () => {
  it('tries enough of them', () => expect(urls.length).toBeGreaterThan(120));

  it.each(urls)('%s', async (url) => {
    await expect(sendTo(webhook(url.replace('PORT', String(port))))).rejects.toThrow(/wanted a public one/);
    expect(heard).toBe(0);
  });

  // these schemes leave the host as it is written: the resolver reads it
  it.each([
    '127.0.0.1',
    '2130706433',
    '0177.0.0.1',
    '0x7f.1',
    '127.1',
    'localhost',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0',
    '10.0.0.1',
    '169.254.169.254',
    'one-private-among-public.example',
  ])('nor by SMTP or MQTT to %s', async (host) => {
    for (const scheme of ['smtp', 'smtps'])
      await expect(sendTo(email(`${scheme}://${host}:${port}`))).rejects.toThrow(/wanted a public one/);
    for (const scheme of ['mqtt', 'mqtts'])
      await expect(sendTo(mqtt(`${scheme}://${host}:${port}`))).rejects.toThrow(/wanted a public one/);
    expect(heard).toBe(0);
  });

  it('and the canary would have heard it', async () => {
    for (const target of [
      webhook(`http://127.0.0.1:${port}/`),
      email(`smtp://127.0.0.1:${port}`),
      mqtt(`mqtt://127.0.0.1:${port}`),
    ])
      await expect(sendTo(target, [`127.0.0.1:${port}`])).rejects.toThrow();
    // MQTT twice: a broker that hangs up may know 3.1.1 only
    expect(heard).toBeGreaterThanOrEqual(3);
  });

  it.each([301, 302, 303, 307, 308])('nor where a %i leads', async (status) => {
    const server = createHttpServer((request, response) => {
      request.resume();
      response.writeHead(status, { location: `http://127.0.0.1:${port}/` }).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(sendTo(webhook(`http://${at}/`), [at])).rejects.toThrow(
      `answered ${status}: redirects are not followed`,
    );
    expect(heard).toBe(0);
  });

  it('nor where a name leads that has another address when it is asked again', async () => {
    const server = createHttpServer((request, response) => {
      request.resume().on('end', () => response.writeHead(204).end());
    });
    // the same port, at another address: where the second answer leads
    const forbidden = createServer((socket) => {
      heard++;
      socket.destroy();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const rebindPort = (server.address() as AddressInfo).port;
    forbidden.listen(rebindPort, '::1');
    await once(forbidden, 'listening');
    cleanups.push(
      () => server.close(),
      () => forbidden.close(),
    );
    let asked = 0;
    const rebinding: Resolve = async () =>
      asked++ === 0 ? [{ address: '127.0.0.1', family: 4 }] : [{ address: '::1', family: 6 }];
    const to = webhook(`http://rebind.example:${rebindPort}/`);
    await sendTo(to, ['127.0.0.1/32'], rebinding);
    expect([asked, heard]).toEqual([1, 0]);
    await expect(sendTo(to, ['127.0.0.1/32'], rebinding)).rejects.toThrow('rebind.example has a loopback address');
    expect([asked, heard]).toEqual([2, 0]);
  });
});

describe('what is allowed beside the public internet', () => {
  const reaches = async (url: string, allowPrivate: string[]): Promise<boolean> => {
    const before = heard;
    await sendTo(webhook(url.replace('PORT', String(port))), allowPrivate).catch(() => {});
    return heard > before;
  };

  it('is a range, an address, or a name with its port as it stands in the target', async () => {
    expect(await reaches('http://127.0.0.1:PORT/', ['127.0.0.0/8'])).toBe(true);
    expect(await reaches('http://127.0.0.1:PORT/', ['127.0.0.1'])).toBe(true);
    expect(await reaches('http://[::1]:PORT/', ['::1/128'])).toBe(true);
    expect(await reaches('http://[::1]:PORT/', [`[::1]:${port}`])).toBe(true);
    expect(await reaches('http://Loopback.example:PORT/', [`loopback.example:${port}`])).toBe(true);
    expect(await reaches('http://[::ffff:127.0.0.1]:PORT/', ['127.0.0.1/32'])).toBe(true);
  });

  it('is nothing beside that', async () => {
    expect(await reaches('http://127.0.0.1:PORT/', ['127.0.0.2/32', '10.0.0.0/8', '::/0'])).toBe(false);
    expect(await reaches('http://127.0.0.1:PORT/', [`127.0.0.1:${port + 1}`])).toBe(false);
    expect(await reaches('http://127.0.0.1:PORT/', [`loopback.example:${port}`])).toBe(false);
    // every address of a name has to be allowed
    expect(await reaches('http://one-private-among-public.example:PORT/', ['10.0.0.0/8'])).toBe(false);
  });

  it('by name opens no way to link-local, metadata or multicast addresses', async () => {
    for (const address of ['169.254.169.254', '169.254.7.7', '224.0.0.1', '0.0.0.0'])
      await expect(
        sendTo(webhook('http://sly.example:80/'), ['sly.example:80'], async () => [{ address, family: 4 }]),
      ).rejects.toThrow(/sly.example has a (metadata|link-local|multicast|unspecified) address/);
  });
});

describe('an address', () => {
  it.each([
    ['8.8.8.8', 'public'],
    ['9.255.255.255', 'public'],
    ['11.0.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.0', 'public'],
    ['126.255.255.255', 'public'],
    ['128.0.0.0', 'public'],
    ['169.253.255.255', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['192.167.255.255', 'public'],
    ['223.255.255.255', 'public'],
    ['2606:4700:4700::1111', 'public'],
    ['2a00:1450:4001::1', 'public'],
    ['2400::1', 'public'],
    // what a network without IPv4 makes of a public address
    ['64:ff9b::8.8.8.8', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['fe80::1%lo', 'link-local'],
    ['fd00:ec2::254', 'metadata'],
    ['::', 'unspecified'],
    ['2002:808:808::', 'reserved'],
  ])('%s is %s', (address, reach) => {
    expect(reachOf(bytesOf(address))).toBe(reach);
  });

  it('is in a range, also where that is written for IPv6 and means IPv4', () => {
    expect(rangeOf('::ffff:10.0.0.0/104')).toEqual(rangeOf('10.0.0.0/8'));
    expect(rangeOf('::ffff:0:0/90')).toBeNull();
    expect(rangeOf('10.0.0.0/8/8')).toBeNull();
    expect(rangeOf('alertmanager:9093')).toBeNull();
  });
});
