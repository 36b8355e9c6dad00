import { fromBinary, fromJson, type JsonValue } from '@bufbuild/protobuf';
import type { DataPoint, RejectReason, Sighting } from '../domain/ingest-batch.ts';
import type { Resource } from '../domain/span.ts';
import { resourceKey } from '../domain/span.ts';
import type { EpochMillis } from '../domain/units.ts';
import { attributesOfMessages } from './any-value-message.ts';
import {
  type ExportMetricsServiceRequest,
  ExportMetricsServiceRequestSchema,
} from './gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js';
import type { KeyValue } from './gen/opentelemetry/proto/common/v1/common_pb.js';
import type { Metric } from './gen/opentelemetry/proto/metrics/v1/metrics_pb.js';
import { parseJson } from './json-check.ts';
import type { WireLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import { currentAttributes, currentMetricName, isHostMetric } from './metric-names.ts';
import { addRejected, type Encoding, encoding, type ReadResult, rejectedCount } from './read-result.ts';
import { canonicalJson, emptyResource, resourceOf } from './resource.ts';
import { cutText } from './utf8.ts';

export interface ReadMetrics extends ReadResult {
  dataPoints: DataPoint[];
  sightings: Sighting[];
}

/**
 * Gauges and sums as they are, histograms and summaries as two points, `name.count` and `name.sum` (each counts as received).
 * A point that says it has no value (DataPointFlags NO_RECORDED_VALUE) is nobody's item. Throws MalformedError.
 */
export function readMetrics(
  body: Uint8Array,
  written: Encoding,
  arrivalMs: EpochMillis,
  limits: WireLimits,
): ReadMetrics {
  const request = parseRequest(body, written, limits);
  const points = new PointSink(arrivalMs, limits);
  for (const { resource: sent, scopeMetrics } of request.resourceMetrics) {
    const resource =
      sent === undefined ? emptyResource() : resourceOf(attributesOfMessages(sent.attributes, limits), limits);
    points.begin(resource);
    for (const { metrics } of scopeMetrics) for (const metric of metrics) readMetric(metric, points);
  }
  return points.finish();
}

function parseRequest(body: Uint8Array, written: Encoding, limits: WireLimits): ExportMetricsServiceRequest {
  if (written === encoding.json) {
    const json = parseJson(body, limits.jsonDepth) as JsonValue;
    return asMalformed(() =>
      fromJson(ExportMetricsServiceRequestSchema, json, {
        ignoreUnknownFields: true,
        recursionLimit: limits.protobufDepth,
      }),
    );
  }
  return asMalformed(() =>
    fromBinary(ExportMetricsServiceRequestSchema, body, {
      readUnknownFields: false,
      recursionLimit: limits.protobufDepth,
    }),
  );
}

function asMalformed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new MalformedError(
      `metrics: found ${cause instanceof Error ? cause.message : String(cause)}, wanted an ExportMetricsServiceRequest`,
      { cause },
    );
  }
}

const noRecordedValue = 1;

function readMetric(metric: Metric, points: PointSink): void {
  const { data } = metric;
  switch (data.case) {
    case 'gauge':
    case 'sum':
      for (const point of data.value.dataPoints) {
        if (point.flags & noRecordedValue) continue;
        const { value } = point.value;
        points.add(
          metric.name,
          '',
          point.attributes,
          point.timeUnixNano,
          value === undefined ? Number.NaN : Number(value),
        );
      }
      return;
    case 'histogram':
    case 'exponentialHistogram':
    case 'summary':
      for (const point of data.value.dataPoints) {
        if (point.flags & noRecordedValue) continue;
        points.add(metric.name, '.count', point.attributes, point.timeUnixNano, Number(point.count));
        if (point.sum !== undefined) points.add(metric.name, '.sum', point.attributes, point.timeUnixNano, point.sum);
      }
      return;
    default:
  }
}

/** Takes points one by one, under the limits of a request. */
class PointSink {
  private readonly dataPoints: DataPoint[] = [];
  private readonly heard = new Map<string, Sighting>();
  private readonly rejected: Partial<Record<RejectReason, number>> = {};
  private received = 0;
  private others = 0;
  private resource: Resource = emptyResource();
  private key = '';
  private readonly arrivalMs: EpochMillis;
  private readonly limits: WireLimits;

  constructor(arrivalMs: EpochMillis, limits: WireLimits) {
    this.arrivalMs = arrivalMs;
    this.limits = limits;
  }

  begin(resource: Resource): void {
    this.key = resourceKey(resource);
    // the same sender twice in one request is one resource
    this.resource = this.heard.get(this.key)?.resource ?? resource;
  }

