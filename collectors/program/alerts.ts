import { systemClock } from '#lib/clock.ts';
import type { Config } from '#lib/config.ts';
import type { Alert } from '#lib/domain/alert.ts';
import { type EpochMillis, epochMillisOf } from '#lib/domain/units.ts';
import type { State } from '#lib/state/state.ts';
import type { Store } from '#lib/store/store.ts';
import type { StatusSource } from '#lib/views/status-source.ts';
import { log } from './say.ts';

interface AlertParts {
  store: Store;
  state: State;
  config: Config;
  reasons: Set<string>;
  status: StatusSource;
  targetsOf(alert: Alert, nowMs: EpochMillis): string[];
}

const alertsEveryMs = 2_000;
const alertsTrouble = 'alerts could not be judged';

/** Looks every two seconds, and at once when verdicts have changed. What goes wrong here is said, and keeps nobody else from working. */
export async function startAlerts({ store, state, config, reasons, status, targetsOf }: AlertParts) {
  const [{ judgeAlerts }, { openAlertMemory }] = await Promise.all([
    import('#lib/alerts/judge.ts'),
    import('#lib/alerts/memory.ts'),
  ]);
  const memory = openAlertMemory();
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  let isAsked = false;
  const look = (): void => {
    if (stopped) return;
    clearTimeout(timer);
    if (running) {
      isAsked = true;
      return;
    }
    running = judgeOnce().finally(() => {
      running = null;
      if (isAsked) look();
      else if (!stopped) timer = setTimeout(look, alertsEveryMs);
    });
  };
  const judgeOnce = async (): Promise<void> => {
    isAsked = false;
    try {
      const nowMs = epochMillisOf(systemClock());
      const { rules, alertRules } = config;
      await judgeAlerts({ store, state, rules, alertRules, status, targetsOf, nowMs }, memory);
      if (reasons.delete(alertsTrouble)) log('info', 'alerts are judged again', {});
    } catch (error) {
      if (!reasons.has(alertsTrouble))
        log('warn', alertsTrouble, { why: error instanceof Error ? error.message : String(error) });
      reasons.add(alertsTrouble);
    }
  };
  timer = setTimeout(look, alertsEveryMs);
  return {
    look,
    stop: async (): Promise<void> => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
