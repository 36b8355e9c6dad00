import type { ClockObservation, RejectReason, Sighting } from '../domain/ingest-batch.ts';
import type { Resource } from '../domain/span.ts';
import { type SpanColumns, spanFlag } from '../domain/span-columns.ts';
import { epochMillisOf } from '../domain/units.ts';
import type { WireLimits } from './limits.ts';
import type { ReadResult } from './read-result.ts';
import { rejectedCount } from './read-result.ts';
import { collectorResource, hasMillisecondSdk } from './resource.ts';
import { operationOf, slot, slotCount } from './semantic-names.ts';
import { StringDictionary } from './string-dictionary.ts';
import { cutEnd } from './utf8.ts';

/** Places of SpanDraft.words: ids as big-endian 32-bit words, stamps as high and low halves. Signed, because V8 keeps those unboxed. */
export const word = { trace: 0, span: 4, parent: 6, startHi: 8, startLo: 9, endHi: 10, endLo: 11 } as const;

export interface TakenSpans {
  spans: SpanColumns;
  /** one per distinct resource that sent spans, rejected ones included */
  sightings: Sighting[];
  /** per resource: request arrival - end of its last span, the smallest of the batch (design.md section 4.1, 'export') */
  clockObservations: ClockObservation[];
}

/**
 * Takes spans one after another, from either encoding, and gathers them in columns.
 * A reader fills the public fields (the draft of one span), then calls `endSpan`. Names and needed attributes are given as
 * places in `bytes`, so that both encodings go through the same rules and cuts.
 * No BigInt on this path: 64-bit values are written as two halves (little-endian machines, as are all that Node 24 is built for).
 */
export class SpanColumnWriter {
  // ---- the draft
  readonly words = new Int32Array(12);
  hasTraceId = false;
  hasSpanId = false;
  hasParentId = false;
  kind = 0;
  status = 0;
  draftFlags = 0;
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  nameStart = 0;
  nameEnd = 0;

  // ---- the batch
  count = 0;
  private columns = new GrowingColumns(4096);
  private linkCount = 0;
  private links = new GrowingLinks(256);
  private readonly dictionary = new StringDictionary();
  private resources: Resource[] = [];
  private resourceIndexes = new Map<string, number>();
  private heard: (Heard | undefined)[] = [];

  // ---- the request
  private received = 0;
  private rejected: Partial<Record<RejectReason, number>> = {};
  private countBefore = 0;
  private linksBefore = 0;
  private stringsBefore = 0;
  private resourcesBefore = 0;
  private staged: Heard[] = [];
  private arrivalNanos = 0n;
  private arrivalHi = 0;
  private arrivalLo = 0;
  private earliestHi = 0;
  private earliestLo = 0;
  private latestHi = 0;
  private latestLo = 0;

  // ---- the present resource
  private resourceIndex = 0;
  private hasMillisecondSdk = false;
  private resourceSpans = 0;
  private lastEndHi = -1;
  private lastEndLo = 0;

  private readonly slotStart = new Int32Array(slotCount);
  private readonly slotEnd = new Int32Array(slotCount);
  private readonly slotSpan = new Int32Array(slotCount);
  private serial = 1;
  private readonly pair: Uint8Array<ArrayBuffer>;
  private readonly pairView: DataView;
  private readonly limits: WireLimits;
  private readonly collectorId: string;

  constructor(limits: WireLimits, collectorId: string) {
    this.limits = limits;
    this.collectorId = collectorId;
    this.pair = new Uint8Array(limits.valueBytes * 2 + 1);
    this.pairView = new DataView(this.pair.buffer);
  }

  beginRequest(arrivalNanos: bigint): void {
    this.received = 0;
    this.rejected = {};
    this.countBefore = this.count;
    this.linksBefore = this.linkCount;
    this.stringsBefore = this.dictionary.strings.length;
    this.resourcesBefore = this.resources.length;
    this.staged = [];
    this.arrivalNanos = arrivalNanos;
    this.arrivalHi = Number(arrivalNanos >> 32n);
    this.arrivalLo = Number(arrivalNanos & 0xffffffffn);
    const earliest = arrivalNanos - BigInt(this.limits.retentionMs) * 1_000_000n;
    const latest = arrivalNanos + BigInt(this.limits.aheadMs) * 1_000_000n;
    this.earliestHi = Number(earliest >> 32n);
    this.earliestLo = Number(earliest & 0xffffffffn);
    this.latestHi = Number(latest >> 32n);
    this.latestLo = Number(latest & 0xffffffffn);
  }

