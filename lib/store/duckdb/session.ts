import {
  ANY,
  blobValue,
  type DuckDBAppender,
  DuckDBBlobVector,
  type DuckDBBooleanVector,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBListType,
  type DuckDBMaterializedResult,
  type DuckDBPreparedStatement,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  listValue,
} from '@duckdb/node-api';
import type { CellValue, TypedColumn, WriteColumn } from '../columns.ts';

/** What a positional parameter ($1, $2, ...) may be; a list goes with `unnest($1::UBIGINT[])` or `list_contains`. */
export type Param = string | number | bigint | boolean | null | Uint8Array | readonly (string | number | bigint)[];

/** A column that was read: typed where the type is a number of fixed width (BOOLEAN: 0/1 in a Uint8Array), else an array. */
export type ReadColumn = TypedColumn | (string | null)[] | (Uint8Array | null)[];
export interface ColumnSet<C extends ReadColumn[]> {
  rowCount: number;
  values: C;
  /** per column: null when no value is NULL, else 1 where it is (the value there is meaningless) */
  nulls: (Uint8Array | null)[];
}
/** What a reader may do. */
export interface Session {
  /**
   * Rows as objects. BIGINT, UBIGINT and everything wider (also count(*) and sum() of integers) come as bigint,
   * all smaller integers, DOUBLE and DECIMAL as number, BLOB as Uint8Array, LIST as array, STRUCT as object.
   * Parameters are converted to what the statement expects there: a number will do for a BIGINT (fractions are rounded down).
   */
  all<T>(sql: string, params?: readonly Param[]): Promise<T[]>;
  /** The same as whole columns, without an object per row: for reads of many rows. */
  columns<C extends ReadColumn[]>(sql: string, params?: readonly Param[]): Promise<ColumnSet<C>>;
}

/** What a writer may do inside its transaction. */
export interface Tx extends Session {
  /** Runs a statement and answers the number of rows it changed. */
  run(sql: string, params?: readonly Param[]): Promise<number>;
  /**
   * Appends rows [from, from + rowCount) of these columns, in the order of the table's columns; the fast way in.
   * Yields to the event loop every few thousand rows. Rows are visible to later statements of this transaction after `flush`
   * (COMMIT flushes by itself).
   */
  append(table: string, rowCount: number, columns: readonly WriteColumn[], from?: number): Promise<void>;
  flush(): void;
}

const cachedStatements = 300;
const vectorSize = 2048;
/** One flush hands this many rows to the engine; more would hold the event loop for longer than a few ms. */
const flushRows = 2 * vectorSize;

export const yieldToEvents = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One connection with its prepared statements and appenders. One caller at a time: Database sees to it. */
export class Connection implements Tx {
  readonly #duck: DuckDBConnection;
  readonly #statements = new Map<string, Statement>();
  readonly #writers = new Map<string, TableWriter>();

  constructor(duck: DuckDBConnection) {
    this.#duck = duck;
  }

  async all<T>(sql: string, params: readonly Param[] = []): Promise<T[]> {
    const result = await this.#execute(sql, params);
    return (await result.getRowObjectsJS()) as T[];
  }

