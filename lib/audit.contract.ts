import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AuditMemory, auditOnce, openAudit, type PassReport } from './audit.ts';
import { type DrawnSpan, drawnBatch, drawnResource, emptyBatch } from './domain/fixtures/drawn-batch.ts';
import { bucketOf } from './domain/histogram.ts';
import type { IngestBatch } from './domain/ingest-batch.ts';
import type { Rules } from './domain/rule.ts';
import { messagingOperation } from './domain/span.ts';
import { minuteOf } from './domain/units.ts';
import type { Store } from './store/store.ts';

/** What these tests look at beside the interface: everything that is derived, by names and in a fixed order. */
export interface Audited {
  store: Store;
  crossings(): Promise<Crossed[]>;
  minutes(): Promise<MinuteSketch[]>;
  derived(): Promise<{
    crossings: unknown[];
    minutes: unknown[];
    buckets: unknown[];
    traces: unknown[];
    hops: unknown[];
  }>;
  topicMinutes(): Promise<{ messages: number; payload_bytes: bigint }[]>;
  /** As a version wrote them that did not know when the first span of a trace arrived; null: there was none. */
  asAnOlderVersion: (() => Promise<void>) | null;
}
export interface AuditedEngine {
  /** An empty store whose files, if it has any, are in this folder. */
  open(folder: string, recent?: { spans: number }): Promise<Audited>;
}
export interface MinuteSketch {
  count: number;
  requests: number;
  unanswered: number;
  errors: number;
  overlap: number;
  minute: number;
}
export interface Crossed {
  caller_span: bigint;
  callee_span: bigint;
  callee_trace_lo: bigint;
  linked: boolean;
  clock: number;
  raw_ns: bigint;
  added_ns: bigint | null;
  offset_ns: bigint | null;
  bound_ns: bigint | null;
  uplink_ns: bigint | null;
  downlink_ns: bigint | null;
  floor_ns: bigint;
  direct_floor_ns: bigint;
  minute: number;
}

const rules: Rules = {
  sites: [
    { id: 'hannover', name: 'Hannover', lat: 52.37, lon: 9.73, hosts: [] },
    { id: 'dublin', name: 'Dublin', lat: 53.35, lon: -6.26, hosts: [] },
    { id: 'ashburn', name: 'Ashburn', lat: 39.04, lon: -77.49, hosts: [] },
  ],
  applications: [{ id: 'factory', services: [], topics: ['factory/#'] }],
  budgets: [],
  owners: [],
  brokers: [{ name: 'broker-dublin', site: 'dublin' }],
  maxDriftPpm: 50,
};

// Ten seconds into a minute
const origin = 1_795_000_210_000;
const button = drawnResource('button', 'hannover');
const events = drawnResource('events', 'ashburn');
const data = drawnResource('data', 'ashburn');

// a real engine, on a machine that may be busy
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

let folder: string;
let engine: AuditedEngine;
let audited: Audited;
let store: Store;
let memory: AuditMemory;
let nowMs: number;

async function openEmpty(recent?: { spans: number }): Promise<void> {
  audited = await engine.open(folder, recent);
  store = audited.store;
}

const now = () => BigInt(nowMs) * 1_000_000n;
async function pass(): Promise<PassReport> {
  nowMs += 1000;
  return auditOnce(store, now(), rules, memory);
}
const restart = async () => {
  memory = await openAudit(store, rules, now());
};

let seq = 0;
const batchOf = (...drawn: DrawnSpan[]): IngestBatch => drawnBatch('c1', ++seq, nowMs, origin, drawn);
const append = async (...drawn: DrawnSpan[]): Promise<void> => store.append([batchOf(...drawn)]);

const crossings = () => audited.crossings();
const derived = () => audited.derived();
const minuteRows = () => audited.minutes();