  /** The resource of the spans that follow, until `endResource`. */
  beginResource(resource: Resource, key: string): void {
    let index = this.resourceIndexes.get(key);
    if (index === undefined) {
      index = this.resources.push(resource) - 1;
      this.resourceIndexes.set(key, index);
    }
    this.resourceIndex = index;
    this.hasMillisecondSdk = hasMillisecondSdk(resource);
    this.resourceSpans = 0;
    this.lastEndHi = -1;
    this.lastEndLo = 0;
  }

  endResource(): void {
    if (this.resourceSpans === 0) return;
    const behind = (this.arrivalHi - this.lastEndHi) * 4294967296 + (this.arrivalLo - this.lastEndLo);
    // more than 104 days (2^53 ns) apart is no clock but a stamp in a wrong unit
    const rawNanos = this.lastEndHi < 0 || Math.abs(behind) > Number.MAX_SAFE_INTEGER ? null : behind;
    this.staged.push({
      resource: this.resourceIndex,
      count: this.resourceSpans,
      arrivalNanos: this.arrivalNanos,
      rawNanos,
      rawAtNanos: this.arrivalNanos,
    });
  }

  /** false when the request has had its share: the span is counted as rejected, its bytes need no reading. */
  beginSpan(): boolean {
    this.resourceSpans++;
    if (++this.received > this.limits.spansPerRequest) {
      this.reject('limit');
      return false;
    }
    this.serial++;
    this.words.fill(0);
    this.hasTraceId = false;
    this.hasSpanId = false;
    this.hasParentId = true;
    this.kind = 0;
    this.status = 0;
    this.draftFlags = 0;
    this.nameStart = 0;
    this.nameEnd = 0;
    return true;
  }

  /** The place of a needed attribute's text within `bytes`. */
  setSlot(place: number, start: number, end: number): void {
    this.slotSpan[place] = this.serial;
    this.slotStart[place] = start;
    this.slotEnd[place] = end;
  }

  /** A link of the span being drafted; ids as for the span. */
  addLink(
    traceId0: number,
    traceId1: number,
    traceId2: number,
    traceId3: number,
    spanId0: number,
    spanId1: number,
  ): void {
    if ((traceId0 | traceId1 | traceId2 | traceId3) === 0 || (spanId0 | spanId1) === 0) return;
    const row = this.linkCount++;
    if (row >= this.links.capacity) this.links = this.links.grown(row);
    const { traceHi, traceLo, spanId } = this.links.halves;
    this.links.columns.row[row] = this.count;
    traceHi[row * 2 + 1] = traceId0;
    traceHi[row * 2] = traceId1;
    traceLo[row * 2 + 1] = traceId2;
    traceLo[row * 2] = traceId3;
    spanId[row * 2 + 1] = spanId0;
    spanId[row * 2] = spanId1;
    this.draftFlags |= spanFlag.linked;
  }

  endSpan(linksAtBegin: number): void {
    const reason = this.refusal();
    if (reason === null) this.append();
    else {
      this.linkCount = linksAtBegin;
      this.reject(reason);
    }
  }

  /** Why the draft is no span of ours; null when it is one. */
  private refusal(): RejectReason | null {
    if (!this.hasTraceId || !this.hasSpanId || !this.hasParentId) return 'id';
    const w = this.words;
    const startHi = w[word.startHi]!;
    const endHi = w[word.endHi]!;
    const startLo = w[word.startLo]! >>> 0;
    const endLo = w[word.endLo]! >>> 0;
    // from 2^63 ns on (the year 2262) the upper half is negative
    if (startHi < 0 || endHi < startHi || (endHi === startHi && endLo < startLo)) return 'time';
    if (endHi > this.lastEndHi || (endHi === this.lastEndHi && endLo > this.lastEndLo)) {
      this.lastEndHi = endHi;
      this.lastEndLo = endLo;
    }
    if (startHi < this.earliestHi || (startHi === this.earliestHi && startLo < this.earliestLo)) return 'time';
    if (startHi > this.latestHi || (startHi === this.latestHi && startLo > this.latestLo)) return 'time';
    return null;
  }

