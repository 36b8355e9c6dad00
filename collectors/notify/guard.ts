import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction, connect as netConnect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { bytesOf, isWithin, type Range, type Reach, rangeOf, reachOf } from './address-ranges.ts';
import { beforeAbort } from './before-abort.ts';
import { NotSent } from './outcome.ts';

/** Where a message goes: the name as it stands in the target. */
export interface Place {
  host: string;
  port: number;
  /** hand over the connection with TLS, the certificate checked against the name */
  tls: boolean;
}

const portOf: Record<string, number> = {
  'https:': 443,
  'http:': 80,
  'smtps:': 465,
  'smtp:': 587,
  'mqtts:': 8883,
  'mqtt:': 1883,
};

export function placeOf({ protocol, hostname, port }: URL): Place {
  const host = hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(port || portOf[protocol]), tls: protocol.endsWith('s:') };
}

/** The only place of delivery that opens a connection: it goes to an address that was looked at, and to no other. */
export interface Guard {
  connect(place: Place, signal: AbortSignal): Promise<Socket>;
}

export type Resolve = (host: string) => Promise<LookupAddress[]>;

/** What `host:port` among the allowed opens; link-local, metadata and the rest only an address range does. */
const opensByName: readonly Reach[] = ['loopback', 'private', 'shared'];

export function guardOf(allowPrivate: readonly string[], resolve: Resolve = sharedLookups()): Guard {
  const ranges = allowPrivate.map(rangeOf).filter((range) => range !== null);
  const places = new Set(allowPrivate.map((text) => text.toLowerCase()));

  const refusal = ({ host, port }: Place, address: string): Reach | null => {
    const bytes = bytesOf(address);
    const reach = reachOf(bytes);
    if (reach === 'public' || ranges.some((range: Range) => isWithin(bytes, range))) return null;
    const named = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`.toLowerCase();
    return opensByName.includes(reach) && places.has(named) ? null : reach;
  };

  return {
    async connect(place, signal) {
      const addresses = await beforeAbort(resolve(place.host), signal);
      // every one of them: which is taken is not ours to say
      for (const { address } of addresses) {
        const reach = refusal(place, address);
        if (reach !== null)
          throw new NotSent(
            `${place.host} has a ${reach} address, wanted a public one or an entry for it under delivery.allowPrivate`,
          );
      }
      if (addresses.length === 0) throw new NotSent(`${place.host} has no address`);
      const pinned: LookupFunction = (_host, { all }, done) =>
        all ? done(null, addresses) : done(null, addresses[0]!.address, addresses[0]!.family);
      const socket = netConnect({
        host: place.host,
        port: place.port,
        autoSelectFamily: true,
        // resolved once: the answer that was looked at is the one that is used
        lookup: pinned,
      });
      const servername = isIP(place.host) === 0 ? { servername: place.host } : {};
      return opened(
        place.tls ? tlsConnect({ socket, host: place.host, ...servername }) : socket,
        place,
        socket,
        signal,
      );
    },
  };
}

/** One question about a name at a time: getaddrinfo has two threads for the whole program, a dead name must not take both. */
function sharedLookups(): Resolve {
  const running = new Map<string, Promise<LookupAddress[]>>();
  return (host) => {
    const before = running.get(host);
    if (before) return before;
    const asked = lookup(host, { all: true }).finally(() => running.delete(host));
    running.set(host, asked);
    return asked;
  };
}

function opened(wanted: Socket, place: Place, beneath: Socket, signal: AbortSignal): Promise<Socket> {
  return new Promise((done, failed) => {
    const end = (error: unknown): void => {
      beneath.destroy();
      wanted.destroy();
      failed(error);
    };
    if (signal.aborted) return end(signal.reason);
    signal.addEventListener('abort', () => end(signal.reason), { once: true });
    for (const socket of new Set([wanted, beneath])) socket.on('error', end);
    wanted.once(place.tls ? 'secureConnect' : 'connect', () => done(wanted));
  });
}
