import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pathIdOf } from '../domain/request-path.ts';
import type { ViewContext } from './context.ts';
import { buttonTrace, factoryOnly, hexOf, movedAtMinute, openWorld, originMs, type World } from './fixtures/world.ts';
import { fleetView } from './fleet-view.ts';
import { hopsView } from './hops-view.ts';
import { pathView } from './path-view.ts';
import { type PathsQuery, pathsQuerySchema, pathsView } from './paths-view.ts';
import { readQuery } from './query.ts';
import { pathsViewSchema, pathViewSchema } from './schemas.ts';
import type { Viewer } from './viewer.ts';

/** Spans went through the real store and the real audit; here they come out as paths. */
let world: World;
let without: World;
beforeAll(async () => {
  [world, without] = await Promise.all([openWorld(), openWorld({ without: ['vision'] })]);
  // two real audits, on a machine that may be busy
}, 120_000);
afterAll(() => Promise.all([world.close(), without.close()]));

const list = (query: Partial<PathsQuery> = {}, context: ViewContext = world.context()) =>
  pathsView(context, { ...world.range, limit: 100, ...query });
const idOf = (rootName: string, application: string) => pathIdOf({ rootName, application });
const press = idOf('button press', 'factory');
const order = idOf('order status', 'agentic');
const snapshot = idOf('camera snapshot', 'vision');
const one = (id: string, more: { variant?: string; from?: string; to?: string } = {}, context = world.context()) =>
  pathView(context, { ...world.range, id, ...more });
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
const withoutRange = <T extends { range: unknown }>({ range: _, ...rest }: T) => rest;

describe('paths', () => {
  it('are listed worst first, with figures, budget and what to do', async () => {
    const view = await list();
    expect(pathsViewSchema.parse(view)).toEqual(view);
    expect(view.items.map((item) => [item.name, item.application, item.count, item.verdict, item.mark])).toEqual([
      ['button press', 'factory', 144, 'move', 'over'],
      ['camera snapshot', 'vision', 144, 'leave', 'ok'],
      ['order status', 'agentic', 144, 'leave', 'ok'],
    ]);
    expect(view).toMatchObject({ total: 3, emptyReason: null });
  });

  it('say end to end on one clock where the root outlives its replies, else with the bound of the clocks', async () => {
    const { items } = await list();
    const of = (id: string) => items.find((item) => item.id === id)!;
    expect(of(press)).toMatchObject({ how: 'one-clock', boundMs: 0, budgetMs: 10, looked: 80 });
    expect(of(press).p50Ms! < 10 && of(press).p95Ms! > 100).toBe(true);
    // nothing ties the clocks of camera and model together
    expect(of(snapshot)).toMatchObject({ how: 'one-way', boundMs: null, budgetMs: null });
    expect(of(snapshot).reason).toContain('as the clocks stand, which nothing ties together');
  });

  it('say by name what to move and whither, and which hop is to blame', async () => {
    const [worst] = (await list()).items;
    expect(worst!.reason).toContain('Fibre alone takes 64.1 ms of a 10 ms budget');
    expect(worst!.reason).toContain('move factory-events to Hannover');
    expect(worst!.blame).toMatchObject({ kind: 'hop', from: { site: 'hannover' }, to: { service: 'factory-events' } });
    const hops = await hopsView(world.context(), { ...world.range, limit: 100 });
    expect(hops.items.map((hop) => hop.id)).toContain(worst!.blame!.hopId);
  });

  it('have parts that are the whole time', async () => {
    for (const item of (await list()).items) expect(sum(item.parts.map((part) => part.share))).toBeCloseTo(1, 6);
  });

  it('are the figures that the fleet page shows', async () => {
    const [{ items }, fleet] = await Promise.all([list(), fleetView(world.context(), world.range)]);
    for (const strip of fleet.paths) {
      const { id, name, count, p50Ms, p95Ms, boundMs, budgetMs, mark, how, spark } = items.find(
        (item) => item.id === strip.id,
      )!;
      expect({
        id,
        name,
        application: strip.application,
        count,
        p50Ms,
        p95Ms,
        boundMs,
        budgetMs,
        mark,
        how,
        spark,
      }).toEqual(strip);
    }
    expect(fleet.paths).toHaveLength(items.length);
  });

  it('are filtered by application, service, site, hop, mark and verdict', async () => {
    const names = async (query: Partial<PathsQuery>) => (await list(query)).items.map((item) => item.name);
    expect(await names({ application: 'vision' })).toEqual(['camera snapshot']);
    expect(await names({ service: 'erp' })).toEqual(['order status']);
    expect(await names({ service: 'camera' })).toEqual(['camera snapshot']);
    expect((await names({ site: 'hannover' })).toSorted()).toEqual(['button press', 'order status']);
    expect(await names({ mark: 'over' })).toEqual(['button press']);
    expect(await names({ verdict: 'move' })).toEqual(['button press']);
    const [worst] = (await list()).items;
    expect(await names({ hop: worst!.blame!.hopId! })).toEqual(['button press']);
    expect(await list({ service: 'nobody' })).toMatchObject({
      items: [],
      total: 0,
      emptyReason: 'No path of this range fits the filter.',
    });
  });

  it('are looked at less closely the more there are, and a short list says how many there were', async () => {
    const view = await list({ limit: 1 });
    expect(view).toMatchObject({ total: 3, items: [{ id: press }] });
    expect(() => readQuery(pathsQuerySchema, { limit: '201' })).toThrow('1 to 200');
  });

  it('are sorted as asked', async () => {
    const names = async (order_: PathsQuery['order']) => (await list({ order: order_ })).items.map((item) => item.name);
    expect(await names('name')).toEqual(['button press', 'camera snapshot', 'order status']);
    const p95 = (await list({ order: 'slowest' })).items.map((item) => item.p95Ms!);
    expect(p95).toEqual(p95.toSorted((a, b) => b - a));
  });

  it('say why there are none', async () => {
    const empty = await openWorld({ withTraffic: false });
    const view = await pathsView(empty.context(), { ...world.range, limit: 10 });
    expect(view.emptyReason).toContain('no span has arrived');
    await empty.close();
    const quiet = await list({ from: '2026-11-20T00:00:00Z', to: '2026-11-20T01:00:00Z' });
    expect(quiet.emptyReason).toContain('needs a root span');
  });
});