  private append(): void {
    const row = this.count;
    if (row >= this.columns.capacity) this.columns = this.columns.grown(row);
    const { halves, columns } = this.columns;
    const w = this.words;
    const at = row * 2;
    const startHi = w[word.startHi]!;
    const startLo = w[word.startLo]! >>> 0;
    const endLo = w[word.endLo]! >>> 0;
    halves.traceHi[at + 1] = w[0]!;
    halves.traceHi[at] = w[1]!;
    halves.traceLo[at + 1] = w[2]!;
    halves.traceLo[at] = w[3]!;
    halves.spanId[at + 1] = w[word.span]!;
    halves.spanId[at] = w[word.span + 1]!;
    halves.parentId[at + 1] = w[word.parent]!;
    halves.parentId[at] = w[word.parent + 1]!;
    halves.startNanos[at + 1] = startHi;
    halves.startNanos[at] = startLo;
    halves.durationNanos[at + 1] = w[word.endHi]! - startHi - (endLo < startLo ? 1 : 0);
    halves.durationNanos[at] = endLo - startLo;
    columns.kind[row] = this.kind;
    columns.status[row] = this.status;
    columns.resource[row] = this.resourceIndex;
    columns.name[row] = this.textIndex(this.nameStart, this.nameEnd);
    this.placeDestination(row);
    // 2^32 = 967296 (mod 10^6)
    if (this.hasMillisecondSdk && ((startHi % 1_000_000) * 967_296 + startLo) % 1_000_000 === 0)
      this.draftFlags |= spanFlag.millisecondGrain;
    columns.flags[row] = this.draftFlags;
    this.count = row + 1;
  }

  get linksSoFar(): number {
    return this.linkCount;
  }

  commit(): ReadResult {
    for (const one of this.staged) {
      const known = this.heard[one.resource];
      if (known === undefined) {
        this.heard[one.resource] = one;
        continue;
      }
      known.count += one.count;
      if (one.arrivalNanos > known.arrivalNanos) known.arrivalNanos = one.arrivalNanos;
      if (one.rawNanos !== null && (known.rawNanos === null || one.rawNanos < known.rawNanos)) {
        known.rawNanos = one.rawNanos;
        known.rawAtNanos = one.rawAtNanos;
      }
    }
    return {
      received: this.received,
      accepted: this.count - this.countBefore,
      rejected: this.rejected,
      message: this.refusals(),
    };
  }

  rollback(): void {
    this.count = this.countBefore;
    this.linkCount = this.linksBefore;
    this.dictionary.rollback(this.stringsBefore);
    if (this.resources.length > this.resourcesBefore) {
      this.resources.length = this.resourcesBefore;
      for (const [key, index] of this.resourceIndexes)
        if (index >= this.resourcesBefore) this.resourceIndexes.delete(key);
    }
  }

  take(): TakenSpans {
    const collector = collectorResource(this.collectorId);
    const sightings: Sighting[] = [];
    const clockObservations: ClockObservation[] = [];
    for (const one of this.heard) {
      if (one === undefined) continue;
      const resource = this.resources[one.resource]!;
      sightings.push({
        resource,
        source: 'traces',
        arrivalMs: epochMillisOf(one.arrivalNanos),
        count: one.count,
        intervalMs: null,
      });
      if (one.rawNanos !== null)
        clockObservations.push({
          from: resource,
          to: collector,
          atNanos: one.rawAtNanos,
          rawNanos: BigInt(one.rawNanos),
          source: 'export',
          broker: '',
        });
    }
    const links = { ...this.links.take(this.linkCount), count: this.linkCount };
    const spans = {
      ...this.columns.take(this.count),
      count: this.count,
      strings: this.dictionary.take(),
      resources: this.resources,
      links,
    };
    this.count = 0;
    this.linkCount = 0;
    this.resources = [];
    this.resourceIndexes = new Map();
    this.heard = [];
    return { spans, sightings, clockObservations };
  }

  private reject(reason: RejectReason): void {
    this.rejected[reason] = (this.rejected[reason] ?? 0) + 1;
  }

  private refusals(): string {
    const total = rejectedCount(this.rejected);
    if (total === 0) return '';
    const days = Math.round(this.limits.retentionMs / 86_400_000);
    const hours = Math.round(this.limits.aheadMs / 3_600_000);
    const why: Record<RejectReason, string> = {
      id: 'id: wanted a trace id of 16 bytes and a span id of 8, neither all zero, and a parent id of 8 bytes or none',
      time: `time: wanted a start of at most ${days} days ago and ${hours} hours ahead, and no end before it; check the sender's clock`,
      limit: `limit: wanted at most ${this.limits.spansPerRequest} spans a request; send smaller ones`,
      malformed: 'malformed',
      unsupported: 'unsupported',
    };
    const parts = (Object.keys(this.rejected) as RejectReason[]).map(
      (reason) => `${this.rejected[reason]} by ${why[reason]}`,
    );
    return `${total} of ${this.received} spans rejected: ${parts.join('; ')}`;
  }

