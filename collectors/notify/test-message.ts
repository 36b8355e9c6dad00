import type { Alert, Notification } from '#lib/domain/alert.ts';
import type { Target } from '#lib/domain/delivery.ts';
import type { EpochMillis } from '#lib/domain/units.ts';

/** What the test button sends: plainly a test, and of no alert. A pager's incident is closed again at once. */
export function testNotifications(target: Target, nowMs: EpochMillis): Notification[] {
  const firing = testNotification(target, nowMs, 'firing');
  return target.kind === 'pagerduty' ? [firing, testNotification(target, nowMs, 'resolved')] : [firing];
}

function testNotification(target: Target, nowMs: EpochMillis, status: Notification['status']): Notification {
  const alert: Alert = {
    id: '',
    fingerprint: `hopscope-test-${nowMs}`,
    rule: 'own-health',
    severity: 'info',
    phase: status,
    subject: { kind: 'self', id: 'delivery', name: 'Hopscope' },
    cause: null,
    title: 'TEST: nothing is wrong.',
    sentence: `Somebody pressed the test button of the target ${target.name}. Alerts will arrive like this.`,
    wayOut: 'Nothing to do.',
    figure: null,
    applications: [],
    sites: [],
    owner: null,
    changes: [],
    exampleTraceId: null,
    folded: [],
    isLate: false,
    sinceMs: nowMs,
    seenMs: nowMs,
    firedMs: nowMs,
    resolvedMs: status === 'resolved' ? nowMs : null,
    acknowledged: null,
    assignedTo: null,
  };
  return {
    id: 0,
    key: `test-${nowMs}-${status}`,
    target: target.name,
    alertId: '',
    status,
    alert,
    createdMs: nowMs,
    dueMs: nowMs,
    attempts: 0,
    state: 'waiting',
    error: '',
    doneMs: null,
  };
}
