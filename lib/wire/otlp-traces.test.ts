import { expect, test } from 'vitest';
import { messagingOperation } from '../domain/span.ts';
import { spanFlag } from '../domain/span-columns.ts';
import { capture, captured } from './fixtures/captured.ts';
import { fastestMs } from './fixtures/fastest.ts';
import {
  arrivalNanos,
  drawnSpan,
  jsonOf,
  keyValues,
  protobufOf,
  requestOf,
  rowsOf,
  type SpanInit,
  spanIdOf,
  traceIdOf,
  type Values,
} from './fixtures/span-requests.ts';
import { defaultLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import { SpanReader } from './otlp-traces.ts';
import { bytesOf, textOf } from './utf8.ts';

const reader = () => new SpanReader(defaultLimits, 'c1');

/** Both encodings through both readers; they must agree, so one of them is given back. */
function readBoth(spans: SpanInit[], resource?: Values) {
  const request = requestOf(spans, resource);
  const protobuf = reader();
  const json = reader();
  const result = protobuf.readProtobuf(protobufOf(request), arrivalNanos);
  expect(json.readJson(jsonOf(request), arrivalNanos)).toEqual(result);
  const taken = protobuf.take();
  expect(json.take()).toEqual(taken);
  return { result, rows: rowsOf(taken.spans), ...taken };
}

/** A request whose first spans are whole and whose end is not: the worst kind, for the reader has begun to believe it. */
const brokenAtTheEnd = (spans: SpanInit[], resource?: Values) =>
  Buffer.concat([protobufOf(requestOf(spans, resource)), Uint8Array.of(0x0b)]);

test('a malformed request takes back everything it began, and the reader goes on', () => {
  const whole = protobufOf(requestOf([drawnSpan(1)]));
  const broken = brokenAtTheEnd(
    [drawnSpan(2, { links: [{ traceId: traceIdOf(9), spanId: spanIdOf(9) }] }), drawnSpan(3)],
    {
      'service.name': 'other',
    },
  );
  const r = reader();
  r.readProtobuf(whole, arrivalNanos);
  expect(() => r.readProtobuf(broken, arrivalNanos)).toThrow(MalformedError);
  const lastIsBroken = JSON.parse(textOf(jsonOf(requestOf([drawnSpan(5), drawnSpan(6)], { 'service.name': 'third' }))));
  lastIsBroken.resourceSpans[0].scopeSpans[0].spans[1].name = 7;
  expect(() => r.readJson(bytesOf(JSON.stringify(lastIsBroken)), arrivalNanos)).toThrow(/wanted a string in span.name/);
  expect(r.count).toBe(1);
  r.readProtobuf(protobufOf(requestOf([drawnSpan(4)])), arrivalNanos);
  const clean = reader();
  clean.readProtobuf(whole, arrivalNanos);
  clean.readProtobuf(protobufOf(requestOf([drawnSpan(4)])), arrivalNanos);
  expect(r.take()).toEqual(clean.take());
});

test('names learnt in a request that was taken back are still right later', () => {
  const r = reader();
  const named = (name: string) => protobufOf(requestOf([drawnSpan(1, { name })]));
  // one name the cache keeps, one too long for it
  for (const learnt of ['learnt', 'l'.repeat(600)]) {
    for (const name of ['a', learnt, 'b']) {
      expect(() =>
        r.readProtobuf(brokenAtTheEnd([drawnSpan(1, { name: learnt }), drawnSpan(2, { name: 'never' })]), arrivalNanos),
      ).toThrow(MalformedError);
      r.readProtobuf(named(name), arrivalNanos);
    }
    const { spans } = r.take();
    expect(spans.strings).toEqual(['', 'a', learnt, 'b']);
    expect(rowsOf(spans).map((row) => row.name)).toEqual(['a', learnt, 'b']);
  }
  r.readProtobuf(named('learnt'), arrivalNanos);
  expect(r.take().spans.strings).toEqual(['', 'learnt']);
});

test('a malformed resource leaves no resource behind under its bytes', () => {
  const r = reader();
  // Resource { attributes: KeyValue { a group } } and a span
  const broken = Uint8Array.of(0x0a, 9, 0x0a, 3, 0x0a, 1, 0x0b, 0x12, 2, 0x12, 0);
  expect(() => r.readProtobuf(broken, arrivalNanos)).toThrow(MalformedError);
  for (const name of ['a', 'b', 'a', 'c', 'b'])
    r.readProtobuf(protobufOf(requestOf([drawnSpan(1)], { 'service.name': name })), arrivalNanos);
  expect(() => r.readProtobuf(broken, arrivalNanos)).toThrow(MalformedError);
  expect(rowsOf(r.take().spans).map((row) => row.resource.serviceName)).toEqual(['a', 'b', 'a', 'c', 'b']);
});

test('of a value written twice the last one counts, whatever it is', () => {
  const system = (...any: number[]) => {
    const key = [0x0a, 16, ...bytesOf('messaging.system')];
    return [...key, 0x12, any.length, ...any];
  };
  const text = [0x0a, 4, ...bytesOf('mqtt')];
  const number = [0x18, 5];
  const read = (...any: number[]) => {
    const attribute = system(...any);
    const span = protobufOf(requestOf([drawnSpan(1)], {}));
    const inner = Buffer.concat([spanBytesOf(span), Uint8Array.of(0x4a, attribute.length, ...attribute)]);
    const r = reader();
    r.readProtobuf(wrapped(0x0a, wrapped(0x12, wrapped(0x12, inner))), arrivalNanos);
    return rowsOf(r.take().spans)[0]!.system;
  };
  expect(read(...text)).toBe('mqtt');
  expect(read(...text, ...number)).toBe('');
  expect(read(...number, ...text)).toBe('mqtt');
});

const wrapped = (tag: number, body: Uint8Array) => Buffer.concat([Uint8Array.of(tag), varint(body.length), body]);
/** The bytes of the only span of a request that has a scope called `drawn` and no resource attributes. */
function spanBytesOf(request: Uint8Array): Uint8Array {
  const at = Buffer.from(request).indexOf(Buffer.from([0x0a, 16, 0xa0]));
  return request.subarray(at);
}

test('ids must have their length and not be zero; a parent is 8 bytes or none', () => {
  const { result, rows } = readBoth([
    drawnSpan(1, { traceId: new Uint8Array(16) }),
    drawnSpan(2, { traceId: new Uint8Array(15).fill(1) }),
    drawnSpan(3, { spanId: new Uint8Array(8) }),
    drawnSpan(4, { spanId: new Uint8Array(0) }),
    drawnSpan(5, { parentSpanId: new Uint8Array(7).fill(1) }),
    drawnSpan(6, { parentSpanId: spanIdOf(1) }),
    drawnSpan(7),
  ]);
  expect(result).toMatchObject({ received: 7, accepted: 2, rejected: { id: 5 } });
  expect(result.message).toContain('5 of 7 spans rejected: 5 by id');
  expect(rows.map((row) => row.parentId)).toEqual([0xb0b1b2b3b4b5b601n, 0n]);
});

test('time: within retention before and a day after arrival, and no end before the start', () => {
  const at = (startTimeUnixNano: bigint, endTimeUnixNano = startTimeUnixNano) => ({
    startTimeUnixNano,
    endTimeUnixNano,
  });
  const day = 86_400_000_000_000n;
  const { result, rows } = readBoth([
    drawnSpan(1, at(arrivalNanos - 7n * day)),
    drawnSpan(2, at(arrivalNanos - 7n * day - 1n)),
    drawnSpan(3, at(arrivalNanos + day)),
    drawnSpan(4, at(arrivalNanos + day + 1n)),
    drawnSpan(5, at(arrivalNanos, arrivalNanos - 1n)),
    drawnSpan(6, at(0n)),
    drawnSpan(7, at(2n ** 63n, 2n ** 64n - 1n)),
    drawnSpan(8, at(arrivalNanos, 2n ** 63n)),
    drawnSpan(9, at(arrivalNanos, arrivalNanos + 0x1_0000_0001n)),
  ]);
  expect(result).toMatchObject({ received: 9, accepted: 3, rejected: { time: 6 } });
  expect(rows.map((row) => [row.startNanos - arrivalNanos, row.durationNanos])).toEqual([
    [-7n * day, 0n],
    [day, 0n],
    [0n, 0x1_0000_0001n],
  ]);
});

test('spans beyond the limit of a request are counted and refused', () => {
  const limits = { ...defaultLimits, spansPerRequest: 3 };
  const body = protobufOf(requestOf([1, 2, 3, 4, 5].map((n) => drawnSpan(n))));
  const r = new SpanReader(limits, 'c1');
  expect(r.readProtobuf(body, arrivalNanos)).toMatchObject({ received: 5, accepted: 3, rejected: { limit: 2 } });
  expect(r.take().spans.count).toBe(3);
});

// wire.md 1.3, 1.5: whatever the spelling, the same columns
const spellings: [what: string, attributes: Values, system: string, destination: string, operation: number][] = [
  [
    'today',
    { 'messaging.system': 'mqtt', 'messaging.operation.type': 'send', 'messaging.destination.name': 'a/b' },
    'mqtt',
    'a/b',
    messagingOperation.send,
  ],
  [
    'template before name',
    { 'messaging.system': 'mqtt', 'messaging.destination.name': 'a/7', 'messaging.destination.template': 'a/{n}' },
    'mqtt',
    'a/{n}',
    0,
  ],
  [
    'empty template',
    { 'messaging.system': 'mqtt', 'messaging.destination.template': '', 'messaging.destination.name': 'a/7' },
    'mqtt',
    'a/7',
    0,
  ],
  [
    'messaging.operation',
    { 'messaging.system': 'kafka', 'messaging.operation': 'process', 'messaging.destination': 'q' },
    'kafka',
    'q',
    messagingOperation.process,
  ],
  [
    'messaging.operation publish',
    { 'messaging.system': 'kafka', 'messaging.operation': 'publish' },
    'kafka',
    '',
    messagingOperation.send,
  ],
  [
    'messaging.operation deliver',
    { 'messaging.system': 'kafka', 'messaging.operation': 'deliver' },
    'kafka',
    '',
    messagingOperation.process,
  ],
  ['messaging.source', { 'messaging.system': 'mqtt', 'messaging.source': 'q' }, 'mqtt', 'q', 0],
  ['messaging.source.name', { 'messaging.system': 'mqtt', 'messaging.source.name': 'q' }, 'mqtt', 'q', 0],
  [
    'name before alias',
    { 'messaging.system': 'mqtt', 'messaging.destination': 'old', 'messaging.destination.name': 'new' },
    'mqtt',
    'new',
    0,
  ],
  [
    'operation name publish',
    { 'messaging.system': 'mqtt', 'messaging.operation.name': 'publish' },
    'mqtt',
    '',
    messagingOperation.send,
  ],
  [
    'operation name consume',
    { 'messaging.system': 'mqtt', 'messaging.operation.name': 'consume' },
    'mqtt',
    '',
    messagingOperation.process,
  ],
  [
    'operation name process',
    { 'messaging.system': 'mqtt', 'messaging.operation.name': 'process' },
    'mqtt',
    '',
    messagingOperation.process,
  ],
  [
    'operation name poll',
    { 'messaging.system': 'mqtt', 'messaging.operation.name': 'poll' },
    'mqtt',
    '',
    messagingOperation.receive,
  ],
  [
    'operation name receive',
    { 'messaging.system': 'mqtt', 'messaging.operation.name': 'receive' },
    'mqtt',
    '',
    messagingOperation.receive,
  ],
  [
    'operation name ack',
    { 'messaging.system': 'mqtt', 'messaging.operation.name': 'ack' },
    'mqtt',
    '',
    messagingOperation.settle,
  ],
  [
    'operation name settle',
    { 'messaging.system': 'mqtt', 'messaging.operation.name': 'settle' },
    'mqtt',
    '',
    messagingOperation.settle,
  ],
  [
    'operation type before name',
    { 'messaging.system': 'mqtt', 'messaging.operation.type': 'create', 'messaging.operation.name': 'publish' },
    'mqtt',
    '',
    messagingOperation.create,
  ],
  [
    'unknown type, known name',
    { 'messaging.system': 'mqtt', 'messaging.operation.type': 'x', 'messaging.operation.name': 'publish' },
    'mqtt',
    '',
    messagingOperation.send,
  ],
  ['destination alone', { 'messaging.destination.name': 'a/b' }, '', 'a/b', 0],
  ['http today', { 'http.request.method': 'GET', 'http.route': '/a/{id}' }, 'http', '/a/{id}', 0],
  ['http before 1.20', { 'http.method': 'GET', 'http.url': 'http://x/y' }, 'http', '', 0],
  ['http client template', { 'http.request.method': 'GET', 'url.template': '/a/{id}' }, 'http', '/a/{id}', 0],
  ['http by a number alone', { 'http.response.status_code': 200n }, 'http', '', 0],
  ['url.template is no http', { 'url.template': '/a' }, '', '', 0],
  ['rpc', { 'rpc.system': 'grpc', 'rpc.service': 'andon.Board', 'rpc.method': 'Show' }, 'grpc', 'andon.Board/Show', 0],
  ['rpc since 1.39', { 'rpc.system.name': 'grpc', 'rpc.method': 'andon.Board/Show' }, 'grpc', 'andon.Board/Show', 0],
  [
    'rpc over http',
    { 'rpc.system': 'connect_rpc', 'rpc.service': 'S', 'http.request.method': 'POST' },
    'connect_rpc',
    'S',
    0,
  ],
  [
    'db today',
    { 'db.system.name': 'postgresql', 'db.namespace': 'andon', 'db.collection.name': 'presses' },
    'postgresql',
    'andon.presses',
    0,
  ],
  [
    'db before',
    { 'db.system': 'postgresql', 'db.name': 'andon', 'db.sql.table': 'presses' },
    'postgresql',
    'andon.presses',
    0,
  ],
  ['mongodb before', { 'db.system': 'mongodb', 'db.name': 'a', 'db.mongodb.collection': 'b' }, 'mongodb', 'a.b', 0],
  ['cassandra before', { 'db.system': 'cassandra', 'db.cassandra.table': 'b' }, 'cassandra', 'b', 0],
  ['cosmosdb before', { 'db.system': 'cosmosdb', 'db.cosmosdb.container': 'b' }, 'cosmosdb', 'b', 0],
  [
    'db over http',
    { 'db.system.name': 'elasticsearch', 'db.namespace': 'n', 'http.request.method': 'GET' },
    'elasticsearch',
    'n',
    0,
  ],
  ['EMQX', { 'message.topic': 'a/b', 'message.qos': 1n, 'client.clientid': 'c' }, 'mqtt', 'a/b', 0],
  ['its-client', { 'iot3.core.mqtt.topic': 'a/b' }, 'mqtt', 'a/b', 0],
  ['Node-RED', { 'node_red.node.type': 'mqtt out', 'node_red.msg.id': 'm' }, '', '', 0],
  ['a number for a name', { 'messaging.system': 'mqtt', 'messaging.destination.name': 7n }, 'mqtt', '', 0],
  ['nothing', {}, '', '', 0],
];
test.each(spellings)('spelling: %s', (_what, attributes, system, destination, operation) => {
  expect(readBoth([drawnSpan(1, {}, attributes)]).rows[0]).toMatchObject({ system, destination, operation });
});

test('what is too long is cut between characters and flagged', () => {
  const long = 'ä'.repeat(3000);
  const rows = (more: SpanInit, attributes: Values = {}) => readBoth([drawnSpan(1, more, attributes)]).rows[0]!;
  expect(rows({ name: long })).toMatchObject({ name: 'ä'.repeat(2048), flags: spanFlag.cut });
  expect(rows({ name: `x${long}` })).toMatchObject({ name: `x${'ä'.repeat(2047)}`, flags: spanFlag.cut });
  expect(rows({}, { 'messaging.system': 'mqtt', 'messaging.destination.name': long })).toMatchObject({
    destination: 'ä'.repeat(2048),
    flags: spanFlag.cut,
  });
  expect(
    rows({}, { 'rpc.system': 'grpc', 'rpc.service': 's'.repeat(4000), 'rpc.method': 'm'.repeat(4000) }),
  ).toMatchObject({
    destination: `${'s'.repeat(4000)}/${'m'.repeat(95)}`,
    flags: spanFlag.cut,
  });
  expect(rows({}, { other: 'x'.repeat(4097) }).flags).toBe(spanFlag.cut);
  expect(rows({}, { other: 'x'.repeat(4096) }).flags).toBe(0);
  expect(rows({}, { ['k'.repeat(257)]: 1n }).flags).toBe(spanFlag.cut);
  const many = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`k${i}`, 'v']));
  expect(rows({}, { ...many, 'messaging.system': 'mqtt' })).toMatchObject({ system: '', flags: spanFlag.cut });
  expect(rows({ events: Array.from({ length: 129 }, () => ({ name: 'e' })) }).flags).toBe(spanFlag.cut);
  const links = Array.from({ length: 129 }, (_, i) => ({ traceId: traceIdOf(i + 1), spanId: spanIdOf(i + 1) }));
  const linked = rows({ links });
  expect(linked.flags).toBe(spanFlag.cut | spanFlag.linked);
  expect(linked.links).toHaveLength(128);
});

