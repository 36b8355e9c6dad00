import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { openStore } from '#lib/store/open.ts';
import { decodeSpans } from '#lib/wire/raw-batch.ts';
import { startIntake } from './client.ts';
import { loopback, nothingOn, until } from './fixtures/running-intake.ts';
import { metricsRequestProtobuf, traceRequestProtobuf } from './fixtures/trace-request.ts';

test('from the wire into DuckDB, over a restart: the books balance to zero', { timeout: 60_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopscope-real-'));
  const config = {
    ...nothingOn,
    otlp: loopback(),
    broker: { ...loopback(), name: 'embedded', site: '', echo: false },
  };
  const spool = { keepMs: 3_600_000, keepBytes: 1 << 28 };
  let received = 0;
  try {
    for (let run = 0; run < 2; run++) {
      const store = await openStore({ url: `duckdb:${dir}/hopscope.duckdb`, dataDir: dir, decodeSpans });
      const intake = await startIntake({ config, store, spoolDir: dir, spool });
      const post = (signal: string, body: Uint8Array) =>
        fetch(`http://127.0.0.1:${intake.addresses.otlp!.port}/v1/${signal}`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/x-protobuf' },
          body: body as BodyInit,
        }).then((answer) => answer.arrayBuffer());
      const mqtt = await connectAsync(`mqtt://127.0.0.1:${intake.addresses.broker!.port}`, { protocolVersion: 5 });
      const twice = traceRequestProtobuf(8);
      await Promise.all([
        ...Array.from({ length: 20 }, () => post('traces', traceRequestProtobuf(8))),
        post('traces', twice),
        post('metrics', metricsRequestProtobuf(0.5)),
        ...Array.from({ length: 20 }, (_, i) => mqtt.publishAsync(`line/${i}`, 'x', { qos: 1 })),
      ]);
      await post('traces', twice);
      received += 20 * 8 + 16 + 1 + 20;
      await mqtt.endAsync();
      await until('the store has all', async () => (await intake.stats()).spool!.spooledBatches === 0);
      const books = await store.books();
      expect(books.received).toBe(received);
      expect(books.received).toBe(books.stored + books.duplicate + books.rejected);
      expect(books.duplicate).toBe(8 * (run + 1));
      const { collectorId, lastSeq } = (await intake.stats()).spool!;
      let kept = 0;
      await until('the spool, which may be too busy to say, has shown all spans that it keeps', async () => {
        kept = 0;
        for (let seq = 1; seq <= lastSeq; seq++) {
          const raw = await intake.rawBatch(collectorId, seq);
          if (raw) kept += decodeSpans(raw, () => true).length;
        }
        return kept >= (20 * 8 + 16) * (run + 1);
      });
      expect(kept).toBe((20 * 8 + 16) * (run + 1));
      expect(await intake.rawBatch(collectorId, lastSeq + 1)).toBe(null);
      expect(await intake.rawBatch('another', 1)).toBe(null);
      await intake.stop();
      await store.close();
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
