import type { HopItem, HopsView, HopView, RangeView } from '#lib/views/schemas.ts';

/** The story of the mockups: now = 21 Nov 2026 03:12 UTC, snapshot v42 at 02:41. */
export const storyNowMs = Date.UTC(2026, 10, 21, 3, 12);
const minuteMs = 60_000;
export const movedMs = Date.UTC(2026, 10, 21, 2, 41);

export const lastHour: RangeView = {
  from: new Date(storyNowMs - 60 * minuteMs).toISOString(),
  to: new Date(storyNowMs).toISOString(),
  fromMs: storyNowMs - 60 * minuteMs,
  toMs: storyNowMs,
  fromText: 'now-1h',
  toText: 'now',
  live: true,
};

export const buttonHop: HopItem = {
  id: '5e11c0de00000001',
  from: { service: 'line-button', site: 'hannover', application: 'factory' },
  to: { service: 'factory-events', site: 'ashburn', application: 'factory' },
  via: { system: 'mqtt', destination: 'factory/hannover/button/start' },
  count: 744,
  requests: 744,
  errors: 0,
  unanswered: 0,
  addedMs: { p50: 50.3, p95: 53.8, p99: 88.2, mean: 51.4, max: 116.2 },
  rawMs: { p50: 35.7 },
  boundMs: 14.2,
  clock: 'bounded',
  floorMs: 32.1,
  directFloorMs: 31.3,
  overFloorMs: 18.2,
  baselineMs: 0.9,
  budgetMs: 10,
  budgetFrom: 'path "button press": 10 ms end to end',
  hiMs: 68,
  loMs: 39.6,
  legsMs: {
    uplink: 9.9,
    uplinkBound: 4.1,
    uplinkFloor: 5.3,
    broker: null,
    downlink: 40.4,
    downlinkBound: 14.2,
    downlinkFloor: 26.8,
    brokerName: 'broker-dublin',
    brokerSite: 'dublin',
  },
  verdict: 'move',
  mark: 'over',
  moveWhat: 'workload',
  reason:
    'Takes 50.3 ± 14 ms where the whole path may take 10. Fibre alone needs 32.1 ms over this way, so no tuning in Ashburn can fix it.',
  paths: ['button press'],
  live: { verdict: 'move', since: '2026-11-21T02:41:30.000Z', sinceMs: Date.parse('2026-11-21T02:41:30Z') },
};

function hop(id: number, change: Partial<HopItem>): HopItem {
  const item = { ...buttonHop, live: null, id: id.toString(16).padStart(16, '0'), ...change };
  const { p95 } = item.addedMs;
  if (p95 === null) return { ...item, hiMs: null, loMs: null };
  return {
    ...item,
    hiMs: item.boundMs === null ? null : p95 + item.boundMs,
    loMs: Math.max(p95 - (item.boundMs ?? Number.POSITIVE_INFINITY), item.floorMs),
  };
}

export const inspectHop = hop(2, {
  from: { service: 'wafer-inspect', site: 'san-francisco', application: 'factory' },
  to: { service: 'vision', site: 'funabashi', application: 'vision' },
  via: { system: 'http', destination: 'POST /inspect' },
  count: 212,
  requests: 212,
  errors: 1,
  addedMs: { p50: 126.6, p95: 131.3, p99: 140, mean: 127, max: 162 },
  rawMs: { p50: 126.6 },
  boundMs: 0,
  clock: 'round-trip',
  floorMs: 81,
  directFloorMs: 81,
  overFloorMs: 45.6,
  baselineMs: 121.9,
  budgetMs: 1_500,
  budgetFrom: 'path "wafer inspect"',
  legsMs: null,
  verdict: 'leave',
  mark: 'noticeable',
  moveWhat: null,
  reason: 'Leave it. The carrier path got 4.7 ms longer; 127 ms of 1.5 s used.',
  paths: ['wafer inspect'],
});

export const orderHop = hop(3, {
  from: { service: 'wafer-order', site: 'san-francisco', application: 'factory' },
  to: { service: 'erp', site: 'ashburn', application: 'erp' },
  via: { system: 'mqtt', destination: 'erp/orders/+' },
  count: 96,
  requests: 96,
  addedMs: { p50: 88, p95: 94, p99: 99, mean: 88.4, max: 101 },
  rawMs: { p50: 341.2 },
  boundMs: 38,
  clock: 'bounded',
  floorMs: 66.9,
  directFloorMs: 18.9,
  overFloorMs: 21.1,
  baselineMs: null,
  budgetMs: 100,
  budgetFrom: 'topic erp/orders/#',
  legsMs: {
    uplink: 41.2,
    uplinkBound: 36.4,
    uplinkFloor: 40.1,
    broker: null,
    downlink: 46.8,
    downlinkBound: 14.8,
    downlinkFloor: 26.8,
    brokerName: 'broker-dublin',
    brokerSite: 'dublin',
  },
  verdict: 'cannot-tell',
  mark: 'cannot-tell',
  moveWhat: null,
  reason: 'Cannot tell: 94 ± 38 ms straddles the budget of 100. Fix the clock on wafer-sf first.',
  paths: ['wafer order'],
});

