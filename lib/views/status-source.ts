import type {
  BrokerStatus,
  CollectorTally,
  Counter,
  HeardCollector,
  ListenerStatus,
  SpoolStatus,
} from '../domain/collector-report.ts';

/** What only the running program knows, beside the store's own figures: listeners, brokers, spool; and what it heard of the others. */
export interface StatusSource {
  version: string;
  startedMs: number;
  /** why this process is not ready, in words; empty = ready */
  reasons(): string[];
  /** of this process, as are brokers and spool */
  listeners(): ListenerStatus[];
  brokers(): BrokerStatus[];
  spool(): SpoolStatus;
  /** The receiving collector's own count, seen from what the store has (highest batch by collector); null when it cannot say now. */
  tally(storedSeqs: Map<string, number>): Promise<CollectorTally | null>;
  /** The other collectors of this store, by host, then id; empty where the store belongs to this process. */
  collectors(): HeardCollector[];
  /** of this process */
  counters(): Counter[];
}
