import { collectorHostPrefix } from '#lib/domain/placing.ts';
import type { Resource } from '#lib/domain/span.ts';
import { type EpochMillis, minuteOf } from '#lib/domain/units.ts';
import type {
  AuditSteps,
  AuditStore,
  AuditTx,
  BatchRange,
  ClockToSave,
  DeviceEventToSave,
  DeviceSaid,
  DeviceSighting,
  EdgeColumns,
  GaugeReading,
  HopToSave,
  MomentColumns,
  OffsetColumns,
  PlacedDevice,
  PlacingRow,
  ResourceRow,
  RouteAnswer,
  RouteQuestion,
  SiteToSave,
  StoredObservation,
  TracedDestination,
  WaitingRoute,
} from '../audit-store.ts';
import * as sql from './audit-sql.ts';
import type { Database } from './database.ts';
import type { Param, Tx } from './session.ts';

export const duckDbAuditStore = (database: Database, _dictionary?: unknown): AuditStore => ({
  audit: new DuckdbAudit(database),
});

/** The audit's side of the embedded engine. All work runs on the audit's own connection, one transaction at a time. */
export class DuckdbAudit implements AuditSteps {
  readonly #database: Pick<Database, 'audit'>;

  constructor(database: Pick<Database, 'audit'>) {
    this.#database = database;
  }

  transaction<T>(work: (tx: AuditTx) => Promise<T>): Promise<T> {
    return this.#database.audit(async (tx) => {
      const audit = new DuckdbAuditTx(tx);
      const result = await work(audit);
      await audit.dropMade();
      return result;
    });
  }
}

const dayMs = 86_400_000;
/** A start further before its arrival than this is a wrong clock, not an old span. */
const oldestStartMs = dayMs;
const answeredKey = 'audit.answered_until_ms';

let made = 0;

class DuckdbAuditTx implements AuditTx {
  readonly #tx: Tx;
  readonly #made = new Set<string>();

  constructor(tx: Tx) {
    this.#tx = tx;
  }

