export type TypedColumn =
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Float64Array
  | Float32Array;
/** A column to write: a typed array of the column's own width, an array of values (null = NULL), or one value for all rows. */
export type WriteColumn = TypedColumn | readonly CellValue[] | CellValue;
export type CellValue = string | number | bigint | boolean | null | Uint8Array;