test('links are kept with their row; a link to nothing and the links of a rejected span are not', () => {
  const link = { traceId: traceIdOf(9), spanId: spanIdOf(9) };
  const { spans, rows } = readBoth([
    drawnSpan(1, { links: [link], endTimeUnixNano: 1n }),
    drawnSpan(2, { links: [{ traceId: new Uint8Array(16), spanId: spanIdOf(9) }, { traceId: traceIdOf(9) }] }),
    drawnSpan(3, { links: [link, { traceId: traceIdOf(8), spanId: spanIdOf(8) }] }),
  ]);
  expect(rows.map((row) => row.flags)).toEqual([0, spanFlag.linked]);
  expect([...spans.links.row]).toEqual([1, 1]);
  expect(rows[1]!.links[0]).toEqual({
    traceHi: rows[1]!.traceHi,
    traceLo: 0xa8a9aaabacadae09n,
    spanId: 0xb0b1b2b3b4b5b609n,
  });
});

test('a start on a whole millisecond is grain where the SDK is JavaScript, and nowhere else', () => {
  const flags = (language: string, startTimeUnixNano: bigint) =>
    readBoth([drawnSpan(1, { startTimeUnixNano })], { 'telemetry.sdk.language': language }).rows[0]!.flags;
  const whole = arrivalNanos - 1_000_000_000n;
  expect(flags('nodejs', whole)).toBe(spanFlag.millisecondGrain);
  expect(flags('webjs', whole)).toBe(spanFlag.millisecondGrain);
  expect(flags('nodejs', whole + 1_000n)).toBe(0);
  expect(flags('python', whole)).toBe(0);
});

