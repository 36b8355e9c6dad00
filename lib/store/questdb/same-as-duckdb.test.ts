import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { offsetsOf } from '#lib/audit/clocks.ts';
import { type AuditMemory, auditOnce, openAudit } from '#lib/audit.ts';
import { type DrawnSpan, drawnBatch, drawnResource } from '#lib/domain/fixtures/drawn-batch.ts';
import type { IngestBatch } from '#lib/domain/ingest-batch.ts';
import { messagingOperation } from '#lib/domain/span.ts';
import { minuteOf } from '#lib/domain/units.ts';
import { openDuckDbStore } from '../duckdb/duckdb-store.ts';
import { drawnTrace, on, origin, randomFrom, rules } from '../fixtures/drawn-traffic.ts';
import { type QuestDbServer, startQuestDb } from '../fixtures/questdb-server.ts';
import { emptyTables, patient } from '../fixtures/questdb-tables.ts';
import type { Store } from '../store.ts';
import { parseAddress } from './address.ts';
import { QuestDbAudit } from './audit.ts';
import type { AuditBook } from './audit-book.ts';
import { bookOf, storeOf } from './questdb-store.ts';
import { tableNames } from './schema.ts';
import { Server } from './server.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const decodeSpans = (() => []) as never;
const recent = { spans: 50_000, dataPoints: 1_000, passages: 10_000 };
const hourMs = 3_600_000;

let questdb: QuestDbServer;
let folder: string;
let server: Server;
let book: AuditBook;
let store: Store;
const folders: string[] = [];

beforeAll(async () => {
  questdb = await startQuestDb({ 'cairo.commit.mode': 'nosync' });
});
afterAll(async () => {
  await store.close();
  await questdb.remove();
  for (const each of folders) rmSync(each, { recursive: true });
});
beforeEach(async () => {
  await store?.close();
  folder = mkdtempSync(join(tmpdir(), 'hopscope-same-'));
  folders.push(folder);
  server = new Server(parseAddress(questdb.url('same_')), patient);
  await emptyTables(server);
  book = await bookOf(server, join(folder, 'audit.sqlite'));
  store = await storeOf(server, book, { decodeSpans, recent });
});

