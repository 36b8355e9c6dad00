import * as z from 'zod';

/**
 * The shapes of every answer, the one contract of pages, API handlers, OpenAPI file and tests.
 * Durations are milliseconds and end in Ms; cpu and memory are 0..1; null = absent, which is not 0 (design.md section 12).
 */

const ms = z.number();
const count = z.number().int().nonnegative();
/** RFC 3339, UTC */
const instant = z.string();

export const markSchema = z.enum(['ok', 'noticeable', 'over', 'cannot-tell', 'no-data']);
export const verdictSchema = z.enum(['leave', 'move', 'fix-path', 'unanswered', 'cannot-tell', 'no-data']);
export const clockLabelSchema = z.enum([
  'same-clock',
  'round-trip',
  'bounded',
  'assumed',
  'clock-wrong',
  'overlap',
  'contradiction',
]);
export const deviceStateSchema = z.enum(['up', 'degraded', 'down', 'unknown', 'retired']);

export const rangeSchema = z.object({
  from: instant,
  to: instant,
  fromMs: z.number(),
  toMs: z.number(),
  /** as the person asked for it: now-15m, 2026-11-21T03:12:00Z, ... */
  fromText: z.string(),
  toText: z.string(),
  /** true while `to` moves with the clock */
  live: z.boolean(),
});

const placeSchema = z.object({ service: z.string(), site: z.string(), application: z.string() });

/** One value per step of the range, null where nothing was heard: never joined across. */
export const sparkSchema = z.object({ fromMs: z.number(), stepMs: z.number(), values: z.array(z.number().nullable()) });

export const hopItemSchema = z.object({
  id: z.string().describe('16 hex digits, stable over restarts'),
  from: placeSchema,
  to: placeSchema,
  via: z.object({ system: z.string(), destination: z.string() }),
  count: count.describe('crossings'),
  requests: count,
  errors: count,
  unanswered: count,
  addedMs: z.object({
    p50: ms.nullable(),
    p95: ms.nullable(),
    p99: ms.nullable(),
    mean: ms.nullable(),
    max: ms.nullable(),
  }),
  rawMs: z.object({ p50: ms.nullable() }),
  boundMs: ms.nullable().describe('+/- of the figures; null: an open interval, cannot be bounded'),
  clock: clockLabelSchema
    .nullable()
    .describe('how the two clocks were brought together, the weakest label that covers over 5 %'),
  floorMs: ms.describe('light in fibre, through the broker where one is witnessed'),
  directFloorMs: ms,
  overFloorMs: ms.nullable().describe('p50 minus floor: shown, never judged'),
  baselineMs: ms.nullable().describe('median of the window before'),
  budgetMs: ms,
  budgetFrom: z.string().describe('which rule gave the budget, in words'),
  hiMs: ms.nullable().describe('p95 plus its bound: with loMs what the verdict rests on; null where the bound is open'),
  loMs: ms.nullable().describe('p95 less its bound, not below the floor; the floor itself where the bound is open'),
  legsMs: z
    .object({
      uplink: ms.nullable(),
      uplinkBound: ms.nullable(),
      uplinkFloor: ms.nullable().describe('light in fibre from the sender to the broker; null: a place is not known'),
      broker: ms.nullable(),
      downlink: ms.nullable(),
      downlinkBound: ms.nullable(),
      downlinkFloor: ms.nullable(),
      brokerName: z.string(),
      brokerSite: z.string(),
    })
    .nullable(),
  verdict: verdictSchema,
  mark: markSchema,
  moveWhat: z.enum(['broker', 'workload']).nullable(),
  reason: z.string().describe('the sentence shown to people'),
  paths: z.array(z.string()).describe('root span names of the requests that cross this hop'),
  live: z
    .object({
      verdict: verdictSchema,
      since: instant.describe('when what it tells began, to ten seconds'),
      sinceMs: z.number(),
    })
    .nullable()
    .describe('the verdict as it stands now, whatever the range: every 10 s, with hysteresis; null: never judged'),
});

