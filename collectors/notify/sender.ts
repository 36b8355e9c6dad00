import type { Notification } from '#lib/domain/alert.ts';
import { type Delivery, type DeliveryRules, maskedTarget, type Target } from '#lib/domain/delivery.ts';
import type { EpochMillis, Millis } from '#lib/domain/units.ts';
import type { State } from '#lib/state/state.ts';
import { beforeAbort } from './before-abort.ts';
import type { Deliver } from './deliver.ts';
import { type NotSent, notSent } from './outcome.ts';
import { againAtMs, restMs } from './retry.ts';
import { testNotifications } from './test-message.ts';

export interface Sender extends Delivery {
  stop(): Promise<void>;
}

/** at once to one target: it may be slow, and many may wait for it */
const concurrency = 4;
const lookEveryMs = 1_000;
/** after the outbox could not be read or marked: what was sent would be sent again at once, and again */
const restOfTroubleMs = 30_000;

/**
 * Sends what is due until it was taken. The state is the truth: what is in it and not marked goes out, after whatever
 * kind of end, under the same key. Messages about one cause reach a target in their order; no target waits for another.
 */
export function startSender({
  state,
  rules,
  deliver,
  nowMs,
  random,
  log,
  deadlineMs = 10_000,
}: {
  state: Pick<State, 'notifications' | 'alerts' | 'transaction' | 'onChange'>;
  rules: DeliveryRules;
  deliver: Deliver;
  nowMs: () => EpochMillis;
  random: () => number;
  log: (level: 'info' | 'warn', sentence: string, fields: Record<string, unknown>) => void;
  /** of one attempt, looking up the name and all */
  deadlineMs?: Millis;
}): Sender {
  const lanes = new Map(rules.targets.map((target) => [target.name, laneOf(target)]));
  const stopping = new AbortController();
  let looking = false;
  let troubledUntilMs = 0;

  function laneOf(target: Target) {
    return { target, sending: new Map<number, Promise<void>>(), restsUntilMs: 0, isTesting: false };
  }
  type Lane = ReturnType<typeof laneOf>;

  const look = (): void => {
    looking = false;
    if (stopping.signal.aborted || nowMs() < troubledUntilMs) return;
    try {
      const dueMs = state.notifications.nextDueMs();
      if (dueMs === null || dueMs > nowMs()) return;
      state.notifications.giveUpExcept([...lanes.keys()], 'hopscope.yaml no longer names this target', nowMs());
      for (const lane of lanes.values()) fill(lane);
    } catch (error) {
      trouble(error);
    }
  };
  /** The outbox is not to be had (a full disk): nobody is told until it is, for what is not marked would be told again. */
  const trouble = (error: unknown): void => {
    troubledUntilMs = nowMs() + restOfTroubleMs;
    log('warn', 'the outbox of alerts failed', { why: String(error) });
  };
  /** Soon, and once for all who ask: not inside the transaction that says something changed. */
  const lookSoon = (): void => {
    if (looking) return;
    looking = true;
    setImmediate(look);
  };

  const fill = (lane: Lane): void => {
    const free = concurrency - lane.sending.size;
    if (free <= 0 || nowMs() < lane.restsUntilMs) return;
    state.notifications
      .due(nowMs(), 2 * concurrency, lane.target.name)
      .filter(({ id }) => !lane.sending.has(id))
      .slice(0, free)
      .forEach((notification) => {
        lane.sending.set(
          notification.id,
          send(lane, notification)
            .catch(trouble)
            .finally(() => {
              lane.sending.delete(notification.id);
              lookSoon();
            }),
        );
      });
  };

  const send = async (lane: Lane, notification: Notification): Promise<void> => {
    const why = await attempt(lane.target, notification);
    if (why === null) return done(notification);
    // cut short by our own end: nothing is known of it, so it goes again with the same key
    if (stopping.signal.aborted) return;
    lane.restsUntilMs = Math.max(lane.restsUntilMs, nowMs() + restMs(why));
    const againMs = againAtMs(notification, why, nowMs(), random());
    if (againMs === null) return giveUp(notification, why);
    state.notifications.failed(notification.id, why.message, nowMs(), againMs);
  };

  const done = ({ id, alertId, target, status }: Notification): void =>
    state.transaction(() => {
      state.notifications.sent(id, nowMs());
      const text = status === 'firing' ? `${target} was told` : `${target} was told that it is over`;
      state.alerts.log(alertId, { timeMs: nowMs(), who: '', what: 'sent', text });
    });

  const giveUp = ({ id, alertId, target }: Notification, why: NotSent): void =>
    state.transaction(() => {
      state.notifications.failed(id, why.message, nowMs(), null);
      const text = `${target} could not be told: ${why.message}`;
      state.alerts.log(alertId, { timeMs: nowMs(), who: '', what: 'not-sent', text });
    });

  /** null: it was taken. */
  const attempt = async (target: Target, notification: Notification): Promise<NotSent | null> => {
    const signal = AbortSignal.any([AbortSignal.timeout(deadlineMs), stopping.signal]);
    try {
      await beforeAbort(deliver(target, notification, signal), signal);
      return null;
    } catch (error) {
      // a connection that we cut says only that it was cut
      return notSent(signal.aborted ? signal.reason : error, deadlineMs);
    }
  };

  const timer = setInterval(lookSoon, lookEveryMs);
  const forget = state.onChange(lookSoon);
  lookSoon();

  return {
    targets: () => rules.targets.map(maskedTarget),
    async test(name) {
      const lane = lanes.get(name);
      if (!lane)
        return `Found no target ${name}, wanted one of ${[...lanes.keys()].join(', ') || 'those in hopscope.yaml'}.`;
      if (lane.isTesting) return `A test to ${name} is on its way already.`;
      lane.isTesting = true;
      try {
        for (const notification of testNotifications(lane.target, nowMs())) {
          const why = await attempt(lane.target, notification);
          if (why !== null) return `${name} did not take the test message: ${why.message}.`;
        }
        return `${name} took the test message.`;
      } finally {
        lane.isTesting = false;
      }
    },
    async stop() {
      clearInterval(timer);
      forget();
      stopping.abort();
      await Promise.all([...lanes.values()].flatMap(({ sending }) => [...sending.values()]));
    },
  };
}
