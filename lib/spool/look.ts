import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { diskSpaceOf } from './disk-space.ts';
import { spoolFormat } from './spool-file.ts';

export interface SpoolLook {
  wrong: boolean;
  sentence: string;
}

const busy = 5;
const mib = (bytes: number): number => Math.floor(bytes / 1024 ** 2);

/** What a person is told of a spool that nobody has opened; no batch in it is changed. */
export function lookAtSpool(dir: string): SpoolLook[] {
  if (!existsSync(dir))
    return [{ wrong: false, sentence: `The data folder ${dir} is not there yet: the first start makes it.` }];
  return [lookAtDisk(dir), lookAtFile(dir), ...lookAtDamaged(dir)];
}

/** Whether another process has the spool in `dir` open. */
export function spoolIsInUse(dir: string): boolean {
  if (!existsSync(join(dir, 'spool.db'))) return false;
  try {
    return typeof read(dir) === 'string';
  } catch {
    // damaged, which is another matter
    return false;
  }
}

function lookAtDisk(dir: string): SpoolLook {
  const { freeBytes, refuseBelowBytes } = diskSpaceOf(dir);
  const wrong = freeBytes < refuseBelowBytes;
  const sentence = `The disk of ${dir} has ${mib(freeBytes)} MiB left; below ${mib(refuseBelowBytes)} MiB nothing more is accepted.`;
  return { wrong, sentence };
}

function lookAtFile(dir: string): SpoolLook {
  const path = join(dir, 'spool.db');
  if (!existsSync(path))
    return { wrong: false, sentence: `The spool ${path} is not there yet: the first start makes it.` };
  try {
    const found = read(dir);
    if (typeof found === 'string') return { wrong: false, sentence: `The spool was not looked into: ${found}.` };
    const { damage, batches, oldestMs, format } = found;
    if (format > spoolFormat)
      return {
        wrong: true,
        sentence: `The spool ${path} was written by a newer Hopscope (its format is ${format}, this one knows ${spoolFormat}).`,
      };
    if (damage) {
      return {
        wrong: true,
        sentence: `The spool ${path} is damaged (${damage}): the next start sets it aside and saves what it can.`,
      };
    }
    const since = oldestMs === null ? '' : `, the oldest from ${new Date(oldestMs).toISOString()}`;
    return { wrong: false, sentence: `The spool ${path} is whole: ${batches} batches${since}.` };
  } catch (error) {
    return {
      wrong: true,
      sentence: `The spool ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    };
  }
}

function lookAtDamaged(dir: string): SpoolLook[] {
  return readdirSync(dir)
    .filter((name) => /^spool\.db\.damaged-.*Z$/.test(name))
    .map((name) => ({
      wrong: false,
      sentence: `A damaged spool was set aside as ${join(dir, name)}; delete it when nobody needs it.`,
    }));
}

/** A sentence when somebody else has it open. */
function read(
  dir: string,
): string | { damage: string | null; batches: number; oldestMs: number | null; format: number } {
  const db = new DatabaseSync(join(dir, 'spool.db'), { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = 1');
    const check = db.prepare('PRAGMA quick_check(1)').get()!.quick_check as string;
    const row = db.prepare('SELECT count(*) AS batches, min(arrivalMs) AS oldestMs FROM batches').get()!;
    const { batches, oldestMs } = row as { batches: number; oldestMs: number | null };
    const format = db.prepare('PRAGMA user_version').get()!.user_version as number;
    return { damage: check === 'ok' ? null : check, batches, oldestMs, format };
  } catch (error) {
    if (((error as { errcode?: number }).errcode ?? 0) === busy) return 'a running Hopscope has it open';
    throw error;
  } finally {
    db.close();
  }
}
