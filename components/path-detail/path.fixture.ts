import { pathIdOf } from '#lib/domain/request-path.ts';
import type { PathPartItem, PathsView, PathView, RequestPathItem } from '#lib/views/schemas.ts';
import { lastHour, movedMs } from '../hop-detail/hop.fixture.ts';

const minuteMs = 60_000;
const button = { service: 'line-button', site: 'hannover' };
const away = { service: 'factory-events', site: 'ashburn' };
const home = { service: 'factory-events', site: 'hannover' };
const restricted = { service: 'restricted', site: 'restricted' };

const hop = (hopId: string, from: PathPartItem['from'], to: PathPartItem['to'], ms: number): PathPartItem => ({
  kind: 'hop',
  hopId,
  from,
  to,
  ms,
  share: ms / 105,
});
const work = (at: PathPartItem['to'], ms: number): PathPartItem => ({
  kind: 'work',
  hopId: null,
  from: at,
  to: at,
  ms,
  share: ms / 105,
});

const spark = (values: (number | null)[]) => ({ fromMs: lastHour.fromMs, stepMs: minuteMs, values });
const there = '5e11c0de00000001';
const back = '5e11c0de00000002';

/** 02:41: factory-events went from Hannover to Ashburn. */
export const pressPath: RequestPathItem = {
  id: pathIdOf({ rootName: 'button press', application: 'factory' }),
  name: 'button press',
  application: 'factory',
  service: 'line-button',
  count: 744,
  errors: 2,
  p50Ms: 105,
  p95Ms: 112,
  boundMs: 0,
  how: 'one-clock',
  floorMs: 64.1,
  budgetMs: 10,
  budgetFrom: 'path "button press"',
  verdict: 'move',
  mark: 'over',
  moveWhat: 'workload',
  reason: 'Fibre alone takes 64.1 ms of a 10 ms budget between Hannover and Ashburn: move factory-events to Hannover.',
  blame: hop(there, button, away, 50.3),
  looked: 80,
  variants: 2,
  parts: [work(button, 1.5), hop(there, button, away, 50.3), work(away, 2.9), hop(back, away, button, 50.3)],
  services: ['factory-events', 'line-button'],
  sites: ['ashburn', 'hannover'],
  spark: spark([4, 4, 4, 105, 105, null, 105]),
};

const path = (name: string, application: string, change: Partial<RequestPathItem>): RequestPathItem => ({
  ...pressPath,
  id: pathIdOf({ rootName: name, application }),
  name,
  application,
  errors: 0,
  moveWhat: null,
  blame: null,
  variants: 1,
  ...change,
});

const kiosk = { service: 'agent-console', site: 'hannover' };
const history = path('tools/call query_history', 'data', {
  service: 'agent-console',
  count: 120,
  p50Ms: 345,
  p95Ms: 352,
  floorMs: 289.4,
  budgetMs: 2000,
  budgetFrom: 'path "tools/call *"',
  verdict: 'leave',
  mark: 'ok',
  reason: 'Takes 352 ms of a 2 s budget, of which fibre alone needs 289 ms: leave it.',
  parts: [work(kiosk, 5), hop('5e11c0de00000003', kiosk, { service: 'mcp-gateway', site: 'dublin' }, 100)],
  services: ['agent-console', 'mcp-gateway'],
  sites: ['dublin', 'hannover'],
});
const order = path('wafer order', 'wafer', {
  count: 60,
  p50Ms: 90,
  p95Ms: 94,
  boundMs: 38,
  how: 'one-way',
  floorMs: 66.9,
  budgetMs: 100,
  budgetFrom: 'path "wafer order"',
  verdict: 'cannot-tell',
  mark: 'cannot-tell',
  reason: 'Takes 94.0 ± 38 ms, and the budget of 100 ms lies within that range: tie the clocks closer.',
});
const frame = path('camera snapshot', 'vision', {
  count: 600,
  p50Ms: 40,
  p95Ms: 52,
  boundMs: null,
  how: 'one-way',
  floorMs: 26.8,
  budgetMs: null,
  budgetFrom: null,
  verdict: 'leave',
  mark: 'ok',
  reason: 'Takes 52.0 ms end to end as the clocks stand, and nobody set a budget for it: nothing to break.',
  parts: [{ kind: 'hop', hopId: null, from: restricted, to: restricted, ms: 30, share: 1 }],
  services: ['camera'],
  sites: ['dublin'],
});