  private textIndex(start: number, end: number): number {
    const cut = cutEnd(this.bytes, start, end, this.limits.valueBytes);
    if (cut !== end) this.draftFlags |= spanFlag.cut;
    return this.dictionary.indexOf(this.bytes, this.view, start, cut);
  }

  private has(place: number): boolean {
    return this.slotSpan[place] === this.serial && this.slotEnd[place]! > this.slotStart[place]!;
  }

  private slotText(place: number): number {
    return this.has(place) ? this.textIndex(this.slotStart[place]!, this.slotEnd[place]!) : 0;
  }

  /** system, destination, operation: the first of messaging, rpc, db, http that the span speaks (an RPC or a database over HTTP carries http.* too). */
  private placeDestination(row: number): void {
    const { columns } = this.columns;
    let system = 0;
    let destination = 0;
    let operation = 0;
    const messaging = this.has(slot.messagingSystem);
    const named = this.first(slot.destinationTemplate, slot.destinationName, slot.destinationOld);
    if (messaging || named >= 0) {
      system = this.slotText(slot.messagingSystem);
      if (named >= 0) destination = this.slotText(named);
      operation = this.operation();
    } else if (this.has(slot.brokerTopic)) {
      // EMQX and its-client name the topic but not the system
      system = this.constant(mqttBytes, mqttView);
      destination = this.slotText(slot.brokerTopic);
    } else if (this.has(slot.rpcSystem) || this.has(slot.rpcSystemOld)) {
      system = this.slotText(this.has(slot.rpcSystem) ? slot.rpcSystem : slot.rpcSystemOld);
      // since v1.39 rpc.method may be the full name and rpc.service absent
      destination = this.joined(slot.rpcService, 0x2f, slot.rpcMethod);
    } else if (this.has(slot.dbSystem) || this.has(slot.dbSystemOld)) {
      system = this.slotText(this.has(slot.dbSystem) ? slot.dbSystem : slot.dbSystemOld);
      destination = this.joined(
        this.has(slot.dbNamespace) ? slot.dbNamespace : slot.dbNamespaceOld,
        0x2e,
        this.has(slot.dbCollection) ? slot.dbCollection : slot.dbCollectionOld,
      );
    } else if (this.slotSpan[slot.httpAny] === this.serial || this.slotSpan[slot.httpRoute] === this.serial) {
      system = this.constant(httpBytes, httpView);
      destination = this.slotText(this.has(slot.httpRoute) ? slot.httpRoute : slot.urlTemplate);
    }
    columns.system[row] = system;
    columns.destination[row] = destination;
    columns.operation[row] = operation;
  }

  private first(a: number, b: number, c: number): number {
    return this.has(a) ? a : this.has(b) ? b : this.has(c) ? c : -1;
  }

  private operation(): number {
    let operation = 0;
    if (this.has(slot.operationType))
      operation = operationOf(this.bytes, this.slotStart[slot.operationType]!, this.slotEnd[slot.operationType]!);
    if (operation === 0 && this.has(slot.operationOld))
      operation = operationOf(this.bytes, this.slotStart[slot.operationOld]!, this.slotEnd[slot.operationOld]!);
    if (operation === 0 && this.has(slot.operationName))
      operation = operationOf(this.bytes, this.slotStart[slot.operationName]!, this.slotEnd[slot.operationName]!);
    return operation;
  }

  private constant(bytes: Uint8Array, view: DataView): number {
    return this.dictionary.indexOf(bytes, view, 0, bytes.length);
  }

  /** Two texts with a sign between; one alone where the other is absent. */
  private joined(left: number, between: number, right: number): number {
    if (!this.has(left)) return this.slotText(right);
    if (!this.has(right)) return this.slotText(left);
    const most = this.limits.valueBytes;
    let length = 0;
    for (const place of [left, right]) {
      const start = this.slotStart[place]!;
      const end = cutEnd(this.bytes, start, this.slotEnd[place]!, most);
      if (end !== this.slotEnd[place]) this.draftFlags |= spanFlag.cut;
      this.pair.set(this.bytes.subarray(start, end), length);
      length += end - start;
      if (place === left) this.pair[length++] = between;
    }
    const cut = cutEnd(this.pair, 0, length, most);
    if (cut !== length) this.draftFlags |= spanFlag.cut;
    return this.dictionary.indexOf(this.pair, this.pairView, 0, cut);
  }
}

/** What a resource sent within the batch. */
interface Heard {
  resource: number;
  count: number;
  arrivalNanos: bigint;
  rawNanos: number | null;
  rawAtNanos: bigint;
}

const mqttBytes = Uint8Array.from('mqtt', (c) => c.charCodeAt(0));
const mqttView = new DataView(mqttBytes.buffer);
const httpBytes = Uint8Array.from('http', (c) => c.charCodeAt(0));
const httpView = new DataView(httpBytes.buffer);

