import { type LiveState, type Slice, sliceOf } from '#lib/domain/live-verdict.ts';
import { collectorHostPrefix } from '#lib/domain/placing.ts';
import { type EpochMillis, minuteOf } from '#lib/domain/units.ts';
import type {
  AskedRoute,
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
  HeardMinute,
  HopBudget,
  HopState,
  HopStates,
  HopToSave,
  MinuteToSettle,
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
  UncheckedRange,
  WaitingRoute,
} from '../audit-store.ts';
import type { ClockFinding } from '../store.ts';
import * as live from './audit-live.ts';
import { type HopMinute, OpenMinutes, writeSums } from './audit-minutes.ts';
import {
  isCaller,
  type LinkRows,
  latestMs,
  minuteOfStart,
  Pairing,
  pairKey,
  pickSpans,
  readSpans,
  type SeenPassing,
  SpanIndex,
  SpanRows,
  traceKey,
  tracesOf,
  wordsOf,
} from './audit-pair.ts';
import * as sql from './audit-sql.ts';
import { listed } from './audit-sql.ts';
import { readFindings } from './clock-findings.ts';
import type { Database } from './database.ts';
import { resourceOf, type StoredResource } from './dictionary.ts';
import { type Param, type Tx, yieldToEvents } from './session.ts';

export const duckDbAuditStore = (database: Database, _dictionary?: unknown): AuditStore => ({
  audit: new DuckdbAudit(database),
});

/** The audit's side of the embedded engine. All work runs on the audit's own connection, one transaction at a time. */
export class DuckdbAudit implements AuditSteps {
  readonly #database: Pick<Database, 'audit'>;
  #kept: Kept | null = null;

  constructor(database: Pick<Database, 'audit'>) {
    this.#database = database;
  }

  transaction<T>(work: (tx: AuditTx) => Promise<T>): Promise<T> {
    return this.#transaction(work).catch((error: unknown) => {
      // What was added in memory may not be in the store
      this.#kept = null;
      throw error;
    });
  }

  #transaction<T>(work: (tx: AuditTx) => Promise<T>): Promise<T> {
    return this.#database.audit(async (tx) => {
      // Another connection: the file was opened again, and may have lost its last rows
      if (this.#kept?.connection !== tx)
        this.#kept = { connection: tx, texts: new Map([[0, '']]), minutes: new OpenMinutes(), devices: null };
      const audit = new DuckdbAuditTx(tx, this.#kept);
      const result = await work(audit);
      await audit.dropMade();
      return result;
    });
  }
}

/** What outlives a transaction: copies of rows that are committed. */
interface Kept {
  connection: Tx;
  texts: Map<number, string>;
  minutes: OpenMinutes;
  /** resource -> device; null: to be read */
  devices: Map<number, number> | null;
}
const mostTexts = 50_000;

const dayMs = 86_400_000;
const judgedKey = 'audit.judged_until_slice';
const minutesAtOnce = 20_000;

/** Traces around what is new, by the low half of their ids as one text: a list parameter costs a native call for every element. */
interface Touched {
  all: string;
  /** those that an earlier pass read */
  old: string;
  oldTraces: { rowid: bigint; hi: bigint; lo: bigint; firstArrivalMs: bigint }[];
}
interface Filled {
  links: boolean;
  passages: boolean;
  unanswered: boolean;
}
type Cursors = ReadonlyMap<number, { after: bigint; upto: bigint }>;

const listedSigned = (param: string): string => `(SELECT unnest(string_split(${param}, ',')::BIGINT[]))`;
const readSoFar = (collectors: string, seqs: string): string =>
  `(SELECT unnest(string_split(${collectors}, ',')::INTEGER[]) AS collector, unnest(string_split(${seqs}, ',')::BIGINT[]) AS upto)`;
const uptos = (cursors: Cursors): [string, string] => [
  [...cursors.keys()].join(','),
  [...cursors.values()].map(({ upto }) => upto).join(','),
];

class HopMinutes {
  readonly #hops = new Map<number, Set<bigint>>();

  get size(): number {
    return this.#hops.size;
  }

  add({ hop, minute }: HopMinute): void {
    const hops = this.#hops.get(minute);
    if (hops) hops.add(hop);
    else this.#hops.set(minute, new Set([hop]));
  }

  delete({ hop, minute }: HopMinute): void {
    this.#hops.get(minute)?.delete(hop);
  }

  all(): HopMinute[] {
    return [...this.#hops].flatMap(([minute, hops]) => Array.from(hops, (hop) => ({ hop, minute })));
  }
}

let made = 0;

class DuckdbAuditTx implements AuditTx {
  readonly #tx: Tx;
  readonly #kept: Kept;
  readonly #made = new Set<string>();
  #rows: SpanRows | null = null;
  #index: SpanIndex | null = null;
  #pairing: Pairing | null = null;

  constructor(tx: Tx, kept: Kept) {
    this.#tx = tx;
    this.#kept = kept;
  }

  /**
   * A new text every time, so that it is prepared anew: a prepared CREATE ... AS that runs again over replaced tables makes a table
   * without columns (DuckDB 1.5.6).
   */
  async #make(create: string, params: readonly Param[] = []): Promise<void> {
    this.#made.add(/TABLE (\w+)/.exec(create)![1]!);
    await this.#tx.run(`${create} -- ${++made}`, params);
  }