test.each([
  ['ot=th:8', true],
  ['vendor=x, ot=rv:123;th:c', true],
  ['ot=th:0', false],
  ['ot=p:8', false],
  ['not=th:8', false],
  ['', false],
])('tracestate %j says sampled: %s', (traceState, isSampled) => {
  expect(readBoth([drawnSpan(1, { traceState })]).rows[0]!.flags).toBe(isSampled ? spanFlag.sampled : 0);
});

test('one sighting and one export observation per resource, also of one whose clock is wrong', () => {
  const day = 86_400_000_000_000n;
  const ahead = drawnSpan(2, {
    startTimeUnixNano: arrivalNanos + 3n * day,
    endTimeUnixNano: arrivalNanos + 3n * day + 5n,
  });
  const r = reader();
  r.readProtobuf(protobufOf(requestOf([drawnSpan(1), drawnSpan(3)])), arrivalNanos);
  r.readProtobuf(protobufOf(requestOf([drawnSpan(4)])), arrivalNanos + 2_000_000_000n);
  r.readProtobuf(protobufOf(requestOf([ahead], { 'host.name': 'future' })), arrivalNanos);
  const { spans, sightings, clockObservations } = r.take();
  expect(spans.resources.map((one) => one.serviceName || one.hostName)).toEqual(['gateway', 'future']);
  expect(sightings.map((one) => [one.resource.serviceName || one.resource.hostName, one.count, one.arrivalMs])).toEqual(
    [
      ['gateway', 3, Number(arrivalNanos / 1_000_000n) + 2000],
      ['future', 1, Number(arrivalNanos / 1_000_000n)],
    ],
  );
  expect(
    clockObservations.map((one) => [one.from.serviceName || one.from.hostName, one.rawNanos, one.to.hostId]),
  ).toEqual([
    ['gateway', 990_000_000n, 'hopscope-collector:c1'],
    ['future', -3n * day - 5n, 'hopscope-collector:c1'],
  ]);
});

