/** What only the running program knows, beside the store's own figures: listeners, brokers, spool. */
export interface StatusSource {
  version: string;
  startedMs: number;
  /** why the product is not ready, in words; empty = ready */
  reasons(): string[];
  listeners(): { name: string; address: string | null; state: string }[];
  brokers(): { name: string; state: string; sinceMs: number | null }[];
  spool(): {
    items: number;
    bytes: number;
    /** of what is kept, and of what is not yet in the store */
    oldestMs: number | null;
    waitingSinceMs: number | null;
  };
  /** counters for /metrics: name without prefix -> value, labels in braces allowed */
  counters(): {
    name: string;
    help: string;
    type: 'counter' | 'gauge';
    samples: { labels: Record<string, string>; value: number }[];
  }[];
}
