import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clocksView } from './clocks-view.ts';
import { deviceView } from './device-view.ts';
import { devicesView } from './devices-view.ts';
import {
  buttonTrace,
  cameraTrace,
  hexOf,
  movedAtMinute,
  openWorld,
  orderTrace,
  originMs,
  rules,
  type World,
} from './fixtures/world.ts';
import { fleetView } from './fleet-view.ts';
import { hopView } from './hop-view.ts';
import { hopsView } from './hops-view.ts';
import { searchView } from './search-view.ts';
import { statusView } from './status-view.ts';
import { topicsView } from './topics-view.ts';
import { traceView } from './trace-view.ts';
import { tracesView } from './traces-view.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

const movedMs = originMs + movedAtMinute * 60_000;

describe('the fleet', () => {
  it('puts the move of factory-events first, by the name of the path, with both numbers and since when', async () => {
    const { decisions } = await fleetView(world.context(), world.range);
    expect(decisions[0]).toMatchObject({
      mark: 'over',
      verdict: 'move',
      title: 'Button press',
      figure: '103 ms',
      of: 'of 10 ms',
      note: '2 hops, since 03:06',
    });
    expect(decisions[0]!.sentence).toContain('move factory-events to Hannover');
    expect(decisions[1]).toMatchObject({ mark: 'cannot-tell', title: 'Camera snapshot' });
  });

  it('asks for no decision on what was moved away, and tells two causes on one path apart', async () => {
    const strict = { ...world.context(), rules: { ...rules, budgets: [{ topic: 'factory/#', addedMs: 0.5 }] } };
    const { decisions, hopMarks } = await fleetView(strict, world.range);
    // the two in Hannover cannot be told from the budget either, and the camera's
    expect(hopMarks).toMatchObject({ over: 2, cannotTell: 3 });
    expect(decisions.map((decision) => [decision.title, decision.note])).toEqual([
      ['Button press', '2 hops, since 03:06'],
      ['Camera snapshot', '1 hop'],
    ]);
    const late = { from: world.range.from, to: new Date(movedMs).toISOString() };
    const before = (await fleetView(strict, late)).decisions.map((decision) => [decision.title, decision.note]);
    expect(before).toContainEqual(['Button press', '2 hops']);
  });

  it('draws the legs over the broker, and no edge within a site', async () => {
    const { edges } = await fleetView(world.context(), world.range);
    expect(edges.map((edge) => `${edge.from} > ${edge.to}`).sort()).toEqual([
      'ashburn > dublin',
      'dublin > ashburn',
      'dublin > hannover',
      'hannover > dublin',
    ]);
    const uplink = edges.find((edge) => edge.from === 'hannover')!;
    expect(uplink.mark).toBe('over');
    expect(Math.abs(uplink.addedMs.p95! - 10.05)).toBeLessThan(uplink.boundMs!);
  });

  it("measures a path that comes back on one clock, and one that does not on the requester's", async () => {
    const { paths } = await fleetView(world.context(), world.range);
    expect(paths.map((path) => path.name)).toEqual(['button press', 'order status', 'camera snapshot']);
    expect(paths[0]).toMatchObject({ how: 'one-clock', boundMs: 0, budgetMs: 10, mark: 'over', count: 144 });
    expect(paths[0]!.p95Ms).toBeCloseTo(103.4, 0);
    expect(paths[1]).toMatchObject({ how: 'one-clock', mark: 'ok' });
    // the model's clock is 700 ms ahead and nothing came back to prove it: the figure has no bound
    expect(paths[2]).toMatchObject({ how: 'one-way', boundMs: null, budgetMs: null });
  });

  it('knows which site the broker stands at, and when something last came', async () => {
    const view = await fleetView(world.context(), world.range);
    expect(view.sites.find((site) => site.id === 'dublin')).toMatchObject({ broker: 'broker-dublin', devices: 2 });
    expect(view.lastArrival).toBe('2026-11-21T03:12:00.000Z');
    expect(view.empty).toBe(false);
    expect(view.hopMarks).toEqual({ over: 2, noticeable: 0, cannotTell: 1, ok: 4, noData: 0 });
  });

  it('is empty, and says so, before anything came', async () => {
    const empty = await openWorld({ withTraffic: false });
    try {
      const view = await fleetView(empty.context(), empty.range);
      expect(view).toMatchObject({ empty: true, lastArrival: null, edges: [], decisions: [], paths: [], devices: [] });
      expect((await hopsView(empty.context(), { ...empty.range, limit: 10 })).emptyReason).toContain('No hops yet');
    } finally {
      await empty.close();
    }
  });
});

