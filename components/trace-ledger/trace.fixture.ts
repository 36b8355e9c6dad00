import type { LedgerLine, SpanItem, TraceView } from '#lib/views/schemas.ts';

const startedMs = Date.UTC(2026, 10, 21, 3, 11, 40, 120);
const traceId = '5e2b91c7d04e4f0fa1b2c3d4e5f64a0d';

const siteOf: Record<string, string> = {
  'kiosk-hannover': 'hannover',
  'gateway-dublin': 'dublin',
  'broker-dublin': 'dublin',
  'mcp-ashburn': 'ashburn',
  'mini-2-funabashi': 'funabashi',
};
const serviceOf: Record<string, string> = {
  'kiosk-hannover': 'kiosk',
  'gateway-dublin': 'gateway',
  'broker-dublin': '',
  'mcp-ashburn': 'mcp',
  'mini-2-funabashi': 'questdb-handler',
};

type Step = [
  kind: LedgerLine['kind'],
  from: string,
  to: string,
  ms: number,
  rawMs: number,
  boundMs: number,
  floorMs: number,
];

/** Lines one after the other: what the request went through, in order. */
export function ledgerOfSteps(steps: Step[], spanIds: string[][] = []): LedgerLine[] {
  let atMs = 0;
  let rawAtMs = 0;
  return steps.map(([kind, from, to, ms, rawMs, boundMs, floorMs], index) => {
    const line: LedgerLine = {
      kind,
      where: to === '' ? from : `${from} -> ${to}`,
      fromDevice: from,
      toDevice: to === '' ? from : to,
      fromSite: siteOf[from] ?? 'dublin',
      toSite: siteOf[to === '' ? from : to] ?? 'dublin',
      service: serviceOf[from] ?? from,
      rawMs,
      ms,
      boundMs,
      floorMs,
      startMs: atMs,
      endMs: atMs + ms,
      rawStartMs: rawAtMs,
      rawEndMs: rawAtMs + rawMs,
      spanIds: spanIds[index] ?? [],
      hopId: to === '' ? null : '5e11c0de00000001',
      // straight on from the broker, without a line of its own
      note: to.startsWith('broker') && steps[index + 1]?.[0] !== 'broker' ? 'uplink incl. broker' : '',
    };
    atMs += ms;
    rawAtMs += rawMs;
    return line;
  });
}

const k = 'kiosk-hannover';
const g = 'gateway-dublin';
const b = 'broker-dublin';
const m = 'mcp-ashburn';
const f = 'mini-2-funabashi';

const steps: Step[] = [
  ['processing', k, '', 1, 1, 0, 0],
  ['request', k, g, 9.7, 6.9, 4.2, 5.4],
  ['processing', g, '', 0.8, 0.8, 0, 0],
  ['request', g, m, 40.4, 28.6, 13.6, 27.3],
  ['processing', m, '', 1.6, 1.6, 0, 0],
  ['uplink', m, b, 40.5, 52.3, 13.6, 27.3],
  ['broker', b, '', 0.3, 0.3, 0, 0],
  ['downlink', b, f, 66.8, 107.9, 16.1, 48],
  ['processing', f, '', 24.4, 24.4, 0, 0],
  ['uplink', f, b, 66.8, 25.7, 16.1, 48],
  ['broker', b, '', 0.3, 0.3, 0, 0],
  ['downlink', b, m, 40.5, 28.7, 13.6, 27.3],
  ['processing', m, '', 1.3, 1.3, 0, 0],
  ['reply', m, g, 40.5, 52.3, 13.6, 27.3],
  ['processing', g, '', 0.4, 0.4, 0, 0],
  ['reply', g, k, 9.7, 12.5, 4.2, 5.4],
];

