import { expect, test } from 'vitest';
import { capture } from './fixtures/captured.ts';
import { fastestMs } from './fixtures/fastest.ts';
import {
  arrivalNanos,
  drawnSpan,
  jsonOf,
  keyValues,
  protobufOf,
  requestOf,
  type SpanInit,
  spanIdOf,
  traceIdOf,
  type Values,
} from './fixtures/span-requests.ts';
import { defaultLimits } from './limits.ts';
import { MalformedError } from './malformed-error.ts';
import { compressRaw, decodeSpans, frameBodies, readFrames, readRaw } from './raw-batch.ts';
import { encoding } from './read-result.ts';

const frame = (body: Uint8Array, encoded: 1 | 2 = encoding.protobuf) => ({ encoding: encoded, arrivalNanos, body });

test('bodies come back as they were, in their order', () => {
  const frames = [
    frame(Uint8Array.of(1, 2, 3)),
    frame(new Uint8Array(0), encoding.json),
    frame(new Uint8Array(70_000).fill(7)),
  ];
  expect(readFrames(readRaw(compressRaw(frameBodies(frames))))).toEqual(frames);
  expect(readFrames(new Uint8Array(0))).toEqual([]);
});

test('what is no batch is refused: a cut frame, a wrong encoding, a wrong length, no zstd, a bomb', () => {
  const bytes = frameBodies([frame(Uint8Array.of(1, 2, 3))]);
  expect(() => readFrames(bytes.subarray(0, 5))).toThrow(MalformedError);
  expect(() => readFrames(bytes.subarray(0, bytes.length - 1))).toThrow(/wanted at most the 2 that are left/);
  expect(() => readFrames(Uint8Array.of(9, ...bytes.subarray(1)))).toThrow(/found encoding 9/);
  expect(() => readRaw(bytes)).toThrow(MalformedError);
  const bomb = compressRaw(new Uint8Array(8_000_000));
  expect(bomb.length).toBeLessThan(2000);
  expect(() => readRaw(bomb, 1_000_000)).toThrow(MalformedError);
});

/** Both encodings in one batch must decode alike. */
function decodeBoth(spans: SpanInit[], resource?: Values) {
  const request = requestOf(spans, resource);
  const a = decodeSpans(compressRaw(frameBodies([frame(protobufOf(request))])), () => true);
  const b = decodeSpans(compressRaw(frameBodies([frame(jsonOf(request), encoding.json)])), () => true);
  expect(b).toEqual(a);
  return a;
}

test('a span comes back with all it carried', () => {
  const [span] = decodeBoth(
    [
      drawnSpan(
        1,
        {
          parentSpanId: spanIdOf(9),
          status: { code: 2, message: 'no rack' },
          events: [
            { name: 'puback', timeUnixNano: arrivalNanos - 5n, attributes: keyValues({ 'mqtt.reason_code': 16n }) },
          ],
          links: [{ traceId: traceIdOf(7), spanId: spanIdOf(7), attributes: keyValues({ why: 'batch' }) }],
        },
        {
          text: 'a',
          yes: true,
          ratio: 0.5,
          small: 5n,
          big: 2n ** 60n,
          nan: Number.NaN,
          inf: Number.NEGATIVE_INFINITY,
          none: null,
          __proto__: 'x',
        },
      ),
    ],
    { 'service.name': 'gateway', 'host.id': 'h1', 'geo.location.lat': 52.37, 'geo.location.lon': 200 },
  );
  expect(span).toMatchObject({
    traceId: 'a0a1a2a3a4a5a6a7a8a9aaabacadae01',
    spanId: 'b0b1b2b3b4b5b601',
    parentSpanId: 'b0b1b2b3b4b5b609',
    startNanos: arrivalNanos - 1_000_000_000n,
    status: 2,
    statusMessage: 'no rack',
    scopeName: 'drawn',
    resource: { serviceName: 'gateway', hostId: 'h1', lat: 52.37, lon: null },
  });
  expect({ ...span!.attributes }).toEqual({
    text: 'a',
    yes: true,
    ratio: 0.5,
    small: 5,
    big: '1152921504606846976',
    nan: 'NaN',
    inf: '-Infinity',
    none: null,
  });
  expect(Object.getPrototypeOf(span!.attributes)).toBeNull();
  expect(span!.events).toEqual([
    {
      name: 'puback',
      timeNanos: arrivalNanos - 5n,
      attributes: Object.assign(Object.create(null), { 'mqtt.reason_code': 16 }),
    },
  ]);
  expect(span!.links[0]).toMatchObject({ traceId: 'a0a1a2a3a4a5a6a7a8a9aaabacadae07', spanId: 'b0b1b2b3b4b5b607' });
});

test('an attribute called __proto__ is an attribute like any other', () => {
  const attributes = [{ key: '__proto__', value: { value: { case: 'stringValue' as const, value: 'x' } } }];
  const [span] = decodeBoth([drawnSpan(1, { attributes })]);
  expect(Object.keys(span!.attributes)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(span!.attributes)).toBeNull();
});

