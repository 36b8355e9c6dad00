import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CollectorReport } from '#lib/domain/collector-report.ts';
import { reportOf, tallyThrough } from '#lib/domain/fixtures/collector-reports.ts';
import { bucketOf, quantile } from '#lib/domain/histogram.ts';
import { spanIdHex } from '#lib/domain/ids.ts';
import { signal } from '#lib/domain/ingest-batch.ts';
import { type Resource, spanKind } from '#lib/domain/span.ts';
import {
  batchOf,
  metricBatch,
  noonMs,
  noonNanos,
  pointOf,
  resourceOf,
  spanColumnsOf,
  traceBatch,
  traceHi,
  traceIdOf,
  trafficOf,
} from './fixtures/batches.ts';
import type { Store } from './store.ts';

/** What the contract needs of an engine beside the interface: ways to open it, and rows that otherwise only the audit writes. */
export interface EngineUnderTest {
  /** Opens the store of `dir`, empty or as it was left. */
  open(dir: string, bounds?: Bounds): Promise<OpenedStore>;
  newDir(): string;
  /** opt-outs: what the engine has not, and why */
  without?: { reports?: string };
}
export interface Bounds {
  strings?: number;
  resources?: number;
  topicsPerBroker?: number;
}
export interface OpenedStore {
  store: Store;
  /** Rows as received, for what the interface does not show. */
  received(): Promise<{
    spans: number;
    links: number;
    passages: number;
    dataPoints: number;
    topics: number;
    messages: number;
    texts: number;
  }>;
  seed: Seed;
}
export interface Seed {
  devices(
    rows: { number: number; id: string; name: string; site: string; services?: string[]; lastSeenMs?: number }[],
  ): Promise<void>;
  placings(rows: { resource: Resource; device: number; site: string; application: string }[]): Promise<void>;
  sites(rows: { id: string; name: string; lat: number | null; lon: number | null }[]): Promise<void>;
  deviceEvents(rows: { device: number; timeMs: number; from: string; to: string; reason: string }[]): Promise<void>;
  hops(rows: { hop: bigint; from: string; to: string; destination: string }[]): Promise<void>;
  hopMinutes(rows: HopMinuteSketch[]): Promise<void>;
  crossings(rows: CrossingSketch[]): Promise<void>;
  traces(rows: TraceSketch[]): Promise<void>;
  topicMinutes(
    rows: {
      broker: string;
      topic: string;
      minute: number;
      messages: number;
      payloadBytes: number;
      retained?: number;
    }[],
  ): Promise<void>;
  clocks(
    rows: {
      device: number;
      minute: number;
      offsetNanos: bigint | null;
      boundNanos: bigint | null;
      lowNanos?: bigint;
      method: string;
    }[],
  ): Promise<void>;
}
export interface HopMinuteSketch {
  hop: bigint;
  minute: number;
  added: number[];
  boundMs: number | null;
  bounded: number;
  assumed: number;
  floorMs: number;
  broker?: string;
}
export interface CrossingSketch {
  hop: bigint;
  callerTrace: bigint;
  callerSpan: bigint;
  calleeTrace: bigint;
  calleeSpan: bigint;
  startMs: number;
  addedNanos: bigint | null;
  callerDevice: number;
  calleeDevice: number;
}
export interface TraceSketch {
  trace: bigint;
  startMs: number;
  durationMs: number;
  rootName: string;
  rootResource: Resource;
  spans: number;
  errors: number;
}

const minute = noonMs / 60_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const around = [noonMs - hourMs, noonMs + hourMs] as const;
const button = resourceOf('button', 'pi-hannover');
const factory = resourceOf('factory', 'rack-ashburn');

