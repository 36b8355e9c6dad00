import * as z from 'zod';
import { alertSeverities, ruleIds } from '../domain/alert.ts';
import { ledgerLineSchema, rangeSchema } from './schemas.ts';

/** The shapes of what on-call is told and decides, as schemas.ts holds those of what was measured. */

const ms = z.number();
const count = z.number().int().nonnegative();
const instant = z.string();

export const ruleIdSchema = z.enum(ruleIds);
export const severitySchema = z.enum(alertSeverities);
/** open: it woke somebody and nobody has taken it */
export const alertStateSchema = z.enum(['pending', 'open', 'acknowledged', 'resolved']);

const subjectSchema = z.object({
  kind: z.enum(['hop', 'path', 'topic', 'device', 'broker', 'self']),
  id: z.string(),
  name: z.string(),
});

const figureSchema = z.object({
  unit: z.enum(['ms', 'ratio', 'count', 's']),
  was: z.number().nullable(),
  is: z.number().nullable(),
  bound: z.number().nullable().describe('+/- of `is`; null: not known at all, 0: exact'),
  threshold: z.number().nullable(),
  requests: count.nullable().describe('affected since it began; null where requests are not what it is about'),
});

export const matcherSchema = z.object({
  rule: ruleIdSchema.optional(),
  subject: z.string().optional().describe('glob over the name of the subject and of the cause'),
  application: z.string().optional(),
  severity: severitySchema.optional(),
  site: z.string().optional(),
  fingerprint: z.string().optional().describe('one cause, exactly'),
});

export const alertItemSchema = z.object({
  id: z.string(),
  fingerprint: z.string().describe('of the cause: the same again has another id and the same fingerprint'),
  rule: ruleIdSchema,
  ruleTitle: z.string(),
  severity: severitySchema,
  state: alertStateSchema,
  title: z.string().describe('both numbers: what it is, and what it may be'),
  sentence: z.string(),
  wayOut: z.string(),
  subject: subjectSchema,
  applications: z.array(z.string()),
  owner: z.object({ team: z.string(), contact: z.string() }).nullable(),
  figure: figureSchema.nullable(),
  folded: count.describe('findings that share the cause, and woke nobody of their own'),
  since: instant.describe('when it began by the evidence'),
  firedAt: instant.nullable(),
  resolvedAt: instant.nullable(),
  detectedAfterMs: ms.nullable(),
  recoveredAfterMs: ms.nullable(),
  acknowledged: z.object({ by: z.string(), at: instant }).nullable(),
  assignedTo: z.string().nullable(),
  silencedUntil: instant.nullable().describe('a silence matches it: nothing is sent until then'),
  isLate: z.boolean().describe('rests on data that came late'),
});

export const alertsViewSchema = z.object({
  now: instant,
  range: rangeSchema,
  /** what is not resolved first, whatever the range; then what was resolved, newest first */
  items: z.array(alertItemSchema),
  nextCursor: z.string().nullable().describe('give it back as ?cursor= for the next page; null at the end'),
  counts: z.object({ pending: count, open: count, acknowledged: count, silenced: count }),
  /** of the alerts that fired within the range and fit the filter */
  times: z.object({
    fired: count,
    resolved: count,
    detectedAfterMs: ms.nullable().describe('mean time to detection; null: nothing fired'),
    recoveredAfterMs: ms.nullable().describe('mean time to recovery; null: nothing recovered'),
    stepMs: ms,
    steps: z.array(
      z.object({
        timeMs: z.number(),
        fired: count,
        resolved: count,
        detectedAfterMs: ms.nullable(),
        recoveredAfterMs: ms.nullable(),
      }),
    ),
  }),
  applications: z.array(z.string()).describe('of all alerts one may see in this range: what the filter offers'),
  targets: count.nullable().describe('delivery targets that are set; null: not told'),
  emptyReason: z.string().nullable(),
});

export const alertEventSchema = z.object({
  at: instant,
  who: z.string().describe("a person's name; empty for Hopscope itself"),
  what: z.enum([
    'seen',
    'fired',
    'folded',
    'unfolded',
    'acknowledged',
    'unacknowledged',
    'assigned',
    'commented',
    'silenced',
    'sent',
    'not-sent',
    'resolved',
  ]),
  text: z.string(),
});

