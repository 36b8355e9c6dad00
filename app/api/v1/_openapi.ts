import * as z from 'zod';
import type { Action } from '#app/_action.ts';
import type { Endpoint } from '#app/_http.ts';
import { problemSchema } from '#lib/views/schemas.ts';
import { actions } from './_actions.ts';
import { endpoints } from './_endpoints.ts';

/** OpenAPI 3.1, made of the schemas the handlers answer by: it cannot fall behind them. */
export function openApi(version: string) {
  const answers = Object.fromEntries(
    Object.entries(endpoints).map(([name, endpoint]) => [
      schemaName(name),
      componentOf(schemaName(name), endpoint.answer),
    ]),
  );
  const done = Object.fromEntries(
    Object.entries(actions).map(([name, action]) => [answerName(name), componentOf(answerName(name), action.answer)]),
  );
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hopscope',
      version,
      summary: 'Which hop adds how much latency, and what to do about it.',
      description:
        'Durations are milliseconds and end in Ms; cpu and memory are 0..1; null is absent, which is not 0. Times are RFC 3339, UTC. ' +
        'from and to take RFC 3339, epoch milliseconds, now or now-15m (s, m, h, d).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: {
      ...pathItems(),
      '/api/v1/stream': { get: streamOperation },
      '/api/v1/openapi.json': { get: openApiOperation },
    },
    components: { schemas: { ...answers, ...done, Problem: componentOf('Problem', problemSchema) } },
  };
}

/** What one address answers, and what can be done at it. */
function pathItems(): Record<string, Record<string, unknown>> {
  const items: Record<string, Record<string, unknown>> = {};
  for (const [name, endpoint] of Object.entries(endpoints)) items[endpoint.path] = { get: operation(name, endpoint) };
  for (const [name, action] of Object.entries(actions)) {
    for (const method of action.methods) {
      const id = method === action.methods[0] ? name : `${name}By${method}`;
      items[action.path] = { ...items[action.path], [method.toLowerCase()]: actionOperation(id, name, action) };
    }
  }
  return items;
}

const answerName = (name: string): string => `${name[0]!.toUpperCase()}${name.slice(1)}Answer`;

const schemaName = (name: string): string => `${name[0]!.toUpperCase()}${name.slice(1)}View`;

/** A schema's own definitions stay inside it: their references are moved from the root of the schema to the root of the file. */
function componentOf(name: string, schema: z.ZodType): unknown {
  const { $schema: _, ...json } = z.toJSONSchema(schema) as Record<string, unknown>;
  return JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', `"#/components/schemas/${name}/$defs/`));
}

function operation(name: string, endpoint: Endpoint) {
  const schema = { $ref: `#/components/schemas/${schemaName(name)}` };
  return {
    operationId: name,
    summary: endpoint.summary,
    parameters: [
      ...pathParameters(endpoint.params),
      ...Object.entries(endpoint.query.shape).map(([parameter, field]) =>
        queryParameter(parameter, field as z.ZodType),
      ),
      {
        name: 'format',
        in: 'query',
        required: false,
        description: `json, or csv for the list \`${endpoint.table}\``,
        schema: { type: 'string', enum: ['json', 'csv'], default: 'json' },
      },
    ],
    responses: {
      200: {
        description: 'The answer',
        content: { 'application/json': { schema }, 'text/csv': { schema: { type: 'string' } } },
      },
      ...problems,
    },
  };
}

function actionOperation(operationId: string, name: string, action: Action) {
  const { $schema: _, ...body } = z.toJSONSchema(action.body, { io: 'input' }) as Record<string, unknown>;
  const required = (body.required as string[] | undefined) ?? [];
  return {
    operationId,
    summary: action.summary,
    parameters: pathParameters(action.params),
    requestBody: {
      required: required.length > 0,
      content: { 'application/json': { schema: body }, 'application/x-www-form-urlencoded': { schema: body } },
    },
    responses: {
      200: {
        description: 'What came of it',
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${answerName(name)}` } } },
      },
      303: { description: 'To a form of a page: the page that shows what came of it' },
      ...problems,
      403: problem('From the page of another site, or not for this role'),
      413: problem('More than 32 KiB'),
      429: problem('Too many: try again after Retry-After seconds'),
    },
  };
}

const pathParameters = (params: Record<string, string>) =>
  Object.entries(params).map(([name, description]) => ({
    name,
    in: 'path',
    required: true,
    description,
    schema: { type: 'string' },
  }));

function queryParameter(name: string, field: z.ZodType) {
  const { $schema: _, ...schema } = z.toJSONSchema(field, { io: 'input' }) as Record<string, unknown>;
  return { name, in: 'query', required: false, description: field.description ?? '', schema };
}

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

const problems = {
  400: problem('Something that cannot be understood: what was found, what was wanted'),
  404: problem('No such thing, or none that you may see'),
  503: problem('The store does not answer: try again after Retry-After seconds'),
};

const streamOperation = {
  operationId: 'stream',
  summary: 'Server-sent events: `change` when data arrived, at most one a second; ends after an hour',
  parameters: [],
  responses: {
    200: {
      description: 'data of an event: {"arrivalMs": epoch milliseconds}',
      content: { 'text/event-stream': { schema: { type: 'string' } } },
    },
    503: problem('Too many streams are open'),
  },
};

const openApiOperation = {
  operationId: 'openApi',
  summary: 'This file',
  parameters: [],
  responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: { type: 'object' } } } } },
};
