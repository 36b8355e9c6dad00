import * as z from 'zod';
import { HopscopeError } from '../errors.ts';
import type { Problem } from './schemas.ts';

/** A question that cannot be answered as asked: says per parameter what was found and what was wanted. */
export class QueryProblem extends HopscopeError {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof HopscopeError && 'problem' in value;
  }
  readonly problem: Problem;
  constructor(errors: NonNullable<Problem['errors']>) {
    const detail = errors.map((e) => `${e.parameter}: found "${e.found}", wanted ${e.wanted}`).join('; ');
    super('bad-request', detail);
    this.name = 'QueryProblem';
    this.problem = { type: 'about:blank', title: 'The query cannot be answered as asked', status: 400, detail, errors };
  }
}

/** What is not there, and what may not be seen: the same words, so that nobody can tell which. */
export const notFound = (what: string): HopscopeError => new HopscopeError('not-found', `There is no such ${what}.`);

// ---- fields of queries. They arrive as text, out of a URL

export const rangeFields = {
  from: z.string().optional().describe('now-15m, RFC 3339 or epoch milliseconds; default now-15m'),
  to: z.string().optional().describe('now, RFC 3339 or epoch milliseconds; default now'),
};

/** An empty form field asks for nothing. */
export const textField = (what: string) =>
  z
    .string()
    .max(500, 'wanted at most 500 characters')
    .transform((text) => text.trim() || undefined)
    .optional()
    .describe(what);

const amountPattern = /^\d{1,12}(?:\.\d{1,9})?$/;
export const millisField = (what: string) =>
  z
    .string()
    .refine((text) => text === '' || amountPattern.test(text), 'wanted a number of milliseconds, such as 250 or 0.5')
    .transform((text) => (text === '' ? undefined : Number(text)))
    .optional()
    .describe(what);

export const limitField = (standard: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, `wanted a whole number from 1 to ${most}`)
    .transform(Number)
    .refine((n) => n >= 1 && n <= most, `wanted a whole number from 1 to ${most}`)
    .optional()
    .transform((n) => n ?? standard)
    .describe(`how many; 1 to ${most}, default ${standard}`);

export const flagField = (what: string) =>
  z
    .enum(['true', 'false', '1', '0', ''], 'wanted true or false')
    .transform((text) => text === 'true' || text === '1')
    .optional()
    .describe(what);

export const choiceField = <const T extends string>(choices: readonly T[], what: string) =>
  z
    .enum(choices, `wanted ${choices.join(' or ')}`)
    .optional()
    .describe(what);

export type RawQuery = URLSearchParams | Record<string, string | string[] | undefined>;

/**
 * The parameters of a URL as a view's query; throws QueryProblem. Of a repeated parameter the first counts.
 * Pages carry parameters of their own beside the view's, so unknown ones are let pass; the API is strict (`unknown: 'refuse'`).
 */
export function readQuery<S extends z.ZodObject>(
  schema: S,
  raw: RawQuery,
  unknown: 'ignore' | 'refuse' = 'ignore',
): z.output<S> {
  const given = raw instanceof URLSearchParams ? firstOfEach(raw) : raw;
  const known = Object.keys(schema.shape);
  const values: Record<string, string> = Object.create(null);
  const errors: NonNullable<Problem['errors']> = [];
  for (const [name, value] of Object.entries(given)) {
    const text = Array.isArray(value) ? value[0] : value;
    if (text === undefined) continue;
    if (known.includes(name)) values[name] = text;
    else if (unknown === 'refuse') {
      errors.push({ parameter: cut(name), found: cut(text), wanted: `one of the parameters ${known.join(', ')}` });
    }
  }
  const parsed = schema.safeParse({ ...values });
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const parameter = String(issue.path[0] ?? '');
      errors.push({ parameter, found: cut(values[parameter] ?? ''), wanted: wantedOf(issue.message) });
    }
  }
  if (errors.length > 0 || !parsed.success) throw new QueryProblem(errors);
  return parsed.data;
}

function firstOfEach(params: URLSearchParams): Record<string, string> {
  const first: Record<string, string> = Object.create(null);
  for (const [name, value] of params) first[name] ??= value;
  return first;
}

const cut = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);
const wantedOf = (message: string): string =>
  message.startsWith('wanted ') ? message.slice(7) : message.replace(/^Invalid input: expected /, '');