describe('hops', () => {
  it('come worst first, with the budget that judged them and the paths that cross them', async () => {
    const { items } = await hopsView(world.context(), { ...world.range, limit: 100 });
    expect(items.map((item) => item.mark)).toEqual(['over', 'over', 'cannot-tell', 'ok', 'ok', 'ok', 'ok']);
    expect(items[0]).toMatchObject({
      budgetMs: 10,
      budgetFrom: 'path "button press"',
      paths: ['button press'],
      verdict: 'move',
      moveWhat: 'workload',
      clock: 'bounded',
    });
    expect(items[0]!.addedMs.p50).toBeCloseTo(50, 0);
    expect(items[0]!.legsMs).toMatchObject({ brokerName: 'broker-dublin', brokerSite: 'dublin', broker: null });
    const call = items.find((item) => item.to.service === 'mcp-gateway')!;
    expect(call).toMatchObject({ clock: 'round-trip', legsMs: null, verdict: 'leave' });
  });

  it('are filtered by service, site, path and mark', async () => {
    const count = async (query: object) =>
      (await hopsView(world.context(), { ...world.range, limit: 100, ...query })).items.length;
    expect(await count({ service: 'erp' })).toBe(1);
    expect(await count({ site: 'dublin' })).toBe(3);
    expect(await count({ path: 'button press' })).toBe(4);
    expect(await count({ mark: 'cannot-tell' })).toBe(1);
    expect(await count({ service: 'nobody' })).toBe(0);
  });

  it('know their normal from the window before', async () => {
    const at = (minute: number): string => new Date(originMs + minute * 60_000).toISOString();
    const { items } = await hopsView(world.context(), { from: at(6), to: at(12), limit: 100, service: 'erp' });
    expect(Math.abs(items[0]!.baselineMs! - 81.7)).toBeLessThan(1);
  });
});

describe('one hop', () => {
  const hopTo = async (site: string) => {
    const { items } = await hopsView(world.context(), { ...world.range, limit: 100, service: 'factory-events' });
    return hopView(world.context(), {
      ...world.range,
      id: items.find((item) => item.to.service === 'factory-events' && item.to.site === site)!.id,
    });
  };

  it('that began by a move shows the move, and the last request before it', async () => {
    const view = await hopTo('ashburn');
    expect(view.changes).toEqual([
      {
        timeMs: movedMs,
        text: expect.stringMatching(/^factory-events moved from Hannover to Ashburn: p50 0\.\d ms → (49|50)\.\d ms$/),
      },
    ]);
    const before = view.examples.find((example) => example.why === 'last before 03:06')!;
    expect(Date.parse(before.startedAt)).toBeLessThan(movedMs);
    expect(before).toMatchObject({ calleeDevice: 'booth-hannover', mark: 'ok' });
  });

  it('has a point a minute, null before it began', async () => {
    const { series, heat } = await hopTo('ashburn');
    expect(series).toHaveLength(12);
    expect(series.map((point) => point.p50Ms !== null)).toEqual([...Array(6).fill(false), ...Array(6).fill(true)]);
    expect(heat.cells.reduce((sum, cell) => sum + cell.count, 0)).toBe(72);
  });

  it('picks examples that span the range, each once', async () => {
    const { examples } = await hopTo('ashburn');
    expect(examples.map((each) => each.why)).toEqual(expect.arrayContaining(['typical', 'slowest in range']));
    expect(new Set(examples.map((each) => each.callerSpanId)).size).toBe(examples.length);
  });

  it('says how far its clocks can be trusted', async () => {
    const { clocks } = await hopTo('ashburn');
    expect(clocks).toHaveLength(1);
    expect(clocks[0]).toMatchObject({ pair: 'rio-hannover : site-ashburn', label: 'bounded', crossings: 72 });
    expect(Math.abs(clocks[0]!.offsetMs! + 11.8)).toBeLessThanOrEqual(clocks[0]!.boundMs!);
  });

  it('that was not crossed in the range is still itself, without a figure', async () => {
    const { hop } = await hopTo('ashburn');
    const view = await hopView(world.context(), {
      from: '2026-11-20T00:00:00Z',
      to: '2026-11-20T01:00:00Z',
      id: hop.id,
    });
    expect(view.hop).toMatchObject({
      count: 0,
      verdict: 'no-data',
      mark: 'no-data',
      addedMs: { p50: null },
      to: { service: 'factory-events' },
    });
  });

  it('that nobody ever crossed is not found', async () => {
    for (const id of ['0000000000000000', 'nonsense']) {
      await expect(hopView(world.context(), { ...world.range, id })).rejects.toMatchObject({ code: 'not-found' });
    }
  });
});