/** Everything that pages ask of a store. Topics go by their names: their numbers are each engine's own. */
async function answers(of: Store, nowMs: number): Promise<Record<string, unknown>> {
  const range = [origin - hourMs, nowMs + hourMs] as const;
  const hops = (await of.hopIdentities()).map(({ hop }) => hop).sort();
  const each = async <T>(ask: (hop: bigint) => Promise<T>): Promise<T[]> => {
    const found: T[] = [];
    for (const hop of hops) found.push(await ask(hop));
    return found;
  };
  const topics = await of.topicWindows(...range);
  const nameOf = new Map(topics.map(({ topicId, broker, topic }) => [topicId, `${broker} ${topic}`]));
  const byName = <T extends { topicId: number }>(rows: T[]) =>
    rows
      .map(({ topicId, ...row }) => ({ name: nameOf.get(topicId), ...row }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  const traces = await of.searchTraces({ fromMs: range[0], toMs: range[1], limit: 1_000 });
  const paths = await of.rootNames(...range);
  return {
    hops,
    identities: (await of.hopIdentities()).length,
    windows: await of.hopWindows(...range),
    minutes: await each((hop) => of.hopMinutes(hop, ...range)),
    heard: (await of.hopsHeard(...range)).sort((a, b) => (a.hop < b.hop ? -1 : 1)),
    verdicts: (await of.liveVerdicts()).sort((a, b) => (a.hop < b.hop ? -1 : 1)),
    // ties in a figure may stand in any order
    crossings: await each(async (hop) =>
      (await of.crossingsOfHop(hop, ...range, 'slowest', 100_000)).sort((a, b) =>
        a.callerSpanId + a.calleeSpanId < b.callerSpanId + b.calleeSpanId ? -1 : 1,
      ),
    ),
    slowest: await each(async (hop) => (await of.crossingsOfHop(hop, ...range, 'slowest', 5)).map((x) => x.addedMs)),
    fastest: await each(async (hop) => (await of.crossingsOfHop(hop, ...range, 'fastest', 5)).map((x) => x.addedMs)),
    traces,
    rows: await of.traceRows(traces.slice(0, 50).map(({ traceId }) => traceId)),
    ofService: await of.searchTraces({ fromMs: range[0], toMs: range[1], limit: 20, service: 'data' }),
    ofHop: await of.searchTraces({ fromMs: range[0], toMs: range[1], limit: 20, hop: hops[0]! }),
    // the only one of many: not among the first that are looked at
    rare: await of.searchTraces({ fromMs: range[0], toMs: range[1], limit: 1, service: 'rare' }),
    rareHop: await Promise.all(
      hops.map((hop) =>
        of.searchTraces({ fromMs: range[0], toMs: range[1], limit: 2, hop, service: 'data', order: 'slowest' }),
      ),
    ),
    failed: await of.searchTraces({ fromMs: range[0], toMs: range[1], limit: 20, errorsOnly: true, order: 'slowest' }),
    paths,
    pathWindows: await of.pathWindows(...range, 60_000),
    pathSeries: await Promise.all(paths.map((path) => of.pathSeries(path, ...range, 600_000))),
    pathsOfHops: await of.pathsOfHops(...range),
    // all of them: which are picked of many is each engine's own
    samples: (await of.pathSamples(paths, ...range, 10_000)).map((list) =>
      list.map(({ spans, ...sample }) => ({
        ...sample,
        spans: spans.toSorted((a, b) => (a.spanId < b.spanId ? -1 : 1)),
        crossings: sample.crossings.toSorted((a, b) =>
          a.callerSpanId + a.calleeSpanId < b.callerSpanId + b.calleeSpanId ? -1 : 1,
        ),
      })),
    ),
    topics: byName(topics),
    topicSeries: byName(await of.topicSeriesOf(null, ...range)),
    topicTotals: await of.topicSeries(null, ...range),
    brokers: await of.brokerSeries(...range),
    rhythms: byName(await of.topicRhythms(...range)),
    devices: await of.devices(),
    deviceEvents: await of.deviceEvents(null, ...range, 1_000),
    cpu: await of.deviceSeries('cpu', null, ...range, 60_000),
    metrics: await Promise.all((await of.devices()).map(({ id }) => of.deviceMetrics(id))),
    sites: await of.sites(),
    services: await of.services(),
    clocks: await of.clocks(),
    clockMinutes: await of.clockMinutes(...range),
    findings: await of.clockFindings(...range),
    contradicting: await of.contradictingDevices(...range),
    books: await of.books(),
    watermarks: await of.watermarks(),
    lastArrival: await of.lastArrivalMs(),
  };
}

/** Sums of fractions differ in their last digits by the order in which they were added up. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(12));
  if (Array.isArray(value)) return value.map(rounded);
  if (value instanceof Map)
    return new Map([...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, rounded(v)]));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, rounded(of)]));
  return value;
}

/**
 * A message with one to three consumers that each ask a server, in times that are possible: where clocks contradict each other, which of
 * them is believed goes by the order in which they were heard, and no engine promises one.
 */
function possibleTrace(trace: bigint, random: (below: number) => number): DrawnSpan[] {
  const start = random(150_000);
  const base = trace * 100n;
  const [system, destination] = ['mqtt', `t/${random(2)}`];
  const from = random(2);
  const producer = {
    trace,
    id: base,
    on: on[from]!,
    name: `press ${from}`,
    kind: 'producer' as const,
    start,
    takes: 1 + random(5),
    system,
    destination,
  };
  const spans: DrawnSpan[] = [{ ...producer, flags: random(2) * 2, status: random(9) === 0 ? 2 : 0 }];
  for (let k = 0n; k <= random(3); k++) {
    const id = base + 10n * (k + 1n);
    const at = start + 45 + random(60);
    const by = on[random(4)]!;
    const call = { trace, on: by, destination: '/x' };
    spans.push({
      trace,
      id,
      parent: base,
      on: by,
      kind: 'consumer',
      start: at,
      takes: 300,
      system,
      destination: 't',
      flags: random(2) * 2,
    });
    spans.push({
      ...call,
      id: id + 1n,
      parent: id,
      kind: 'client',
      start: at + 2,
      takes: 110 + random(20),
      status: random(6) === 0 ? 2 : 0,
    });
    // some calls are never answered
    if (random(7) > 0)
      spans.push({
        ...call,
        id: id + 2n,
        parent: id + 1n,
        on: on[random(4)]!,
        kind: 'server',
        start: at + 40 + random(10),
        takes: 1 + random(12),
      });
  }
  return spans;
}

const clockOf = (collectorId: string) =>
  drawnResource('', '', { hostId: `hopscope-collector:${collectorId}`, hostName: '' });

/** Spans of one batch with what a collector hears beside them: passages, topics, metrics, clocks. */
function heardWith(spans: DrawnSpan[], seq: number, nowMs: number, random: (below: number) => number): IngestBatch {
  const nanos = (ms: number): bigint => BigInt(Math.round((origin + ms) * 1e6));
  const collectorId = `c${2 - (seq % 2)}`;
  const collector = clockOf(collectorId);
  const messages = spans.filter((span) => span.kind === 'producer');
  return {
    ...drawnBatch(collectorId, Math.ceil(seq / 2), nowMs, origin, spans),
    passages: messages
      .filter(() => random(2) === 0)
      .map((span) => ({
        broker: 'broker',
        topic: span.destination!,
        traceHi: span.trace,
        traceLo: span.trace,
        spanId: span.id,
        receiveNanos: nanos(span.start + 9 + random(20)),
        payloadBytes: 1,
        qos: 1,
      })),
    topicTraffic: messages.slice(0, 3).map((span) => ({
      broker: 'broker',
      topic: span.destination!,
      minute: minuteOf(nowMs),
      messages: 0,
      payloadBytes: 1 + random(1_000),
      retained: random(2),
      lastMs: nowMs,
      publisher: random(2) === 0 ? '' : 'client',
    })),
    dataPoints: [],
    clockObservations: [
      {
        from: collector,
        to: on[0]!,
        atNanos: nanos(seq * 5_000),
        rawNanos: 9_123_456n,
        source: 'echo',
        broker: 'broker',
      },
      {
        from: on[0]!,
        to: collector,
        atNanos: nanos(seq * 5_000),
        rawNanos: 8_765_432n,
        source: 'echo',
        broker: 'broker',
      },
      {
        from: on[1]!,
        to: collector,
        atNanos: nanos(seq * 5_000),
        rawNanos: 1_500_000n,
        source: 'heartbeat',
        broker: 'broker',
      },
    ],
  };
}

it.each([1, 2])(
  'gives the answers that the embedded engine gives, whatever comes late or twice, from two collectors (%i)',
  async (seed) => {
    const embedded = await openDuckDbStore({ path: ':memory:', decodeSpans, recent });
    try {
      const random = randomFrom(seed);
      let nowMs = origin + 155_000;
      const now = () => BigInt(nowMs) * 1_000_000n;
      const memories: [Store, AuditMemory][] = [
        [store, await openAudit(store, rules, now())],
        [embedded, await openAudit(embedded, rules, now())],
      ];
      const late: DrawnSpan[] = [];
      let trace = 0n;
      const rare = drawnResource('rare', 'hannover');
      for (let seq = 1; seq <= 10; seq++) {
        const spans = late.splice(0, random(late.length + 1));
        for (let t = 0; t < 30; t++)
          for (const span of possibleTrace(++trace, random)) {
            if (random(8) === 0) late.push(span);
            else spans.push(span);
            if (random(20) === 0) spans.push(span);
          }
        if (seq === 1) spans.push({ trace: 99_999n, id: 1n, on: rare, kind: 'internal', start: -60_000, takes: 1 });
        const batch = heardWith(spans, seq, nowMs, random);
        nowMs += 6_000 + random(3) * 20_000;
        for (const [of, memory] of memories) {
          await of.append([batch]);
          await auditOnce(of, now(), rules, memory);
        }
      }
      // late enough for answers to be missed, and for clocks to settle
      for (let i = 0; i < 6; i++) {
        nowMs += 40_000;
        for (const [of, memory] of memories) await auditOnce(of, now(), rules, memory);
      }
      const [wanted, found] = [await answers(embedded, nowMs), await answers(store, nowMs)];
      expect((wanted.hops as unknown[]).length).toBeGreaterThan(4);
      expect((wanted.verdicts as unknown[]).length).toBeGreaterThan(0);
      expect(wanted.rare).toHaveLength(1);
      for (const question of Object.keys(wanted))
        expect({ [question]: rounded(found[question]) }).toEqual({ [question]: rounded(wanted[question]) });
    } finally {
      await embedded.close();
    }
  },
);

/** Rows as they stand, but for what no reader sees. */
const standing = async (table: 'crossings' | 'hop_minutes' | 'hop_minute_buckets'): Promise<unknown[]> => {
  const rows = await server.all<Record<string, unknown>>(
    `SELECT * FROM ${server.table(table)} WHERE ${table === 'hop_minute_buckets' ? '"count" > 0' : 'NOT gone'}`,
  );
  return rows.map((row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))).sort();
};

it('adds up open minutes to what their crossings say', async () => {
  const random = randomFrom(7);
  let nowMs = origin + 155_000;
  const now = () => BigInt(nowMs) * 1_000_000n;
  const memory = await openAudit(store, rules, now());
  let trace = 0n;
  for (let seq = 1; seq <= 4; seq++) {
    const spans = Array.from({ length: 40 }, () => drawnTrace(++trace, random)).flat();
    await store.append([heardWith(spans, 2 * seq - 1, nowMs, random)]);
    nowMs += 6_000;
    await auditOnce(store, now(), rules, memory);
    const added = [await standing('hop_minutes'), await standing('hop_minute_buckets')];
    const minutes = await server.all<{ hop: bigint; at: bigint }>(
      `SELECT DISTINCT hop, ts::long AS at FROM ${server.table('crossings')} WHERE NOT gone`,
    );
    book.begin();
    for (const { hop, at } of minutes)
      book.run('INSERT OR IGNORE INTO dirty VALUES (?, ?)', hop, Number(at / 60_000_000n));
    book.commit();
    // beside the running audit, one that remembers nothing
    await new QuestDbAudit(server, book).transaction((tx) => tx.writeMinutes());
    expect([await standing('hop_minutes'), await standing('hop_minute_buckets')]).toEqual(added);
  }
});

it('judges a stored crossing as it judged it when it was new', async () => {
  const random = randomFrom(4);
  const now = BigInt(origin + 155_000) * 1_000_000n;
  const memory = await openAudit(store, rules, now);
  const spans = Array.from({ length: 200 }, (_, t) => drawnTrace(BigInt(t + 1), random)).flat();
  await store.append([heardWith(spans, 1, origin + 152_000, random)]);
  await auditOnce(store, now, rules, memory);
  const asNew = await standing('crossings');
  const { ledger } = memory.known!;
  const minutes = await server.all<{ at: bigint }>(`SELECT DISTINCT ts::long AS at FROM ${server.table('crossings')}`);
  for (const { at } of minutes) {
    const minute = Number(at / 60_000_000n);
    await store.audit.transaction(async (tx) => {
      const moments = await tx.momentsOf(minute);
      const blank = { ...offsetsOf(ledger, moments) };
      blank.label = new Uint8Array(moments.count).fill(7);
      await tx.settle(minute, moments, blank, { part: 0, parts: 1 });
    });
    await store.audit.transaction(async (tx) => {
      const moments = await tx.momentsOf(minute);
      const offsets = offsetsOf(ledger, moments);
      for (const part of [0, 1, 2]) await tx.settle(minute, moments, offsets, { part, parts: 3 });
    });
  }
  expect(await standing('crossings')).toEqual(asNew);
});

it('comes to the same when a pass dies between the server and its book', async () => {
  const random = randomFrom(11);
  let nowMs = origin + 155_000;
  const now = () => BigInt(nowMs) * 1_000_000n;
  const traces = Array.from({ length: 60 }, (_, t) => possibleTrace(BigInt(t + 1), random));
  const halves = [traces.slice(0, 30).flat(), traces.slice(30).flat()];
  // a caller with two servers: which one counts is known when the second has come
  const call = { trace: 999n, system: 'http', destination: '/q' };
  const caller = { ...call, id: 1n, on: on[0]!, kind: 'client' as const, start: 1_000, takes: 200 };
  const first = { ...call, id: 2n, parent: 1n, on: on[1]!, kind: 'server' as const, start: 1_050, takes: 20 };
  const second = { ...first, id: 3n, on: on[2]!, start: 1_060, takes: 40 };
  halves[0]!.push(caller, first);
  halves[1]!.push(second);
  const runs = [];
  for (const dying of [false, true]) {
    await store.close();
    await emptyTablesAgain();
    nowMs = origin + 155_000;
    let memory = await openAudit(store, rules, now());
    let seq = 0;
    for (const half of halves) {
      await store.append([drawnBatch('c1', ++seq, nowMs, origin, half)]);
      nowMs += 5_000;
      if (!dying) {
        await auditOnce(store, now(), rules, memory);
        continue;
      }
      // the rows have landed, the book was never written; and more comes before the next try
      const commit = book.commit.bind(book);
      book.commit = () => {
        throw new Error('killed');
      };
      await expect(auditOnce(store, now(), rules, memory)).rejects.toThrow('killed');
      book.commit = commit;
      await store.close();
      server = new Server(parseAddress(questdb.url('same_')), patient);
      book = await bookOf(server, join(folder, 'audit.sqlite'));
      store = await storeOf(server, book, { decodeSpans, recent });
      memory = await openAudit(store, rules, now());
    }
    for (let i = 0; i < 4; i++) {
      nowMs += 40_000;
      await auditOnce(store, now(), rules, memory);
    }
    // when a device was first heard is when a pass first said so
    const { deviceEvents: _, devices: __, ...all } = await answers(store, nowMs);
    runs.push(all);
  }
  expect(runs[1]).toEqual(runs[0]);
});

async function emptyTablesAgain(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'hopscope-same-'));
  folders.push(folder);
  server = new Server(parseAddress(questdb.url('same_')), patient);
  await emptyTables(server);
  book = await bookOf(server, join(folder, 'audit.sqlite'));
  store = await storeOf(server, book, { decodeSpans, recent });
}

