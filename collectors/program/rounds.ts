import type { Millis } from '#lib/domain/units.ts';
import type { Stop } from './orderly-stop.ts';
import { log } from './say.ts';

export interface RoundsOptions {
  /** Does what is to be done; answers whether there is more to do at once. */
  round(): Promise<boolean>;
  everyMs: Millis;
  /** how long the oldest waits that is acknowledged and not stored */
  waitedMs(): Millis;
  /** why the product is not ready, for as long as rounds fail */
  reasons: Set<string>;
  trouble: string;
  troubleOver: string;
}

export interface Rounds {
  /** As soon as may be, and not only when it is time. */
  now(): void;
  stop: Stop;
}

/** What waits longer for the store has been away from it: then the store goes first. */
const backlogMs = 10_000;
/** Of the processor and of the store's, while it does: so a backlog is stored as fast as it can be, and is judged all the same. */
const shareWhileStoring = 1 / 10;
/** A round that mostly waited for the store cost less than it took. */
const restAtMostMs = 30_000;
const lookAgainMs = 1_000;

/**
 * Asks the store again and again. Unless there is more to do at once, half of the time is left to others, and nine tenths of it while a backlog
 * is stored, whatever there is to do. A round that fails, however quickly, is not tried again before its time: that is said, and keeps nobody
 * else from working.
 */
export function startRounds({ round, everyMs, waitedMs, reasons, trouble, troubleOver }: RoundsOptions): Rounds {
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let isWanted = false;
  let failed = false;
  let endedMs = performance.now();
  let tookMs = 0;

  const restMs = (): Millis => {
    const usualMs = isWanted ? 0 : Math.max(everyMs - tookMs, tookMs);
    const storingMs = waitedMs() > backlogMs ? Math.min(tookMs * (1 / shareWhileStoring - 1), restAtMostMs) : 0;
    return Math.max(usualMs, failed ? everyMs : 0, storingMs);
  };
  const once = async (): Promise<void> => {
    const beganMs = performance.now();
    isWanted = false;
    try {
      if (await round()) isWanted = true;
      failed = false;
      if (reasons.delete(trouble)) log('info', troubleOver, {});
    } catch (error) {
      failed = true;
      if (!reasons.has(trouble)) log('warn', trouble, { why: error instanceof Error ? error.message : String(error) });
      reasons.add(trouble);
    }
    endedMs = performance.now();
    tookMs = endedMs - beganMs;
  };
  /** A rest ends early when its reason does, so it is looked at again in between. */
  const go = (): void => {
    if (stopped || running) return;
    clearTimeout(timer);
    const leftMs = endedMs + restMs() - performance.now();
    if (leftMs > 0) {
      timer = setTimeout(go, Math.min(leftMs, lookAgainMs));
      return;
    }
    running = once().finally(() => {
      running = null;
      go();
    });
  };
  go();
  return {
    now() {
      isWanted = true;
      go();
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
