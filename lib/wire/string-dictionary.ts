import { ByteTable } from './byte-table.ts';
import { textOf } from './utf8.ts';

/**
 * The dictionary of the batch at hand: bytes -> index into its strings, numbered by first use, index 0 is ''.
 * Texts are remembered across batches, so a name that comes again costs a hash and a comparison, not a string.
 */
export class StringDictionary {
  strings: string[] = [''];
  private readonly table = new ByteTable(32_768, 4 * 1024 * 1024);
  private readonly texts: string[] = [];
  private batches = new Int32Array(256);
  private indexes = new Int32Array(256);
  private batch = 1;
  /** names the table would not take: too many, too long, or no UTF-8 */
  private loose = new Map<string, number>();
  /** entry behind each string, -1 for loose ones: what a rollback needs */
  private entries: number[] = [-1];

  indexOf(bytes: Uint8Array, view: DataView, start: number, end: number): number {
    if (end <= start) return 0;
    const entry = end - start <= longestCached ? this.table.entryOf(bytes, view, start, end) : -1;
    if (entry < 0) return this.looseIndex(textOf(bytes, start, end));
    if (entry === this.texts.length) this.remember(textOf(bytes, start, end));
    else if (this.batches[entry] === this.batch) return this.indexes[entry]!;
    const text = this.texts[entry]!;
    // different bytes that are no UTF-8 may read alike; only the text tells
    if (text.includes('\ufffd')) return this.looseIndex(text);
    this.batches[entry] = this.batch;
    this.indexes[entry] = this.strings.length;
    this.entries.push(entry);
    return this.strings.push(text) - 1;
  }

  /** Forgets the strings from this length on: a request that turned out malformed. */
  rollback(length: number): void {
    for (let i = length; i < this.strings.length; i++) {
      const entry = this.entries[i]!;
      if (entry >= 0) this.batches[entry] = 0;
      else this.loose.delete(this.strings[i]!);
    }
    this.strings.length = length;
    this.entries.length = length;
  }

  take(): string[] {
    const strings = this.strings;
    this.strings = [''];
    this.entries = [-1];
    this.loose = new Map();
    this.batch++;
    if (this.table.overflowed) {
      this.table.clear();
      this.texts.length = 0;
      this.batches.fill(0);
    }
    return strings;
  }

  private remember(text: string): void {
    if (this.texts.length === this.batches.length) {
      this.batches = grown(this.batches);
      this.indexes = grown(this.indexes);
    }
    this.texts.push(text);
  }

  private looseIndex(text: string): number {
    const known = this.loose.get(text);
    if (known !== undefined) return known;
    const index = this.strings.push(text) - 1;
    this.entries.push(-1);
    this.loose.set(text, index);
    return index;
  }
}

const longestCached = 512;

function grown(old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const next = new Int32Array(old.length * 2);
  next.set(old);
  return next;
}