describe('one path', () => {
  it('has a tree for each way its requests went, with when that was', async () => {
    const view = await one(press);
    expect(pathViewSchema.parse(view)).toEqual(view);
    expect(view.variants).toHaveLength(2);
    const [home, away] = view.variants.toSorted((a, b) => (a.firstAt < b.firstAt ? -1 : 1));
    expect(home).toMatchObject({ hops: 2, mark: 'ok', ends: [{}, { service: 'factory-events', site: 'hannover' }] });
    expect(away).toMatchObject({ hops: 2, mark: 'over', ends: [{}, { service: 'factory-events', site: 'ashburn' }] });
    const movedMs = originMs + movedAtMinute * 60_000;
    expect(Date.parse(home!.lastAt)).toBeLessThan(movedMs);
    expect(Date.parse(away!.firstAt)).toBeGreaterThanOrEqual(movedMs);
    expect(home!.requests + away!.requests).toBe(144);
    expect([home!.p95Ms! < 10, away!.p50Ms! > 100]).toEqual([true, true]);
  });

  it('shows the tree that was asked for: hops in order, with what each adds and its share', async () => {
    const { variants } = await one(press);
    const away = variants.find((variant) => variant.mark === 'over')!;
    const view = await one(press, { variant: away.id });
    expect(view.variantId).toBe(away.id);
    expect(view.places.map((place) => [place.depth, place.parent, place.from.service, place.to.service])).toEqual([
      [0, null, 'line-button', 'line-button'],
      [1, 0, 'line-button', 'factory-events'],
      [2, 1, 'factory-events', 'line-button'],
    ]);
    const [, there, back] = view.places;
    expect(there).toMatchObject({
      system: 'mqtt',
      destination: 'factory/hannover/button/start',
      count: { least: 1, most: 1 },
      onPath: 1,
      mark: 'over',
    });
    expect(there!.addedMs.p50).toBeCloseTo(50.5, 0);
    expect(there!.wayShare).toBeCloseTo(back!.wayShare, 1);
    expect(sum(view.places.map((place) => place.wayShare + place.workShare))).toBeCloseTo(1, 6);
  });

  it('shows the busiest tree where another was asked for that it does not have', async () => {
    const view = await one(press, { variant: '0123456789abcdef' });
    expect(view.variantId).toBe(view.variants[0]!.id);
  });

  it('has a course over the range, and every request in it', async () => {
    const { series } = await one(press);
    expect(sum(series.map((point) => point.count))).toBe(144);
    const at = (minute: number) => series.find((point) => point.timeMs === originMs + minute * 60_000)!;
    expect([at(1).p50Ms! < 10, at(10).p50Ms! > 100, at(10).p95Ms! >= at(10).p50Ms!]).toEqual([true, true, true]);
    // one way: measured request by request, the camera's own span ends after 2 ms
    const open = (await one(snapshot)).series.filter((point) => point.p50Ms !== null);
    expect(open.length).toBeGreaterThan(10);
    for (const point of open) expect(point.p50Ms).toBeGreaterThan(30);
  });

  it('has requests to open: fast, median, slow', async () => {
    const { examples } = await one(press);
    const of = (why: string) => examples.find((example) => example.why === why)!;
    expect(of('fastest').totalMs).toBeLessThan(of('slowest').totalMs);
    expect([of('fastest').mark, of('slowest').mark]).toEqual(['ok', 'over']);
    expect(new Set(examples.map((example) => example.traceId)).size).toBe(examples.length);
    const traces = new Set(Array.from({ length: 144 }, (_, i) => hexOf(buttonTrace(i + 1))));
    for (const example of examples) expect(traces).toContain(example.traceId);
  });

  it('that is quiet in the range is still itself, without a figure', async () => {
    const view = await one(press, { from: '2026-11-21T02:00:00Z', to: '2026-11-21T02:30:00Z' });
    expect(view.path).toMatchObject({ id: press, name: 'button press', count: 0, verdict: 'no-data', p95Ms: null });
    expect(view).toMatchObject({ variants: [], variantId: null, places: [], examples: [] });
  });

  it('that nobody ever took is not found', async () => {
    for (const id of ['0000000000000000', 'nonsense', ''])
      await expect(one(id)).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('who sees one application', () => {
  const agenticOnly: Viewer = { name: 'agents', role: 'viewer', applications: new Set(['agentic']) };

  it('meets no path and no name of another', async () => {
    const context = world.context(factoryOnly);
    const view = await list({}, context);
    expect(view.items.map((item) => item.name)).toEqual(['button press']);
    expect(view.total).toBe(1);
    const text = JSON.stringify([view, await one(press, {}, context)]);
    for (const word of ['agentic', 'vision', 'camera', 'kiosk', 'gateway', 'orders', 'local-llm', 'order status'])
      expect(text).not.toContain(word);
  });

  it('is told "not found" for a hidden path in the words for one that is absent', async () => {
    const failure = (id: string) =>
      one(id, {}, world.context(factoryOnly)).then(
        () => 'answered',
        (error: Error) => `${error.name} ${error.message}`,
      );
    expect(await failure(order)).toBe(await failure('0123456789abcdef'));
  });

  it('sees the shape and the times of a shared path, and a restricted hop where it leaves', async () => {
    const [whole, part] = await Promise.all([one(order), one(order, {}, world.context(agenticOnly))]);
    expect(part.places.map(({ at, parent, depth, wayMs, workMs }) => [at, parent, depth, wayMs, workMs])).toEqual(
      whole.places.map(({ at, parent, depth, wayMs, workMs }) => [at, parent, depth, wayMs, workMs]),
    );
    expect(part.path.parts.map((each) => each.share)).toEqual(whole.path.parts.map((each) => each.share));
    expect(part.places[2]).toMatchObject({
      hopId: null,
      from: { service: 'restricted', site: 'restricted' },
      to: { service: 'restricted', site: 'restricted' },
      destination: '',
      mark: null,
    });
    expect(whole.places[2]!.hopId).toMatch(/^[0-9a-f]{16}$/);
    const text = JSON.stringify([part, await list({}, world.context(agenticOnly))]);
    for (const word of ['erp', 'ashburn', 'factory', whole.places[2]!.hopId!]) expect(text).not.toContain(word);
    expect(await list({ service: 'erp' }, world.context(agenticOnly))).toMatchObject({ items: [], total: 0 });
  });

  it('finds the same as where the other application does not exist', async () => {
    const viewer: Viewer = { name: 'both', role: 'viewer', applications: new Set(['factory', 'agentic']) };
    const seen = [await list({}, world.context(viewer)), await one(order, {}, world.context(viewer))];
    const there = [
      await pathsView(without.context(viewer), { ...world.range, limit: 100 }),
      await pathView(without.context(viewer), { ...world.range, id: order }),
    ];
    expect(seen.map(withoutRange)).toEqual(there.map(withoutRange));
  });
});