export const hopsViewSchema = z.object({
  range: rangeSchema,
  items: z.array(hopItemSchema),
  emptyReason: z.string().nullable(),
});

export const crossingItemSchema = z.object({
  traceId: z.string(),
  calleeTraceId: z.string(),
  callerSpanId: z.string(),
  calleeSpanId: z.string(),
  startedAt: instant,
  /** typical, slowest in range, fastest in range, last before the change, ... */
  why: z.string(),
  rawMs: ms,
  addedMs: ms.nullable(),
  boundMs: ms.nullable(),
  clock: clockLabelSchema,
  uplinkMs: ms.nullable(),
  downlinkMs: ms.nullable(),
  error: z.boolean(),
  callerDevice: z.string(),
  calleeDevice: z.string(),
  mark: markSchema,
});

export const hopViewSchema = z.object({
  range: rangeSchema,
  hop: hopItemSchema,
  series: z.array(
    z.object({
      timeMs: z.number(),
      count,
      errors: count,
      p50Ms: ms.nullable(),
      p95Ms: ms.nullable(),
      boundMs: ms.nullable(),
      floorMs: ms,
    }),
  ),
  /** cells of the heat map: one column a step, log buckets folded to a few per doubling */
  heat: z.object({
    stepMs: z.number(),
    /** lower edges in ms, ascending; the last entry closes the last row */
    edgesMs: z.array(ms),
    cells: z.array(z.object({ timeMs: z.number(), row: z.number().int(), count })),
  }),
  examples: z.array(
    crossingItemSchema.extend({
      requestMs: ms
        .nullable()
        .describe(
          'how long the whole request took; null: its root has not arrived, is hidden, or did not wait for the answer',
        ),
    }),
  ),
  clocks: z.array(
    z.object({
      pair: z.string(),
      offsetMs: ms.nullable(),
      boundMs: ms.nullable(),
      label: clockLabelSchema,
      crossings: count,
    }),
  ),
  /** points at which the hop's own level changed, oldest first */
  changes: z.array(z.object({ timeMs: z.number(), text: z.string() })),
});

export const traceItemSchema = z.object({
  traceId: z.string(),
  startedAt: instant,
  durationMs: ms,
  rootName: z.string(),
  rootService: z.string(),
  site: z.string(),
  application: z.string(),
  hasRoot: z.boolean(),
  spans: count,
  errors: count,
});

export const tracesViewSchema = z.object({
  range: rangeSchema,
  items: z.array(traceItemSchema),
  /** give it back as ?cursor= for the next page; null at the end */
  nextCursor: z.string().nullable(),
  services: z.array(z.string()),
  rootNames: z.array(z.string()),
  emptyReason: z.string().nullable(),
});

const attributeValue: z.ZodType = z.lazy(() =>
  z.union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    z.array(attributeValue),
    z.record(z.string(), attributeValue),
  ]),
);

export const spanItemSchema = z.object({
  spanId: z.string(),
  parentSpanId: z.string().nullable(),
  traceId: z.string(),
  name: z.string(),
  kind: z.enum(['unspecified', 'internal', 'server', 'client', 'producer', 'consumer']),
  service: z.string(),
  site: z.string(),
  device: z.string(),
  application: z.string(),
  /** on the sender's clock */
  startedAt: instant,
  /** offset from the root's start on the requester's clock; raw as sent, corrected where the clocks allow */
  rawStartMs: ms,
  startMs: ms.nullable(),
  boundMs: ms.nullable(),
  durationMs: ms,
  status: z.enum(['unset', 'ok', 'error']),
  statusMessage: z.string(),
  attributes: z.record(z.string(), attributeValue),
  resource: z.record(z.string(), attributeValue),
  events: z.array(z.object({ name: z.string(), at: instant, attributes: z.record(z.string(), attributeValue) })),
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })),
  scope: z.string(),
  /** marks to show: cut value, millisecond grain, parent missing, ends after its parent ... in words */
  notes: z.array(z.string()),
});

