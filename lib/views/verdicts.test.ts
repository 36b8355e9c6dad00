import { afterEach, describe, expect, it, vi } from 'vitest';
import { auditOnce, openAudit } from '#lib/audit.ts';
import { type DrawnSpan, drawnBatch, drawnResource } from '#lib/domain/fixtures/drawn-batch.ts';
import type { IngestBatch } from '#lib/domain/ingest-batch.ts';
import type { BudgetRule, Rules } from '#lib/domain/rule.ts';
import type { Resource } from '#lib/domain/span.ts';
import { openState } from '#lib/state/open.ts';
import { openDuckDbStore } from '#lib/store/duckdb/duckdb-store.ts';
import type { Store } from '#lib/store/store.ts';
import { statusSource } from './fixtures/world.ts';
import { hopsView } from './hops-view.ts';
import type { HopItem } from './schemas.ts';
import { owner } from './viewer.ts';

/** From spans to the sentence: what the pure rule says of figures is tested beside it; here it is what a fleet's spans come to. */

vi.setConfig({ testTimeout: 120_000 });

const originMs = Date.parse('2026-11-21T14:00:00Z');
const rulesOf = (budgets: BudgetRule[]): Rules => ({
  sites: [
    { id: 'hannover', name: 'Hannover', lat: 52.37, lon: 9.73, hosts: [] },
    { id: 'dublin', name: 'Dublin', lat: 53.35, lon: -6.26, hosts: [] },
    { id: 'ashburn', name: 'Ashburn', lat: 39.04, lon: -77.49, hosts: [] },
  ],
  applications: [],
  budgets,
  owners: [],
  brokers: [{ name: 'broker-dublin', site: 'dublin' }],
  maxDriftPpm: 50,
});

const button = drawnResource('button', 'hannover');
const lamp = drawnResource('lamp', 'hannover');
const events = drawnResource('events', 'ashburn');
const collector = drawnResource('', '', { hostId: 'hopscope-collector:c1', hostName: '' });

interface Happening {
  spans: DrawnSpan[];
  passages?: IngestBatch['passages'];
  observations?: IngestBatch['clockObservations'];
}

let opened: Store | null = null;
afterEach(async () => {
  await opened?.close();
  opened = null;
});

/** Everything arrives ten seconds after the last of it, and is judged until the clocks have settled; `restart` forgets what memory held. */
async function judgedBy(
  budgets: BudgetRule[],
  lengthMs: number,
  { spans, passages = [], observations = [] }: Happening,
) {
  const store = await openDuckDbStore({ path: ':memory:', threads: 1, decodeSpans: () => [] });
  opened = store;
  const nanos = (ms: number): bigint => BigInt(originMs + ms) * 1_000_000n;
  let rules = rulesOf(budgets);
  let memory = await openAudit(store, rules, nanos(0));
  let atMs = lengthMs + 10_000;
  const audits = async (...aftersMs: number[]): Promise<void> => {
    for (const afterMs of aftersMs) {
      atMs += afterMs;
      await auditOnce(store, nanos(atMs), rules, memory);
    }
  };
  await store.append([
    { ...drawnBatch('c1', 1, originMs + atMs, originMs, spans), passages, clockObservations: observations },
  ]);
  await audits(1_000, 1_000, 10_000);
  return {
    audits,
    async restart(withBudgets: BudgetRule[] = budgets) {
      rules = rulesOf(withBudgets);
      memory = await openAudit(store, rules, nanos(atMs));
      await audits(10_000, 10_000);
    },
    async items(): Promise<HopItem[]> {
      const context = {
        store,
        state: openState(null),
        rules,
        viewer: owner,
        nowMs: originMs + atMs,
        status: statusSource(),
        demo: false,
      };
      const range = { from: new Date(originMs).toISOString(), to: new Date(originMs + atMs).toISOString() };
      return (await hopsView(context, { ...range, limit: 100 })).items;
    },
    async to(service: string): Promise<HopItem> {
      return (await this.items()).find((item) => item.to.service === service)!;
    },
  };
}

/** `n` requests, one every `everyMs`. */
const times = (n: number, everyMs: number, request: (trace: bigint, at: number) => DrawnSpan[]): DrawnSpan[] =>
  Array.from({ length: n }, (_, i) => request(BigInt(i + 1), i * everyMs)).flat();

