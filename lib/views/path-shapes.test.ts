import { afterAll, beforeAll, expect, it } from 'vitest';
import { auditOnce, openAudit } from '#lib/audit.ts';
import { type DrawnSpan, drawnBatch, drawnResource } from '#lib/domain/fixtures/drawn-batch.ts';
import { pathIdOf } from '#lib/domain/request-path.ts';
import type { Rules } from '#lib/domain/rule.ts';
import { messagingOperation } from '#lib/domain/span.ts';
import { openState } from '#lib/state/open.ts';
import { openDuckDbStore } from '#lib/store/duckdb/duckdb-store.ts';
import type { Store } from '#lib/store/store.ts';
import { statusSource } from './fixtures/world.ts';
import { pathView } from './path-view.ts';
import { pathsView } from './paths-view.ts';
import type { PathView } from './schemas.ts';
import { owner } from './viewer.ts';

/** Shapes that requests take, sent as spans through the real store and the real audit. */
const originMs = Date.parse('2026-11-21T03:00:00Z');
const endMs = originMs + 60_000;
const rules: Rules = {
  sites: [],
  applications: [{ id: 'shop', services: ['*'], topics: [] }],
  budgets: [{ path: 'order', totalMs: 30 }],
  owners: [],
  brokers: [],
  maxDriftPpm: 50,
};
const kiosk = drawnResource('kiosk', 'kiel');
const desk = drawnResource('desk', 'kiel');
const kitchen = drawnResource('kitchen', 'kiel');
const archive = drawnResource('archive', 'kiel');

const mqtt = { system: 'mqtt', destination: 'orders' };
const process = { ...mqtt, operation: messagingOperation.process };
const http = { system: 'http', destination: '/orders' };

/** n: which request. The kiosk calls the desk, every third time after two calls that reach nobody; the desk asks its database and tells
 * kitchen and archive, the kitchen once or twice; nobody waits for them, and the archive is last. */
function order(n: number): DrawnSpan[] {
  const trace = 0x7000n + BigInt(n);
  const id = (k: number): bigint => trace * 32n + BigInt(k);
  const at = n * 1_000;
  const span = (
    k: number,
    parent: number,
    on: typeof kiosk,
    kind: DrawnSpan['kind'],
    start: number,
    takes: number,
  ) => ({
    trace,
    id: id(k),
    parent: parent === 0 ? undefined : id(parent),
    on,
    kind,
    start: at + start,
    takes,
  });
  return [
    { ...span(1, 0, kiosk, 'internal', 0, 40), name: 'order' },
    ...(n % 3 === 0
      ? [
          { ...span(2, 1, kiosk, 'client', 1, 4), name: 'POST', status: 2, ...http },
          { ...span(3, 1, kiosk, 'client', 6, 4), name: 'POST', status: 2, ...http },
        ]
      : []),
    { ...span(4, 1, kiosk, 'client', 12, 24), name: 'POST', ...http },
    { ...span(5, 4, desk, 'server', 14, 20), name: 'POST /orders', ...http },
    { ...span(6, 5, desk, 'client', 15, 5), name: 'INSERT', system: 'postgresql' },
    { ...span(7, 5, desk, 'producer', 21, 1), name: 'send orders', ...mqtt },
    { ...span(8, 7, archive, 'consumer', 26, 90), name: 'process orders', ...process },
    { ...span(9, 7, kitchen, 'consumer', 24, 5), name: 'process orders', ...process },
    ...(n % 2 === 0 ? [{ ...span(10, 7, kitchen, 'consumer', 25, 5), name: 'process orders', ...process }] : []),
  ];
}

let store: Store;
let view: PathView;
beforeAll(async () => {
  store = await openDuckDbStore({ path: ':memory:', threads: 1, decodeSpans: () => [] });
  const memory = await openAudit(store, rules, BigInt(originMs) * 1_000_000n);
  const requests = Array.from({ length: 12 }, (_, i) => order(i + 1));
  // callees and callers of a request arrive apart, the later ones first
  const halves = [requests.flatMap((spans) => spans.slice(4)), requests.flatMap((spans) => spans.slice(0, 4))];
  for (const [i, spans] of halves.entries()) {
    await store.append([drawnBatch('c1', i + 1, endMs + i * 1_000, originMs, spans)]);
    await auditOnce(store, BigInt(endMs + i * 1_000) * 1_000_000n, rules, memory);
  }
  for (const afterMs of [3_000, 100_000, 200_000])
    await auditOnce(store, BigInt(endMs + afterMs) * 1_000_000n, rules, memory);
  view = await pathView(context(), { ...range, id: pathIdOf({ rootName: 'order', application: 'shop' }) });
}, 120_000);
afterAll(() => store.close());

const range = { from: new Date(originMs).toISOString(), to: new Date(endMs).toISOString() };
const context = () => ({
  store,
  state: openState(null),
  rules,
  viewer: owner,
  nowMs: endMs,
  status: statusSource(),
  demo: false,
});
const place = (service: string) => view.places.find((each) => each.depth > 0 && each.to.service === service)!;

it('all requests took one tree: attempts, repeats and late halves make no other', async () => {
  expect(view.variants).toHaveLength(1);
  expect(view.path).toMatchObject({ count: 12, looked: 12, variants: 1 });
  expect(view.places.map((each) => [each.depth, each.to.service]).toSorted()).toEqual([
    [0, 'kiosk'],
    [1, 'desk'],
    [2, 'archive'],
    [2, 'kitchen'],
  ]);
});

it('calls that reached nobody are attempts, and the database without spans is no hop', () => {
  expect(place('desk')).toMatchObject({ count: { least: 1, most: 1 }, attempts: { least: 1, most: 3 } });
  expect(JSON.stringify(view.places)).not.toContain('postgresql');
});

it('two who take one message are two branches, and a branch says how often it was crossed', () => {
  expect(place('archive').count).toEqual({ least: 1, most: 1 });
  expect(place('kitchen').count).toEqual({ least: 1, most: 2 });
  expect(place('archive').parent).toBe(place('kitchen').parent);
});

it('the root outlives its answer, so what goes on afterwards is beside the critical path', async () => {
  expect(view.path).toMatchObject({ how: 'one-clock', p95Ms: 40, verdict: 'fix-path', mark: 'over' });
  expect([place('desk').onPath, place('archive').onPath, place('kitchen').onPath]).toEqual([1, 0, 0]);
  expect(view.path.blame).toMatchObject({ kind: 'work', to: { service: 'desk' } });
  expect(view.path.reason).toContain('not the network is to blame, desk in kiel works for 50 % of the time');
  const { items } = await pathsView(context(), { ...range, limit: 10 });
  expect(items).toEqual([view.path]);
});
