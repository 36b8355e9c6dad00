import { expect, test } from 'vitest';
import { signal } from '../domain/ingest-batch.ts';
import { decodeBatch, deliveriesOf, MetricsBatch, MqttBatch, type SealedBatch, TracesBatch } from './batch-codec.ts';
import { capture, captured } from './fixtures/captured.ts';
import { arrivalNanos, drawnSpan, jsonOf, protobufOf, requestOf } from './fixtures/span-requests.ts';
import { defaultLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import { encodeMqttEntry, MqttEntryWriter, readMqttEntries } from './mqtt-entry.ts';
import { deliveryHash, type MqttPacket, mqttEntry } from './mqtt-message.ts';
import { encoding } from './read-result.ts';
import { bytesOf } from './utf8.ts';

const replay = ({ spooled }: SealedBatch, seq: number) =>
  decodeBatch(structuredClone(spooled), 'c1', seq, defaultLimits);

test('traces: what is replayed from the spool equals what was taken live, batch after batch', () => {
  const batch = new TracesBatch(defaultLimits, 'c1');
  const late = drawnSpan(3, { startTimeUnixNano: 5n });
  for (let seq = 1; seq <= 3; seq++) {
    expect(batch.empty).toBe(true);
    batch.add(encoding.protobuf, protobufOf(requestOf([drawnSpan(1), late], { 'host.name': 'a' })), arrivalNanos);
    expect(() => batch.add(encoding.protobuf, Uint8Array.of(0x0b), arrivalNanos)).toThrow(MalformedError);
    batch.add(
      encoding.json,
      jsonOf(requestOf([drawnSpan(2, { name: `only in ${seq}` })], { 'host.name': `b${seq}` })),
      arrivalNanos + 3_000_123n,
    );
    batch.add(encoding.protobuf, protobufOf(requestOf([late], { 'host.name': 'c' })), arrivalNanos + 4_000_000n);
    expect(batch.add(encoding.protobuf, new Uint8Array(0), arrivalNanos)).toMatchObject({ received: 0 });
    expect(batch.items).toBe(2);
    const sealed = batch.seal();
    const live = sealed.ingest(seq);
    expect(replay(sealed, seq)).toEqual(live);
    expect(live).toMatchObject({
      collectorId: 'c1',
      seq,
      signal: signal.traces,
      received: 4,
      rejected: { time: 2 },
      spans: { count: 2 },
      arrivalMs: Number(arrivalNanos / 1_000_000n),
    });
    expect(live.sightings).toHaveLength(3);
    expect(live.raw).toBe(sealed.spooled.raw);
  }
});

test('metrics: likewise', () => {
  const batch = new MetricsBatch(defaultLimits, 'c1');
  for (let seq = 1; seq <= 2; seq++) {
    for (const { file, body, arrivalNanos: at } of captured.filter((one) => one.file.includes('metrics')))
      batch.add(file.endsWith('json') ? encoding.json : encoding.protobuf, body, at);
    const sealed = batch.seal();
    const live = sealed.ingest(seq);
    expect(replay(sealed, seq)).toEqual(live);
    expect(live.raw).toBeNull();
    expect(live.dataPoints.length).toBeGreaterThan(10);
    expect(live.received).toBe(live.dataPoints.length);
  }
  const { body, arrivalNanos: at } = capture('js-sdk-0.301.0-metrics.bin');
  expect(batch.empty).toBe(true);
  batch.add(encoding.protobuf, body, at);
  expect(batch.items).toBeGreaterThan(0);
});

const joined = (runs: Uint8Array[]) => new Uint8Array(Buffer.concat(runs));
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const packets: [MqttPacket, string][] = [
  [
    {
      topic: 'a/b',
      payload: bytesOf('hello'),
      qos: 1,
      retain: false,
      dup: false,
      properties: { userProperties: { traceparent } },
    },
    'p1',
  ],
  [{ topic: 'a/b', payload: bytesOf('x'), qos: 2, retain: true, dup: true }, ''],
  [{ topic: 'größe/€', payload: new Uint8Array(100_000), qos: 0, retain: false, dup: false }, 'p2'],
  [
    {
      topic: 'hopscope/v1/d/heartbeat',
      payload: bytesOf(JSON.stringify({ v: 1, sentUnixNano: '5', cpu: 0.5 })),
      qos: 0,
      retain: false,
      dup: false,
    },
    '',
  ],
  [{ topic: 'hopscope/v1/d/heartbeat', payload: bytesOf('{'), qos: 0, retain: false, dup: false }, ''],
  [{ topic: 'hopscope/v1/d/status', payload: new Uint8Array(70_000), qos: 0, retain: false, dup: false }, ''],
  [
    {
      topic: 'x/metrics',
      payload: bytesOf(JSON.stringify({ host: 'h', cpu: 0.5 })),
      qos: 0,
      retain: false,
      dup: false,
    },
    '',
  ],
  [{ topic: '', payload: new Uint8Array(0), qos: 0, retain: false, dup: false }, ''],
];

test('mqtt: likewise, and payloads that nobody reads are not spooled', () => {
  const batch = new MqttBatch(defaultLimits, 'c1');
  for (let seq = 1; seq <= 2; seq++) {
    packets.forEach(([packet, publisher], i) => {
      batch.add(packet, i % 2 ? 'main' : 'second', arrivalNanos + BigInt(i) * 20_000_000_001n, publisher);
    });
    expect(batch.items).toBe(8);
    expect(batch.bytes).toBeLessThan(1000);
    const sealed = batch.seal();
    const live = sealed.ingest(seq);
    expect(replay(sealed, seq)).toEqual(live);
    expect(live).toMatchObject({ received: 10, rejected: { malformed: 2 }, raw: null, spans: null });
    expect(live.passages).toHaveLength(1);
  }
});

test('mqtt entries: runs of several writers may stand one after another', () => {
  const entries = packets.map(([packet, publisher], i) =>
    mqttEntry(packet, 'main', arrivalNanos + BigInt(i), publisher, defaultLimits),
  );
  const writer = new MqttEntryWriter();
  for (const entry of entries) writer.write(entry);
  const together = writer.take();
  const single = joined(
    packets.map(([packet, publisher], i) =>
      encodeMqttEntry(packet, 'main', arrivalNanos + BigInt(i), publisher, defaultLimits),
    ),
  );
  expect(readMqttEntries(together)).toEqual(entries);
  expect(readMqttEntries(single)).toEqual(entries);
  expect(readMqttEntries(joined([single, together]))).toEqual([...entries, ...entries]);
});

test('what a repetition is known by comes back from the spool, for QoS 1 and 2 alone', () => {
  const payload = Buffer.from('21.5');
  const batch = new MqttBatch(defaultLimits, 'one');
  const packet = { topic: 'room/1', payload, qos: 1, retain: false, dup: false, messageId: 65_535 };
  batch.add(packet, 'main', arrivalNanos, 'sensor');
  batch.add({ ...packet, qos: 0, messageId: undefined }, 'main', arrivalNanos);
  const found = deliveriesOf(batch.seal().spooled.raw, defaultLimits);
  expect(found).toEqual([
    {
      broker: 'main',
      publisher: 'sensor',
      arrivalNanos,
      messageId: 65_535,
      hash: deliveryHash({ topic: 'room/1', payload }),
    },
  ]);
  const traced = { userProperties: { traceparent: '00-03a1a2a3a4a5a6a7a8a9aaabacadae20-b1b2b3b4b5b6b701-01' } };
  expect(deliveryHash({ topic: 'room/1', payload, properties: traced })).not.toBe(found[0]!.hash);
});

test('damaged bytes out of the spool are refused, never more', () => {
  const writer = new MqttEntryWriter();
  for (const [packet, publisher] of packets)
    writer.write(mqttEntry(packet, 'main', arrivalNanos, publisher, defaultLimits));
  const bytes = writer.take();
  const read = (damaged: Uint8Array) => {
    try {
      readMqttEntries(damaged);
    } catch (cause) {
      expect(cause).toBeInstanceOf(MalformedError);
    }
  };
  for (let i = 0; i < bytes.length; i++) {
    read(bytes.subarray(0, i));
    for (const mask of [1, 0x80, 0xff]) {
      const turned = bytes.slice();
      turned[i]! ^= mask;
      read(turned);
    }
  }
  for (const kind of [signal.traces, signal.metrics, signal.mqtt])
    expect(() =>
      decodeBatch({ signal: kind, arrivalNanos, raw: Uint8Array.of(1, 2, 3) }, 'c1', 1, defaultLimits),
    ).toThrow(MalformedError);
  expect(() =>
    decodeBatch(
      { signal: 9 as never, arrivalNanos, raw: new TracesBatch(defaultLimits, 'c1').seal().spooled.raw },
      'c1',
      1,
      defaultLimits,
    ),
  ).toThrow(/signal 9/);
});

test('a batch takes no more than a replay would unpack', () => {
  const batch = new TracesBatch({ ...defaultLimits, batchBytes: 500 }, 'c1');
  const body = protobufOf(requestOf([drawnSpan(1)]));
  const add = () => batch.add(encoding.protobuf, body, arrivalNanos);
  while (batch.bytes + body.length + 13 <= 500) add();
  const { items } = batch;
  expect(add).toThrow(RangeError);
  expect(batch.items).toBe(items);
  const sealed = batch.seal();
  expect(decodeBatch(sealed.spooled, 'c1', 1, { ...defaultLimits, batchBytes: 500 })).toEqual(sealed.ingest(1));
});
