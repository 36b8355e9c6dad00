/**
 * Remembers runs of bytes: the same bytes give the same entry number again, without making a string of them.
 * Bounded, because names come from strangers: when it is full, or too many names fall on one place
 * (hashes can be forged), the answer is -1 and the caller does it the slow way. Never forgets before `clear`.
 */
export class ByteTable {
  /** something was turned away since the last clear */
  overflowed = false;
  private count = 0;
  private arenaUsed = 0;
  private readonly maxEntries: number;
  private readonly maxArenaBytes: number;
  private readonly mask: number;
  private readonly places: Int32Array;
  private hashes = new Int32Array(256);
  private starts = new Int32Array(256);
  private lengths = new Int32Array(256);
  private arena = new Uint8Array(16_384);
  private arenaView = new DataView(this.arena.buffer);

  constructor(maxEntries: number, maxArenaBytes: number) {
    this.maxEntries = maxEntries;
    this.maxArenaBytes = maxArenaBytes;
    let size = 16;
    while (size < maxEntries * 2) size *= 2;
    this.mask = size - 1;
    this.places = new Int32Array(size);
  }

  get size(): number {
    return this.count;
  }

  entryOf(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    const hash = hashOf(bytes, view, start, end);
    const length = end - start;
    let place = hash & this.mask;
    for (let probe = 0; probe < maxProbes; probe++) {
      const entry = this.places[place]! - 1;
      if (entry < 0) return this.add(place, hash, bytes, start, end);
      if (this.hashes[entry] === hash && this.lengths[entry] === length && this.isSame(entry, bytes, view, start, end))
        return entry;
      place = (place + 1) & this.mask;
    }
    this.overflowed = true;
    return -1;
  }

  clear(): void {
    this.places.fill(0);
    this.count = 0;
    this.arenaUsed = 0;
    this.overflowed = false;
  }

  private isSame(entry: number, bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    let at = this.starts[entry]!;
    let pos = start;
    for (; pos + 4 <= end; pos += 4, at += 4)
      if (this.arenaView.getInt32(at, true) !== view.getInt32(pos, true)) return false;
    for (; pos < end; pos++, at++) if (this.arena[at] !== bytes[pos]) return false;
    return true;
  }

  private add(place: number, hash: number, bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (this.count >= this.maxEntries || this.arenaUsed + length > this.maxArenaBytes) {
      this.overflowed = true;
      return -1;
    }
    if (this.count === this.hashes.length) {
      this.hashes = grown(this.hashes);
      this.starts = grown(this.starts);
      this.lengths = grown(this.lengths);
    }
    if (this.arenaUsed + length > this.arena.length) {
      const arena = new Uint8Array(Math.max(this.arena.length * 2, this.arenaUsed + length));
      arena.set(this.arena.subarray(0, this.arenaUsed));
      this.arena = arena;
      this.arenaView = new DataView(arena.buffer);
    }
    this.arena.set(bytes.subarray(start, end), this.arenaUsed);
    const entry = this.count++;
    this.hashes[entry] = hash;
    this.starts[entry] = this.arenaUsed;
    this.lengths[entry] = length;
    this.arenaUsed += length;
    this.places[place] = entry + 1;
    return entry;
  }
}

const maxProbes = 16;

const grown = (old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
  const next = new Int32Array(old.length * 2);
  next.set(old);
  return next;
};

function hashOf(bytes: Uint8Array, view: DataView, start: number, end: number): number {
  let hash = end - start;
  let pos = start;
  for (; pos + 4 <= end; pos += 4) {
    hash = Math.imul(hash ^ view.getInt32(pos, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; pos < end; pos++) hash = Math.imul(hash ^ bytes[pos]!, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
