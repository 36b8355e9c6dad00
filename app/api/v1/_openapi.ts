import * as z from 'zod';
import type { Endpoint } from '#app/_http.ts';
import { problemSchema } from '#lib/views/schemas.ts';
import { endpoints } from './_endpoints.ts';

/** OpenAPI 3.1, made of the schemas the handlers answer by: it cannot fall behind them. */
export function openApi(version: string) {
  const answers = Object.fromEntries(
    Object.entries(endpoints).map(([name, endpoint]) => [
      schemaName(name),
      componentOf(schemaName(name), endpoint.answer),
    ]),
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
      ...Object.fromEntries(
        Object.entries(endpoints).map(([name, endpoint]) => [endpoint.path, { get: operation(name, endpoint) }]),
      ),
      '/api/v1/stream': { get: streamOperation },
      '/api/v1/openapi.json': { get: openApiOperation },
    },
    components: { schemas: { ...answers, Problem: componentOf('Problem', problemSchema) } },
  };
}

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
      ...Object.entries(endpoint.params).map(([parameter, description]) => ({
        name: parameter,
        in: 'path',
        required: true,
        description,
        schema: { type: 'string' },
      })),
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

function queryParameter(name: string, field: z.ZodType) {
  const { $schema: _, ...schema } = z.toJSONSchema(field, { io: 'input' }) as Record<string, unknown>;
  return { name, in: 'query', required: false, description: field.description ?? '', schema };
}

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

const problems = {
  400: problem('A parameter that cannot be understood: what was found, what was wanted'),
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
