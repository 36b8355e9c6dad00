import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { HopscopeError } from '#lib/errors.ts';
import { openStore } from '#lib/store/open.ts';
import type { Store } from '#lib/store/store.ts';
import { openStoreWhenItAnswers } from './open-store.ts';

vi.mock('#lib/store/open.ts', async (original) => ({ ...(await original<object>()), openStore: vi.fn() }));

const away = new HopscopeError('store', 'QuestDB cannot be reached');
const forGood = new HopscopeError('config', 'QuestDB does not let the user admin in');
const store = {} as Store;

// what is loaded on demand takes real time
beforeAll(() => import('#lib/wire/raw-batch.ts'));
beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** The store answers as told, one outcome a try. */
function opening(url: string, isPatient: boolean, outcomes: (HopscopeError | Store)[]) {
  const answers = [...outcomes];
  const tries = vi.mocked(openStore).mockReset();
  tries.mockImplementation(async () => {
    const answer = answers.shift()!;
    if (answer instanceof HopscopeError) throw answer;
    return answer;
  });
  const waited: (string | null)[] = [];
  const logged: string[] = [];
  const opened = openStoreWhenItAnswers({
    config: { store: url, dataDir: '/nowhere' },
    isPatient,
    onWaiting: (sentence) => waited.push(sentence),
    log: (_, sentence, { why }) => logged.push(why ? `${sentence}: ${why}` : sentence),
  }).catch((error: unknown) => error);
  return { opened, tries, waited, logged };
}

const server = 'questdb://127.0.0.1';

test('a server that is away is asked again, ever more rarely, and said once', async () => {
  const { opened, tries, waited, logged } = opening(server, false, [...Array.from({ length: 20 }, () => away), store]);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(await opened).toBe(store);
  expect(tries).toHaveBeenCalledTimes(21);
  expect(new Set(waited.slice(0, -1))).toEqual(new Set(['waiting for the store: QuestDB cannot be reached']));
  expect(waited.at(-1)).toBeNull();
  expect(logged).toEqual([
    'the store cannot be opened yet, trying again: QuestDB cannot be reached',
    'the store is open',
  ]);
});

test('what waiting cannot cure is thrown, at once or after it', async () => {
  for (const isPatient of [true, false]) expect(await opening(server, isPatient, [forGood]).opened).toBe(forGood);
  const later = opening(server, false, [away, forGood]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await later.opened).toBe(forGood);
});

test('who has waited once and is patient goes on, and says what it is now', async () => {
  const { opened, waited, logged } = opening(server, true, [away, forGood, forGood, store]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await opened).toBe(store);
  expect(waited).toContain('waiting for the store: QuestDB does not let the user admin in');
  expect(logged).toHaveLength(3);
});

test('a file that cannot be opened is not waited for', async () => {
  expect(await opening('duckdb:/nowhere/a.duckdb', true, [away]).opened).toBe(away);
});