interface Way {
  from: Resource;
  to: Resource;
  /** one way, true time */
  takes: number;
  aheadMs?: number;
}

const message =
  ({ from, to, takes, aheadMs = 0 }: Way) =>
  (trace: bigint, at: number): DrawnSpan[] => {
    const said = { trace, system: 'mqtt', destination: 'line/press', name: 'press' };
    return [
      { ...said, id: trace * 10n, on: from, kind: 'producer', start: at, takes: 1 },
      {
        ...said,
        id: trace * 10n + 1n,
        parent: trace * 10n,
        on: to,
        kind: 'consumer',
        start: at + takes + aheadMs,
        takes: 3,
      },
    ];
  };

const call =
  ({ from, to, takes }: Way) =>
  (trace: bigint, at: number): DrawnSpan[] => {
    const said = { trace, system: 'http', destination: '/press', name: 'press' };
    return [
      { ...said, id: trace * 10n, on: from, kind: 'client', start: at, takes: takes + 4 },
      { ...said, id: trace * 10n + 1n, parent: trace * 10n, on: to, kind: 'server', start: at + takes / 2, takes: 4 },
    ];
  };

/** Both ways between the broker's collector and a device, once a second: ties its clock to within half of there and back. */
const echoes = (
  device: Resource,
  thereMs: number,
  backMs: number,
  lengthMs: number,
  aheadMs = 0,
): IngestBatch['clockObservations'] =>
  Array.from({ length: lengthMs / 1000 }, (_, second) => {
    const one = { atNanos: BigInt(originMs + second * 1000) * 1_000_000n, source: 'echo' as const, broker: 'broker' };
    const nanos = (ms: number): bigint => BigInt(Math.round(ms * 1e6));
    return [
      { ...one, from: collector, to: device, rawNanos: nanos(thereMs + aheadMs) },
      { ...one, from: device, to: collector, rawNanos: nanos(backMs - aheadMs) },
    ];
  }).flat();

const minuteMs = 60_000;
const thirty = (request: (trace: bigint, at: number) => DrawnSpan[]): DrawnSpan[] => times(30, 2_000, request);

