import { problemAnswer, problemOf } from '#app/_http.ts';
import { hopscope } from '#app/_server.ts';
import { streams } from '#app/api/v1/stream/_streams.ts';
import type { Counter, HeardCollector } from '#lib/domain/collector-report.ts';
import { prometheusText } from '#lib/prometheus-text.ts';
import { type CollectorBooks, collectorBooks, lagMsOf, sumOf } from '#lib/views/collector-books.ts';
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
      ...collectorMetrics(books.collectors, status.collectors(), Date.now()),
      ...joined(status.counters(), status.collectors()),
    ];
    return new Response(prometheusText(metrics), {
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' },
    });
  } catch (error) {
    return problemAnswer(problemOf(error));
  }
}

const gauge = (name: string, help: string, value: number): Counter => ({
  name,
  help,
  type: 'gauge',
  samples: [{ labels: {}, value }],
});

function bookMetrics({ books, collectors }: AllBooks, status: StatusSource): Counter[] {
  const disks = (name: string, help: string, figure: 'diskFreeBytes' | 'refuseBelowBytes'): Counter => ({
    name,
    help,
    type: 'gauge',
    samples: ofEverybody(status).flatMap(({ labels, spool }) => {
      const value = spool[figure];
      return value === null ? [] : [{ labels, value }];
    }),
  });
  const sums = sumOf(collectors);
  const nowMs = Date.now();
  const lagsMs = collectors.map((row) => lagMsOf(row, nowMs));
  const of = (name: string, help: string, figure: 'received' | 'stored' | 'duplicate'): Counter => ({
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
    disks('disk_free_bytes', 'Free on the disk of the spool', 'diskFreeBytes'),
    disks('disk_refuse_below_bytes', 'With less nothing more is accepted', 'refuseBelowBytes'),
    {
      name: 'broker_connected',
      help: '1 while the connection to this broker stands',
      type: 'gauge',
      // by number: names of brokers are names
      samples: ofEverybody(status).flatMap(({ labels, brokers }) =>
        brokers.map((broker, i) => ({
          labels: { ...labels, broker: String(i + 1) },
          value: Number(broker.state === 'connected' || broker.state === 'listening'),
        })),
      ),
    },
  ];
}

/** What this process says of itself bears no label; what a collector said in another bears its id. */
const ofEverybody = (status: StatusSource) => [
  { labels: {}, spool: status.spool(), brokers: status.brokers() },
  ...status.collectors().map(({ report: { collectorId, spool, brokers } }) => {
    return { labels: { collector: collectorId }, spool, brokers };
  }),
];

function collectorMetrics(
  collectors: readonly CollectorBooks[],
  heard: readonly HeardCollector[],
  nowMs: number,
): Counter[] {
  const each = (name: string, help: string, figureOf: (row: CollectorBooks) => number | null): Counter => ({
    name: `collector_${name}`,
    help,
    type: 'gauge',
    samples: collectors.flatMap((row) => {
      const value = figureOf(row);
      return value === null ? [] : [{ labels: { collector: row.collectorId }, value }];
    }),
  });
  return [
    each('receiving', '1 while this collector was heard of late', ({ current }) => Number(current)),
    each('items_acknowledged', 'Items it counted before it acknowledged them', ({ received }) => received),
    each('items_stored', 'Of them stored', ({ stored }) => stored),
    each('items_duplicate', 'Of them dropped because they were stored already', ({ duplicate }) => duplicate),
    each('items_rejected', 'Of them refused for good', ({ rejected }) => rejected),
    each('items_spooled', 'Of them not yet stored', ({ spooled }) => spooled),
    each('books_residual', '0 when its books balance', ({ residual }) => residual),
    each('store_lag_seconds', 'How long the oldest of the spooled has waited', (row) => lagMsOf(row, nowMs) / 1000),
    {
      name: 'collector_heard_time_seconds',
      help: 'When a collector in another process was last heard, Unix time',
      type: 'gauge',
      samples: heard.map(({ report: { collectorId, version }, heardMs }) => {
        return { labels: { collector: collectorId, version }, value: heardMs / 1000 };
      }),
    },
  ];
}

/** The counters of all, those of one name together: the format allows each name once. */
function joined(own: readonly Counter[], heard: readonly HeardCollector[]): Counter[] {
  const theirs = heard.flatMap(({ report: { collectorId, counters } }) =>
    counters.map((counter) => ({
      ...counter,
      samples: counter.samples.map(({ labels, value }) => ({ labels: { ...labels, collector: collectorId }, value })),
    })),
  );
  const byName = new Map<string, Counter>();
  for (const counter of [...own, ...theirs]) {
    const known = byName.get(counter.name);
    byName.set(counter.name, known ? { ...known, samples: [...known.samples, ...counter.samples] } : counter);
  }
  return [...byName.values()];
}