it('makes a lost book again out of what the server holds, a bite at a time', async () => {
  const random = randomFrom(13);
  let nowMs = origin + 155_000;
  const now = () => BigInt(nowMs) * 1_000_000n;
  const late: DrawnSpan[] = [];
  for (let seq = 1; seq <= 8; seq++) {
    const spans = late.splice(0);
    for (let t = 0; t < 25; t++)
      for (const span of possibleTrace(BigInt(seq * 100 + t), random)) (random(4) === 0 ? late : spans).push(span);
    await store.append([heardWith(spans, seq, nowMs, random)]);
  }
  const catchUp = async (bite: number): Promise<Record<string, unknown>> => {
    const memory = await openAudit(store, rules, now());
    for (let i = 0; i < 14; i++) {
      memory.bite = bite;
      // the last ones late enough for clocks to settle
      if (i >= 9) nowMs += 60_000;
      await auditOnce(store, now(), rules, memory);
    }
    return answers(store, origin + 900_000);
  };
  const before = await catchUp(100_000);
  await store.close();
  folder = mkdtempSync(join(tmpdir(), 'hopscope-same-'));
  folders.push(folder);
  server = new Server(parseAddress(questdb.url('same_')), patient);
  book = await bookOf(server, join(folder, 'audit.sqlite'));
  store = await storeOf(server, book, { decodeSpans, recent });
  nowMs += 5_000;
  const after = await catchUp(1);
  expect((before.windows as unknown[]).length).toBeGreaterThan(4);
  for (const question of [
    'windows',
    'minutes',
    'crossings',
    'traces',
    'paths',
    'pathWindows',
    'topics',
    'services',
    'books',
  ])
    expect({ [question]: rounded(after[question]) }).toEqual({ [question]: rounded(before[question]) });
});