test('the columns have the size of what is in them, and a second batch knows nothing of the first', {
  timeout: 30_000,
}, () => {
  const r = reader();
  for (let i = 0; i < 5000; i++)
    r.readProtobuf(protobufOf(requestOf([drawnSpan((i % 255) + 1, { name: `n${i % 10}` })])), arrivalNanos);
  expect(r.count).toBe(5000);
  const first = r.take().spans;
  expect(first.count).toBe(5000);
  expect(first.traceHi).toHaveLength(5000);
  expect(first.strings).toHaveLength(11);
  expect(first.resources).toHaveLength(1);
  r.readProtobuf(protobufOf(requestOf([drawnSpan(1, { name: 'n5' })])), arrivalNanos);
  expect(r.take().spans.strings).toEqual(['', 'n5']);
  expect(r.take().spans).toMatchObject({ count: 0, strings: [''], resources: [] });
});

test('more names than the cache holds are still all right', { timeout: 30_000 }, () => {
  const r = reader();
  const request = (from: number) =>
    protobufOf(requestOf(Array.from({ length: 5000 }, (_, i) => drawnSpan(1, { name: `name-${from + i}` }))));
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 10; i++) r.readProtobuf(request(i * 5000), arrivalNanos);
    const { spans } = r.take();
    expect(spans.strings).toHaveLength(50_001);
    for (let row = 0; row < spans.count; row += 997) expect(spans.strings[spans.name[row]!]).toBe(`name-${row}`);
  }
});

