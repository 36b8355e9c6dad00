import { log, say } from './say.ts';

export const drainLimitMs = 8_000;

export type Stop = () => Promise<void>;

/** What has been started is stopped in the opposite order, once, at the first SIGTERM or SIGINT, whenever that comes. */
export function orderlyStop(): Stop[] {
  const started: Stop[] = [];
  let stopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    say(`hopscope: ${signal}, draining ...`);
    // whatever hangs, the promise is an end within 10 s: what was acknowledged is in the spool
    setTimeout(() => process.exit(0), drainLimitMs).unref();
    for (const part of started.reverse())
      await part().catch((error: unknown) => log('warn', 'a part did not stop', { why: String(error) }));
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  return started;
}