  async columns<C extends ReadColumn[]>(sql: string, params: readonly Param[] = []): Promise<ColumnSet<C>> {
    return readColumns<C>(await this.#execute(sql, params));
  }

  async run(sql: string, params: readonly Param[] = []): Promise<number> {
    return (await this.#execute(sql, params)).rowsChanged;
  }

  /** Statements that cannot be prepared: BEGIN, COMMIT, CHECKPOINT, several at once. Never with anybody's text in them. */
  async command(sql: string): Promise<void> {
    await this.#duck.run(sql);
  }

  async append(table: string, rowCount: number, columns: readonly WriteColumn[], from = 0): Promise<void> {
    let writer = this.#writers.get(table);
    if (!writer) {
      writer = new TableWriter(await this.#duck.createAppender(table));
      this.#writers.set(table, writer);
    }
    for (let done = 0; done < rowCount; ) {
      done += writer.write(columns, from + done, rowCount - done);
      if (writer.unflushed >= flushRows) {
        writer.flush();
        await yieldToEvents();
      }
    }
  }

  flush(): void {
    for (const writer of this.#writers.values()) writer.flush();
  }

  /** After an error the appenders hold rows that must never arrive: emptied, then thrown away. */
  dropWriters(): void {
    for (const writer of this.#writers.values()) writer.discard();
    this.#writers.clear();
  }

  interrupt(): void {
    this.#duck.interrupt();
  }

  close(): void {
    this.dropWriters();
    this.#statements.clear();
    this.#duck.disconnectSync();
  }

  async #execute(sql: string, params: readonly Param[]): Promise<DuckDBMaterializedResult> {
    let statement = this.#statements.get(sql);
    if (statement) {
      this.#statements.delete(sql); // moves to the young end: the map is the order of use
    } else {
      statement = new Statement(await this.#duck.prepare(sql));
      if (this.#statements.size >= cachedStatements) {
        const [oldest] = this.#statements.keys();
        this.#statements.get(oldest!)!.close();
        this.#statements.delete(oldest!);
      }
    }
    this.#statements.set(sql, statement);
    return statement.run(params);
  }
}

class Statement {
  readonly #prepared: DuckDBPreparedStatement;
  readonly #types: DuckDBType[];

  constructor(prepared: DuckDBPreparedStatement) {
    this.#prepared = prepared;
    this.#types = Array.from({ length: prepared.parameterCount }, (_, i) => expectedType(prepared, i + 1));
  }

  run(params: readonly Param[]): Promise<DuckDBMaterializedResult> {
    if (params.length !== this.#types.length) {
      throw new Error(`the statement has ${this.#types.length} parameters, ${params.length} were given`);
    }
    for (let i = 0; i < params.length; i++) this.#bind(i + 1, params[i]!, this.#types[i]!);
    return this.#prepared.run();
  }

  close(): void {
    this.#prepared.destroySync();
  }

  /** By the type the statement expects: a comparison UBIGINT = BIGINT would be cast, and a cast column is not pruned by min/max. */
  #bind(index: number, value: Param, type: DuckDBType): void {
    const prepared = this.#prepared;
    if (value === null) prepared.bindNull(index);
    else if (typeof value === 'string') prepared.bindVarchar(index, value);
    else if (typeof value === 'boolean') prepared.bindBoolean(index, value);
    else if (value instanceof Uint8Array) prepared.bindBlob(index, value);
    else if (typeof value === 'object') this.#bindList(index, value, type);
    else this.#bindNumber(index, value, type);
  }

  #bindList(index: number, value: readonly (string | number | bigint)[], type: DuckDBType): void {
    if (!(type instanceof DuckDBListType)) {
      throw new Error(`$${index} is a list: say of what, as in unnest($${index}::INTEGER[])`);
    }
    const wide = type.valueType.typeId === DuckDBTypeId.UBIGINT || type.valueType.typeId === DuckDBTypeId.BIGINT;
    const items: DuckDBValue[] = wide ? value.map((item) => whole(item as number | bigint)) : [...value];
    this.#prepared.bindList(index, listValue(items), type);
  }

  #bindNumber(index: number, value: number | bigint, type: DuckDBType): void {
    const prepared = this.#prepared;
    switch (type.typeId) {
      case DuckDBTypeId.UBIGINT:
        prepared.bindUBigInt(index, whole(value));
        break;
      case DuckDBTypeId.DOUBLE:
      case DuckDBTypeId.FLOAT:
        prepared.bindDouble(index, Number(value));
        break;
      case DuckDBTypeId.BIGINT:
        prepared.bindBigInt(index, whole(value));
        break;
      case DuckDBTypeId.TINYINT:
      case DuckDBTypeId.SMALLINT:
      case DuckDBTypeId.INTEGER:
      case DuckDBTypeId.UTINYINT:
      case DuckDBTypeId.USMALLINT:
        // a value beyond the column's own range is compared as what it is, not refused
        if (Math.abs(Number(value)) < 0x7fffffff) prepared.bindInteger(index, Math.floor(Number(value)));
        else prepared.bindBigInt(index, whole(value));
        break;
      default:
        if (typeof value === 'number' && !Number.isInteger(value)) prepared.bindDouble(index, value);
        else if (whole(value) > maxBigInt) prepared.bindUBigInt(index, whole(value));
        else prepared.bindBigInt(index, whole(value));
    }
  }
}

const maxBigInt = 2n ** 63n - 1n;

/** ANY where the engine will only know once it has a value (`$1 + $2`). */
function expectedType(prepared: DuckDBPreparedStatement, index: number): DuckDBType {
  try {
    return prepared.parameterType(index);
  } catch {
    return ANY;
  }
}

const whole = (value: number | bigint): bigint => (typeof value === 'bigint' ? value : BigInt(Math.floor(value)));

/** Collects rows of one table into chunks of 2,048; the chunk's memory is used again and again. */
class TableWriter {
  readonly #appender: DuckDBAppender;
  readonly #chunk: DuckDBDataChunk;
  readonly #vectors: WritableVector[];
  #at = 0;
  unflushed = 0;

  constructor(appender: DuckDBAppender) {
    this.#appender = appender;
    const types = Array.from({ length: appender.columnCount }, (_, i) => appender.columnType(i));
    this.#chunk = DuckDBDataChunk.create(types, vectorSize);
    this.#vectors = types.map((_, i) => this.#chunk.getColumnVector(i) as unknown as WritableVector);
  }

  /** Takes as many rows as the chunk has room for and answers how many. */
  write(columns: readonly WriteColumn[], from: number, rowCount: number): number {
    if (columns.length !== this.#vectors.length) {
      throw new Error(`the table has ${this.#vectors.length} columns, ${columns.length} were given`);
    }
    const rows = Math.min(rowCount, vectorSize - this.#at);
    for (let c = 0; c < columns.length; c++) this.#writeColumn(this.#vectors[c]!, columns[c]!, from, rows);
    this.#at += rows;
    this.unflushed += rows;
    if (this.#at === vectorSize) this.#appendChunk();
    return rows;
  }

  flush(): void {
    if (this.unflushed === 0) return;
    if (this.#at > 0) this.#appendChunk();
    this.#appender.flushSync();
    this.unflushed = 0;
  }

  discard(): void {
    try {
      this.#appender.clear();
      this.#appender.closeSync();
    } catch {
      // an appender that failed says so once more when closed
    }
  }

  #writeColumn(vector: WritableVector, column: WriteColumn, from: number, rows: number): void {
    const at = this.#at;
    const items = vector.items;
    if (ArrayBuffer.isView(column) && items && !(vector instanceof DuckDBBlobVector)) {
      if (column.BYTES_PER_ELEMENT !== items.BYTES_PER_ELEMENT) {
        throw new Error(`a ${column.constructor.name} does not fit a column of type ${vector.type}`);
      }
      items.set(column.subarray(from, from + rows) as never, at);
    } else if (Array.isArray(column)) {
      for (let i = 0; i < rows; i++) vector.setItem(at + i, cell(vector, column[from + i] as CellValue));
    } else if (items && (typeof column === 'number' || typeof column === 'bigint')) {
      (items as Float64Array).fill((usesBigInt(items) ? whole(column) : Number(column)) as number, at, at + rows);
    } else {
      const value = cell(vector, column as CellValue);
      for (let i = 0; i < rows; i++) vector.setItem(at + i, value);
    }
  }

  #appendChunk(): void {
    for (const vector of this.#vectors) vector.flush();
    this.#chunk.rowCount = this.#at;
    this.#appender.appendDataChunk(this.#chunk);
    this.#chunk.reset(); // lets go of the strings and blobs, which otherwise pile up in the chunk for ever
    this.#at = 0;
    // A NULL stays in a vector's validity until somebody sets it: the next rows must not inherit it.
    for (const vector of this.#vectors) vector.validity.data?.fill(0xffffffffffffffffn);
  }
}

interface WritableVector {
  items?: TypedColumn;
  type: DuckDBType;
  validity: { data: BigUint64Array | null };
  setItem(index: number, value: unknown): void;
  flush(): void;
}

const usesBigInt = (items: TypedColumn): boolean => items instanceof BigInt64Array || items instanceof BigUint64Array;

function cell(vector: WritableVector, value: CellValue | undefined): unknown {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return blobValue(value);
  if (typeof value === 'number' && vector.items && usesBigInt(vector.items)) return whole(value);
  return value;
}

interface ReadableVector {
  items?: TypedColumn;
  itemCount: number;
  validity: { data: BigUint64Array | null; itemValid(i: number): boolean };
  getItem(index: number): unknown;
}

function readColumns<C extends ReadColumn[]>(result: DuckDBMaterializedResult): ColumnSet<C> {
  const rowCount = result.rowCount;
  const types = result.columnTypes();
  const values: ReadColumn[] = types.map((type) => columnFor(type, rowCount));
  const nulls: (Uint8Array | null)[] = types.map(() => null);
  let at = 0;
  for (let k = 0; k < result.chunkCount; k++) {
    const chunk = result.getChunk(k);
    const rows = chunk.rowCount;
    for (let c = 0; c < types.length; c++) {
      const vector = chunk.getColumnVector(c) as unknown as ReadableVector;
      const column = values[c]!;
      if (Array.isArray(column)) readCells(vector, column, at, rows);
      else if (types[c]!.typeId === DuckDBTypeId.BOOLEAN) readBooleans(vector, column as Uint8Array, at, rows);
      else column.set(vector.items! as never, at);
      if (vector.validity.data) {
        for (let i = 0; i < rows; i++) {
          if (vector.validity.itemValid(i)) continue;
          nulls[c] ??= new Uint8Array(rowCount);
          nulls[c]![at + i] = 1;
        }
      }
    }
    at += rows;
  }
  return { rowCount, values: values as C, nulls };
}

function readCells(vector: ReadableVector, into: unknown[], at: number, rows: number): void {
  const bytes = (vector as unknown) instanceof DuckDBBlobVector ? (vector as unknown as DuckDBBlobVector) : null;
  // a copy: short blobs are views into memory of the engine
  for (let i = 0; i < rows; i++) into[at + i] = bytes ? (bytes.getItemBytes(i)?.slice() ?? null) : vector.getItem(i);
}

function readBooleans(vector: ReadableVector, into: Uint8Array, at: number, rows: number): void {
  const booleans = vector as unknown as DuckDBBooleanVector;
  for (let i = 0; i < rows; i++) into[at + i] = booleans.getItem(i) ? 1 : 0;
}

function columnFor(type: DuckDBType, rowCount: number): ReadColumn {
  switch (type.typeId) {
    case DuckDBTypeId.BIGINT:
      return new BigInt64Array(rowCount);
    case DuckDBTypeId.UBIGINT:
      return new BigUint64Array(rowCount);
    case DuckDBTypeId.INTEGER:
      return new Int32Array(rowCount);
    case DuckDBTypeId.UINTEGER:
      return new Uint32Array(rowCount);
    case DuckDBTypeId.SMALLINT:
      return new Int16Array(rowCount);
    case DuckDBTypeId.USMALLINT:
      return new Uint16Array(rowCount);
    case DuckDBTypeId.TINYINT:
      return new Int8Array(rowCount);
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.BOOLEAN:
      return new Uint8Array(rowCount);
    case DuckDBTypeId.DOUBLE:
      return new Float64Array(rowCount);
    case DuckDBTypeId.FLOAT:
      return new Float32Array(rowCount);
    case DuckDBTypeId.VARCHAR:
    case DuckDBTypeId.BLOB:
      return new Array(rowCount).fill(null);
    default:
      throw new Error(`columns() does not read ${type}: cast it in the statement, or use all()`);
  }
}
