import { expect, test } from 'vitest';
import { echoPayload, echoTopic } from './device-topics.ts';
import { defaultLimits } from './limits.ts';
import { type MqttPacket, MqttReader } from './mqtt-message.ts';
import { bytesOf } from './utf8.ts';

const arrivalNanos = 1_795_219_200_000_000_000n;
const arrivalMs = Number(arrivalNanos / 1_000_000n);
const minute = Math.floor(arrivalMs / 60_000);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const packet = (
  topic: string,
  payload: string | Uint8Array | object = 'x',
  more: Partial<MqttPacket> = {},
): MqttPacket => ({
  topic,
  payload:
    payload instanceof Uint8Array ? payload : bytesOf(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  qos: 0,
  retain: false,
  dup: false,
  ...more,
});

function read(...packets: MqttPacket[]) {
  const reader = new MqttReader(defaultLimits, 'c1');
  for (const one of packets) reader.read(one, 'main', arrivalNanos);
  const parts = reader.take();
  const rejected = Object.values(parts.rejected).reduce((a, b) => a + b, 0);
  const messages = parts.topicTraffic.reduce((sum, row) => sum + row.messages + row.retained, 0);
  // the books of the batch
  expect(parts.received).toBe(messages + parts.dataPoints.length + rejected);
  return parts;
}

test('a retained replay is state: no traffic, no passage, no heartbeat, no clock', () => {
  const heartbeat = { v: 1, sentUnixNano: String(arrivalNanos - 5n), intervalMs: 1000 };
  const properties = { userProperties: { traceparent } };
  const parts = read(
    packet('a/b', 'xyz', { retain: true, properties }),
    packet('hopscope/v1/edge-7/heartbeat', heartbeat, { retain: true }),
    packet('hopscope/v1/edge-7/echo-reply', { id: 'c1:1', t1: '1', t2: '2', t3: '3' }, { retain: true }),
    packet('edge/metrics', { host: 'h', cpu: 0.5 }, { retain: true }),
  );
  expect(parts.topicTraffic.map((row) => [row.topic, row.messages, row.payloadBytes, row.retained])).toEqual([
    ['a/b', 0, 0, 1],
    ['hopscope/v1/edge-7/heartbeat', 0, 0, 1],
    ['hopscope/v1/edge-7/echo-reply', 0, 0, 1],
    ['edge/metrics', 0, 0, 1],
  ]);
  expect(parts).toMatchObject({ passages: [], sightings: [], clockObservations: [], dataPoints: [] });
});

test('a retained status is what the device last said of itself', () => {
  const parts = read(
    packet('hopscope/v1/edge-7/status', 'offline', { retain: true }),
    packet('hopscope/v1/edge-7/status', 'online'),
  );
  expect(parts.deviceReports.map((one) => [one.resource.hostName, one.state, one.retained])).toEqual([
    ['edge-7', 'offline', true],
    ['edge-7', 'online', false],
  ]);
  expect(read(packet('hopscope/v1/edge-7/status', '', { retain: true })).deviceReports).toEqual([]);
});

test('traffic adds up by topic, minute and publisher', () => {
  const reader = new MqttReader(defaultLimits, 'c1');
  reader.read(packet('a', 'xx'), 'main', arrivalNanos, 'p1');
  reader.read(packet('a', 'xxx'), 'main', arrivalNanos + 1_000_000n, 'p1');
  reader.read(packet('a', 'x'), 'main', arrivalNanos, 'p2');
  reader.read(packet('a', 'x'), 'other', arrivalNanos, 'p1');
  reader.read(packet('a', 'x'), 'main', arrivalNanos + 60_000_000_000n, 'p1');
  reader.read(packet('a', 'x'), 'main', arrivalNanos, 'p1');
  expect(reader.count).toBe(6);
  const { topicTraffic, received } = reader.take();
  expect(received).toBe(6);
  expect(topicTraffic).toEqual([
    {
      broker: 'main',
      topic: 'a',
      minute,
      messages: 3,
      payloadBytes: 6,
      retained: 0,
      lastMs: arrivalMs + 1,
      publisher: 'p1',
    },
    {
      broker: 'main',
      topic: 'a',
      minute,
      messages: 1,
      payloadBytes: 1,
      retained: 0,
      lastMs: arrivalMs,
      publisher: 'p2',
    },
    {
      broker: 'other',
      topic: 'a',
      minute,
      messages: 1,
      payloadBytes: 1,
      retained: 0,
      lastMs: arrivalMs,
      publisher: 'p1',
    },
    {
      broker: 'main',
      topic: 'a',
      minute: minute + 1,
      messages: 1,
      payloadBytes: 1,
      retained: 0,
      lastMs: arrivalMs + 60_000,
      publisher: 'p1',
    },
  ]);
  expect(reader.take()).toMatchObject({ received: 0, topicTraffic: [] });
});

test('topics beyond the bound add up under one name, and the sums stay exact', () => {
  const reader = new MqttReader({ ...defaultLimits, topicsPerBatch: 3 }, 'c1');
  for (let i = 0; i < 100; i++) reader.read(packet(`t/${i % 10}`, 'xx'), 'main', arrivalNanos, `p${i % 2}`);
  const { topicTraffic } = reader.take();
  expect(topicTraffic).toHaveLength(4);
  expect(topicTraffic.reduce((sum, row) => sum + row.messages, 0)).toBe(100);
  expect(topicTraffic.find((row) => row.topic === '__other__')).toMatchObject({
    messages: 70,
    payloadBytes: 140,
    publisher: '',
  });
});

test('a message with a sampled traceparent is a passage', () => {
  const properties = { userProperties: { traceparent } };
  const parts = read(
    packet('a/b', 'xyz', { qos: 1, properties }),
    packet('a/b', 'xyz', { dup: true, properties }),
    packet('a/b', 'xyz', { properties: { userProperties: { traceparent: traceparent.replace(/1$/, '0') } } }),
    packet('a/b', 'xyz', { properties: { userProperties: { traceparent: [traceparent, traceparent] } } }),
    packet('a/b', 'xyz', { properties: { userProperties: { traceparent: 'rubbish' } } }),
    packet('a/b', 'xyz', { properties: { userProperties: null } }),
  );
  expect(parts.passages).toEqual([
    {
      broker: 'main',
      topic: 'a/b',
      traceHi: 0x0af7651916cd43ddn,
      traceLo: 0x8448eb211c80319cn,
      spanId: 0xb7ad6b7169203331n,
      receiveNanos: arrivalNanos,
      payloadBytes: 3,
      qos: 1,
    },
  ]);
  expect(parts.topicTraffic[0]!.messages).toBe(6);
});

test('a heartbeat is a sighting, two data points and a look at the clock', () => {
  const parts = read(
    packet('hopscope/v1/edge-7/heartbeat', {
      v: 1,
      sentUnixNano: String(arrivalNanos - 12_345n),
      seq: 4,
      intervalMs: 5000,
      cpu: 0.25,
      memory: 0.5,
    }),
  );
  const resource = expect.objectContaining({ hostName: 'edge-7', hostId: '' });
  expect(parts.sightings).toEqual([{ resource, source: 'heartbeat', arrivalMs, count: 1, intervalMs: 5000 }]);
  expect(parts.dataPoints).toEqual([
    { resource, metric: 'system.cpu.utilization', attributesJson: '', timeMs: arrivalMs, value: 0.25 },
    { resource, metric: 'system.memory.utilization', attributesJson: '', timeMs: arrivalMs, value: 0.5 },
  ]);
  expect(parts.clockObservations).toEqual([
    {
      from: resource,
      to: expect.objectContaining({ hostId: 'hopscope-collector:c1' }),
      atNanos: arrivalNanos,
      rawNanos: 12_345n,
      source: 'heartbeat',
      broker: 'main',
    },
  ]);
  expect(
    read(packet('hopscope/v1/edge-7/heartbeat', { v: 1, sentUnixNano: '5' }, { dup: true })).clockObservations,
  ).toEqual([]);
});

test('an echo reply is two looks at the clock, for the collector that asked', () => {
  const asked = JSON.parse(echoPayload('c1', 7, 1000n)) as { id: string; t1: string };
  expect(echoTopic('edge-7')).toBe('hopscope/v1/edge-7/echo');
  const reply = { ...asked, t2: '5000', t3: String(arrivalNanos - 7n) };
  const parts = read(
    packet('hopscope/v1/edge-7/echo-reply', reply),
    packet('hopscope/v1/edge-7/echo', 'whatever we said'),
  );
  expect(
    parts.clockObservations.map((one) => [
      one.from.hostId || one.from.hostName,
      one.to.hostId || one.to.hostName,
      one.rawNanos,
      // asked at 1000, however long the answer was kept
      one.atNanos,
      one.source,
    ]),
  ).toEqual([
    ['hopscope-collector:c1', 'edge-7', 4000n, 1000n, 'echo'],
    ['edge-7', 'hopscope-collector:c1', 7n, arrivalNanos, 'echo'],
  ]);
  expect(parts.rejected).toEqual({});
  expect(read(packet('hopscope/v1/edge-7/echo-reply', { ...reply, id: 'c2:7' }))).toMatchObject({
    clockObservations: [],
    rejected: {},
  });
});

test.each<[string, string | object | Uint8Array]>([
  ['heartbeat', 'no json'],
  ['heartbeat', { v: 2, sentUnixNano: '5' }],
  ['heartbeat', { v: 1, sentUnixNano: '-5' }],
  ['heartbeat', { v: 1, sentUnixNano: '5', cpu: 1.5 }],
  ['heartbeat', { v: 1, sentUnixNano: '99999999999999999999' }],
  ['heartbeat', '['.repeat(60_000)],
  ['heartbeat', new Uint8Array(70_000)],
  ['heartbeat', Uint8Array.of(0xff, 0xfe)],
  ['echo-reply', { id: 'c1:7', t1: '1', t2: '2' }],
  ['status', 'perhaps'],
  ['status', new Uint8Array(300)],
])('malformed on our own topic: %s %#', (what, payload) => {
  expect(read(packet(`hopscope/v1/edge-7/${what}`, payload))).toMatchObject({
    received: 1,
    rejected: { malformed: 1 },
    topicTraffic: [],
    sightings: [],
  });
});

test('plain JSON metrics: shares, percents where the key says so, and only of hosts that name themselves', () => {
  const values = (json: unknown) =>
    read(packet('plant/metrics', json as object)).dataPoints.map((one) => [
      one.resource.hostName,
      one.metric,
      one.value,
      one.timeMs - arrivalMs,
    ]);
  expect(values({ host: 'h', cpu: 0.4, memory: 1 })).toEqual([
    ['h', 'system.cpu.utilization', 0.4, 0],
    ['h', 'system.memory.utilization', 1, 0],
  ]);
  expect(values({ device: 'd', cpuPercent: 40, mem_percent: 50, timestamp: arrivalMs / 1000 - 2 })).toEqual([
    ['d', 'system.cpu.utilization', 0.4, -2000],
    ['d', 'system.memory.utilization', 0.5, -2000],
  ]);
  for (const other of [
    { cpu: 0.4 },
    { host: 'h', cpu: 40 },
    { host: 'h', cpu: '0.4' },
    { host: 7, cpu: 0.4 },
    [1],
    null,
    'text',
    { host: 'h' },
  ])
    expect(values(other)).toEqual([]);
  expect(read(packet('plant/metrics', 'cpu,host=a usage=1'))).toMatchObject({
    rejected: {},
    topicTraffic: [{ messages: 1 }],
  });
  expect(read(packet('plant/other', { host: 'h', cpu: 0.4 })).dataPoints).toEqual([]);
  expect(read(packet('plant/metrics', { host: 'h', cpu: 0.4, timestamp: 5 }))).toMatchObject({
    dataPoints: [],
    rejected: { time: 1 },
    received: 2,
  });
});

test('Telegraf JSON, alone and in a batch', () => {
  const timestamp = arrivalMs / 1000 - 10;
  const cpu = { name: 'cpu', tags: { host: 'h', cpu: 'cpu-total' }, fields: { usage_idle: 75 }, timestamp };
  const core = { name: 'cpu', tags: { host: 'h', cpu: 'cpu0' }, fields: { usage_idle: 1 }, timestamp };
  const mem = { name: 'mem', tags: { host: 'h' }, fields: { used_percent: 40, used: 4, total: 10 }, timestamp };
  const points = (topic: string, json: object) =>
    read(packet(topic, json)).dataPoints.map((one) => [
      one.metric,
      one.attributesJson,
      one.value,
      one.timeMs - arrivalMs,
    ]);
  expect(points('telegraf/h/cpu', cpu)).toEqual([['system.cpu.utilization', '', 0.25, -10_000]]);
  expect(
    points('telegraf/h/cpu', { metrics: [cpu, core, mem, { name: 'nginx', tags: { host: 'h' }, fields: { x: 1 } }] }),
  ).toEqual([
    ['system.cpu.utilization', '', 0.25, -10_000],
    ['system.memory.utilization', '', 0.4, -10_000],
    ['system.memory.usage', '{"system.memory.state":"used"}', 4, -10_000],
    ['system.memory.limit', '', 10, -10_000],
  ]);
  const batch = read(packet('telegraf/h', { metrics: [cpu, mem] }));
  expect(batch.sightings).toMatchObject([{ source: 'json-metrics', count: 2, intervalMs: null }]);
  expect(points('telegraf/h/cpu', { ...cpu, tags: {} })).toEqual([]);
  expect(points('telegraf/h/cpu', { ...cpu, name: '__proto__' })).toEqual([]);
});

test('names longer than a topic may be are cut; payloads need be no text', () => {
  const parts = read(packet('ü'.repeat(2000), Uint8Array.of(0xff, 0x00)));
  expect(parts.topicTraffic[0]).toMatchObject({ topic: 'ü'.repeat(512), messages: 1, payloadBytes: 2 });
});

test('a stranger below our own root is traffic like any other', () => {
  const topics = [
    'hopscope/v1/a/b/heartbeat',
    'hopscope/v1//heartbeat',
    'hopscope/v1/edge',
    'hopscope/v2/a/heartbeat',
    'hopscope/v1/a/other',
  ];
  expect(read(...topics.map((topic) => packet(topic, 'x')))).toMatchObject({ rejected: {}, received: topics.length });
});
