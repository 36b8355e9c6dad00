/**
 * The last keys seen, bounded: at least `capacity` of them, at most half as many again (2 M: 34 MB). Used by every engine to drop
 * what comes twice. A key is known by a 64-bit fingerprint, so among 2 M keys one new key in 10^13 is taken for an old one.
 *
 * Three generations of half the capacity each, open addressing over one typed array per generation: when the youngest is full the
 * oldest is emptied and becomes the youngest. Nothing is ever deleted singly, but for `rollback`.
 */
export class RecentKeys {
  readonly #perGeneration: number;
  readonly #slots: number;
  /** two words a slot; 0,0 is an empty slot */
  readonly #tables: Uint32Array[];
  readonly #counts: number[] = [0, 0, 0];
  #young = 0;
  /** slots filled since `begin`, newest last: taken back in that order, probing finds everything else as before */
  #added: number[] = [];
  #addedTo: Uint32Array[] = [];
  #journal = false;

  constructor(capacity = 2_000_000) {
    this.#perGeneration = Math.ceil(capacity / 2);
    this.#slots = Math.ceil(this.#perGeneration * 1.4) + 1;
    this.#tables = [0, 1, 2].map(() => new Uint32Array(this.#slots * 2));
  }

  get size(): number {
    return this.#counts[0]! + this.#counts[1]! + this.#counts[2]!;
  }

  /** What is added from now on can be taken back. */
  begin(): void {
    this.commit();
    this.#journal = true;
  }

  commit(): void {
    this.#added = [];
    this.#addedTo = [];
    this.#journal = false;
  }

  rollback(): void {
    for (let i = this.#added.length - 1; i >= 0; i--) {
      const table = this.#addedTo[i]!;
      const slot = this.#added[i]!;
      if (table[slot] === 0 && table[slot + 1] === 0) continue; // its generation has been emptied since
      table[slot] = 0;
      table[slot + 1] = 0;
      this.#counts[this.#tables.indexOf(table)]!--;
    }
    this.commit();
  }

  clear(): void {
    for (const table of this.#tables) table.fill(0);
    this.#counts.fill(0);
    this.commit();
  }

  /** True when the key is new; then it is remembered. Words of any origin: they are mixed here. */
  add(a: number, b: number, c: number, d: number, e: number, f: number): boolean {
    let lo = mix(mix(mix(0x9747b28c, a), c), e);
    let hi = mix(mix(mix(0x3c6ef372, b), d), f);
    lo = finish(lo ^ Math.imul(hi, 0x85ebca6b));
    hi = finish(hi ^ Math.imul(lo, 0xc2b2ae35));
    if (lo === 0 && hi === 0) lo = 1;
    return this.#addFingerprint(lo, hi);
  }

  #addFingerprint(lo: number, hi: number): boolean {
    const home = Math.floor((lo / 4294967296) * this.#slots);
    for (let g = 1; g < 3; g++) {
      const generation = (this.#young + g) % 3;
      if (this.#counts[generation]! > 0 && this.#find(this.#tables[generation]!, home, lo, hi) < 0) return false;
    }
    let table = this.#tables[this.#young]!;
    let slot = this.#find(table, home, lo, hi);
    if (slot < 0) return false;
    if (this.#counts[this.#young]! >= this.#perGeneration) {
      this.#young = (this.#young + 2) % 3; // the oldest: ages run young, young+1, young+2
      table = this.#tables[this.#young]!;
      table.fill(0);
      this.#counts[this.#young] = 0;
      slot = this.#find(table, home, lo, hi);
    }
    table[slot] = lo;
    table[slot + 1] = hi;
    this.#counts[this.#young]!++;
    if (this.#journal) {
      this.#added.push(slot);
      this.#addedTo.push(table);
    }
    return true;
  }

  /** -1 when it is there, else the free slot (as an index of words) where it belongs. */
  #find(table: Uint32Array, home: number, lo: number, hi: number): number {
    const end = this.#slots * 2;
    for (let at = home * 2; ; ) {
      const foundLo = table[at]!;
      const foundHi = table[at + 1]!;
      if (foundLo === 0 && foundHi === 0) return at;
      if (foundLo === lo && foundHi === hi) return -1;
      at += 2;
      if (at === end) at = 0;
    }
  }
}

const mix = (hash: number, word: number): number => {
  const k = Math.imul(word, 0xcc9e2d51);
  const h = hash ^ Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
};

const finish = (hash: number): number => {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** A word for a text, to make keys of. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return finish(hash);
}