describe('a verdict out of spans', () => {
  const overAnOcean: Happening = {
    spans: thirty(message({ from: button, to: events, takes: 45, aheadMs: 1_700 })),
    observations: [...echoes(button, 12, 12, minuteMs), ...echoes(events, 38, 38, minuteMs, 1_700)],
  };

  it('leaves 45 ms over an ocean with a budget of 2 s', async () => {
    const hop = await (await judgedBy([{ service: 'events', addedMs: 2_000 }], minuteMs, overAnOcean)).to('events');
    expect(hop.addedMs.p95! - hop.boundMs!).toBeLessThan(45);
    expect(hop.addedMs.p95! + hop.boundMs!).toBeGreaterThan(45);
    expect(hop).toMatchObject({ verdict: 'leave', budgetMs: 2_000, live: { verdict: 'leave' } });
  });

  it('moves the workload at 10 ms, and says it is physics', async () => {
    const hop = await (await judgedBy([{ service: 'events', addedMs: 10 }], minuteMs, overAnOcean)).to('events');
    expect(hop).toMatchObject({ verdict: 'move', moveWhat: 'workload', live: { verdict: 'move' } });
    expect(hop.reason).toMatch(
      /^Fibre alone takes 3\d\.\d ms of a 10 ms budget between Hannover and Ashburn: move events to Hannover\./,
    );
  });

  it('moves it whatever the clocks say: nothing ties them, and fibre is over budget all the same', async () => {
    const alone = { spans: thirty(message({ from: button, to: events, takes: 45 })) };
    const hop = await (await judgedBy([{ service: 'events', addedMs: 10 }], minuteMs, alone)).to('events');
    expect(hop).toMatchObject({ boundMs: null, verdict: 'move', live: { verdict: 'move' } });
  });

  it('fixes the path of 45 ms inside one site, call or message', async () => {
    const budgets = [{ service: 'lamp', addedMs: 10 }];
    const called = await (
      await judgedBy(budgets, minuteMs, { spans: thirty(call({ from: button, to: lamp, takes: 45 })) })
    ).to('lamp');
    expect(called).toMatchObject({ verdict: 'fix-path', floorMs: 0, boundMs: 0, live: { verdict: 'fix-path' } });
    await opened!.close();
    const sent = await (
      await judgedBy(budgets, minuteMs, {
        spans: thirty(message({ from: button, to: lamp, takes: 45 })),
        observations: [...echoes(button, 1, 1, minuteMs), ...echoes(lamp, 1, 1, minuteMs)],
      })
    ).to('lamp');
    expect(sent).toMatchObject({ verdict: 'fix-path', clock: 'bounded', live: { verdict: 'fix-path' } });
  });

  it('moves the broker where both ends stand in Hannover, the broker in Dublin and the budget is 10 ms', async () => {
    const spans = thirty(message({ from: button, to: lamp, takes: 14 }));
    const passages = spans
      .filter((span) => span.kind === 'producer')
      .map((span) => ({
        broker: 'broker-dublin',
        topic: 'line/press',
        traceHi: span.trace,
        traceLo: span.trace,
        spanId: span.id,
        receiveNanos: BigInt(originMs + span.start + 7) * 1_000_000n,
        payloadBytes: 1,
        qos: 1,
      }));
    const hop = await (await judgedBy([{ topic: 'line/#', addedMs: 10 }], minuteMs, { spans, passages })).to('lamp');
    expect(hop).toMatchObject({ verdict: 'move', moveWhat: 'broker', directFloorMs: 0, live: { verdict: 'move' } });
    expect(hop.floorMs).toBeGreaterThan(10);
    expect(hop.reason).toContain('give Hannover its own broker');
  });

  it('never says unanswered of a database: its far end is untraced', async () => {
    const query = (trace: bigint, at: number): DrawnSpan[] => [
      ...call({ from: button, to: lamp, takes: 5 })(trace, at),
      {
        trace,
        id: trace * 10n + 5n,
        parent: trace * 10n + 1n,
        on: lamp,
        kind: 'client',
        start: at + 3,
        takes: 1,
        system: 'postgresql',
        destination: 'orders',
        status: 2,
      },
    ];
    const fleet = await judgedBy([], minuteMs, { spans: thirty(query) });
    await fleet.audits(40_000, 40_000, 40_000);
    const items = await fleet.items();
    expect(items.map((item) => [item.to.service, item.count, item.unanswered, item.verdict])).toEqual([
      ['lamp', 30, 0, 'leave'],
    ]);
  });

  it('says unanswered where a traced consumer stops answering, live too', async () => {
    const spans = times(60, 2_000, message({ from: button, to: lamp, takes: 2 })).filter(
      (span) => span.kind === 'producer' || span.start < minuteMs,
    );
    const tied = [...echoes(button, 1, 1, 2 * minuteMs), ...echoes(lamp, 1, 1, 2 * minuteMs)];
    const fleet = await judgedBy([], 2 * minuteMs, { spans, observations: tied });
    await fleet.audits(40_000, 10_000);
    expect(await fleet.to('lamp')).toMatchObject({
      verdict: 'unanswered',
      unanswered: 30,
      live: { verdict: 'unanswered' },
    });
  });

  it('cannot tell where the bound straddles the budget, and names the cure', async () => {
    const hop = await (
      await judgedBy([{ service: 'lamp', addedMs: 10 }], minuteMs, {
        spans: thirty(message({ from: button, to: lamp, takes: 11 })),
        observations: [...echoes(button, 2, 2, minuteMs), ...echoes(lamp, 2, 2, minuteMs)],
      })
    ).to('lamp');
    expect(hop.addedMs.p95! - hop.boundMs!).toBeLessThan(10);
    expect(hop.addedMs.p95! + hop.boundMs!).toBeGreaterThan(10);
    expect(hop).toMatchObject({ verdict: 'cannot-tell', live: { verdict: 'cannot-tell' } });
    expect(hop.reason).toContain(
      'lies within that range: tie the clocks within Hannover closer (echo, or traffic both ways)',
    );
  });

  it('cannot tell of one who only talks, however slow it looks, and names the cure', async () => {
    const hop = await (
      await judgedBy([{ service: 'lamp', addedMs: 10 }], minuteMs, {
        spans: thirty(message({ from: button, to: lamp, takes: 300 })),
      })
    ).to('lamp');
    expect(hop).toMatchObject({ verdict: 'cannot-tell', clock: 'assumed', live: { verdict: 'cannot-tell' } });
    expect(hop.reason).toContain('switch on the echo');
  });
});