let spanNumber = 0;
export function span(change: Partial<SpanItem> & Pick<SpanItem, 'name' | 'device' | 'durationMs'>): SpanItem {
  spanNumber++;
  return {
    spanId: (0xa1b2c3d4e5f60000n + BigInt(spanNumber)).toString(16),
    parentSpanId: null,
    traceId,
    kind: 'internal',
    service: serviceOf[change.device] ?? 'service',
    site: siteOf[change.device] ?? 'dublin',
    application: 'data',
    startedAt: new Date(startedMs).toISOString(),
    rawStartMs: 0,
    startMs: 0,
    boundMs: 0,
    status: 'unset',
    statusMessage: '',
    attributes: {},
    resource: {
      'service.name': serviceOf[change.device] ?? 'service',
      'host.name': change.device,
      'telemetry.sdk.language': 'nodejs',
    },
    events: [],
    links: [],
    scope: '@opentelemetry/instrumentation-http',
    notes: [],
    ...change,
  };
}

const root = span({
  name: 'tools/call query_history',
  device: k,
  kind: 'client',
  durationMs: 345,
  attributes: { 'mcp.method.name': 'tools/call', 'http.request.method': 'POST' },
});
const gateway = span({
  name: 'POST /mcp',
  device: g,
  kind: 'server',
  parentSpanId: root.spanId,
  rawStartMs: 7.9,
  startMs: 10.7,
  boundMs: 4.2,
  durationMs: 323.8,
});
const forward = span({
  name: 'POST',
  device: g,
  kind: 'client',
  parentSpanId: gateway.spanId,
  rawStartMs: 8.7,
  startMs: 11.5,
  boundMs: 4.2,
  durationMs: 323.4,
});
const mcp = span({
  name: 'POST /mcp',
  device: m,
  kind: 'server',
  parentSpanId: forward.spanId,
  rawStartMs: 37.3,
  startMs: 51.9,
  boundMs: 13.6,
  durationMs: 242.5,
});
const ask = span({
  name: 'publish data/questdb/query',
  device: m,
  kind: 'producer',
  parentSpanId: mcp.spanId,
  rawStartMs: 38.9,
  startMs: 53.5,
  boundMs: 13.6,
  durationMs: 2.1,
  attributes: { 'messaging.system': 'mqtt', 'messaging.destination.name': 'data/questdb/query' },
});
const handle = span({
  name: 'process data/questdb/query',
  device: f,
  kind: 'consumer',
  parentSpanId: ask.spanId,
  rawStartMs: 199.4,
  startMs: 161.1,
  boundMs: 16.1,
  durationMs: 24.4,
  attributes: {
    'messaging.destination.name': 'data/questdb/query',
    'messaging.system': 'mqtt',
    'messaging.mqtt.qos': 1,
    'messaging.message.conversation_id': '9f3cb2',
    'db.system.name': 'questdb',
    rows: 8_640,
  },
  events: [
    {
      name: 'slow query',
      at: new Date(startedMs + 180).toISOString(),
      attributes: { 'db.query.text': 'SELECT * FROM history' },
    },
  ],
  notes: ['stamps are cut to whole milliseconds: ± 1 ms is in the bound'],
});
const select = span({
  name: 'SELECT',
  device: f,
  kind: 'client',
  parentSpanId: handle.spanId,
  rawStartMs: 200.6,
  startMs: 162.3,
  boundMs: 16.1,
  durationMs: 21.7,
});
const answer = span({
  name: 'publish data/questdb/reply',
  device: f,
  kind: 'producer',
  parentSpanId: handle.spanId,
  rawStartMs: 223.8,
  startMs: 185.5,
  boundMs: 16.1,
  durationMs: 1.2,
});
const receive = span({
  name: 'process data/questdb/reply',
  device: m,
  kind: 'consumer',
  parentSpanId: answer.spanId,
  rawStartMs: 278.5,
  startMs: 293.1,
  boundMs: 13.6,
  durationMs: 1.3,
});
const auditLog = span({
  name: 'audit log',
  device: m,
  kind: 'internal',
  parentSpanId: mcp.spanId,
  rawStartMs: 79.4,
  startMs: 94,
  boundMs: 13.6,
  durationMs: 8.2,
});

const lines = ledgerOfSteps(steps, [
  [root.spanId],
  [root.spanId, gateway.spanId],
  [gateway.spanId],
  [forward.spanId, mcp.spanId],
  [mcp.spanId],
  [ask.spanId],
  [],
  [ask.spanId, handle.spanId],
  [handle.spanId, select.spanId],
  [answer.spanId],
  [],
  [answer.spanId, receive.spanId],
  [receive.spanId],
  [mcp.spanId],
  [gateway.spanId],
  [root.spanId],
]);