export const ledgerLineSchema = z.object({
  kind: z.enum(['processing', 'uplink', 'broker', 'downlink', 'request', 'reply', 'wait', 'unknown']),
  /** device, or "from -> to" devices for a stretch of network */
  where: z.string(),
  fromDevice: z.string(),
  toDevice: z.string(),
  fromSite: z.string(),
  toSite: z.string(),
  service: z.string(),
  rawMs: ms,
  ms: ms,
  boundMs: ms.nullable(),
  floorMs: ms.nullable(),
  /** from the root's start on the requester's clock */
  startMs: ms,
  endMs: ms,
  rawStartMs: ms,
  rawEndMs: ms,
  spanIds: z.array(z.string()),
  hopId: z.string().nullable(),
  note: z.string().describe('what is derived and not measured, or what stands behind the line; empty otherwise'),
});

export const traceViewSchema = z.object({
  traceId: z.string(),
  rootName: z.string(),
  application: z.string(),
  startedAt: instant,
  /** root start to root end, or to the last callee on the critical path */
  totalMs: ms,
  rawTotalMs: ms.describe('the same by the stamps as they were sent: another figure where the end is on another clock'),
  totalBoundMs: ms.nullable(),
  /** sent and answered on one clock, so the total carries no error */
  oneClock: z.boolean(),
  requesterDevice: z.string(),
  budgetMs: ms.nullable(),
  verdict: verdictSchema,
  mark: markSchema,
  /** first sentence(s) under the title */
  sentence: z.string(),
  distanceShare: z.number().nullable().describe('share of the total that is network, 0..1'),
  kilometres: z.number().nullable(),
  spans: z.array(spanItemSchema),
  spansTotal: count,
  crossings: z.array(
    crossingItemSchema.omit({ why: true, startedAt: true, mark: true }).extend({
      hopId: z.string(),
      message: z.boolean(),
      linked: z.boolean(),
      broker: z.string(),
      system: z.string(),
      destination: z.string(),
      offsetMs: ms.nullable(),
      floorMs: ms,
      fromSite: z.string(),
      toSite: z.string(),
    }),
  ),
  /** `ms` sums to totalMs, `rawMs` to rawTotalMs, each within 1 microsecond */
  ledger: z.array(ledgerLineSchema),
  /** off the critical path: shown pale */
  offPath: z.array(ledgerLineSchema),
  criticalPath: z.array(z.string()).describe('span ids, in order'),
  sites: z.array(
    z.object({ id: z.string(), name: z.string(), lat: z.number().nullable(), lon: z.number().nullable() }),
  ),
  linked: z.array(
    z.object({
      traceId: z.string(),
      direction: z.enum(['to', 'from']),
      rootName: z.string().describe('empty: not known'),
    }),
  ),
  /** messages of this trace that a collector saw pass, whether or not their spans came */
  passages: z.array(
    z.object({
      broker: z.string(),
      topic: z.string(),
      at: instant,
      spanId: z.string(),
      payloadBytes: count,
      qos: z.number().int(),
    }),
  ),
  notes: z.array(z.string()),
});

export const deviceItemSchema = z.object({
  id: z.string(),
  name: z.string(),
  site: z.string(),
  applications: z.array(z.string()),
  services: z.array(z.string()),
  state: deviceStateSchema,
  reason: z.string(),
  cpu: z.number().nullable(),
  memory: z.number().nullable(),
  lastSeen: instant.nullable(),
  since: instant.nullable(),
  cpuSpark: sparkSchema,
  memorySpark: sparkSchema,
});

export const devicesViewSchema = z.object({
  range: rangeSchema,
  items: z.array(deviceItemSchema),
  states: z.object({ up: count, degraded: count, down: count, unknown: count, retired: count }),
  emptyReason: z.string().nullable(),
});

