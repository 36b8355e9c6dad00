import { afterEach, expect, it, vi } from 'vitest';
import { HopscopeError } from '#lib/errors.ts';
import type { ViewContext } from './context.ts';
import { statusView } from './status-view.ts';
import { owner } from './viewer.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A store that answers every question with this. */
const contextOf = (answer: () => Promise<never>): ViewContext =>
  ({
    store: { books: answer, status: answer, gaps: answer },
    status: { spool: () => ({ items: 1_234, diskFreeBytes: null }), collectors: () => [], reasons: () => [] },
    viewer: owner,
    nowMs: 0,
  }) as unknown as ViewContext;

it('a store that is away is told in its own words, with what becomes of what comes in', async () => {
  const away = new HopscopeError('store', 'QuestDB cannot be reached: is it running?');
  await expect(statusView(contextOf(() => Promise.reject(away)))).rejects.toMatchObject({
    code: 'store',
    message: 'QuestDB cannot be reached: is it running? What comes in is kept: 1,234 items in the spool.',
  });
});

it('a store that hangs keeps nobody waiting who asks how things are', async () => {
  vi.useFakeTimers();
  const answer = expect(statusView(contextOf(() => new Promise(() => {})))).rejects.toMatchObject({
    code: 'store',
    message: 'The store has not answered for 5 s. What comes in is kept: 1,234 items in the spool.',
  });
  await vi.advanceTimersByTimeAsync(5_000);
  await answer;
});

it('what is broken elsewhere is not said to be the store', async () => {
  await expect(statusView(contextOf(() => Promise.reject(new TypeError('x'))))).rejects.toThrow(TypeError);
});
