import type { BrokerConnection, Config, Listen } from '#lib/config.ts';
import type { CollectorTally, TallyThrough } from '#lib/domain/collector-report.ts';
import type { IngestBatch, RejectReason } from '#lib/domain/ingest-batch.ts';
import type { EpochMillis } from '#lib/domain/units.ts';
import type { ErrorCode } from '#lib/errors.ts';
import type { SpoolOptions, SpoolStats } from '#lib/spool/spool-row.ts';
import type { Gap } from '#lib/store/store.ts';
import type { WireLimits } from '#lib/wire/limits.ts';

/** The parts of the configuration that the intake is about. */
export type IntakeConfig = Pick<Config, 'otlp' | 'otlpGrpc' | 'broker' | 'brokers' | 'hostNames'>;

/** What the intake's thread is started with. */
export interface IntakeSetup {
  config: IntakeConfig;
  spool: SpoolOptions;
  limits: WireLimits;
  /** tests make them short */
  timeouts?: Partial<IntakeTimeouts>;
}

export interface IntakeTimeouts {
  headersMs: number;
  requestMs: number;
  idleMs: number;
}

/** Main thread -> intake. */
export type ToIntake =
  /** what the store has, once it is open: until then batches only go into the spool */
  | { kind: 'store-open'; watermarks: Map<string, number> }
  | { kind: 'stored'; collectorId: string; seq: number }
  | { kind: 'stats'; id: number }
  | { kind: 'tally'; id: number; storedSeqs: Map<string, number> }
  | { kind: 'raw'; id: number; collectorId: string; seq: number }
  | { kind: 'stop'; graceMs: number };

/** Intake -> main thread. Batches come in the order of their numbers. */
export type FromIntake =
  /** the spool cannot be opened without knowing what the store has */
  | { kind: 'needs-store' }
  | { kind: 'ready'; collectorId: string; addresses: BoundAddresses; knowsStore: boolean }
  | { kind: 'cannot-start'; code: ErrorCode; message: string }
  | { kind: 'batch'; batch: IngestBatch }
  | { kind: 'gap'; gap: Gap }
  | { kind: 'log'; level: 'info' | 'warn'; sentence: string; fields: Record<string, unknown> }
  | { kind: 'stats'; id: number; stats: IntakeThreadStats }
  | { kind: 'tally'; id: number; tally: CollectorTally | null }
  | { kind: 'raw'; id: number; raw: Uint8Array | null }
  | { kind: 'stopped'; last: TallyThrough | null };

/** Where the listeners really listen (port 0 was replaced); null = off. */
export interface BoundAddresses {
  otlp: Listen | null;
  otlpGrpc: Listen | null;
  broker: Listen | null;
}

export interface ListenerStats {
  name: 'otlp' | 'otlp-grpc' | 'broker';
  listen: Listen;
  /** null = not known: grpc-js does not say */
  connections: number | null;
  requests: number;
  /** HTTP status or gRPC code of the answers */
  answers: Record<string, number>;
  /** why requests or messages were turned away, one counted word each */
  refused: Record<string, number>;
  /** messages sent again by their publisher and recognised; only a broker knows them */
  repeats?: number;
}

export interface BrokerConnectionStats {
  name: string;
  url: string;
  state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  sinceMs: EpochMillis;
  protocolVersion: 4 | 5 | null;
  messages: number;
  /** sent again by the broker and recognised, not part of `messages` */
  repeats: number;
  /** PUBACKs that wait for the disk */
  unacknowledged: number;
  /** what the broker granted for QoS 1 and 2 in flight */
  receiveMaximum: number | null;
  reconnects: number;
  sessionsLost: number;
  lastError: string | null;
  /** $SYS counters by their topic below $SYS/, numbers only */
  sys: Record<string, number>;
}

export interface IntakeThreadStats {
  collectorId: string;
  /** items since the start, rejected ones included, once they were durable */
  received: { traces: number; metrics: number; mqtt: number };
  listeners: ListenerStats[];
  brokers: BrokerConnectionStats[];
  logRecordsIgnored: number;
  /** QoS 0 messages that found no room while the spool refused */
  messagesDropped: number;
  bodyBytesInFlight: number;
  heldMessageBytes: number;
  spool: SpoolStats | null;
  /** why nothing is accepted; null when all is well */
  spoolTrouble: string | null;
  drain: DrainStats;
}

export interface DrainStats {
  /** handed to the store's side and not yet stored */
  batchesUnderway: number;
  bytesUnderway: number;
  lastSpooledSeq: number;
  handedOverSeq: number;
  storedSeq: number;
  /** read again from the spool because the window was full */
  batchesReread: number;
  batchesDamaged: number;
}

/** IntakeThreadStats and what the main thread knows. */
export interface IntakeStats extends IntakeThreadStats {
  stored: { batches: number; items: number; rejected: Partial<Record<RejectReason, number>> };
  /** why the last append to the store failed; null when it did not */
  storeTrouble: string | null;
}

export type { BrokerConnection };