export const deviceViewSchema = z.object({
  range: rangeSchema,
  device: deviceItemSchema,
  series: z.array(z.object({ timeMs: z.number(), cpu: z.number().nullable(), memory: z.number().nullable() })),
  events: z.array(
    z.object({ at: instant, fromState: deviceStateSchema, toState: deviceStateSchema, reason: z.string() }),
  ),
  hops: z.array(hopItemSchema),
  metrics: z.array(z.object({ metric: z.string(), attributes: z.string(), at: instant, value: z.number() })),
  clock: z.object({ offsetMs: ms.nullable(), boundMs: ms.nullable(), method: z.string() }).nullable(),
});

export const topicItemSchema = z.object({
  broker: z.string(),
  topic: z.string(),
  messages: count,
  messagesPerS: z.number(),
  bytesPerS: z.number(),
  retained: count,
  lastSeen: instant.nullable(),
  publishers: z.array(z.string()),
  consumers: z.array(z.string()),
  /** flowing; silent = quiet for over 5 x its usual gap; untraced consumers cannot be seen, so nothing claims "nobody listens" yet */
  state: z.enum(['flowing', 'silent', 'retained-only']),
  spark: sparkSchema,
});

export const topicsViewSchema = z.object({
  range: rangeSchema,
  brokers: z.array(
    z.object({
      name: z.string(),
      site: z.string(),
      messagesPerS: z.number(),
      bytesPerS: z.number(),
      topics: count,
      spark: sparkSchema,
    }),
  ),
  items: z.array(topicItemSchema),
  emptyReason: z.string().nullable(),
});

/** A name that this viewer may not know stands as "restricted". */
const endSchema = z.object({ service: z.string(), site: z.string() });

export const pathPartSchema = z.object({
  kind: z
    .enum(['hop', 'work', 'unknown', 'rest'])
    .describe('a hop, work of one service, not recorded, all smaller ones'),
  hopId: z.string().nullable().describe('null where it is no hop, or a restricted one'),
  from: endSchema,
  to: endSchema,
  ms: ms.describe('mean over the requests looked at'),
  share: z.number().describe('of the time end to end, 0..1; all parts add up to 1'),
});

export const requestPathSchema = z.object({
  id: z.string().describe('16 hex digits, stable over restarts: of the root span name and its application'),
  name: z.string().describe('name of the root span'),
  application: z.string(),
  service: z.string().describe('of the root'),
  count: count.describe('requests'),
  errors: count,
  /** root start to root end, or to the end of the last callee */
  p50Ms: ms.nullable(),
  p95Ms: ms.nullable(),
  boundMs: ms.nullable(),
  how: z.enum(['one-clock', 'one-way', 'unknown']),
  floorMs: ms.nullable().describe('of the hops on the critical paths, 95th percentile: p95 cannot be lower'),
  budgetMs: ms.nullable(),
  budgetFrom: z.string().nullable(),
  verdict: verdictSchema,
  mark: markSchema,
  moveWhat: z.enum(['broker', 'workload']).nullable(),
  reason: z.string(),
  blame: pathPartSchema.nullable().describe('what a change would have to begin with'),
  looked: count.describe('requests looked at one by one for parts and variants'),
  variants: count.describe('trees among them'),
  parts: z.array(pathPartSchema),
  services: z.array(z.string()),
  sites: z.array(z.string()),
  spark: sparkSchema,
});

export const pathsViewSchema = z.object({
  range: rangeSchema,
  items: z.array(requestPathSchema),
  total: count.describe('paths of the range that fit, whatever their mark and verdict; items may be fewer'),
  emptyReason: z.string().nullable(),
});

const leastMost = z.object({ least: count, most: count });

