import type { CollectorReport, HeardCollector } from './collector-report.ts';
import type { EpochMillis } from './units.ts';

/** "the collector 3f2a91c0 on HOST": by its host people know it, by its id the books do. */
export const spokenCollector = ({ collectorId, host }: Pick<CollectorReport, 'collectorId' | 'host'>): string =>
  `the collector ${collectorId.slice(0, 8)}${host === '' ? '' : ` on ${host}`}`;

/** What waits in its spool, by its own word. */
export const waitingItems = ({ tally, spool }: Pick<CollectorReport, 'tally' | 'spool'>): number =>
  tally?.spooledItems ?? spool.items;

/** "14:02 UTC", with its day where that is another one. */
function spokenMoment(timeMs: EpochMillis, nowMs: EpochMillis): string {
  const [day, time] = [new Date(timeMs).toISOString().slice(0, 10), new Date(timeMs).toISOString().slice(11, 16)];
  return nowMs - timeMs < 43_200_000 ? `${time} UTC` : `${day} ${time} UTC`;
}

export function silentWords({ report, heardMs }: HeardCollector, nowMs: EpochMillis): string {
  const items = waitingItems(report);
  const held = items === 0 ? 'nothing' : `${items.toLocaleString('en-US')} ${items === 1 ? 'item' : 'items'}`;
  return `${spokenCollector(report)} was last heard at ${spokenMoment(heardMs, nowMs)}, with ${held} in its spool`;
}

/** What is wrong with collectors in other processes: silence, and why one is not ready. One that was stopped in order is not wrong. */
export const collectorTroubles = (collectors: readonly HeardCollector[], nowMs: EpochMillis): string[] =>
  collectors.flatMap((heard) => {
    if (heard.state === 'silent') return [silentWords(heard, nowMs)];
    if (heard.state !== 'receiving') return [];
    return heard.report.reasons.map((reason) => `${spokenCollector(heard.report)}: ${reason}`);
  });
