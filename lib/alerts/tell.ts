import { type Alert, keyOf } from '../domain/alert.ts';
import { silenceOf } from '../domain/alert-matcher.ts';
import { spokenTime } from '../domain/alert-words.ts';
import type { EpochMillis } from '../domain/units.ts';
import type { State } from '../state/state.ts';

/** Who is told of an alert, decided in the transaction in which it changes. The same again is the same key, which adds nothing. */

/** A few slow requests of many: told once within so long, however often it comes and goes. */
const toldOnceMs = 12 * 3_600_000;
const mostAlike = 1_000;

export interface Telling {
  state: State;
  targetsOf(alert: Alert, nowMs: EpochMillis): string[];
  nowMs: EpochMillis;
  /** keyOf a finding -> of what it looked at, how much is affected */
  shares: ReadonlyMap<string, number | null>;
}

export const notificationKey = (alertId: string, status: 'firing' | 'resolved'): string => `${alertId}:${status}`;

/** Asked at every step while it fires: a silence may end, a route may open with the hour. */
export function tellFiring(telling: Telling, alert: Alert): void {
  const { state, targetsOf, nowMs } = telling;
  const targets = targetsOf(alert, nowMs);
  if (targets.length === 0) return;
  const told = state.notifications.ofAlert(alert.id).filter(({ status }) => status === 'firing');
  const missing = targets.filter((target) => !told.some((each) => each.target === target));
  if (missing.length === 0) return;
  const silence = silenceOf(alert, state.silences.active(nowMs));
  if (silence) {
    logOnce(state, alert, 'silenced', `by ${silence.by}: ${silence.reason}`, nowMs);
    return;
  }
  if (told.length === 0) {
    const before = toldBefore(telling, alert);
    if (before) {
      const text = `most requests are within the budget, and the same was told at ${spokenTime(before.firedMs!)}`;
      logOnce(state, alert, 'not-sent', text, nowMs);
      return;
    }
  }
  for (const target of missing)
    state.notifications.add({
      key: notificationKey(alert.id, 'firing'),
      target,
      alertId: alert.id,
      status: 'firing',
      alert,
      createdMs: nowMs,
      dueMs: nowMs,
    });
}

/** Whoever was told that it fires is told that it is over. */
export function tellResolved({ state, nowMs }: Telling, alert: Alert): void {
  for (const { status, target } of state.notifications.ofAlert(alert.id)) {
    if (status !== 'firing') continue;
    state.notifications.add({
      key: notificationKey(alert.id, 'resolved'),
      target,
      alertId: alert.id,
      status: 'resolved',
      alert,
      createdMs: nowMs,
      dueMs: nowMs,
    });
  }
}

/** The last time that somebody was told of the same, where it is a matter of a few requests among many. */
function toldBefore({ state, nowMs, shares }: Telling, alert: Alert): Alert | undefined {
  const keys = [keyOf(alert), ...alert.folded.filter(({ untilMs }) => untilMs === null).map(keyOf)];
  const isFew = keys.every((key) => {
    const share = shares.get(key);
    return share !== undefined && share !== null && share <= 0.5;
  });
  if (!isFew) return undefined;
  return state.alerts
    .list({ fromMs: nowMs - toldOnceMs, limit: mostAlike })
    .find(
      (other) =>
        other.id !== alert.id &&
        other.fingerprint === alert.fingerprint &&
        state.notifications.ofAlert(other.id).some(({ status }) => status === 'firing'),
    );
}

function logOnce(state: State, { id }: Alert, what: 'silenced' | 'not-sent', text: string, nowMs: EpochMillis): void {
  if (state.alerts.history(id).some((event) => event.what === what && event.text === text)) return;
  state.alerts.log(id, { timeMs: nowMs, who: '', what, text });
}
