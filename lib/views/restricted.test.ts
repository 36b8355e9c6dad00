import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clocksView } from './clocks-view.ts';
import type { ViewContext } from './context.ts';
import { deviceView } from './device-view.ts';
import { devicesView } from './devices-view.ts';
import { buttonTrace, cameraTrace, factoryOnly, hexOf, openWorld, orderTrace, type World } from './fixtures/world.ts';
import { fleetView } from './fleet-view.ts';
import { hopView } from './hop-view.ts';
import { hopsView } from './hops-view.ts';
import { pathsView } from './paths-view.ts';
import { searchView } from './search-view.ts';
import { statusView } from './status-view.ts';
import { topicsView } from './topics-view.ts';
import { traceView } from './trace-view.ts';
import { tracesView } from './traces-view.ts';
import type { Viewer } from './viewer.ts';

/** S2, S3 of reliability.md: what is hidden is the same as what is absent. */
let world: World;
let withoutVision: World;
beforeAll(async () => {
  [world, withoutVision] = await Promise.all([openWorld(), openWorld({ without: ['vision'] })]);
});
afterAll(() => Promise.all([world.close(), withoutVision.close()]));

const everything = async (context: ViewContext, range: World['range']) => ({
  fleet: await fleetView(context, range),
  hops: await hopsView(context, { ...range, limit: 1000 }),
  paths: await pathsView(context, { ...range, limit: 200 }),
  traces: await tracesView(context, { ...range, limit: 1000 }),
  devices: await devicesView(context, { ...range, limit: 1000 }),
  topics: await topicsView(context, { ...range, limit: 1000 }),
  clocks: await clocksView(context, { limit: 1000 }),
  searches: await Promise.all([...'abcdefghijklmnopqrstuvwxyz0123456789/-'].map((q) => searchView(context, { q }))),
  status: await statusView(context),
});

describe('who sees one application', () => {
  it('meets no name of another, anywhere', async () => {
    const text = JSON.stringify(await everything(world.context(factoryOnly), world.range));
    const canaries = [
      'agentic',
      'vision',
      'agent-console',
      'mcp-gateway',
      'camera',
      'local-llm',
      'kiosk',
      'gateway',
      'model-ashburn',
      'order status',
      'snapshot',
      '/orders',
    ];
    expect(canaries.filter((word) => text.includes(word))).toEqual([]);
    expect(text).toContain('button press');
  });

  it('finds the same as where the other application does not exist', async () => {
    const viewer: Viewer = { name: 'both', role: 'viewer', applications: new Set(['factory', 'agentic']) };
    const seen = await everything(world.context(viewer), world.range);
    const there = await everything(withoutVision.context(viewer), withoutVision.range);
    expect(seen).toEqual(there);
  });

  it('is told "not found" for what is hidden in the words for what is absent', async () => {
    const context = world.context(factoryOnly);
    const { items } = await hopsView(world.context(), { ...world.range, limit: 100, service: 'camera' });
    const failure = async (ask: Promise<unknown>) =>
      ask.then(
        () => 'answered',
        (error: Error) => `${error.name} ${error.message}`,
      );
    const hop = (id: string) => failure(hopView(context, { ...world.range, id }));
    expect(await hop(items[0]!.id)).toBe(await hop('0123456789abcdef'));
    const trace = (traceId: string) => failure(traceView(context, { traceId }));
    expect(await trace(hexOf(cameraTrace(3)))).toBe(await trace('f'.repeat(32)));
    const device = (id: string) => failure(deviceView(context, { ...world.range, id }));
    expect(await device('camera-dublin')).toBe(await device('no-such-device'));
  });

  it('lists full pages: what is hidden does not thin them out', async () => {
    const view = await tracesView(world.context(factoryOnly), { ...world.range, limit: 50 });
    expect(view.items).toHaveLength(50);
    expect(view.items.every((item) => item.application === 'factory')).toBe(true);
    expect(view.nextCursor).not.toBeNull();
  });
});

describe('a shared trace', () => {
  it('keeps shape and times, and its hidden part has no name', async () => {
    const [shown, whole] = await Promise.all([
      traceView(world.context(factoryOnly), { traceId: hexOf(orderTrace(140)) }),
      traceView(world.context(), { traceId: hexOf(orderTrace(140)) }),
    ]);
    expect(shown.ledger.map((line) => [line.kind, line.ms])).toEqual(whole.ledger.map((line) => [line.kind, line.ms]));
    expect(shown.spans.map((span) => [span.spanId, span.startMs, span.durationMs])).toEqual(
      whole.spans.map((span) => [span.spanId, span.startMs, span.durationMs]),
    );
    expect(shown.spans.map((span) => span.service)).toEqual([
      'restricted',
      'restricted',
      'restricted',
      'restricted',
      'erp',
    ]);
    const text = JSON.stringify(shown);
    for (const word of [
      'agentic',
      'agent-console',
      'mcp-gateway',
      'kiosk',
      'gateway',
      'order status',
      'hannover',
      'dublin',
    ])
      expect(text).not.toContain(word);
    expect(text).toContain('erp-ashburn');
    expect(shown).toMatchObject({ rootName: 'restricted', budgetMs: null, verdict: 'no-data' });
  });

  it("of one's own application loses nothing", async () => {
    const [own, whole] = await Promise.all([
      traceView(world.context(factoryOnly), { traceId: hexOf(buttonTrace(140)) }),
      traceView(world.context(), { traceId: hexOf(buttonTrace(140)) }),
    ]);
    expect(own).toEqual(whole);
  });
});