it('takes from several collectors at once, each a process that knows nothing of the others', async () => {
  const random = randomFrom(5);
  const nowMs = origin + 200_000;
  const now = BigInt(nowMs) * 1_000_000n;
  // requests whose halves come to different collectors, and senders that speak to all of them
  const traces = Array.from({ length: 90 }, (_, t) => possibleTrace(BigInt(t + 1), random));
  const ofCollector = (c: number) => traces.flat().filter((_, i) => i % 3 === c);
  const batchesOf = (c: number) =>
    Array.from({ length: 6 }, (_, b) => {
      const spans = ofCollector(c).filter((_, i) => i % 6 === b);
      return drawnBatch(`collector ${c}`, b + 1, origin + 160_000 + b * 10 + c, origin, spans);
    });
  const collecting = await Promise.all(
    [0, 1, 2].map(async (c) => {
      const own = new Server(parseAddress(questdb.url('same_')), patient);
      return storeOf(own, await bookOf(own, join(folder, `${c}.sqlite`)), { decodeSpans, recent });
    }),
  );
  await Promise.all(
    collecting.map(async (of, c) => {
      for (const batch of batchesOf(c)) await of.append([batch]);
    }),
  );
  for (const of of collecting) await of.close();
  await server.applied(tableNames);
  const embedded = await openDuckDbStore({ path: ':memory:', decodeSpans, recent });
  try {
    for (const c of [0, 1, 2]) await embedded.append(batchesOf(c));
    for (const of of [store, embedded]) {
      const memory = await openAudit(of, rules, now);
      for (let i = 0; i < 3; i++) await auditOnce(of, now + BigInt(i) * 1_000_000_000n, rules, memory);
    }
    const spans = traces.flat().length;
    expect(await store.books()).toMatchObject({ received: spans, stored: spans, duplicate: 0 });
    const [wanted, found] = [await answers(embedded, nowMs), await answers(store, nowMs)];
    // what this store was asked for at its start it never appended itself
    const questions = [
      'windows',
      'minutes',
      'crossings',
      'traces',
      'paths',
      'pathWindows',
      'devices',
      'services',
      'books',
    ];
    for (const question of questions)
      expect({ [question]: rounded(found[question]) }).toEqual({ [question]: rounded(wanted[question]) });
  } finally {
    await embedded.close();
  }
});

