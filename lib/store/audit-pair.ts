import type { Edge, EdgeColumns, MomentColumns, OffsetColumns, RouteAnswer, RouteQuestion } from './audit-store.ts';
import { edgeColumnsOf, edgeKind, flowOf, momentColumnsOf } from './audit-store.ts';
import type { WriteColumn } from './columns.ts';

/**
 * Pairing in memory: what a pass reads is bounded (lib/audit/memory.ts, mostSpans), and a dozen statements over temporary tables cost
 * three times what two hash tables do. Ids stay 32-bit words, times are only made a number where they are a difference.
 */

/** Half a microsecond: figures are whole nanoseconds, bounds are sums of some. */
export const doubtNanos = 500;

/** A CLIENT of one of these talks to a broker. */
export const messagingSystems = [
  'mqtt',
  'kafka',
  'rabbitmq',
  'amqp',
  'nats',
  'pulsar',
  'activemq',
  'jms',
  'rocketmq',
  'aws_sqs',
  'aws_sns',
  'gcp_pubsub',
  'servicebus',
  'eventhubs',
  'redis',
] as const;

/** In the order of `SpanRows`: the columns of the table of spans. */
export type SpanArrays = [
  BigUint64Array,
  BigUint64Array,
  BigUint64Array,
  BigUint64Array,
  BigInt64Array,
  BigInt64Array,
  BigInt64Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  BigInt64Array,
];

/** The low word of id `i` is at 2i, the high word at 2i + 1. */
export const wordsOf = (column: BigUint64Array | BigInt64Array): Uint32Array =>
  new Uint32Array(column.buffer, column.byteOffset, column.length * 2);

/** Rows of spans as they are read, one part after the other. */
export class SpanRows {
  readonly count: number;
  readonly traceHi: BigUint64Array;
  readonly traceLo: BigUint64Array;
  readonly spanId: BigUint64Array;
  readonly startNs: BigInt64Array;
  readonly durationNs: BigInt64Array;
  readonly arrivalMs: BigInt64Array;
  readonly kind: Uint8Array;
  readonly status: Uint8Array;
  readonly flags: Uint8Array;
  readonly operation: Uint8Array;
  readonly name: Int32Array;
  readonly resource: Int32Array;
  readonly system: Int32Array;
  readonly destination: Int32Array;
  readonly collector: Int32Array;
  readonly seq: BigInt64Array;
  /** the first row that came with this pass: everything before was read by an earlier one */
  readonly firstFresh: number;
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
  readonly id: Uint32Array;
  readonly parent: Uint32Array;
  readonly start: Uint32Array;

  constructor(parts: SpanArrays[], firstFresh: number) {
    const whole = (
      parts.length === 1 ? parts[0]! : parts[0]!.map((_, c) => concat(parts.map((part) => part[c]!)))
    ) as SpanArrays;
    [
      this.traceHi,
      this.traceLo,
      this.spanId,
      ,
      this.startNs,
      this.durationNs,
      this.arrivalMs,
      this.kind,
      this.status,
      this.flags,
      this.operation,
      this.name,
      this.resource,
      this.system,
      this.destination,
      this.collector,
      this.seq,
    ] = whole;
    this.count = this.traceHi.length;
    this.firstFresh = firstFresh;
    this.hi = wordsOf(this.traceHi);
    this.lo = wordsOf(this.traceLo);
    this.id = wordsOf(this.spanId);
    this.parent = wordsOf(whole[3]);
    this.start = wordsOf(this.startNs);
  }

  /** nanoseconds from row `a`'s start to row `b`'s; exact up to 104 days */
  between(a: number, b: number): number {
    const s = this.start;
    return ((s[2 * b + 1]! | 0) - (s[2 * a + 1]! | 0)) * 4294967296 + (s[2 * b]! - s[2 * a]!);
  }
}

function concat(columns: SpanArrays[number][]): SpanArrays[number] {
  const Kind = columns[0]!.constructor as new (length: number) => BigInt64Array;
  const all = new Kind(columns.reduce((sum, column) => sum + column.length, 0));
  let at = 0;
  for (const column of columns) {
    all.set(column as BigInt64Array, at);
    at += column.length;
  }
  return all;
}

/** Rows of these indices alone. */
export const pickSpans = (arrays: SpanArrays, rows: readonly number[]): SpanArrays =>
  arrays.map((column) => {
    const Kind = column.constructor as new (length: number) => BigInt64Array;
    const picked = new Kind(rows.length);
    for (let i = 0; i < rows.length; i++) picked[i] = (column as BigInt64Array)[rows[i]!]!;
    return picked;
  }) as SpanArrays;

const mix = (a: number, b: number, c: number, d: number): number => {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return h ^ (h >>> 13);
};

