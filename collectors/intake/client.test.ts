import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Intake, type IntakeOptions, startIntake } from './client.ts';
import { batchesUnderwayAtMost } from './drain.ts';
import { MemoryStore } from './fixtures/memory-store.ts';
import { loopback, nothingOn, until } from './fixtures/running-intake.ts';
import { traceRequestProtobuf } from './fixtures/trace-request.ts';
import type { IntakeConfig } from './messages.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hopscope-client-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const start = (store: IntakeOptions['store'], config: Partial<IntakeConfig> = { otlp: loopback() }): Promise<Intake> =>
  startIntake({
    config: { ...nothingOn, ...config },
    store,
    spoolDir: dir,
    spool: { keepMs: 3_600_000, keepBytes: 1 << 28 },
  });

async function post(intake: Intake, spans: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${intake.addresses.otlp!.port}/v1/traces`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-protobuf' },
    body: traceRequestProtobuf(spans) as BodyInit,
  });
  await answer.arrayBuffer();
  return answer.status;
}

test('what is answered 200 is in the store, and the books balance', async () => {
  const store = new MemoryStore();
  const intake = await start(store);
  await Promise.all(Array.from({ length: 50 }, () => post(intake, 8)));
  await until('all is stored', () => store.spans === 400);
  await until(
    'the intake knows',
    async () => (await intake.stats()).drain.storedSeq === (await intake.stats()).drain.lastSpooledSeq,
  );
  const stats = await intake.stats();
  expect(stats.received).toEqual({ traces: 400, metrics: 0, mqtt: 0 });
  expect(stats.stored.items).toBe(400);
  expect(stats.spool!.spooledItems).toEqual({ 1: 0 });
  expect(stats.listeners[0]).toMatchObject({ name: 'otlp', requests: 50, answers: { 200: 50 } });
  await intake.stop();
});

test('answers before the store is open; what came by then is stored once it is', async () => {
  const store = new MemoryStore();
  const opening = Promise.withResolvers<MemoryStore>();
  const intake = await start(() => opening.promise);
  for (let i = 0; i < 20; i++) expect(await post(intake, 5)).toBe(200);
  expect((await intake.stats()).spool!.spooledItems).toEqual({ 1: 100 });
  expect(await intake.tally(new Map())).toMatchObject({ acknowledgedItems: 100, spooledItems: 100 });
  expect(store.appends).toBe(0);
  opening.resolve(store);
  await until('all is stored', () => store.spans === 100);
  expect(await post(intake, 5)).toBe(200);
  await until('that too', () => store.spans === 105);
  expect(store.repeated).toBe(0);
  expect(await intake.tally(await store.watermarks())).toMatchObject({ acknowledgedItems: 105, spooledItems: 0 });
  await intake.stop();
});

test('a damaged spool waits for the store first: what is saved of it depends on what the store has', async () => {
  const store = new MemoryStore();
  const before = await start(store);
  expect(await post(before, 5)).toBe(200);
  await before.stop();
  truncateSync(join(dir, 'spool.db'), 0);
  const asked = Promise.withResolvers<void>();
  const opening = Promise.withResolvers<MemoryStore>();
  const starting = start(() => {
    asked.resolve();
    return opening.promise;
  });
  await asked.promise;
  opening.resolve(store);
  const after = await starting;
  await until('the gap is told', () => store.gaps.length === 1);
  expect(store.gaps[0]!.what).toMatch(/missing or empty/);
  expect(await post(after, 5)).toBe(200);
  await until('what came since is stored', () => store.spans === 10);
  await after.stop();
});

test('a store that fails for a while stops nobody: everything arrives once, in order, also what the window had no room for', async () => {
  const store = new MemoryStore();
  store.failing = true;
  const intake = await start(store);
  let spans = 0;
  for (let i = 0; i < 150; i++) {
    expect(await post(intake, 3)).toBe(200);
    spans += 3;
  }
  const during = await intake.stats();
  expect(during.storeTrouble).toBe('the store is away');
  expect(during.drain.batchesUnderway).toBeLessThanOrEqual(batchesUnderwayAtMost);
  expect(during.spool!.spooledItems).toEqual({ 1: spans });
  store.failing = false;
  await until('all is stored', () => store.spans === spans);
  expect(new Set(store.spanIds()).size).toBe(spans);
  expect(store.repeated).toBe(0);
  expect(store.batches.map(({ seq }) => seq)).toEqual(store.batches.map((_, i) => i + 1));
  expect((await intake.stats()).storeTrouble).toBe(null);
  await intake.stop();
});

test('what the store had not taken is taken from the spool by the next run', async () => {
  const store = new MemoryStore();
  store.failing = true;
  const first = await start(store);
  for (let i = 0; i < 20; i++) expect(await post(first, 5)).toBe(200);
  await first.stop(50);
  expect(store.spans).toBe(0);
  store.failing = false;
  const second = await start(store);
  await until('all is stored', () => store.spans === 100);
  expect((await second.stats()).drain.batchesReread).toBeGreaterThan(0);
  expect(await post(second, 5)).toBe(200);
  await until('the new one too', () => store.spans === 105);
  expect(store.repeated).toBe(0);
  await second.stop();
});

test('stop waits until the store has everything', async () => {
  const store = new MemoryStore();
  const intake = await start(store);
  await Promise.all(Array.from({ length: 20 }, () => post(intake, 8)));
  await intake.stop();
  expect(store.spans).toBe(160);
});

test('a thread that dies is started again on the same port and loses nothing', async () => {
  const store = new MemoryStore();
  const intake = await start(store);
  for (let i = 0; i < 10; i++) expect(await post(intake, 2)).toBe(200);
  const workers = vi.spyOn(Worker.prototype, 'postMessage');
  await intake.stats();
  const thread = workers.mock.contexts[0] as Worker;
  workers.mockRestore();
  store.failing = true;
  for (let i = 0; i < 10; i++) expect(await post(intake, 2)).toBe(200);
  await thread.terminate();
  store.failing = false;
  await expect(intake.stats()).rejects.toMatchObject({ code: 'busy' });
  await until('it answers again', () =>
    post(intake, 2).then(
      (status) => status === 200,
      () => false,
    ),
  );
  await until('all is stored', () => store.spans === 42);
  expect(store.repeated).toBe(0);
  await intake.stop();
});

test('a port that is taken is named, with the setting to change', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const broker = { ...loopback(port), name: 'embedded', site: '', echo: false };
  const cases: [Partial<IntakeConfig>, RegExp][] = [
    [{ otlp: loopback(port) }, /OTLP\/HTTP: 127\.0\.0\.1:\d+ is in use.*otlp\.listen.*HOPSCOPE_OTLP=/],
    [{ otlpGrpc: loopback(port) }, /OTLP\/gRPC: 127\.0\.0\.1:\d+ is in use.*otlp\.grpc.*HOPSCOPE_OTLP_GRPC=/],
    [{ broker }, /MQTT broker: 127\.0\.0\.1:\d+ is in use.*broker\.listen.*HOPSCOPE_BROKER=/],
  ];
  for (const [config, sentence] of cases) {
    const refused = await start(new MemoryStore(), config).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'listen', message: expect.stringMatching(sentence) });
    expect((refused as Error).message).toContain(String(port));
  }
  other.close();
  // Nothing is left behind that would hold the spool.
  await (await start(new MemoryStore())).stop();
});

test('every span answered 200 is in the spool after kill -9', { timeout: 60_000 }, async () => {
  const store = new MemoryStore();
  let acknowledged = 0;
  for (let round = 0; round < 3; round++) {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'fixtures/intake-until-killed.ts'), dir],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [ready] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const { otlp } = JSON.parse(ready) as { otlp: number };
    let alive = true;
    const senders = Array.from({ length: 6 }, async () => {
      while (alive) {
        const answer = await fetch(`http://127.0.0.1:${otlp}/v1/traces`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/x-protobuf' },
          body: traceRequestProtobuf(4) as BodyInit,
        }).catch(() => null);
        if (answer?.status === 200) acknowledged += 4;
      }
    });
    const enough = acknowledged + 200;
    await until('enough is acknowledged', () => acknowledged > enough);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
    child.kill('SIGKILL');
    await once(child, 'close');
    alive = false;
    await Promise.all(senders);
  }
  const intake = await start(store);
  await until('the drain has caught up', async () => {
    const { drain } = await intake.stats();
    return drain.lastSpooledSeq > 0 && drain.storedSeq === drain.lastSpooledSeq;
  });
  expect(store.spans).toBeGreaterThanOrEqual(acknowledged);
  expect(new Set(store.spanIds()).size).toBe(store.spans);
  expect(store.gaps).toEqual([]);
  await intake.stop();
});
