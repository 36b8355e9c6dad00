import type { AlertItem, AlertsView, AlertView } from '#lib/views/alert-schemas.ts';

/** The story at 04:02 on a Saturday: the rack has been moved, one message came. */
export const nowMs = Date.parse('2026-11-21T03:02:00Z');
const ago = (minutes: number): string => new Date(nowMs - minutes * 60_000).toISOString();

export const movedRack: AlertItem = {
  id: 'a1b2c3d4e5f60718',
  fingerprint: 'f1b2c3d4e5f60718',
  rule: 'over-budget',
  ruleTitle: 'A hop is over its budget',
  severity: 'critical',
  state: 'open',
  title: 'Button press takes 105 ms. Budget is 10 ms.',
  sentence: 'factory-events answers from Ashburn instead of Hannover. The network itself is normal.',
  wayOut: 'Move factory-events to Hannover.',
  subject: { kind: 'hop', id: '1f00000000000001', name: 'line-button → factory-events' },
  applications: ['factory'],
  owner: { team: 'Line team', contact: 'https://chat.example.com/line-team' },
  figure: { unit: 'ms', was: 4.3, is: 105.2, bound: 0, threshold: 10, requests: 504 },
  folded: 1,
  since: ago(21),
  firedAt: ago(18),
  resolvedAt: null,
  detectedAfterMs: 180_000,
  recoveredAfterMs: null,
  acknowledged: null,
  assignedTo: null,
  silencedUntil: null,
  isLate: false,
};

export const alertStory: AlertView = {
  now: new Date(nowMs).toISOString(),
  alert: movedRack,
  href: '/hops/1f00000000000001?from=a&to=b',
  place: 'Hannover to Ashburn, 50.3 ± 2.4 ms',
  changes: [
    {
      kind: 'deploy',
      at: ago(21 + 40 / 60),
      beforeMs: 40_000,
      title: 'Snapshot v42',
      text: 'moved off booth-hannover, by J. Okafor',
      href: '',
    },
  ],
  chart: {
    fromMs: nowMs - 3_600_000,
    toMs: nowMs,
    stepMs: 60_000,
    points: Array.from({ length: 60 }, (_, i) => ({
      timeMs: nowMs - 3_600_000 + i * 60_000,
      p95Ms: i === 20 ? null : i < 39 ? 4.3 : 112,
    })),
    budgetMs: 10,
    markers: [{ timeMs: nowMs - 21 * 60_000, text: 'Snapshot v42' }],
  },
  example: {
    traceId: '8c1f000000000000000000000000e07a',
    totalMs: 105.2,
    totalBoundMs: 0,
    parts: [
      { kind: 'processing', ms: 0.6, startMs: 0 },
      { kind: 'uplink', ms: 50.2, startMs: 0.6 },
      { kind: 'processing', ms: 4.3, startMs: 50.8 },
      { kind: 'downlink', ms: 50.1, startMs: 55.1 },
    ],
  },
  folded: [
    {
      rule: 'path-over-budget',
      ruleTitle: 'A request path is over its budget',
      subject: { kind: 'path', id: '00000000000000aa', name: 'button press' },
      href: '/paths/00000000000000aa',
      sentence: 'Button press takes 105 ms. Budget is 10 ms.',
      since: ago(20),
      until: null,
    },
  ],
  silence: null,
  history: [
    { at: ago(20), who: '', what: 'seen', text: '' },
    { at: ago(18), who: '', what: 'fired', text: '' },
    { at: ago(2), who: 'M. Keller', what: 'commented', text: 'looking at it' },
  ],
  messages: [{ target: 'pager', status: 'firing', state: 'waiting', attempts: 3, error: 'answered 503', at: ago(-1) }],
  open: 1,
};

export const resolvedRack: AlertItem = {
  ...movedRack,
  id: 'b1b2c3d4e5f60718',
  state: 'resolved',
  resolvedAt: ago(4),
  recoveredAfterMs: 17 * 60_000,
};

export const alertsStory: AlertsView = {
  now: new Date(nowMs).toISOString(),
  range: {
    from: ago(7 * 1440),
    to: ago(0),
    fromMs: nowMs - 7 * 86_400_000,
    toMs: nowMs,
    fromText: 'now-7d',
    toText: 'now',
    live: true,
  },
  items: [movedRack, resolvedRack],
  nextCursor: null,
  counts: { pending: 0, open: 1, acknowledged: 0, silenced: 0 },
  times: {
    fired: 2,
    resolved: 1,
    detectedAfterMs: 180_000,
    recoveredAfterMs: 1_020_000,
    stepMs: 86_400_000,
    steps: [
      { timeMs: nowMs - 86_400_000, fired: 0, resolved: 0, detectedAfterMs: null, recoveredAfterMs: null },
      { timeMs: nowMs, fired: 2, resolved: 1, detectedAfterMs: 180_000, recoveredAfterMs: 1_020_000 },
    ],
  },
  applications: ['factory'],
  targets: 1,
  emptyReason: null,
};

export const calm: AlertsView = {
  ...alertsStory,
  items: [],
  counts: { pending: 0, open: 0, acknowledged: 0, silenced: 0 },
  times: { ...alertsStory.times, fired: 0, resolved: 0, detectedAfterMs: null, recoveredAfterMs: null, steps: [] },
  targets: 0,
  emptyReason: 'Nothing is open, and nothing fired in this range.',
};
