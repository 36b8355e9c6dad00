import type { ErrorCode } from '../errors.ts';
import type { SpoolEntry, SpoolGap, SpoolOptions, SpoolRow, SpoolStats } from './spool-row.ts';

/** To the spool's worker. */
export type SpoolRequest =
  | { kind: 'append'; id: number; entries: SpoolEntry[] }
  | { kind: 'read'; id: number; fromSeq: number; limitBytes: number }
  | { kind: 'stats'; id: number }
  | { kind: 'stored'; collectorId: string; seq: number }
  | { kind: 'close'; id: number };

export interface SpoolFailure {
  code: ErrorCode;
  message: string;
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
  | { kind: 'failed'; ids: number[]; failure: SpoolFailure }
  | { kind: 'closed'; id: number };

export type SpoolWorkerOptions = SpoolOptions;
