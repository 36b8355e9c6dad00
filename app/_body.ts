import type * as z from 'zod';
import { HopscopeError } from '#lib/errors.ts';
import { QueryProblem } from '#lib/views/query.ts';

/** What people and scripts send is small: a comment is the longest of it. */
const mostBytes = 32 * 1024;

export interface Sent {
  fields: Record<string, unknown>;
  /** came from a page's form, without a script: is answered with a page */
  isForm: boolean;
}

/** JSON or a form; nothing at all is an empty object. */
export async function readBody(request: Request): Promise<Sent> {
  const text = await readText(request);
  const type = (request.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') {
    const wantsPage = (request.headers.get('accept') ?? '').includes('text/html');
    return { fields: { ...firstOfEach(new URLSearchParams(text)) }, isForm: wantsPage };
  }
  if (text === '') return { fields: {}, isForm: false };
  if (type !== 'application/json') throw wrongBody(`the content type "${type}"`);
  return { fields: objectOf(text), isForm: false };
}

async function readText(request: Request): Promise<string> {
  if (!request.body) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    // leaving the loop cancels what is still on its way
    if (bytes > mostBytes)
      throw new HopscopeError('too-large', `Found a body of more than ${mostBytes} bytes, wanted at most that.`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function firstOfEach(params: URLSearchParams): Record<string, string> {
  const first: Record<string, string> = Object.create(null);
  for (const [name, value] of params) first[name] ??= value;
  return first;
}

function objectOf(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw wrongBody('text that is not JSON');
  }
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed))
    throw wrongBody(`JSON that is ${Array.isArray(parsed) ? 'a list' : JSON.stringify(parsed).slice(0, 50)}`);
  return parsed as Record<string, unknown>;
}

const wrongBody = (found: string): QueryProblem =>
  new QueryProblem([
    { parameter: 'body', found: found.slice(0, 100), wanted: 'an object as application/json, or a form' },
  ]);

/** The fields as the action wants them; a wrong or unknown one is named with what was wanted. */
export function fieldsOf<S extends z.ZodObject>(schema: S, fields: Record<string, unknown>): z.output<S> {
  const known = Object.keys(schema.shape);
  const parsed = schema.safeParse(fields);
  const found = (name: string): string => {
    const value = fields[name];
    return (value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 100);
  };
  const errors = [
    ...Object.keys(fields)
      .filter((name) => !known.includes(name))
      .map((name) => ({
        parameter: name.slice(0, 100),
        found: found(name),
        wanted: known.length === 0 ? 'no field' : `one of the fields ${known.join(', ')}`,
      })),
    ...(parsed.success ? [] : parsed.error.issues).map((issue) => ({
      parameter: String(issue.path[0] ?? ''),
      found: found(String(issue.path[0] ?? '')),
      wanted: issue.message.replace(/^wanted /, '').replace(/^Invalid input: expected /, ''),
    })),
  ];
  if (errors.length > 0 || !parsed.success) throw new QueryProblem(errors);
  return parsed.data;
}