  /**
   * A new text every time, so that it is prepared anew: a prepared CREATE ... AS that runs again over replaced tables makes a table
   * without columns (DuckDB 1.5.6).
   */
  async #make(create: string, params: readonly Param[] = []): Promise<void> {
    this.#made.add(/TABLE (\w+)/.exec(create)![1]!);
    await this.#tx.run(`${create} -- ${++made}`, params);
  }

  /** A statement that changes one of them: prepared anew for the same reason. */
  async #change(statement: string): Promise<void> {
    await this.#tx.run(`${statement} -- ${++made}`);
  }

  /** Temporary tables hold memory that the next pass needs. */
  async dropMade(): Promise<void> {
    for (const name of this.#made) await this.#tx.run(`DROP TABLE IF EXISTS ${name}`);
  }

  // ---- 1 advance

  async batchesToRead(maxSpans: number, recentMs: EpochMillis): Promise<BatchRange[]> {
    const cursors = new Map<number, bigint>();
    // What retention dropped will not come again: a cursor stands behind it
    const known = await this.#tx.all<{ collector: number; seq: bigint }>(
      `SELECT collector, max(seq) AS seq FROM (SELECT collector, seq FROM audit_cursors UNION ALL SELECT collector, through_seq FROM settled_batches) GROUP BY collector`,
    );
    for (const row of known) cursors.set(row.collector, row.seq);
    const batches = await this.#tx.columns<[Int32Array, BigInt64Array, BigInt64Array, Int32Array, Uint8Array]>(
      `SELECT b.collector, b.seq, b.arrival_ms, b.stored, b.signal FROM batches b LEFT JOIN audit_cursors c ON c.collector = b.collector
       WHERE b.arrival_ms >= $1 AND b.seq > coalesce(c.seq, 0) ORDER BY b.collector, b.seq`,
      [recentMs],
    );
    const ranges = new Map<number, BatchRange>();
    const [collectors, seqs, arrivals, stored, signals] = batches.values;
    let spans = 0;
    const full = new Set<number>();
    for (let i = 0; i < batches.rowCount; i++) {
      const collector = collectors[i]!;
      const after = cursors.get(collector) ?? 0n;
      const range = ranges.get(collector) ?? {
        collector,
        after,
        upto: after,
        spans: 0,
        batches: 0,
        oldestArrivalMs: Number.MAX_SAFE_INTEGER,
      };
      if (full.has(collector) || seqs[i]! <= range.upto) continue;
      if (seqs[i]! !== range.upto + 1n || (spans >= maxSpans && ranges.size > 0)) {
        full.add(collector);
        continue;
      }
      range.upto = seqs[i]!;
      range.batches++;
      range.oldestArrivalMs = Math.min(range.oldestArrivalMs, Number(arrivals[i]));
      if (signals[i] === 1) {
        range.spans += stored[i]!;
        spans += stored[i]!;
      }
      ranges.set(collector, range);
    }
    return [...ranges.values()];
  }

  async advance(ranges: readonly BatchRange[]): Promise<void> {
    for (const range of ranges) {
      await this.#tx.run('DELETE FROM audit_cursors WHERE collector = $1', [range.collector]);
      await this.#tx.run('INSERT INTO audit_cursors VALUES ($1, $2)', [range.collector, range.upto]);
    }
  }

  // ---- 2 place

  async resourcesAfter(id: number): Promise<ResourceRow[]> {
    const rows = await this.#tx.all<StoredResource>(
      'SELECT * EXCLUDE (attributes) FROM resources WHERE id > $1 ORDER BY id',
      [id],
    );
    return rows.map(resourceRow);
  }

  async resourcesOf(ids: readonly number[]): Promise<ResourceRow[]> {
    const rows = await this.#tx.all<StoredResource>(
      'SELECT * EXCLUDE (attributes) FROM resources WHERE id IN (SELECT unnest($1::INTEGER[])) ORDER BY id',
      [ids],
    );
    return rows.map(resourceRow);
  }

  placings(): Promise<PlacingRow[]> {
    return this.#tx.all('SELECT resource, device, site, application FROM placings ORDER BY resource');
  }

  async devices(): Promise<PlacedDevice[]> {
    const rows = await this.#tx.all<StoredDevice>('SELECT * FROM devices ORDER BY number');
    return rows.map((row) => ({
      number: row.number,
      id: row.id,
      name: row.name,
      site: row.site,
      applications: JSON.parse(row.applications) as string[],
      services: JSON.parse(row.services) as string[],
      state: row.state,
      reason: row.reason,
      sinceMs: Number(row.since_ms),
      lastSeenMs: Number(row.last_seen_ms),
      intervalMs: row.interval_ms,
    }));
  }

  sites(): Promise<SiteToSave[]> {
    return this.#tx.all('SELECT id, name, lat, lon FROM sites ORDER BY id');
  }

  async collectorNumbers(names: readonly string[]): Promise<number[]> {
    if (names.length === 0) return [];
    const rows = await this.#tx.all<{ id: number; value: string }>(
      'SELECT id, value FROM strings WHERE value IN (SELECT unnest($1::VARCHAR[]))',
      [names.map((name) => name.slice(collectorHostPrefix.length))],
    );
    const ids = new Map(rows.map((row) => [row.value, row.id]));
    return names.map((name) => ids.get(name.slice(collectorHostPrefix.length)) ?? 0);
  }

  async savePlacings(rows: readonly PlacingRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#tx.run('DELETE FROM placings WHERE resource IN (SELECT unnest($1::INTEGER[]))', [
      rows.map((row) => row.resource),
    ]);
    for (const row of rows) {
      await this.#tx.run('INSERT INTO placings VALUES ($1, $2, $3, $4)', [
        row.resource,
        row.device,
        row.site,
        row.application,
      ]);
    }
  }

  async saveDevices(rows: readonly PlacedDevice[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#tx.run('DELETE FROM devices WHERE number IN (SELECT unnest($1::INTEGER[]))', [
      rows.map((row) => row.number),
    ]);
    const column = <K extends keyof PlacedDevice>(key: K) => rows.map((row) => row[key]);
    await this.#tx.append('devices', rows.length, [
      column('number'),
      column('id'),
      column('name'),
      column('site'),
      rows.map((row) => JSON.stringify(row.applications)),
      column('state'),
      column('reason'),
      column('sinceMs'),
      column('lastSeenMs'),
      column('intervalMs'),
      rows.map((row) => JSON.stringify(row.services)),
    ]);
    this.#tx.flush();
  }

  async saveSites(rows: readonly SiteToSave[]): Promise<void> {
    for (const row of rows) {
      await this.#tx.run('DELETE FROM sites WHERE id = $1', [row.id]);
      await this.#tx.run('INSERT INTO sites VALUES ($1, $2, $3, $4)', [row.id, row.name, row.lat, row.lon]);
    }
  }

  // ---- 3 pair

  async gather(
    ranges: readonly BatchRange[],
    sinceMs: EpochMillis,
  ): Promise<{ spans: number; around: number; callers: number }> {
    const tx = this.#tx;
    const cursors = await tx.all<{ collector: number; seq: bigint }>('SELECT collector, seq FROM audit_cursors');
    const all = new Map(cursors.map((row) => [row.collector, { after: row.seq, upto: row.seq }]));
    for (const range of ranges) all.set(range.collector, { after: range.after, upto: range.upto });
    const list = [...all.values()];
    await this.#make(sql.rangesTable, [[...all.keys()], list.map((r) => r.after), list.map((r) => r.upto)]);
    await this.#make(sql.newTracesTable(ranges.length), boundsOf(ranges));
    await this.#make(sql.touchedTable, [sinceMs]);
    await this.#make(sql.foundTable, [sinceMs]);
    await this.#make(sql.aroundTable);
    if ((await tx.all<{ n: number }>(sql.twiceQuery))[0]!.n > 0) await this.#change(sql.dropTwice);
    await this.#make(sql.linksTable, [sinceMs]);
    await this.#make(sql.passagesTable, [sinceMs]);
    const some = async (query: string): Promise<boolean> => (await tx.all<{ n: number }>(query))[0]!.n > 0;
    await this.#make(sql.pairsTable);
    if (await some(sql.linksExist)) {
      await this.#make(sql.linkedPairsTable);
      await this.#change(sql.addLinkedPairs);
    }
    await this.#make(sql.affectedTable);
    if (await some(sql.anyUntouched)) await this.#change(sql.dropUntouched);
    if (await some(sql.severalServers)) await this.#change(sql.dropOtherServers);
    const [counts] = await tx.all<{ spans: number; around: number; callers: number }>(
      `SELECT (SELECT count(*) FROM a_around WHERE fresh)::INTEGER AS spans, (SELECT count(*) FROM a_around)::INTEGER AS around,
              (SELECT count(*) FROM a_affected)::INTEGER AS callers`,
    );
    return counts!;
  }

  async routes(): Promise<RouteQuestion[]> {
    const rows = await this.#tx.all<RouteRow>(sql.routesQuery);
    return rows.map((row) => ({
      callerResource: row.caller_resource,
      calleeResource: row.callee_resource,
      message: row.message,
      callerSystem: row.caller_system_name,
      calleeSystem: row.callee_system_name,
      callerDestination: row.caller_destination_name,
      calleeDestination: row.callee_destination_name,
      broker: row.broker_name,
      key: [row.caller_system, row.callee_system, row.caller_destination, row.callee_destination, row.broker],
    }));
  }

  async saveHops(hops: readonly HopToSave[], traced: readonly TracedDestination[]): Promise<void> {
    for (const h of hops) {
      await this.#tx.run('INSERT INTO hops VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)', [
        h.hop,
        h.from.service,
        h.from.site,
        h.from.application,
        h.to.service,
        h.to.site,
        h.to.application,
        h.system,
        h.destination,
        h.firstMs,
      ]);
    }
    for (const t of traced) {
      await this.#tx.run('INSERT INTO audit_traced VALUES ($1, $2, $3, $4, $5)', [
        t.fromService,
        t.fromSite,
        t.system,
        t.destination,
        t.hop,
      ]);
    }
  }

  async hops(): Promise<HopToSave[]> {
    const rows = await this.#tx.all<StoredHop>('SELECT * FROM hops');
    return rows.map((row) => ({
      hop: row.hop,
      from: { service: row.from_service, site: row.from_site, application: row.from_application },
      to: { service: row.to_service, site: row.to_site, application: row.to_application },
      system: row.system,
      destination: row.destination,
      firstMs: Number(row.first_ms),
    }));
  }

  traced(): Promise<TracedDestination[]> {
    return this.#tx.all(
      'SELECT from_service AS "fromService", from_site AS "fromSite", system, destination, hop FROM audit_traced',
    );
  }

  async answerRoutes(answers: readonly RouteAnswer[]): Promise<void> {
    const column = (of: (answer: RouteAnswer) => unknown): string => answers.map(of).join(',');
    // An empty text splits into one empty word, which is no number
    if (answers.length === 0) {
      await this.#make(`${sql.routesTable} LIMIT 0`, Array<string>(12).fill('0'));
    } else {
      await this.#make(sql.routesTable, [
        column((a) => a.question.callerResource),
        column((a) => a.question.calleeResource),
        column((a) => a.question.message),
        ...[0, 1, 2, 3, 4].map((i) => column((a) => a.question.key[i])),
        column((a) => a.hop),
        column((a) => Math.round(a.floorNanos)),
        column((a) => Math.round(a.directFloorNanos)),
        column((a) => Math.round(a.uplinkFloorNanos)),
      ]);
    }
    await this.#make(sql.freshTable, [oldestStartMs]);
  }

  freshEdges(): Promise<EdgeColumns> {
    return this.#edges(sql.edgesOf('a_fresh'));
  }

  freshMoments(): Promise<MomentColumns> {
    return this.#moments(sql.momentsOf('a_fresh'));
  }

  async writeCrossings(
    moments: MomentColumns,
    offsets: OffsetColumns,
    settleAtMs: (minute: number) => EpochMillis,
  ): Promise<number> {
    const tx = this.#tx;
    await this.#offsets(moments, offsets);
    const [old] = await tx.all<{ n: number }>(sql.anyOldCaller);
    await this.#make(old!.n > 0 ? sql.oldCrossingsTable : `${sql.oldCrossingsTable} LIMIT 0`);
    if (old!.n > 0) await tx.run('DELETE FROM crossings WHERE rowid IN (SELECT r FROM a_old)');
    const written = await tx.run(sql.insertCrossings);
    await tx.run(sql.markDirty);
    const [waiting] = await tx.all<{ n: number }>(
      'SELECT count(*)::INTEGER AS n FROM (SELECT 1 FROM unanswered LIMIT 1)',
    );
    if (waiting!.n > 0) {
      await this.#make(sql.answeredNow);
      await tx.run(
        'INSERT INTO audit_dirty SELECT DISTINCT hop, minute FROM a_answered EXCEPT SELECT hop, minute FROM audit_dirty',
      );
      await tx.run('DELETE FROM unanswered WHERE rowid IN (SELECT r FROM a_answered)');
    }
    const due = await tx.all<{ minute: number }>(
      'SELECT DISTINCT minute FROM a_fresh WHERE caller_device <> callee_device OR passage_ns IS NOT NULL EXCEPT SELECT minute FROM audit_due',
    );
    for (const { minute } of due) await tx.run('INSERT INTO audit_due VALUES ($1, $2)', [minute, settleAtMs(minute)]);
    return written;
  }

  async writeTraces(): Promise<number> {
    await this.#make(sql.tracesTable);
    const [old] = await this.#tx.all<{ n: number }>(sql.anyOldTrace);
    if (old!.n > 0) await this.#tx.run(sql.dropTraces);
    return this.#tx.run(sql.insertTraces);
  }

  async writeTopicMinutes(ranges: readonly BatchRange[]): Promise<void> {
    await this.#make(sql.newTopicsTable(ranges.length), boundsOf(ranges));
    const minutes = await this.#tx.all<{ minute: number }>('SELECT DISTINCT minute FROM a_topics');
    for (const { minute } of minutes) {
      await this.#tx.run(
        'DELETE FROM topic_minutes WHERE minute = $1 AND topic IN (SELECT topic FROM a_topics WHERE minute = $1)',
        [minute],
      );
      // Only what the cursor has passed: a batch behind a hole is added when its turn comes
      await this.#tx.run(
        `INSERT INTO topic_minutes
         SELECT t.topic, t.minute, sum(t.messages)::INTEGER, sum(t.payload_bytes)::BIGINT, sum(t.retained)::INTEGER, max(t.last_ms)
         FROM topic_traffic t JOIN a_range a ON a.collector = t.collector AND t.seq <= a.upto
         WHERE t.minute = $1 AND t.topic IN (SELECT topic FROM a_topics WHERE minute = $1) GROUP BY t.topic, t.minute`,
        [minute],
      );
    }
  }

  // ---- clocks

  edgesBetween(fromSecond: number, toSecond: number): Promise<EdgeColumns> {
    // Crossings are found by minute, which a constant prunes; a minute is that of the caller's start, or of its arrival where that was absurd
    return this.#edges(
      sql.edgesOf(
        `(SELECT * FROM crossings WHERE minute >= $1 AND minute <= $2 AND caller_start_ns >= $3 AND caller_start_ns < $4)`,
      ),
      [
        minuteOf(fromSecond * 1000),
        minuteOf(toSecond * 1000),
        BigInt(fromSecond) * 1_000_000_000n,
        BigInt(toSecond) * 1_000_000_000n,
      ],
    );
  }

  async observationsOf(ranges: readonly BatchRange[]): Promise<StoredObservation[]> {
    const found: StoredObservation[] = [];
    for (const range of ranges) {
      found.push(
        ...(await this.#observations('o.collector = $1 AND o.seq > $2 AND o.seq <= $3 AND o.arrival_ms >= $4', [
          range.collector,
          range.after,
          range.upto,
          range.oldestArrivalMs,
        ])),
      );
    }
    return found;
  }

  observationsBetween(fromSecond: number, toSecond: number): Promise<StoredObservation[]> {
    return this.#observations('o.at_ns >= $1 AND o.at_ns < $2', [
      BigInt(fromSecond) * 1_000_000_000n,
      BigInt(toSecond) * 1_000_000_000n,
    ]);
  }

  async minutesToSettle(nowMs: EpochMillis, limit: number): Promise<number[]> {
    const rows = await this.#tx.all<{ minute: number }>(
      'SELECT minute FROM audit_due WHERE due_ms <= $1 ORDER BY minute LIMIT $2',
      [nowMs, limit],
    );
    return rows.map((row) => row.minute);
  }

  momentsOf(minute: number): Promise<MomentColumns> {
    return this.#moments(sql.momentsOf('(SELECT * FROM crossings WHERE minute = $1)'), [minute]);
  }

  async settle(minute: number, moments: MomentColumns, offsets: OffsetColumns): Promise<number> {
    await this.#offsets(moments, offsets);
    await this.#make(sql.settledTable, [minute]);
    const [settled] = await this.#tx.all<{ n: number }>('SELECT count(*)::INTEGER AS n FROM a_settled');
    const changed = settled!.n;
    if (changed > 0) {
      await this.#tx.run(sql.settleUpdate, [minute]);
      await this.#tx.run(
        'INSERT INTO audit_dirty SELECT DISTINCT of_hop, $1::INTEGER FROM a_settled EXCEPT SELECT hop, minute FROM audit_dirty',
        [minute],
      );
    }
    await this.#tx.run('DELETE FROM audit_due WHERE minute = $1', [minute]);
    return changed;
  }

  async saveClocks(minute: number, rows: readonly ClockToSave[]): Promise<void> {
    await this.#tx.run('DELETE FROM clocks WHERE minute = $1', [minute]);
    const whole = (value: number | null): bigint | null => (value === null ? null : BigInt(Math.round(value)));
    await this.#tx.append('clocks', rows.length, [
      rows.map((row) => row.device),
      rows.map((row) => row.minute),
      rows.map((row) => whole(row.offsetNanos)),
      rows.map((row) => whole(row.boundNanos)),
      rows.map((row) => row.method),
    ]);
    this.#tx.flush();
  }

  // ---- minutes

  async writeMinutes(): Promise<{ minutes: number; crossings: number }> {
    const tx = this.#tx;
    const [waiting] = await tx.all<{ n: number }>(
      'SELECT count(*)::INTEGER AS n FROM (SELECT 1 FROM audit_dirty LIMIT 1)',
    );
    if (waiting!.n === 0) return { minutes: 0, crossings: 0 };
    await this.#make(sql.dirtyTable, [20_000]);
    const [dirty] = await tx.all<{ n: number }>('SELECT count(*)::INTEGER AS n FROM a_dirty');
    let crossings = 0;
    for (const { minute } of await tx.all<{ minute: number }>(sql.dirtyMinutes)) {
      const hops = 'hop IN (SELECT hop FROM a_dirty WHERE minute = $1)';
      await this.#make(sql.minuteCrossings, [minute]);
      const [read] = await tx.all<{ n: number }>('SELECT count(*)::INTEGER AS n FROM a_minute');
      crossings += read!.n;
      await tx.run(`DELETE FROM hop_minutes WHERE minute = $1 AND ${hops}`, [minute]);
      await tx.run(`DELETE FROM hop_minute_buckets WHERE minute = $1 AND ${hops}`, [minute]);
      await tx.run(sql.insertHopMinutes, [minute]);
      await tx.run(sql.insertBuckets, [minute]);
      await tx.run(`DELETE FROM audit_dirty WHERE minute = $1 AND ${hops}`, [minute]);
    }
    return { minutes: dirty!.n, crossings };
  }

  // ---- unanswered

  async answeredUntil(): Promise<EpochMillis> {
    const [row] = await this.#tx.all<{ value: string }>('SELECT value FROM meta WHERE key = $1', [answeredKey]);
    return row ? Number(row.value) : 0;
  }

  async waitingRoutes(fromMs: EpochMillis, toMs: EpochMillis): Promise<WaitingRoute[]> {
    await this.#make(sql.waitingTable, [fromMs, toMs]);
    const rows = await this.#tx.all<{
      resource: number;
      system: number;
      destination: number;
      system_name: string;
      destination_name: string;
    }>(sql.waitingRoutes);
    return rows.map(({ system_name, destination_name, ...row }) => ({
      ...row,
      systemName: system_name,
      destinationName: destination_name,
    }));
  }

  async countUnanswered(
    fromMs: EpochMillis,
    toMs: EpochMillis,
    routes: readonly { route: WaitingRoute; hop: bigint }[],
  ): Promise<number> {
    const tx = this.#tx;
    let missing = 0;
    if (routes.length > 0) {
      missing = await tx.run(sql.insertUnanswered, [
        routes.map(({ route }) => route.resource),
        routes.map(({ route }) => route.system),
        routes.map(({ route }) => route.destination),
        routes.map(({ hop }) => hop),
        oldestStartMs,
        minuteOf(fromMs - oldestStartMs),
        minuteOf(toMs + 300_000),
      ]);
      if (missing > 0) {
        await tx.run(
          `INSERT INTO audit_dirty SELECT DISTINCT u.hop, u.minute FROM unanswered u
           SEMI JOIN a_waiting w ON w.trace_lo = u.trace_lo AND w.span_id = u.span_id AND w.trace_hi = u.trace_hi
           EXCEPT SELECT hop, minute FROM audit_dirty`,
        );
      }
    }
    await tx.run('DELETE FROM meta WHERE key = $1', [answeredKey]);
    await tx.run('INSERT INTO meta VALUES ($1, $2)', [answeredKey, String(toMs)]);
    return missing;
  }

  hopTraffic(sinceMinute: number): Promise<{ hop: bigint; count: number }[]> {
    return this.#tx.all(
      'SELECT hop, sum(count)::DOUBLE AS count FROM hop_minutes WHERE minute >= $1 AND count > 0 GROUP BY hop',
      [sinceMinute],
    );
  }

  // ---- devices

  async sightingsOf(ranges: readonly BatchRange[]): Promise<DeviceSighting[]> {
    const found: DeviceSighting[] = [];
    for (const range of ranges) {
      found.push(
        ...(await this.#sightings('collector = $1 AND seq > $2 AND seq <= $3 AND arrival_ms >= $4', [
          range.collector,
          range.after,
          range.upto,
          range.oldestArrivalMs,
        ])),
      );
    }
    return found;
  }

  sightingsSince(arrivalMs: EpochMillis): Promise<DeviceSighting[]> {
    return this.#sightings('arrival_ms >= $1', [arrivalMs]);
  }

  async reportsOf(ranges: readonly BatchRange[]): Promise<DeviceSaid[]> {
    const found: DeviceSaid[] = [];
    for (const range of ranges) {
      found.push(
        ...(await this.#reports(
          'SELECT * FROM device_reports WHERE collector = $1 AND seq > $2 AND seq <= $3 AND arrival_ms >= $4',
          [range.collector, range.after, range.upto, range.oldestArrivalMs],
        )),
      );
    }
    return found;
  }

  lastReports(): Promise<DeviceSaid[]> {
    return this.#reports(
      `SELECT resource, arg_max(state, (arrival_ms, seq)) AS state, arg_max(time_ms, (arrival_ms, seq)) AS time_ms,
              arg_max(retained, (arrival_ms, seq)) AS retained, max(arrival_ms) AS arrival_ms FROM device_reports GROUP BY resource`,
      [],
    );
  }

  /** Utilization as one number; per CPU and state it is what is not idle (memory: what is used), averaged over the CPUs. */
  async gauges(sinceMs: EpochMillis): Promise<GaugeReading[]> {
    const rows = await this.#tx.all<{ resource: number; metric: string; time_ms: bigint; value: number }>(
      `SELECT p.resource, m.value AS metric, p.time_ms,
              coalesce(avg(p.value) FILTER (a.value = ''), CASE WHEN m.value = 'system.cpu.utilization'
                THEN 1 - avg(p.value) FILTER (contains(a.value, '"idle"')) ELSE avg(p.value) FILTER (contains(a.value, '"used"')) END) AS value
       FROM data_points p
       JOIN strings m ON m.id = p.metric AND m.value IN ('system.cpu.utilization', 'system.memory.utilization')
       JOIN strings a ON a.id = p.attributes
       WHERE p.arrival_ms >= $1 GROUP BY p.resource, m.value, p.time_ms ORDER BY p.time_ms`,
      [sinceMs],
    );
    return rows
      .filter((row) => row.value !== null)
      .map((row) => ({
        resource: row.resource,
        metric: row.metric === 'system.cpu.utilization' ? 'cpu' : 'memory',
        timeMs: Number(row.time_ms),
        value: row.value,
      }));
  }

  async saveEvents(events: readonly DeviceEventToSave[]): Promise<void> {
    for (const e of events) {
      await this.#tx.run('INSERT INTO device_events VALUES ($1, $2, $3, $4, $5)', [
        e.device,
        e.timeMs,
        e.from,
        e.to,
        e.reason,
      ]);
    }
  }

  // ---- shared

  async #edges(query: string, params: readonly (number | bigint)[] = []): Promise<EdgeColumns> {
    const set = await this.#tx.columns<[Int32Array, Int32Array, Int32Array, Float64Array, Uint8Array]>(query, params);
    const [from, to, second, least, kind] = set.values;
    return { count: set.rowCount, from, to, second, least, kind };
  }

  async #moments(query: string, params: readonly number[] = []): Promise<MomentColumns> {
    const set = await this.#tx.columns<[Int32Array, Int32Array, Int32Array, Int32Array]>(query, params);
    const [caller, callee, broker, second] = set.values;
    return { count: set.rowCount, caller, callee, broker, second };
  }

  async #offsets(moments: MomentColumns, offsets: OffsetColumns): Promise<void> {
    const n = moments.count;
    if (n === 0) {
      await this.#make(`${sql.offsetsTable} LIMIT 0`, Array<string>(10).fill('0'));
      return;
    }
    const whole = (values: Float64Array): string => {
      const words = new Array<string>(n);
      for (let i = 0; i < n; i++) words[i] = Number.isNaN(values[i]!) ? '' : String(Math.round(values[i]!));
      return words.join(',');
    };
    await this.#make(sql.offsetsTable, [
      moments.caller.subarray(0, n).join(','),
      moments.callee.subarray(0, n).join(','),
      moments.broker.subarray(0, n).join(','),
      moments.second.subarray(0, n).join(','),
      offsets.label.subarray(0, n).join(','),
      whole(offsets.offset),
      whole(offsets.bound),
      whole(offsets.brokerOffset),
      whole(offsets.brokerBound),
      whole(offsets.downlinkBound),
    ]);
  }

  async #observations(where: string, params: readonly (number | bigint)[]): Promise<StoredObservation[]> {
    const rows = await this.#tx.all<{
      from_resource: number;
      to_resource: number;
      second: number;
      source: string;
      broker: string;
      raw: number;
    }>(
      `SELECT o.from_resource, o.to_resource, (o.at_ns // 1000000000)::INTEGER AS second, o.source, coalesce(b.value, '') AS broker, min(o.raw_ns)::DOUBLE AS raw
       FROM clock_observations o LEFT JOIN strings b ON b.id = o.broker
       WHERE ${where} AND o.source <> 'export' GROUP BY ALL`,
      params,
    );
    return rows.map((row) => ({
      fromResource: row.from_resource,
      toResource: row.to_resource,
      second: row.second,
      rawNanos: row.raw,
      source: row.source,
      broker: row.broker,
    }));
  }

  async #sightings(where: string, params: readonly (number | bigint)[]): Promise<DeviceSighting[]> {
    const rows = await this.#tx.all<{
      resource: number;
      source: string;
      arrival_ms: bigint;
      interval_ms: number | null;
    }>(
      `SELECT resource, source, arrival_ms, max(interval_ms) AS interval_ms FROM sightings WHERE ${where} GROUP BY ALL ORDER BY arrival_ms`,
      params,
    );
    return rows.map((row) => ({
      resource: row.resource,
      source: row.source,
      arrivalMs: Number(row.arrival_ms),
      intervalMs: row.interval_ms,
    }));
  }

  async #reports(query: string, params: readonly (number | bigint)[]): Promise<DeviceSaid[]> {
    const rows = await this.#tx.all<{
      resource: number;
      state: 'online' | 'offline';
      time_ms: bigint;
      retained: boolean;
      arrival_ms: bigint;
    }>(`SELECT resource, state, time_ms, retained, arrival_ms FROM (${query}) ORDER BY arrival_ms`, params);
    return rows.map((row) => ({
      resource: row.resource,
      state: row.state,
      timeMs: Number(row.time_ms),
      retained: row.retained,
      arrivalMs: Number(row.arrival_ms),
    }));
  }
}

