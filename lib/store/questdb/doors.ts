import { type RequestOptions, request } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { networkInterfaces } from 'node:os';
import pg from 'pg';
import { hasDefaultLogin, inUrl, type QuestDbAddress } from './address.ts';
import { trustOf } from './tls.ts';

const patienceMs = 1_000;
const ownAddressesAtMost = 4;

/** Who else gets in: a server that others can reach and that still has the login it came with, or asks for none. */
export async function openDoors(address: QuestDbAddress): Promise<string[]> {
  const places = address.hosts.flatMap(({ host, httpPort, pgPort }) =>
    // Whether a server on loopback listens on more than that is seen from our own addresses
    (isLoopback(host) ? ownAddresses() : [host]).map((at) => ({ at, httpPort, pgPort })),
  );
  const found = await Promise.all(
    places.map(async ({ at, httpPort, pgPort }) => [
      hasDefaultLogin(address) && (await letsUsIn(address, at, pgPort))
        ? `QuestDB can be reached at ${inUrl(at)}:${pgPort} and has the name and password that each comes with: set pg.user and pg.password there and in our setting store, or let it listen on 127.0.0.1 alone`
        : null,
      (await letsAnybodyIn(address, at, httpPort))
        ? `QuestDB can be reached at ${inUrl(at)}:${httpPort} and lets anybody in over HTTP, to read and to change: set http.user and http.password there, to the same as pg.user and pg.password, or let it listen on 127.0.0.1 alone`
        : null,
    ]),
  );
  return found.flat().filter((sentence) => sentence !== null);
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .map(({ address }) => address)
    .slice(0, ownAddressesAtMost);

async function letsUsIn({ user, password, tls }: QuestDbAddress, host: string, port: number): Promise<boolean> {
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database: 'qdb',
    connectionTimeoutMillis: patienceMs,
    ssl: trustOf(tls) ?? false,
    ...(tls?.pgTls === 'direct' && { sslnegotiation: 'direct' }),
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

function letsAnybodyIn({ tls }: QuestDbAddress, host: string, port: number): Promise<boolean> {
  const question: RequestOptions = {
    host,
    port,
    path: '/exec?query=select%201',
    agent: false,
    signal: AbortSignal.timeout(patienceMs),
    ...trustOf(tls),
  };
  return new Promise((resolve) => {
    const call = (tls ? tlsRequest : request)(question, (answer) => {
      answer.resume();
      answer.on('error', () => {});
      resolve(answer.statusCode === 200);
    });
    call.on('error', () => resolve(false));
    call.end();
  });
}
