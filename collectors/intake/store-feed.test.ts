import { expect, test } from 'vitest';
import { MemoryStore } from './fixtures/memory-store.ts';
import { until } from './fixtures/running-intake.ts';
import { StoreFeed } from './store-feed.ts';

test('a store that is still waited for keeps nobody from starting again or ending, and gets its gap when it comes', async () => {
  const opening = Promise.withResolvers<MemoryStore>();
  const feed = new StoreFeed({ store: () => opening.promise, onStored: () => {}, log: () => {} });
  feed.gap({ fromMs: 1, toMs: 2, whose: 'a broker', what: 'the session was lost' });
  await feed.dropWaiting();
  const store = new MemoryStore();
  opening.resolve(store);
  await until('the gap is told', () => store.gaps.length === 1);
  await feed.dropWaiting();
  expect(store.gaps).toMatchObject([{ whose: 'a broker' }]);
});
