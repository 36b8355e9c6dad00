import { create, type MessageInitShape, toBinary, toJson } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { capture } from './fixtures/captured.ts';
import { arrivalNanos, keyValues, type Values } from './fixtures/span-requests.ts';
import { ExportMetricsServiceRequestSchema } from './gen/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js';
import type { MetricSchema } from './gen/opentelemetry/proto/metrics/v1/metrics_pb.js';
import { defaultLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import { readMetrics } from './otlp-metrics.ts';
import { encoding } from './read-result.ts';
import { bytesOf } from './utf8.ts';

const arrivalMs = Number(arrivalNanos / 1_000_000n);
type MetricInit = MessageInitShape<typeof MetricSchema>;

function read(metrics: MetricInit[], resource: Values = { 'host.name': 'h' }, limits = defaultLimits) {
  const request = create(ExportMetricsServiceRequestSchema, {
    resourceMetrics: [{ resource: { attributes: keyValues(resource) }, scopeMetrics: [{ metrics }] }],
  });
  const result = readMetrics(
    toBinary(ExportMetricsServiceRequestSchema, request),
    encoding.protobuf,
    arrivalMs,
    limits,
  );
  const json = bytesOf(JSON.stringify(toJson(ExportMetricsServiceRequestSchema, request, { enumAsInteger: true })));
  expect(readMetrics(json, encoding.json, arrivalMs, limits)).toEqual(result);
  expect(result.received).toBe(result.dataPoints.length + Object.values(result.rejected).reduce((a, b) => a + b, 0));
  return result;
}

const gauge = (
  name: string,
  value: number | bigint,
  attributes: Values = {},
  timeUnixNano = arrivalNanos,
): MetricInit => ({
  name,
  data: {
    case: 'gauge',
    value: {
      dataPoints: [
        {
          timeUnixNano,
          attributes: keyValues(attributes),
          value: typeof value === 'bigint' ? { case: 'asInt', value } : { case: 'asDouble', value },
        },
      ],
    },
  },
});

test('gauges and sums, as integers or doubles', () => {
  const sum: MetricInit = {
    name: 'system.network.io',
    data: { case: 'sum', value: { dataPoints: [{ timeUnixNano: arrivalNanos, value: { case: 'asInt', value: 5n } }] } },
  };
  const { dataPoints, sightings } = read([
    gauge('system.cpu.utilization', 0.5, { 'cpu.mode': 'user' }),
    gauge('system.memory.usage', 2n ** 40n),
    sum,
  ]);
  expect(dataPoints.map((one) => [one.metric, one.attributesJson, one.value, one.timeMs])).toEqual([
    ['system.cpu.utilization', '{"cpu.mode":"user"}', 0.5, arrivalMs],
    ['system.memory.usage', '', 2 ** 40, arrivalMs],
    ['system.network.io', '', 5, arrivalMs],
  ]);
  expect(sightings).toMatchObject([
    { resource: { hostName: 'h' }, source: 'metrics', count: 3, arrivalMs, intervalMs: null },
  ]);
});

test('histograms and summaries are a count and a sum', () => {
  const point = { timeUnixNano: arrivalNanos, count: 3n };
  const { dataPoints, received } = read([
    { name: 'a', data: { case: 'histogram', value: { dataPoints: [{ ...point, sum: 1.5 }, point] } } },
    { name: 'b', data: { case: 'exponentialHistogram', value: { dataPoints: [{ ...point, sum: 2.5 }] } } },
    { name: 'c', data: { case: 'summary', value: { dataPoints: [{ ...point, sum: 3.5 }] } } },
  ]);
  expect(dataPoints.map((one) => [one.metric, one.value])).toEqual([
    ['a.count', 3],
    ['a.sum', 1.5],
    ['a.count', 3],
    ['b.count', 3],
    ['b.sum', 2.5],
    ['c.count', 3],
    ['c.sum', 3.5],
  ]);
  expect(received).toBe(7);
});

test('no number, no name, and a time nobody believes are refused; a point that has no value is nothing', () => {
  const empty: MetricInit = {
    name: 'x',
    data: { case: 'gauge', value: { dataPoints: [{ timeUnixNano: arrivalNanos, flags: 1 }] } },
  };
  const result = read([
    gauge('a', Number.NaN),
    gauge('a', Number.POSITIVE_INFINITY),
    gauge('', 1),
    gauge('a', 1, {}, 0n),
    gauge('a', 1, {}, arrivalNanos + 86_400_001_000_000n),
    { name: 'a', data: { case: 'gauge', value: { dataPoints: [{ timeUnixNano: arrivalNanos }] } } },
    { name: 'no data at all' },
    empty,
    gauge('a', 1),
  ]);
  expect(result).toMatchObject({ received: 7, accepted: 1, rejected: { malformed: 4, time: 2 } });
  expect(result.message).toContain('6 of 7 data points rejected');
});

test('host metrics are kept when others have had their share', () => {
  const limits = { ...defaultLimits, otherDataPointsPerRequest: 2, dataPointsPerRequest: 5 };
  const metrics = ['a', 'b', 'c', 'system.x', 'process.x', 'container.x', 'hw.x'].map((name) => gauge(name, 1));
  expect(read(metrics, {}, limits)).toMatchObject({ accepted: 5, rejected: { limit: 2 } });
});

const renamed: [metric: string, attributes: Values, currentMetric: string, current: Values][] = [
  [
    'system.cpu.time',
    { state: 'idle', cpu: 'cpu0' },
    'system.cpu.time',
    { 'cpu.logical_number': 'cpu0', 'cpu.mode': 'idle' },
  ],
  ['system.cpu.time', { 'system.cpu.state': 'idle' }, 'system.cpu.time', { 'cpu.mode': 'idle' }],
  ['cpu.utilization', { 'cpu.mode': 'user' }, 'system.cpu.utilization', { 'cpu.mode': 'user' }],
  ['system.memory.usage', { state: 'used' }, 'system.memory.usage', { 'system.memory.state': 'used' }],
  [
    'system.disk.io',
    { device: 'sda', direction: 'read' },
    'system.disk.io',
    { 'disk.io.direction': 'read', 'system.device': 'sda' },
  ],
  [
    'system.network.io',
    { device: 'eth0', direction: 'receive' },
    'system.network.io',
    { 'network.interface.name': 'eth0', 'network.io.direction': 'receive' },
  ],
  [
    'system.network.dropped',
    { 'network.io.direction': 'receive' },
    'system.network.packet.dropped',
    { 'network.io.direction': 'receive' },
  ],
  [
    'system.filesystem.usage',
    { mountpoint: '/', state: 'free' },
    'system.filesystem.usage',
    { 'system.filesystem.mountpoint': '/', 'system.filesystem.state': 'free' },
  ],
  ['process.cpu.time', { state: 'user' }, 'process.cpu.time', { 'cpu.mode': 'user' }],
  ['container.memory.paging.faults', {}, 'container.paging.faults', {}],
  ['system.cpu.time', { state: 'old', 'cpu.mode': 'new' }, 'system.cpu.time', { 'cpu.mode': 'new', state: 'old' }],
  ['my.metric', { state: 'x' }, 'my.metric', { state: 'x' }],
];
test.each(renamed)('old name: %s %j', (metric, attributes, currentMetric, current) => {
  const [point] = read([gauge(metric, 1, attributes)]).dataPoints;
  expect(point).toMatchObject({
    metric: currentMetric,
    attributesJson: Object.keys(current).length === 0 ? '' : JSON.stringify(current),
  });
});

test('captured: the JavaScript SDK in both encodings, and the Python SDK', () => {
  const pb = capture('js-sdk-0.301.0-metrics.bin');
  const json = capture('js-sdk-0.301.0-metrics.otlp-json');
  const python = capture('python-sdk-1.45.2-metrics.bin');
  const points = (one: typeof pb, encoded: 1 | 2) =>
    readMetrics(one.body, encoded, Number(one.arrivalNanos / 1_000_000n), defaultLimits);
  const plain = (result: ReturnType<typeof points>) =>
    result.dataPoints.map((one) => [one.metric, one.attributesJson, one.value]);
  const a = points(pb, encoding.protobuf);
  expect(plain(points(json, encoding.json))).toEqual(plain(a));
  expect(a.rejected).toEqual({});
  expect(plain(a)).toContainEqual(['system.cpu.utilization', '{"cpu.mode":"idle"}', 0.58]);
  expect(plain(a)).toContainEqual(['process.cpu.time', '{"cpu.mode":"user"}', 3]);
  expect(plain(a)).toContainEqual(['http.server.request.duration.count', '{"http.route":"/press"}', 2]);
  expect(plain(points(python, encoding.protobuf))).toContainEqual([
    'system.network.io',
    '{"network.interface.name":"eth0","network.io.direction":"receive"}',
    1234,
  ]);
});

test('malformed twins: every captured body, cut anywhere or with any byte turned, is read or refused', {
  timeout: 30_000,
}, () => {
  for (const [file, encoded] of [
    ['js-sdk-0.301.0-metrics.bin', encoding.protobuf],
    ['js-sdk-0.301.0-metrics.otlp-json', encoding.json],
  ] as const) {
    const { body } = capture(file);
    for (let i = 0; i < body.length; i++) {
      const turned = body.slice();
      turned[i]! ^= 1 << (i % 8);
      for (const bytes of [turned, body.subarray(0, i)]) {
        try {
          readMetrics(bytes, encoded, arrivalMs, defaultLimits);
        } catch (cause) {
          expect(cause).toBeInstanceOf(MalformedError);
        }
      }
    }
  }
});

test('bombs are refused', () => {
  for (const body of [Buffer.alloc(100_000, 0x0b), Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])])
    expect(() => readMetrics(body, encoding.protobuf, arrivalMs, defaultLimits)).toThrow(MalformedError);
  for (const text of ['['.repeat(1_000_000), '{"resourceMetrics":7}', '7', 'null', '', '{"resourceMetrics":[null]}'])
    expect(() => readMetrics(bytesOf(text), encoding.json, arrivalMs, defaultLimits)).toThrow(MalformedError);
});