/** button -> events over MQTT, and events -> data over HTTP. */
const press = (trace: bigint, start = 0): DrawnSpan[] => [
  {
    trace,
    id: trace * 10n + 1n,
    on: button,
    kind: 'producer',
    start,
    takes: 2,
    name: 'button press',
    system: 'mqtt',
    destination: 'factory/hannover/button/start',
  },
  {
    trace,
    id: trace * 10n + 2n,
    parent: trace * 10n + 1n,
    on: events,
    kind: 'consumer',
    start: start + 50,
    takes: 30,
    system: 'mqtt',
    destination: 'factory/hannover/button/start',
  },
  {
    trace,
    id: trace * 10n + 3n,
    parent: trace * 10n + 2n,
    on: events,
    kind: 'client',
    start: start + 52,
    takes: 20,
    system: 'http',
  },
  {
    trace,
    id: trace * 10n + 4n,
    parent: trace * 10n + 3n,
    on: data,
    kind: 'server',
    start: start + 54,
    takes: 15,
    system: 'http',
    destination: '/query',
  },
];

export function auditContract(name: string, of: AuditedEngine): void {
  describe(`the audit on ${name}`, () => {
    engine = of;
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'hopscope-audit-'));
      await openEmpty();
      seq = 0;
      nowMs = origin + 2000;
      memory = await openAudit(store, rules, now());
    });
    afterEach(async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    });

    describe('pairing', () => {
      it('makes crossings, hops, minutes and the trace of one request', async () => {
        await append(...press(1n));
        await pass();
        const [message, rpc] = await crossings();
        expect(message).toMatchObject({ caller_span: 11n, callee_span: 12n, raw_ns: 50_000_000n, linked: false });
        expect(rpc).toMatchObject({
          caller_span: 13n,
          callee_span: 14n,
          raw_ns: 5_000_000n,
          added_ns: 5_000_000n,
          clock: 2,
        });
        const windows = await store.hopWindows(origin - 60_000, origin + 60_000);
        const hop = windows.find((w) => w.system === 'http')!;
        expect(hop).toMatchObject({
          from: { service: 'events', site: 'ashburn' },
          to: { service: 'data', site: 'ashburn' },
          destination: '/query',
          count: 1,
          requests: 1,
          boundMs: 0,
        });
        expect([...hop.added]).toEqual([[bucketOf(5), 1]]);
        expect(windows.find((w) => w.system === 'mqtt')).toMatchObject({
          from: { application: 'factory' },
          destination: 'factory/hannover/button/start',
        });
        expect(await store.searchTraces({ fromMs: origin - 1000, toMs: origin + 1000, limit: 10 })).toMatchObject([
          { rootName: 'button press', hasRoot: true, spans: 4, rootSite: 'hannover' },
        ]);
      });

      it('comes to the same rows in any order, in halves minutes apart, twice, and through restarts', async () => {
        const spans = [...press(1n), ...press(2n, 300)];
        await append(...spans);
        await pass();
        nowMs = origin + 400_000;
        for (let i = 0; i < 3; i++) await pass();
        const wanted = await derived();
        expect(wanted.crossings).toHaveLength(4);

        const orders = [
          [...spans].reverse(),
          [3, 0, 2, 5, 7, 1, 6, 4].map((i) => spans[i]!),
          [1, 3, 5, 7, 0, 2, 4, 6].map((i) => spans[i]!),
        ];
        for (const order of orders) {
          await store.close();
          rmSync(folder, { recursive: true });
          folder = mkdtempSync(join(tmpdir(), 'hopscope-audit-'));
          // no memory of what came before: duplicates get as far as the spans table
          await openEmpty({ spans: 1 });
          seq = 0;
          nowMs = origin + 2000;
          await restart();
          for (let i = 0; i < order.length; i++) {
            await append(order[i]!, order[(i + 3) % order.length]!);
            await pass();
            if (i % 3 === 0) await restart();
            if (i === 4) nowMs += 5 * 60_000;
          }
          nowMs += 400_000;
          for (let i = 0; i < 3; i++) await pass();
          expect(await derived()).toEqual(wanted);
        }
      });

      it('leaves every span of a trace to be found: unread, read, in pieces a day apart, by another collector, of an older file', async () => {
        const found = async () => {
          const trail = await store.traceTrail(1n, 1n);
          return (await store.spansOfTrace(1n, 1n)).spans.length === trail?.total ? trail.total : Number.NaN;
        };
        const [first, second, third, fourth] = press(1n) as [DrawnSpan, DrawnSpan, DrawnSpan, DrawnSpan];
        expect(await store.traceTrail(1n, 1n)).toBeNull();
        await append(first, ...press(2n));
        expect(await found()).toBe(1);
        await pass();
        expect(await found()).toBe(1);
        nowMs += 23 * 3_600_000;
        await append(second);
        expect(await found()).toBe(2);
        await pass();
        expect(await found()).toBe(2);
        // the audit no longer looks back to the first one
        nowMs += 2 * 3_600_000;
        await append(third);
        await pass();
        expect(await found()).toBe(3);
        await store.append([{ ...drawnBatch('c2', 1, nowMs - 3_600_000, origin, [fourth]) }]);
        expect(await found()).toBe(4);
        await pass();
        expect(await found()).toBe(4);
        await audited.asAnOlderVersion?.();
        expect(await found()).toBe(4);
      });

      it('changes nothing when it runs again, nor when it begins anew', async () => {
        await append(...press(1n));
        await pass();
        const before = await derived();
        await pass();
        await restart();
        await pass();
        expect(await derived()).toEqual(before);
      });

      it('loses nothing when a step dies before its commit, or right after it', async () => {
        const all = async () => {
          nowMs = origin + 400_000;
          for (let i = 0; i < 3; i++) await pass();
          return derived();
        };
        const begin = async () => {
          await store.close();
          rmSync(folder, { recursive: true });
          folder = mkdtempSync(join(tmpdir(), 'hopscope-audit-'));
          await openEmpty();
          nowMs = origin + 2000;
          seq = 0;
          await restart();
          await append(...press(1n), ...press(2n, 300));
        };
        await begin();
        const wanted = await all();
        expect(wanted.crossings).toHaveLength(4);
        for (let dying = 1; dying <= 5; dying++) {
          for (const committed of [false, true]) {
            await begin();
            let step = 0;
            const mortal: Store = {
              ...store,
              audit: {
                transaction: async (work) => {
                  const dies = ++step === dying;
                  const result = await store.audit.transaction(async (tx) => {
                    const done = await work(tx);
                    if (dies && !committed) throw new Error('killed');
                    return done;
                  });
                  if (dies) throw new Error('killed');
                  return result;
                },
              },
            };
            await expect(auditOnce(mortal, now(), rules, memory)).rejects.toThrow('killed');
            expect(await all()).toEqual(wanted);
          }
        }
      });

      it('waits behind a hole in the numbers and goes on when it is filled', async () => {
        const first = batchOf(press(1n)[0]!);
        const second = batchOf(press(1n)[1]!);
        await store.append([second]);
        expect((await pass()).batches).toBe(0);
        await store.append([first]);
        expect((await pass()).batches).toBe(2);
        expect(await crossings()).toHaveLength(1);
      });

      it('pairs by link across traces, and once where the parent says the same', async () => {
        const [producer, consumer] = press(1n);
        await append({ ...consumer!, trace: 7n, id: 99n, parent: undefined, links: [{ trace: 1n, id: 11n }] });
        await pass();
        await append(producer!, { ...consumer!, links: [{ trace: 1n, id: 11n }] });
        await pass();
        expect((await crossings()).map((c) => [c.callee_trace_lo, c.callee_span, c.linked])).toEqual([
          [1n, 12n, false],
          [7n, 99n, true],
        ]);
        expect((await minuteRows())[0]).toMatchObject({ count: 2, requests: 1 });
      });

      it('lets a link tie traces without making a crossing of an RPC', async () => {
        const [, , client, server] = press(1n);
        await append(client!, { ...server!, trace: 7n, id: 99n, parent: undefined, links: [{ trace: 1n, id: 13n }] });
        await pass();
        expect(await crossings()).toHaveLength(0);
      });

      it('counts one request of a message with three consumers', async () => {
        const [producer, consumer] = press(1n);
        await append(producer!, ...[21n, 22n, 23n].map((id) => ({ ...consumer!, id })));
        await pass();
        expect((await minuteRows())[0]).toMatchObject({ count: 3, requests: 1 });
      });

      it('lets a flow talk to itself over the broker, and nobody to himself otherwise', async () => {
        const [producer, consumer, client, server] = press(1n);
        await append(producer!, { ...consumer!, on: button }, client!, { ...server!, on: events });
        await pass();
        expect(await crossings()).toMatchObject([{ caller_span: 11n, clock: 1, added_ns: 50_000_000n }]);
      });

      it('never pairs receive, settle or internal spans', async () => {
        const [producer, consumer] = press(1n);
        await append(
          producer!,
          { ...consumer!, id: 20n, operation: messagingOperation.receive },
          { ...consumer!, id: 21n, operation: messagingOperation.settle },
          { ...consumer!, id: 22n, kind: 'internal' },
          { ...consumer!, id: 23n, operation: messagingOperation.process },
        );
        await pass();
        expect((await crossings()).map((c) => c.callee_span)).toEqual([23n]);
      });

      it('counts of two servers the last that ends within the caller, and thinks again when another comes', async () => {
        const [, , client, server] = press(1n);
        await append(client!, { ...server!, id: 20n, start: 53, takes: 5 });
        await pass();
        expect((await crossings()).map((c) => c.callee_span)).toEqual([20n]);
        await append({ ...server!, id: 21n, start: 60, takes: 10 });
        await pass();
        expect((await crossings()).map((c) => c.callee_span)).toEqual([21n]);
        await append({ ...server!, id: 22n, start: 60, takes: 100 });
        await pass();
        expect((await crossings()).map((c) => c.callee_span)).toEqual([21n]);
        expect((await minuteRows())[0]).toMatchObject({ count: 1, requests: 1 });
      });

      it('gives no figure where the server worked on after the answer', async () => {
        const [, , client, server] = press(1n);
        await append(client!, { ...server!, takes: 100 });
        await pass();
        expect(await crossings()).toMatchObject([{ added_ns: null, clock: 6 }]);
        expect((await minuteRows())[0]).toMatchObject({ count: 1, overlap: 1 });
      });

      it('counts what is negative by its size, and what has no figure without one', async () => {
        const [producer, consumer, client, server] = press(1n) as [DrawnSpan, DrawnSpan, DrawnSpan, DrawnSpan];
        // 3 ms before it was sent, by clocks that nothing ties together; a server that worked on after its answer
        await append(producer, { ...consumer, on: drawnResource('near', 'hannover'), start: -3 }, client, {
          ...server,
          takes: 100,
        });
        await pass();
        const windows = await store.hopWindows(origin - 60_000, origin + 60_000);
        const of = (system: string) => windows.find((hop) => hop.system === system)!;
        // 0 is impossible for these two clocks: the least error is proven, and no figure is given
        expect(of('mqtt')).toMatchObject({ count: 1, maxMs: null, boundMs: null, clocks: { clockWrong: 1 } });
        expect([...of('mqtt').raw]).toEqual([[bucketOf(-3), 1]]);
        expect([...of('http').raw]).toEqual([[bucketOf(-80), 1]]);
        for (const system of ['mqtt', 'http']) expect(of(system).added.size).toBe(0);
        expect(of('http')).toMatchObject({ count: 1, clocks: { overlap: 1 } });
      });

      it('files a span with an absurd clock under the minute it came in', async () => {
        await append(...press(1n, -3 * 86_400_000));
        await pass();
        expect((await crossings())[0]!.minute).toBe(minuteOf(origin + 2000));
      });
    });

    describe('clocks', () => {
      /** Both ways, on a clock that is `wrong` ms ahead in Ashburn. */
      const talk = (trace: bigint, wrong: number, there = 45, back = 47): DrawnSpan[] => [
        { trace, id: 1n, on: button, kind: 'producer', start: 0, takes: 1, system: 'mqtt', destination: 'a' },
        {
          trace,
          id: 2n,
          parent: 1n,
          on: events,
          kind: 'consumer',
          start: there + wrong,
          takes: 5,
          system: 'mqtt',
          destination: 'a',
        },
        {
          trace,
          id: 3n,
          parent: 2n,
          on: events,
          kind: 'producer',
          start: there + wrong + 2,
          takes: 1,
          system: 'mqtt',
          destination: 'b',
        },
        {
          trace,
          id: 4n,
          parent: 3n,
          on: button,
          kind: 'consumer',
          start: there + 2 + back,
          takes: 1,
          system: 'mqtt',
          destination: 'b',
        },
      ];

      it('hold the truth within the bound however wrong they are', async () => {
        for (const wrong of [-1700, 0, 900]) {
          const elsewhere = drawnResource(`events${wrong}`, 'ashburn');
          await append(
            ...talk(BigInt(10_000 + wrong), wrong).map((span) => ({
              ...span,
              on: span.on === events ? elsewhere : span.on,
            })),
          );
        }
        await pass();
        const found = await crossings();
        expect(found).toHaveLength(6);
        for (const c of found) {
          expect(c.clock).toBe(3);
          expect(Math.abs(Number(c.added_ns) / 1e6 - (c.caller_span === 1n ? 45 : 47))).toBeLessThanOrEqual(
            Number(c.bound_ns) / 1e6,
          );
        }
      });

      it('are bounded both ways and say so', async () => {
        await append(...talk(1n, -1700));
        await pass();
        const [there, back] = await crossings();
        expect(there).toMatchObject({ clock: 3 });
        expect(Math.abs(Number(there!.added_ns) / 1e6 - 45)).toBeLessThanOrEqual(Number(there!.bound_ns) / 1e6);
        expect(Math.abs(Number(back!.added_ns) / 1e6 - 47)).toBeLessThanOrEqual(Number(back!.bound_ns) / 1e6);
        expect(Number(there!.bound_ns) / 1e6).toBeLessThan(15);
      });

      it('of a one-way talker are assumed, or proven wrong', async () => {
        await append(...talk(1n, 10).slice(0, 2));
        await pass();
        expect(await crossings()).toMatchObject([{ clock: 4, bound_ns: null, offset_ns: 0n, added_ns: 55_000_000n }]);
        await append(...talk(2n, -1700).slice(0, 2));
        nowMs += 200_000;
        await pass();
        await pass();
        expect((await crossings()).map((c) => [c.clock, c.added_ns, c.bound_ns])).toEqual([
          [5, null, null],
          [5, null, null],
        ]);
      });

      it('are judged again once both sides have been heard', async () => {
        await append(...talk(1n, 10).slice(0, 2));
        await pass();
        expect((await crossings())[0]).toMatchObject({ clock: 4 });
        await append(...talk(1n, 10).slice(2));
        await pass();
        expect((await crossings())[0]).toMatchObject({ clock: 4 });
        nowMs = origin + 200_000;
        const report = await pass();
        expect(report.settled).toBeGreaterThan(0);
        expect((await crossings())[0]).toMatchObject({ clock: 3 });
        expect(
          (await store.hopWindows(origin - 60_000, origin + 60_000)).every((hop) => hop.clocks.assumed === 0),
        ).toBe(true);
      });

      it('widen by the grain of stamps that are whole milliseconds', async () => {
        await append(...talk(1n, 0).map((s) => ({ ...s, flags: 2 })));
        await pass();
        const fine = 14.1;
        expect(Number((await crossings())[0]!.bound_ns) / 1e6).toBeGreaterThan(fine);
      });

      it('split a message at the broker that saw it pass, and its floor goes that way', async () => {
        const collector = drawnResource('', '', { hostId: 'hopscope-collector:c1', hostName: '' });
        const nanos = (ms: number) => BigInt(origin) * 1_000_000n + BigInt(ms * 1e6);
        const echo = (device: typeof button, there: number, back: number, wrong: number) => [
          {
            from: collector,
            to: device,
            atNanos: nanos(0),
            rawNanos: BigInt((there + wrong) * 1e6),
            source: 'echo' as const,
            broker: 'broker-dublin',
          },
          {
            from: device,
            to: collector,
            atNanos: nanos(0),
            rawNanos: BigInt((back - wrong) * 1e6),
            source: 'echo' as const,
            broker: 'broker-dublin',
          },
        ];
        const [producer, consumer] = press(1n);
        await store.append([
          {
            ...batchOf(producer!, { ...consumer!, start: 50 + 300 }),
            passages: [
              {
                broker: 'broker-dublin',
                topic: 'factory/hannover/button/start',
                traceHi: 1n,
                traceLo: 1n,
                spanId: 11n,
                receiveNanos: nanos(9),
                payloadBytes: 10,
                qos: 1,
              },
            ],
            clockObservations: [...echo(button, 8, 8, 0), ...echo(events, 35, 36, 300)],
          },
        ]);
        await pass();
        const [crossing] = await crossings();
        expect(crossing).toMatchObject({ clock: 3 });
        const [up, down, added] = [crossing!.uplink_ns, crossing!.downlink_ns, crossing!.added_ns].map(
          (v) => Number(v) / 1e6,
        );
        expect(up! + down!).toBeCloseTo(added!, 5);
        expect(up!).toBeGreaterThan(5);
        expect(up!).toBeLessThan(13);
        expect(Number(crossing!.floor_ns)).toBeGreaterThan(Number(crossing!.direct_floor_ns));
        const [hop] = await store.hopWindows(origin - 60_000, origin + 60_000);
        expect(hop).toMatchObject({ broker: 'broker-dublin', passages: 1 });

        nowMs += 60_000;
        await pass();
        expect((await store.clocks()).map((c) => c.deviceId).sort()).toEqual(['button-hannover', 'events-ashburn']);
      });

      it('let a passage come after its message', async () => {
        const [producer, consumer] = press(1n);
        await append(producer!, consumer!);
        await pass();
        await store.append([
          {
            ...emptyBatch('c1', ++seq, nowMs),
            passages: [
              {
                broker: 'broker-dublin',
                topic: 't',
                traceHi: 1n,
                traceLo: 1n,
                spanId: 11n,
                receiveNanos: BigInt(origin + 9) * 1_000_000n,
                payloadBytes: 10,
                qos: 1,
              },
            ],
          },
        ]);
        await pass();
        expect(await crossings()).toMatchObject([{ uplink_ns: 9_000_000n }]);
        expect((await store.hopWindows(origin - 60_000, origin + 60_000))[0]).toMatchObject({ passages: 1 });
      });
    });

    describe('unanswered', () => {
      it('is a message whose destination used to answer; a late answer takes it away', async () => {
        await append(...press(1n));
        await pass();
        const [producer, consumer] = press(2n, 1500);
        await append(producer!);
        await pass();
        const pressed = async () =>
          (await store.hopWindows(origin - 60_000, origin + 60_000)).find((hop) => hop.system === 'mqtt')!;
        expect(await pressed()).toMatchObject({ count: 1, unanswered: 0 });
        nowMs += 31_000;
        await pass();
        expect(await pressed()).toMatchObject({ count: 1, unanswered: 1 });
        await restart();
        await pass();
        expect(await pressed()).toMatchObject({ count: 1, unanswered: 1 });
        await append(consumer!);
        await pass();
        expect(await pressed()).toMatchObject({ count: 2, unanswered: 0 });
      });

      it('is never a database, nor a call that did not fail', async () => {
        await append(...press(1n), {
          trace: 1n,
          id: 50n,
          parent: 12n,
          on: events,
          kind: 'client',
          start: 60,
          takes: 3,
          system: 'postgresql',
          destination: 'orders',
          status: 2,
        });
        await append({
          trace: 2n,
          id: 51n,
          on: events,
          kind: 'client',
          start: 60,
          takes: 3,
          system: 'http',
          destination: '/query',
        });
        await pass();
        nowMs += 40_000;
        await pass();
        expect((await minuteRows()).every((row) => row.unanswered === 0)).toBe(true);
      });
    });

    describe('devices', () => {
      const pi = drawnResource('', '', { hostId: '', hostName: 'button-hannover', site: '' });
      const heartbeat = (): IngestBatch => ({
        ...emptyBatch('c1', ++seq, nowMs),
        sightings: [{ resource: pi, source: 'heartbeat', arrivalMs: nowMs, count: 1, intervalMs: 10_000 }],
      });
      const stateOf = async (id: string) => (await store.devices()).find((device) => device.id === id)!;

      it('join a heartbeat that knows only a name, and go down after three of its intervals', async () => {
        await append(...press(1n));
        await store.append([heartbeat()]);
        await pass();
        expect((await store.devices()).map((device) => device.id).sort()).toEqual([
          'button-hannover',
          'data-ashburn',
          'events-ashburn',
        ]);
        expect(await stateOf('button-hannover')).toMatchObject({ state: 'up', site: 'hannover', services: ['button'] });
        nowMs += 29_000;
        await restart();
        nowMs += 5_000;
        await pass();
        expect(await stateOf('button-hannover')).toMatchObject({ state: 'down' });
        expect(await stateOf('events-ashburn')).toMatchObject({ state: 'up' });
        await store.append([heartbeat()]);
        await pass();
        expect(await stateOf('button-hannover')).toMatchObject({ state: 'up' });
        const events = await store.deviceEvents('button-hannover', origin, nowMs + 1000, 10);
        expect(events.map((event) => event.toState).sort()).toEqual(['down', 'up', 'up']);
      });

      it('are one, whether the name or the id came first', async () => {
        await store.append([heartbeat()]);
        await pass();
        await append({ ...press(1n)[0]!, on: { ...button, hostId: 'machine-1' } });
        await pass();
        expect(await store.devices()).toMatchObject([
          { id: 'machine-1', name: 'button-hannover', site: 'hannover', state: 'up' },
        ]);
      });

      it('are down at once when their Will fires', async () => {
        await store.append([heartbeat()]);
        await pass();
        await store.append([
          {
            ...emptyBatch('c1', ++seq, nowMs),
            deviceReports: [{ resource: pi, state: 'offline', timeMs: nowMs, retained: false }],
          },
        ]);
        await pass();
        expect(await stateOf('button-hannover')).toMatchObject({ state: 'down', reason: 'its Last Will: offline' });
        await restart();
        await pass();
        expect(await stateOf('button-hannover')).toMatchObject({ state: 'down' });
      });

      it('are hot after five minutes at 85 %', async () => {
        for (let i = 0; i <= 31; i++) {
          const timeMs = nowMs;
          await store.append([
            {
              ...heartbeat(),
              dataPoints: [{ resource: pi, metric: 'system.cpu.utilization', attributesJson: '', timeMs, value: 0.91 }],
            },
          ]);
          nowMs += 9_000;
          await pass();
        }
        expect(await stateOf('button-hannover')).toMatchObject({ state: 'degraded', reason: 'hot' });
      });
    });

    describe('topics', () => {
      it('are added up from what came, however often it is asked', async () => {
        const traffic = (messages: number): IngestBatch => ({
          ...emptyBatch('c1', ++seq, nowMs),
          topicTraffic: [
            {
              broker: 'b',
              topic: 'a/b',
              minute: minuteOf(nowMs),
              messages,
              payloadBytes: messages * 10,
              retained: 0,
              lastMs: nowMs,
              publisher: '',
            },
          ],
        });
        await store.append([traffic(3)]);
        await pass();
        await store.append([traffic(4)]);
        await pass();
        await pass();
        expect(await audited.topicMinutes()).toEqual([{ messages: 7, payload_bytes: 70n }]);
      });
    });
  });
}