export const hopsStory: HopsView = {
  range: lastHour,
  items: [
    hop(4, {
      from: { service: 'factory-events', site: 'ashburn', application: 'factory' },
      to: { service: 'andon', site: 'hannover', application: 'factory' },
      via: { system: 'mqtt', destination: 'factory/hannover/andon/set' },
      addedMs: { p50: 51.2, p95: 55.1, p99: 90, mean: 52, max: 119 },
      overFloorMs: 19.1,
      reason: 'Takes 51.2 ± 14 ms where the whole path may take 10. Fibre alone needs 32.1 ms.',
    }),
    buttonHop,
    inspectHop,
    orderHop,
    hop(5, {
      from: { service: 'mcp', site: 'ashburn', application: 'data' },
      to: { service: 'questdb-handler', site: 'funabashi', application: 'data' },
      via: { system: 'mqtt', destination: 'data/questdb/query' },
      count: 1_204,
      requests: 1_204,
      errors: 2,
      addedMs: { p50: 107.3, p95: 112.6, p99: 131, mean: 108, max: 180 },
      boundMs: 14.9,
      floorMs: 75.4,
      directFloorMs: 53.2,
      overFloorMs: 31.9,
      baselineMs: 106.9,
      budgetMs: 2_000,
      budgetFrom: 'path "tools/call query_history"',
      verdict: 'leave',
      mark: 'ok',
      moveWhat: null,
      reason: '108 ms of a 2 s budget. Leave it.',
      paths: ['tools/call query_history'],
    }),
    hop(6, {
      from: { service: 'rio', site: 'hannover', application: 'factory' },
      to: { service: 'historian', site: 'hannover', application: 'factory' },
      via: { system: 'mqtt', destination: 'factory/hannover/rio/+/io' },
      count: 288_000,
      requests: 288_000,
      addedMs: { p50: 0.9, p95: 1.6, p99: 3.1, mean: 1, max: 9.4 },
      boundMs: 0.3,
      floorMs: 0,
      directFloorMs: 0,
      overFloorMs: 0.9,
      baselineMs: 0.9,
      budgetMs: 50,
      budgetFrom: 'default',
      legsMs: {
        uplink: 0.4,
        uplinkBound: 0.2,
        uplinkFloor: 0,
        broker: 0.1,
        downlink: 0.4,
        downlinkBound: 0.2,
        downlinkFloor: 0,
        brokerName: 'booth-hannover',
        brokerSite: 'hannover',
      },
      verdict: 'leave',
      mark: 'ok',
      moveWhat: null,
      reason: '1.6 ms of 50. Leave it.',
      paths: [],
    }),
    hop(7, {
      from: { service: 'sim', site: 'san-francisco', application: 'factory' },
      to: { service: 'debug-tap', site: 'dublin', application: 'factory' },
      via: { system: 'mqtt', destination: 'factory/sf/sim/debug' },
      count: 31,
      requests: 31,
      unanswered: 31,
      addedMs: { p50: null, p95: null, p99: null, mean: null, max: null },
      rawMs: { p50: null },
      boundMs: null,
      clock: null,
      floorMs: 40.1,
      directFloorMs: 40.1,
      overFloorMs: null,
      baselineMs: 60.4,
      budgetMs: 80.2,
      budgetFrom: 'default, twice the floor',
      legsMs: null,
      verdict: 'unanswered',
      mark: 'over',
      moveWhat: null,
      reason: 'Nobody answered 31 of 31 requests since 02:58; debug-tap in Dublin did before.',
      paths: ['sim debug'],
    }),
    hop(8, {
      from: { service: 'kiosk', site: 'san-francisco', application: 'data' },
      to: { service: 'gateway', site: 'dublin', application: 'data' },
      via: { system: 'http', destination: 'POST /mcp' },
      count: 0,
      requests: 0,
      addedMs: { p50: null, p95: null, p99: null, mean: null, max: null },
      rawMs: { p50: null },
      boundMs: null,
      clock: null,
      floorMs: 80.2,
      directFloorMs: 80.2,
      overFloorMs: null,
      baselineMs: null,
      budgetMs: 2_000,
      budgetFrom: 'service mcp',
      legsMs: null,
      verdict: 'no-data',
      mark: 'no-data',
      moveWhat: null,
      reason: 'No request crossed in this range.',
      paths: [],
    }),
  ],
  emptyReason: null,
};

