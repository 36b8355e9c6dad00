import { systemClock } from '#lib/clock.ts';
import type { Config } from '#lib/config.ts';
import { epochMillisOf } from '#lib/domain/units.ts';
import type { State } from '#lib/state/state.ts';
import type { Store } from '#lib/store/store.ts';
import type { Stop } from './orderly-stop.ts';

export function startRetention(store: Store, state: State, config: Config): Stop {
  const timer = setInterval(() => {
    const nowMs = epochMillisOf(systemClock());
    const minutesMs = nowMs - config.retention.minutesMs;
    try {
      state.alerts.forgetBefore(minutesMs);
      state.markers.forgetBefore(minutesMs);
    } catch (error) {
      process.stderr.write(`hopscope: retention of alerts failed: ${String(error)}\n`);
    }
    store
      .dropBefore({
        spansMs: nowMs - config.retention.spansMs,
        crossingsMs: nowMs - config.retention.crossingsMs,
        minutesMs,
      })
      .catch((error: unknown) => process.stderr.write(`hopscope: retention failed: ${String(error)}\n`));
  }, 10 * 60_000);
  return async () => clearInterval(timer);
}
