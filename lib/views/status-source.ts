/** What a collector counted itself. Null = not counted from the beginning, or no longer kept. */
export interface CollectorTally {
  collectorId: string;
  /** everything it acknowledged */
  acknowledgedItems: number | null;
  /** of it what stands behind the batch that was asked about */
  spooledItems: number | null;
  /** arrival of the oldest of those; null = there is none */
  oldestSpooledMs: number | null;
}

export interface ListenerStatus {
  name: string;
  address: string | null;
  state: string;
  /** what was turned away since the start, by reason */
  refused: Record<string, number>;
  /** messages sent again by their publisher and recognised; null = it takes none */
  repeats: number | null;
}

export interface BrokerStatus {
  name: string;
  state: string;
  sinceMs: number | null;
  messages: number;
  /** sent again by the broker and recognised */
  repeats: number;
  /** taken, and not acknowledged to the broker yet */
  unacknowledged: number;
  sessionsLost: number;
}

/** What only the running program knows, beside the store's own figures: listeners, brokers, spool. */
export interface StatusSource {
  version: string;
  startedMs: number;
  /** why the product is not ready, in words; empty = ready */
  reasons(): string[];
  listeners(): ListenerStatus[];
  brokers(): BrokerStatus[];
  spool(): {
    items: number;
    bytes: number;
    /** of what is kept, and of what is not yet in the store */
    oldestMs: number | null;
    waitingSinceMs: number | null;
    /** of the disk it is on, and below how much nothing more is accepted; null = not known */
    diskFreeBytes: number | null;
    refuseBelowBytes: number | null;
  };
  /** The receiving collector's own count, seen from what the store has (highest batch by collector); null when it cannot say now. */
  tally(storedSeqs: Map<string, number>): Promise<CollectorTally | null>;
  /** counters for /metrics: name without prefix -> value, labels in braces allowed */
  counters(): {
    name: string;
    help: string;
    type: 'counter' | 'gauge';
    samples: { labels: Record<string, string>; value: number }[];
  }[];
}
