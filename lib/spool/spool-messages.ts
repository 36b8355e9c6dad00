import type { CollectorTally } from '../domain/collector-report.ts';
import type { Signal } from '../domain/ingest-batch.ts';
import type { ErrorCode } from '../errors.ts';
import type { SpoolEntry, SpoolGap, SpoolOptions, SpoolRow, SpoolStats } from './spool-row.ts';

/** To the spool's worker. */
export type SpoolRequest =
  | { kind: 'append'; id: number; entries: SpoolEntry[] }
  | { kind: 'read'; id: number; fromSeq: number; limitBytes: number }
  | { kind: 'read-last'; id: number; signal: Signal; items: number }
  | { kind: 'stats'; id: number }
  | { kind: 'tally'; id: number; seq: number }
  | { kind: 'reconcile'; id: number; watermarks: Map<string, number> }
  | { kind: 'stored'; collectorId: string; seq: number }
  | { kind: 'close'; id: number };

export interface SpoolFailure {
  code: ErrorCode;
  message: string;
}

/** Where the file stands: the drain goes on behind storedSeq. */
export interface SpoolPosition {
  collectorId: string;
  storedSeq: number;
  lastSeq: number;
}

/** From it. Replies to appends come in the order of the appends, all of one commit in one message. */
export type SpoolReply =
  | { kind: 'opened'; collectorId: string; storedSeq: number; lastSeq: number; gaps: SpoolGap[] }
  | { kind: 'cannot-open'; failure: SpoolFailure }
  /** the file broke and was replaced: another collector id from here on */
  | { kind: 'renewed'; collectorId: string; gaps: SpoolGap[] }
  | { kind: 'appended'; collectorId: string; firstSeqs: [id: number, firstSeq: number][] }
  | { kind: 'rows'; id: number; rows: SpoolRow[] }
  | { kind: 'stats'; id: number; stats: SpoolStats }
  | { kind: 'tally'; id: number; tally: CollectorTally }
  | { kind: 'reconciled'; id: number; position: SpoolPosition }
  | { kind: 'failed'; ids: number[]; failure: SpoolFailure }
  | { kind: 'closed'; id: number };

export type SpoolWorkerOptions = SpoolOptions;
