import { parentPort, workerData } from 'node:worker_threads';
import { HopscopeError } from '#lib/errors.ts';
import type { FromIntake, IntakeSetup, ToIntake } from './messages.ts';
import { openIntake } from './open-intake.ts';
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

try {
  const intake = await openIntake(workerData as IntakeSetup, say);
  port.on('message', (message: ToIntake) => {
    switch (message.kind) {
      case 'stored':
        return intake.stored(message.collectorId, message.seq);
      case 'stats':
        return void intake.stats().then((stats) => say({ kind: 'stats', id: message.id, stats }));
      case 'raw':
        return void intake
          .rawBatch(message.collectorId, message.seq)
          .then((raw) => say({ kind: 'raw', id: message.id, raw }));
      case 'stop':
        return void intake.stop(message.graceMs).finally(() => {
          say({ kind: 'stopped' });
          port.close();
        });
    }
  });
  say({ kind: 'ready', collectorId: intake.collectorId, addresses: intake.addresses });
} catch (error) {
  const code = error instanceof HopscopeError ? error.code : 'internal';
  say({ kind: 'cannot-start', code, message: error instanceof Error ? error.message : String(error) });
}