  /** Temporary tables hold memory that the next pass needs. */
  async dropMade(): Promise<void> {
    for (const name of this.#made) await this.#tx.run(`DROP TABLE IF EXISTS ${name}`);
  }

  // ---- 1 advance

  async batchesToRead(maxSpans: number, recentMs: EpochMillis): Promise<BatchRange[]> {
    const cursors = new Map<number, bigint>();
    // What retention dropped will not come again: a cursor stands behind it
    const known = await this.#tx.all<{ collector: number; seq: bigint; read: boolean }>(
      `SELECT collector, seq, true AS read FROM audit_cursors UNION ALL SELECT collector, through_seq, false FROM settled_batches`,
    );
    for (const { collector, seq } of known) if (seq > (cursors.get(collector) ?? -1n)) cursors.set(collector, seq);
    const beyond = [...cursors].map((_, i) => `WHEN $${2 * i + 2} THEN $${2 * i + 3}::BIGINT`).join(' ');
    const batches = await this.#tx.columns<[Int32Array, BigInt64Array, BigInt64Array, Int32Array, Uint8Array]>(
      `SELECT collector, seq, arrival_ms, stored, signal FROM batches
       WHERE arrival_ms >= $1 ${beyond === '' ? '' : `AND seq > CASE collector ${beyond} ELSE 0 END`}`,
      [recentMs, ...[...cursors].flat()],
    );
    const [collectors, seqs, arrivals, stored, signals] = batches.values;
    const inOrder = Array.from({ length: batches.rowCount }, (_, i) => i).sort(
      (a, b) => collectors[a]! - collectors[b]! || Number(seqs[a]! - seqs[b]!),
    );
    const ranges = new Map<number, BatchRange>();
    let spans = 0;
    const full = new Set<number>();
    for (const i of inOrder) {
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

  async advance(ranges: readonly BatchRange[], nowMs: EpochMillis): Promise<void> {
    for (const range of ranges) {
      if (range.spans > 0)
        await this.#tx.run('INSERT INTO audit_unchecked VALUES ($1, $2, $3, $4, $5, $6)', [
          range.collector,
          range.after,
          range.upto,
          range.oldestArrivalMs,
          range.spans,
          nowMs,
        ]);
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
    this.#kept.devices = null;
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
    const cursors = await this.#cursors(ranges);
    const fresh = await this.#freshRows(ranges);
    const touched = await this.#touchedBefore(fresh.traces, sinceMs);
    const old = await this.#oldSpans(touched, cursors, sinceMs);
    const parts = old === null ? fresh.spans : [old, ...fresh.spans];
    const rows = new SpanRows(parts, old === null ? 0 : old[0].length);
    await yieldToEvents();
    const index = new SpanIndex(rows);
    await yieldToEvents();
    const links = await this.#linksFrom(touched, cursors, sinceMs);
    this.#rows = rows;
    this.#index = index;
    this.#pairing = new Pairing({
      rows,
      index,
      links,
      passages: await this.#passagesOf(rows, index, touched, cursors, sinceMs),
      devices: await this.#devicesOfResources(),
      messaging: links.count > 0 ? await this.#messagingSystems() : new Set(),
    });
    let dropped = 0;
    for (let i = rows.firstFresh; i < rows.count; i++) dropped += index.dropped?.[i] ?? 0;
    return { spans: rows.count - rows.firstFresh - dropped, around: rows.count, callers: this.#pairing.affected.size };
  }

  /** Every collector, also those with nothing new (after = upto). */
  async #cursors(ranges: readonly BatchRange[]): Promise<Map<number, { after: bigint; upto: bigint }>> {
    const rows = await this.#tx.all<{ collector: number; seq: bigint }>('SELECT collector, seq FROM audit_cursors');
    const cursors = new Map(rows.map((row) => [row.collector, { after: row.seq, upto: row.seq }]));
    for (const range of ranges) cursors.set(range.collector, { after: range.after, upto: range.upto });
    return cursors;
  }

  /** New spans, and every trace that anything new belongs to or points at. */
  async #freshRows(
    ranges: readonly BatchRange[],
  ): Promise<{ spans: Awaited<ReturnType<typeof readSpans>>[]; traces: Set<bigint> }> {
    const where = 'collector = $1 AND seq > $2 AND seq <= $3 AND arrival_ms >= $4';
    const spans = [];
    const traces = new Set<bigint>();
    for (const range of ranges) {
      const bounds = boundsOf(range);
      const read = await readSpans(this.#tx, where, bounds);
      spans.push(read);
      let before = 0n;
      for (const traceLo of read[1]) {
        if (traceLo !== before) traces.add(traceLo);
        before = traceLo;
      }
      const others = await this.#tx.columns<[BigUint64Array]>(
        `SELECT trace_lo FROM passages WHERE ${where} UNION ALL SELECT to_trace_lo FROM links WHERE ${where}`,
        bounds,
      );
      for (const traceLo of others.values[0]) traces.add(traceLo);
    }
    return { spans, traces };
  }

  /**
   * Which of these traces were there before this pass, with those that link into them: their consumers may have come first.
   * Every span that was read has its trace in `traces`, an eighth of the rows or less.
   */
  async #touchedBefore(traces: ReadonlySet<bigint>, sinceMs: EpochMillis): Promise<Touched> {
    const all = [...traces].join(',');
    const touched: Touched = { all, old: '', oldTraces: [] };
    if (traces.size === 0) return touched;
    if (await this.#any('links')) {
      const linking = await this.#tx.columns<[BigUint64Array]>(
        `SELECT DISTINCT trace_lo FROM links WHERE to_trace_lo IN ${listed('$1')} AND arrival_ms >= $2`,
        [all, sinceMs],
      );
      if (linking.rowCount > 0) touched.all = [...new Set([...traces, ...linking.values[0]])].join(',');
    }
    const old = await this.#tx.columns<[BigInt64Array, BigUint64Array, BigUint64Array, BigInt64Array]>(
      `SELECT rowid, trace_hi, trace_lo, coalesce(first_arrival_ms, 0) FROM traces WHERE trace_lo IN ${listed('$1')} AND arrival_ms >= $2`,
      [touched.all, sinceMs],
    );
    const [rowids, his, los, firsts] = old.values;
    for (let i = 0; i < old.rowCount; i++) {
      touched.oldTraces.push({ rowid: rowids[i]!, hi: his[i]!, lo: los[i]!, firstArrivalMs: firsts[i]! });
    }
    touched.old = [...new Set(los)].join(',');
    this.#oldTraces = touched.oldTraces;
    return touched;
  }
  #oldTraces: Touched['oldTraces'] = [];

  /** Whether there is anything at all: most installations have no links, few have nobody who answers. */
  async #any(table: keyof Filled): Promise<boolean> {
    const exists = (name: string) => `EXISTS (SELECT 1 FROM ${name}) AS ${name}`;
    if (!this.#filled) {
      const [row] = await this.#tx.all<Filled>(`SELECT ${['links', 'passages', 'unanswered'].map(exists).join(', ')}`);
      this.#filled = row!;
    }
    return this.#filled[table];
  }
  #filled: Filled | null = null;

  /** Spans of these traces that were read by an earlier pass. Which rows, then the rows: the wide columns only where something was found. */
  async #oldSpans(
    touched: Touched,
    cursors: Cursors,
    sinceMs: EpochMillis,
  ): Promise<Awaited<ReturnType<typeof readSpans>> | null> {
    if (touched.old === '') return null;
    const found = await readSpans(
      this.#tx,
      `rowid IN (SELECT rowid FROM spans WHERE trace_lo IN ${listed('$1')} AND arrival_ms >= $2)`,
      [touched.old, sinceMs],
    );
    const [collectors, seqs] = [found[15], found[16]];
    const read: number[] = [];
    for (let i = 0; i < collectors.length; i++)
      if (seqs[i]! <= (cursors.get(collectors[i]!)?.after ?? -1n)) read.push(i);
    return read.length === 0 ? null : pickSpans(found, read);
  }

  async #linksFrom(touched: Touched, cursors: Cursors, sinceMs: EpochMillis): Promise<LinkRows> {
    const none = new Uint32Array(0);
    const links: LinkRows = { count: 0, hi: none, lo: none, id: none, toHi: none, toLo: none, toId: none };
    if (touched.all === '' || !(await this.#any('links'))) return links;
    const found = await this.#tx.columns<BigUint64Array[]>(
      `SELECT DISTINCT l.trace_hi, l.trace_lo, l.span_id, l.to_trace_hi, l.to_trace_lo, l.to_span_id
       FROM links l JOIN ${readSoFar('$3', '$4')} a ON a.collector = l.collector AND l.seq <= a.upto
       WHERE l.trace_lo IN ${listed('$1')} AND l.arrival_ms >= $2`,
      [touched.all, sinceMs, ...uptos(cursors)],
    );
    const [hi, lo, id, toHi, toLo, toId] = found.values.map(wordsOf);
    return { count: found.rowCount, hi: hi!, lo: lo!, id: id!, toHi: toHi!, toLo: toLo!, toId: toId! };
  }

  /** A message that several brokers passed on is dated by the first. */
  async #passagesOf(
    rows: SpanRows,
    index: SpanIndex,
    touched: Touched,
    cursors: Cursors,
    sinceMs: EpochMillis,
  ): Promise<Map<number, SeenPassing>> {
    const passages = new Map<number, SeenPassing>();
    if (touched.all === '' || !(await this.#any('passages'))) return passages;
    const found = await this.#tx.columns<
      [BigUint64Array, BigUint64Array, BigUint64Array, BigInt64Array, Int32Array, Int32Array, BigInt64Array]
    >(
      `SELECT trace_hi, trace_lo, span_id, receive_ns, broker, collector, seq FROM passages
       WHERE trace_lo IN ${listed('$1')} AND arrival_ms >= $2`,
      [touched.all, sinceMs],
    );
    const [his, los, ids, received, brokers, collectors, seqs] = found.values;
    const [hi, lo, id] = [wordsOf(his), wordsOf(los), wordsOf(ids)];
    for (let i = 0; i < found.rowCount; i++) {
      const cursor = cursors.get(collectors[i]!);
      if (!cursor || seqs[i]! > cursor.upto) continue;
      const row = index.find(hi, lo, id, i, i);
      if (row < 0 || !isCaller(rows, row)) continue;
      const before = passages.get(row);
      const first = !before || received[i]! < before.ns || (received[i] === before.ns && brokers[i]! < before.broker);
      passages.set(row, {
        ns: first ? received[i]! : before.ns,
        broker: first ? brokers[i]! : before.broker,
        device: first ? -1 - collectors[i]! : before.device,
        fresh: (before?.fresh ?? false) || seqs[i]! > cursor.after,
      });
    }
    return passages;
  }

  async #devicesOfResources(): Promise<Map<number, number>> {
    if (this.#kept.devices) return this.#kept.devices;
    const { rowCount, values } = await this.#tx.columns<[Int32Array, Int32Array]>(
      'SELECT resource, device FROM placings',
    );
    const devices = new Map<number, number>();
    for (let i = 0; i < rowCount; i++) devices.set(values[0][i]!, values[1][i]!);
    this.#kept.devices = devices;
    return devices;
  }

  async #messagingSystems(): Promise<Set<number>> {
    const rows = await this.#tx.all<{ id: number }>(`SELECT id FROM strings WHERE value IN (${sql.messagingSystems})`);
    return new Set(rows.map((row) => row.id));
  }

  async routes(): Promise<RouteQuestion[]> {
    const texts = await this.#textsOf(this.#pairing!.texts());
    return this.#pairing!.questions((id) => texts.get(id) ?? '');
  }

  async #textsOf(ids: ReadonlySet<number>): Promise<ReadonlyMap<number, string>> {
    const { texts } = this.#kept;
    if (texts.size > mostTexts) texts.clear();
    const wanted = [...ids].filter((id) => !texts.has(id));
    if (wanted.length > 0) {
      const rows = await this.#tx.all<{ id: number; value: string }>(
        `SELECT id, value FROM strings WHERE id IN (SELECT unnest(string_split($1, ',')::INTEGER[]))`,
        [wanted.join(',')],
      );
      for (const { id, value } of rows) texts.set(id, value);
    }
    return texts;
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
    this.#pairing!.answer(answers);
  }

  async freshEdges(): Promise<EdgeColumns> {
    return this.#pairing!.edges();
  }

  async freshMoments(): Promise<MomentColumns> {
    return this.#pairing!.moments();
  }

  async writeCrossings(
    _moments: MomentColumns,
    offsets: OffsetColumns,
    settleAtMs: (minute: number) => EpochMillis,
  ): Promise<{ crossings: number; withdrawn: number[] }> {
    const tx = this.#tx;
    const pairing = this.#pairing!;
    const { minutes } = this.#kept;
    const { replaced, replacedCallers, withdrawn } = await this.#dropOldCrossings();
    await yieldToEvents();
    const judged = pairing.judge(offsets);
    await yieldToEvents();
    await tx.append('crossings', judged.length, pairing.columns(judged));
    tx.flush();

    const dirty = new HopMinutes();
    for (const old of replaced) dirty.add(old);
    for (const j of judged) {
      // counted before, in part or by another figure
      if (replacedCallers.has(j.caller)) minutes.forget(j);
      dirty.add(j);
    }
    minutes.beginPass();
    for (const old of replaced) minutes.forget(old);
    for (const j of judged) {
      const sums = minutes.get(j);
      if (sums) minutes.add(sums, j);
    }
    await this.#takeAnswered(
      judged.map((j) => j.caller),
      dirty,
    );
    await this.#markDirty(dirty);

    const due = new Set<number>();
    for (let p = 0; p < judged.length; p++) if (pairing.crossesClocks(p)) due.add(judged[p]!.minute);
    await this.#settleLater(due, settleAtMs);
    return { crossings: judged.length, withdrawn };
  }

  async #settleLater(due: Set<number>, settleAtMs: (minute: number) => EpochMillis): Promise<void> {
    const waiting = await this.#tx.all<{ minute: number }>('SELECT DISTINCT minute FROM audit_due');
    for (const { minute } of waiting) due.delete(minute);
    for (const minute of due) await this.#tx.run('INSERT INTO audit_due VALUES ($1, $2)', [minute, settleAtMs(minute)]);
  }

  /** Crossings of callers that had been there before; new callers cannot have any. */
  async #dropOldCrossings(): Promise<{
    replaced: HopMinute[];
    replacedCallers: Set<number>;
    withdrawn: number[];
  }> {
    const rows = this.#rows!;
    const callers = [...this.#pairing!.affected].filter((row) => row < rows.firstFresh);
    const replaced: HopMinute[] = [];
    const replacedCallers = new Set<number>();
    const withdrawn = new Set<number>();
    if (callers.length === 0) return { replaced, replacedCallers, withdrawn: [] };
    const minutes = callers.map((row) => minuteOfStart(rows.startNs[row]!, rows.arrivalMs[row]!));
    const found = await this.#tx.columns<
      [
        BigInt64Array,
        BigUint64Array,
        BigUint64Array,
        BigUint64Array,
        BigUint64Array,
        Int32Array,
        BigUint64Array,
        BigUint64Array,
      ]
    >(
      `SELECT rowid, caller_trace_hi, caller_trace_lo, caller_span, hop, minute, callee_trace_lo, callee_span FROM crossings
       WHERE minute >= $1 AND minute <= $2 AND caller_trace_lo IN ${listed('$3')}`,
      [Math.min(...minutes), Math.max(...minutes), callers.map((row) => rows.traceLo[row]).join(',')],
    );
    const [rowids, his, los, ids, hops, ofMinutes, calleeTraces, callees] = found.values;
    const [hi, lo, id] = [wordsOf(his), wordsOf(los), wordsOf(ids)];
    const stays = this.#pairing!.pairKeys((caller) => caller < rows.firstFresh);
    const drop: bigint[] = [];
    for (let i = 0; i < found.rowCount; i++) {
      const caller = this.#index!.find(hi, lo, id, i, i);
      if (!this.#pairing!.affected.has(caller)) continue;
      drop.push(rowids[i]!);
      replaced.push({ hop: hops[i]!, minute: ofMinutes[i]! });
      replacedCallers.add(caller);
      if (!stays.has(pairKey(caller, calleeTraces[i]!, callees[i]!))) withdrawn.add(ofMinutes[i]!);
    }
    if (drop.length > 0)
      await this.#tx.run(`DELETE FROM crossings WHERE rowid IN ${listedSigned('$1')}`, [drop.join(',')]);
    return { replaced, replacedCallers, withdrawn: [...withdrawn] };
  }

  /** A late answer takes the question away. */
  async #takeAnswered(callers: readonly number[], dirty: HopMinutes): Promise<void> {
    if (callers.length === 0 || !(await this.#any('unanswered'))) return;
    const rows = this.#rows!;
    const answered = new Set(callers);
    const found = await this.#tx.columns<
      [BigInt64Array, BigUint64Array, BigUint64Array, BigUint64Array, BigUint64Array, Int32Array]
    >(`SELECT rowid, trace_hi, trace_lo, span_id, hop, minute FROM unanswered WHERE trace_lo IN ${listed('$1')}`, [
      [...answered].map((row) => rows.traceLo[row]).join(','),
    ]);
    const [rowids, his, los, ids, hops, ofMinutes] = found.values;
    const [hi, lo, id] = [wordsOf(his), wordsOf(los), wordsOf(ids)];
    const drop: bigint[] = [];
    for (let i = 0; i < found.rowCount; i++) {
      if (!answered.has(this.#index!.find(hi, lo, id, i, i))) continue;
      drop.push(rowids[i]!);
      const at = { hop: hops[i]!, minute: ofMinutes[i]! };
      this.#kept.minutes.forget(at);
      dirty.add(at);
    }
    if (drop.length > 0)
      await this.#tx.run(`DELETE FROM unanswered WHERE rowid IN ${listedSigned('$1')}`, [drop.join(',')]);
  }

  async #markDirty(dirty: HopMinutes): Promise<void> {
    if (dirty.size === 0) return;
    const there = await this.#tx.columns<[BigUint64Array, Int32Array]>('SELECT hop, minute FROM audit_dirty');
    for (let i = 0; i < there.rowCount; i++) dirty.delete({ hop: there.values[0][i]!, minute: there.values[1][i]! });
    const rows = dirty.all();
    await this.#tx.append('audit_dirty', rows.length, [
      BigUint64Array.from(rows, (row) => row.hop),
      Int32Array.from(rows, (row) => row.minute),
    ]);
    this.#tx.flush();
  }

  async writeTraces(): Promise<number> {
    const before = new Map<string, bigint>();
    for (const { hi, lo, firstArrivalMs } of this.#oldTraces) {
      const known = before.get(traceKey(hi, lo));
      if (known === undefined || firstArrivalMs < known) before.set(traceKey(hi, lo), firstArrivalMs);
    }
    const traces = tracesOf(this.#rows!, this.#index!.dropped, before);
    await yieldToEvents();
    const again = new Set(traces.old.map(({ hi, lo }) => traceKey(hi, lo)));
    const drop = this.#oldTraces.filter(({ hi, lo }) => again.has(traceKey(hi, lo))).map(({ rowid }) => rowid);
    if (drop.length > 0)
      await this.#tx.run(`DELETE FROM traces WHERE rowid IN ${listedSigned('$1')}`, [drop.join(',')]);
    await this.#tx.append('traces', traces.count, traces.columns);
    this.#tx.flush();
    return traces.count;
  }

  async writeTopicMinutes(ranges: readonly BatchRange[]): Promise<void> {
    const touched = new Map<number, Set<number>>();
    for (const range of ranges) {
      const found = await this.#tx.columns<[Int32Array, Int32Array]>(
        `SELECT DISTINCT topic, minute FROM topic_traffic WHERE collector = $1 AND seq > $2 AND seq <= $3 AND arrival_ms >= $4`,
        boundsOf(range),
      );
      for (let i = 0; i < found.rowCount; i++) {
        const topics = touched.get(found.values[1][i]!) ?? new Set();
        touched.set(found.values[1][i]!, topics.add(found.values[0][i]!));
      }
    }
    if (touched.size === 0) return;
    const cursors = uptos(await this.#cursors(ranges));
    for (const [minute, topics] of touched) {
      const list = [...topics].join(',');
      const those = `minute = $1 AND topic IN (SELECT unnest(string_split($2, ',')::INTEGER[]))`;
      await this.#tx.run(`DELETE FROM topic_minutes WHERE ${those}`, [minute, list]);
      // Only what the cursor has passed: a batch behind a hole is added when its turn comes
      await this.#tx.run(
        `INSERT INTO topic_minutes
         SELECT t.topic, t.minute, sum(t.messages)::INTEGER, sum(t.payload_bytes)::BIGINT, sum(t.retained)::INTEGER, max(t.last_ms)
         FROM (SELECT * FROM topic_traffic WHERE ${those}) t
         JOIN ${readSoFar('$3', '$4')} a ON a.collector = t.collector AND t.seq <= a.upto GROUP BY t.topic, t.minute`,
        [minute, list, ...cursors],
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

  async minutesToSettle(nowMs: EpochMillis, limit: number): Promise<MinuteToSettle[]> {
    const due = await this.#tx.all<{ minute: number }>(
      'SELECT minute FROM audit_due WHERE due_ms <= $1 ORDER BY minute LIMIT $2',
      [nowMs, limit],
    );
    const minutes: MinuteToSettle[] = [];
    for (const { minute } of due) {
      const [row] = await this.#tx.all<{ n: bigint }>('SELECT count(*) AS n FROM crossings WHERE minute = $1', [
        minute,
      ]);
      minutes.push({ minute, crossings: Number(row!.n) });
    }
    return minutes;
  }

  /** A crossing without a row in hop_minutes was just written, and is due as it is. */
  async settleAgain(minutes: ReadonlySet<number>, settleAtMs: (minute: number) => EpochMillis): Promise<void> {
    if (minutes.size === 0) return;
    const heard = await this.#tx.all<{ minute: number }>(
      `SELECT DISTINCT minute FROM hop_minutes WHERE minute IN ${listedSigned('$1')}`,
      [[...minutes].join(',')],
    );
    await this.#settleLater(new Set(heard.map(({ minute }) => minute)), settleAtMs);
  }

  momentsOf(minute: number): Promise<MomentColumns> {
    return this.#moments(sql.momentsOf('(SELECT * FROM crossings WHERE minute = $1)'), [minute]);
  }

  async settle(
    minute: number,
    moments: MomentColumns,
    offsets: OffsetColumns,
    { part, parts }: { part: number; parts: number },
  ): Promise<number> {
    await this.#offsets(moments, offsets);
    await this.#make(sql.settledTable, [minute, part, parts]);
    const [settled] = await this.#tx.all<{ n: number }>('SELECT count(*)::INTEGER AS n FROM a_settled');
    const changed = settled!.n;
    if (changed > 0) {
      await this.#tx.run(sql.settleUpdate, [minute]);
      await this.#changed(
        await this.#tx.all(`SELECT DISTINCT of_hop AS hop, ${minute}::INTEGER AS minute FROM a_settled -- ${++made}`),
      );
    }
    if (part === parts - 1) await this.#tx.run('DELETE FROM audit_due WHERE minute = $1', [minute]);
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
      rows.map((row) => whole(row.lowNanos)),
      rows.map((row) => whole(row.highNanos)),
    ]);
    this.#tx.flush();
  }

  findings(sinceMs: EpochMillis): Promise<ClockFinding[]> {
    return readFindings(this.#tx, sinceMs, Number.MAX_SAFE_INTEGER);
  }

  async saveFindings(minute: number | null, rows: readonly ClockFinding[]): Promise<void> {
    if (minute !== null)
      await this.#tx.run(`DELETE FROM clock_findings WHERE time_ms >= $1 AND time_ms < $2 AND kind <> 'step'`, [
        minute * 60_000,
        (minute + 1) * 60_000,
      ]);
    for (const row of rows)
      await this.#tx.run('INSERT INTO clock_findings VALUES ($1, $2, $3, $4, $5)', [
        row.kind,
        row.timeMs,
        JSON.stringify(row.devices),
        JSON.stringify(row.sites),
        row.nanos === null ? null : BigInt(Math.round(row.nanos)),
      ]);
  }

  // ---- minutes

  /** What happened to these minutes is not that a crossing came: they are computed from all of them. */
  async #changed(minutes: readonly HopMinute[]): Promise<void> {
    const dirty = new HopMinutes();
    for (const at of minutes) {
      this.#kept.minutes.forget(at);
      dirty.add(at);
    }
    await this.#markDirty(dirty);
  }

  async writeMinutes(): Promise<{ minutes: number; crossings: number }> {
    const tx = this.#tx;
    const { minutes } = this.#kept;
    const dirty = await tx.columns<[BigUint64Array, Int32Array]>(
      'SELECT DISTINCT hop, minute FROM audit_dirty ORDER BY minute DESC LIMIT $1',
      [minutesAtOnce],
    );
    if (dirty.rowCount === 0) return { minutes: 0, crossings: 0 };
    const hopsOf = new Map<number, bigint[]>();
    for (let i = 0; i < dirty.rowCount; i++) {
      const [hop, minute] = [dirty.values[0][i]!, dirty.values[1][i]!];
      const hops = hopsOf.get(minute);
      if (hops) hops.push(hop);
      else hopsOf.set(minute, [hop]);
    }
    let crossings = 0;
    for (const [minute, hops] of hopsOf) {
      const added = hops.flatMap((hop) => minutes.get({ hop, minute }) ?? []);
      const turned = added.filter((sums) => sums.isCrossed !== sums.count > 0).map(({ hop }) => hop);
      if (added.length > 0) await writeSums(tx, minute, added);
      const others = hops.filter((hop) => !minutes.get({ hop, minute }));
      if (others.length > 0) {
        const before = await this.#crossedIn(minute, others);
        crossings += await this.#computeMinute(minute, others);
        await minutes.load(tx, minute, others);
        const after = await this.#crossedIn(minute, others);
        turned.push(...others.filter((hop) => before.has(hop) !== after.has(hop)));
      }
      await tx.append('audit_heard', turned.length, [BigUint64Array.from(turned), minute]);
      await live.markLive(tx, minute, hops);
      if (dirty.rowCount === minutesAtOnce)
        await tx.run(`DELETE FROM audit_dirty WHERE minute = $1 AND hop IN ${listed('$2')}`, [minute, hops.join(',')]);
    }
    if (dirty.rowCount < minutesAtOnce) await tx.run('DELETE FROM audit_dirty');
    return { minutes: dirty.rowCount, crossings };
  }

  async #crossedIn(minute: number, hops: readonly bigint[]): Promise<Set<bigint>> {
    const found = await this.#tx.columns<[BigUint64Array]>(
      `SELECT hop FROM hop_minutes WHERE minute = $1 AND count > 0 AND hop IN ${listed('$2')}`,
      [minute, hops.join(',')],
    );
    return new Set(found.values[0]);
  }

  /** Anew from its crossings. */
  async #computeMinute(minute: number, hops: readonly bigint[]): Promise<number> {
    const tx = this.#tx;
    const list = hops.join(',');
    await this.#make(sql.dirtyTable, [minute, list]);
    await this.#make(sql.minuteCrossings, [minute]);
    const [read] = await tx.all<{ n: number }>('SELECT count(*)::INTEGER AS n FROM a_minute');
    for (const table of ['hop_minutes', 'hop_minute_buckets'])
      await tx.run(`DELETE FROM ${table} WHERE minute = $1 AND hop IN ${listed('$2')}`, [minute, list]);
    await tx.run(sql.insertHopMinutes, [minute]);
    await tx.run(sql.insertBuckets, [minute]);
    return read!.n;
  }

  // ---- live verdicts

  applyBudgets(budgets: readonly HopBudget[], sinceMinute: number): Promise<void> {
    return live.applyBudgets(this.#tx, budgets, sinceMinute);
  }

  writeSlices(sinceMinute: number, budgetOf: (hop: bigint) => bigint | null): Promise<HopMinute[]> {
    return live.writeSlices(this.#tx, sinceMinute, budgetOf);
  }

  slicesOf(hops: readonly bigint[], fromSlice: number): Promise<Map<bigint, Slice[]>> {
    return live.slicesOf(this.#tx, hops, fromSlice);
  }

  heardSince(slice: number): Promise<{ hop: bigint; slice: number }[]> {
    return this.#tx.all(
      'SELECT hop, max(slice) AS slice FROM hop_slices WHERE minute >= $1 AND slice >= $2 GROUP BY hop',
      [Math.floor(slice / 6), slice],
    );
  }

  statesOf(hops: readonly bigint[], fromSlice: number): Promise<HopStates> {
    return live.statesOf(this.#tx, hops, fromSlice);
  }

  lastStates(): Promise<HopState[]> {
    return live.lastStates(this.#tx);
  }

  replaceStates(hop: bigint, fromSlice: number, states: readonly LiveState[]): Promise<void> {
    return live.replaceStates(this.#tx, hop, fromSlice, states);
  }

  async judgedUntil(): Promise<number | null> {
    const [row] = await this.#tx.all<{ value: string }>('SELECT value FROM meta WHERE key = $1', [judgedKey]);
    return row ? Number(row.value) : null;
  }

  async saveJudgedUntil(slice: number): Promise<void> {
    await this.#tx.run('DELETE FROM meta WHERE key = $1', [judgedKey]);
    await this.#tx.run('INSERT INTO meta VALUES ($1, $2)', [judgedKey, String(slice)]);
  }

  async forgetSlices(beforeMinute: number): Promise<void> {
    await this.#tx.run('DELETE FROM hop_slices WHERE minute < $1', [beforeMinute]);
  }

  // ---- unanswered

  async uncheckedRanges(readMs: EpochMillis, maxSpans: number): Promise<{ ranges: UncheckedRange[]; more: boolean }> {
    const rows = await this.#tx.all<{
      collector: number;
      after_seq: bigint;
      upto_seq: bigint;
      oldest_ms: bigint;
      spans: number;
    }>('SELECT * FROM audit_unchecked WHERE read_ms <= $1 ORDER BY read_ms, collector, upto_seq', [readMs]);
    const ranges: UncheckedRange[] = [];
    let spans = 0;
    for (const row of rows) {
      if (spans >= maxSpans) return { ranges, more: true };
      spans += row.spans;
      ranges.push({
        collector: row.collector,
        after: row.after_seq,
        upto: row.upto_seq,
        oldestArrivalMs: Number(row.oldest_ms),
      });
    }
    return { ranges, more: false };
  }

  async checked(ranges: readonly UncheckedRange[]): Promise<void> {
    for (const { collector, upto } of ranges)
      await this.#tx.run('DELETE FROM audit_unchecked WHERE collector = $1 AND upto_seq = $2', [collector, upto]);
  }

  async waitingIn(ranges: readonly UncheckedRange[]): Promise<WaitingRoute[]> {
    const parts = [];
    for (const range of ranges)
      parts.push(
        await readSpans(
          this.#tx,
          `collector = $1 AND seq > $2 AND seq <= $3 AND arrival_ms >= $4 AND ${sql.waitsForAnAnswer}`,
          [range.collector, range.after, range.upto, range.oldestArrivalMs],
        ),
      );
    return this.#waitFor(new SpanRows(parts, 0));
  }

  /** What a cursor has not passed, or what is still to be looked at, comes when its turn comes. */
  async waitingSince(minute: number, resources: readonly number[]): Promise<WaitingRoute[]> {
    if (resources.length === 0) return [];
    const found = await readSpans(
      this.#tx,
      `arrival_ms >= $1 AND start_ns >= $2 AND resource IN ${listedSigned('$3')} AND ${sql.waitsForAnAnswer}`,
      [minute * 60_000 - latestMs, BigInt(minute) * 60_000_000_000n, resources.join(',')],
    );
    const cursors = await this.#cursors([]);
    const { ranges } = await this.uncheckedRanges(Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY);
    const [collectors, seqs] = [found[15], found[16]];
    const looked: number[] = [];
    for (let i = 0; i < collectors.length; i++) {
      const [collector, seq] = [collectors[i]!, seqs[i]!];
      if (seq > (cursors.get(collector)?.upto ?? -1n)) continue;
      if (ranges.some((range) => range.collector === collector && seq > range.after && seq <= range.upto)) continue;
      looked.push(i);
    }
    return this.#waitFor(new SpanRows([pickSpans(found, looked)], 0));
  }

  /** Without those that have a crossing, and those that are counted already. */
  async #waitFor(rows: SpanRows): Promise<WaitingRoute[]> {
    const index = new SpanIndex(rows);
    const waiting = new Map<number, number>();
    for (let i = 0; i < rows.count; i++)
      if (!index.dropped?.[i]) waiting.set(i, minuteOfStart(rows.startNs[i]!, rows.arrivalMs[i]!));
    this.#waiting = null;
    if (waiting.size === 0) return [];
    const list = Array.from(waiting.keys(), (row) => rows.traceLo[row]).join(',');
    const leave = (found: { values: BigUint64Array[]; rowCount: number }): void => {
      const [hi, lo, id] = found.values.map(wordsOf);
      for (let i = 0; i < found.rowCount; i++) waiting.delete(index.find(hi!, lo!, id!, i, i));
    };
    let [first, last] = [Number.MAX_SAFE_INTEGER, 0];
    for (const minute of waiting.values()) {
      first = Math.min(first, minute);
      last = Math.max(last, minute);
    }
    leave(
      await this.#tx.columns(
        `SELECT caller_trace_hi, caller_trace_lo, caller_span FROM crossings
         WHERE minute >= $1 AND minute <= $2 AND caller_trace_lo IN ${listed('$3')}`,
        [first, last, list],
      ),
    );
    leave(
      await this.#tx.columns(`SELECT trace_hi, trace_lo, span_id FROM unanswered WHERE trace_lo IN ${listed('$1')}`, [
        list,
      ]),
    );
    const routes = new Map<string, WaitingRoute & { callers: number[] }>();
    for (const row of waiting.keys()) {
      const [resource, system, destination] = [rows.resource[row]!, rows.system[row]!, rows.destination[row]!];
      const key = `${resource} ${system} ${destination}`;
      const route = routes.get(key);
      if (route) route.callers.push(row);
      else routes.set(key, { resource, system, destination, systemName: '', destinationName: '', callers: [row] });
    }
    const found = [...routes.values()];
    const texts = await this.#textsOf(new Set(found.flatMap(({ system, destination }) => [system, destination])));
    for (const route of found) {
      route.systemName = texts.get(route.system) ?? '';
      route.destinationName = texts.get(route.destination) ?? '';
    }
    this.#waiting = { rows, minutes: waiting, callers: new Map(found.map((route) => [route, route.callers])) };
    return found;
  }
  #waiting: {
    rows: SpanRows;
    minutes: ReadonlyMap<number, number>;
    callers: ReadonlyMap<WaitingRoute, number[]>;
  } | null = null;

  async countUnanswered(routes: readonly AskedRoute[]): Promise<number> {
    if (!this.#waiting || routes.length === 0) return 0;
    const tx = this.#tx;
    const { rows, minutes, callers } = this.#waiting;
    const asked = routes.flatMap(({ asked: of, route }) =>
      callers.get(of)!.map((row) => ({ row, route, minute: minutes.get(row)! })),
    );
    const hopOf = await this.#lastToAnswer(new Map(routes.map(({ route, hops }) => [route, hops])), asked);
    const missing = asked.flatMap((one) => {
      const hop = hopOf(one);
      return hop === null ? [] : [{ ...one, hop, startMs: Number(rows.startNs[one.row]! / 1_000_000n) }];
    });
    if (missing.length === 0) return 0;
    await tx.append('unanswered', missing.length, [
      BigUint64Array.from(missing, ({ row }) => rows.traceHi[row]!),
      BigUint64Array.from(missing, ({ row }) => rows.traceLo[row]!),
      BigUint64Array.from(missing, ({ row }) => rows.spanId[row]!),
      BigUint64Array.from(missing, ({ hop }) => hop),
      Int32Array.from(missing, ({ minute }) => minute),
      // a start that was absurd says nothing about the ten seconds
      missing.map(({ minute, startMs }) => (minuteOf(startMs) === minute ? sliceOf(startMs) : null)),
      BigUint64Array.from(missing, ({ route }) => route),
    ]);
    tx.flush();
    this.#filled = null;
    await this.#changed(missing);
    return missing.length;
  }

  /** Of the hops of a route the one that answered last within the day up to a minute; of two in the same minute the lower number. */
  async #lastToAnswer(
    hopsOf: ReadonlyMap<bigint, readonly bigint[]>,
    asked: readonly { route: bigint; minute: number }[],
  ): Promise<(of: { route: bigint; minute: number }) => bigint | null> {
    const key = ({ route, minute }: { route: bigint; minute: number }): string => `${route} ${minute}`;
    const found = new Map<string, bigint>();
    const open = new Map(asked.map((one) => [key(one), one]));
    // who answers at all has mostly done so within minutes
    for (const reach of [10, dayMs / 60_000]) {
      const wanted = [...open.values()];
      if (wanted.length === 0) break;
      const pairs = [...new Set(wanted.map(({ route }) => route))].flatMap((route) =>
        hopsOf.get(route)!.map((hop) => ({ route, hop })),
      );
      const answered = await this.#tx.all<{ route: bigint; minute: number; hop: bigint }>(
        `SELECT DISTINCT ON (c.route, c.minute) c.route, c.minute, m.hop
         FROM (SELECT unnest(string_split($1, ',')::UBIGINT[]) AS route, unnest(string_split($2, ',')::INTEGER[]) AS minute) c
         JOIN (SELECT unnest(string_split($3, ',')::UBIGINT[]) AS route, unnest(string_split($4, ',')::UBIGINT[]) AS hop) r ON r.route = c.route
         JOIN hop_minutes m ON m.hop = r.hop AND m.minute <= c.minute AND m.minute > c.minute - $5::INTEGER
         WHERE m.count > 0 AND m.minute > $6 AND m.minute <= $7 ORDER BY c.route, c.minute, m.minute DESC, m.hop`,
        [
          wanted.map(({ route }) => route).join(','),
          wanted.map(({ minute }) => minute).join(','),
          pairs.map(({ route }) => route).join(','),
          pairs.map(({ hop }) => hop).join(','),
          reach,
          Math.min(...wanted.map(({ minute }) => minute)) - reach,
          Math.max(...wanted.map(({ minute }) => minute)),
        ],
      );
      for (const row of answered) {
        found.set(key(row), row.hop);
        open.delete(key(row));
      }
    }
    return (of) => found.get(key(of)) ?? null;
  }

  async takeHeard(): Promise<HeardMinute[]> {
    const tx = this.#tx;
    const heard = await tx.all<{ hop: bigint; minute: number }>('SELECT DISTINCT hop, minute FROM audit_heard');
    if (heard.length === 0) return [];
    await tx.run('DELETE FROM audit_heard');
    const lists = [heard.map(({ hop }) => hop).join(','), heard.map(({ minute }) => minute).join(',')];
    const near = await tx.all<{ hop: bigint; minute: number; before: number | null; after: number | null }>(
      `SELECT h.hop, h.minute, max(m.minute) FILTER (m.minute < h.minute) AS before, min(m.minute) FILTER (m.minute > h.minute) AS after
       FROM (SELECT unnest(string_split($1, ',')::UBIGINT[]) AS hop, unnest(string_split($2, ',')::INTEGER[]) AS minute) h
       LEFT JOIN hop_minutes m ON m.hop = h.hop AND m.count > 0 AND m.minute > h.minute - 1440 AND m.minute < h.minute + 1440
         AND m.minute > $3 AND m.minute < $4
       GROUP BY h.hop, h.minute`,
      [
        ...lists,
        Math.min(...heard.map(({ minute }) => minute)) - 1440,
        Math.max(...heard.map(({ minute }) => minute)) + 1440,
      ],
    );
    return near;
  }

  async attributeAgain(routes: readonly { route: bigint; hops: readonly bigint[]; since: number }[]): Promise<number> {
    if (routes.length === 0 || !(await this.#any('unanswered'))) return 0;
    const tx = this.#tx;
    const rows = await tx.all<{ rowid: bigint; route: bigint; hop: bigint; minute: number }>(
      `SELECT u.rowid, u.route, u.hop, u.minute FROM unanswered u
       JOIN (SELECT unnest(string_split($1, ',')::UBIGINT[]) AS route, unnest(string_split($2, ',')::INTEGER[]) AS since) r
         ON r.route = u.route AND u.minute >= r.since AND u.minute < r.since + 1440 WHERE u.minute >= $3`,
      [
        routes.map(({ route }) => route).join(','),
        routes.map(({ since }) => since).join(','),
        Math.min(...routes.map(({ since }) => since)),
      ],
    );
    const hopOf = await this.#lastToAnswer(new Map(routes.map(({ route, hops }) => [route, hops])), rows);
    const wrong = rows.flatMap((row) => (hopOf(row) === row.hop ? [] : [{ ...row, now: hopOf(row) }]));
    for (const { rowid, now } of wrong) {
      if (now === null) await tx.run('DELETE FROM unanswered WHERE rowid = $1', [rowid]);
      else await tx.run('UPDATE unanswered SET hop = $1 WHERE rowid = $2', [now, rowid]);
    }
    await this.#changed([
      ...wrong,
      ...wrong.flatMap(({ now, minute }) => (now === null ? [] : [{ hop: now, minute }])),
    ]);
    return wrong.length;
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
    const set = await this.#tx.columns<
      [Int32Array, Int32Array, Int32Array, Float64Array, Float64Array, Uint8Array, Int32Array]
    >(query, params);
    const [from, to, second, least, floor, kind, flow] = set.values;
    return { count: set.rowCount, from, to, second, least, floor, kind, flow };
  }

  async #moments(query: string, params: readonly number[] = []): Promise<MomentColumns> {
    const set = await this.#tx.columns<[Int32Array, Int32Array, Int32Array, Int32Array]>(query, params);
    const [caller, callee, broker, second] = set.values;
    return { count: set.rowCount, caller, callee, broker, second };
  }

  async #offsets(moments: MomentColumns, offsets: OffsetColumns): Promise<void> {
    const n = moments.count;
    if (n === 0) {
      await this.#make(`${sql.offsetsTable} LIMIT 0`, Array<string>(11).fill('0'));
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
      offsets.misplaced.subarray(0, n).join(','),
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
       WHERE ${where} GROUP BY ALL`,
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

const boundsOf = (range: BatchRange): (number | bigint)[] => [
  range.collector,
  range.after,
  range.upto,
  range.oldestArrivalMs,
];

const resourceRow = (row: StoredResource): ResourceRow => ({ id: row.id, resource: resourceOf(row) });
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
