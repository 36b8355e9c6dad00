import { problemAnswer, problemOf } from '#app/_http.ts';
import { hopscope } from '#app/_server.ts';
import { streams } from '#app/api/v1/stream/_streams.ts';
import type { StatusSource } from '#lib/views/status-source.ts';
import { type Metric, prometheusText } from './_prometheus.ts';

export const dynamic = 'force-dynamic';

type Books = Awaited<ReturnType<ReturnType<typeof hopscope>['store']['books']>>;

/** Prometheus text. Numbers about this product, none about the fleet. */
export async function GET(): Promise<Response> {
  try {
    const { store, status } = hopscope();
    const [books, storeStatus] = await Promise.all([store.books(), store.status()]);
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

function bookMetrics(books: Books, status: StatusSource): Metric[] {
  const spool = status.spool();
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
    gauge(
      'books_residual',
      'received - stored - duplicate - rejected: 0 when the books balance',
      books.received - books.stored - books.duplicate - books.rejected,
    ),
    gauge('spool_items', 'Items acknowledged and not yet stored', spool.items),
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
