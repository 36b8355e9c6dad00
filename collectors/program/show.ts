import { systemClock } from '#lib/clock.ts';
import type { Config } from '#lib/config.ts';
import { targetsOf } from '#lib/domain/delivery.ts';
import { type EpochMillis, epochMillisOf, type Millis } from '#lib/domain/units.ts';
import type { Store } from '#lib/store/store.ts';
import type { StatusSource } from '#lib/views/status-source.ts';
import type { AuditSpent } from '../audit-counters.ts';
import { startHearing } from '../hearing.ts';
import type { Intake } from '../intake/client.ts';
import { statusSource } from '../status-source.ts';
import type { Door } from '../web/door.ts';
import { changeFeed } from './change-feed.ts';
import type { Stop } from './orderly-stop.ts';
import { log } from './say.ts';

export interface Shown {
  config: Config;
  store: Store;
  /** what receives in this process; null = others do */
  intake: Intake | null;
  startedMs: number;
  reasons: Set<string>;
  /** null = nobody looks */
  door: Door | null;
}

/** Everything behind an open store: state, delivery, alerts, audit, retention, pages. Each is loaded when it is its turn. */
export async function judgeAndShow(shown: Shown, started: Stop[]): Promise<StatusSource> {
  const { config, store, intake, startedMs, reasons, door } = shown;
  const { openState } = await import('#lib/state/open.ts');
  const state = openState(config.dataDir);
  started.push(async () => state.close());
  const changes = changeFeed();
  const stopTelling = state.onChange(changes.tellAgain);
  const spent: AuditSpent = { passes: 0, spans: 0, stepsMs: {} };
  const hearing = startHearing(store);
  started.push(async () => hearing.stop());
  const status = statusSource(intake, startedMs, reasons, config, spent, hearing.collectors);
  started.push(async () => status.stop());
  started.push(async () => stopTelling());
  const { startDelivery } = await import('../notify/start.ts');
  const delivery = startDelivery(config, state, intake?.addresses.broker ?? null, log);
  started.push(() => delivery.stop());

  // the pages take it from there: app/_server.ts (libraries.md 0.3)
  (globalThis as unknown as Record<symbol, unknown>)[Symbol.for('hopscope')] = {
    store,
    state,
    config,
    clock: systemClock,
    status,
    delivery,
    onChange: changes.subscribe,
  };

  const { startAlerts } = await import('./alerts.ts');
  const waited = (): Millis => waitedMs(status, epochMillisOf(systemClock()));
  const alerts = await startAlerts({
    store,
    state,
    config,
    reasons,
    status,
    waitedMs: waited,
    targetsOf: (alert, nowMs) => targetsOf(config.delivery, alert, nowMs),
  });
  started.push(alerts.stop);
  const { startAudit } = await import('./audit.ts');
  started.push(
    await startAudit(store, config, reasons, spent, waited, (report) => {
      changes.tell();
      if (report.verdicts + report.deviceEvents > 0) alerts.now();
    }),
  );
  const { startRetention } = await import('./retention.ts');
  started.push(startRetention(store, state, config));
  if (door) {
    const { closeStreams, startPages } = await import('./pages.ts');
    await startPages(config, door);
    started.push(async () => {
      reasons.add('shutting down');
      closeStreams();
      await door.close();
    });
  }
  return status;
}

/** Of this process and of the collectors that are heard, each by its own clock. */
function waitedMs(status: StatusSource, nowMs: EpochMillis): Millis {
  const spools = [
    { atMs: nowMs, spool: status.spool() },
    ...status.collectors().flatMap(({ report, state }) => (state === 'receiving' ? report : [])),
  ];
  const waits = spools.map(({ atMs, spool: { waitingSinceMs } }) =>
    waitingSinceMs === null ? 0 : atMs - waitingSinceMs,
  );
  return Math.max(0, ...waits);
}