/** Four parameters a range, as audit-sql.ts asks for them. */
const boundsOf = (ranges: readonly BatchRange[]): (number | bigint)[] =>
  ranges.flatMap((range) => [range.collector, range.after, range.upto, range.oldestArrivalMs]);

interface StoredResource {
  id: number;
  service: string;
  namespace: string;
  instance: string;
  version: string;
  host_id: string;
  host_name: string;
  sdk_language: string;
  site: string;
  locality: string;
  lat: number | null;
  lon: number | null;
  cloud_region: string;
}

const resourceRow = (row: StoredResource): ResourceRow => ({ id: row.id, resource: resourceOf(row) });
const resourceOf = (row: StoredResource): Resource => ({
  serviceName: row.service,
  serviceNamespace: row.namespace,
  serviceInstanceId: row.instance,
  serviceVersion: row.version,
  hostId: row.host_id,
  hostName: row.host_name,
  sdkLanguage: row.sdk_language,
  site: row.site,
  locality: row.locality,
  lat: row.lat,
  lon: row.lon,
  cloudRegion: row.cloud_region,
  attributesJson: '',
});

interface StoredDevice {
  number: number;
  id: string;
  name: string;
  site: string;
  applications: string;
  state: string;
  reason: string;
  since_ms: bigint;
  last_seen_ms: bigint;
  interval_ms: number | null;
  services: string;
}

interface StoredHop {
  hop: bigint;
  from_service: string;
  from_site: string;
  from_application: string;
  to_service: string;
  to_site: string;
  to_application: string;
  system: string;
  destination: string;
  first_ms: bigint;
}

interface RouteRow {
  caller_resource: number;
  callee_resource: number;
  message: boolean;
  caller_system: number;
  callee_system: number;
  caller_destination: number;
  callee_destination: number;
  broker: number;
  caller_system_name: string;
  callee_system_name: string;
  caller_destination_name: string;
  callee_destination_name: string;
  broker_name: string;
}