describe('the live verdict', () => {
  const slowed = (from: number, to: number) => (trace: bigint, at: number) =>
    call({ from: button, to: lamp, takes: at >= from && at < to ? 45 : 2 })(trace, at);
  const budgets = [{ service: 'lamp', addedMs: 10 }];

  it('says since when, holds for three good minutes, and is the same after a restart', async () => {
    const all = times(450, 2_000, slowed(5 * minuteMs, 8 * minuteMs));
    const during = await judgedBy(budgets, 7 * minuteMs, { spans: all.filter((span) => span.start < 7 * minuteMs) });
    const { live } = await during.to('lamp');
    expect(live).toMatchObject({ verdict: 'fix-path' });
    expect(live!.sinceMs - originMs).toBeGreaterThan(5 * minuteMs);
    expect(live!.sinceMs - originMs).toBeLessThanOrEqual(5 * minuteMs + 30_000);
    await during.restart();
    expect((await during.to('lamp')).live).toEqual(live);
    await opened!.close();

    const held = await judgedBy(budgets, 10.5 * minuteMs, {
      spans: all.filter((span) => span.start < 10.5 * minuteMs),
    });
    expect((await held.to('lamp')).live).toEqual(live);
    await opened!.close();

    const after = await judgedBy(budgets, 15 * minuteMs, { spans: all });
    const left = (await after.to('lamp')).live!;
    expect(left.verdict).toBe('leave');
    expect(left.sinceMs - originMs).toBeGreaterThanOrEqual(11 * minuteMs);
    expect(left.sinceMs - originMs).toBeLessThanOrEqual(11.5 * minuteMs);
  });

  it('follows the budget: a new rule judges what is kept', async () => {
    const fleet = await judgedBy(budgets, 5 * minuteMs, { spans: times(150, 2_000, slowed(0, 5 * minuteMs)) });
    expect((await fleet.to('lamp')).live).toMatchObject({ verdict: 'fix-path' });
    await fleet.restart([{ service: 'lamp', addedMs: 100 }]);
    expect((await fleet.to('lamp')).live).toMatchObject({ verdict: 'leave' });
  });

  it('takes the tightest of the paths through a hop that has no budget of its own, as the range does', async () => {
    const spans = times(150, 2_000, slowed(0, 5 * minuteMs));
    const rules = [
      { path: 'pr*', totalMs: 30 },
      { application: 'somebody-else', totalMs: 1 },
    ];
    const hop = await (await judgedBy(rules, 5 * minuteMs, { spans })).to('lamp');
    expect(hop).toMatchObject({
      budgetMs: 30,
      budgetFrom: 'path "pr*"',
      verdict: 'fix-path',
      live: { verdict: 'fix-path' },
    });
    await opened!.close();
    // 45 ms are within what a hop may add when nobody said anything
    const free = await (await judgedBy([], 5 * minuteMs, { spans })).to('lamp');
    expect(free).toMatchObject({ budgetMs: 50, verdict: 'leave', live: { verdict: 'leave' } });
  });

  it('comes within the hour to a hop with three crossings a minute, and never to one with three an hour', async () => {
    const rare = await (await judgedBy(budgets, 30 * minuteMs, { spans: times(90, 20_000, slowed(0, 1e9)) })).to(
      'lamp',
    );
    expect(rare.live).toMatchObject({ verdict: 'fix-path' });
    expect(rare.live!.sinceMs - originMs).toBeLessThan(10 * minuteMs);
    await opened!.close();
    const rarer = await (await judgedBy(budgets, 60 * minuteMs, { spans: times(4, 1_200_000, slowed(0, 1e9)) })).to(
      'lamp',
    );
    expect(rarer.live).toBeNull();
  });

  it('goes when the traffic does', async () => {
    const fleet = await judgedBy(budgets, 5 * minuteMs, { spans: times(150, 2_000, slowed(0, 5 * minuteMs)) });
    expect((await fleet.to('lamp')).live).toMatchObject({ verdict: 'fix-path' });
    await fleet.audits(3 * minuteMs, 3 * minuteMs);
    expect((await fleet.to('lamp')).live).toMatchObject({ verdict: 'no-data' });
  });
});
