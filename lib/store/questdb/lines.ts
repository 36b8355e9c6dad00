import { type ColumnKind, type TableName, tables } from './schema.ts';

export type Cell = string | number | bigint | boolean | null;

/**
 * About so many bytes go into one request. The server makes a transaction of every table in a request, which it sorts, merges and flushes by
 * itself: a backlog of spans in requests of 4 MiB cost it a quarter more of its processor time (37 and 30 us a span).
 */
const usualRequestBytes = 24 * 1024 * 1024;
/** Rows become bytes, off the heap, so many characters at a time: as texts they would grow old until the request is full. */
const pieceChars = 16 * 1024;
/** UTF-8 of one UTF-16 unit */
const bytesPerCharAtMost = 3;
const sparesAtMost = 2;
const nothing = Buffer.alloc(0);

const columnsOf = Object.fromEntries(
  Object.entries(tables).map(([name, { columns }]) => [name, Object.entries(columns) as [string, ColumnKind][]]),
) as Record<TableName, [string, ColumnKind][]>;

/**
 * Rows as text of the line protocol, written by hand and not by @questdb/nodejs-client 4.2: its whole numbers are doubles, in which neither
 * an id nor a time in nanoseconds fits; it spends 10.6 us a row on calls for single values; it throws its rows away when a flush fails, and
 * never answers on a refused connection (libraries.md, "QuestDB client"). Its bytes are what the test compares these with.
 *
 * A value that fits no column throws before anything is sent, so a batch is sent whole or not at all.
 */
export class Lines {
  readonly #prefix: string;
  readonly #requestBytes: number;
  /** a body is cut when it has grown past #requestBytes; its last row may be longer than a piece */
  readonly #bodyBytes: number;
  #text = '';
  #body: Buffer = nothing;
  #bytes = 0;
  #full: Buffer[] = [];
  /** what the bodies stand in, and what may be written over, the largest first */
  #used: Buffer[] = [];
  #spare: Buffer[] = [];
  readonly tables = new Set<TableName>();
  rows = 0;

  constructor(prefix: string, requestBytes = usualRequestBytes) {
    this.#prefix = prefix;
    this.#requestBytes = requestBytes;
    this.#bodyBytes = requestBytes + 2 * pieceChars * bytesPerCharAtMost;
  }

  /** `values` in the order of the table's columns. '' and null are left out: the column is NULL there. */
  add(table: TableName, micros: number | bigint, values: readonly Cell[]): void {
    const columns = columnsOf[table];
    if (values.length !== columns.length)
      throw new Error(`${table} has ${columns.length} columns, ${values.length} were given`);
    let line = this.#prefix + table;
    let between = ' ';
    for (let c = 0; c < columns.length; c++) {
      const value = values[c]!;
      if (value === null || value === '') continue;
      const [name, kind] = columns[c]!;
      if (kind === 'symbol' || kind === 'indexed') line += `,${name}=${symbolText(value as string)}`;
      else {
        const text = fieldText(value, kind);
        if (text === null) continue;
        line += `${between}${name}=${text}`;
        between = ',';
      }
    }
    if (between === ' ') throw new Error(`a row of ${table} says nothing`);
    this.addText(table, `${line} ${whole(micros)}\n`);
  }

  /** A row that is text already. */
  addText(table: TableName, line: string): void {
    this.#text += line;
    this.tables.add(table);
    this.rows++;
    if (this.#text.length >= pieceChars) this.#endPiece();
    if (this.#bytes >= this.#requestBytes) this.#cut();
  }

  nameOf(table: TableName): string {
    return this.#prefix + table;
  }

  /** The bodies to send, in this order. */
  bodies(): Buffer[] {
    this.#cut();
    return this.#full;
  }

  /** Those that are full already: they may go while more rows are added. */
  takeFull(): Buffer[] {
    return this.#full.splice(0);
  }

  /** No rows any more. What was handed out must have been sent: it is written over. */
  clear(): void {
    this.#spare = [...this.#spare, ...this.#used]
      .filter(({ length }) => length <= this.#bodyBytes)
      .sort((a, b) => b.length - a.length)
      .slice(0, sparesAtMost);
    this.#used = [];
    this.#text = '';
    this.#body = nothing;
    this.#bytes = 0;
    this.#full = [];
    this.rows = 0;
    this.tables.clear();
  }

  #endPiece(): void {
    if (this.#text === '') return;
    const wanted = this.#bytes + this.#text.length * bytesPerCharAtMost;
    if (wanted > this.#body.length) this.#grow(wanted);
    this.#bytes += this.#body.write(this.#text, this.#bytes);
    this.#text = '';
  }

  /** Few rows take little; what was too small is let go. */
  #grow(wanted: number): void {
    const spare = this.#spare.shift();
    const body =
      spare && spare.length >= wanted
        ? spare
        : Buffer.allocUnsafeSlow(Math.max(wanted, Math.min(this.#body.length * 2, this.#bodyBytes)));
    this.#body.copy(body, 0, 0, this.#bytes);
    this.#body = body;
  }

  #cut(): void {
    this.#endPiece();
    if (this.#bytes === 0) return;
    this.#full.push(this.#body.subarray(0, this.#bytes));
    this.#used.push(this.#body);
    this.#body = nothing;
    this.#bytes = 0;
  }
}

const inSymbol = /[ ,=\n\r\\]/;
export const symbolText = (text: string): string => (inSymbol.test(text) ? text.replace(/[ ,=\n\r\\]/g, '\\$&') : text);
const inText = /["\n\r\\]/;
const quotedText = (text: string): string => `"${inText.test(text) ? text.replace(/["\n\r\\]/g, '\\$&') : text}"`;

function fieldText(value: Exclude<Cell, null>, kind: ColumnKind): string | null {
  switch (kind) {
    case 'text':
      return quotedText(value as string);
    case 'boolean':
      return value ? 't' : 'f';
    case 'double':
      // a value that is no number is unknown
      return Number.isFinite(value) ? String(value) : null;
    default: {
      const text = whole(value as number | bigint);
      return text === least ? null : `${text}i`;
    }
  }
}

/** -2^63 is how the server writes NULL */
export const leastLong = -(2n ** 63n);
const least = String(leastLong);

function whole(value: number | bigint): string {
  if (typeof value === 'bigint') return value.toString();
  if (!Number.isFinite(value)) throw new Error(`found ${value} where a whole number was wanted`);
  const floor = Math.floor(value);
  return Math.abs(floor) < 1e21 ? String(floor) : BigInt(floor).toString();
}
