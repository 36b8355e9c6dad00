import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StatusSchema } from '#lib/wire/gen/google/rpc/status_pb.js';
import { ExportTraceServiceResponseSchema } from '#lib/wire/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { loopback, type RunningIntake, runIntake, until } from '../intake/fixtures/running-intake.ts';
import { metricsRequestProtobuf, traceRequestJson, traceRequestProtobuf } from '../intake/fixtures/trace-request.ts';

const protobuf = 'application/x-protobuf';
const json = 'application/json';

let running: RunningIntake;
beforeAll(async () => {
  running = await runIntake({ otlp: loopback(), hostNames: ['otlp.factory.example'] });
});
afterAll(() => running.stop());

interface Sent {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

/** node:http, because fetch sets Host and Origin by itself. */
function send(
  path: string,
  body: Uint8Array | string,
  headers: Record<string, string>,
  method = 'POST',
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(body as string);
    const outgoing = httpRequest(
      `${running.url}${path}`,
      { method, headers: { 'Content-Length': String(bytes.length), ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}
const sendTraces = (body: Uint8Array | string, headers: Record<string, string>) => send('/v1/traces', body, headers);

describe('a request that is right', () => {
  test('is answered 200 with an empty message in its own encoding, and is stored', async () => {
    const before = running.store.spans;
    const one = await sendTraces(traceRequestProtobuf(8), { 'Content-Type': protobuf });
    expect([one.status, one.headers['content-type'], one.body.length]).toEqual([200, protobuf, 0]);
    const two = await sendTraces(traceRequestJson(3), { 'Content-Type': 'application/json; charset=utf-8' });
    expect([two.status, two.headers['content-type'], two.body.toString()]).toEqual([200, json, '{}']);
    await until('11 spans are stored', () => running.store.spans === before + 11);
  });

  test('may be gzip, small or large, or come in chunks without a length', async () => {
    const before = running.store.spans;
    const encoded = { 'Content-Type': protobuf, 'Content-Encoding': 'gzip' };
    expect((await sendTraces(gzipSync(traceRequestProtobuf(8)), encoded)).status).toBe(200);
    const large = gzipSync(traceRequestProtobuf(9_000), { level: 0 });
    expect(large.length).toBeGreaterThan(200_000);
    expect((await sendTraces(large, encoded)).status).toBe(200);
    const chunked = await fetch(`${running.url}/v1/traces`, {
      method: 'POST',
      headers: { 'Content-Type': protobuf },
      body: new Blob([traceRequestProtobuf(100) as BlobPart]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(200);
    await until('all are stored', () => running.store.spans === before + 8 + 9_000 + 100);
  });

  test('of nothing is a success', async () => {
    const answer = await sendTraces(new Uint8Array(0), { 'Content-Type': protobuf });
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
  });

  test('of metrics is stored as data points', async () => {
    const answer = await send('/v1/metrics', metricsRequestProtobuf(0.25), { 'Content-Type': protobuf });
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
    await until('it is stored', () =>
      running.store.batches.some(({ dataPoints }) => dataPoints.some(({ value }) => value === 0.25)),
    );
  });

  test('with spans far in the past is a partial success that says how many were rejected', async () => {
    const lastYear = (BigInt(Date.now()) - 400n * 86_400_000n) * 1_000_000n;
    const answer = await sendTraces(traceRequestProtobuf(5, 'old', lastYear), { 'Content-Type': protobuf });
    expect(answer.status).toBe(200);
    const { partialSuccess } = fromBinary(ExportTraceServiceResponseSchema, answer.body);
    expect(partialSuccess?.rejectedSpans).toBe(5n);
    expect(partialSuccess?.errorMessage).not.toBe('');
    const inJson = await sendTraces(traceRequestJson(2, 'old', lastYear), { 'Content-Type': json });
    expect(JSON.parse(inJson.body.toString()).partialSuccess.rejectedSpans).toBe('2');
  });

  test('of logs is answered 200, counted and ignored, and says so once', async () => {
    const record = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'a' } }, {}] }] }] };
    const first = await send('/v1/logs', JSON.stringify(record), { 'Content-Type': json });
    const second = await send('/v1/logs', JSON.stringify(record), { 'Content-Type': json });
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.body.toString()).toMatch(/keeps no logs/);
    expect(second.body.toString()).toBe('{}');
    expect((await running.intake.stats()).logRecordsIgnored).toBe(4);
  });

  test('comes from the real SDK exporter', async () => {
    const before = running.store.spans;
    const exporter = new OTLPTraceExporter({ url: `${running.url}/v1/traces` });
    const seconds = Math.floor(Date.now() / 1000);
    const context = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    const span = {
      name: 'real',
      kind: 1,
      spanContext: () => context,
      startTime: [seconds, 0],
      endTime: [seconds, 5_000_000],
      status: { code: 0 },
      attributes: { a: 1 },
      links: [],
      events: [],
      duration: [0, 5_000_000],
      ended: true,
      resource: { attributes: { 'service.name': 'real-sdk' }, merge: () => {}, asyncAttributesPending: false },
      instrumentationScope: { name: 'test' },
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
    const result = await new Promise<{ code: number }>((resolve) => exporter.export([span as never], resolve));
    expect(result.code).toBe(0);
    await until('it is stored', () => running.store.spans === before + 1);
    expect(running.store.batches.at(-1)!.spans!.resources[0]!.serviceName).toBe('real-sdk');
    await exporter.shutdown();
  });
});

