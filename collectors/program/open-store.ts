import type { Config } from '#lib/config.ts';
import { HopscopeError } from '#lib/errors.ts';
import type { RawElsewhere } from '#lib/store/raw.ts';
import type { Store } from '#lib/store/store.ts';
import type { Log } from './say.ts';

export interface StoreOpening {
  config: Pick<Config, 'store' | 'dataDir'>;
  rawElsewhere?: RawElsewhere;
  /** Once it has waited, nothing ends it any more: who receives meanwhile must not be ended by what a server says later. */
  isPatient: boolean;
  /** what is waited for, in a sentence; null = it has come */
  onWaiting(sentence: string | null): void;
  log: Log;
}

const againFirstMs = 250;
const againAtMostMs = 3_000;

/** A server that does not answer is asked again until it does. Throws what waiting cannot cure: a file that cannot be opened, a wrong password. */
export async function openStoreWhenItAnswers(opening: StoreOpening): Promise<Store> {
  const { config, rawElsewhere, log, onWaiting } = opening;
  const [{ mayComeLater, openStore }, { decodeSpans }] = await Promise.all([
    import('#lib/store/open.ts'),
    import('#lib/wire/raw-batch.ts'),
  ]);
  let said: string | null = null;
  for (let waitMs = againFirstMs; ; waitMs = Math.min(2 * waitMs, againAtMostMs)) {
    try {
      const store = await openStore({ url: config.store, dataDir: config.dataDir, decodeSpans, rawElsewhere });
      if (said !== null) log('info', 'the store is open', {});
      onWaiting(null);
      return store;
    } catch (error) {
      const hasWaited = said !== null;
      if (!mayComeLater(config.store, error) && !(hasWaited && opening.isPatient)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      // one line a kind of trouble: words about the same one change from try to try
      const kind = error instanceof HopscopeError ? error.code : 'unknown';
      if (said !== kind) log('warn', 'the store cannot be opened yet, trying again', { why });
      said = kind;
      onWaiting(`waiting for the store: ${why}`);
    }
    // several processes that wait for one server do not all come at once
    await new Promise((resolve) => setTimeout(resolve, waitMs * (0.75 + Math.random() / 2)));
  }
}
