import { join } from 'node:path';
import { HopscopeError } from '../errors.ts';
import { openDuckDbStore } from './duckdb/duckdb-store.ts';
import { form as questDbForm, withoutPassword } from './questdb/address.ts';
import { openQuestDbStore } from './questdb/questdb-store.ts';
import type { DecodeSpans, RawElsewhere } from './raw.ts';
import type { Store } from './store.ts';

export interface OpenStoreOptions {
  /** `duckdb:PATH` or `questdb://...` */
  url: string;
  /** where a server's store keeps what only this process needs */
  dataDir: string;
  /** lib/wire/raw-batch.ts; the store knows no wire format */
  decodeSpans: DecodeSpans;
  rawElsewhere?: RawElsewhere;
  /** what an embedded engine may keep in memory; default 256MB */
  memoryLimit?: string;
}

/** Whether a store that cannot be opened now may be there later: a server may be away or behind, a file is of use or it is not. */
export const mayComeLater = (url: string, error: unknown): boolean =>
  url.startsWith('questdb:') && error instanceof HopscopeError && error.code === 'store';

/** Configuration -> Store: the only place that knows which engine. */
export async function openStore({
  url,
  dataDir,
  decodeSpans,
  rawElsewhere,
  memoryLimit,
}: OpenStoreOptions): Promise<Store> {
  const [, scheme, rest] = /^([a-z]+):(.*)$/.exec(url) ?? [];
  switch (scheme) {
    case 'duckdb':
      if (!rest) throw new HopscopeError('config', `store: ${url} names no file; write duckdb:./data/hopscope.duckdb`);
      return openDuckDbStore({ path: rest, decodeSpans, rawElsewhere, memoryLimit });
    case 'questdb':
    case 'questdbs':
      return openQuestDbStore({ url, bookPath: join(dataDir, 'questdb-audit.sqlite'), decodeSpans, rawElsewhere });
    default:
      throw new HopscopeError(
        'config',
        `store: ${withoutPassword(url)} is of no kind we know; write duckdb:./data/hopscope.duckdb or ${questDbForm}`,
      );
  }
}
