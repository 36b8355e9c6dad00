/** A change of the data, as main.ts tells it. */
export interface Change {
  arrivalMs: number;
}

export interface StreamTimes {
  /** at most one event in this time */
  everyMs: number;
  heartbeatMs: number;
  /** a client that takes nothing for this long is gone */
  patienceMs: number;
  lifeMs: number;
}

export const standardTimes: StreamTimes = {
  everyMs: 1_000,
  heartbeatMs: 15_000,
  patienceMs: 60_000,
  lifeMs: 3_600_000,
};
export const mostStreams = 500;

/** Chunks that wait for a slow client. Beyond it changes fold into one: only the newest counts. */
const queued = 8;

/** Open event streams of the process. main.ts closes them all at SIGTERM, so that the listener can end. */
export class Streams {
  readonly #open = new Set<() => void>();
  #closed = false;

  get size(): number {
    return this.#open.size;
  }

  /** Null when there is no room, or the process is ending. `subscribe` returns how to stop. */
  open(
    subscribe: (listener: (change: Change) => void) => () => void,
    signal: AbortSignal,
    times: StreamTimes = standardTimes,
  ): ReadableStream<Uint8Array> | null {
    if (this.#closed || this.#open.size >= mostStreams || signal.aborted) return null;
    const client = new Client(times, (close) => this.#open.delete(close));
    this.#open.add(client.close);
    return client.start(subscribe, signal);
  }

  closeAll(): void {
    this.#closed = true;
    for (const close of [...this.#open]) close();
  }
}

const key = Symbol.for('hopscope.streams');

/** One registry a process, however often Next loads this module. */
export function streams(): Streams {
  const shared = globalThis as unknown as Record<symbol, Streams | undefined>;
  shared[key] ??= new Streams();
  return shared[key];
}

const encoder = new TextEncoder();

/** One reader: at most one change a second, a bounded queue, and one way out whatever ends it. */
class Client {
  readonly #times: StreamTimes;
  readonly #onClose: (close: () => void) => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #unsubscribe: () => void = () => {};
  #signal: AbortSignal | null = null;
  #pending: Change | null = null;
  #due: NodeJS.Timeout | null = null;
  #heartbeat: NodeJS.Timeout | null = null;
  #life: NodeJS.Timeout | null = null;
  #lastSentMs = Number.NEGATIVE_INFINITY;
  #lastTakenMs = performance.now();
  #closed = false;

  constructor(times: StreamTimes, onClose: (close: () => void) => void) {
    this.#times = times;
    this.#onClose = onClose;
  }

  start(
    subscribe: (listener: (change: Change) => void) => () => void,
    signal: AbortSignal,
  ): ReadableStream<Uint8Array> {
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        // asked for more: the client takes what it is given
        pull: () => {
          this.#lastTakenMs = performance.now();
          this.#send();
        },
        cancel: () => this.close(),
      },
      new CountQueuingStrategy({ highWaterMark: queued }),
    );
    this.#signal = signal;
    signal.addEventListener('abort', this.close, { once: true });
    this.#unsubscribe = subscribe((change) => {
      this.#pending = change;
      this.#send();
    });
    this.#heartbeat = setInterval(() => this.#beat(), this.#times.heartbeatMs).unref();
    this.#life = setTimeout(this.close, this.#times.lifeMs).unref();
    // opens the stream for the reader at once, and says how soon to come back
    this.#write('retry: 2000\n\n');
    return stream;
  }

  #send(): void {
    if (this.#pending === null || this.#due !== null || this.#closed) return;
    const waitMs = this.#lastSentMs + this.#times.everyMs - performance.now();
    if (waitMs > 0) {
      this.#due = setTimeout(() => {
        this.#due = null;
        this.#send();
      }, waitMs).unref();
      return;
    }
    if (!this.#hasRoom()) return; // pull comes when there is room again
    const data = JSON.stringify({ arrivalMs: this.#pending.arrivalMs });
    this.#pending = null;
    this.#lastSentMs = performance.now();
    this.#write(`event: change\ndata: ${data}\n\n`);
  }

  #beat(): void {
    if (this.#hasRoom()) this.#write(': still here\n\n');
    else if (performance.now() - this.#lastTakenMs > this.#times.patienceMs) this.close();
  }

  #hasRoom(): boolean {
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  #write(text: string): void {
    try {
      this.#controller?.enqueue(encoder.encode(text));
    } catch {
      this.close(); // the reader is gone
    }
  }

  /** May be called any number of times, by anybody. */
  readonly close = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose(this.close);
    this.#unsubscribe();
    this.#signal?.removeEventListener('abort', this.close);
    if (this.#due) clearTimeout(this.#due);
    if (this.#heartbeat) clearInterval(this.#heartbeat);
    if (this.#life) clearTimeout(this.#life);
    try {
      this.#controller?.close();
    } catch {
      // cancelled or failed: closed already
    }
  };
}