describe('a request that is wrong', () => {
  const good = { 'Content-Type': json };
  const wrong: [string, number, () => Promise<Sent>, RegExp][] = [
    ['malformed JSON', 400, () => sendTraces('{"resourceSpans": [', good), /JSON/],
    ['malformed protobuf', 400, () => sendTraces(new Uint8Array(50).fill(0xff), { 'Content-Type': protobuf }), /./],
    ['no gzip inside', 400, () => sendTraces('abc', { ...good, 'Content-Encoding': 'gzip' }), /gzip/],
    [
      'text/plain, which a foreign page could send',
      415,
      () => sendTraces('{}', { 'Content-Type': 'text/plain' }),
      /found Content-Type "text\/plain"/,
    ],
    ['a form', 415, () => sendTraces('a=b', { 'Content-Type': 'application/x-www-form-urlencoded' }), /wanted/],
    ['no content type', 415, () => sendTraces('{}', {}), /wanted/],
    [
      'another packing',
      415,
      () => sendTraces('{}', { ...good, 'Content-Encoding': 'br' }),
      /found Content-Encoding "br"/,
    ],
    ['two packings', 415, () => sendTraces('{}', { ...good, 'Content-Encoding': 'gzip, gzip' }), /gzip/],
    ['another path', 404, () => send('/v2/traces', '{}', good), /\/v1\/traces/],
    ['another method', 405, () => send('/v1/traces', '', good, 'GET'), /wanted POST/],
    ['a foreign Host', 421, () => sendTraces('{}', { ...good, Host: 'evil.example' }), /found Host "evil.example"/],
    ['a foreign Origin', 403, () => sendTraces('{}', { ...good, Origin: 'https://evil.example' }), /Origin/],
    ['the null Origin', 403, () => sendTraces('{}', { ...good, Origin: 'null' }), /Origin/],
  ];
  for (const [name, status, go, message] of wrong) {
    test(`${name}: ${status} with a Status body`, async () => {
      const answer = await go();
      expect(answer.status).toBe(status);
      const asProtobuf = answer.headers['content-type'] === protobuf;
      const said = asProtobuf ? fromBinary(StatusSchema, answer.body) : JSON.parse(answer.body.toString());
      expect(said.message).toMatch(message);
      expect(said.code).toBeGreaterThan(0);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    });
  }

  test('says Allow with 405, and Status in protobuf to those who speak it', async () => {
    expect((await send('/v1/traces', '', good, 'DELETE')).headers.allow).toBe('POST');
    const answer = await sendTraces(new Uint8Array(50).fill(0xff), { 'Content-Type': protobuf });
    expect(answer.headers['content-type']).toBe(protobuf);
    expect(fromBinary(StatusSchema, answer.body).code).toBe(3);
  });

  test('loopback and configured names are ours, and so is our own Origin', async () => {
    const { port } = new URL(running.url);
    for (const host of [`localhost:${port}`, '127.0.0.1', `[::1]:${port}`, 'OTLP.factory.example:4318']) {
      expect((await sendTraces('{}', { ...good, Host: host })).status).toBe(200);
    }
    const own = { ...good, Host: `localhost:${port}`, Origin: `http://localhost:${port}` };
    expect((await sendTraces('{}', own)).status).toBe(200);
  });
});

