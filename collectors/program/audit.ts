import type { PassReport } from '#lib/audit.ts';
import { systemClock } from '#lib/clock.ts';
import type { Config } from '#lib/config.ts';
import type { Millis } from '#lib/domain/units.ts';
import type { Store } from '#lib/store/store.ts';
import { type AuditSpent, addPass } from '../audit-counters.ts';
import type { Stop } from './orderly-stop.ts';
import { log } from './say.ts';

/** What waits longer for the store has been away from it: then the store goes first. */
const backlogMs = 10_000;
/** Of the processor and of the store's, while it does: so a backlog is stored as fast as it can be, and is judged all the same. */
const shareWhileStoring = 1 / 10;

/**
 * Judges every second, or less often when a pass takes long; at once while rows wait: hops must keep up with what is acknowledged.
 * `waitedMs`: how long the oldest waits that is acknowledged and not stored.
 */
export async function startAudit(
  store: Store,
  config: Config,
  reasons: Set<string>,
  spent: AuditSpent,
  waitedMs: () => Millis,
  tell: (report: PassReport) => void,
): Promise<Stop> {
  const { auditOnce, openAudit } = await import('#lib/audit.ts');
  const memory = await openAudit(store, config.rules, systemClock());
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const trouble = 'the audit failed';
  const pass = async (): Promise<void> => {
    const began = performance.now();
    let behind = false;
    try {
      const report = await auditOnce(store, systemClock(), config.rules, memory);
      addPass(spent, report);
      if (reasons.delete(trouble)) log('info', 'the audit works again', {});
      if (report.changed) tell(report);
      behind = report.behind;
    } catch (error) {
      if (!reasons.has(trouble)) log('warn', trouble, { why: error instanceof Error ? error.message : String(error) });
      reasons.add(trouble);
    }
    if (stopped) return;
    const tookMs = performance.now() - began;
    const storing = waitedMs() > backlogMs;
    timer = setTimeout(
      () => {
        running = pass();
      },
      storing ? tookMs * (1 / shareWhileStoring - 1) : behind ? 0 : Math.max(1_000 - tookMs, tookMs),
    );
  };
  running = pass();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
