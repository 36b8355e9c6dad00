import { collectorHostPrefix } from '#lib/domain/placing.ts';
import { HopscopeError } from '#lib/errors.ts';
import type {
  AskedRoute,
  AuditSteps,
  AuditTx,
  BatchRange,
  ClockToSave,
  HopToSave,
  MinuteToSettle,
  MomentColumns,
  OffsetColumns,
  PlacedDevice,
  PlacingRow,
  ResourceRow,
  RouteAnswer,
  SiteToSave,
  TracedDestination,
  UncheckedRange,
  WaitingRoute,
} from '../audit-store.ts';
import { OpenMinutes } from '../minute-sums.ts';
import type { ClockFinding } from '../store.ts';
import type { AuditBook } from './audit-book.ts';
import * as crossings from './audit-crossings.ts';
import * as devices from './audit-devices.ts';
import { type Gathered, gather } from './audit-gather.ts';
import * as live from './audit-live.ts';
import { writeMinutes } from './audit-minutes.ts';
import { type Kept, Numbers, Turn } from './audit-turn.ts';
import * as unanswered from './audit-unanswered.ts';
import { parseRuns, readSettled } from './batches.ts';
import { microsOf, microsOfMinute, minuteOfMicros, signed, unsigned } from './dialect.ts';
import { findingsOf, findingsSql } from './reads-devices.ts';
import { type IdentityRow, identityColumns, identityOf } from './reads-hops.ts';
import { receivedTables } from './schema.ts';
import type { Server } from './server.ts';
import { resourceColumns, resourceOf, type StoredResource } from './texts.ts';

/**
 * The audit's side of the server. What a pass decides lands there first, each row under a key that follows from what it is about, and then its
 * book is committed: a crash between the two repeats the pass, which writes the same rows, and takes away what it does not write again.
 */