export const pathViewSchema = z.object({
  range: rangeSchema,
  path: requestPathSchema,
  /** trees of hops among the requests looked at, busiest first */
  variants: z.array(
    z.object({
      id: z.string().describe('16 hex digits, stable over restarts: of the tree of hops'),
      requests: count.describe('of those looked at'),
      root: endSchema,
      ends: z.array(endSchema).describe('whom its hops lead to, the root first'),
      hops: count,
      firstAt: instant,
      lastAt: instant,
      p50Ms: ms.nullable(),
      p95Ms: ms.nullable(),
      boundMs: ms.nullable(),
      floorMs: ms.nullable(),
      mark: markSchema,
    }),
  ),
  /** which of them `places` shows; null when nothing was looked at */
  variantId: z.string().nullable(),
  /** its tree, the root first, then depth first */
  places: z.array(
    z.object({
      at: count.describe('its number in this list'),
      parent: count.nullable().describe('number of the place before it; null for the root'),
      depth: z.number().int(),
      hopId: z.string().nullable().describe('null for the root and for restricted hops'),
      from: endSchema,
      to: endSchema,
      system: z.string(),
      destination: z.string(),
      count: leastMost.describe('crossings in one request'),
      attempts: leastMost.describe('crossings, and calls beside them that reached nobody'),
      addedMs: z.object({ p50: ms.nullable(), p95: ms.nullable() }),
      boundMs: ms.nullable(),
      floorMs: ms,
      wayMs: ms.describe('mean time of a request on the way here and back, on its critical path'),
      workMs: ms.describe('mean time of a request at work here, on its critical path'),
      wayShare: z.number(),
      workShare: z.number(),
      onPath: z.number().describe('requests that waited for it, 0..1; a branch beside the critical path has 0'),
      mark: markSchema.nullable().describe('of the hop over the range'),
    }),
  ),
  series: z.array(z.object({ timeMs: z.number(), count, errors: count, p50Ms: ms.nullable(), p95Ms: ms.nullable() })),
  examples: z.array(
    z.object({
      traceId: z.string(),
      startedAt: instant,
      /** fastest, median, p95, slowest, newest of those looked at */
      why: z.string(),
      totalMs: ms,
      boundMs: ms.nullable(),
      variantId: z.string(),
      mark: markSchema,
    }),
  ),
});

export const fleetViewSchema = z.object({
  range: rangeSchema,
  sites: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      lat: z.number().nullable(),
      lon: z.number().nullable(),
      devices: count,
      live: count,
      degraded: count,
      down: count,
      broker: z.string().nullable().describe('name of the broker that stands here'),
    }),
  ),
  devices: z.array(deviceItemSchema),
  edges: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      count,
      addedMs: z.object({ p50: ms.nullable(), p95: ms.nullable() }),
      boundMs: ms.nullable(),
      verdict: verdictSchema,
      mark: markSchema,
      /** half of a round trip, not a measured direction */
      halfRoundTrip: z.boolean(),
      /** the worst hop on it: where a click leads */
      worstHopId: z.string(),
      hopIds: z.array(z.string()),
    }),
  ),
  hopMarks: z.object({ over: count, noticeable: count, cannotTell: count, ok: count, noData: count }),
  /** worst first; hops that share a cause and a path fold into one */
  decisions: z.array(
    z.object({
      mark: markSchema,
      title: z.string(),
      figure: z.string().describe('e.g. "105 ms"'),
      of: z.string().describe('e.g. "of 10 ms" or "± 38"'),
      sentence: z.string(),
      note: z.string().describe('"2 hops, since 02:41"'),
      hopId: z.string(),
      verdict: verdictSchema,
    }),
  ),
  paths: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      application: z.string(),
      count,
      p50Ms: ms.nullable(),
      p95Ms: ms.nullable(),
      boundMs: ms.nullable(),
      budgetMs: ms.nullable(),
      mark: markSchema,
      /** what p95 is: end to end on one clock, or the hop's added latency for a one-way path */
      how: z.enum(['one-clock', 'one-way', 'unknown']),
      spark: sparkSchema,
    }),
  ),
  /** that fire, newest first */
  alerts: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      severity: z.enum(['critical', 'warning', 'info']),
      acknowledgedBy: z.string().nullable(),
      since: instant,
      /** what it is about, what is folded in included */
      hopIds: z.array(z.string()),
      pathNames: z.array(z.string()),
    }),
  ),
  topics: topicsViewSchema.shape.brokers,
  topTopics: z.array(topicItemSchema),
  deviceStates: devicesViewSchema.shape.states,
  recentEvents: z.array(z.object({ at: instant, device: z.string(), toState: deviceStateSchema, text: z.string() })),
  /** newest arrival of anything, to say "2 s behind" */
  lastArrival: instant.nullable(),
  empty: z.boolean().describe('nothing has ever arrived: the page shows how to connect'),
});

