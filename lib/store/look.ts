import { lookAtDuckDb } from './duckdb/look.ts';
import { form as questDbForm, withoutPassword } from './questdb/address.ts';
import { lookAtQuestDb } from './questdb/look.ts';

/** What a person is told of a store that nobody has opened; nothing in it is changed. */
export interface Look {
  wrong: boolean;
  sentence: string;
}

export async function lookAtStore(url: string): Promise<Look[]> {
  const [, scheme, rest] = /^([a-z]+):(.*)$/.exec(url) ?? [];
  if (scheme === 'duckdb' && rest) return [await lookAtDuckDb(rest)];
  if (scheme === 'questdb' || scheme === 'questdbs') return lookAtQuestDb(url);
  return [
    {
      wrong: true,
      sentence: `The store ${withoutPassword(url)} is of no kind this version knows; write duckdb:./data/hopscope.duckdb or ${questDbForm} (setting: store).`,
    },
  ];
}