const slotsFor = (count: number): Int32Array => new Int32Array(2 ** Math.ceil(Math.log2(count * 2 + 2))).fill(-1);

/** (trace, span) -> row. The same span twice: the one that was read first stays. */
export class SpanIndex {
  readonly #rows: SpanRows;
  readonly #slots: Int32Array;
  /** 1 where the same span was read before; null: nowhere */
  dropped: Uint8Array | null = null;

  constructor(rows: SpanRows) {
    this.#rows = rows;
    this.#slots = slotsFor(rows.count);
    const { hi, lo, id } = rows;
    for (let i = 0; i < rows.count; i++) {
      const w = 2 * i;
      const slot = this.#slot(hi[w]!, hi[w + 1]!, lo[w]!, lo[w + 1]!, id[w]!, id[w + 1]!);
      const there = this.#slots[slot]!;
      if (there < 0) {
        this.#slots[slot] = i;
        continue;
      }
      this.dropped ??= new Uint8Array(rows.count);
      const keeps = readBefore(rows, there, i) ? there : i;
      this.dropped[keeps === i ? there : i] = 1;
      this.#slots[slot] = keeps;
    }
  }

  /** -1 when it is not there */
  find(hi: Uint32Array, lo: Uint32Array, id: Uint32Array, traceRow: number, idRow: number): number {
    const t = 2 * traceRow;
    return this.#slots[this.#slot(hi[t]!, hi[t + 1]!, lo[t]!, lo[t + 1]!, id[2 * idRow]!, id[2 * idRow + 1]!)]!;
  }

  #slot(hi0: number, hi1: number, lo0: number, lo1: number, id0: number, id1: number): number {
    const { hi, lo, id } = this.#rows;
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = mix(lo0, lo1 ^ hi0, id0, id1) & mask; ; at = (at + 1) & mask) {
      const row = slots[at]!;
      if (row < 0) return at;
      const w = 2 * row;
      if (
        id[w] === id0 &&
        id[w + 1] === id1 &&
        lo[w] === lo0 &&
        lo[w + 1] === lo1 &&
        hi[w] === hi0 &&
        hi[w + 1] === hi1
      )
        return at;
    }
  }
}

function readBefore(rows: SpanRows, a: number, b: number): boolean {
  const fresh = Number(a >= rows.firstFresh) - Number(b >= rows.firstFresh);
  if (fresh !== 0) return fresh < 0;
  if (rows.arrivalMs[a] !== rows.arrivalMs[b]) return rows.arrivalMs[a]! < rows.arrivalMs[b]!;
  if (rows.collector[a] !== rows.collector[b]) return rows.collector[a]! < rows.collector[b]!;
  if (rows.seq[a] !== rows.seq[b]) return rows.seq[a]! < rows.seq[b]!;
  return a < b;
}

export interface LinkRows {
  count: number;
  hi: Uint32Array;
  lo: Uint32Array;
  id: Uint32Array;
  toHi: Uint32Array;
  toLo: Uint32Array;
  toId: Uint32Array;
}

/** The first broker that saw a caller's message pass. */
export interface SeenPassing {
  ns: bigint;
  broker: number;
  device: number;
  fresh: boolean;
}

export interface Surroundings {
  rows: SpanRows;
  index: SpanIndex;
  links: LinkRows;
  /** by row of the span that was passed on */
  passages: Map<number, SeenPassing>;
  /** resource -> device */
  devices: Map<number, number>;
  /** systems of messaging */
  messaging: Set<number>;
}

export const isCaller = (rows: SpanRows, i: number): boolean =>
  (rows.kind[i] === 3 || rows.kind[i] === 4) && rows.operation[i] !== 3 && rows.operation[i] !== 5;
const isCallee = (rows: SpanRows, i: number): boolean =>
  (rows.kind[i] === 2 || rows.kind[i] === 5) && rows.operation[i] !== 3 && rows.operation[i] !== 5;

/** Caller and callee, as rows. */
class Pairs {
  caller: number[] = [];
  callee: number[] = [];
  linked: boolean[] = [];

  add(caller: number, callee: number, linked: boolean): void {
    this.caller.push(caller);
    this.callee.push(callee);
    this.linked.push(linked);
  }

  keep(wanted: (pair: number) => boolean): void {
    const kept = new Pairs();
    for (let p = 0; p < this.caller.length; p++)
      if (wanted(p)) kept.add(this.caller[p]!, this.callee[p]!, this.linked[p]!);
    Object.assign(this, kept);
  }
}

/** How far a start may lie before its arrival, and after it: beyond, the clock is wrong, not the span old. */
const earliestMs = 86_400_000;
export const latestMs = 300_000;
export function minuteOfStart(startNs: bigint, arrivalMs: bigint): number {
  const start = Number(startNs / 1_000_000n);
  const arrival = Number(arrivalMs);
  return Math.trunc((start >= arrival - earliestMs && start <= arrival + latestMs ? start : arrival) / 60_000);
}