const emptyTrace: TraceView = {
  traceId,
  rootName: 'tools/call query_history',
  application: 'data',
  startedAt: new Date(startedMs).toISOString(),
  totalMs: 345,
  rawTotalMs: 345,
  totalBoundMs: 0,
  oneClock: true,
  requesterDevice: k,
  budgetMs: 2_000,
  verdict: 'leave',
  mark: 'ok',
  sentence:
    '91 % of this request is distance. Moving questdb-handler to Dublin would save 134 ms of a 2 s budget. Leave it.',
  distanceShare: 0.91,
  kilometres: 43_190,
  spans: [],
  spansTotal: 0,
  crossings: [],
  ledger: [],
  offPath: [],
  criticalPath: [],
  sites: [
    { id: 'hannover', name: 'Hannover', lat: 52.37, lon: 9.73 },
    { id: 'dublin', name: 'Dublin', lat: 53.35, lon: -6.26 },
    { id: 'ashburn', name: 'Ashburn', lat: 39.04, lon: -77.49 },
    { id: 'funabashi', name: 'Funabashi', lat: 35.69, lon: 139.98 },
  ],
  passages: [],
  linked: [],
  notes: [],
};

export const queryHistory: TraceView = {
  ...emptyTrace,
  spans: [root, gateway, forward, mcp, ask, handle, select, answer, receive, auditLog],
  spansTotal: 10,
  ledger: lines,
  offPath: [
    {
      ...lines[4]!,
      service: 'audit log',
      ms: 8.2,
      rawMs: 8.2,
      startMs: 94,
      endMs: 102.2,
      rawStartMs: 79.4,
      rawEndMs: 87.6,
      spanIds: [auditLog.spanId],
    },
  ],
  criticalPath: [root, gateway, forward, mcp, ask, handle, answer, receive].map((each) => each.spanId),
  notes: ['mini-2-funabashi runs 41.1 ms ahead of the requester.'],
};

/** A clock 80 ms ahead: on the raw clocks the way back arrives before it left. */
export const clocksDisagree: TraceView = (() => {
  const ledger = ledgerOfSteps([
    ['processing', k, '', 1, 1, 0, 0],
    ['uplink', k, b, 11.2, 11.2, 4.2, 5.4],
    ['downlink', b, f, 66.8, 146.8, 16.1, 48],
    ['processing', f, '', 12, 12, 0, 0],
    ['uplink', f, b, 66.8, -13.2, 16.1, 48],
    ['downlink', b, k, 11.2, 11.2, 4.2, 5.4],
  ]);
  return {
    ...emptyTrace,
    rootName: 'wafer order',
    totalMs: 169,
    budgetMs: 100,
    verdict: 'cannot-tell',
    mark: 'cannot-tell',
    sentence: 'Cannot tell: 94 ± 38 ms straddles the budget of 100. Fix the clock on wafer-sf first.',
    ledger,
    spans: [root],
    spansTotal: 1,
  };
})();

/** A button, one way: it ends on another device. */
export const buttonPress: TraceView = {
  ...emptyTrace,
  rootName: 'button press',
  application: 'factory',
  totalMs: 51.9,
  totalBoundMs: 14.2,
  oneClock: false,
  budgetMs: 10,
  verdict: 'move',
  mark: 'over',
  sentence: 'Takes 51.9 ± 14 ms where 10 are allowed. Fibre alone needs 32.1 ms: only a shorter way helps.',
  ledger: ledgerOfSteps([
    ['processing', k, '', 0.6, 0.6, 0, 0],
    ['uplink', k, b, 9.9, 7.1, 4.1, 5.4],
    ['downlink', b, m, 40.4, 28.6, 14.2, 26.7],
    ['processing', m, '', 1, 1, 0, 0],
  ]),
  spans: [{ ...root, name: 'button press', durationMs: 0.9 }],
  spansTotal: 1,
};

