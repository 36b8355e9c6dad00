import { randomBytes } from 'node:crypto';
import type { Product } from './product.ts';

export interface SentSpan {
  name: string;
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  service: string;
  host: string;
  site?: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  /** milliseconds after the request began */
  startMs: number;
  durationMs: number;
  attributes?: Record<string, string | number | boolean>;
  error?: boolean;
  links?: { traceId: string; spanId: string }[];
}

const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };

export const newTraceId = (): string => randomBytes(16).toString('hex');
export const newSpanId = (): string => randomBytes(8).toString('hex');

const attribute = (key: string, value: string | number | boolean) => ({
  key,
  value:
    typeof value === 'string'
      ? { stringValue: value }
      : typeof value === 'boolean'
        ? { boolValue: value }
        : { doubleValue: value },
});

/** An OTLP/JSON body (opentelemetry-proto, ExportTraceServiceRequest), one resource a span. */
export function bodyOf(spans: SentSpan[], beganMs: number): string {
  const nanos = (ms: number): string => (BigInt(Math.round((beganMs + ms) * 1_000)) * 1_000n).toString();
  return JSON.stringify({
    resourceSpans: spans.map((span) => ({
      resource: {
        attributes: [
          attribute('service.name', span.service),
          attribute('host.name', span.host),
          attribute('host.id', `id-${span.host}`),
          ...(span.site ? [attribute('hopscope.site', span.site)] : []),
        ],
      },
      scopeSpans: [
        {
          spans: [
            {
              traceId: span.traceId,
              spanId: span.spanId,
              parentSpanId: span.parentSpanId ?? '',
              name: span.name,
              kind: kinds[span.kind],
              startTimeUnixNano: nanos(span.startMs),
              endTimeUnixNano: nanos(span.startMs + span.durationMs),
              attributes: Object.entries(span.attributes ?? {}).map(([key, value]) => attribute(key, value)),
              status: span.error ? { code: 2, message: 'it broke' } : {},
              links: span.links ?? [],
            },
          ],
        },
      ],
    })),
  });
}

export async function sendSpans(product: Product, spans: SentSpan[], beganMs = Date.now()): Promise<Response> {
  const response = await fetch(`${product.otlp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: bodyOf(spans, beganMs),
  });
  if (response.status !== 200) throw new Error(`OTLP answered ${response.status}: ${await response.text()}`);
  return response;
}

/** A request over HTTP from one site to another: 60 ms, of which the callee works 20. */
export function httpRequest(traceId = newTraceId()): SentSpan[] {
  const root = newSpanId();
  const client = newSpanId();
  return [
    {
      name: 'open door',
      kind: 'internal',
      service: 'door-panel',
      host: 'panel-1',
      site: 'kiel',
      traceId,
      spanId: root,
      startMs: 0,
      durationMs: 62,
    },
    {
      name: 'GET',
      kind: 'client',
      service: 'door-panel',
      host: 'panel-1',
      site: 'kiel',
      traceId,
      spanId: client,
      parentSpanId: root,
      startMs: 1,
      durationMs: 60,
      attributes: { 'http.request.method': 'GET', 'http.route': '/doors/{id}' },
    },
    {
      name: 'GET /doors/{id}',
      kind: 'server',
      service: 'door-control',
      host: 'rack-7',
      site: 'lyon',
      traceId,
      spanId: newSpanId(),
      parentSpanId: client,
      startMs: 21,
      durationMs: 20,
      attributes: { 'http.request.method': 'GET', 'http.route': '/doors/{id}' },
    },
  ];
}
