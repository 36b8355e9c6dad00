import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Look } from '../look.ts';
import { holdDataFile } from './data-lock.ts';
import { schemaVersion } from './schema.ts';
import { Connection } from './session.ts';

/** Opens the file to read it, where no Hopscope has it open. */
export async function lookAtDuckDb(path: string): Promise<Look> {
  const file = resolve(path);
  if (!existsSync(file))
    return { wrong: false, sentence: `The store ${file} is not there yet: the first start makes it.` };
  let release = (): void => {};
  try {
    release = holdDataFile(file).release;
  } catch (error) {
    return { wrong: false, sentence: `The store was not looked into: ${messageOf(error)}.` };
  }
  try {
    const instance = await DuckDBInstance.create(file, { access_mode: 'READ_ONLY', threads: '1' });
    const connection = new Connection(await instance.connect());
    try {
      const [schema] = await connection.all<{ value: string }>(`SELECT value FROM meta WHERE key = 'schema'`);
      const [rows] = await connection.all<{ spans: bigint; batches: bigint }>(
        'SELECT (SELECT count(*) FROM spans) AS spans, (SELECT count(*) FROM batches) AS batches',
      );
      const found = Number(schema?.value);
      if (found > schemaVersion) {
        return {
          wrong: true,
          sentence: `The store ${file} was written by a newer Hopscope: its schema is ${found}, this one knows ${schemaVersion}.`,
        };
      }
      const older = found < schemaVersion ? `; its schema ${found} becomes ${schemaVersion} at the next start` : '';
      return {
        wrong: false,
        sentence: `The store ${file} can be read: ${rows!.spans} spans in ${rows!.batches} batches${older}.`,
      };
    } finally {
      connection.close();
      instance.closeSync();
    }
  } catch (error) {
    return { wrong: true, sentence: `The store ${file} cannot be read: ${messageOf(error)}` };
  } finally {
    release();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