const absent = Number.NaN;

export const pairKey = (callerRow: number, calleeTraceLo: bigint, calleeSpan: bigint): string =>
  `${callerRow} ${calleeTraceLo} ${calleeSpan}`;

/** The crossings of every caller that the new rows touch. Filled step by step, in the order of AuditTx. */
export class Pairing {
  readonly #s: Surroundings;
  readonly #pairs = new Pairs();
  /** callers whose crossings are made anew: one of both ends, or the passage, is new */
  readonly affected = new Set<number>();
  #routeOf = new Int32Array(0);
  #questions: RouteQuestion[] = [];
  #answers: RouteAnswer[] = [];
  minute = new Int32Array(0);
  /** index into the moments; -1: on one clock, and nobody saw it pass */
  #momentOf = new Int32Array(0);
  #moments: { caller: number; callee: number; broker: number; second: number }[] = [];

  constructor(surroundings: Surroundings) {
    this.#s = surroundings;
    this.#pairByParent();
    this.#pairByLink();
    this.#findAffected();
    this.#pairs.keep((p) => this.affected.has(this.#pairs.caller[p]!));
    this.#dropOtherServers();
  }

  get count(): number {
    return this.#pairs.caller.length;
  }

  /** What is paired of these callers. */
  pairKeys(ofCaller: (row: number) => boolean): Set<string> {
    const { rows } = this.#s;
    const { caller, callee } = this.#pairs;
    const keys = new Set<string>();
    for (let p = 0; p < caller.length; p++)
      if (ofCaller(caller[p]!)) keys.add(pairKey(caller[p]!, rows.traceLo[callee[p]!]!, rows.spanId[callee[p]!]!));
    return keys;
  }

  #isMessage(p: number): boolean {
    const { kind } = this.#s.rows;
    return kind[this.#pairs.caller[p]!] === 4 || kind[this.#pairs.callee[p]!] === 5;
  }