export const clocksViewSchema = z.object({
  items: z.array(
    z.object({
      device: z.string(),
      site: z.string(),
      offsetMs: ms.nullable().describe('device minus collector; null: not known at all'),
      boundMs: ms.nullable().describe('the truth lies within offset ± this; null: one side is open'),
      lowMs: ms.nullable().describe('proven: not less than this; null: open'),
      highMs: ms.nullable().describe('proven: not more than this; null: open'),
      method: z.string().describe('bounded, assumed, clock-wrong or contradiction'),
      driftPpm: z.number().nullable().describe('of the last hour, since its last step; null: too little is known'),
      driftBoundPpm: z.number().nullable(),
      lastStep: z
        .object({
          at: instant,
          byMs: ms,
          certain: z.boolean().describe('false: another clock may have stepped instead'),
        })
        .nullable()
        .describe('within seven days; null: none was seen'),
      how: z.string(),
      cure: z.string().nullable().describe('what would close an open interval or set the clock right'),
      at: instant,
    }),
  ),
  /** what had to be given up for the rest to be true, then steps, newest first */
  findings: z.array(
    z.object({
      kind: z.enum(['step', 'misplaced', 'contradiction']),
      at: instant,
      devices: z.array(z.string()),
      sites: z.array(z.string()),
      text: z.string(),
    }),
  ),
});

export const searchViewSchema = z.object({
  query: z.string(),
  items: z.array(
    z.object({
      kind: z.enum(['hop', 'trace', 'topic', 'device', 'service', 'path']),
      title: z.string(),
      detail: z.string(),
      href: z.string(),
    }),
  ),
});