test('fields in any order, pieces of a message, and unknown fields read as protobuf says', () => {
  const whole = requestOf([drawnSpan(1)], { 'service.name': 'a' });
  const scopes = protobufOf(requestOf([drawnSpan(1)], {})).subarray(2);
  expect(scopes.length).toBeGreaterThan(0);
  const len = (tag: number, ...parts: Uint8Array[]) => {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([tag]), varint(body.length), body]);
  };
  const keyValue = (key: string, value: string) =>
    len(0x0a, len(0x12, len(0x0a, bytesOf(value))), len(0x0a, bytesOf(key)));
  const span = len(
    0x12,
    Buffer.from([0x85, 0x01, 1, 2, 3, 4]),
    len(0x2a, bytesOf('late')),
    len(0x4a, len(0x12, len(0x0a, bytesOf('mqtt'))), len(0x0a, bytesOf('messaging.system'))),
    Buffer.from([0x41, ...le64(arrivalNanos)]),
    Buffer.from([0x39, ...le64(arrivalNanos - 5n)]),
    len(0x12, spanIdOf(1)),
    len(0x0a, traceIdOf(1)),
    Buffer.from([0xf8, 0x3f, 0x01]),
  );
  const body = len(
    0x0a,
    len(0x12, span),
    len(0x0a, keyValue('service.name', 'a')),
    len(0x0a, keyValue('host.name', 'h')),
    len(0x1a, bytesOf('schema')),
  );
  const r = reader();
  expect(r.readProtobuf(body, arrivalNanos).accepted).toBe(1);
  expect(rowsOf(r.take().spans)[0]).toMatchObject({
    name: 'late',
    system: 'mqtt',
    durationNanos: 5n,
    resource: { serviceName: 'a', hostName: 'h' },
  });
  expect(protobufOf(whole).length).toBeGreaterThan(0);
});

