import type { SpanArrays } from '../audit-pair.ts';
import type { HopMinute, OpenMinutes } from '../minute-sums.ts';
import type { AuditBook } from './audit-book.ts';
import { signed } from './dialect.ts';
import { type Cell, Lines, leastLong } from './lines.ts';
import type { TableName } from './schema.ts';
import type { Param, Server } from './server.ts';

/** Small numbers for names, as the audit counts: from 1, 0 is ''. Good for as long as the process runs; what is kept is kept by name. */
export class Numbers {
  readonly #numbers = new Map<string, number>([['', 0]]);
  readonly #names: string[] = [''];

  of(name: string | null): number {
    const known = this.#numbers.get(name ?? '');
    if (known !== undefined) return known;
    const number = this.#names.length;
    this.#numbers.set(name!, number);
    this.#names.push(name!);
    return number;
  }

  name(number: number): string {
    return this.#names[number] ?? '';
  }

  has(name: string): boolean {
    return this.#numbers.has(name);
  }

  /** All from a number on. */
  after(number: number): { number: number; name: string }[] {
    const from = Math.max(1, number + 1);
    return this.#names.slice(from).map((name, i) => ({ number: from + i, name }));
  }
}

/** What outlives a transaction. */
export interface Kept {
  texts: Numbers;
  resources: Numbers;
  minutes: OpenMinutes;
  /** how many rows of resources have been read */
  resourcesRead: number;
  /**
   * By collector: up to which batch a pass may have left rows on the server that this book knows nothing of, be it one that died before its
   * commit or all of a book that is lost. null: to be asked, there may be any.
   */
  uncertainUpto: Map<string, bigint> | null;
}

/** One transaction of the audit: rows for the server are gathered and land before the book is committed, or when they are asked for. */
export class Turn {
  readonly server: Server;
  readonly book: AuditBook;
  readonly kept: Kept;
  readonly #lines: Lines;
  #devices: Map<number, string> | null = null;
  #deviceNumbers: Map<string, number> | null = null;

  constructor(server: Server, book: AuditBook, kept: Kept) {
    this.server = server;
    this.book = book;
    this.kept = kept;
    this.#lines = new Lines(server.address.prefix);
  }

  /** A row whose key is there already is replaced. */
  put(table: TableName, micros: number | bigint, values: readonly Cell[]): void {
    this.#lines.add(table, micros, values);
  }

  /** Sends what has been put, and waits until it can be read. */
  async land(): Promise<void> {
    if (this.#lines.rows === 0) return;
    const tables = [...this.#lines.tables];
    await this.server.send(this.#lines);
    this.#lines.clear();
    await this.server.applied(tables);
  }

  /** Rows of a table, with what this transaction has put into it. */
  async rows<T extends unknown[]>(
    table: TableName,
    sql: (table: string) => string,
    params: readonly Param[] = [],
  ): Promise<T[]> {
    if (this.#lines.tables.has(table)) await this.land();
    return this.server.rows<T>(sql(this.server.table(table)), params);
  }

  async objects<T>(table: TableName, sql: (table: string) => string, params: readonly Param[] = []): Promise<T[]> {
    if (this.#lines.tables.has(table)) await this.land();
    return this.server.query<T>(sql(this.server.table(table)), params);
  }

  async any(table: TableName): Promise<boolean> {
    return (await this.rows(table, (name) => `SELECT 1 FROM ${name} LIMIT 1`)).length > 0;
  }

  // ---- devices by number and by id

  deviceId(number: number): string {
    this.#devices ??= new Map(
      this.book
        .own<{ number: number; id: string }>('SELECT number, id FROM devices')
        .map(({ number, id }) => [number, id]),
    );
    return this.#devices.get(number) ?? '';
  }

  deviceNumber(id: string | null): number {
    if (id === null || id === '') return 0;
    this.#deviceNumbers ??= new Map(
      this.book
        .own<{ number: number; id: string }>('SELECT number, id FROM devices')
        .map(({ number, id: of }) => [of, number]),
    );
    return this.#deviceNumbers.get(id) ?? 0;
  }

  devicesChanged(): void {
    this.#devices = null;
    this.#deviceNumbers = null;
  }

  // ---- minutes to be made again

  markDirty(minutes: Iterable<HopMinute>): void {
    for (const { hop, minute } of minutes)
      this.book.run('INSERT OR IGNORE INTO dirty (hop, minute) VALUES (?, ?)', signed(hop), minute);
  }

  /** What happened to these minutes is not that a crossing came: they are computed from all of them. */
  changed(minutes: readonly HopMinute[]): void {
    for (const at of minutes) this.kept.minutes.forget(at);
    this.markDirty(minutes);
  }
}

const spanColumns =
  'trace_hi, trace_lo, span_id, parent_id, start_ns, duration_ns, ts::long / 1000, kind, status, flags, operation, name, resource, system, destination, collector, seq';

type SpanRow = (bigint | null)[];

/** Spans as pairing wants them, names as the audit's numbers. */
export async function readSpans(turn: Turn, where: string, params: readonly Param[]): Promise<SpanArrays> {
  const rows = await turn.rows<SpanRow>(
    'spans',
    (table) => `SELECT ${spanColumns} FROM ${table} WHERE ${where}`,
    params,
  );
  const { texts, resources } = turn.kept;
  const n = rows.length;
  const ids = [0, 1, 2, 3].map((c) => {
    const signedIds = new BigInt64Array(n);
    for (let i = 0; i < n; i++) signedIds[i] = rows[i]![c] ?? leastLong;
    return new BigUint64Array(signedIds.buffer);
  });
  const longs = (c: number): BigInt64Array => {
    const column = new BigInt64Array(n);
    for (let i = 0; i < n; i++) column[i] = rows[i]![c]!;
    return column;
  };
  const bytes = (c: number): Uint8Array => Uint8Array.from(rows, (row) => row[c] as unknown as number);
  const numbers = (c: number, of: Numbers): Int32Array =>
    Int32Array.from(rows, (row) => of.of(row[c] as unknown as string | null));
  return [
    ids[0]!,
    ids[1]!,
    ids[2]!,
    ids[3]!,
    longs(4),
    longs(5),
    longs(6),
    bytes(7),
    bytes(8),
    bytes(9),
    bytes(10),
    numbers(11, texts),
    numbers(12, resources),
    numbers(13, texts),
    numbers(14, texts),
    numbers(15, texts),
    longs(16),
  ];
}
