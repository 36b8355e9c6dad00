import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, root, temporaryDir, until } from './product.ts';

/** A real QuestDB server on loopback ports, free ones unless they are told, its data in a folder of its own; it ends with us, however we end. */
export async function startQuestDb(ports?: [http: number, pg: number]): Promise<QuestDb> {
  const [http, pg] = ports ?? (await freePorts(2));
  const server = new QuestDb(http!, pg!);
  await server.up();
  return server;
}

export class QuestDb {
  readonly dir = temporaryDir();
  readonly httpPort: number;
  readonly pgPort: number;
  readonly store: string;
  #script: ChildProcess | null = null;

  constructor(httpPort: number, pgPort: number) {
    this.httpPort = httpPort;
    this.pgPort = pgPort;
    this.store = storeAt(httpPort, pgPort);
  }

  /** of the process that the server is a child of */
  get pid(): number {
    return this.#script!.pid!;
  }

  async up(): Promise<void> {
    const ports = [String(this.httpPort), String(this.pgPort)];
    const script = spawn(process.execPath, [join(root, '.ci/questdb.mjs'), this.dir, ...ports, '--with-stdin'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    this.#script = script;
    await until(
      'QuestDB answers',
      async () => {
        if (script.exitCode !== null) throw new Error(`QuestDB ended with ${script.exitCode}`);
        return this.rows('select 1').then(
          () => true,
          () => false,
        );
      },
      180_000,
    );
  }

  async down(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const script = this.#script;
    this.#script = null;
    if (!script) return;
    const ended = new Promise((done) => script.once('exit', done));
    // of the server itself: a script that is killed could not hand it on
    script.kill(signal === 'SIGKILL' ? 'SIGUSR2' : signal);
    await ended;
  }

  /** It keeps its connections and answers nobody, until `resume`. */
  suspend(): void {
    process.kill(this.serverPid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.serverPid, 'SIGCONT');
  }

  /** Ends it, and its data is gone. */
  async stop(): Promise<void> {
    await this.down('SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** One statement by HTTP; rows as arrays. A LONG beyond 2^53 wants a cast to string. */
  async rows<T extends unknown[]>(sql: string): Promise<T[]> {
    const answer = await fetch(`http://127.0.0.1:${this.httpPort}/exec?query=${encodeURIComponent(sql)}`, {
      signal: AbortSignal.timeout(60_000),
    });
    if (!answer.ok) throw new Error(`${sql}: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { dataset?: T[] }).dataset ?? [];
  }

  /** Everything that it took can be read. */
  async applied(): Promise<void> {
    await until(
      'QuestDB has applied what it took',
      async () => (await this.rows('SELECT name FROM wal_tables() WHERE writerTxn < sequencerTxn')).length === 0,
      60_000,
    );
  }

  get serverPid(): number {
    return Number(readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').split(' ')[0]);
  }
}

/** As the setting `store` wants it. */
export const storeAt = (http: number, pg: number): string => `questdb://admin:quest@127.0.0.1:${http}/${pg}`;