  /** The same resource is no crossing, unless a message went round. */
  #pairByParent(): void {
    const { rows, index } = this.#s;
    const { hi, lo, parent, kind, resource } = rows;
    for (let e = 0; e < rows.count; e++) {
      if (!isCallee(rows, e) || (parent[2 * e] === 0 && parent[2 * e + 1] === 0) || index.dropped?.[e]) continue;
      const c = index.find(hi, lo, parent, e, e);
      if (c < 0 || !isCaller(rows, c)) continue;
      if (resource[c] !== resource[e] || kind[c] === 4 || kind[e] === 5) this.#pairs.add(c, e, false);
    }
  }

  /** A link pairs a CONSUMER with a PRODUCER or with a messaging CLIENT. Parent and link to the same caller are one crossing. */
  #pairByLink(): void {
    const { rows, index, links, messaging } = this.#s;
    const { kind, operation, system, parent } = rows;
    const done = new Set<string>();
    for (let l = 0; l < links.count; l++) {
      const e = index.find(links.hi, links.lo, links.id, l, l);
      if (e < 0 || kind[e] !== 5 || !isCallee(rows, e)) continue;
      const c = index.find(links.toHi, links.toLo, links.toId, l, l);
      if (c < 0 || !isCaller(rows, c)) continue;
      if (kind[c] !== 4 && operation[c] === 0 && !messaging.has(system[c]!)) continue;
      const sameTrace =
        links.lo[2 * l] === links.toLo[2 * l] &&
        links.lo[2 * l + 1] === links.toLo[2 * l + 1] &&
        links.hi[2 * l] === links.toHi[2 * l] &&
        links.hi[2 * l + 1] === links.toHi[2 * l + 1];
      if (sameTrace && parent[2 * e] === links.toId[2 * l] && parent[2 * e + 1] === links.toId[2 * l + 1]) continue;
      const key = `${c} ${e}`;
      if (done.has(key)) continue;
      done.add(key);
      this.#pairs.add(c, e, true);
    }
  }

  /** Asked before other servers are dropped: they count too. */
  #findAffected(): void {
    const { rows, passages, index } = this.#s;
    const { caller, callee } = this.#pairs;
    for (let p = 0; p < caller.length; p++)
      if (caller[p]! >= rows.firstFresh || callee[p]! >= rows.firstFresh) this.affected.add(caller[p]!);
    for (const [row, passage] of passages)
      if (passage.fresh && isCaller(rows, row) && !index.dropped?.[row]) this.affected.add(row);
  }

  /**
   * Of several SERVERs of one CLIENT the last that fits into it counts: how long both took is on their own clocks; whether it ended in
   * time is only asked where both share one. The others go.
   */
  #dropOtherServers(): void {
    const { caller, callee } = this.#pairs;
    const chosen = new Map<number, number>();
    let several = false;
    for (let p = 0; p < caller.length; p++) {
      if (this.#isMessage(p)) continue;
      const before = chosen.get(caller[p]!);
      if (before === undefined) {
        chosen.set(caller[p]!, p);
        continue;
      }
      several = true;
      if (this.#isBetterServer(caller[p]!, callee[p]!, callee[before]!)) chosen.set(caller[p]!, p);
    }
    if (several) this.#pairs.keep((p) => this.#isMessage(p) || chosen.get(caller[p]!) === p);
  }

  #isBetterServer(c: number, a: number, b: number): boolean {
    const { rows, devices } = this.#s;
    const { durationNs, startNs, spanId, resource } = rows;
    const end = (row: number): bigint => startNs[row]! + durationNs[row]!;
    const fits = (e: number): boolean =>
      durationNs[e]! <= durationNs[c]! && (devices.get(resource[c]!) !== devices.get(resource[e]!) || end(e) <= end(c));
    if (fits(a) !== fits(b)) return fits(a);
    return end(a) !== end(b) ? end(a) > end(b) : spanId[a]! < spanId[b]!;
  }

  #passage(p: number): SeenPassing | undefined {
    return this.#s.passages.size > 0 && this.#isMessage(p) ? this.#s.passages.get(this.#pairs.caller[p]!) : undefined;
  }

  /** Every kind of crossing once; `text` says what a number stands for. */
  questions(text: (id: number) => string): RouteQuestion[] {
    const { resource, system, destination } = this.#s.rows;
    const { caller, callee } = this.#pairs;
    const known = new Map<string, number>();
    this.#routeOf = new Int32Array(this.count);
    this.#questions = [];
    for (let p = 0; p < this.count; p++) {
      const [c, e] = [caller[p]!, callee[p]!];
      const message = this.#isMessage(p);
      const broker = this.#passage(p)?.broker ?? 0;
      const key = `${resource[c]} ${resource[e]} ${message} ${system[c]} ${system[e]} ${destination[c]} ${destination[e]} ${broker}`;
      let route = known.get(key);
      if (route === undefined) {
        route = this.#questions.length;
        known.set(key, route);
        this.#questions.push({
          callerResource: resource[c]!,
          calleeResource: resource[e]!,
          message,
          callerSystem: text(system[c]!),
          calleeSystem: text(system[e]!),
          callerDestination: text(destination[c]!),
          calleeDestination: text(destination[e]!),
          broker: text(broker),
          key: [system[c]!, system[e]!, destination[c]!, destination[e]!, broker],
        });
      }
      this.#routeOf[p] = route;
    }
    return this.#questions;
  }

  /** Numbers of the texts that `questions` will ask for. */
  texts(): Set<number> {
    const { system, destination } = this.#s.rows;
    const ids = new Set<number>([0]);
    for (let p = 0; p < this.count; p++) {
      for (const row of [this.#pairs.caller[p]!, this.#pairs.callee[p]!]) ids.add(system[row]!).add(destination[row]!);
      ids.add(this.#passage(p)?.broker ?? 0);
    }
    return ids;
  }

  answer(answers: readonly RouteAnswer[]): void {
    const byQuestion = new Map(
      answers.map((a) => [
        a.question,
        {
          ...a,
          floorNanos: Math.round(a.floorNanos),
          directFloorNanos: Math.round(a.directFloorNanos),
          uplinkFloorNanos: Math.round(a.uplinkFloorNanos),
        },
      ]),
    );
    this.#answers = this.#questions.map((question) => byQuestion.get(question)!);
    this.#placeInTime();
  }

  #device(row: number): number {
    return this.#s.devices.get(this.#s.rows.resource[row]!) ?? 0;
  }

  #placeInTime(): void {
    const { startNs, arrivalMs } = this.#s.rows;
    const known = new Map<string, number>();
    this.minute = new Int32Array(this.count);
    this.#momentOf = new Int32Array(this.count).fill(-1);
    this.#moments = [];
    for (let p = 0; p < this.count; p++) {
      const c = this.#pairs.caller[p]!;
      this.minute[p] = minuteOfStart(startNs[c]!, arrivalMs[c]!);
      const [from, to] = [this.#device(c), this.#device(this.#pairs.callee[p]!)];
      const broker = this.#passage(p)?.device ?? 0;
      if (from === to && !this.#passage(p)) continue;
      const second = Number(startNs[c]! / 1_000_000_000n);
      const key = `${from} ${to} ${broker} ${second}`;
      let moment = known.get(key);
      if (moment === undefined) {
        moment = this.#moments.length;
        known.set(key, moment);
        this.#moments.push({ caller: from, callee: to, broker, second });
      }
      this.#momentOf[p] = moment;
    }
  }

  moments(): MomentColumns {
    return momentColumnsOf(this.#moments);
  }

  /** As edgesOf in audit-sql.ts, which makes them of stored crossings. Least per moment, route and kind; replies by the second they were sent. */
  edges(): EdgeColumns {
    const { rows } = this.#s;
    const routes = this.#answers.length;
    const least = new Map<number, Float64Array>();
    const replies = new Map<number, Map<number, number>>();
    const see = (slot: number, kind: number, nanos: number): void => {
      const of = least.get(slot) ?? new Float64Array(5).fill(Number.POSITIVE_INFINITY);
      least.set(slot, of);
      if (nanos < of[kind]!) of[kind] = nanos;
    };
    const seeReply = (slot: number, second: number, nanos: number): void => {
      const of = replies.get(slot) ?? new Map<number, number>();
      replies.set(slot, of);
      if (nanos < (of.get(second) ?? Number.POSITIVE_INFINITY)) of.set(second, nanos);
    };
    for (let p = 0; p < this.count; p++) {
      const moment = this.#momentOf[p]!;
      if (moment < 0) continue;
      const [c, e, route] = [this.#pairs.caller[p]!, this.#pairs.callee[p]!, this.#routeOf[p]!];
      const slot = moment * routes + route;
      const { caller, callee } = this.#moments[moment]!;
      const answer = this.#answers[route]!;
      const [callerGrain, calleeGrain] = [rows.flags[c]! & 2 ? 1_000_000 : 0, rows.flags[e]! & 2 ? 1_000_000 : 0];
      const there = rows.between(c, e);
      if (caller !== callee && caller !== 0 && callee !== 0) {
        const way = wayFloor(answer, this.#isMessage(p));
        see(slot, this.#isMessage(p) ? edgeKind.message : edgeKind.request, there + calleeGrain - way);
        if (!this.#isMessage(p) && !this.#isError(p)) {
          const [took, served] = [Number(rows.durationNs[c]), Number(rows.durationNs[e])];
          const workedOn = served + answer.directFloorNanos > took + callerGrain + calleeGrain;
          const sent = Number((rows.startNs[e]! + rows.durationNs[e]!) / 1_000_000_000n);
          seeReply(slot, sent, workedOn ? Number.NEGATIVE_INFINITY : took - served - there + callerGrain - way);
        }
      }
      const passage = this.#passage(p);
      if (passage && caller !== 0)
        see(slot, edgeKind.passage, Number(passage.ns - rows.startNs[c]!) - answer.uplinkFloorNanos);
    }
    const found: Edge[] = [];
    for (const [slot, nanos] of least) {
      const { caller, callee, broker, second } = this.#moments[Math.floor(slot / routes)]!;
      const answer = this.#answers[slot % routes]!;
      for (const kind of [edgeKind.message, edgeKind.request, edgeKind.passage]) {
        if (nanos[kind] === Number.POSITIVE_INFINITY) continue;
        const passage = kind === edgeKind.passage;
        const floor = passage ? answer.uplinkFloorNanos : wayFloor(answer, kind === edgeKind.message);
        found.push({ from: caller, to: passage ? broker : callee, second, least: nanos[kind]!, floor, kind, flow: 0 });
      }
    }
    for (const [slot, seconds] of replies) {
      const { caller, callee } = this.#moments[Math.floor(slot / routes)]!;
      const answer = this.#answers[slot % routes]!;
      const common = {
        from: callee,
        to: caller,
        floor: wayFloor(answer, false),
        kind: edgeKind.reply,
        flow: flowOf(answer.hop),
      };
      for (const [second, nanos] of seconds) found.push({ ...common, second, least: nanos });
    }
    return edgeColumnsOf(found);
  }

  #isError(p: number): boolean {
    const { status } = this.#s.rows;
    return status[this.#pairs.caller[p]!] === 2 || status[this.#pairs.callee[p]!] === 2;
  }

  callerKey(p: number): number {
    return this.#pairs.caller[p]!;
  }

  hop(p: number): bigint {
    return this.#answers[this.#routeOf[p]!]!.hop;
  }

  crossesClocks(p: number): boolean {
    return this.#momentOf[p]! >= 0;
  }

  /** What a crossing's figures are, given the offsets of `moments()`. */
  judge(offsets: OffsetColumns): Judged[] {
    const { rows } = this.#s;
    return Array.from({ length: this.count }, (_, p) => {
      const [c, e, moment] = [this.#pairs.caller[p]!, this.#pairs.callee[p]!, this.#momentOf[p]!];
      const passage = this.#passage(p);
      const answer = this.#answers[this.#routeOf[p]!]!;
      const message = this.#isMessage(p);
      const same = this.#device(c) === this.#device(e);
      const [callerGrain, calleeGrain] = [(rows.flags[c]! & 2) > 0, (rows.flags[e]! & 2) > 0];
      const figures = crossingFigures(
        {
          message,
          same,
          there: rows.between(c, e),
          gap: Number(rows.durationNs[c]! - rows.durationNs[e]!),
          callerGrain,
          calleeGrain,
          floor: answer.floorNanos,
          uplinkRaw: passage ? Number(passage.ns - rows.startNs[c]!) : null,
          downlinkRaw: passage ? Number(rows.startNs[e]! - passage.ns) : null,
        },
        offsets,
        moment,
      );
      return {
        ...figures,
        grains: (callerGrain ? 1 : 0) + (calleeGrain ? 2 : 0),
        error: this.#isError(p),
        message,
        passed: passage !== undefined,
        broker: passage?.broker ?? 0,
        hop: this.hop(p),
        minute: this.minute[p]!,
        floor: figures.misplaced ? 0 : answer.floorNanos,
        directFloor: figures.misplaced ? 0 : answer.directFloorNanos,
        caller: c,
      };
    });
  }

  /** In the order of the table's columns. */
  columns(judged: readonly Judged[]): WriteColumn[] {
    const { rows } = this.#s;
    const { caller, callee, linked } = this.#pairs;
    const ids = (column: BigUint64Array, of: number[]) => BigUint64Array.from(of, (row) => column[row]!);
    const nanos = (column: BigInt64Array, of: number[]) => BigInt64Array.from(of, (row) => column[row]!);
    const figure = (of: (j: Judged) => number): WriteColumn => orNull(judged, of);
    const route = <T>(of: (answer: RouteAnswer) => T): T[] => Array.from(this.#routeOf, (r) => of(this.#answers[r]!));
    const passages = judged.map((_, p) => this.#passage(p));
    const none = this.#s.passages.size === 0;
    return [
      ids(rows.traceHi, caller),
      ids(rows.traceLo, caller),
      ids(rows.spanId, caller),
      ids(rows.traceHi, callee),
      ids(rows.traceLo, callee),
      ids(rows.spanId, callee),
      BigUint64Array.from(route((a) => a.hop)),
      judged.map((j) => j.message),
      linked,
      judged.map((j) => j.error),
      Int32Array.from(caller, (row) => this.#device(row)),
      Int32Array.from(callee, (row) => this.#device(row)),
      nanos(rows.startNs, caller),
      nanos(rows.durationNs, caller),
      nanos(rows.startNs, callee),
      nanos(rows.durationNs, callee),
      none ? null : passages.map((passage) => passage?.ns ?? null),
      Int32Array.from(judged, (j) => j.broker),
      this.minute,
      BigInt64Array.from(judged, (j) => BigInt(j.raw)),
      figure((j) => j.added),
      figure((j) => j.offset),
      figure((j) => j.bound),
      Uint8Array.from(judged, (j) => j.clock),
      BigInt64Array.from(route((a) => BigInt(a.floorNanos))),
      BigInt64Array.from(route((a) => BigInt(a.directFloorNanos))),
      none ? null : figure((j) => j.uplink),
      none ? null : figure((j) => j.uplinkBound),
      none ? null : figure((j) => j.downlink),
      none ? null : figure((j) => j.downlinkBound),
      Int32Array.from(passages, (passage) => passage?.device ?? 0),
      BigInt64Array.from(route((a) => BigInt(a.uplinkFloorNanos))),
      Uint8Array.from(judged, (j) => j.grains),
      // one value for all spares a native call for each
      judged.some((j) => j.misplaced) ? judged.map((j) => j.misplaced) : false,
    ];
  }
}

/** Nanoseconds; NaN = none can be given. */
export interface Judged {
  clock: number;
  raw: number;
  added: number;
  offset: number;
  bound: number;
  uplink: number;
  uplinkBound: number;
  downlink: number;
  downlinkBound: number;
  misplaced: boolean;
  grains: number;
  error: boolean;
  message: boolean;
  passed: boolean;
  broker: number;
  hop: bigint;
  minute: number;
  floor: number;
  directFloor: number;
  /** row of the calling span */
  caller: number;
}

/** What a crossing's stamps say, in nanoseconds. */
export interface CrossingStamps {
  message: boolean;
  /** caller and callee share a device */
  same: boolean;
  /** callee's start - caller's start */
  there: number;
  /** caller's duration - callee's duration */
  gap: number;
  /** whose stamps are whole milliseconds */
  callerGrain: boolean;
  calleeGrain: boolean;
  floor: number;
  /** passage - caller's start, callee's start - passage; null where nobody saw it pass */
  uplinkRaw: number | null;
  downlinkRaw: number | null;
}

export type CrossingFigures = Figures &
  Pick<Judged, 'uplink' | 'uplinkBound' | 'downlink' | 'downlinkBound' | 'misplaced'>;

/** Given the offsets of its moment, -1 = it has none: as judgedStages in duckdb/audit-sql.ts, which judges stored ones and says why. */
export function crossingFigures(
  { message, same, there, gap, callerGrain, calleeGrain, floor, uplinkRaw, downlinkRaw }: CrossingStamps,
  offsets: OffsetColumns,
  moment: number,
): CrossingFigures {
  const whole = (values: Float64Array): number => (moment < 0 ? absent : Math.round(values[moment]!));
  const [sent, received] = [callerGrain ? 1_000_000 : 0, calleeGrain ? 1_000_000 : 0];
  const label = (moment < 0 ? 0 : offsets.label[moment]!) || 4;
  const off = whole(offsets.offset);
  const up = whole(offsets.brokerOffset);
  const misplaced = moment >= 0 && offsets.misplaced[moment] === 1 && !same;
  const figures = message
    ? messageFigures({
        there,
        sent,
        received,
        same,
        label,
        off,
        offBound: whole(offsets.bound),
        floor: same || misplaced ? 0 : floor,
      })
    : rpcFigures(there, gap, sent + received, same, label === 3 ? coarse(off) : absent);
  const told = figures.clock !== 5 && figures.clock !== 7;
  return {
    ...figures,
    uplink: uplinkRaw === null ? absent : uplinkRaw - up,
    uplinkBound: uplinkRaw === null ? absent : whole(offsets.brokerBound) + sent,
    downlink: downlinkRaw !== null && told ? downlinkRaw - figures.offset + up : absent,
    downlinkBound: downlinkRaw !== null && told ? whole(offsets.downlinkBound) + received : absent,
    misplaced,
  };
}

type Figures = Pick<Judged, 'clock' | 'raw' | 'added' | 'offset' | 'bound'>;

interface MessageStamps {
  there: number;
  sent: number;
  received: number;
  same: boolean;
  label: number;
  off: number;
  offBound: number;
  floor: number;
}

function messageFigures({ there, sent, received, same, label, off, offBound, floor }: MessageStamps): Figures {
  const none = { raw: there, added: absent, bound: absent };
  if (!same && label === 7) return { ...none, clock: 7, offset: absent };
  if (!same && label === 5) return { ...none, clock: 5, offset: off };
  const asSent = same || label === 4;
  const lowest = there - sent - (asSent ? 0 : off + offBound);
  const least = Math.max(floor, lowest);
  const most = there + received - (asSent ? 0 : off - offBound);
  if (most < least - doubtNanos) {
    if (!asSent) return { ...none, clock: 7, offset: absent };
    return { ...none, clock: 5, offset: same ? 0 : there + received - floor };
  }
  const added = Math.max(least, lowest + Math.trunc((most - lowest) / 2));
  return {
    clock: same ? 1 : label,
    raw: there,
    added,
    offset: same ? 0 : there - added,
    bound: same || label === 3 ? Math.max(most - added, added - least) : absent,
  };
}

/** To a tenth of a millisecond, as `coarse` in audit-sql.ts. */
const coarse = (nanos: number): number => Math.round(nanos / 100_000) * 100_000;

function rpcFigures(there: number, gap: number, grain: number, same: boolean, off: number): Figures {
  if (gap < 0) return { clock: 6, raw: gap, added: absent, offset: same || Number.isNaN(off) ? 0 : off, bound: absent };
  const wanted = Number.isNaN(off) ? there - Math.floor(gap / 2) : off;
  const offset = same ? 0 : Math.min(Math.max(wanted, there - gap), there);
  return { clock: same ? 1 : 2, raw: gap, added: gap, offset, bound: grain };
}

/** One way: a message may go by way of its broker, an RPC goes half of there and back. */
const wayFloor = (answer: RouteAnswer, message: boolean): number =>
  message ? answer.floorNanos : Math.floor(answer.directFloorNanos / 2);

/** A typed column where nothing is missing: a value at a time costs a native call. */
function orNull(judged: readonly Judged[], of: (j: Judged) => number): WriteColumn {
  const typed = new BigInt64Array(judged.length);
  for (let p = 0; p < judged.length; p++) {
    const value = of(judged[p]!);
    if (Number.isNaN(value)) return judged.map((j) => (Number.isNaN(of(j)) ? null : of(j)));
    typed[p] = BigInt(value);
  }
  return typed;
}

// ---- traces

export const traceKey = (hi: bigint, lo: bigint): string => `${hi} ${lo}`;

/**
 * One row per trace that has a new span: of its root, or of its earliest span while the root is missing.
 * `before`: when the first span of a trace arrived, as far as earlier passes knew, by `hi lo`.
 */
export function tracesOf(
  rows: SpanRows,
  dropped: Uint8Array | null,
  before: ReadonlyMap<string, bigint>,
): { columns: WriteColumn[]; count: number; old: { hi: bigint; lo: bigint }[] } {
  const slots = slotsFor(rows.count);
  const mask = slots.length - 1;
  const { hi, lo, id, parent, status, arrivalMs } = rows;
  // per trace
  const first: number[] = [];
  const root: number[] = [];
  const earliest: number[] = [];
  const last: number[] = [];
  const lastEnd: number[] = [];
  const spans: number[] = [];
  const errors: number[] = [];
  const newest: number[] = [];
  const oldest: number[] = [];
  const fresh: boolean[] = [];
  const isRoot = (row: number): boolean => parent[2 * row] === 0 && parent[2 * row + 1] === 0;
  const startsFirst = (a: number, b: number): boolean => {
    const apart = rows.between(a, b);
    if (apart !== 0) return apart > 0;
    return id[2 * a + 1] !== id[2 * b + 1] ? id[2 * a + 1]! < id[2 * b + 1]! : id[2 * a]! < id[2 * b]!;
  };
  for (let i = 0; i < rows.count; i++) {
    if (dropped?.[i]) continue;
    const w = 2 * i;
    let at = mix(lo[w]!, lo[w + 1]!, hi[w]!, hi[w + 1]!) & mask;
    let t = slots[at]!;
    while (t >= 0) {
      const f = 2 * first[t]!;
      if (lo[f] === lo[w] && lo[f + 1] === lo[w + 1] && hi[f] === hi[w] && hi[f + 1] === hi[w + 1]) break;
      at = (at + 1) & mask;
      t = slots[at]!;
    }
    const took = Number(rows.durationNs[i]);
    if (t < 0) {
      slots[at] = first.length;
      first.push(i);
      root.push(i);
      earliest.push(i);
      last.push(i);
      lastEnd.push(took);
      spans.push(1);
      errors.push(status[i] === 2 ? 1 : 0);
      newest.push(i);
      oldest.push(i);
      fresh.push(i >= rows.firstFresh);
      continue;
    }
    spans[t] = spans[t]! + 1;
    if (status[i] === 2) errors[t] = errors[t]! + 1;
    if (i >= rows.firstFresh) fresh[t] = true;
    if (arrivalMs[newest[t]!] !== arrivalMs[i]) {
      if (arrivalMs[i]! > arrivalMs[newest[t]!]!) newest[t] = i;
      if (arrivalMs[i]! < arrivalMs[oldest[t]!]!) oldest[t] = i;
    }
    if (rows.between(i, earliest[t]!) > 0) earliest[t] = i;
    const end = rows.between(first[t]!, i) + took;
    if (end > lastEnd[t]!) {
      lastEnd[t] = end;
      last[t] = i;
    }
    if (isRoot(i) === isRoot(root[t]!) ? startsFirst(i, root[t]!) : isRoot(i)) root[t] = i;
  }
  const written = first.flatMap((_, t) => (fresh[t] ? [t] : []));
  const { startNs, durationNs } = rows;
  const startOf = (t: number): bigint => startNs[isRoot(root[t]!) ? root[t]! : earliest[t]!]!;
  const durationOf = (t: number): bigint =>
    isRoot(root[t]!) ? durationNs[root[t]!]! : startNs[last[t]!]! + durationNs[last[t]!]! - startNs[earliest[t]!]!;
  const firstArrivalOf = (t: number): bigint => {
    const known =
      before.size === 0 ? undefined : before.get(traceKey(rows.traceHi[first[t]!]!, rows.traceLo[first[t]!]!));
    const own = arrivalMs[oldest[t]!]!;
    return known !== undefined && known < own ? known : own;
  };
  return {
    count: written.length,
    // rows that were read before come first
    old: written.flatMap((t) =>
      first[t]! < rows.firstFresh ? [{ hi: rows.traceHi[first[t]!]!, lo: rows.traceLo[first[t]!]! }] : [],
    ),
    columns: [
      BigUint64Array.from(written, (t) => rows.traceHi[first[t]!]!),
      BigUint64Array.from(written, (t) => rows.traceLo[first[t]!]!),
      BigInt64Array.from(written, startOf),
      BigInt64Array.from(written, durationOf),
      Int32Array.from(written, (t) => rows.name[root[t]!]!),
      Int32Array.from(written, (t) => rows.resource[root[t]!]!),
      written.map((t) => isRoot(root[t]!)),
      Int32Array.from(written, (t) => spans[t]!),
      Int32Array.from(written, (t) => errors[t]!),
      BigInt64Array.from(written, (t) => arrivalMs[newest[t]!]!),
      BigInt64Array.from(written, firstArrivalOf),
    ],
  };
}
