import { type Clock, systemClock } from '#lib/clock.ts';
import { type HeardCollector, type Hearing, hear } from '#lib/domain/collector-report.ts';
import { epochMillisOf, type Millis } from '#lib/domain/units.ts';
import type { Store } from '#lib/store/store.ts';

/** Reads every two seconds what the collectors of this store say; none where the store belongs to this process. */
export function startHearing(
  { reports }: Pick<Store, 'reports'>,
  { clock = systemClock, everyMs = 2_000 }: { clock?: Clock; everyMs?: Millis } = {},
): { collectors(): HeardCollector[]; stop(): void } {
  if (reports === null) return { collectors: () => [], stop: () => {} };
  let hearing: Hearing | null = null;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const listen = (): void => {
    reports
      .latest()
      .then(
        (found) => {
          hearing = hear(hearing, found, epochMillisOf(clock()));
        },
        // who cannot hear does not know: a store that is away says so by itself
        () => {},
      )
      .finally(() => {
        if (!stopped) timer = setTimeout(listen, everyMs);
      });
  };
  listen();
  return {
    collectors: () => [...(hearing?.collectors.values() ?? [])].sort(byHost),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

const byHost = ({ report: a }: HeardCollector, { report: b }: HeardCollector): number =>
  `${a.host} ${a.collectorId}` < `${b.host} ${b.collectorId}` ? -1 : 1;
