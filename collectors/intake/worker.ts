import { parentPort, workerData } from 'node:worker_threads';
import { HopscopeError } from '#lib/errors.ts';
import type { FromIntake, IntakeSetup, ToIntake } from './messages.ts';
import { type OpenIntake, openIntake } from './open-intake.ts';
import { transferablesOf } from './transferables.ts';

// The intake's thread. The main thread is told of batches and gaps, and says what it has stored.

const port = parentPort!;

function say(message: FromIntake): void {
  if (message.kind !== 'batch') {
    port.postMessage(message);
    return;
  }
  const [batch, buffers] = transferablesOf(message.batch);
  port.postMessage({ kind: 'batch', batch } satisfies FromIntake, buffers);
}

/** what came while the listeners were being opened */
const early: ToIntake[] = [];
let opened: OpenIntake | null = null;

port.on('message', (message: ToIntake) => {
  if (opened === null) early.push(message);
  else obey(opened, message);
});

function obey(intake: OpenIntake, message: ToIntake): void {
  switch (message.kind) {
    case 'store-open':
      void intake.storeOpened(message.watermarks);
      break;
    case 'stored':
      intake.stored(message.collectorId, message.seq);
      break;
    case 'stats':
      void intake.stats().then((stats) => say({ kind: 'stats', id: message.id, stats }));
      break;
    case 'tally':
      void intake.tally(message.storedSeqs).then((tally) => say({ kind: 'tally', id: message.id, tally }));
      break;
    case 'raw':
      void intake.rawBatch(message.collectorId, message.seq).then((raw) => say({ kind: 'raw', id: message.id, raw }));
      break;
    case 'stop':
      void intake
        .stop(message.graceMs)
        .then((last) => say({ kind: 'stopped', last }))
        .finally(() => port.close());
  }
}

let needsStore = false;

function storeSays(): Map<string, number> | null {
  if (!needsStore) say({ kind: 'needs-store' });
  needsStore = true;
  const told = early.find((message) => message.kind === 'store-open');
  return told?.watermarks ?? null;
}

try {
  opened = await openIntake(workerData as IntakeSetup, say, undefined, storeSays);
  const { collectorId, addresses } = opened;
  say({ kind: 'ready', collectorId, addresses, knowsStore: needsStore });
  for (const message of early.splice(0)) obey(opened, message);
} catch (error) {
  const code = error instanceof HopscopeError ? error.code : 'internal';
  say({ kind: 'cannot-start', code, message: error instanceof Error ? error.message : String(error) });
  port.close();
}
