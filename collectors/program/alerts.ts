import { systemClock } from '#lib/clock.ts';
import type { Config } from '#lib/config.ts';
import type { Alert } from '#lib/domain/alert.ts';
import { type EpochMillis, epochMillisOf, type Millis } from '#lib/domain/units.ts';
import type { State } from '#lib/state/state.ts';
import type { Store } from '#lib/store/store.ts';
import type { StatusSource } from '#lib/views/status-source.ts';
import { type Rounds, startRounds } from './rounds.ts';

interface AlertParts {
  store: Store;
  state: State;
  config: Config;
  reasons: Set<string>;
  status: StatusSource;
  waitedMs(): Millis;
  targetsOf(alert: Alert, nowMs: EpochMillis): string[];
}

const alertsEveryMs = 2_000;

/** Looks every two seconds, and at once when asked to. */
export async function startAlerts(parts: AlertParts): Promise<Rounds> {
  const { store, state, config, reasons, status, waitedMs, targetsOf } = parts;
  const [{ judgeAlerts }, { openAlertMemory }] = await Promise.all([
    import('#lib/alerts/judge.ts'),
    import('#lib/alerts/memory.ts'),
  ]);
  const memory = openAlertMemory();
  return startRounds({
    round: async () => {
      const nowMs = epochMillisOf(systemClock());
      const { rules, alertRules } = config;
      await judgeAlerts({ store, state, rules, alertRules, status, targetsOf, nowMs }, memory);
      return false;
    },
    everyMs: alertsEveryMs,
    waitedMs,
    reasons,
    trouble: 'alerts could not be judged',
    troubleOver: 'alerts are judged again',
  });
}
