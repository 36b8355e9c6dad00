import * as z from 'zod';
import { QueryProblem } from '../views/query.ts';
import { parseMoment } from '../views/range.ts';

/** Fields of what people send: JSON from scripts, text from forms, so that a number may come as its digits. */

export const textOf = (most: number, what: string) =>
  z
    .string()
    .transform((text) => text.replaceAll('\r\n', '\n').trim())
    .refine((text) => text.length >= 1 && text.length <= most, `wanted 1 to ${most} characters`)
    .describe(`${what}; 1 to ${most} characters`);

/** An empty form field says nothing. */
export const textOrNothing = (most: number, what: string) =>
  z
    .string()
    .transform((text) => text.trim())
    .refine((text) => text.length <= most, `wanted at most ${most} characters`)
    .transform((text) => text || undefined)
    .optional()
    .describe(`${what}; at most ${most} characters`);

export const numberOrNothing = (low: number, high: number, what: string) =>
  z
    .union([z.number(), z.string().regex(/^-?\d{0,15}(?:\.\d{1,9})?$/, `wanted a number from ${low} to ${high}`)])
    .transform((given) => (given === '' ? undefined : Number(given)))
    .refine((value) => value === undefined || (value >= low && value <= high), `wanted a number from ${low} to ${high}`)
    .optional()
    .describe(`${what}; ${low} to ${high}`);

export const choiceOrNothing = <const T extends string>(choices: readonly T[], what: string) =>
  z
    .union([z.enum(choices), z.literal('')], `wanted ${choices.join(' or ')}`)
    .transform((given) => (given === '' ? undefined : given))
    .optional()
    .describe(what);

export const flagOrNothing = (what: string) =>
  z
    .union([z.boolean(), z.enum(['true', 'false', '1', '0', 'on', 'off', ''])], 'wanted true or false')
    .transform((given) =>
      given === '' ? undefined : given === true || given === 'true' || given === '1' || given === 'on',
    )
    .optional()
    .describe(what);

/** RFC 3339 or epoch milliseconds. */
export function momentOf(parameter: string, given: string | number, nowMs: number): number {
  const ms = parseMoment(String(given), nowMs);
  if (ms === null || !Number.isFinite(ms))
    throw new QueryProblem([
      { parameter, found: String(given).slice(0, 100), wanted: 'a moment: RFC 3339 or epoch milliseconds' },
    ]);
  return ms;
}
