import { problemAnswer, problemOf } from '#app/_http.ts';
import { hopscope } from '#app/_server.ts';
import { streams } from '#app/api/v1/stream/_streams.ts';
import { type Metric, prometheusText } from '#lib/prometheus-text.ts';
import { collectorBooks, sumOf } from '#lib/views/collector-books.ts';
import type { StatusSource } from '#lib/views/status-source.ts';

export const dynamic = 'force-dynamic';

type AllBooks = Awaited<ReturnType<typeof collectorBooks>>;

/** Prometheus text. Numbers about this product, none about the fleet. */
export async function GET(): Promise<Response> {
  try {
    const { store, status } = hopscope();
    const [books, storeStatus] = await Promise.all([collectorBooks(store, status), store.status()]);
    const metrics = [
      ...bookMetrics(books, status),
      gauge('store_bytes', 'Bytes of the store on disk', storeStatus.bytesOnDisk),
      gauge('store_spans', 'Spans in the store', storeStatus.spans),
      gauge('streams_open', 'Open event streams', streams().size),
      ...status.counters(),
    ];
    return new Response(prometheusText(metrics), {
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' },
    });
  } catch (error) {
    return problemAnswer(problemOf(error));
  }
}

const gauge = (name: string, help: string, value: number): Metric => ({
  name,
  help,
  type: 'gauge',
  samples: [{ labels: {}, value }],
});

function bookMetrics({ books, collectors }: AllBooks, status: StatusSource): Metric[] {
  const spool = status.spool();
  const sums = sumOf(collectors);
  const nowMs = Date.now();
  const lagsMs = collectors.map(({ oldestSpooledMs }) => (oldestSpooledMs === null ? 0 : nowMs - oldestSpooledMs));
  const of = (name: string, help: string, figure: 'received' | 'stored' | 'duplicate'): Metric => ({
    name,
    help,
    type: 'counter',
    samples: books.bySignal.map((row) => ({ labels: { signal: row.signal }, value: row[figure] })),
  });
  return [
    gauge('ready', '1 when data can come in and be asked for', Number(status.reasons().length === 0)),
    gauge('start_time_seconds', 'When the program started, Unix time', status.startedMs / 1000),
    of('items_received_total', 'Spans, data points and messages that reached the store', 'received'),
    of('items_stored_total', 'Items stored', 'stored'),
    of('items_duplicate_total', 'Items dropped because they were stored already', 'duplicate'),
    {
      name: 'items_rejected_total',
      help: 'Items refused for good, by reason',
      type: 'counter',
      samples: Object.entries(books.rejectedByReason).map(([reason, value]) => ({ labels: { reason }, value })),
    },
    gauge('items_acknowledged', 'Items counted at the door before they were acknowledged', sums.received),
    gauge(
      'books_residual',
      'acknowledged - stored - duplicate - rejected - spooled, each counted where it happens: 0 when the books balance',
      sums.residual,
    ),
    gauge('spool_items', 'Items acknowledged and not yet stored', sums.spooled),
    gauge('store_lag_seconds', 'How long the oldest of them has waited', Math.max(0, ...lagsMs) / 1000),
    ...(spool.diskFreeBytes === null
      ? []
      : [
          gauge('disk_free_bytes', 'Free on the disk of the spool', spool.diskFreeBytes),
          gauge('disk_refuse_below_bytes', 'With less nothing more is accepted', spool.refuseBelowBytes ?? 0),
        ]),
    {
      name: 'broker_connected',
      help: '1 while the connection to this broker stands',
      type: 'gauge',
      // by number: names of brokers are names
      samples: status.brokers().map((broker, i) => ({
        labels: { broker: String(i + 1) },
        value: Number(broker.state === 'connected' || broker.state === 'listening'),
      })),
    },
  ];
}
