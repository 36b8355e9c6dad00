// A service of a machine: its own tracer provider of the real SDK, every time stamp from the machine's own clock.

import { randomBytes } from 'node:crypto';
import type { Agent } from 'node:http';
import {
  type Attributes,
  type HrTime,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { DeviceClock } from './device-clock.ts';
import type { Message, MqttLink } from './mqtt-link.ts';

export interface ServiceOptions {
  name: string;
  version: string;
  hostName: string;
  hostId: string;
  clock: DeviceClock;
  otlpUrl: string;
  agent: Agent;
}

export interface WorkOptions {
  kind?: SpanKind;
  parent?: SpanContext;
  startTime?: HrTime;
  attributes?: Attributes;
}

export interface PublishOptions {
  link: MqttLink;
  topic: string;
  template?: string;
  payload: string | Buffer;
  qos?: 0 | 1;
  parent?: SpanContext;
  responseTopic?: string;
  correlationData?: Buffer;
}

export class Service {
  readonly name: string;
  readonly hostName: string;
  readonly clock: DeviceClock;
  readonly resource: Resource;
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;

  constructor(options: ServiceOptions) {
    this.name = options.name;
    this.hostName = options.hostName;
    this.clock = options.clock;
    this.resource = defaultResource().merge(
      resourceFromAttributes({
        'service.name': options.name,
        'service.version': options.version,
        'service.instance.id': `${options.name}@${options.hostName}`,
        'host.id': options.hostId,
        'host.name': options.hostName,
      }),
    );
    const exporter = new OTLPTraceExporter({
      url: `${options.otlpUrl}/v1/traces`,
      httpAgentOptions: () => options.agent,
      timeoutMillis: 8_000,
    });
    this.#provider = new TracerProvider({
      resource: this.resource,
      spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000, maxQueueSize: 512 })],
    });
    this.#tracer = this.#provider.getTracer('hopscope-demo-fleet');
  }

  start(name: string, options: WorkOptions = {}): Work {
    const { kind = SpanKind.INTERNAL, parent, startTime = this.clock.hrTime(), attributes } = options;
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    return new Work(this, this.#tracer.startSpan(name, { kind, startTime, attributes }, context));
  }

  /** A traced publish. The PRODUCER span ends when the broker has acknowledged, as instrumented clients do it. */
  publish(options: PublishOptions): void {
    const { link, topic, template, payload, qos = 1, parent, responseTopic, correlationData } = options;
    if (!link.isConnected) return;
    const work = this.start(`publish ${template ?? topic}`, {
      kind: SpanKind.PRODUCER,
      parent,
      attributes: {
        ...messagingAttributes(link, topic, template),
        'messaging.operation.type': 'send',
        'messaging.operation.name': 'publish',
        'messaging.message.body.size': payload.length,
        ...(correlationData && { 'messaging.message.conversation_id': correlationData.toString('hex') }),
      },
    });
    const properties = { userProperties: { traceparent: work.traceparent }, responseTopic, correlationData };
    link.publish(topic, payload, { qos, properties }, (error) => {
      if (error) work.fail(error.message);
      work.end();
    });
  }

  /** Opens the CONSUMER span of a message, from the moment it was received. */
  process(message: Message, template?: string): Work {
    const { correlationData } = message.properties;
    return this.start(`process ${template ?? message.topic}`, {
      kind: SpanKind.CONSUMER,
      parent: producerOf(message),
      startTime: message.receivedAt,
      attributes: {
        ...messagingAttributes(message.link, message.topic, template),
        'messaging.operation.type': 'process',
        'messaging.operation.name': 'process',
        'messaging.message.body.size': message.payload.length,
        ...(correlationData && { 'messaging.message.conversation_id': correlationData.toString('hex') }),
      },
    });
  }

  async stop(): Promise<void> {
    await this.#provider.shutdown().catch(() => {});
  }
}

/** One open span. */
export class Work {
  readonly service: Service;
  readonly #span: Span;

  constructor(service: Service, span: Span) {
    this.service = service;
    this.#span = span;
  }

  get context(): SpanContext {
    return this.#span.spanContext();
  }

  get traceparent(): string {
    const { traceId, spanId } = this.context;
    return `00-${traceId}-${spanId}-01`;
  }

  start(name: string, options: Omit<WorkOptions, 'parent'> = {}): Work {
    return this.service.start(name, { ...options, parent: this.context });
  }

  publish(options: Omit<PublishOptions, 'parent'>): void {
    this.service.publish({ ...options, parent: this.context });
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes);
  }

  fail(reason: string): void {
    this.#span.setAttribute('error.type', reason);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
  }

  end(): void {
    this.#span.end(this.service.clock.hrTime());
  }
}

export function producerOf(message: Message): SpanContext | undefined {
  const value = message.properties.userProperties?.traceparent;
  return parseTraceparent(Array.isArray(value) ? value[0] : value);
}

export function parseTraceparent(value: string | undefined): SpanContext | undefined {
  const found = value?.match(/^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/);
  if (!found) return undefined;
  const [, traceId = '', spanId = ''] = found;
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
}

export function newCorrelation(): Buffer {
  return randomBytes(8);
}

function messagingAttributes(link: MqttLink, topic: string, template: string | undefined): Attributes {
  return {
    'messaging.system': 'mqtt',
    'messaging.destination.name': topic,
    ...(template && { 'messaging.destination.template': template }),
    'messaging.client.id': link.clientId,
    'network.protocol.name': 'mqtt',
    'network.protocol.version': '5',
    'server.address': link.brokerName,
  };
}
