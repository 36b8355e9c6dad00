import * as z from 'zod';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
interface Shape {
  type?: string | string[];
  properties?: Record<string, Shape>;
  items?: Shape;
  anyOf?: Shape[];
}

/**
 * RFC 4180, with a header row even when there is nothing under it. The columns are the schema's, not the data's, so that two
 * exports of one table fit under each other. Nested objects become `addedMs.p95`, lists of words one cell; series are left out.
 */
export function csvOf(itemSchema: z.ZodType, items: readonly unknown[]): string {
  const columns = columnsOf(z.toJSONSchema(itemSchema) as Shape);
  const lines = [columns.map((path) => cell(path.join('.'))).join(',')];
  for (const item of items) lines.push(columns.map((path) => cell(valueAt(item as Json, path))).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

function columnsOf(shape: Shape, path: string[] = []): string[][] {
  const own = shape.anyOf?.find((each) => each.type !== 'null') ?? shape;
  if (own.properties) {
    return Object.entries(own.properties).flatMap(([name, inner]) => columnsOf(inner, [...path, name]));
  }
  if (own.type === 'array') return isWord(own.items) && !/spark/i.test(path.join('.')) ? [path] : [];
  return own.type === 'object' || path.length === 0 ? [] : [path];
}

const isWord = (shape: Shape | undefined): boolean => shape?.type === 'string';

function valueAt(item: Json, path: string[]): Json {
  let value: Json = item;
  for (const name of path) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
    value = value[name] ?? null;
  }
  return value;
}

/** Unknown is an empty cell. Text that a spreadsheet would run as a formula is disarmed with a `'`; a number is never text. */
function cell(value: Json): string {
  if (value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = Array.isArray(value) ? value.join('; ') : String(value);
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
