import { parentPort, workerData } from 'node:worker_threads';
import { HopscopeError } from '../errors.ts';
import { SpoolFile } from './spool-file.ts';
import type { SpoolFailure, SpoolReply, SpoolRequest, SpoolWorkerOptions } from './spool-messages.ts';
import type { SpoolEntry } from './spool-row.ts';

// The spool's thread: everything that was queued while the last transaction ran goes into the next one.

const tidyEveryMs = 1_000;
const port = parentPort!;
const say = (reply: SpoolReply, transfer?: ArrayBuffer[]): void => port.postMessage(reply, transfer);

const failureOf = (error: unknown): SpoolFailure =>
  error instanceof HopscopeError
    ? { code: error.code, message: error.message }
    : { code: 'spool', message: error instanceof Error ? error.message : String(error) };

function start(file: SpoolFile): void {
  let queued: { id: number; entries: SpoolEntry[] }[] = [];
  let isScheduled = false;
  let collectorId = file.collectorId;

  const sayIfRenewed = (): void => {
    if (file.collectorId === collectorId && file.gaps.length === 0) return;
    collectorId = file.collectorId;
    say({ kind: 'renewed', collectorId, gaps: file.gaps.splice(0) });
  };

  const commit = (): void => {
    isScheduled = false;
    const group = queued;
    queued = [];
    if (group.length === 0) return;
    try {
      let seq = file.append(group.flatMap((each) => each.entries));
      sayIfRenewed();
      const firstSeqs = group.map(({ id, entries }): [number, number] => {
        const first = seq;
        seq += entries.length;
        return [id, first];
      });
      say({ kind: 'appended', collectorId, firstSeqs });
    } catch (error) {
      sayIfRenewed();
      say({ kind: 'failed', ids: group.map(({ id }) => id), failure: failureOf(error) });
    }
  };

  const answer = (request: Exclude<SpoolRequest, { kind: 'append' }>): void => {
    switch (request.kind) {
      case 'read': {
        const rows = file.read(request.fromSeq, request.limitBytes);
        const buffers = rows.map((row) => row.bytes.buffer as ArrayBuffer);
        say({ kind: 'rows', id: request.id, rows }, buffers);
        return;
      }
      case 'read-last': {
        const rows = file.readLast(request.signal, request.items);
        const buffers = rows.map((row) => row.bytes.buffer as ArrayBuffer);
        say({ kind: 'rows', id: request.id, rows }, buffers);
        return;
      }
      case 'tally': {
        say({
          kind: 'tally',
          id: request.id,
          tally: { collectorId: file.collectorId, ...file.tally(request.seq) },
        });
        return;
      }
      case 'reconcile': {
        file.reconcile(request.watermarks);
        sayIfRenewed();
        const { storedSeq, lastSeq } = file.stats();
        say({ kind: 'reconciled', id: request.id, position: { collectorId: file.collectorId, storedSeq, lastSeq } });
        return;
      }
      case 'stats':
        say({ kind: 'stats', id: request.id, stats: file.stats() });
        return;
      case 'stored':
        if (request.collectorId === file.collectorId) file.markStored(request.seq);
        return;
      case 'close':
        clearInterval(tidying);
        commit();
        file.close();
        say({ kind: 'closed', id: request.id });
        port.close();
        return;
    }
  };

  port.on('message', (request: SpoolRequest) => {
    if (request.kind === 'append') {
      queued.push(request);
      if (!isScheduled) setImmediate(commit);
      isScheduled = true;
      return;
    }
    try {
      answer(request);
    } catch (error) {
      if ('id' in request) say({ kind: 'failed', ids: [request.id], failure: failureOf(error) });
    }
    sayIfRenewed();
  });

  const tidy = (): void => {
    const more = file.tidy(Date.now());
    sayIfRenewed();
    // Small steps, so that appends never wait long for the tidying.
    if (more) setTimeout(tidy, 5).unref();
  };
  const tidying = setInterval(tidy, tidyEveryMs);
}

try {
  const file = new SpoolFile(workerData as SpoolWorkerOptions);
  start(file);
  const { collectorId, storedSeq, lastSeq } = file.stats();
  say({ kind: 'opened', collectorId, storedSeq, lastSeq, gaps: file.gaps.splice(0) });
} catch (error) {
  say({ kind: 'cannot-open', failure: failureOf(error) });
}