export const statusViewSchema = z.object({
  version: z.string(),
  demo: z.boolean(),
  startedAt: instant,
  ready: z.boolean(),
  reasons: z.array(z.string()).describe('why not ready, in words'),
  books: z.object({
    received: count,
    stored: count,
    duplicate: count,
    rejected: count,
    spooled: count,
    residual: z.number().describe('received - stored - duplicate - rejected - spooled: 0 when the books balance'),
    rejectedByReason: z.record(z.string(), count),
  }),
  collectors: z
    .array(
      z.object({
        id: z.string(),
        current: z.boolean().describe('it receives now'),
        state: z
          .enum(['receiving', 'silent', 'stopped', 'unsure', 'former'])
          .describe(
            'silent: not heard for 15 s, though not stopped; stopped: in order; unsure: found old, and listened to only since a moment; former: its spool was replaced, and the store alone tells of it',
          ),
        host: z.string().nullable().describe('null: it is in the process that answers, or former'),
        version: z.string().nullable(),
        startedAt: instant.nullable(),
        heard: instant.nullable().describe('with whose moment its figures are; null: they are of now'),
        reasons: z.array(z.string()).describe('why it is not ready, in words'),
        received: count.describe('counted at the door, before it was acknowledged'),
        stored: count,
        duplicate: count,
        rejected: count,
        spooled: count.describe('acknowledged, not yet in the store'),
        residual: z.number().nullable().describe('0 when its books balance; null where the door did not count'),
        lagMs: z.number().describe('how long the oldest of the spooled has waited'),
        spoolBytes: count.nullable().describe('what its spool keeps for a replay included; null: not known'),
        diskFreeBytes: count.nullable(),
        refuseBelowBytes: count.nullable().describe('with less free disk it accepts nothing more'),
      }),
    )
    .describe('the books by collector: each figure is counted where it happens'),
  warnings: z.array(z.string()).describe('what is wrong with collectors in other processes, in sentences'),
  listeners: z.array(
    z.object({
      name: z.string(),
      collector: z.string().nullable().describe('id of the collector whose it is; null: of the process that answers'),
      address: z.string().nullable(),
      state: z.string(),
      refused: z.record(z.string(), count).describe('turned away since the start, by reason'),
      repeats: count.nullable().describe('messages sent again by their publisher and recognised since the start'),
    }),
  ),
  brokers: z.array(
    z.object({
      name: z.string(),
      collector: z.string().nullable().describe('id of the collector whose connection it is; null: as above'),
      state: z.string(),
      since: instant.nullable(),
      messages: count.describe('since the start'),
      repeats: count.describe('messages sent again by the broker and recognised since the start'),
      unacknowledged: count.describe('taken and not acknowledged to the broker yet'),
      sessionsLost: count,
    }),
  ),
  spool: z.object({
    items: count.describe('in all spools that are known of'),
    bytes: count,
    oldest: instant.nullable(),
    diskFreeBytes: count.nullable().describe('of the disk that has least above what it refuses below'),
    refuseBelowBytes: count.nullable().describe('with less free disk nothing more is accepted'),
  }),
  store: z.object({
    engine: z.string(),
    location: z.string(),
    bytesOnDisk: count,
    spans: count,
    warnings: z.array(z.string()).describe('what an operator must know or do, in sentences'),
  }),
  gaps: z.array(z.object({ from: instant, to: instant, whose: z.string(), what: z.string() })),
});

/** RFC 9457 */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().optional(),
  /** what was found and what was wanted, one entry a parameter */
  errors: z.array(z.object({ parameter: z.string(), found: z.string(), wanted: z.string() })).optional(),
});

export type Mark = z.infer<typeof markSchema>;
export type VerdictWord = z.infer<typeof verdictSchema>;
export type RangeView = z.infer<typeof rangeSchema>;
export type Spark = z.infer<typeof sparkSchema>;
export type HopItem = z.infer<typeof hopItemSchema>;
export type HopsView = z.infer<typeof hopsViewSchema>;
export type HopView = z.infer<typeof hopViewSchema>;
export type CrossingItem = z.infer<typeof crossingItemSchema>;
export type TraceItem = z.infer<typeof traceItemSchema>;
export type TracesView = z.infer<typeof tracesViewSchema>;
export type SpanItem = z.infer<typeof spanItemSchema>;
export type LedgerLine = z.infer<typeof ledgerLineSchema>;
export type PassageItem = TraceView['passages'][number];
export type TraceView = z.infer<typeof traceViewSchema>;
export type DeviceItem = z.infer<typeof deviceItemSchema>;
export type DevicesView = z.infer<typeof devicesViewSchema>;
export type DeviceView = z.infer<typeof deviceViewSchema>;
export type TopicItem = z.infer<typeof topicItemSchema>;
export type TopicsView = z.infer<typeof topicsViewSchema>;
export type PathPartItem = z.infer<typeof pathPartSchema>;
export type RequestPathItem = z.infer<typeof requestPathSchema>;
export type PathsView = z.infer<typeof pathsViewSchema>;
export type PathView = z.infer<typeof pathViewSchema>;
export type FleetView = z.infer<typeof fleetViewSchema>;
export type ClocksView = z.infer<typeof clocksViewSchema>;
export type SearchView = z.infer<typeof searchViewSchema>;
export type StatusView = z.infer<typeof statusViewSchema>;
export type Problem = z.infer<typeof problemSchema>;