export class QuestDbAudit implements AuditSteps {
  readonly #server: Server;
  readonly #book: AuditBook;
  readonly #kept: Kept = {
    texts: new Numbers(),
    resources: new Numbers(),
    minutes: new OpenMinutes(),
    resourcesRead: 0,
    uncertainUpto: null,
  };
  readonly #resources: Map<number, ResourceRow> = new Map();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(server: Server, book: AuditBook) {
    this.#server = server;
    this.#book = book;
  }

  transaction<T>(work: (tx: AuditTx) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => this.#transaction(work));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Resolves when what has begun has ended. */
  async idle(): Promise<void> {
    await this.#queue;
  }

  async #transaction<T>(work: (tx: AuditTx) => Promise<T>): Promise<T> {
    this.#book.begin();
    try {
      const turn = new Turn(this.#server, this.#book, this.#kept);
      const tx = new QuestDbAuditTx(turn, this.#resources);
      const result = await work(tx);
      await turn.land();
      this.#book.commit();
      return result;
    } catch (error) {
      this.#book.rollback();
      // rows may have landed, and what was added in memory may not be in the store
      this.#kept.uncertainUpto = null;
      this.#kept.minutes.clear();
      if (error instanceof HopscopeError) throw error;
      throw new HopscopeError('store', `the audit failed: ${(error as Error).message}`, { cause: error });
    }
  }
}

const judgedKey = 'judged_until_slice';

class QuestDbAuditTx implements AuditTx {
  readonly #turn: Turn;
  readonly #book: AuditBook;
  readonly #resources: Map<number, ResourceRow>;
  #gathered: Gathered | null = null;
  #waiting: unanswered.Waiting | null = null;

  constructor(turn: Turn, resources: Map<number, ResourceRow>) {
    this.#turn = turn;
    this.#book = turn.book;
    this.#resources = resources;
  }

  // ---- 1 advance

  async batchesToRead(maxSpans: number, recentMs: number): Promise<BatchRange[]> {
    const { texts } = this.#turn.kept;
    const cursors = new Map(
      this.#book
        .own<{ collector: string; seq: bigint }>('SELECT collector, seq FROM cursors')
        .map(({ collector, seq }) => [collector, seq]),
    );
    await this.#passSettled(cursors);
    const batches: { collector: string; seq: bigint; arrivalMs: number; stored: number; signal: number }[] = [];
    const known = [...cursors.keys()];
    const asked = [
      ...known.map((collector) => ({
        where: 'collector = $2 AND seq > $3',
        params: [collector, cursors.get(collector)!],
      })),
      {
        where: known.length === 0 ? 'true' : `collector NOT IN (${known.map((_, i) => `$${i + 2}`).join(', ')})`,
        params: known,
      },
    ];
    for (const { where, params } of asked)
      for (const [collector, seq, at, stored, signal] of await this.#turn.rows<
        [string, bigint, bigint, bigint, number]
      >(
        'batches',
        (table) => `SELECT collector, seq, ts::long, stored, signal FROM ${table} WHERE ts >= $1 AND ${where}`,
        [microsOf(recentMs), ...params],
      ))
        batches.push({ collector, seq, arrivalMs: Number(at / 1000n), stored: Number(stored), signal });
    batches.sort((a, b) => (a.collector < b.collector ? -1 : a.collector > b.collector ? 1 : Number(a.seq - b.seq)));
    const ranges = new Map<string, BatchRange>();
    let spans = 0;
    const full = new Set<string>();
    for (const { collector, seq, arrivalMs, stored, signal } of batches) {
      const after = cursors.get(collector) ?? 0n;
      const range = ranges.get(collector) ?? {
        collector: texts.of(collector),
        after,
        upto: after,
        spans: 0,
        batches: 0,
        oldestArrivalMs: Number.MAX_SAFE_INTEGER,
      };
      if (full.has(collector) || seq <= range.upto) continue;
      if (seq !== range.upto + 1n || (spans >= maxSpans && ranges.size > 0)) {
        full.add(collector);
        continue;
      }
      range.upto = seq;
      range.batches++;
      range.oldestArrivalMs = Math.min(range.oldestArrivalMs, arrivalMs);
      if (signal === 1) {
        range.spans += stored;
        spans += stored;
      }
      ranges.set(collector, range);
    }
    // A batch is sent after its rows, but tables are applied each by itself: its rows may come into sight later than it does
    if (ranges.size > 0) await this.#turn.server.applied([...receivedTables, 'resources']);
    return [...ranges.values()];
  }

  /** What retention dropped will not come again: a cursor stands behind it. */
  async #passSettled(cursors: Map<string, bigint>): Promise<void> {
    const runs = (await readSettled(this.#turn.server)).flatMap(({ collector, seqs }) =>
      parseRuns(seqs).map(([from, to]) => ({ collector, from: BigInt(from), to: BigInt(to) })),
    );
    for (const { collector, from, to } of runs.sort((a, b) => Number(a.from - b.from))) {
      const seq = cursors.get(collector) ?? 0n;
      if (from <= seq + 1n && to > seq) cursors.set(collector, to);
    }
  }

  async advance(ranges: readonly BatchRange[], nowMs: number): Promise<void> {
    for (const { collector, after, upto, oldestArrivalMs, spans } of ranges) {
      const name = this.#turn.kept.texts.name(collector);
      if (spans > 0)
        this.#book.run(
          'INSERT INTO unchecked VALUES (?, ?, ?, ?, ?, ?)',
          name,
          after,
          upto,
          Math.floor(oldestArrivalMs),
          spans,
          Math.floor(nowMs),
        );
      this.#book.run('INSERT OR REPLACE INTO cursors VALUES (?, ?)', name, upto);
    }
  }

  // ---- 2 place

  async resourcesAfter(id: number): Promise<ResourceRow[]> {
    await this.#readResources();
    return [...this.#resources.values()].filter((row) => row.id > id).sort((a, b) => a.id - b.id);
  }

  async resourcesOf(ids: readonly number[]): Promise<ResourceRow[]> {
    await this.#readResources();
    return ids.flatMap((id) => this.#resources.get(id) ?? []).sort((a, b) => a.id - b.id);
  }

  async #readResources(): Promise<void> {
    const { kept } = this.#turn;
    const [count] = await this.#turn.rows<[bigint]>('resources', (table) => `SELECT count() FROM ${table}`);
    if (Number(count![0]) === kept.resourcesRead) return;
    // those that have a place come first: what is numbered higher has none yet
    if (kept.resourcesRead === 0) this.#numberPlaced();
    const rows = await this.#turn.objects<StoredResource>(
      'resources',
      (table) => `SELECT ${resourceColumns} FROM ${table} ORDER BY first_ms, rank, key`,
    );
    for (const row of rows) {
      const id = kept.resources.of(row.key);
      if (!this.#resources.has(id)) this.#resources.set(id, { id, resource: resourceOf(row) });
    }
    kept.resourcesRead = rows.length;
  }

  #numberPlaced(): void {
    for (const { resource } of this.#book.own<{ resource: string }>('SELECT resource FROM placings ORDER BY rowid'))
      this.#turn.kept.resources.of(resource);
  }

  async placings(): Promise<PlacingRow[]> {
    const { texts, resources } = this.#turn.kept;
    return this.#book
      .own<{ resource: string; device: number; collector: string | null; site: string; application: string }>(
        'SELECT resource, device, collector, site, application FROM placings ORDER BY rowid',
      )
      .map(({ resource, device, collector, site, application }) => ({
        resource: resources.of(resource),
        device: collector === null ? device : -1 - texts.of(collector),
        site,
        application,
      }))
      .sort((a, b) => a.resource - b.resource);
  }

  async devices(): Promise<PlacedDevice[]> {
    return this.#book
      .own<{
        number: number;
        id: string;
        name: string;
        site: string;
        applications: string;
        state: string;
        reason: string;
        since_ms: number;
        last_seen_ms: number;
        interval_ms: number | null;
        services: string;
      }>('SELECT * FROM devices ORDER BY number')
      .map((row) => ({
        number: row.number,
        id: row.id,
        name: row.name,
        site: row.site,
        applications: JSON.parse(row.applications) as string[],
        services: JSON.parse(row.services) as string[],
        state: row.state,
        reason: row.reason,
        sinceMs: row.since_ms,
        lastSeenMs: row.last_seen_ms,
        intervalMs: row.interval_ms,
      }));
  }

  async sites(): Promise<SiteToSave[]> {
    return this.#book.own('SELECT id, name, lat, lon FROM sites ORDER BY id');
  }

  async collectorNumbers(names: readonly string[]): Promise<number[]> {
    return names.map((name) => this.#turn.kept.texts.of(name.slice(collectorHostPrefix.length)));
  }

  async savePlacings(rows: readonly PlacingRow[]): Promise<void> {
    const { texts, resources } = this.#turn.kept;
    for (const { resource, device, site, application } of rows)
      this.#book.run(
        'INSERT INTO placings VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (resource) DO UPDATE SET device = ?2, collector = ?3, site = ?4, application = ?5',
        resources.name(resource),
        Math.max(device, -1),
        device < 0 ? texts.name(-1 - device) : null,
        site,
        application,
      );
  }

  async saveDevices(rows: readonly PlacedDevice[]): Promise<void> {
    for (const d of rows)
      this.#book.run(
        'INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
        d.number,
        d.id,
        d.name,
        d.site,
        JSON.stringify(d.applications),
        d.state,
        d.reason,
        Math.floor(d.sinceMs),
        Math.floor(d.lastSeenMs),
        d.intervalMs,
        JSON.stringify(d.services),
      );
    this.#turn.devicesChanged();
  }

  async saveSites(rows: readonly SiteToSave[]): Promise<void> {
    for (const { id, name, lat, lon } of rows)
      this.#book.run('INSERT OR REPLACE INTO sites VALUES (?, ?, ?, ?)', id, name, lat, lon);
  }

  // ---- 3 pair

  async gather(
    ranges: readonly BatchRange[],
    sinceMs: number,
  ): Promise<{ spans: number; around: number; callers: number }> {
    this.#gathered = await gather(this.#turn, ranges, sinceMs);
    const { fresh, rows, pairing } = this.#gathered;
    return { spans: fresh, around: rows.count, callers: pairing.affected.size };
  }

  async routes() {
    return this.#gathered!.pairing.questions((id) => this.#turn.kept.texts.name(id));
  }

  async saveHops(hops: readonly HopToSave[], traced: readonly TracedDestination[]): Promise<void> {
    for (const h of hops)
      this.#turn.put('hops', 0, [
        signed(h.hop),
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
    for (const t of traced)
      this.#book.run(
        'INSERT OR IGNORE INTO traced VALUES (?, ?, ?, ?, ?)',
        t.fromService,
        t.fromSite,
        t.system,
        t.destination,
        signed(t.hop),
      );
  }

  async hops(): Promise<HopToSave[]> {
    const rows = await this.#turn.objects<IdentityRow>('hops', (table) => `SELECT ${identityColumns} FROM ${table}`);
    return rows.map((row) => ({ ...identityOf(row), firstMs: Number(row.first_ms) }));
  }

  async traced(): Promise<TracedDestination[]> {
    return this.#book
      .own<TracedDestination>(
        'SELECT from_service AS "fromService", from_site AS "fromSite", system, destination, hop FROM traced ORDER BY rowid',
      )
      .map((row) => ({ ...row, hop: unsigned(row.hop) }));
  }

  async answerRoutes(answers: readonly RouteAnswer[]): Promise<void> {
    this.#gathered!.pairing.answer(answers);
  }

  async freshEdges() {
    return this.#gathered!.pairing.edges();
  }

  async freshMoments(): Promise<MomentColumns> {
    return this.#gathered!.pairing.moments();
  }

  async writeCrossings(
    _moments: MomentColumns,
    offsets: OffsetColumns,
    settleAtMs: (minute: number) => number,
  ): Promise<{ crossings: number; withdrawn: number[] }> {
    const { judged, withdrawn, due } = await crossings.writeCrossings(this.#turn, this.#gathered!, offsets);
    this.#settleLater(due, settleAtMs);
    return { crossings: judged.length, withdrawn };
  }

  #settleLater(minutes: Iterable<number>, settleAtMs: (minute: number) => number): void {
    for (const minute of minutes)
      this.#book.run('INSERT OR IGNORE INTO due VALUES (?, ?)', minute, Math.floor(settleAtMs(minute)));
  }

  writeTraces(): Promise<number> {
    return crossings.writeTraces(this.#turn, this.#gathered!);
  }

  writeTopicMinutes(ranges: readonly BatchRange[]): Promise<void> {
    return crossings.writeTopicMinutes(this.#turn, ranges);
  }

  // ---- clocks

  edgesBetween(fromSecond: number, toSecond: number) {
    return crossings.edgesBetween(this.#turn, fromSecond, toSecond);
  }
  observationsOf(ranges: readonly BatchRange[]) {
    return devices.observationsOf(this.#turn, ranges);
  }
  observationsBetween(fromSecond: number, toSecond: number) {
    return devices.observationsBetween(this.#turn, fromSecond, toSecond);
  }

  async minutesToSettle(nowMs: number, limit: number): Promise<MinuteToSettle[]> {
    const due = this.#book.own<{ minute: number }>(
      'SELECT minute FROM due WHERE due_ms <= ? ORDER BY minute LIMIT ?',
      Math.floor(nowMs),
      limit,
    );
    const found: MinuteToSettle[] = [];
    for (const { minute } of due) {
      const [row] = await this.#turn.rows<[bigint]>(
        'crossings',
        (table) => `SELECT count() FROM ${table} WHERE ts = $1 AND NOT gone`,
        [microsOfMinute(minute)],
      );
      found.push({ minute, crossings: Number(row![0]) });
    }
    return found;
  }

  /** A crossing without a row in hop_minutes was just written, and is due as it is. */
  async settleAgain(minutes: ReadonlySet<number>, settleAtMs: (minute: number) => number): Promise<void> {
    if (minutes.size === 0) return;
    const all = [...minutes];
    const heard = await this.#turn.rows<[bigint]>(
      'hop_minutes',
      (table) => `SELECT DISTINCT ts::long AS at FROM ${table} WHERE ts >= $1 AND ts <= $2 AND NOT gone`,
      [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))].map(microsOfMinute),
    );
    this.#settleLater(
      heard.map(([at]) => minuteOfMicros(at)).filter((minute) => minutes.has(minute)),
      settleAtMs,
    );
  }

  momentsOf(minute: number): Promise<MomentColumns> {
    return crossings.momentsOf(this.#turn, minute);
  }

  async settle(
    minute: number,
    moments: MomentColumns,
    offsets: OffsetColumns,
    of: { part: number; parts: number },
  ): Promise<number> {
    const changed = await crossings.settle(this.#turn, minute, moments, offsets, of);
    if (of.part === of.parts - 1) this.#book.run('DELETE FROM due WHERE minute = ?', minute);
    return changed;
  }

  async saveClocks(minute: number, rows: readonly ClockToSave[]): Promise<void> {
    const at = microsOfMinute(minute);
    const nameOf = (device: number): string =>
      device < 0 ? collectorHostPrefix + this.#turn.kept.texts.name(-1 - device) : this.#turn.deviceId(device);
    const whole = (value: number | null): bigint | null => (value === null ? null : BigInt(Math.round(value)));
    const stays = new Set(rows.map(({ device }) => nameOf(device)));
    for (const [device] of await this.#turn.rows<[string]>(
      'clocks',
      (table) => `SELECT device FROM ${table} WHERE ts = $1 AND NOT gone`,
      [at],
    ))
      if (!stays.has(device)) this.#turn.put('clocks', at, crossings.goneRow('clocks', [device], 'device'));
    for (const { device, method, offsetNanos, boundNanos, lowNanos, highNanos } of rows)
      this.#turn.put('clocks', at, [
        nameOf(device),
        method,
        whole(offsetNanos),
        whole(boundNanos),
        whole(lowNanos),
        whole(highNanos),
        false,
      ]);
  }

  async findings(sinceMs: number): Promise<ClockFinding[]> {
    return findingsOf(this.#book.own(findingsSql, Math.floor(sinceMs), Number.MAX_SAFE_INTEGER));
  }

  async saveFindings(minute: number | null, rows: readonly ClockFinding[]): Promise<void> {
    if (minute !== null)
      this.#book.run(
        `DELETE FROM clock_findings WHERE time_ms >= ? AND time_ms < ? AND kind <> 'step'`,
        minute * 60_000,
        (minute + 1) * 60_000,
      );
    for (const { kind, timeMs, devices: ids, sites, nanos } of rows)
      this.#book.run(
        'INSERT INTO clock_findings VALUES (?, ?, ?, ?, ?)',
        kind,
        Math.floor(timeMs),
        JSON.stringify(ids),
        JSON.stringify(sites),
        nanos === null ? null : Math.round(nanos),
      );
  }

  // ---- minutes, live verdicts

  writeMinutes() {
    return writeMinutes(this.#turn);
  }
  async applyBudgets(budgets: Parameters<AuditTx['applyBudgets']>[0], sinceMinute: number): Promise<void> {
    live.applyBudgets(this.#turn, budgets, sinceMinute);
  }
  writeSlices(sinceMinute: number, budgetOf: (hop: bigint) => bigint | null) {
    return live.writeSlices(this.#turn, sinceMinute, budgetOf);
  }
  async slicesOf(hops: readonly bigint[], fromSlice: number) {
    return live.slicesOf(this.#turn, hops, fromSlice);
  }
  async heardSince(slice: number) {
    return live.heardSince(this.#turn, slice);
  }
  async statesOf(hops: readonly bigint[], fromSlice: number) {
    return live.statesOf(this.#turn, hops, fromSlice);
  }
  async lastStates() {
    return live.lastStates(this.#turn);
  }
  async replaceStates(...args: Parameters<AuditTx['replaceStates']>): Promise<void> {
    live.replaceStates(this.#turn, ...args);
  }
  async judgedUntil(): Promise<number | null> {
    const [row] = this.#book.own<{ value: string }>('SELECT value FROM meta WHERE key = ?', judgedKey);
    return row ? Number(row.value) : null;
  }
  async saveJudgedUntil(slice: number): Promise<void> {
    this.#book.run('INSERT OR REPLACE INTO meta VALUES (?, ?)', judgedKey, String(slice));
  }
  async forgetSlices(beforeMinute: number): Promise<void> {
    this.#book.run('DELETE FROM slices WHERE minute < ?', beforeMinute);
  }

  // ---- unanswered

  async uncheckedRanges(readMs: number, maxSpans: number) {
    return unanswered.uncheckedRanges(this.#turn, Math.floor(readMs), maxSpans);
  }
  async checked(ranges: readonly UncheckedRange[]): Promise<void> {
    unanswered.checked(this.#turn, ranges);
  }
  async waitingIn(ranges: readonly UncheckedRange[]): Promise<WaitingRoute[]> {
    return this.#wait(await unanswered.waitingIn(this.#turn, ranges));
  }
  async waitingSince(minute: number, resources: readonly number[]): Promise<WaitingRoute[]> {
    if (resources.length === 0) return [];
    return this.#wait(await unanswered.waitingSince(this.#turn, minute, resources));
  }
  #wait(waiting: unanswered.Waiting): WaitingRoute[] {
    this.#waiting = waiting;
    return [...waiting.callers.keys()];
  }
  async countUnanswered(routes: readonly AskedRoute[]): Promise<number> {
    if (!this.#waiting || routes.length === 0) return 0;
    return unanswered.countUnanswered(this.#turn, this.#waiting, routes);
  }
  takeHeard() {
    return unanswered.takeHeard(this.#turn);
  }
  attributeAgain(routes: Parameters<AuditTx['attributeAgain']>[0]) {
    return unanswered.attributeAgain(this.#turn, routes);
  }

  // ---- devices

  sightingsOf(ranges: readonly BatchRange[]) {
    return devices.sightingsOf(this.#turn, ranges);
  }
  sightingsSince(arrivalMs: number) {
    return devices.sightingsSince(this.#turn, arrivalMs);
  }
  reportsOf(ranges: readonly BatchRange[]) {
    return devices.reportsOf(this.#turn, ranges);
  }
  lastReports() {
    return devices.lastReports(this.#turn);
  }
  gauges(sinceMs: number) {
    return devices.gauges(this.#turn, sinceMs);
  }
  async saveEvents(events: Parameters<AuditTx['saveEvents']>[0]): Promise<void> {
    devices.saveEvents(this.#turn, events);
  }
}