export const alertViewSchema = z.object({
  now: instant,
  alert: alertItemSchema,
  href: z.string().describe('the page of its subject over the time around its beginning'),
  /** which way, or where: "Hannover to Ashburn, 50.3 ± 2.4 ms" */
  place: z.string(),
  changes: z.array(
    z.object({
      kind: z.enum(['deploy', 'version', 'moved', 'device', 'clock', 'broker', 'level']),
      at: instant,
      beforeMs: ms.describe('this long before it began; negative: after'),
      title: z.string(),
      text: z.string(),
      href: z.string(),
    }),
  ),
  chart: z
    .object({
      fromMs: z.number(),
      toMs: z.number(),
      stepMs: ms,
      points: z.array(z.object({ timeMs: z.number(), p95Ms: ms.nullable() })),
      budgetMs: ms.nullable(),
      markers: z.array(z.object({ timeMs: z.number(), text: z.string() })),
    })
    .nullable()
    .describe('p95 of an hour around the beginning; null where the alert is not about a time'),
  example: z
    .object({
      traceId: z.string(),
      totalMs: ms,
      totalBoundMs: ms.nullable(),
      parts: z.array(ledgerLineSchema.pick({ kind: true, ms: true, startMs: true })),
    })
    .nullable(),
  folded: z.array(
    z.object({
      rule: ruleIdSchema,
      ruleTitle: z.string(),
      subject: subjectSchema,
      href: z.string(),
      sentence: z.string(),
      since: instant,
      until: instant.nullable().describe('when it went away by itself; null: still so'),
    }),
  ),
  silence: z.object({ id: z.string(), by: z.string(), reason: z.string(), until: instant }).nullable(),
  history: z.array(alertEventSchema),
  messages: z.array(
    z.object({
      target: z.string(),
      status: z.enum(['firing', 'resolved']),
      state: z.enum(['waiting', 'sent', 'given-up']),
      attempts: count,
      error: z.string(),
      at: instant.describe('when it was sent or given up, else when it is due'),
    }),
  ),
  open: count.describe('alerts that are open or acknowledged, this one included'),
});

export const silenceItemSchema = z.object({
  id: z.string(),
  matcher: matcherSchema,
  words: z.string().describe('what it matches, in words'),
  reason: z.string(),
  by: z.string(),
  from: instant,
  until: instant,
  state: z.enum(['active', 'planned', 'over', 'ended']),
  endedBy: z.string().nullable(),
  endedAt: instant.nullable(),
  matches: count.describe('alerts that are not resolved and that it matches now'),
});

export const silencesViewSchema = z.object({
  now: instant,
  items: z.array(silenceItemSchema),
  applications: z.array(z.string()),
  sites: z.array(z.object({ id: z.string(), name: z.string() })),
  emptyReason: z.string().nullable(),
});

export const markerItemSchema = z.object({
  id: z.string(),
  at: instant,
  title: z.string(),
  text: z.string(),
  service: z.string(),
  version: z.string(),
  site: z.string(),
  by: z.string(),
  source: z.enum(['told', 'noticed']),
});

export const markersViewSchema = z.object({
  range: rangeSchema,
  items: z.array(markerItemSchema),
  emptyReason: z.string().nullable(),
});

export const deliveryViewSchema = z.object({
  now: instant,
  targets: z.array(
    z.object({
      name: z.string(),
      kind: z.string(),
      address: z.string().describe('where it is; what opens it is masked'),
      waiting: count,
      lastSent: instant.nullable(),
      lastError: z.string().nullable().describe('of the last attempt; null: it went well, or there was none'),
    }),
  ),
  routes: z.array(z.string()).describe('in words, from the first to the last'),
  /** messages, newest first */
  items: z.array(
    z.object({
      id: count,
      target: z.string(),
      alertId: z.string(),
      title: z.string(),
      status: z.enum(['firing', 'resolved']),
      state: z.enum(['waiting', 'sent', 'given-up']),
      attempts: count,
      error: z.string(),
      createdAt: instant,
      dueAt: instant.nullable().describe('of the next attempt; null: there is none'),
      doneAt: instant.nullable(),
    }),
  ),
  emptyReason: z.string().nullable(),
});

export const ruleItemSchema = z.object({
  rule: ruleIdSchema,
  title: z.string(),
  condition: z.string().describe('what has to be so'),
  finding: z.string().describe('what its alerts say'),
  unit: z.string().nullable().describe('of the threshold; null: it has none'),
  threshold: z.number().nullable(),
  forMs: ms.describe('how long it has to be so'),
  severity: severitySchema,
  enabled: z.boolean(),
  from: z.enum(['catalogue', 'hopscope.yaml', 'page']),
  setBy: z.string().nullable(),
  setAt: instant.nullable(),
});

export const rulesViewSchema = z.object({
  items: z.array(ruleItemSchema),
  /** first match wins */
  budgets: z.array(z.object({ of: z.string(), judges: z.string(), budgetMs: ms, from: z.string() })),
  history: z.array(z.object({ at: instant, by: z.string(), rule: ruleIdSchema, text: z.string() })),
});

export type DeliveryView = z.infer<typeof deliveryViewSchema>;
export type RuleItem = z.infer<typeof ruleItemSchema>;
export type RulesView = z.infer<typeof rulesViewSchema>;
export type AlertState = z.infer<typeof alertStateSchema>;
export type AlertItem = z.infer<typeof alertItemSchema>;
export type AlertsView = z.infer<typeof alertsViewSchema>;
export type AlertView = z.infer<typeof alertViewSchema>;
export type SilenceItem = z.infer<typeof silenceItemSchema>;
export type SilencesView = z.infer<typeof silencesViewSchema>;
export type MarkersView = z.infer<typeof markersViewSchema>;
