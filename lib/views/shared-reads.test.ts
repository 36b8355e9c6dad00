import { describe, expect, it } from 'vitest';
import type { DeviceRow, Store } from '../store/store.ts';
import { sharedReads } from './shared-reads.ts';

const device = (id: string): DeviceRow => ({
  id,
  name: id,
  site: 'hannover',
  applications: [],
  services: [],
  state: 'up',
  reason: '',
  sinceMs: 0,
  lastSeenMs: 0,
  intervalMs: null,
});

/** A store that counts its reads and answers when told to. */
function world() {
  let nowMs = 0;
  let reads = 0;
  const waiting: { resolve(rows: DeviceRow[]): void; reject(error: Error): void }[] = [];
  const devices = () => {
    reads++;
    return new Promise<DeviceRow[]>((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const asked: string[] = [];
  const hopWindows: Store['hopWindows'] = async (from, to, hop) => {
    asked.push(`${from} ${to} ${hop}`);
    return [];
  };
  const store = sharedReads({ devices, hopWindows } as unknown as Store, () => nowMs);
  return {
    store,
    asked,
    reads: () => reads,
    answer: (id: string) => waiting.shift()!.resolve([device(id)]),
    fail: () => waiting.shift()!.reject(new Error('busy')),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

const namesOf = async (rows: Promise<DeviceRow[]>): Promise<string[]> => (await rows).map((row) => row.id);

describe('shared reads', () => {
  it('asks once for all who ask at once', async () => {
    const { store, reads, answer } = world();
    const both = [store.devices(), store.devices()];
    answer('a');
    expect(await Promise.all(both.map(namesOf))).toEqual([['a'], ['a']]);
    expect(reads()).toBe(1);
  });

  it('gives a fresh answer again, an older one while it fetches the next, an old one never', async () => {
    const { store, reads, answer, pass } = world();
    const first = store.devices();
    answer('a');
    await first;
    pass(900);
    expect(await namesOf(store.devices())).toEqual(['a']);
    expect(reads()).toBe(1);
    pass(600);
    expect(await namesOf(store.devices())).toEqual(['a']);
    expect(reads()).toBe(2);
    answer('b');
    await new Promise((done) => setImmediate(done));
    expect(await namesOf(store.devices())).toEqual(['b']);
    pass(60_000);
    const late = store.devices();
    answer('c');
    expect(await namesOf(late)).toEqual(['c']);
  });

  it('keeps no failure', async () => {
    const { store, answer, fail } = world();
    const first = store.devices();
    fail();
    await expect(first).rejects.toThrow('busy');
    const second = store.devices();
    answer('a');
    expect(await namesOf(second)).toEqual(['a']);
  });

  it('fails nobody when a fetch behind an older answer fails', async () => {
    const { store, answer, fail, pass } = world();
    const first = store.devices();
    answer('a');
    await first;
    pass(1_500);
    expect(await namesOf(store.devices())).toEqual(['a']);
    fail();
    await new Promise((done) => setImmediate(done));
    const next = store.devices();
    answer('b');
    expect(await namesOf(next)).toEqual(['b']);
  });

  it('takes two ranges of the same minutes for one question, and another hop for another', async () => {
    const { store, asked } = world();
    await store.hopWindows(60_500, 119_000);
    await store.hopWindows(61_500, 120_000);
    await store.hopWindows(61_500, 120_000, 7n);
    await store.hopWindows(61_500, 120_001);
    expect(asked).toEqual(['60500 119000 undefined', '61500 120000 7', '61500 120001 undefined']);
  });
});