const varint = (value: number): Buffer =>
  value < 0x80 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 0x7f) | 0x80]), varint(value >>> 7)]);
const le64 = (value: bigint): Uint8Array => new Uint8Array(new BigUint64Array([value]).buffer);

test('JSON: ids of any case, numbers for integers, unknown fields; no enum names, no snake case', () => {
  const span = {
    traceId: 'A0A1A2A3A4A5A6A7a8a9aaabacadae01',
    spanId: 'B0b1b2b3b4b5b601',
    parentSpanId: null,
    name: 'x',
    kind: 2,
    startTimeUnixNano: String(arrivalNanos),
    endTimeUnixNano: Number(arrivalNanos) + 4096,
    status: { code: 2 },
    somethingNew: [[[]]],
    attributes: [{ key: 'n', value: { intValue: 5 } }, { key: 'm', value: { intValue: '5' } }, { key: 'none' }],
  };
  const body = (more: object) =>
    bytesOf(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, ...more }] }] }] }));
  const r = reader();
  expect(r.readJson(body({}), arrivalNanos).accepted).toBe(1);
  expect(rowsOf(r.take().spans)[0]).toMatchObject({
    traceHi: 0xa0a1a2a3a4a5a6a7n,
    spanId: 0xb0b1b2b3b4b5b601n,
    kind: 2,
    status: 2,
    durationNanos: 4096n,
  });
  expect(() => r.readJson(body({ kind: 'SPAN_KIND_SERVER' }), arrivalNanos)).toThrow(/wanted an integer in span.kind/);
  expect(() => r.readJson(body({ startTimeUnixNano: '-5' }), arrivalNanos)).toThrow(MalformedError);
  expect(() => r.readJson(body({ startTimeUnixNano: '99999999999999999999' }), arrivalNanos)).toThrow(MalformedError);
  expect(() => r.readJson(body({ startTimeUnixNano: 1.5 }), arrivalNanos)).toThrow(MalformedError);
  expect(r.readJson(body({ traceId: undefined, trace_id: span.traceId }), arrivalNanos)).toMatchObject({
    rejected: { id: 1 },
  });
  expect(r.readJson(body({ spanId: 'zzzzzzzzzzzzzzzz' }), arrivalNanos)).toMatchObject({ rejected: { id: 1 } });
  for (const value of [0n, 1n, 999_999_999n, 4_294_967_296n, 1_795_219_200_123_456_789n])
    expect(
      r.readJson(body({ startTimeUnixNano: String(value), endTimeUnixNano: String(2n ** 63n - 1n) }), value + 1n)
        .accepted,
    ).toBe(1);
  expect([...r.take().spans.startNanos]).toEqual([0n, 1n, 999_999_999n, 4_294_967_296n, 1_795_219_200_123_456_789n]);
});

