import type { Counter } from '#lib/domain/collector-report.ts';

/** What the audit has done since the start, and how long it worked on it. */
export interface AuditSpent {
  passes: number;
  spans: number;
  /** by step */
  stepsMs: Record<string, number>;
}

export function addPass(spent: AuditSpent, report: { spans: number; stepsMs: Record<string, number> }): void {
  spent.passes++;
  spent.spans += report.spans;
  for (const [step, ms] of Object.entries(report.stepsMs)) spent.stepsMs[step] = (spent.stepsMs[step] ?? 0) + ms;
}

/** The audit's figures as Prometheus samples (names without the `hopscope_` prefix). */
export const auditCounters = ({ passes, spans, stepsMs }: AuditSpent): Counter[] => [
  {
    name: 'audit_passes_total',
    help: 'Passes of the audit since the start.',
    type: 'counter',
    samples: [{ labels: {}, value: passes }],
  },
  {
    name: 'audit_spans_total',
    help: 'Spans that the audit has read since the start.',
    type: 'counter',
    samples: [{ labels: {}, value: spans }],
  },
  {
    name: 'audit_seconds_total',
    help: 'Time that the audit has worked since the start, by step.',
    type: 'counter',
    samples: Object.entries(stepsMs).map(([step, ms]) => ({ labels: { step }, value: ms / 1000 })),
  },
];