/** One message, many who listen: the one that ends last is the path, the rest stands beside it. */
export const fanOut: TraceView = (() => {
  const ledger = ledgerOfSteps([
    ['processing', k, '', 2, 2, 0, 0],
    ['uplink', k, b, 10, 10, 4.1, 5.4],
    ['downlink', b, 'andon-12', 30, 30, 9, 12],
    ['processing', 'andon-12', '', 8, 8, 0, 0],
  ]);
  const offPath = Array.from({ length: 30 }, (_, index) => {
    const [way, work] = ledgerOfSteps([
      ['downlink', b, `andon-${index + 13}`, 6 + index * 0.7, 6 + index * 0.7, 3, 2],
      ['processing', `andon-${index + 13}`, '', 4, 4, 0, 0],
    ]);
    const shift = (line: LedgerLine): LedgerLine => ({
      ...line,
      startMs: line.startMs + 12,
      endMs: line.endMs + 12,
      rawStartMs: line.rawStartMs + 12,
      rawEndMs: line.rawEndMs + 12,
      fromSite: line.fromDevice.startsWith('andon') ? `site-${index % 3}` : line.fromSite,
      toSite: line.toDevice.startsWith('andon') ? `site-${index % 3}` : line.toSite,
    });
    return [shift(way!), shift(work!)];
  }).flat();
  return {
    ...emptyTrace,
    rootName: 'line status',
    totalMs: 50,
    budgetMs: null,
    sentence: '31 devices listen. The slowest answers after 50.0 ms.',
    ledger,
    offPath,
    spans: [root],
    spansTotal: 64,
  };
})();

export const singleSpan: TraceView = {
  ...emptyTrace,
  rootName: 'nightly <script>alert(1)</script> & report',
  totalMs: 12_431.7,
  budgetMs: null,
  verdict: 'no-data',
  mark: 'no-data',
  sentence: 'One span on one device: there is no hop to judge.',
  ledger: ledgerOfSteps([['processing', k, '', 12_431.7, 12_431.7, 0, 0]], [['00000000000000aa']]),
  spans: [
    span({
      name: 'nightly <script>alert(1)</script> & report',
      spanId: '00000000000000aa',
      device: k,
      durationMs: 12_431.7,
      status: 'error',
      statusMessage: 'disk full "/data"',
      attributes: { 'user.agent': '"><img src=x onerror=alert(1)>', list: ['a', 1, null], nested: { deep: true } },
    }),
  ],
  spansTotal: 1,
};

export const rootMissing: TraceView = {
  ...queryHistory,
  rootName: '',
  requesterDevice: '',
  oneClock: false,
  totalBoundMs: null,
  verdict: 'no-data',
  mark: 'no-data',
  budgetMs: null,
  sentence: 'The root of this trace has not arrived. What is here begins at gateway-dublin.',
  spans: queryHistory.spans.slice(1),
  notes: ['The parent of POST /mcp is missing: it was not sampled, or it is late.'],
  linked: [{ traceId: 'aaaabbbbccccddddaaaabbbbccccdddd', direction: 'from', rootName: 'shift report' }],
};

/** Thousands of database calls in a row. */
export function manySpans(count: number): TraceView {
  const top = span({ name: 'GET /report', device: g, kind: 'server', durationMs: count });
  const calls = Array.from({ length: count - 1 }, (_, index) =>
    span({
      name: `SELECT ${index + 1}`,
      device: index % 2 ? g : m,
      kind: 'client',
      parentSpanId: top.spanId,
      startMs: index,
      rawStartMs: index,
      durationMs: 0.8,
      status: index % 97 === 0 ? 'error' : 'unset',
    }),
  );
  return {
    ...emptyTrace,
    rootName: 'GET /report',
    totalMs: count,
    sentence: `${count - 1} database calls, one after the other.`,
    ledger: ledgerOfSteps(
      Array.from(
        { length: Math.min(1_200, count) },
        (_, index): Step =>
          index % 4 === 1
            ? ['request', g, m, 1, 1, 0, 0.5]
            : index % 4 === 3
              ? ['reply', m, g, 1, 1, 0, 0.5]
              : ['processing', index % 4 === 2 ? m : g, '', count / 600 - 1, count / 600 - 1, 0, 0],
      ),
    ),
    spans: [top, ...calls],
    spansTotal: count,
  };
}