export function storeContract(name: string, engine: EngineUnderTest): void {
  describe(`the contract of a store: ${name}`, () => {
    let dir: string;
    let opened: OpenedStore;
    let store: Store;

    const open = async (bounds?: Bounds): Promise<void> => {
      opened = await engine.open(dir, bounds);
      store = opened.store;
    };
    const reopen = async (): Promise<void> => {
      await store.close();
      await open();
    };
    beforeEach(async () => {
      dir = engine.newDir();
      await open();
    });
    afterEach(() => store.close());

    const residual = async (): Promise<number> => {
      const books = await store.books();
      for (const row of books.bySignal) expect(row.received - row.stored - row.duplicate - row.rejected).toBe(0);
      return books.received - books.stored - books.duplicate - books.rejected;
    };

    it('answers everything with nothing when it is empty', async () => {
      expect(await store.watermarks()).toEqual(new Map());
      expect(await store.books()).toMatchObject({
        received: 0,
        stored: 0,
        duplicate: 0,
        rejected: 0,
        rejectedByReason: {},
      });
      expect(await store.gaps(...around)).toEqual([]);
      expect(await store.sites()).toEqual([]);
      expect(await store.devices()).toEqual([]);
      expect(await store.deviceEvents(null, ...around, 10)).toEqual([]);
      expect(await store.deviceSeries('cpu', null, ...around, 60_000)).toEqual([]);
      expect(await store.deviceSeries('memory', ['x'], ...around, 60_000)).toEqual([]);
      expect(await store.deviceMetrics('x')).toEqual([]);
      expect(await store.hopWindows(...around)).toEqual([]);
      expect(await store.hopMinutes(1n, ...around)).toEqual([]);
      expect(await store.hop(1n)).toBeNull();
      expect(await store.crossingsOfHop(1n, ...around, 'newest', 10)).toEqual([]);
      expect(await store.crossingsOfTrace(traceHi, 1n)).toEqual([]);
      expect(await store.spansOfTrace(traceHi, 1n)).toEqual({ spans: [], total: 0 });
      expect(await store.linkedTraces(traceHi, 1n)).toEqual([]);
      expect(await store.searchTraces({ fromMs: around[0], toMs: around[1], limit: 10 })).toEqual([]);
      expect(
        await store.searchTraces({
          fromMs: around[0],
          toMs: around[1],
          limit: 10,
          service: 'x',
          rootName: 'y',
          hop: 1n,
        }),
      ).toEqual([]);
      expect(await store.services()).toEqual([]);
      expect(await store.servicesHeard(...around)).toEqual([]);
      expect(await store.hopLevels(around[0], around[0], around[1])).toEqual([]);
      const nobody = { rootName: 'x', application: 'y', count: 0 };
      expect(await store.pathWindows(...around, hourMs)).toEqual([]);
      expect(await store.pathsOfHops(...around)).toEqual([]);
      expect(await store.pathSamples([nobody, nobody], ...around, 10)).toEqual([[], []]);
      expect(await store.pathSamples([], ...around, 10)).toEqual([]);
      expect((await store.pathSeries(nobody, ...around, hourMs)).map((step) => step.count)).toEqual([0, 0]);
      expect(await store.topicWindows(...around)).toEqual([]);
      expect(await store.topicSeries(null, ...around)).toEqual([]);
      expect(await store.clocks()).toEqual([]);
      expect(await store.clockMinutes(...around)).toEqual([]);
      expect(await store.clockFindings(...around)).toEqual([]);
      expect(await store.contradictingDevices(...around)).toEqual(new Map());
      await store.append([]);
      await store.dropBefore({ spansMs: noonMs, crossingsMs: noonMs, minutesMs: noonMs });
      expect((await store.status()).spans).toBe(0);
    });

    describe('append', () => {
      it('changes nothing when the same batch comes again, in another call or in the same', async () => {
        const one = traceBatch(1, [{ trace: 1n, span: 1n }]);
        await store.append([one, one]);
        await store.append([one]);
        expect(await store.books()).toMatchObject({ received: 1, stored: 1, duplicate: 0 });
        expect((await opened.received()).spans).toBe(1);
      });

      it('stores one transaction whole or not at all, and goes on after a failure as if it had never been', async () => {
        const broken = metricBatch(2, [pointOf(button, 'never.seen', Number.NaN, 1)]);
        await expect(
          store.append([traceBatch(1, [{ trace: 1n, span: 1n, name: 'lost' }]), broken]),
        ).rejects.toMatchObject({ code: 'store' });
        expect(await opened.received()).toMatchObject({ spans: 0, dataPoints: 0 });
        expect(await store.watermarks()).toEqual(new Map());
        await store.append([traceBatch(1, [{ trace: 1n, span: 1n, name: 'found' }])]);
        await reopen();
        expect((await store.spansOfTrace(traceHi, 1n)).spans.map((s) => s.name)).toEqual(['found']);
        expect(await store.books()).toMatchObject({ received: 1, stored: 1, duplicate: 0 });
      });

      it('counts and drops spans that come twice, also within one batch', async () => {
        await store.append([
          traceBatch(1, [
            { trace: 1n, span: 1n },
            { trace: 1n, span: 2n },
            { trace: 1n, span: 1n },
          ]),
        ]);
        await store.append([
          traceBatch(2, [
            { trace: 1n, span: 2n },
            { trace: 2n, span: 2n, links: [{ trace: 9n, span: 9n }] },
          ]),
        ]);
        expect(await store.books()).toMatchObject({ received: 5, stored: 3, duplicate: 2 });
        expect(await opened.received()).toMatchObject({ spans: 3, links: 1 });
        expect(await residual()).toBe(0);
      });

      it('keeps every column right where some spans of a batch are dropped', async () => {
        await store.append([traceBatch(1, [{ trace: 1n, span: 1n }])]);
        await store.append([
          batchOf(2, {
            spans: spanColumnsOf([
              { trace: 1n, span: 1n },
              {
                trace: 1n,
                span: 2n,
                parent: 1n,
                startMs: 5,
                durationMs: 7,
                kind: 5,
                status: 2,
                name: 'b',
                resource: factory,
                system: 'mqtt',
                destination: 'd',
              },
            ]),
          }),
        ]);
        expect((await store.spansOfTrace(traceHi, 1n)).spans[1]).toMatchObject({
          spanId: spanIdHex(2n),
          parentSpanId: spanIdHex(1n),
          startNanos: noonNanos + 5_000_000n,
          endNanos: noonNanos + 12_000_000n,
          kind: 5,
          status: 2,
          name: 'b',
          system: 'mqtt',
          destination: 'd',
          resource: { serviceName: 'factory' },
        });
      });

      it('counts and drops data points and passages that come twice', async () => {
        const point = pointOf(button, 'system.cpu.utilization', 0, 0.5, '{"cpu":"0"}');
        const passage = {
          broker: 'main',
          topic: 'a/b',
          traceHi,
          traceLo: 1n,
          spanId: 1n,
          receiveNanos: noonNanos,
          payloadBytes: 3,
          qos: 1,
        };
        await store.append([metricBatch(1, [point, { ...point, timeMs: point.timeMs + 1 }])]);
        await store.append([metricBatch(2, [point])]);
        const message = { signal: signal.mqtt, topicTraffic: [trafficOf('a/b', 1)], passages: [passage] };
        await store.append([
          batchOf(3, message),
          batchOf(4, message),
          batchOf(5, { ...message, passages: [{ ...passage, broker: 'spare' }] }),
        ]);
        expect(await opened.received()).toMatchObject({ dataPoints: 2, passages: 2 });
        expect((await store.books()).bySignal).toEqual([
          { signal: 'traces', received: 0, stored: 0, duplicate: 0, rejected: 0 },
          { signal: 'metrics', received: 3, stored: 2, duplicate: 1, rejected: 0 },
          // three messages, of which two carried the same context past the same broker
          { signal: 'mqtt', received: 3, stored: 3, duplicate: 0, rejected: 0 },
        ]);
      });

      it('counts what it stored, not what it was told to have come in', async () => {
        await store.append([
          batchOf(1, { signal: signal.mqtt, received: 5, topicTraffic: [trafficOf('a', 3, { retained: 1 })] }),
          traceBatch(2, [{ trace: 1n, span: 1n }], { received: 3 }),
          metricBatch(1, [pointOf(button, 'm', 0, 1)], { collectorId: 'b' }),
        ]);
        const books = await store.books();
        expect(books).toMatchObject({ received: 9, stored: 6, duplicate: 0, rejected: 0 });
        const none = { duplicate: 0, rejected: 0 };
        expect(books.byCollector).toEqual([
          { collectorId: 'b', highestSeq: 1, received: 1, stored: 1, ...none },
          { collectorId: 'collector-1', highestSeq: 2, received: 8, stored: 5, ...none },
        ]);
        await store.dropBefore({ spansMs: noonMs + 1_000, crossingsMs: 0, minutesMs: 0 });
        expect((await store.books()).byCollector).toEqual(books.byCollector);
      });

      it('takes batches in any order and says how far it is without holes', async () => {
        await store.append([traceBatch(3, [{ trace: 1n, span: 3n }])]);
        expect(await store.watermarks()).toEqual(new Map([['collector-1', 0]]));
        await store.append([traceBatch(1, [{ trace: 1n, span: 1n }])]);
        expect(await store.watermarks()).toEqual(new Map([['collector-1', 1]]));
        await reopen();
        expect(await store.watermarks()).toEqual(new Map([['collector-1', 1]]));
        await store.append([traceBatch(3, [{ trace: 1n, span: 33n }])]);
        await store.append([
          traceBatch(2, [{ trace: 1n, span: 2n }]),
          traceBatch(1, [{ trace: 7n, span: 7n }], { collectorId: 'b' }),
        ]);
        expect(await store.watermarks()).toEqual(
          new Map([
            ['collector-1', 3],
            ['b', 1],
          ]),
        );
        expect((await opened.received()).spans).toBe(4);
        expect((await store.spansOfTrace(traceHi, 1n)).total).toBe(3);
      });

      it('keeps exact books of what was refused', async () => {
        await store.append([
          traceBatch(1, [{ trace: 1n, span: 1n }], { received: 6, rejected: { time: 2, id: 3 } }),
          batchOf(2, {
            signal: signal.mqtt,
            received: 5,
            rejected: { malformed: 1 },
            topicTraffic: [trafficOf('a', 4)],
          }),
        ]);
        expect(await store.books()).toMatchObject({
          received: 11,
          stored: 5,
          rejected: 6,
          rejectedByReason: { time: 2, id: 3, malformed: 1 },
        });
        expect(await residual()).toBe(0);
      });

      it('lets many append at once', async () => {
        await Promise.all(
          Array.from({ length: 40 }, (_, i) =>
            store.append([
              traceBatch(i + 1, [
                { trace: 1n, span: BigInt(i + 1) },
                { trace: 2n, span: 1n },
              ]),
            ]),
          ),
        );
        expect(await store.books()).toMatchObject({ received: 80, stored: 41, duplicate: 39 });
        expect(await store.watermarks()).toEqual(new Map([['collector-1', 40]]));
      });

      it('keeps all over a restart, and still knows what came twice', async () => {
        await store.append([
          traceBatch(1, [{ trace: 1n, span: 1n, name: 'π', resource: button }]),
          metricBatch(2, [pointOf(button, 'm', 0, 1)]),
        ]);
        await store.addGap({ fromMs: noonMs, toMs: noonMs + 5, whose: 'main', what: 'the session was lost' });
        await reopen();
        expect(await store.gaps(...around)).toEqual([
          { fromMs: noonMs, toMs: noonMs + 5, whose: 'main', what: 'the session was lost' },
        ]);
        expect((await store.spansOfTrace(traceHi, 1n)).spans[0]).toMatchObject({ name: 'π', resource: button });
        await store.append([traceBatch(3, [{ trace: 1n, span: 1n }]), metricBatch(4, [pointOf(button, 'm', 0, 1)])]);
        expect(await store.books()).toMatchObject({ received: 4, stored: 2, duplicate: 2 });
      });

      it('stores what was heard of devices and clocks', async () => {
        await store.append([
          batchOf(1, {
            sightings: [{ resource: button, source: 'heartbeat', arrivalMs: noonMs, count: 1, intervalMs: null }],
            deviceReports: [{ resource: button, state: 'offline', timeMs: noonMs, retained: true }],
            clockObservations: [
              { from: button, to: factory, atNanos: noonNanos, rawNanos: -5n, source: 'echo', broker: '' },
            ],
          }),
        ]);
        expect(await residual()).toBe(0);
      });
    });

    describe('bounds', () => {
      it('folds topics beyond the bound into one, with exact sums', async () => {
        const topics = 100_000;
        for (let seq = 1; seq <= 10; seq++) {
          const topicTraffic = Array.from({ length: topics / 10 }, (_, i) => trafficOf(`id/${seq}-${i}`, 3));
          await store.append([batchOf(seq, { signal: signal.mqtt, topicTraffic })]);
        }
        expect(await opened.received()).toMatchObject({ topics: 20_001, messages: topics * 3 });
        // A stranger's flood on one broker leaves the next broker its names
        await store.append([
          batchOf(11, { signal: signal.mqtt, topicTraffic: [trafficOf('late', 1, { broker: 'spare' })] }),
        ]);
        expect(await opened.received()).toMatchObject({ topics: 20_002, messages: topics * 3 + 1 });
        expect(await residual()).toBe(0);
      });

      it('folds texts and senders beyond the bound, also over a restart', async () => {
        await store.close();
        await open({ strings: 100, resources: 10 });
        const flood = (seq: number) =>
          traceBatch(
            seq,
            Array.from({ length: 300 }, (_, i) => ({
              trace: BigInt(seq),
              span: BigInt(seq * 1000 + i),
              name: `name ${seq} ${i}`,
              resource: resourceOf(`service ${seq} ${i}`),
            })),
          );
        await store.append([flood(1)]);
        await store.close();
        await open({ strings: 100, resources: 10 });
        await store.append([flood(2)]);
        expect(await opened.received()).toMatchObject({ spans: 600, texts: 100 });
        expect(await store.watermarks()).toEqual(new Map([['collector-1', 2]]));
        // a collector is never folded: what is stored hangs on its name
        await store.append([traceBatch(1, [{ trace: 3n, span: 1n }], { collectorId: 'another' })]);
        expect(await store.watermarks()).toEqual(
          new Map([
            ['collector-1', 2],
            ['another', 1],
          ]),
        );
      });

      it('still tells data points apart whose attributes were folded', async () => {
        await store.close();
        await open({ strings: 5 });
        const points = Array.from({ length: 20 }, (_, i) => pointOf(button, 'm', 0, i, `{"n":${i}}`));
        await store.append([metricBatch(1, points)]);
        expect(await store.books()).toMatchObject({ received: 20, stored: 20, duplicate: 0 });
      });
    });

    describe('a trace', () => {
      it('has its distinct spans by start, with all they carried and where they stand', async () => {
        await store.append([
          traceBatch(1, [
            {
              trace: 1n,
              span: 2n,
              startMs: 8,
              resource: factory,
              kind: spanKind.consumer,
              system: 'mqtt',
              destination: 'a/b',
            },
          ]),
          traceBatch(2, [
            { trace: 1n, span: 1n, startMs: 3, resource: button },
            { trace: 2n, span: 1n },
          ]),
        ]);
        await opened.seed.devices([{ number: 1, id: 'dev-1', name: 'rack', site: 'ashburn' }]);
        await opened.seed.placings([{ resource: factory, device: 1, site: 'ashburn', application: 'line' }]);
        const { spans, total } = await store.spansOfTrace(traceHi, 1n);
        expect(total).toBe(2);
        expect(spans.map((s) => s.spanId)).toEqual([spanIdHex(1n), spanIdHex(2n)]);
        expect(spans[0]).toMatchObject({
          deviceId: '',
          site: '',
          application: '',
          attributes: { decoded: true },
          arrivalMs: noonMs + 2,
        });
        expect(spans[1]).toMatchObject({
          deviceId: 'dev-1',
          site: 'ashburn',
          application: 'line',
          system: 'mqtt',
          destination: 'a/b',
          resource: factory,
        });
      });

      it('says how many spans there are when it shows fewer', async () => {
        await store.append([
          traceBatch(
            1,
            Array.from({ length: 30 }, (_, i) => ({ trace: 1n, span: BigInt(i + 1), startMs: 30 - i })),
          ),
        ]);
        const { spans, total } = await store.spansOfTrace(traceHi, 1n, 10);
        expect([spans.length, total]).toEqual([10, 30]);
        expect(spans[0]!.spanId).toBe(spanIdHex(30n));
      });

      it('shows what it knows of a span whose body cannot be read', async () => {
        await store.append([
          traceBatch(1, [{ trace: 1n, span: 1n, name: 'press', resource: button }], { raw: new Uint8Array([1, 2, 3]) }),
        ]);
        const [span] = (await store.spansOfTrace(traceHi, 1n)).spans;
        expect(span).toMatchObject({ name: 'press', parentSpanId: '', resource: { serviceName: 'button' } });
        expect(span!.attributes['hopscope.detail']).toContain('can no longer be read');
      });

      it('is tied to others by links, either way', async () => {
        await store.append([
          traceBatch(1, [
            {
              trace: 1n,
              span: 1n,
              links: [
                { trace: 2n, span: 1n },
                { trace: 1n, span: 5n },
              ],
            },
            { trace: 3n, span: 1n, links: [{ trace: 1n, span: 1n }] },
          ]),
        ]);
        expect(await store.linkedTraces(traceHi, 1n)).toEqual([
          { traceId: traceIdOf(2n), direction: 'to' },
          { traceId: traceIdOf(3n), direction: 'from' },
        ]);
      });
    });

    describe('search', () => {
      const range = { fromMs: noonMs, toMs: noonMs + hourMs, limit: 10 };
      const ids = async (query: Partial<Parameters<Store['searchTraces']>[0]>): Promise<bigint[]> =>
        (await store.searchTraces({ ...range, ...query })).map((row) => BigInt(`0x${row.traceId.slice(16)}`));

      beforeEach(async () => {
        await store.append([
          traceBatch(1, [
            { trace: 1n, span: 1n, startMs: 1000, name: 'press', resource: button },
            { trace: 1n, span: 2n, startMs: 1001, name: 'handle', resource: factory },
            { trace: 2n, span: 1n, startMs: 2000, name: 'press', resource: button },
            { trace: 3n, span: 1n, startMs: 3000, name: 'poll', resource: factory },
          ]),
        ]);
        await opened.seed.devices([
          { number: 1, id: 'dev-button', name: 'b', site: 'hannover' },
          { number: 2, id: 'dev-factory', name: 'f', site: 'ashburn' },
        ]);
        await opened.seed.placings([
          { resource: button, device: 1, site: 'hannover', application: 'line' },
          { resource: factory, device: 2, site: 'ashburn', application: 'line' },
        ]);
        await opened.seed.traces([
          { trace: 1n, startMs: 1000, durationMs: 50, rootName: 'press', rootResource: button, spans: 2, errors: 0 },
          { trace: 2n, startMs: 2000, durationMs: 5, rootName: 'press', rootResource: button, spans: 1, errors: 1 },
          { trace: 3n, startMs: 3000, durationMs: 500, rootName: 'poll', rootResource: factory, spans: 1, errors: 0 },
        ]);
        await opened.seed.crossings([
          {
            hop: 7n,
            callerTrace: 1n,
            callerSpan: 1n,
            calleeTrace: 1n,
            calleeSpan: 2n,
            startMs: 1000,
            addedNanos: 1n,
            callerDevice: 1,
            calleeDevice: 2,
          },
        ]);
      });

      it('answers newest first, or slowest first', async () => {
        expect(await ids({})).toEqual([3n, 2n, 1n]);
        expect(await ids({ order: 'slowest' })).toEqual([3n, 1n, 2n]);
        expect((await store.searchTraces(range))[2]).toEqual({
          traceId: traceIdOf(1n),
          startNanos: noonNanos + 1_000_000_000n,
          durationMs: 50,
          rootName: 'press',
          rootService: 'button',
          rootSite: 'hannover',
          application: 'line',
          hasRoot: true,
          spans: 2,
          errors: 0,
        });
      });

      it('filters by any span of a service, the root, a hop, a device, duration and errors', async () => {
        expect(await ids({ service: 'factory' })).toEqual([3n, 1n]);
        expect(await ids({ service: 'nobody' })).toEqual([]);
        expect(await ids({ rootName: 'press' })).toEqual([2n, 1n]);
        expect(await ids({ rootName: "press' OR 1=1 --" })).toEqual([]);
        expect(await ids({ hop: 7n })).toEqual([1n]);
        expect(await ids({ deviceId: 'dev-button' })).toEqual([2n, 1n]);
        expect(await ids({ deviceId: 'dev-button', service: 'factory' })).toEqual([]);
        expect(await ids({ minDurationMs: 50 })).toEqual([3n, 1n]);
        expect(await ids({ maxDurationMs: 50 })).toEqual([2n, 1n]);
        expect(await ids({ errorsOnly: true })).toEqual([2n]);
        expect(await ids({ service: 'factory', hop: 7n, rootName: 'press', minDurationMs: 1 })).toEqual([1n]);
      });

      it('pages by the start of the last one shown, and ends before `to`', async () => {
        expect(await ids({ limit: 2 })).toEqual([3n, 2n]);
        expect(await ids({ limit: 2, beforeNanos: noonNanos + 2_000_000_000n })).toEqual([1n]);
        expect(await ids({ toMs: noonMs + 3000 })).toEqual([2n, 1n]);
      });

      it('knows who was heard when, by what arrived', async () => {
        const later = traceBatch(2, [{ trace: 4n, span: 1n, resource: button }]);
        later.arrivalMs = noonMs + 30_000;
        await store.append([later]);
        const [first, second] = await store.servicesHeard(noonMs - hourMs, noonMs + hourMs);
        const arrivalMs = second!.firstMs;
        expect(first).toEqual({
          service: 'button',
          version: '',
          device: 'dev-button',
          site: 'hannover',
          application: 'line',
          firstMs: arrivalMs,
          lastMs: noonMs + 30_000,
          arrivals: 2,
        });
        expect(second).toMatchObject({ service: 'factory', device: 'dev-factory', lastMs: arrivalMs, arrivals: 1 });
        expect(await store.servicesHeard(noonMs + 10_000, noonMs + 20_000)).toEqual([]);
        expect((await store.servicesHeard(noonMs + 20_000, noonMs + hourMs)).map((each) => each.arrivals)).toEqual([1]);
      });

      it('knows the services and where they stand', async () => {
        expect(await store.services()).toEqual([
          { service: 'button', application: 'line', sites: ['hannover'] },
          { service: 'factory', application: 'line', sites: ['ashburn'] },
        ]);
      });
    });

    describe('paths', () => {
      const press = { rootName: 'press', application: 'line' };
      const poll = { rootName: 'poll', application: 'line' };
      /** The root of each begins at a second of its own; the presses send a message to the factory and wait for nothing. */
      const presses = 40;
      const root = (trace: number, name: string, resource: Resource) => ({
        trace: BigInt(trace),
        span: 1n,
        startMs: trace * 1_000,
        durationMs: trace,
        name,
        resource,
      });

      beforeEach(async () => {
        const numbers = Array.from({ length: presses }, (_, i) => i + 1);
        await store.append([
          traceBatch(1, [
            ...numbers.flatMap((n) => [
              root(n, 'press', button),
              { ...root(n, 'handle', factory), span: 2n, parent: 1n, kind: spanKind.consumer },
            ]),
            root(50, 'poll', factory),
            root(51, 'press', factory),
          ]),
        ]);
        await opened.seed.devices([
          { number: 1, id: 'dev-button', name: 'b', site: 'hannover' },
          { number: 2, id: 'dev-factory', name: 'f', site: 'ashburn' },
        ]);
        await opened.seed.placings([
          { resource: button, device: 1, site: 'hannover', application: 'line' },
          { resource: factory, device: 2, site: 'ashburn', application: 'rack' },
        ]);
        await opened.seed.traces([
          ...numbers.map((n) => ({
            trace: BigInt(n),
            startMs: n * 1_000,
            durationMs: n,
            rootName: 'press',
            rootResource: button,
            spans: 2,
            errors: n % 10 === 0 ? 1 : 0,
          })),
          { trace: 50n, startMs: 50_000, durationMs: 50, rootName: 'poll', rootResource: factory, spans: 1, errors: 0 },
          { trace: 51n, startMs: 51_000, durationMs: 9, rootName: 'press', rootResource: factory, spans: 1, errors: 0 },
        ]);
        await opened.seed.crossings(
          numbers.map((n) => ({
            hop: 7n,
            callerTrace: BigInt(n),
            callerSpan: 1n,
            calleeTrace: BigInt(n),
            calleeSpan: 2n,
            startMs: n * 1_000,
            addedNanos: 6_000_000n,
            callerDevice: 1,
            calleeDevice: 2,
          })),
        );
      });
      const range = [noonMs, noonMs + 60_000] as const;

      it('are requests by root name and application, busiest first', async () => {
        const windows = await store.pathWindows(...range, 20_000);
        expect(windows.map((w) => [w.rootName, w.application, w.count, w.errors, w.crossed, w.closed])).toEqual([
          ['press', 'line', 40, 4, 40, 0],
          ['poll', 'rack', 1, 0, 0, 0],
          ['press', 'rack', 1, 0, 0, 0],
        ]);
        expect(windows[1]).toMatchObject({ p50Ms: 50, p95Ms: 50, sparkMs: [null, null, 50] });
        expect(windows[0]).toMatchObject({ service: 'button', p50Ms: null, sparkMs: [null, null, null] });
      });

      it('have a course, step by step, the empty steps too', async () => {
        const steps = await store.pathSeries(press, ...range, 20_000);
        expect(steps.map((s) => [s.timeMs - noonMs, s.count, s.errors])).toEqual([
          [0, 19, 1],
          [20_000, 20, 2],
          [40_000, 1, 1],
        ]);
        const local = await store.pathSeries({ rootName: 'poll', application: 'rack' }, ...range, 30_000);
        expect(local).toEqual([
          { timeMs: noonMs, count: 0, errors: 0, p50Ms: null, p95Ms: null },
          { timeMs: noonMs + 30_000, count: 1, errors: 0, p50Ms: 50, p95Ms: 50 },
        ]);
        expect((await store.pathSeries(poll, ...range, 60_000)).map((s) => s.count)).toEqual([0]);
      });

      it('are sampled, several at once: each in its own list, with spans and crossings, by start', async () => {
        const asked = [
          { rootName: 'press', application: 'rack', count: 1 },
          { ...poll, count: 9 },
          { ...press, count: presses },
        ];
        const [other, nobody, samples] = await store.pathSamples(asked, ...range, 100);
        expect(other!.map((s) => s.traceId)).toEqual([traceIdOf(51n)]);
        expect(nobody).toEqual([]);
        expect(samples!.map((s) => s.startMs - noonMs)).toEqual(
          Array.from({ length: presses }, (_, i) => (i + 1) * 1_000),
        );
        const [first] = samples!;
        expect(first!.spans.map((s) => [s.name, s.site, s.application]).toSorted()).toEqual([
          ['handle', 'ashburn', 'rack'],
          ['press', 'hannover', 'line'],
        ]);
        expect(first!.crossings).toMatchObject([{ hop: 7n, calleeSpanId: spanIdHex(2n), message: true }]);
      });

      it('are sampled over the whole range and no further, at most so many of each, the same ones again', async () => {
        const ask = async (count: number) => (await store.pathSamples([{ ...press, count }], ...range, 10))[0]!;
        const ids = (samples: { traceId: string }[]) => samples.map((sample) => sample.traceId);
        const ten = await ask(presses);
        expect(ten).toHaveLength(10);
        expect(ten.at(-1)!.startMs - ten[0]!.startMs).toBeGreaterThan(10_000);
        expect(ids(await ask(presses))).toEqual(ids(ten));
        // the share was taken for granted, and fewer came than were thought
        expect(await ask(100_000)).toHaveLength(10);
        const [early] = await store.pathSamples([{ ...press, count: 0 }], noonMs, noonMs + 5_000, 10);
        expect(early!.map((s) => s.startMs - noonMs)).toEqual([1_000, 2_000, 3_000, 4_000]);
      });

      it('are sampled less where requests have very many spans', async () => {
        const huge = { startMs: 0, durationMs: 1, rootName: 'handle', rootResource: button, errors: 0 };
        await opened.seed.traces([
          { ...huge, trace: 61n, spans: 700 },
          { ...huge, trace: 62n, spans: 700 },
          { ...huge, trace: 63n, spans: 10_001 },
        ]);
        const handle = { rootName: 'handle', application: 'line', count: 3 };
        expect((await store.pathSamples([handle], ...range, 10))[0]).toHaveLength(1);
        expect((await store.pathSamples([handle], ...range, 100))[0]).toHaveLength(2);
      });
    });

    describe('hops', () => {
      beforeEach(async () => {
        await store.append([batchOf(1, { signal: signal.mqtt, topicTraffic: [trafficOf('a/b', 1)] })]);
        await opened.seed.hops([
          { hop: 9n, from: 'button', to: 'factory', destination: 'a/b' },
          { hop: 8n, from: 'factory', to: 'db', destination: '' },
        ]);
        await opened.seed.hopMinutes([
          { hop: 9n, minute, added: [4, 4, 5], boundMs: 1, bounded: 3, assumed: 0, floorMs: 1, broker: '' },
          {
            hop: 9n,
            minute: minute + 1,
            added: [105],
            boundMs: 3,
            bounded: 1,
            assumed: 0,
            floorMs: 60,
            broker: 'main',
          },
          { hop: 8n, minute, added: [1], boundMs: 1, bounded: 1, assumed: 4, floorMs: 0 },
        ]);
      });

      it('adds up the minutes of a range, whole minutes, by hop id', async () => {
        const [eight, nine] = await store.hopWindows(noonMs + 20_000, noonMs + 60_001);
        expect(nine).toMatchObject({
          hop: 9n,
          from: { service: 'button', site: 'here', application: 'app' },
          to: { service: 'factory' },
          system: 'mqtt',
          destination: 'a/b',
          count: 4,
          requests: 4,
          sumMs: 118,
          maxMs: 105,
          boundMs: 3,
          floorMs: 60,
          broker: 'main',
          clocks: { bounded: 4, assumed: 0 },
        });
        expect(nine!.added).toEqual(
          new Map([
            [bucketOf(4), 2],
            [bucketOf(5), 1],
            [bucketOf(105), 1],
          ]),
        );
        expect(quantile(nine!.added, 0.95)).toBeCloseTo(105, -1);
        expect(nine!.uplink).toEqual(new Map());
        // four of five have an open interval: no bound can be given for the whole
        expect(eight).toMatchObject({ hop: 8n, count: 5, boundMs: null });
        expect((await store.hopWindows(noonMs, noonMs + 60_000)).map((w) => w.count)).toEqual([5, 3]);
        expect((await store.hopWindows(noonMs, noonMs + hourMs, 9n)).map((w) => [w.hop, w.count])).toEqual([[9n, 4]]);
        expect(await store.hopWindows(noonMs - hourMs, noonMs)).toEqual([]);
      });

      it('holds the last live verdict of each hop, with since when what it tells is so', async () => {
        expect(await store.liveVerdicts()).toEqual([]);
        const slice = noonMs / 10_000;
        const over = { from: slice, verdict: 'fix-path' as const, overSince: slice, unansweredSince: null };
        const missed = { ...over, from: slice + 6, verdict: 'unanswered' as const, unansweredSince: slice + 6 };
        const again = { ...over, from: slice + 60 };
        await store.audit.transaction(async (tx) => {
          await tx.replaceStates(8n, 0, [over, missed, again]);
          await tx.replaceStates(9n, 0, [over, missed]);
        });
        const verdicts = async () => (await store.liveVerdicts()).sort((a, b) => Number(a.hop - b.hop));
        const unbudgeted = { overSinceMs: noonMs, budgetMs: null };
        expect(await verdicts()).toEqual([
          { ...unbudgeted, hop: 8n, verdict: 'fix-path', sinceMs: noonMs, unansweredSinceMs: null },
          {
            ...unbudgeted,
            hop: 9n,
            verdict: 'unanswered',
            sinceMs: noonMs + 60_000,
            unansweredSinceMs: noonMs + 60_000,
          },
        ]);
        const left = { from: slice + 30, verdict: 'leave' as const, overSince: null, unansweredSince: null };
        await store.audit.transaction(async (tx) => {
          await tx.replaceStates(8n, slice + 20, [left]);
          await tx.applyBudgets([{ hop: 8n, budgetNanos: 10_000_000n }], 0);
        });
        expect((await verdicts())[0]).toEqual({
          hop: 8n,
          verdict: 'leave',
          sinceMs: noonMs + 300_000,
          overSinceMs: null,
          unansweredSinceMs: null,
          budgetMs: 10,
        });
        expect(await store.audit.transaction((tx) => tx.statesOf([8n, 9n], slice + 10))).toEqual(
          new Map([
            [8n, [missed, left]],
            [9n, [missed]],
          ]),
        );
        // the last one still holds when its time is past keeping
        await store.dropBefore({ spansMs: 0, crossingsMs: 0, minutesMs: noonMs + hourMs });
        expect((await verdicts()).map(({ verdict }) => verdict)).toEqual(['leave', 'unanswered']);
      });

      it('shows the minutes of one hop, oldest first', async () => {
        const minutes = await store.hopMinutes(9n, noonMs, noonMs + hourMs);
        expect(minutes.map((m) => [m.minute, m.count, m.boundMs, m.floorMs])).toEqual([
          [minute, 3, 1, 1],
          [minute + 1, 1, 3, 60],
        ]);
        expect(minutes[0]!.added).toEqual(
          new Map([
            [bucketOf(4), 2],
            [bucketOf(5), 1],
          ]),
        );
      });

      it('knows a hop by its id', async () => {
        expect(await store.hop(9n)).toMatchObject({ hop: 9n, destination: 'a/b' });
        expect(await store.hop(1n)).toBeNull();
      });

      it('tells what each hop added of late beside what it added before', async () => {
        const crossing = (hop: bigint, n: bigint, startMs: number, addedMs: number | null) => ({
          hop,
          callerTrace: n,
          callerSpan: n,
          calleeTrace: n,
          calleeSpan: n + 1n,
          startMs,
          addedNanos: addedMs === null ? null : BigInt(addedMs * 1e6),
          callerDevice: 1,
          calleeDevice: 2,
        });
        await opened.seed.crossings([
          crossing(9n, 1n, -5_000, 70),
          crossing(9n, 3n, 1_000, 4),
          crossing(9n, 5n, 2_000, 5),
          crossing(9n, 7n, 3_000, 6),
          crossing(9n, 9n, 20_000, 50),
          crossing(9n, 11n, 21_000, null),
          crossing(8n, 13n, 2_000, 1),
          crossing(8n, 15n, 61_000, 9),
        ]);
        const levels = await store.hopLevels(noonMs, noonMs + 10_000, noonMs + 60_000);
        // medians to three digits
        const about = (ms: number | null) => (ms === null ? null : Number(ms.toPrecision(2)));
        expect(
          levels.map((level) => ({ ...level, beforeMs: about(level.beforeMs), sinceMs: about(level.sinceMs) })),
        ).toEqual([
          { hop: 8n, newestMs: noonMs + 2_000, broker: '', beforeMs: 1, sinceMs: null },
          { hop: 9n, newestMs: noonMs + 21_000, broker: '', beforeMs: 5, sinceMs: 50 },
        ]);
      });

      it('shows crossings newest, slowest or fastest first, unmeasured ones last', async () => {
        await opened.seed.devices([{ number: 1, id: 'dev-1', name: 'n', site: 's' }]);
        const crossing = (n: bigint, startMs: number, addedNanos: bigint | null) => ({
          hop: 9n,
          callerTrace: n,
          callerSpan: n,
          calleeTrace: n + 100n,
          calleeSpan: n,
          startMs,
          addedNanos,
          callerDevice: 1,
          calleeDevice: 2,
        });
        await opened.seed.crossings([
          crossing(1n, 10, 5_500_000n),
          crossing(2n, 30, null),
          crossing(3n, 20, 9_000_000n),
        ]);
        const order = async (by: 'newest' | 'slowest' | 'fastest') =>
          (await store.crossingsOfHop(9n, noonMs, noonMs + 60_000, by, 10)).map((c) => c.addedMs);
        expect(await order('newest')).toEqual([null, 9, 5.5]);
        expect(await order('slowest')).toEqual([9, 5.5, null]);
        expect(await order('fastest')).toEqual([5.5, 9, null]);
        expect(await store.crossingsOfHop(9n, noonMs, noonMs + 60_000, 'newest', 1)).toHaveLength(1);
        // a link is what ties a callee to a caller of another trace
        await store.append([traceBatch(77, [{ trace: 101n, span: 1n, links: [{ trace: 1n, span: 1n }] }])]);
        expect(await store.crossingsOfTrace(traceHi, 101n)).toEqual(await store.crossingsOfTrace(traceHi, 1n));
        expect((await store.crossingsOfTrace(traceHi, 1n))[0]).toMatchObject({
          hop: 9n,
          callerTraceId: traceIdOf(1n),
          calleeTraceId: traceIdOf(101n),
          callerSpanId: spanIdHex(1n),
          callerDevice: 'dev-1',
          calleeDevice: '',
          rawMs: 6,
          offsetMs: null,
          clock: 'bounded',
          passageNanos: null,
        });
      });
    });

    describe('devices', () => {
      const cpu = (resource: Resource, atMs: number, value: number, attributes = '') =>
        pointOf(resource, 'system.cpu.utilization', atMs, value, attributes);

      beforeEach(async () => {
        await store.append([
          batchOf(1, {
            sightings: [button, factory].map((resource) => ({
              resource,
              source: 'metrics' as const,
              arrivalMs: noonMs,
              count: 1,
              intervalMs: 10_000,
            })),
          }),
        ]);
        await opened.seed.devices([
          { number: 1, id: 'dev-b', name: 'b', site: 'hannover', services: ['button'], lastSeenMs: noonMs },
          { number: 2, id: 'dev-f', name: 'f', site: 'ashburn', lastSeenMs: noonMs },
        ]);
        await opened.seed.placings([
          { resource: button, device: 1, site: 'hannover', application: 'line' },
          { resource: factory, device: 2, site: 'ashburn', application: 'line' },
        ]);
      });
      const series = async (metric: 'cpu' | 'memory', ids: string[] | null = null) =>
        (await store.deviceSeries(metric, ids, noonMs, noonMs + 300_000, 60_000)).map((row) => [
          row.deviceId,
          (row.timeMs - noonMs) / 60_000,
          Number(row.value.toFixed(6)),
        ]);

      it('lists devices by site and name, sites by id', async () => {
        expect((await store.devices()).map((d) => [d.id, d.site, d.services])).toEqual([
          ['dev-f', 'ashburn', []],
          ['dev-b', 'hannover', ['button']],
        ]);
        await opened.seed.sites([
          { id: 'b', name: 'B', lat: 1, lon: 2 },
          { id: 'a', name: 'A', lat: null, lon: null },
        ]);
        expect(await store.sites()).toEqual([
          { id: 'a', name: 'A', lat: null, lon: null },
          { id: 'b', name: 'B', lat: 1, lon: 2 },
        ]);
      });

      it('tells what happened to them, newest first', async () => {
        await opened.seed.deviceEvents([
          { device: 1, timeMs: noonMs + 1, from: 'up', to: 'down', reason: 'silent' },
          { device: 2, timeMs: noonMs + 2, from: 'up', to: 'degraded', reason: 'hot' },
        ]);
        expect((await store.deviceEvents(null, ...around, 10)).map((e) => e.deviceId)).toEqual(['dev-f', 'dev-b']);
        expect(await store.deviceEvents('dev-b', ...around, 10)).toEqual([
          { deviceId: 'dev-b', timeMs: noonMs + 1, fromState: 'up', toState: 'down', reason: 'silent' },
        ]);
        expect(await store.deviceEvents(null, ...around, 1)).toHaveLength(1);
      });

      it('leaves out steps without a point: absent is not zero', async () => {
        await store.append([
          metricBatch(2, [
            cpu(button, 1_000, 0.2),
            cpu(button, 31_000, 0.4),
            cpu(button, 185_000, 0.9),
            cpu(factory, 0, 0.1),
          ]),
        ]);
        expect(await series('cpu')).toEqual([
          ['dev-b', 0, 0.3],
          ['dev-b', 3, 0.9],
          ['dev-f', 0, 0.1],
        ]);
        expect(await series('cpu', ['dev-f'])).toEqual([['dev-f', 0, 0.1]]);
        expect(await series('cpu', [])).toEqual([]);
        expect(await series('memory')).toEqual([]);
      });

      it('makes one number of utilization by core and state', async () => {
        await store.append([
          metricBatch(2, [
            cpu(button, 0, 0.7, '{"cpu":"0","state":"idle"}'),
            cpu(button, 0, 0.5, '{"cpu":"1","state":"idle"}'),
            cpu(button, 0, 0.3, '{"cpu":"0","state":"user"}'),
            cpu(button, 0, 0.5, '{"cpu":"1","state":"user"}'),
            cpu(factory, 0, 0.2, '{"cpu.logical_number":0,"cpu.mode":"user"}'),
            cpu(factory, 0, 0.1, '{"cpu.logical_number":0,"cpu.mode":"system"}'),
          ]),
        ]);
        expect(await series('cpu')).toEqual([
          ['dev-b', 0, 0.4],
          ['dev-f', 0, 0.3],
        ]);
      });

      it('makes a share of CPU time out of counters, over a restart of the device', async () => {
        const time = (atMs: number, state: string, seconds: number) =>
          pointOf(button, 'system.cpu.time', atMs, seconds, `{"state":"${state}"}`);
        await store.append([
          metricBatch(2, [
            time(-30_000, 'idle', 100),
            time(-30_000, 'user', 50),
            time(30_000, 'idle', 130),
            time(30_000, 'user', 80),
            time(90_000, 'idle', 5),
            time(90_000, 'user', 1),
            time(150_000, 'idle', 50),
            time(150_000, 'user', 16),
          ]),
        ]);
        expect(await series('cpu')).toEqual([
          ['dev-b', 0, 0.5],
          ['dev-b', 2, 0.25],
        ]);
      });

      it('makes memory a share, of what is used or of what was told', async () => {
        await store.append([
          metricBatch(2, [
            pointOf(button, 'system.memory.usage', 0, 3e9, '{"state":"used"}'),
            pointOf(button, 'system.memory.usage', 0, 1e9, '{"state":"free"}'),
            pointOf(factory, 'system.memory.utilization', 0, 0.6, '{"system.memory.state":"used"}'),
            pointOf(factory, 'system.memory.utilization', 0, 0.4, '{"system.memory.state":"free"}'),
          ]),
        ]);
        expect(await series('memory')).toEqual([
          ['dev-b', 0, 0.75],
          ['dev-f', 0, 0.6],
        ]);
      });

      it('shows the latest value of every metric by name', async () => {
        await store.append([
          metricBatch(2, [
            pointOf(button, 'b', 0, 1),
            pointOf(button, 'b', 5, 2),
            pointOf(button, 'a', 1, 3, '{"x":1}'),
            pointOf(factory, 'c', 0, 9),
          ]),
        ]);
        expect(await store.deviceMetrics('dev-b')).toEqual([
          { metric: 'a', attributesJson: '{"x":1}', timeMs: noonMs + 1, value: 3 },
          { metric: 'b', attributesJson: '', timeMs: noonMs + 5, value: 2 },
        ]);
      });

      it('shows the newest estimate of each clock', async () => {
        await opened.seed.clocks([
          { device: 1, minute, offsetNanos: 1n, boundNanos: 1n, method: 'old' },
          {
            device: 1,
            minute: minute + 1,
            offsetNanos: 2_500_000n,
            boundNanos: null,
            lowNanos: -4_000_000n,
            method: 'echo',
          },
        ]);
        const newest = {
          deviceId: 'dev-b',
          minute: minute + 1,
          offsetMs: 2.5,
          boundMs: null,
          lowMs: -4,
          highMs: null,
          method: 'echo',
        };
        expect(await store.clocks()).toEqual([newest]);
        expect((await store.clockMinutes(noonMs, noonMs + 120_000)).map((row) => row.method)).toEqual(['old', 'echo']);
        expect(await store.clockMinutes(noonMs + 60_000, noonMs + 120_000)).toEqual([newest]);
      });
    });

    describe('topics', () => {
      it('adds up a range, busiest first, and says who publishes and who listens', async () => {
        await store.append([
          batchOf(1, {
            signal: signal.mqtt,
            topicTraffic: [trafficOf('a/b', 5, { publisher: 'client-7' }), trafficOf('c', 9)],
          }),
          traceBatch(2, [
            { trace: 1n, span: 1n, kind: spanKind.producer, destination: 'a/b', resource: button },
            { trace: 1n, span: 2n, kind: spanKind.consumer, destination: 'a/b', resource: factory },
            { trace: 1n, span: 3n, kind: spanKind.client, destination: 'c', resource: factory },
          ]),
        ]);
        await opened.seed.topicMinutes([
          { broker: 'main', topic: 'a/b', minute, messages: 5, payloadBytes: 50, retained: 2 },
          { broker: 'main', topic: 'a/b', minute: minute + 1, messages: 1, payloadBytes: 10 },
          { broker: 'main', topic: 'c', minute, messages: 9, payloadBytes: 90 },
        ]);
        const topics = await store.topicWindows(noonMs, noonMs + 120_000);
        expect(topics.map((t) => [t.topic, t.messages, t.payloadBytes, t.retained, t.publishers, t.consumers])).toEqual(
          [
            ['c', 9, 90, 0, [], []],
            ['a/b', 6, 60, 2, ['button', 'client-7'], ['factory']],
          ],
        );
        const [c, ab] = topics;
        expect(await store.topicSeries(ab!.topicId, noonMs, noonMs + 120_000)).toEqual([
          { minute, messages: 5, payloadBytes: 50 },
          { minute: minute + 1, messages: 1, payloadBytes: 10 },
        ]);
        expect(await store.topicSeries(null, noonMs, noonMs + 60_000)).toEqual([
          { minute, messages: 14, payloadBytes: 140 },
        ]);
        expect(c!.broker).toBe('main');
      });
    });

    describe('retention', () => {
      it('drops what is older than its cutoff, keeps the books, and takes nothing twice afterwards', async () => {
        await store.append([
          traceBatch(1, [{ trace: 1n, span: 1n }], { arrivalMs: noonMs, rejected: { time: 2 }, received: 3 }),
          traceBatch(2, [{ trace: 2n, span: 1n }], { arrivalMs: noonMs + dayMs }),
          traceBatch(4, [{ trace: 4n, span: 1n }], { arrivalMs: noonMs }),
        ]);
        await opened.seed.hops([{ hop: 9n, from: 'a', to: 'b', destination: '' }]);
        const figures = { added: [1], boundMs: 1, bounded: 1, assumed: 0, floorMs: 0 };
        await opened.seed.hopMinutes([
          { hop: 9n, minute, ...figures },
          { hop: 9n, minute: minute + 1440, ...figures },
        ]);
        await opened.seed.crossings([
          {
            hop: 9n,
            callerTrace: 1n,
            callerSpan: 1n,
            calleeTrace: 1n,
            calleeSpan: 2n,
            startMs: 0,
            addedNanos: 1n,
            callerDevice: 1,
            calleeDevice: 1,
          },
        ]);
        const before = await store.books();
        // a midnight between the two: an engine may drop whole days
        const cutoff = noonMs + dayMs / 2;
        for (let again = 0; again < 2; again++)
          await store.dropBefore({ spansMs: cutoff, crossingsMs: cutoff, minutesMs: cutoff });
        expect((await store.spansOfTrace(traceHi, 1n)).total).toBe(0);
        expect((await store.spansOfTrace(traceHi, 2n)).spans[0]!.attributes).toEqual({ decoded: true });
        expect(await store.crossingsOfTrace(traceHi, 1n)).toEqual([]);
        expect((await store.hopWindows(noonMs, noonMs + 2 * dayMs)).map((w) => w.count)).toEqual([1]);
        expect(await store.books()).toEqual(before);
        await reopen();
        expect(await store.books()).toEqual(before);
        expect(await store.watermarks()).toEqual(new Map([['collector-1', 2]]));
        await store.append([traceBatch(1, [{ trace: 1n, span: 1n }]), traceBatch(4, [{ trace: 4n, span: 1n }])]);
        expect(await store.books()).toEqual(before);
        await store.append([traceBatch(3, [{ trace: 3n, span: 1n }])]);
        expect(await store.watermarks()).toEqual(new Map([['collector-1', 4]]));
      });

      it('lets others append and read meanwhile', async () => {
        await store.append([traceBatch(1, [{ trace: 1n, span: 1n }])]);
        const cutoffs = { spansMs: noonMs + hourMs, crossingsMs: noonMs, minutesMs: noonMs };
        await Promise.all([
          store.dropBefore(cutoffs),
          ...Array.from({ length: 10 }, (_, i) =>
            store.append([traceBatch(i + 2, [{ trace: 9n, span: BigInt(i) }], { arrivalMs: noonMs + 2 * hourMs })]),
          ),
          store.books(),
        ]);
        expect((await store.spansOfTrace(traceHi, 9n)).total).toBe(10);
        expect(await residual()).toBe(0);
      });
    });

    const { reports: whyNone } = engine.without ?? {};
    describe.runIf(whyNone)('what collectors say of themselves', () => {
      it(`has no place here: ${whyNone}`, () => expect(store.reports).toBeNull());
    });

    describe.skipIf(whyNone)('what collectors say of themselves', () => {
      /** The last words, once the newest is among them: a report is not waited for. */
      const latest = async (newestMs: number): Promise<CollectorReport[]> => {
        for (;;) {
          const found = await store.reports!.latest();
          if (found[0]?.atMs === newestMs) return found;
          await new Promise((next) => setTimeout(next, 10));
        }
      };

      it('takes the place of what they said before, the newest first, over a restart', async () => {
        const said = reportOf('a', {
          atMs: noonMs + 3,
          reasons: ['the disk is "full"\n\\'],
          tally: tallyThrough(2, 5, 1, 'a'),
        });
        await store.reports!.tell(reportOf('a', { atMs: noonMs, reasons: ['the disk is nearly full'] }));
        await store.reports!.tell(reportOf('b', { atMs: noonMs + 1 }));
        await store.reports!.tell(said);
        expect(await latest(noonMs + 3)).toEqual([said, reportOf('b', { atMs: noonMs + 1 })]);
        await reopen();
        // a clock that was set back is no reason to keep what was said before
        await store.reports!.tell(reportOf('a', { atMs: noonMs - 5 }));
        expect((await latest(noonMs + 1)).map(({ collectorId }) => collectorId)).toEqual(['b', 'a']);
        await store.dropBefore({ spansMs: noonMs, crossingsMs: noonMs, minutesMs: noonMs });
        await expect.poll(async () => (await store.reports!.latest()).length, { timeout: 30_000 }).toBe(1);
        await store.reports!.tell(reportOf('a', { atMs: noonMs + 9 }));
        expect((await latest(noonMs + 9)).map(({ collectorId }) => collectorId)).toEqual(['a', 'b']);
      });

      it('is compared with the books up to the batch it was told with, settled days included', async () => {
        const dayMs = 86_400_000;
        const figures = { duplicate: 0, rejected: 0 };
        await store.append([
          traceBatch(1, [{ trace: 1n, span: 1n }], { arrivalMs: noonMs - 2 * dayMs }),
          traceBatch(2, [{ trace: 1n, span: 2n }], { arrivalMs: noonMs, rejected: { time: 1 }, received: 2 }),
          traceBatch(3, [{ trace: 1n, span: 3n }], { arrivalMs: noonMs }),
          metricBatch(1, [pointOf(button, 'm', 0, 1)], { collectorId: 'b' }),
        ]);
        const through = (...seqs: [string, number][]) => store.reports!.booksThrough(new Map(seqs));
        const upToTwo = new Map([
          ['collector-1', { received: 3, stored: 2, duplicate: 0, rejected: 1 }],
          ['b', { received: 1, stored: 1, ...figures }],
        ]);
        expect(await through(['collector-1', 2], ['b', 1])).toEqual(upToTwo);
        expect(await through(['nobody', 3])).toEqual(new Map([['nobody', { received: 0, stored: 0, ...figures }]]));
        expect(await through()).toEqual(new Map());
        await store.dropBefore({ spansMs: noonMs - dayMs, crossingsMs: 0, minutesMs: 0 });
        expect(await through(['collector-1', 2], ['b', 1])).toEqual(upToTwo);
        // of the settled days together nobody can tell a part
        await store.dropBefore({ spansMs: noonMs + dayMs, crossingsMs: 0, minutesMs: 0 });
        expect((await through(['collector-1', 2])).size).toBe(0);
        expect((await through(['collector-1', 3])).get('collector-1')).toMatchObject({ received: 4, stored: 3 });
      });
    });
  });
}
