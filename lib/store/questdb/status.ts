import type { StoreStatus } from '../store.ts';
import { locationOf } from './address.ts';
import { serverVersion } from './migrate.ts';
import { tableNames } from './schema.ts';
import { type Server, suspendedWords } from './server.ts';

/** More of them not applied for this long, and the server does not keep up. */
const lagTransactions = 200n;
const lagMs = 30_000;

/** What an operator must know of the server, asked when somebody looks. */
export class Watch {
  readonly #server: Server;
  readonly #nowMs: () => number;
  /** since when a table has been behind */
  readonly #behindSince = new Map<string, number>();

  constructor(server: Server, nowMs: () => number = () => performance.now()) {
    this.#server = server;
    this.#nowMs = nowMs;
  }

  async status(): Promise<StoreStatus> {
    const server = this.#server;
    const version = await serverVersion(server);
    const [spans] = await server.all<{ n: bigint }>(`SELECT count() AS n FROM ${server.table('spans')}`);
    let bytesOnDisk = 0;
    for (const name of tableNames) {
      const [row] = await server.query<{ bytes: bigint | null }>(
        `SELECT sum("diskSize") AS bytes FROM table_partitions('${server.table(name)}')`,
      );
      bytesOnDisk += Number(row?.bytes ?? 0);
    }
    return {
      engine: `QuestDB ${version}`,
      location: locationOf(server.address),
      bytesOnDisk,
      spans: Number(spans?.n ?? 0),
      warnings: await this.warnings(),
    };
  }

  async warnings(): Promise<string[]> {
    const found: string[] = [];
    if ((await commitMode(this.#server)) === 'nosync')
      found.push(
        'QuestDB answers before what it was given is on its disk (cairo.commit.mode=nosync): a power cut there loses rows that only a refill from the spool brings back; set cairo.commit.mode=sync',
      );
    const now = this.#nowMs();
    for (const row of await this.#server.logs()) {
      if (row.suspended) found.push(suspendedWords(row));
      const behind = row.sent - row.applied;
      if (behind === 0n) {
        this.#behindSince.delete(row.name);
        continue;
      }
      const since = this.#behindSince.get(row.name) ?? now;
      this.#behindSince.set(row.name, since);
      if (!row.suspended && (behind >= lagTransactions || now - since >= lagMs))
        found.push(
          `QuestDB does not keep up: ${row.name} is ${behind} transactions behind, and what is newer cannot be seen yet`,
        );
    }
    return found;
  }
}

async function commitMode(server: Server): Promise<string> {
  const [row] = await server.query<{ value: string }>(
    `SELECT value FROM (SHOW PARAMETERS) WHERE property_path = 'cairo.commit.mode'`,
  );
  return row?.value ?? '';
}
