import type { Counter, SpoolStatus } from '#lib/domain/collector-report.ts';
import type { IntakeStats } from './messages.ts';

/** The intake's figures as Prometheus samples (names without the `hopscope_` prefix). */
export function countersOf(stats: IntakeStats): Counter[] {
  const perListener = (of: (listener: IntakeStats['listeners'][number]) => Record<string, number>, label: string) =>
    stats.listeners.flatMap((listener) =>
      Object.entries(of(listener)).map(([key, value]) => ({
        labels: { listener: listener.name, [label]: key },
        value,
      })),
    );
  return [
    {
      name: 'received_items_total',
      help: 'Items acknowledged since the start: spans, data points, MQTT messages.',
      type: 'counter',
      samples: Object.entries(stats.received).map(([signal, value]) => ({ labels: { signal }, value })),
    },
    {
      name: 'answers_total',
      help: 'Answers by listener and status.',
      type: 'counter',
      samples: perListener((listener) => listener.answers, 'status'),
    },
    {
      name: 'refused_total',
      help: 'Requests and messages turned away, by reason.',
      type: 'counter',
      samples: perListener((listener) => listener.refused, 'reason'),
    },
    one(
      'mqtt_repeats_total',
      'Messages that were sent again and recognised.',
      'counter',
      [...stats.listeners, ...stats.brokers].reduce((sum, { repeats = 0 }) => sum + repeats, 0),
    ),
    one('log_records_ignored_total', 'OTLP log records: answered, not kept.', 'counter', stats.logRecordsIgnored),
    one(
      'mqtt_messages_dropped_total',
      'QoS 0 messages that found no room while the spool refused.',
      'counter',
      stats.messagesDropped,
    ),
    one(
      'body_bytes_in_flight',
      'Bytes of request bodies being read or waiting for the disk.',
      'gauge',
      stats.bodyBytesInFlight,
    ),
    one('spool_bytes', 'Size of the spool, kept batches included.', 'gauge', stats.spool?.bytes ?? 0),
    one(
      'spool_batches',
      'Acknowledged batches that are not yet in the store.',
      'gauge',
      stats.spool?.spooledBatches ?? 0,
    ),
    one(
      'store_batches_underway',
      'Batches handed to the store and not yet stored.',
      'gauge',
      stats.drain.batchesUnderway,
    ),
    {
      name: 'broker_connected',
      help: '1 while the connection to a broker of yours is up.',
      type: 'gauge',
      // by number: names of brokers are names
      samples: stats.brokers.map(({ state }, i) => ({
        labels: { broker: String(i + 1) },
        value: Number(state === 'connected'),
      })),
    },
  ];
}

/** null: the spool is being opened, or cannot say */
export const spoolStatusOf = (spool: IntakeStats['spool']): SpoolStatus => ({
  items: Object.values(spool?.spooledItems ?? {}).reduce((sum, items) => sum + items, 0),
  bytes: spool?.bytes ?? 0,
  oldestMs: spool?.oldestMs ?? null,
  diskFreeBytes: spool?.diskFreeBytes ?? null,
  refuseBelowBytes: spool?.refuseBelowBytes ?? null,
  waitingSinceMs: spool?.waitingSinceMs ?? null,
});

/** What the pages' process says of itself and all collectors, as far as one collector knows it; by the same names. */
export function collectorMetrics(
  { spool }: IntakeStats,
  now: { isReady: boolean; startedMs: number; nowMs: number },
): Counter[] {
  const { items, waitingSinceMs } = spoolStatusOf(spool);
  return [
    one('ready', '1 when data can come in', 'gauge', Number(now.isReady)),
    one('start_time_seconds', 'When the program started, Unix time', 'gauge', now.startedMs / 1000),
    one('spool_items', 'Items acknowledged and not yet stored', 'gauge', items),
    one(
      'store_lag_seconds',
      'How long the oldest of them has waited',
      'gauge',
      waitingSinceMs === null ? 0 : Math.max(0, now.nowMs - waitingSinceMs) / 1000,
    ),
    ...(spool === null
      ? []
      : [
          one('disk_free_bytes', 'Free on the disk of the spool', 'gauge', spool.diskFreeBytes),
          one('disk_refuse_below_bytes', 'With less nothing more is accepted', 'gauge', spool.refuseBelowBytes),
        ]),
  ];
}

const one = (name: string, help: string, type: Counter['type'], value: number): Counter => ({
  name,
  help,
  type,
  samples: [{ labels: {}, value }],
});
