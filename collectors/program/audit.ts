import type { PassReport } from '#lib/audit.ts';
import { systemClock } from '#lib/clock.ts';
import type { Config } from '#lib/config.ts';
import type { Millis } from '#lib/domain/units.ts';
import type { Store } from '#lib/store/store.ts';
import { type AuditSpent, addPass } from '../audit-counters.ts';
import type { Stop } from './orderly-stop.ts';
import { startRounds } from './rounds.ts';

const auditEveryMs = 1_000;

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
  const rounds = startRounds({
    round: async () => {
      const report = await auditOnce(store, systemClock(), config.rules, memory);
      addPass(spent, report);
      if (report.changed) tell(report);
      return report.behind;
    },
    everyMs: auditEveryMs,
    waitedMs,
    reasons,
    trouble: 'the audit failed',
    troubleOver: 'the audit works again',
  });
  rounds.now();
  return rounds.stop;
}
