import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, root, temporaryDir, until } from './product.ts';

export interface QuestDb {
  /** as the setting `store` wants it */
  store: string;
  dir: string;
  /** of the process that the server is a child of */
  pid: number;
  stop(): Promise<void>;
}

/** A real QuestDB server on loopback ports, free ones unless they are told, its data in a folder of its own; it ends with us, however we end. */
export async function startQuestDb(ports?: [http: number, pg: number]): Promise<QuestDb> {
  const dir = temporaryDir();
  const [http, pg] = ports ?? (await freePorts(2));
  const child = spawn(
    process.execPath,
    [join(root, '.ci/questdb.mjs'), dir, String(http), String(pg), '--with-stdin'],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  await until(
    'QuestDB answers',
    async () => {
      if (child.exitCode !== null) throw new Error(`QuestDB ended with ${child.exitCode}`);
      return (await fetch(`http://127.0.0.1:${http}/exec?query=select%201`).catch(() => null))?.status === 200;
    },
    180_000,
  );
  return {
    store: storeAt(http!, pg!),
    dir,
    pid: child.pid!,
    async stop() {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export const storeAt = (http: number, pg: number): string => `questdb://admin:quest@127.0.0.1:${http}/${pg}`;
