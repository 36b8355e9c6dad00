import { randomUUID } from 'node:crypto';
import { HopscopeError } from '#lib/errors.ts';
import { Lines } from './lines.ts';
import { columnType, createStatement, schemaVersion, tableNames, tables } from './schema.ts';
import type { Server } from './server.ts';

/** The versions whose words this engine was tried with. */
const wantedVersion = { least: [9, 3], tried: '9.3.4' } as const;

export async function serverVersion(server: Server): Promise<string> {
  const [row] = await server.query<{ build: string }>('SELECT build() AS build');
  return /QuestDB ([\d.]+)/.exec(row?.build ?? '')?.[1] ?? '';
}

/** Why this version will not do; null when it will. */
export function versionTrouble(version: string): string | null {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  const [leastMajor, leastMinor] = wantedVersion.least;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return null;
  return `store: found QuestDB ${version || 'of an unknown version'}, wanted ${leastMajor}.${leastMinor} or newer (tried with ${wantedVersion.tried})`;
}

/** Makes the tables, and the columns that a newer version of us added. Says in words what keeps it from that. */
export async function migrate(server: Server): Promise<void> {
  const trouble = versionTrouble(await serverVersion(server));
  if (trouble) throw new HopscopeError('config', trouble);
  const found = await columnsOf(server);
  if (found.get('meta')) await refuseNewer(server);
  for (const name of tableNames) {
    const there = found.get(name);
    if (!there) {
      await allowed(server, createStatement(name, server.address.prefix));
      continue;
    }
    for (const [column, kind] of Object.entries(tables[name].columns))
      if (!there.has(column))
        await allowed(
          server,
          `ALTER TABLE ${server.table(name)} ADD COLUMN IF NOT EXISTS ${column} ${columnType(kind)}`,
        );
  }
  const lines = new Lines(server.address.prefix);
  lines.add('meta', 0, ['schema', String(schemaVersion)]);
  await server.send(lines);
  if ((await storeId(server)) === null) {
    lines.clear();
    lines.add('meta', BigInt(Date.now()) * 1000n, ['store', randomUUID()]);
    await server.send(lines);
  }
}

/** What tells these tables from others of their names, made anew or on another server: the oldest word counts. */
export async function storeId(server: Server): Promise<string | null> {
  const [row] = await server.all<{ value: string }>(
    `SELECT value FROM ${server.table('meta')} WHERE key = 'store' ORDER BY ts, value LIMIT 1`,
  );
  return row?.value ?? null;
}

async function columnsOf(server: Server): Promise<Map<string, Set<string>>> {
  const rows = await server.query<{ name: string }>('SELECT table_name AS name FROM tables()');
  const there = new Set(rows.map(({ name }) => name));
  const found = new Map<string, Set<string>>();
  for (const name of tableNames) {
    if (!there.has(server.table(name))) continue;
    const columns = await server.query<{ name: string }>(
      `SELECT "column" AS name FROM table_columns('${server.table(name)}')`,
    );
    found.set(name, new Set(columns.map((column) => column.name)));
  }
  return found;
}

async function refuseNewer(server: Server): Promise<void> {
  const [row] = await server.query<{ value: string }>(`SELECT value FROM ${server.table('meta')} WHERE key = 'schema'`);
  if (row && Number(row.value) > schemaVersion)
    throw new HopscopeError(
      'data-dir',
      `the tables ${server.address.prefix}* were written by a newer Hopscope (its schema is ${row.value}, this one knows ${schemaVersion}): start that one, or write another ?tables=`,
    );
}

async function allowed(server: Server, statement: string): Promise<void> {
  try {
    await server.query(statement);
  } catch (error) {
    const { message } = error as Error;
    if (!/access denied|permission|read.?only/i.test(message)) throw error;
    throw new HopscopeError(
      'config',
      `store: the user ${server.address.user} may not make tables on this QuestDB (${message}); give it the right, or another user`,
      { cause: error },
    );
  }
}