export const noHops: HopsView = {
  range: lastHour,
  items: [],
  emptyReason: 'No hops yet: rio-hannover-1 publishes MQTT 3.1.1, so there is no trace context. Switch it to v5.',
};

/** Numbers that look like noise and are the same on every run. */
const noise = (seed: number): number => {
  const value = Math.sin(seed * 12.9898) * 43_758.5453;
  return value - Math.floor(value);
};

export function hopStory(item: HopItem = buttonHop): HopView {
  const edgesMs = Array.from({ length: 40 }, (_, index) => 0.4 * 2 ** (index / 4));
  const rowOf = (ms: number) =>
    Math.max(
      0,
      edgesMs.findLastIndex((edge) => edge <= ms),
    );
  const series: HopView['series'] = [];
  const cells: HopView['heat']['cells'] = [];
  const moves = item === buttonHop;
  for (let minute = 0; minute < 60; minute++) {
    const timeMs = lastHour.fromMs + minute * minuteMs;
    const before = moves && timeMs < movedMs;
    // two minutes in which nothing came: a gap, not a zero
    if (minute === 44 || minute === 45) {
      series.push({ timeMs, count: 0, errors: 0, p50Ms: null, p95Ms: null, boundMs: null, floorMs: item.floorMs });
      continue;
    }
    const level = before ? 0.9 : (item.addedMs.p50 ?? 0);
    const p50Ms = level * (0.97 + noise(minute) * 0.06 + (before ? noise(minute + 7) * 0.25 - 0.12 : 0));
    const p95Ms = before ? 1.5 + noise(minute + 3) * 0.5 : p50Ms * 1.06 + noise(minute + 5);
    series.push({
      timeMs,
      count: 12,
      errors: 0,
      p50Ms,
      p95Ms,
      boundMs: before ? 0.2 : (item.boundMs ?? 0),
      floorMs: before ? 0 : item.floorMs,
    });
    const counts = new Map<number, number>();
    for (let index = 0; index < 12; index++) {
      const spread = noise(minute * 31 + index);
      const value = before
        ? 0.5 + spread * 1.1 + (spread > 0.97 ? 3 : 0)
        : p50Ms * (0.97 + spread * 0.09) + (spread > 0.985 ? 70 : 0);
      const row = rowOf(value);
      counts.set(row, (counts.get(row) ?? 0) + 1);
    }
    for (const [row, count] of counts) cells.push({ timeMs, row, count });
  }
  const example = (
    at: string,
    traceId: string,
    why: string,
    uplinkMs: number | null,
    downlinkMs: number | null,
    addedMs: number,
    mark: HopView['examples'][number]['mark'] = 'over',
  ): HopView['examples'][number] => ({
    requestMs: addedMs * 2.1,
    traceId: traceId.padEnd(32, '0').slice(0, 28) + traceId.slice(-4),
    calleeTraceId: traceId,
    callerSpanId: '00f067aa0ba902b7',
    calleeSpanId: `00f067aa0ba9${traceId.slice(0, 4)}`,
    startedAt: `2026-11-21T${at}.000Z`,
    why,
    rawMs: addedMs - 14.6,
    addedMs,
    boundMs: mark === 'ok' ? 0.2 : item.boundMs,
    clock: 'bounded',
    uplinkMs,
    downlinkMs,
    error: false,
    callerDevice: 'rio-hannover-1',
    calleeDevice: mark === 'ok' ? 'booth-hannover' : 'site-ashburn',
    mark,
  });
  return {
    range: lastHour,
    hop: item,
    series,
    heat: { stepMs: minuteMs, edgesMs, cells },
    examples: [
      example('03:11:58', '8c1f22b0e07a', 'typical', 9.9, 40.4, 50.3),
      example('03:10:21', '41d0aa9193bc', 'slowest in range', 10.1, 106.1, 116.2),
      example('03:06:44', 'e97b0c3110f2', 'fastest since v42', 9.7, 39.6, 49.3),
      example('02:52:09', '07aa92f0c41d', 'median at 02:52', 10.3, 40.7, 51),
      example('02:40:47', 'b3e5127777d9', 'last before the change', 0.4, 0.4, 0.8, 'ok'),
    ],
    clocks: [
      { pair: 'rio-hannover-1 : broker', offsetMs: 2.8, boundMs: 4.1, label: 'bounded', crossings: 744 },
      { pair: 'site-ashburn : broker', offsetMs: -11.8, boundMs: 13.6, label: 'bounded', crossings: 372 },
    ],
    changes: moves
      ? [
          {
            timeMs: movedMs,
            text: 'snapshot v42: factory-events moved from booth-hannover to site-ashburn; p50 0.9 → 50.3 ms',
          },
        ]
      : [],
  };
}