export const pathsStory: PathsView = {
  range: lastHour,
  items: [frame, pressPath, order, history],
  total: 4,
  emptyReason: null,
};

export const noPaths: PathsView = {
  range: lastHour,
  items: [],
  total: 0,
  emptyReason: 'No paths yet: no span has arrived. Send OTLP to port 4318.',
};

type Place = PathView['places'][number];
const once = { least: 1, most: 1 };
const root: Place = {
  at: 0,
  parent: null,
  depth: 0,
  hopId: null,
  from: button,
  to: button,
  system: '',
  destination: '',
  count: once,
  attempts: once,
  addedMs: { p50: null, p95: null },
  boundMs: 0,
  floorMs: 0,
  wayMs: 0,
  workMs: 1.5,
  wayShare: 0,
  workShare: 0.014,
  onPath: 1,
  mark: null,
};

const variant = (id: string, change: Partial<PathView['variants'][number]>): PathView['variants'][number] => ({
  id,
  requests: 40,
  root: button,
  ends: [button, away],
  hops: 2,
  firstAt: new Date(movedMs).toISOString(),
  lastAt: lastHour.to,
  p50Ms: 105,
  p95Ms: 112,
  boundMs: 0,
  floorMs: 64.1,
  mark: 'over',
  ...change,
});

export const pressView: PathView = {
  range: lastHour,
  path: pressPath,
  variants: [
    variant('aaaa000000000001', { requests: 60 }),
    variant('aaaa000000000002', {
      requests: 20,
      ends: [button, home],
      firstAt: lastHour.from,
      lastAt: new Date(movedMs - minuteMs).toISOString(),
      p50Ms: 4,
      p95Ms: 4.4,
      floorMs: 0,
      mark: 'ok',
    }),
  ],
  variantId: 'aaaa000000000001',
  places: [
    root,
    {
      ...root,
      at: 1,
      parent: 0,
      depth: 1,
      hopId: there,
      to: away,
      system: 'mqtt',
      destination: 'factory/hannover/button/start',
      attempts: { least: 1, most: 3 },
      addedMs: { p50: 50.3, p95: 53.8 },
      boundMs: 14.2,
      floorMs: 32.1,
      wayMs: 50.3,
      workMs: 2.9,
      wayShare: 0.479,
      workShare: 0.028,
      mark: 'over',
    },
    {
      ...root,
      at: 2,
      parent: 1,
      depth: 2,
      hopId: back,
      from: away,
      to: button,
      system: 'mqtt',
      destination: 'factory/hannover/andon/set',
      addedMs: { p50: 50.3, p95: 53.8 },
      boundMs: null,
      floorMs: 32.1,
      wayMs: 50.3,
      workMs: 0,
      wayShare: 0.479,
      workShare: 0,
      mark: 'over',
    },
    {
      ...root,
      at: 3,
      parent: 1,
      depth: 2,
      from: restricted,
      to: restricted,
      count: { least: 1, most: 3 },
      attempts: { least: 1, most: 3 },
      addedMs: { p50: 12, p95: 13 },
      workMs: 0,
      workShare: 0,
      onPath: 0,
    },
  ],
  series: Array.from({ length: 60 }, (_, i) => {
    const timeMs = lastHour.fromMs + i * minuteMs;
    const moved = timeMs >= movedMs;
    return { timeMs, count: 12, errors: 0, p50Ms: moved ? 105 : 4, p95Ms: moved ? 112 : 4.4 };
  }),
  examples: [
    {
      traceId: '8c1f00000000000000000000000000e07a',
      startedAt: new Date(lastHour.toMs - 2_000).toISOString(),
      why: 'median',
      totalMs: 105.2,
      boundMs: 0,
      variantId: 'aaaa000000000001',
      mark: 'over',
    },
    {
      traceId: 'b3e5000000000000000000000000077d9',
      startedAt: new Date(movedMs - minuteMs).toISOString(),
      why: 'fastest',
      totalMs: 4,
      boundMs: 0,
      variantId: 'aaaa000000000002',
      mark: 'ok',
    },
  ],
};