  add(name: string, suffix: string, attributes: KeyValue[], timeUnixNano: bigint, value: number): void {
    const { limits, arrivalMs } = this;
    this.received++;
    const known = this.heard.get(this.key);
    if (known === undefined)
      this.heard.set(this.key, { resource: this.resource, source: 'metrics', arrivalMs, count: 1, intervalMs: null });
    else known.count++;
    const timeMs = Number(timeUnixNano / 1_000_000n);
    const metric = cutText(currentMetricName(name) + suffix, limits.keyBytes);
    const reason = this.refusal(metric, timeMs, value);
    if (name === '' || reason !== null) {
      this.reject(reason ?? 'malformed');
      return;
    }
    const attributesJson =
      attributes.length === 0
        ? ''
        : canonicalJson(currentAttributes(metric, attributesOfMessages(attributes, limits)), limits.valueBytes);
    this.dataPoints.push({ resource: this.resource, metric, attributesJson, timeMs, value });
  }

  private refusal(metric: string, timeMs: EpochMillis, value: number): RejectReason | null {
    const { limits, arrivalMs } = this;
    if (!Number.isFinite(value)) return 'malformed';
    if (timeMs < arrivalMs - limits.retentionMs || timeMs > arrivalMs + limits.aheadMs) return 'time';
    if (this.dataPoints.length >= limits.dataPointsPerRequest) return 'limit';
    return !isHostMetric(metric) && ++this.others > limits.otherDataPointsPerRequest ? 'limit' : null;
  }

  finish(): ReadMetrics {
    return {
      received: this.received,
      accepted: this.dataPoints.length,
      rejected: this.rejected,
      message: this.refusals(),
      dataPoints: this.dataPoints,
      sightings: [...this.heard.values()],
    };
  }

  private reject(reason: RejectReason): void {
    this.rejected[reason] = (this.rejected[reason] ?? 0) + 1;
  }

  private refusals(): string {
    const total = rejectedCount(this.rejected);
    if (total === 0) return '';
    const days = Math.round(this.limits.retentionMs / 86_400_000);
    const hours = Math.round(this.limits.aheadMs / 3_600_000);
    const why: Record<RejectReason, string> = {
      malformed: 'malformed: wanted a metric name and a finite value',
      time: `time: wanted a time of at most ${days} days ago and ${hours} hours ahead; check the sender's clock`,
      limit: `limit: wanted at most ${this.limits.dataPointsPerRequest} points a request, ${this.limits.otherDataPointsPerRequest} of them not of system, process, container or hw`,
      id: 'id',
      unsupported: 'unsupported',
    };
    const parts = (Object.keys(this.rejected) as RejectReason[]).map(
      (reason) => `${this.rejected[reason]} by ${why[reason]}`,
    );
    return `${total} of ${this.received} data points rejected: ${parts.join('; ')}`;
  }
}

/** Gathers the points of successive requests until `take`: one sighting for each sender. */
export class MetricsGathering {
  private received = 0;
  private rejected: Partial<Record<RejectReason, number>> = {};
  private dataPoints: DataPoint[] = [];
  private heard = new Map<string, Sighting>();
  private readonly limits: WireLimits;

  constructor(limits: WireLimits) {
    this.limits = limits;
  }

  get count(): number {
    return this.dataPoints.length;
  }

  /** Throws MalformedError; what was gathered stays as it was. */
  add(body: Uint8Array, written: Encoding, arrivalMs: EpochMillis): ReadResult {
    const { dataPoints, sightings, ...result } = readMetrics(body, written, arrivalMs, this.limits);
    this.received += result.received;
    addRejected(this.rejected, result.rejected);
    for (const point of dataPoints) this.dataPoints.push(point);
    for (const sighting of sightings) {
      const key = resourceKey(sighting.resource);
      const known = this.heard.get(key);
      if (known === undefined) this.heard.set(key, sighting);
      else {
        known.count += sighting.count;
        known.arrivalMs = Math.max(known.arrivalMs, sighting.arrivalMs);
      }
    }
    return result;
  }

  take(): {
    received: number;
    rejected: Partial<Record<RejectReason, number>>;
    dataPoints: DataPoint[];
    sightings: Sighting[];
  } {
    const taken = {
      received: this.received,
      rejected: this.rejected,
      dataPoints: this.dataPoints,
      sightings: [...this.heard.values()],
    };
    this.received = 0;
    this.rejected = {};
    this.dataPoints = [];
    this.heard = new Map();
    return taken;
  }
}
