import { Moment } from '#lib/moment.ts';
import type { StoreStatus } from '../store.ts';
import { locationOf } from './address.ts';
import { openDoors } from './doors.ts';
import { serverVersion } from './migrate.ts';
import { tableNames } from './schema.ts';
import { lagWords, type Server, suspendedWords } from './server.ts';

/** More of them not applied for this long, and the server does not keep up. */
const lagTransactions = 200n;
const lagMs = 30_000;

/** What an operator must know of the server, asked when somebody looks. */
export class Watch {
  readonly #server: Server;
  readonly #nowMs: () => number;
  readonly #version: Moment<string>;
  readonly #commitMode: Moment<string>;
  readonly #bytes: Moment<number>;
  readonly #doors: Moment<string[]>;
  /** since when a table has been behind */
  readonly #behindSince = new Map<string, number>();

  constructor(server: Server, nowMs: () => number = () => performance.now()) {
    this.#server = server;
    this.#nowMs = nowMs;
    this.#version = new Moment(() => serverVersion(server), seldom, nowMs);
    this.#commitMode = new Moment(() => commitMode(server), seldom, nowMs);
    this.#doors = new Moment(() => openDoors(server.address), rarely, nowMs);
    this.#bytes = new Moment(() => bytesOf(server), { freshMs: 5_000, usableMs: 30_000 }, nowMs);
  }

  async status(): Promise<StoreStatus> {
    const server = this.#server;
    const [version, bytesOnDisk, spans, warnings] = await Promise.all([
      this.#version.ask(),
      this.#bytes.ask(),
      server.all<{ n: bigint }>(`SELECT count() AS n FROM ${server.table('spans')}`),
      this.warnings(),
    ]);
    return {
      engine: `QuestDB ${version}`,
      location: locationOf(server.address),
      bytesOnDisk,
      spans: Number(spans[0]?.n ?? 0),
      warnings,
    };
  }

  async warnings(): Promise<string[]> {
    const found: string[] = [];
    if ((await this.#commitMode.ask()) === 'nosync')
      found.push(
        'QuestDB answers before what it was given is on its disk (cairo.commit.mode=nosync): a power cut there loses rows that only a refill from the spool brings back; set cairo.commit.mode=sync',
      );
    found.push(...(await this.#doors.ask()));
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
        found.push(`QuestDB does not keep up: ${lagWords(row)}, and what is newer cannot be seen yet`);
    }
    return found;
  }
}

/** What a server changes by starting anew. */
const seldom = { freshMs: 10_000, usableMs: 10_000 };
/** What is asked of it as a stranger. */
const rarely = { freshMs: 300_000, usableMs: 600_000 };

async function bytesOf(server: Server): Promise<number> {
  const ours = new Set<string>(tableNames.map((name) => server.table(name)));
  const rows = await server.query<{ name: string; bytes: bigint }>(
    'SELECT "tableName" AS name, "diskSize" AS bytes FROM table_storage()',
  );
  return rows.reduce((sum, { name, bytes }) => (ours.has(name) ? sum + Number(bytes) : sum), 0);
}

async function commitMode(server: Server): Promise<string> {
  const [row] = await server.query<{ value: string }>(
    `SELECT value FROM (SHOW PARAMETERS) WHERE property_path = 'cairo.commit.mode'`,
  );
  return row?.value ?? '';
}
