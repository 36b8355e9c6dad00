import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { offsetsOf } from '#lib/audit/clocks.ts';
import { auditOnce, openAudit } from '#lib/audit.ts';
import { type DrawnSpan, drawnBatch, drawnResource } from '#lib/domain/fixtures/drawn-batch.ts';
import { drawnTrace, on, origin, randomFrom, rules } from '../fixtures/drawn-traffic.ts';
import { DuckdbAudit } from './audit.ts';
import { Database } from './database.ts';
import { storeOf } from './duckdb-store.ts';

vi.setConfig({ testTimeout: 120_000 });

it.each([1, 2, 3])(
  'adds up open minutes to what their crossings say, whatever comes late or twice (%i)',
  async (seed) => {
    const random = randomFrom(seed);
    const folder = mkdtempSync(join(tmpdir(), 'hopscope-minutes-'));
    const db = await Database.open(join(folder, 'a.duckdb'));
    const store = await storeOf(db, { decodeSpans: (() => []) as never });
    let nowMs = origin + 155_000;
    const now = () => BigInt(nowMs) * 1_000_000n;
    const memory = await openAudit(store, rules, now());
    const rows = async () => ({
      minutes: await db.all('SELECT * FROM hop_minutes ORDER BY hop, minute'),
      buckets: await db.all('SELECT * FROM hop_minute_buckets ORDER BY ALL'),
    });
    const late: DrawnSpan[] = [];
    let trace = 0n;
    try {
      for (let seq = 1; seq <= 12; seq++) {
        const spans = late.splice(0, random(late.length + 1));
        for (let t = 0; t < 40; t++) {
          for (const span of drawnTrace(++trace, random)) {
            if (random(8) === 0) late.push(span);
            else spans.push(span);
          }
        }
        await store.append([drawnBatch('c1', seq, nowMs, origin, spans)]);
        nowMs += 6_000 + random(3) * 20_000;
        const report = await auditOnce(store, now(), rules, memory);
        expect(report.crossings).toBeGreaterThan(0);
        const added = await rows();
        // Beside the running audit, one that remembers nothing
        await db.audit(async (tx) => {
          await tx.run('DELETE FROM audit_dirty');
          await tx.run('INSERT INTO audit_dirty SELECT DISTINCT hop, minute FROM crossings');
        });
        await new DuckdbAudit(db).transaction((tx) => tx.writeMinutes());
        const computed = await rows();
        expect(added.buckets).toEqual(computed.buckets);
        expect(added.minutes).toEqual(computed.minutes);
      }
    } finally {
      await store.close();
      rmSync(folder, { recursive: true });
    }
  },
);

it('judges a new crossing as it would judge a stored one, with passages and without', async () => {
  const random = randomFrom(4);
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-judged-'));
  const db = await Database.open(join(folder, 'a.duckdb'));
  const store = await storeOf(db, { decodeSpans: (() => []) as never });
  const now = BigInt(origin + 152_000) * 1_000_000n;
  const memory = await openAudit(store, rules, now);
  const figures = () => db.all('SELECT * FROM crossings ORDER BY caller_span, callee_span');
  try {
    const spans = Array.from({ length: 300 }, (_, t) => drawnTrace(BigInt(t + 1), random)).flat();
    const collector = drawnResource('', '', { hostId: 'hopscope-collector:c1', hostName: '' });
    const nanos = (ms: number): bigint => BigInt(Math.round((origin + ms) * 1e6));
    await store.append([
      {
        ...drawnBatch('c1', 1, origin + 151_000, origin, spans),
        // every other message, before and after the caller's own stamp
        passages: spans
          .filter((span) => span.kind === 'producer' && span.trace % 2n === 0n)
          .map((span) => ({
            broker: 'broker',
            topic: 't',
            traceHi: span.trace,
            traceLo: span.trace,
            spanId: span.id,
            receiveNanos: nanos(span.start + random(60) - 10),
            payloadBytes: 1,
            qos: 1,
          })),
        // one device is tied to the broker both ways, one only one way
        clockObservations: Array.from({ length: 15 }, (_, i) => [
          {
            from: collector,
            to: on[0]!,
            atNanos: nanos(i * 10_000),
            rawNanos: 9_123_456n,
            source: 'echo' as const,
            broker: 'broker',
          },
          {
            from: on[0]!,
            to: collector,
            atNanos: nanos(i * 10_000),
            rawNanos: 8_765_432n,
            source: 'echo' as const,
            broker: 'broker',
          },
          {
            from: on[1]!,
            to: collector,
            atNanos: nanos(i * 10_000),
            rawNanos: 1_500_000n,
            source: 'heartbeat' as const,
            broker: 'broker',
          },
        ]).flat(),
      },
    ]);
    await auditOnce(store, now, rules, memory);
    const asNew = await figures();
    const [passed] = await db.all<Record<string, bigint>>(
      'SELECT count(uplink_ns) AS up, count(downlink_ns) AS down, count(downlink_bound_ns) AS bounded, count(DISTINCT clock) AS clocks FROM crossings',
    );
    expect(passed).toMatchObject({ clocks: expect.toSatisfy((n: bigint) => n >= 4n) });
    for (const of of ['up', 'down', 'bounded']) expect(passed![of]).toBeGreaterThan(10n);
    await db.audit((tx) =>
      tx.run(
        'UPDATE crossings SET added_ns = 7, offset_ns = 7, bound_ns = 7, clock = 9, uplink_ns = 7, uplink_bound_ns = 7, downlink_ns = 7, downlink_bound_ns = 7',
      ),
    );
    const { ledger } = memory.known!;
    for (const { minute } of await db.all<{ minute: number }>('SELECT DISTINCT minute FROM crossings')) {
      await store.audit.transaction(async (tx) => {
        const moments = await tx.momentsOf(minute);
        const offsets = offsetsOf(ledger, moments);
        for (const part of [0, 1, 2]) await tx.settle(minute, moments, offsets, { part, parts: 3 });
      });
    }
    expect(await figures()).toEqual(asNew);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
});
