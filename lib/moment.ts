export interface Lasting {
  /** an answer this old is given as it is, ms */
  freshMs: number;
  /** one this old is given once more while the next is fetched, ms */
  usableMs: number;
}

/** An answer that is good for a moment, as old as when it was asked for; all who ask while it is fetched share one question. */
export class Moment<T> {
  readonly #read: () => Promise<T>;
  readonly #lasting: Lasting;
  readonly #nowMs: () => number;
  #value: T | undefined;
  #atMs = Number.NEGATIVE_INFINITY;
  #running: Promise<T> | null = null;

  constructor(read: () => Promise<T>, lasting: Lasting, nowMs: () => number) {
    this.#read = read;
    this.#lasting = lasting;
    this.#nowMs = nowMs;
  }

  ask(): Promise<T> {
    const ageMs = this.#nowMs() - this.#atMs;
    if (ageMs <= this.#lasting.freshMs) return Promise.resolve(this.#value as T);
    const next = this.renew();
    if (ageMs > this.#lasting.usableMs) return next;
    next.catch(() => {}); // who asks next waits for the one after it
    return Promise.resolve(this.#value as T);
  }

  renew(): Promise<T> {
    const atMs = this.#nowMs();
    this.#running ??= this.#read()
      .then(
        (value) => {
          this.#value = value;
          this.#atMs = atMs;
          return value;
        },
        (error: unknown) => {
          this.#atMs = Number.NEGATIVE_INFINITY;
          throw error;
        },
      )
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  isOver(): boolean {
    return this.#running === null && this.#nowMs() - this.#atMs > this.#lasting.usableMs;
  }
}
