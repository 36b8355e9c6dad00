import type * as z from 'zod';
import { type ErrorCode, HopscopeError } from '#lib/errors.ts';
import type { ViewContext } from '#lib/views/context.ts';
import { QueryProblem, readQuery } from '#lib/views/query.ts';
import type { Problem } from '#lib/views/schemas.ts';
import { csvOf } from './_csv.ts';
import { viewContext } from './_server.ts';

/** One table or object of the API: what is asked, what is answered, which of it is the table. */
export interface Endpoint<Q extends z.ZodObject = z.ZodObject, A extends z.ZodObject = z.ZodObject> {
  /** as in OpenAPI: /api/v1/hops/{id} */
  path: string;
  summary: string;
  query: Q;
  /** names in the path, with what they are */
  params: Record<string, string>;
  answer: A;
  view(context: ViewContext, query: z.output<Q> & Record<string, string>): Promise<z.output<A>>;
  /** which list of the answer ?format=csv gives */
  table: string;
}

export type RouteContext = { params: Promise<Record<string, string>> };

const formats = ['json', 'csv'];

/** GET for one endpoint: reads the query, asks the view for whoever asks, answers JSON or CSV, translates errors. The only place that does. */
export function handle<Q extends z.ZodObject, A extends z.ZodObject>(endpoint: Endpoint<Q, A>) {
  return async (request: Request, route?: RouteContext): Promise<Response> => {
    try {
      const url = new URL(request.url);
      const format = formatOf(url);
      const query = readQuery(endpoint.query, url.searchParams, 'refuse');
      const params = await route?.params;
      const view = await endpoint.view(await viewContext(), { ...query, ...params });
      return format === 'csv' ? csvAnswer(endpoint, view) : jsonAnswer(view);
    } catch (error) {
      return problemAnswer(problemOf(error));
    }
  };
}

function formatOf(url: URL): string {
  const format = url.searchParams.get('format') ?? 'json';
  if (!formats.includes(format)) {
    throw new QueryProblem([{ parameter: 'format', found: format.slice(0, 100), wanted: formats.join(' or ') }]);
  }
  url.searchParams.delete('format');
  return format;
}

const everyAnswer = { 'Cache-Control': 'no-store' };

export const jsonAnswer = (value: unknown, status = 200): Response =>
  new Response(JSON.stringify(value), {
    status,
    headers: { ...everyAnswer, 'Content-Type': 'application/json; charset=utf-8' },
  });

function csvAnswer(endpoint: Endpoint, view: unknown): Response {
  const name = endpoint.path.split('/')[3];
  return new Response(csvOf(tableSchema(endpoint), (view as Record<string, unknown[]>)[endpoint.table]!), {
    headers: {
      ...everyAnswer,
      'Content-Type': 'text/csv; charset=utf-8; header=present',
      'Content-Disposition': `attachment; filename="hopscope-${name}.csv"`,
    },
  });
}

export function tableSchema(endpoint: Endpoint): z.ZodType {
  return (endpoint.answer.shape[endpoint.table] as z.ZodArray<z.ZodType>).element;
}

/** RFC 9457 */
export const problemAnswer = (problem: Problem, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      ...everyAnswer,
      ...(problem.status === 503 ? { 'Retry-After': '2' } : {}),
      ...(problem.status === 429 ? { 'Retry-After': '60' } : {}),
      ...headers,
      'Content-Type': 'application/problem+json',
    },
  });

const answers: Partial<Record<ErrorCode, { status: number; title: string }>> = {
  'bad-request': { status: 400, title: 'The request cannot be answered as asked' },
  'not-found': { status: 404, title: 'Not found' },
  forbidden: { status: 403, title: 'Not for this role' },
  'too-large': { status: 413, title: 'Too large' },
  'too-many': { status: 429, title: 'Too many' },
  busy: { status: 503, title: 'Busy, try again' },
  store: { status: 503, title: 'The store does not answer' },
  spool: { status: 503, title: 'The spool does not answer' },
};

/** The edge where errors become answers. What broke inside is for the log; the asker learns that it broke. */
export function problemOf(error: unknown): Problem {
  if (error instanceof QueryProblem) return error.problem;
  const known = error instanceof HopscopeError ? answers[error.code] : undefined;
  if (known && known.status < 500) return { type: 'about:blank', ...known, detail: (error as Error).message };
  // one line, whatever a stranger put into a message
  const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
  console.error(`hopscope: a request failed: ${JSON.stringify(told)}`);
  return { type: 'about:blank', ...(known ?? { status: 500, title: 'Something broke inside' }) };
}