test('old names are shown under their new ones', () => {
  const [span] = decodeBoth([
    drawnSpan(
      1,
      {},
      {
        'messaging.client_id': 'c',
        'messaging.kafka.message.offset': 5n,
        'messaging.kafka.consumer.group': 'g',
        'messaging.operation': 'process',
      },
    ),
  ]);
  expect({ ...span!.attributes }).toEqual({
    'messaging.client.id': 'c',
    'messaging.kafka.offset': 5,
    'messaging.consumer.group.name': 'g',
    'messaging.operation.type': 'process',
  });
});

test('what is too long or too much is cut, and its key is named', () => {
  const list = {
    value: {
      case: 'arrayValue' as const,
      value: { values: Array.from({ length: 10_000 }, () => ({ value: { case: 'boolValue' as const, value: true } })) },
    },
  };
  const bytes = { value: { case: 'bytesValue' as const, value: new Uint8Array(5000) } };
  const [span] = decodeBoth([
    drawnSpan(1, {
      attributes: [
        ...keyValues({ long: 'ä'.repeat(3000), fine: 'x' }),
        { key: 'list', value: list },
        { key: 'bytes', value: bytes },
      ],
    }),
  ]);
  expect(span!.attributes.long).toBe('ä'.repeat(2048));
  expect(span!.attributes.list).toHaveLength(4096);
  expect(Buffer.from(String(span!.attributes.bytes), 'base64')).toHaveLength(4096);
  expect(span!.attributes['hopscope.cut']).toEqual(['long', 'list', 'bytes']);
  const many = Object.fromEntries(Array.from({ length: 130 }, (_, i) => [`k${i}`, i]));
  const [crowded] = decodeBoth([drawnSpan(1, {}, many)]);
  expect(Object.keys(crowded!.attributes)).toHaveLength(129);
  expect(crowded!.attributes['hopscope.cut']).toEqual(['(2 more attributes)']);
});

test('spans that were rejected are not shown, nor those of other traces', () => {
  const spans = [
    drawnSpan(1),
    drawnSpan(2, { endTimeUnixNano: 1n }),
    drawnSpan(3, { spanId: new Uint8Array(8) }),
    drawnSpan(4),
    drawnSpan(5, { endTimeUnixNano: 2n ** 63n }),
  ];
  expect(decodeBoth(spans).map((span) => span.name)).toEqual(['span 1', 'span 4']);
  const raw = compressRaw(
    frameBodies([frame(protobufOf(requestOf(spans))), frame(jsonOf(requestOf(spans)), encoding.json)]),
  );
  const lo = 0xa8a9aaabacadae04n;
  expect(decodeSpans(raw, (_, traceLo) => traceLo === lo).map((span) => span.name)).toEqual(['span 4', 'span 4']);
  expect(decodeSpans(raw, () => true, { ...defaultLimits, spansPerRequest: 1 }).map((span) => span.name)).toEqual([
    'span 1',
    'span 1',
  ]);
});

test('captured: Python bytes and large integers', () => {
  const { body, arrivalNanos: at } = capture('python-sdk-1.45.2-traces.bin');
  const spans = decodeSpans(
    compressRaw(frameBodies([{ encoding: encoding.protobuf, arrivalNanos: at, body }])),
    () => true,
  );
  const insert = spans.find((span) => span.name === 'insert')!;
  expect({ ...insert.attributes }).toMatchObject({
    'db.system.name': 'postgresql',
    'db.namespace': 'andon',
    'db.collection.name': 'presses',
    big: String(2n ** 60n),
    xs: [1.5, 2.5],
  });
  expect(insert.events[0]).toMatchObject({ name: 'retry' });
});

test('8 spans out of a batch of 2,048 are found without decoding the others', () => {
  const attributes = keyValues(
    Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`attribute.number.${i}`, `value number ${i} of this span`]),
    ),
  );
  const bodies = Array.from({ length: 4 }, (_, b) =>
    protobufOf(
      requestOf(
        Array.from({ length: 512 }, (_, i) =>
          drawnSpan(i % 8, { attributes, traceId: Uint8Array.from([b + 1, ...traceIdOf(i / 8).subarray(1)]) }),
        ),
      ),
    ),
  );
  const raw = compressRaw(frameBodies(bodies.map((body) => frame(body))));
  const wanted = (hi: bigint, lo: bigint) => hi === 0x03a1a2a3a4a5a6a7n && lo === 0xa8a9aaabacadae20n;
  expect(decodeSpans(raw, wanted).length).toBeGreaterThan(4);
  // several at once, as processor time is booked in steps
  const times = (of: typeof wanted) => () => {
    for (let i = 0; i < 5; i++) decodeSpans(raw, of);
  };
  expect(fastestMs(times(wanted), 60)).toBeLessThan(
    fastestMs(
      times(() => true),
      60,
    ) / 3,
  );
});
