import { statSync } from 'node:fs';
import type { RejectReason } from '#lib/domain/ingest-batch.ts';
import { signal } from '#lib/domain/ingest-batch.ts';
import type { Books, Store } from '../store.ts';
import type { Database } from './database.ts';

type BookReads = Pick<Store, 'books' | 'gaps' | 'addGap' | 'status'>;

export const bookReads = (db: Database): BookReads => ({
  // one snapshot: retention moves figures from one table to another
  books: () =>
    db.snapshot(async (session) => {
      const rows = await session.all<BookRow>(
        `SELECT signal, sum(received)::BIGINT AS received, sum(stored)::BIGINT AS stored, sum(duplicate)::BIGINT AS duplicate, sum(rejected)::BIGINT AS rejected
         FROM (SELECT signal, received, stored, duplicate, rejected FROM batches
               UNION ALL SELECT signal, received, stored, duplicate, rejected FROM settled_batches)
         GROUP BY signal`,
      );
      const collectors = await session.all<CollectorRow>(
        `SELECT s.value AS id, max(seq) AS highest, sum(received)::BIGINT AS received, sum(stored)::BIGINT AS stored,
           sum(duplicate)::BIGINT AS duplicate, sum(rejected)::BIGINT AS rejected
         FROM (SELECT collector, seq, received, stored, duplicate, rejected FROM batches
               UNION ALL SELECT collector, through_seq, received, stored, duplicate, rejected FROM settled_batches)
         JOIN strings s ON s.id = collector GROUP BY s.value ORDER BY s.value`,
      );
      const reasons = await session.all<{ reason: RejectReason; count: bigint }>(
        `SELECT reason, sum(count)::BIGINT AS count FROM (SELECT reason, count FROM rejections UNION ALL SELECT reason, count FROM settled_rejections)
         GROUP BY reason ORDER BY reason`,
      );
      const bySignal = (['traces', 'metrics', 'mqtt'] as const).map((name) => {
        const row = rows.find((found) => found.signal === signal[name]);
        return {
          signal: name,
          received: Number(row?.received ?? 0),
          stored: Number(row?.stored ?? 0),
          duplicate: Number(row?.duplicate ?? 0),
          rejected: Number(row?.rejected ?? 0),
        };
      });
      const sum = (figure: 'received' | 'stored' | 'duplicate' | 'rejected') =>
        bySignal.reduce((total, row) => total + row[figure], 0);
      const books: Books = {
        received: sum('received'),
        stored: sum('stored'),
        duplicate: sum('duplicate'),
        rejected: sum('rejected'),
        rejectedByReason: Object.fromEntries(reasons.map(({ reason, count }) => [reason, Number(count)])),
        bySignal,
        byCollector: collectors.map((row) => ({
          collectorId: row.id,
          highestSeq: Number(row.highest),
          received: Number(row.received),
          stored: Number(row.stored),
          duplicate: Number(row.duplicate),
          rejected: Number(row.rejected),
        })),
      };
      return books;
    }),

  async gaps(fromMs, toMs) {
    const rows = await db.all<{ from_ms: bigint; to_ms: bigint; whose: string; what: string }>(
      'SELECT * FROM gaps WHERE to_ms >= $1 AND from_ms < $2 ORDER BY from_ms, whose',
      [fromMs, toMs],
    );
    return rows.map((row) => ({
      fromMs: Number(row.from_ms),
      toMs: Number(row.to_ms),
      whose: row.whose,
      what: row.what,
    }));
  },

  addGap: (gap) =>
    db.write(async (tx) => {
      await tx.run('INSERT INTO gaps VALUES ($1, $2, $3, $4)', [gap.fromMs, gap.toMs, gap.whose, gap.what]);
    }),

  async status() {
    const [row] = await db.all<{ spans: bigint; version: string }>(
      'SELECT count(*) AS spans, version() AS version FROM spans',
    );
    return {
      engine: `DuckDB ${row?.version ?? ''}`.trim(),
      location: db.path,
      bytesOnDisk: bytesOf(db.path) + bytesOf(`${db.path}.wal`),
      spans: Number(row?.spans ?? 0),
      warnings: [],
    };
  },
});

interface Figures {
  received: bigint;
  stored: bigint;
  duplicate: bigint;
  rejected: bigint;
}

interface BookRow extends Figures {
  signal: number;
}

interface CollectorRow extends Figures {
  id: string;
  highest: bigint;
}

function bytesOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