describe('one trace', () => {
  const sum = (lines: { ms: number; rawMs: number }[], of: 'ms' | 'rawMs'): number =>
    lines.reduce((total, line) => total + line[of], 0);

  it.each([
    ['a message there and back', buttonTrace(140)],
    ['calls', orderTrace(140)],
    ['a message one way', cameraTrace(140)],
  ])('adds up to a microsecond, raw and corrected: %s', async (_what, trace) => {
    const view = await traceView(world.context(), { traceId: hexOf(trace) });
    expect(Math.abs(sum(view.ledger, 'ms') - view.totalMs)).toBeLessThan(0.001);
    expect(view.ledger.at(-1)!.endMs).toBeCloseTo(view.totalMs, 3);
    expect(view.ledger.at(-1)!.rawEndMs).toBeCloseTo(sum(view.ledger, 'rawMs'), 3);
    for (const [i, line] of view.ledger.entries()) {
      expect(line.endMs - line.startMs).toBeCloseTo(line.ms, 3);
      if (i > 0) expect(line.startMs).toBeCloseTo(view.ledger[i - 1]!.endMs, 3);
    }
  });

  it('opens with where the time went and what to do', async () => {
    const button = await traceView(world.context(), { traceId: hexOf(buttonTrace(140)) });
    expect(button).toMatchObject({
      verdict: 'move',
      mark: 'over',
      budgetMs: 10,
      oneClock: true,
      requesterDevice: 'rio-hannover',
    });
    expect(button.sentence).toBe(
      '98 % of this request is distance. Fibre alone needs 64.1 ms of its 10 ms: no tuning helps, move the workload.',
    );
    const order = await traceView(world.context(), { traceId: hexOf(orderTrace(140)) });
    expect(order.sentence).toMatch(/^94 % of this request is distance\. It took 10\d ms of 2 s\. Leave it\.$/);
    const camera = await traceView(world.context(), { traceId: hexOf(cameraTrace(140)) });
    expect(camera).toMatchObject({ verdict: 'no-data', budgetMs: null });
    expect(camera.sentence).toContain('Nobody set a budget for "camera snapshot"');
  });

  it('names devices by their names, legs by the broker, and counts the kilometres by way of it', async () => {
    const view = await traceView(world.context(), { traceId: hexOf(buttonTrace(140)) });
    expect(view.ledger.map((line) => line.kind)).toEqual([
      'processing',
      'uplink',
      'downlink',
      'processing',
      'reply',
      'reply',
      'processing',
    ]);
    expect(view.ledger[1]).toMatchObject({
      where: 'rio-hannover → broker-dublin',
      fromSite: 'hannover',
      toSite: 'dublin',
    });
    expect(view.ledger[1]!.hopId).toMatch(/^[0-9a-f]{16}$/);
    expect(view.kilometres).toBeCloseTo(13_076, -1);
    expect(view.sites.map((site) => site.id).sort()).toEqual(['ashburn', 'dublin', 'hannover']);
  });

  it('gives spans raw and corrected, with what they carried', async () => {
    const { spans, spansTotal } = await traceView(world.context(), { traceId: hexOf(buttonTrace(140)) });
    expect(spansTotal).toBe(5);
    const consumer = spans.find((span) => span.device === 'site-ashburn' && span.kind === 'consumer')!;
    expect(consumer.startMs! - consumer.rawStartMs).toBeCloseTo(11.8, 0);
    expect(consumer.attributes).toEqual({ 'secret.of': 'factory-events' });
  });

  it('is found by 32 digits of any case, not by another', async () => {
    const view = await traceView(world.context(), { traceId: hexOf(buttonTrace(140)).toUpperCase() });
    expect(view.traceId).toBe(hexOf(buttonTrace(140)));
    for (const traceId of ['f'.repeat(32), '0'.repeat(16), 'x']) {
      await expect(traceView(world.context(), { traceId })).rejects.toMatchObject({ code: 'not-found' });
    }
  });
});

