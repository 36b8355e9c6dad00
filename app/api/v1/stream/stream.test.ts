import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Change, mostStreams, Streams, standardTimes } from './_streams.ts';
import { GET } from './route.ts';

const shared = globalThis as unknown as Record<symbol, unknown>;
const decoder = new TextDecoder();

/** What main.ts offers: tells listeners, and counts them. */
function feed() {
  const listeners = new Set<(change: Change) => void>();
  return {
    listeners,
    tell: (arrivalMs: number) => {
      for (const listener of listeners) listener({ arrivalMs });
    },
    subscribe: (listener: (change: Change) => void) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
  delete shared[Symbol.for('hopscope')];
  delete shared[Symbol.for('hopscope.streams')];
});

function opened(streams = new Streams()) {
  const source = feed();
  const abort = new AbortController();
  const stream = streams.open(source.subscribe, abort.signal);
  const reader = stream!.getReader();
  const next = async (): Promise<string | null> => {
    const { done, value } = await reader.read();
    return done ? null : decoder.decode(value);
  };
  return { streams, source, abort, reader, next };
}

const event = (arrivalMs: number): string => `event: change\ndata: {"arrivalMs":${arrivalMs}}\n\n`;

describe('a stream', () => {
  it('opens at once and tells a change at once', async () => {
    const { source, next } = opened();
    expect(await next()).toBe('retry: 2000\n\n');
    source.tell(7);
    expect(await next()).toBe(event(7));
  });

  it('tells at most one change a second, the newest', async () => {
    const { source, next } = opened();
    await next();
    for (let i = 1; i <= 50; i++) source.tell(i);
    expect(await next()).toBe(event(1));
    vi.advanceTimersByTime(999);
    source.tell(51);
    vi.advanceTimersByTime(1);
    expect(await next()).toBe(event(51));
  });

  it('says every 15 s that it is still there', async () => {
    const { next } = opened();
    await next();
    vi.advanceTimersByTime(15_000);
    expect(await next()).toBe(': still here\n\n');
  });

  it('keeps a bounded queue for a reader that stopped, folds the rest into one, and ends it after its patience', async () => {
    const { source, next, streams } = opened();
    for (let second = 1; second <= 40; second++) {
      source.tell(second);
      vi.advanceTimersByTime(1_000);
    }
    expect(streams.size).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(streams.size).toBe(0);
    const queued: (string | null)[] = [];
    for (;;) {
      const chunk = await next();
      if (chunk === null) break;
      queued.push(chunk);
    }
    expect(queued.length).toBeLessThanOrEqual(8);
  });

  it('gives a slow reader the newest as soon as it reads again', async () => {
    const { source, next } = opened();
    for (let second = 1; second <= 40; second++) {
      source.tell(second);
      vi.advanceTimersByTime(1_000);
    }
    const seen: (string | null)[] = [];
    for (let i = 0; i < 9; i++) seen.push(await next());
    expect(seen.at(-1)).toBe(event(40));
  });

  it('ends after an hour, though it is read', async () => {
    const { streams, reader } = opened();
    const ended = (async () => {
      while (!(await reader.read()).done);
    })();
    await vi.advanceTimersByTimeAsync(standardTimes.lifeMs - 1);
    expect(streams.size).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(streams.size).toBe(0);
    await ended;
  });

  it.each([
    ['the request is aborted', ({ abort }: ReturnType<typeof opened>) => abort.abort()],
    ['the reader cancels', async ({ reader }: ReturnType<typeof opened>) => reader.cancel()],
    ['the process ends', ({ streams }: ReturnType<typeof opened>) => streams.closeAll()],
    [
      'all of it at once',
      async ({ abort, reader, streams }: ReturnType<typeof opened>) => {
        abort.abort();
        await reader.cancel();
        streams.closeAll();
        streams.closeAll();
      },
    ],
  ])('leaves nothing behind when %s', async (_what, end) => {
    const open = opened();
    open.source.tell(1);
    open.source.tell(2);
    await end(open);
    expect(open.streams.size).toBe(0);
    expect(open.source.listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(() => open.source.tell(3)).not.toThrow();
  });
});

describe('the streams of the process', () => {
  it('are 500 at most, and one that ends makes room', () => {
    const streams = new Streams();
    const source = feed();
    const first = new AbortController();
    expect(streams.open(source.subscribe, first.signal)).not.toBeNull();
    for (let i = 1; i < mostStreams; i++) streams.open(source.subscribe, new AbortController().signal);
    expect(streams.open(source.subscribe, new AbortController().signal)).toBeNull();
    first.abort();
    expect(streams.open(source.subscribe, new AbortController().signal)).not.toBeNull();
    streams.closeAll();
    expect(source.listeners.size).toBe(0);
    expect(
      streams.open(source.subscribe, new AbortController().signal),
      'none opens while the process ends',
    ).toBeNull();
  });

  it('are reached by main.ts through the symbol, and the answer is made for proxies that hold things back', async () => {
    const source = feed();
    shared[Symbol.for('hopscope')] = { onChange: source.subscribe };
    const response = GET(new Request('http://localhost/api/v1/stream'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const registry = shared[Symbol.for('hopscope.streams')] as Streams;
    expect(registry.size).toBe(1);
    registry.closeAll();
    expect(await response.text()).toBe('retry: 2000\n\n');
    const refused = GET(new Request('http://localhost/api/v1/stream'));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
  });
});
