import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * What the product acknowledged, as its senders saw it: written and fsynced by the sender, in a file the product knows nothing of.
 * One line an item.
 */
export class Ledger {
  readonly #file: string;
  readonly #fd: number;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  count = 0;

  constructor(file: string) {
    this.#file = file;
    this.#fd = openSync(file, 'a');
  }

  acknowledged(item: string): void {
    this.count++;
    this.#lines.push(item);
    this.#timer ??= setTimeout(() => this.#write(), 20);
  }

  /** Everything that was ever written, read back from the file. */
  items(): string[] {
    this.#write();
    return readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
  }

  close(): void {
    this.#write();
    closeSync(this.#fd);
  }

  #write(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#lines.length === 0) return;
    writeSync(this.#fd, `${this.#lines.splice(0).join('\n')}\n`);
    fsyncSync(this.#fd);
  }
}
