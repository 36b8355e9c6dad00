import { isIP } from 'node:net';

/** What an address is for, as far as it matters to whoever must not be sent there. */
export type Reach =
  | 'public'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'link-local'
  | 'metadata'
  | 'unspecified'
  | 'multicast'
  | 'reserved';

export interface Range {
  bytes: Uint8Array;
  bits: number;
}

/** `10.0.0.0/8`, `fd00::/8`, or one address; null for anything else. */
export function rangeOf(text: string): Range | null {
  const [address, prefix, ...rest] = text.split('/') as [string, string | undefined, ...string[]];
  if (isIP(address) === 0 || rest.length > 0) return null;
  const bytes = bytesOf(address);
  const hidden = isIP(address) === 6 && bytes.length === 4 ? 96 : 0;
  const bits = prefix === undefined ? bytes.length * 8 : Number(prefix) - hidden;
  return bits >= 0 && bits <= bytes.length * 8 ? { bytes, bits } : null;
}

/** 4 or 16 bytes of an address that `isIP` knows; an IPv4 address in IPv6 dress (mapped, NAT64) is the IPv4 address it leads to. */
export function bytesOf(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number));
  // the URL parser writes the dotted tail in hex; a zone names the interface, not the address
  const [head, tail] = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1).split('::') as [
    string,
    string | undefined,
  ];
  const words = (part: string | undefined): number[] => (part ? part.split(':').map((word) => parseInt(word, 16)) : []);
  const before = words(head);
  const after = words(tail);
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
  const bytes = Uint8Array.from(all.flatMap((word) => [word >> 8, word & 255]));
  return leadsToIpv4.some((range) => isWithin(bytes, range)) ? bytes.slice(12) : bytes;
}

export function isWithin(bytes: Uint8Array, range: Range): boolean {
  if (bytes.length !== range.bytes.length) return false;
  for (let bit = 0; bit < range.bits; bit++) {
    const mask = 128 >> (bit & 7);
    if ((bytes[bit >> 3]! & mask) !== (range.bytes[bit >> 3]! & mask)) return false;
  }
  return true;
}

export function reachOf(bytes: Uint8Array): Reach {
  const found = (bytes.length === 4 ? specialIpv4 : specialIpv6).find(([range]) => isWithin(bytes, range));
  return found?.[1] ?? (bytes.length === 4 ? 'public' : 'reserved');
}

const raw = (words: number[], bits: number): Range => ({
  bytes: Uint8Array.from(words.flatMap((word) => [word >> 8, word & 255])),
  bits,
});
/** ::ffff:0:0/96 and 64:ff9b::/96 [RFC 4291 2.5.5.2, RFC 6052] */
const leadsToIpv4: Range[] = [raw([0, 0, 0, 0, 0, 0xffff, 0, 0], 96), raw([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96)];

const table = (...rows: [string, Reach][]): [Range, Reach][] => rows.map(([text, reach]) => [rangeOf(text)!, reach]);

/** The IANA special-purpose registry [RFC 6890], and what clouds answer about themselves at. First match wins. */
const specialIpv4 = table(
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.100.100.200', 'metadata'],
  ['100.64.0.0/10', 'shared'],
  ['127.0.0.0/8', 'loopback'],
  ['168.63.129.16', 'metadata'],
  ['169.254.169.254', 'metadata'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.192', 'metadata'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'reserved'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'reserved'],
  ['198.51.100.0/24', 'reserved'],
  ['203.0.113.0/24', 'reserved'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
);

/** Of IPv6 only 2000::/3 is public, without Teredo, 6to4 and what is for documents: all else is reserved. */
const specialIpv6 = table(
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['fd00:ec2::254', 'metadata'],
  ['fd20:ce::254', 'metadata'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'reserved'],
  ['2002::/16', 'reserved'],
  ['3fff::/20', 'reserved'],
  ['2000::/3', 'public'],
);