test('an empty request is a success in both encodings', () => {
  const none = { received: 0, accepted: 0, rejected: {}, message: '' };
  expect(reader().readProtobuf(new Uint8Array(0), arrivalNanos)).toEqual(none);
  expect(reader().readJson(bytesOf('{}'), arrivalNanos)).toEqual(none);
});

test.each([
  ['a group', [0x0b, 0x0c]],
  ['an end of group', [0x0c]],
  ['field 0', [0x02, 0x00]],
  ['a known field of a wrong wire type', [0x08, 0x01]],
  ['a length beyond the end', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  ['a length of 2^63', [0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
  ['a varint of 11 bytes', [0x0a, ...new Array(10).fill(0x80), 0x00]],
  ['a varint without an end', [0x0a, 0x80]],
  ['a tag without a value', [0x0a]],
  ['wire type 6', [0x16]],
])('malformed: %s', (_what, bytes) => {
  expect(() => reader().readProtobuf(Uint8Array.from(bytes), arrivalNanos)).toThrow(MalformedError);
});

test('bombs cost neither time nor memory: nesting, groups, JSON a million deep', { timeout: 30_000 }, () => {
  let nested: Buffer = Buffer.from([0x0a, 0x00]);
  for (let i = 0; i < 5000; i++) {
    const inner = Buffer.concat([Buffer.from([0x0a]), varint(nested.length), nested]);
    nested = Buffer.concat([Buffer.from([0x2a]), varint(inner.length), inner]);
  }
  const wrap = (tag: number, body: Buffer) => Buffer.concat([Buffer.from([tag]), varint(body.length), body]);
  const inSpan = wrap(0x0a, wrap(0x12, wrap(0x12, wrap(0x4a, wrap(0x12, nested)))));
  const inResource = wrap(
    0x0a,
    Buffer.concat([wrap(0x0a, wrap(0x0a, wrap(0x12, nested))), wrap(0x12, wrap(0x12, Buffer.from([])))]),
  );
  const deep = '['.repeat(1_000_000);
  const jsonBombs = [
    deep,
    `{"resourceSpans":${deep}`,
    '{"a":'.repeat(1_000_000),
    `{"x":"${'['.repeat(2_000_000)}`,
    `${deep}${']'.repeat(1_000_000)}`,
  ];
  const refused = (read: () => unknown) => () => expect(read).toThrow(MalformedError);
  for (const body of [inSpan, inResource, Buffer.alloc(100_000, 0x0b)])
    expect(
      fastestMs(
        refused(() => reader().readProtobuf(body, arrivalNanos)),
        100,
      ),
    ).toBeLessThan(100);
  for (const bomb of jsonBombs) {
    const body = bytesOf(bomb);
    expect(
      fastestMs(
        refused(() => reader().readJson(body, arrivalNanos)),
        100,
      ),
    ).toBeLessThan(100);
  }
  const attribute = (value: unknown) =>
    bytesOf(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ attributes: [{ key: 'k', value }] }] }] }] }));
  let value: unknown = { stringValue: 'x' };
  for (let i = 0; i < 14; i++) value = { arrayValue: { values: [value] } };
  expect(() => reader().readJson(attribute(value), arrivalNanos)).toThrow(/deeper than 32|deeper than 64/);
});