describe('a request that is too much', () => {
  test('a declared length over 8 MiB is refused before the body', async () => {
    const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
    socket.write(
      `POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${json}\r\nContent-Length: 900000000\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
  });

  test('chunks over 8 MiB are refused on the way', async () => {
    const answer = await new Promise<number>((resolve, reject) => {
      const outgoing = httpRequest(`${running.url}/v1/traces`, { method: 'POST', headers: { 'Content-Type': json } });
      outgoing.on('response', (response) => {
        resolve(response.statusCode!);
        outgoing.destroy();
      });
      outgoing.on('error', reject);
      for (let i = 0; i < 9; i++) outgoing.write(Buffer.alloc(1024 ** 2, 32));
    });
    expect(answer).toBe(413);
  });

  test('a gzip bomb of 100 MB is refused cheaply', async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    expect(bomb.length).toBeGreaterThan(32 * 1024);
    const small = gzipSync(Buffer.alloc(30_000_000));
    expect(small.length).toBeLessThan(32 * 1024);
    const encoded = { 'Content-Type': protobuf, 'Content-Encoding': 'gzip' };
    const rssBefore = process.memoryUsage().rss;
    for (const body of [bomb, small]) {
      const startedMs = performance.now();
      const answer = await sendTraces(body, encoded);
      expect(answer.status).toBe(413);
      expect(fromBinary(StatusSchema, answer.body).message).toMatch(/16777216 unpacked/);
      expect(performance.now() - startedMs).toBeLessThan(3_000);
    }
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(80 * 1024 ** 2);
    expect((await running.intake.stats()).bodyBytesInFlight).toBe(0);
  });

  test('bodies in flight over 64 MiB are told to come back; nothing is held after the senders left', async () => {
    const port = Number(new URL(running.url).port);
    const head = `POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${json}\r\nContent-Length: 8000000\r\n\r\n{`;
    const sockets = Array.from({ length: 9 }, () => connect(port, '127.0.0.1'));
    const answers: string[] = [];
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.on('data', (data: Buffer) => answers.push(data.toString()));
      socket.write(head);
    }
    await until('one is refused', () => answers.length > 0);
    expect(answers[0]).toMatch(/^HTTP\/1.1 503 /);
    expect(answers[0]).toMatch(/Retry-After: 1\r\n/);
    for (const socket of sockets) socket.destroy();
    await until('all is given back', async () => (await running.intake.stats()).bodyBytesInFlight === 0);
  });

  test('slow-loris senders are cut off, the others served', async () => {
    const timeouts = { headersMs: 1_000, requestMs: 2_000, idleMs: 2_000 };
    const impatient = await runIntake({ otlp: loopback() }, { timeouts });
    const port = Number(new URL(impatient.url).port);
    const slow = Array.from({ length: 100 }, (_, i) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      const opening = `POST /v1/traces HTTP/1.1\r\nHost: localhost\r\n`;
      // Half of them never end their header, half never end their body.
      socket.write(i % 2 ? opening : `${opening}Content-Type: ${json}\r\nContent-Length: 100\r\n\r\n{`);
      const drip = setInterval(() => socket.write(i % 2 ? 'X-A: b\r\n' : ' '), 300);
      let said = '';
      socket.on('data', (data) => {
        said += data;
      });
      return new Promise<string>((resolve) => {
        socket.on('close', () => {
          clearInterval(drip);
          resolve(said);
        });
      });
    });
    const startedMs = performance.now();
    const served = await fetch(`${impatient.url}/v1/traces`, {
      method: 'POST',
      headers: { 'Content-Type': json },
      body: traceRequestJson(1),
    });
    expect(served.status).toBe(200);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    const said = await Promise.all(slow);
    for (const each of said) expect(each).toMatch(/^(?:HTTP\/1.1 408 |$)/);
    await until('all is given back', async () => (await impatient.intake.stats()).bodyBytesInFlight === 0);
    expect((await impatient.intake.stats()).listeners[0]!.refused.timeout).toBeGreaterThan(50);
    await impatient.stop();
  });

  test('no request of this file left the books open', async () => {
    await until('the store has all', async () => {
      const { drain } = await running.intake.stats();
      return drain.storedSeq === drain.lastSpooledSeq;
    });
    const stats = await running.intake.stats();
    expect(running.store.received).toBe(stats.received.traces + stats.received.metrics);
    expect(stats.spool!.spooledItems).toEqual({ 1: 0, 2: 0 });
    expect(running.logs.filter((line) => line.includes('could not be read'))).toEqual([]);
  });
});
