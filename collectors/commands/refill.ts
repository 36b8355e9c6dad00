import { openStore } from '#lib/store/open.ts';
import { decodeSpans } from '#lib/wire/raw-batch.ts';
import { startIntake } from '../intake/client.ts';
import { command, say, settings } from './command.ts';

// Whatever the spool keeps and the store has not, goes into the store; what it has stays as it is. The product must not be running.
// A start does the same by itself; this says how much it was, and when it is done.

const sayEveryMs = 2_000;
const lookEveryMs = 50;

command(async (argv) => {
  const config = settings(argv);
  const store = await openStore({ url: config.store, dataDir: config.dataDir, decodeSpans });
  const before = await store.books();
  const intake = await startIntake({
    config: { otlp: null, otlpGrpc: null, broker: null, brokers: [], hostNames: [], retention: config.retention },
    store,
    spoolDir: config.dataDir,
    spool: config.spool,
    log: (_, sentence, fields) => say(`${sentence} ${JSON.stringify(fields)}`),
  });
  let saidAtMs = performance.now();
  for (;;) {
    const { collectorId, spool, storeTrouble } = await intake.stats();
    const stored = (await store.watermarks()).get(collectorId) ?? 0;
    const last = spool?.lastSeq ?? null;
    if (last !== null && stored >= last) break;
    if (performance.now() - saidAtMs > sayEveryMs) {
      saidAtMs = performance.now();
      say(
        `batch ${stored} of ${last ?? 'an unknown number'}${storeTrouble === null ? '' : `; the store: ${storeTrouble}`}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  await intake.stop();
  const after = await store.books();
  await store.close();
  const added = after.received - before.received;
  if (added === 0) say('Nothing was missing: the store has everything the spool keeps.');
  else say(`${added} items were missing and came from the spool; ${after.stored} are in the store now.`);
  return 0;
});