const newColumns = (capacity: number) => ({
  traceHi: new BigUint64Array(capacity),
  traceLo: new BigUint64Array(capacity),
  spanId: new BigUint64Array(capacity),
  parentId: new BigUint64Array(capacity),
  startNanos: new BigInt64Array(capacity),
  durationNanos: new BigInt64Array(capacity),
  kind: new Uint8Array(capacity),
  status: new Uint8Array(capacity),
  flags: new Uint8Array(capacity),
  operation: new Uint8Array(capacity),
  name: new Uint32Array(capacity),
  resource: new Uint32Array(capacity),
  system: new Uint32Array(capacity),
  destination: new Uint32Array(capacity),
});

class GrowingColumns {
  readonly capacity: number;
  readonly columns: ReturnType<typeof newColumns>;
  readonly halves: Record<'traceHi' | 'traceLo' | 'spanId' | 'parentId' | 'startNanos' | 'durationNanos', Int32Array>;

  constructor(capacity: number, columns = newColumns(capacity)) {
    this.capacity = capacity;
    this.columns = columns;
    this.halves = {
      traceHi: new Int32Array(columns.traceHi.buffer),
      traceLo: new Int32Array(columns.traceLo.buffer),
      spanId: new Int32Array(columns.spanId.buffer),
      parentId: new Int32Array(columns.parentId.buffer),
      startNanos: new Int32Array(columns.startNanos.buffer),
      durationNanos: new Int32Array(columns.durationNanos.buffer),
    };
  }

  grown(count: number): GrowingColumns {
    const next = newColumns(this.capacity * 2);
    const old = this.take(count);
    next.traceHi.set(old.traceHi);
    next.traceLo.set(old.traceLo);
    next.spanId.set(old.spanId);
    next.parentId.set(old.parentId);
    next.startNanos.set(old.startNanos);
    next.durationNanos.set(old.durationNanos);
    next.kind.set(old.kind);
    next.status.set(old.status);
    next.flags.set(old.flags);
    next.operation.set(old.operation);
    next.name.set(old.name);
    next.resource.set(old.resource);
    next.system.set(old.system);
    next.destination.set(old.destination);
    return new GrowingColumns(this.capacity * 2, next);
  }

  /** Copies of the right size; the room itself is used again. */
  take(count: number): ReturnType<typeof newColumns> {
    const c = this.columns;
    return {
      traceHi: c.traceHi.slice(0, count),
      traceLo: c.traceLo.slice(0, count),
      spanId: c.spanId.slice(0, count),
      parentId: c.parentId.slice(0, count),
      startNanos: c.startNanos.slice(0, count),
      durationNanos: c.durationNanos.slice(0, count),
      kind: c.kind.slice(0, count),
      status: c.status.slice(0, count),
      flags: c.flags.slice(0, count),
      operation: c.operation.slice(0, count),
      name: c.name.slice(0, count),
      resource: c.resource.slice(0, count),
      system: c.system.slice(0, count),
      destination: c.destination.slice(0, count),
    };
  }
}

const newLinks = (capacity: number) => ({
  row: new Uint32Array(capacity),
  traceHi: new BigUint64Array(capacity),
  traceLo: new BigUint64Array(capacity),
  spanId: new BigUint64Array(capacity),
});

class GrowingLinks {
  readonly capacity: number;
  readonly columns: ReturnType<typeof newLinks>;
  readonly halves: Record<'traceHi' | 'traceLo' | 'spanId', Int32Array>;

  constructor(capacity: number, columns = newLinks(capacity)) {
    this.capacity = capacity;
    this.columns = columns;
    this.halves = {
      traceHi: new Int32Array(columns.traceHi.buffer),
      traceLo: new Int32Array(columns.traceLo.buffer),
      spanId: new Int32Array(columns.spanId.buffer),
    };
  }

  grown(count: number): GrowingLinks {
    const next = newLinks(this.capacity * 2);
    const old = this.take(count);
    next.row.set(old.row);
    next.traceHi.set(old.traceHi);
    next.traceLo.set(old.traceLo);
    next.spanId.set(old.spanId);
    return new GrowingLinks(this.capacity * 2, next);
  }

  take(count: number): ReturnType<typeof newLinks> {
    const c = this.columns;
    return {
      row: c.row.slice(0, count),
      traceHi: c.traceHi.slice(0, count),
      traceLo: c.traceLo.slice(0, count),
      spanId: c.spanId.slice(0, count),
    };
  }
}