describe('traces', () => {
  it('page through a range without losing or repeating one', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await tracesView(world.context(), { ...world.range, limit: 100, cursor });
      seen.push(...page.items.map((item) => item.traceId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(3 * 144);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('are filtered, and name what can be filtered by', async () => {
    const view = await tracesView(world.context(), { ...world.range, limit: 10, service: 'erp', order: 'slowest' });
    expect(view.items.every((item) => item.rootName === 'order status')).toBe(true);
    expect(view.rootNames.toSorted()).toEqual(['button press', 'camera snapshot', 'order status']);
    expect(view.services).toContain('line-button');
    const none = await tracesView(world.context(), { ...world.range, limit: 10, minDuration: 1e6 });
    expect(none).toMatchObject({ items: [], nextCursor: null, emptyReason: 'No trace of this range fits the filter.' });
  });
});

describe('devices', () => {
  it('have their readings as shares, and null where nothing was said', async () => {
    const { items } = await devicesView(world.context(), { ...world.range, limit: 100 });
    const of = (name: string) => items.find((item) => item.name === name)!;
    expect(of('rio-hannover').cpu).toBeCloseTo(0.18);
    expect(of('rio-hannover').memory).toBeCloseTo(0.41);
    expect(of('kiosk-hannover')).toMatchObject({
      cpu: null,
      memory: null,
      site: 'hannover',
      applications: ['agentic'],
    });
  });

  it('are found by id and by name, with their hops and clock', async () => {
    const byName = await deviceView(world.context(), { ...world.range, id: 'site-ashburn' });
    const byId = await deviceView(world.context(), { ...world.range, id: byName.device.id });
    expect(byId).toEqual(byName);
    expect(byName.hops.map((hop) => hop.mark)).toEqual(['over', 'over']);
    expect(Math.abs(byName.clock!.offsetMs! + 11.8)).toBeLessThanOrEqual(byName.clock!.boundMs!);
    const rio = await deviceView(world.context(), { ...world.range, id: 'rio-hannover' });
    expect(rio.series.filter((point) => point.cpu !== null).length).toBeGreaterThan(30);
    expect(rio.metrics.map((metric) => metric.metric)).toContain('system.cpu.utilization');
  });
});

describe('the rest', () => {
  it('topics: rates, who speaks, who went quiet', async () => {
    const view = await topicsView(world.context(), { ...world.range, limit: 100 });
    expect(view.items[0]).toMatchObject({ topic: 'factory/sf/chatter', messages: 7200, state: 'flowing' });
    expect(view.items[0]!.messagesPerS).toBeCloseTo(10);
    expect(view.items.find((item) => item.topic === 'factory/sf/quiet')).toMatchObject({
      state: 'silent',
      messages: 300,
    });
    expect(view.items.find((item) => item.topic.endsWith('button/start'))).toMatchObject({
      publishers: ['line-button'],
      consumers: ['factory-events'],
    });
    expect(view.brokers).toMatchObject([{ name: 'broker-dublin', site: 'dublin', topics: 5 }]);
  });

  it('topics: one that said nothing in the range but did before it is listed as silent, at zero', async () => {
    const from = new Date(originMs + 9 * 60_000).toISOString();
    const view = await topicsView(world.context(), { from, to: world.range.to, limit: 100 });
    expect(view.items.find((item) => item.topic === 'factory/sf/quiet')).toMatchObject({
      state: 'silent',
      messages: 0,
    });
  });

  it('clocks: the least certain first', async () => {
    const { items } = await clocksView(world.context(), { limit: 100 });
    const gateway = items.find((item) => item.device === 'gateway-dublin')!;
    expect(Math.abs(gateway.offsetMs! - 3)).toBeLessThanOrEqual(gateway.boundMs!);
    expect(gateway).toMatchObject({ method: 'bounded', cure: null, lastStep: null });
    // its clock is steady, and the world is twenty minutes long
    expect(Math.abs(gateway.driftPpm!)).toBeLessThanOrEqual(gateway.driftBoundPpm!);
    const camera = items.find((item) => item.boundMs === null)!;
    expect(camera.cure).toMatch(/echo|heartbeat|Set it/);
    expect(camera).toMatchObject({ driftPpm: null, driftBoundPpm: null });
    const bounds = items.map((item) => item.boundMs ?? Number.MAX_VALUE);
    expect(bounds).toEqual(bounds.toSorted((a, b) => b - a));
  });

  it('search: every kind by name, a trace by its id', async () => {
    const kinds = async (q: string) => (await searchView(world.context(), { q })).items.map((item) => item.kind);
    expect(await kinds('button')).toEqual(expect.arrayContaining(['path', 'service', 'hop', 'topic']));
    expect((await kinds('rio-hannover'))[0]).toBe('device');
    const id = hexOf(buttonTrace(3));
    expect((await searchView(world.context(), { q: id.toUpperCase() })).items[0]).toMatchObject({
      kind: 'trace',
      href: `/traces/${id}`,
      title: 'button press',
    });
    expect(await kinds('')).toEqual([]);
    expect((await kinds('a')).length).toBeLessThanOrEqual(20);
  });

  it('status: the books balance', async () => {
    const { books, ready } = await statusView(world.context());
    expect(ready).toBe(true);
    expect(books.residual).toBe(0);
    expect(books.received).toBe(books.stored + books.duplicate + books.rejected + books.spooled);
    expect(books.stored).toBeGreaterThan(1_000);
  });
});