test('keys like __proto__ change nothing', () => {
  const attributes = { ...keyValuesOf('__proto__', 'constructor', 'toString') };
  expect(readBoth([drawnSpan(1, { attributes: attributes.list })]).result.accepted).toBe(1);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

const keyValuesOf = (...keys: string[]) => ({ list: keys.flatMap((key) => keyValues({ [key]: 'polluted' })) });

test('captured: the JavaScript SDK says the same in both encodings', () => {
  const protobuf = capture('js-sdk-0.301.0-traces.bin');
  const json = capture('js-sdk-0.301.0-traces.otlp-json');
  const a = reader();
  const b = reader();
  expect(a.readProtobuf(protobuf.body, arrivalOf(protobuf))).toMatchObject({ received: 3, accepted: 3, message: '' });
  expect(b.readJson(json.body, arrivalOf(protobuf))).toMatchObject({ received: 3, accepted: 3, message: '' });
  const taken = a.take();
  expect(b.take()).toEqual(taken);
  const rows = rowsOf(taken.spans);
  const publish = rows.find((row) => row.name === 'publish andon/request')!;
  expect(publish).toMatchObject({
    system: 'mqtt',
    destination: 'andon/{line}/request',
    operation: messagingOperation.send,
    kind: 4,
  });
  const process = rows.find((row) => row.name === 'process batch')!;
  expect(process.links).toEqual([{ traceHi: publish.traceHi, traceLo: publish.traceLo, spanId: publish.spanId }]);
  expect(process).toMatchObject({ status: 2, operation: messagingOperation.process });
  expect(process.flags & spanFlag.millisecondGrain).toBe(spanFlag.millisecondGrain);
  expect(publish.resource).toMatchObject({
    serviceName: 'andon-gateway',
    hostId: '4c4c4544004b',
    site: 'hannover',
    lat: 52.37,
    sdkLanguage: 'nodejs',
  });
});

test('captured: the Python SDK', () => {
  const sent = capture('python-sdk-1.45.2-traces.bin');
  const r = reader();
  expect(r.readProtobuf(sent.body, arrivalOf(sent))).toMatchObject({ received: 3, accepted: 3 });
  const { spans, clockObservations } = r.take();
  const rows = rowsOf(spans);
  expect(rows.map((row) => [row.name, row.system, row.destination, row.status])).toEqual([
    ['insert', 'postgresql', 'andon.presses', 0],
    ['andon.Board/Show', 'grpc', 'andon.Board/Show', 2],
    ['GET /press/{id}', 'http', '/press/{id}', 0],
  ]);
  expect(rows[0]!.parentId).toBe(rows[2]!.spanId);
  expect(rows.every((row) => (row.flags & spanFlag.millisecondGrain) === 0)).toBe(true);
  expect(clockObservations[0]!.rawNanos).toBeGreaterThan(0n);
});

test('malformed twins: every captured body, cut anywhere or with any byte turned, is read or refused, never more', {
  timeout: 30_000,
}, () => {
  for (const { file, body, arrivalNanos: at } of captured.filter((one) => one.file.includes('traces'))) {
    const r = reader();
    const read = (bytes: Uint8Array) => {
      try {
        if (file.endsWith('json')) r.readJson(bytes, at);
        else r.readProtobuf(bytes, at);
      } catch (cause) {
        expect(cause).toBeInstanceOf(MalformedError);
      }
    };
    for (let i = 0; i < body.length; i++) {
      read(body.subarray(0, i));
      const turned = body.slice();
      turned[i]! ^= 1 << (i % 8);
      read(turned);
    }
  }
});

const arrivalOf = (one: { arrivalNanos: bigint }): bigint => one.arrivalNanos;