it('keeps ids and words of every kind', async () => {
  const edge = 2n ** 63n;
  const words = [
    ' ',
    ',',
    '=',
    '\\',
    '"',
    "'",
    '\n',
    '\r\n',
    '\t',
    '€',
    '𝄞',
    'a b,c=d',
    '\\n',
    '#',
    '__other__',
    'null',
    'NaN',
  ];
  const strange = words.map((word, i) => drawnResource(`service ${word}`, `host ${i}`));
  const spans = words.map((word, i) => ({
    trace: i % 2 === 0 ? edge : 2n ** 64n - 1n - BigInt(i),
    id: i === 0 ? edge : edge + BigInt(i),
    parent: i === 1 ? edge : undefined,
    on: strange[i]!,
    kind: 'producer' as const,
    start: i,
    takes: 1,
    name: word,
    system: word,
    destination: word,
    operation: messagingOperation.send,
  }));
  await store.append([drawnBatch('c 1,=', 1, origin + 60_000, origin, spans as never)]);
  await store.close();
  server = new Server(parseAddress(questdb.url('same_')), patient);
  book = await bookOf(server, join(folder, 'audit.sqlite'));
  store = await storeOf(server, book, { decodeSpans, recent });
  const found = (await store.spansOfTrace(edge, edge)).spans;
  expect(
    found.map(({ name, system, destination, resource }) => [name, system, destination, resource.serviceName]),
  ).toEqual(words.flatMap((word, i) => (i % 2 === 0 ? [[word, word, word, `service ${word}`]] : [])));
  expect(found[0]).toMatchObject({ spanId: '8000000000000000', traceId: '80000000000000008000000000000000' });
  expect(await store.watermarks()).toEqual(new Map([['c 1,=', 1]]));
});
