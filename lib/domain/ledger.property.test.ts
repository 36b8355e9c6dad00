import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ledger, ledgerOf } from './ledger.ts';
import type { PathCrossing, PathSpan } from './request-path.ts';
import { spanKind } from './span.ts';

/** What really happened, on one true clock in nanoseconds, and what the devices, their clocks and the collector made of it. */
interface Story {
  spans: PathSpan[];
  crossings: PathCrossing[];
  /** how far each device's clock, or the broker's, is ahead of the truth */
  wrong: Map<string, bigint>;
}

interface Trouble {
  /** share of spans that never arrive */
  missing: number;
  /** share of crossings whose offset is a lie */
  lies: number;
  /** share of crossings without a bound */
  open: number;
  /** share of stamps that are off by a little: clocks step, SDKs cut digits */
  jitter: number;
}
const none: Trouble = { missing: 0, lies: 0, open: 0, jitter: 0 };

const devices = ['kiosk', 'gateway', 'handler', 'store', 'spare'];
const floorMs = (from: string, to: string): number => (from === to ? 0 : Math.abs(from.length - to.length) * 1.5);

/** Mulberry32: the same seed draws the same request. */
function drawnFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const later = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const millis = (ms: number): bigint => BigInt(Math.round(ms * 1e6));

/** A request that fans out over messages, calls, links and retries, some of it answered, some of it asynchronous. */
function tell(seed: number, trouble: Trouble): Story {
  const random = drawnFrom(seed);
  const upTo = (n: number): number => Math.floor(random() * n);
  const chance = (share: number): boolean => random() < share;
  const base = 1_795_000_000_000_000_000n;
  const wrong = new Map([...devices, 'broker'].map((device) => [device, millis((random() - 0.5) * 4000)]));
  const spans: PathSpan[] = [];
  const crossings: PathCrossing[] = [];
  const gone = new Set<string>();
  let ids = 0;

  const stamp = (device: string, truth: bigint): bigint =>
    base + truth + wrong.get(device)! + (chance(trouble.jitter) ? millis(random() * 8 - 4) : 0n);
  const record = (
    device: string,
    kind: keyof typeof spanKind,
    parent: PathSpan | null,
    from: bigint,
    to: bigint,
    traceId = parent?.traceId ?? 'one',
  ): PathSpan => {
    const start = stamp(device, from);
    const end = stamp(device, to);
    const span: PathSpan = {
      traceId,
      spanId: `s${String(ids++).padStart(4, '0')}`,
      parentSpanId: parent?.traceId === traceId ? parent.spanId : '',
      name: `${kind} ${upTo(3)}`,
      kind: spanKind[kind],
      startNanos: start,
      // what ends before it begins is refused at the door
      endNanos: later(start, end),
      status: chance(0.1) ? 2 : 0,
      deviceId: device,
      site: device,
      application: 'a',
      resource: { serviceName: device },
    };
    spans.push(span);
    if (ids > 1 && chance(trouble.missing)) gone.add(span.spanId);
    return span;
  };

  /** An interval that holds the truth and that the observation itself allows, told by a middle that need not be the truth. */
  const known = (from: string, to: string, most: bigint | null) => {
    if (from === to) return { middle: 0, bound: 0 };
    const truth = Number(wrong.get(to)! - wrong.get(from)!);
    const low = truth - random() * 2e7;
    const high = Math.min(truth + random() * 2e7, most === null ? Number.POSITIVE_INFINITY : Number(most));
    const lie = chance(trouble.lies) ? (random() - 0.5) * 4e8 : 0;
    return { middle: (low + high) / 2 + lie, bound: (high - low) / 2 };
  };
  const cross = (caller: PathSpan, callee: PathSpan, message: boolean, passed: bigint | null): void => {
    const [from, to] = [caller.deviceId, callee.deviceId];
    const floor = floorMs(from, to);
    const raw = callee.startNanos - caller.startNanos;
    const callerNanos = caller.endNanos - caller.startNanos;
    const calleeNanos = callee.endNanos - callee.startNanos;
    const gap = callerNanos - calleeNanos;
    const { middle, bound } = known(from, to, message && trouble.jitter === 0 ? raw - millis(floor) : null);
    const open = chance(trouble.open);
    // as the store does: a call's offset lies within what its own two edges allow
    const offset = message
      ? open
        ? null
        : middle
      : gap < 0n
        ? middle
        : Math.min(Math.max(middle, Number(raw - gap)), Number(raw));
    const up = passed === null ? null : known(from, 'broker', passed - caller.startNanos);
    const down = passed === null ? null : known('broker', to, null);
    crossings.push({
      hop: BigInt(from.length * 10 + to.length),
      callerTraceId: caller.traceId,
      callerSpanId: caller.spanId,
      calleeTraceId: callee.traceId,
      calleeSpanId: callee.spanId,
      message,
      linked: caller.traceId !== callee.traceId,
      callerDevice: from,
      calleeDevice: to,
      callerStartNanos: caller.startNanos,
      callerDurationNanos: callerNanos,
      calleeStartNanos: callee.startNanos,
      calleeDurationNanos: calleeNanos,
      passageNanos: passed,
      broker: passed === null ? '' : 'broker',
      offsetMs: from === to ? 0 : offset === null ? null : offset / 1e6,
      boundMs: message ? (open ? null : bound / 1e6) : gap < 0n ? null : 0,
      clock: message ? (open ? 'assumed' : 'bounded') : gap < 0n ? 'overlap' : 'round-trip',
      floorMs: message ? floor : floor * 2,
      directFloorMs: message ? floor : floor * 2,
      uplinkMs: up && (Number(passed! - caller.startNanos) - up.middle) / 1e6,
      uplinkBoundMs: up && (open ? null : up.bound / 1e6),
      downlinkMs: down && (Number(callee.startNanos - passed!) - down.middle) / 1e6,
      downlinkBoundMs: down && (open ? null : down.bound / 1e6),
    });
  };
  const way = (from: string, to: string): bigint => millis(floorMs(from, to) + 0.01 + random() * 20);
  let traces = 1;

  /** Work on a device from a moment on; answers when it was done. */
  const work = (
    span: PathSpan,
    from: bigint,
    depth: number,
    isRootAsked: (at: bigint, by: PathSpan) => void,
  ): bigint => {
    let now = from + millis(random() * 5);
    const steps = depth > 4 ? 0 : upTo(4);
    for (let i = 0; i < steps; i++) {
      const to = devices[upTo(devices.length)]!;
      const choice = random();
      const { deviceId } = span;
      if (choice < 0.15) {
        const until = now + millis(random() * 10);
        record(deviceId, chance(0.5) ? 'client' : 'internal', span, now, until);
        now = until;
      } else if (choice < 0.5) {
        // a call; one in six servers works on after the answer
        const client = record(deviceId, 'client', span, now, now);
        const began = now + way(deviceId, to);
        const server = record(to, 'server', client, began, began);
        const done = work(server, began, depth + 1, isRootAsked);
        const back = done + way(to, deviceId);
        end(server, to, chance(1 / 6) ? back + millis(40 + random() * 40) : done);
        end(client, deviceId, back);
        cross(client, server, false, null);
        now = chance(0.3) ? now + millis(random()) : back;
      } else {
        const producer = record(deviceId, 'producer', span, now, now + millis(1));
        const consumers = 1 + upTo(2);
        for (let n = 0; n < consumers; n++) {
          const began = now + way(deviceId, to);
          const consumer = record(to, 'consumer', producer, began, began, chance(0.2) ? `t${traces++}` : undefined);
          const passed = chance(0.6) ? base + wrong.get('broker')! + now + (began - now) / 2n : null;
          end(consumer, to, work(consumer, began, depth + 1, isRootAsked));
          cross(producer, consumer, true, passed);
        }
        if (chance(0.3)) isRootAsked(now, producer);
        now += millis(random() * 3);
      }
    }
    return now + millis(random() * 5);
  };
  const end = (span: PathSpan, device: string, truth: bigint): void => {
    span.endNanos = later(span.startNanos, stamp(device, truth));
  };
  const root = record('kiosk', 'internal', null, 0n, 0n);
  let answered = 0n;
  const done = work(root, 0n, 0, (at, by) => {
    // a reply that finds the requester still there, or not
    const reply = record(by.deviceId, 'producer', by, at, at + millis(1));
    const began = at + way(by.deviceId, 'kiosk') + millis(10);
    const shown = record('kiosk', 'consumer', reply, began, began + millis(3));
    cross(reply, shown, true, null);
    if (chance(0.7)) answered = began + millis(5);
  });
  end(root, 'kiosk', later(answered, done));
  return {
    spans: spans.filter((span) => !gone.has(span.spanId)),
    crossings: crossings.filter((c) => !gone.has(c.callerSpanId) && !gone.has(c.calleeSpanId)),
    wrong,
  };
}

const sum = (values: bigint[]): bigint => values.reduce((total, value) => total + value, 0n);

/** Lines add up, each begins where the one before it ended, and no device's time is told twice. */
function expectSound({ spans, crossings }: Story, ledger: Ledger, { clocksHold }: { clocksHold: boolean }): void {
  expect(sum(ledger.stretches.map((line) => line.nanos))).toBe(ledger.totalNanos);
  expect(sum(ledger.stretches.map((line) => line.rawNanos))).toBe(ledger.rawTotalNanos);
  let [at, raw] = [0, 0];
  for (const line of ledger.stretches) {
    expect([line.startMs, line.rawStartMs]).toEqual([at, raw]);
    [at, raw] = [line.endMs, line.rawEndMs];
  }
  const told = new Map<string, [number, number][]>();
  for (const line of ledger.stretches) {
    if (line.kind !== 'processing' && !(line.kind === 'wait' && line.toWhere === '')) continue;
    // one clock: raw and corrected are the same, and time goes forward
    expect(line.rawNanos).toBe(line.nanos);
    expect(line.nanos).toBeGreaterThan(0n);
    const before = clocksHold ? (told.get(line.where) ?? []) : [];
    for (const [from, to] of before) expect(line.rawEndMs <= from || line.rawStartMs >= to, line.where).toBe(true);
    told.set(line.where, [...before, [line.rawStartMs, line.rawEndMs]]);
  }
  // every place where something began is told once: on the path, or beside it
  const works = [...ledger.stretches, ...ledger.offPath].filter((line) => line.kind === 'processing');
  const byHandler = new Map<string, [number, number][]>();
  for (const line of works) {
    const id = line.spanIds[0]!;
    const before = byHandler.get(id) ?? [];
    for (const [from, to] of before) expect(line.rawEndMs <= from || line.rawStartMs >= to, id).toBe(true);
    byHandler.set(id, [...before, [line.rawStartMs, line.rawEndMs]]);
  }
  const reached = new Set([...ledger.stretches, ...ledger.offPath].flatMap((line) => line.spanIds));
  for (const { calleeSpanId } of crossings) {
    const callee = spans.find((span) => span.spanId === calleeSpanId)!;
    if (callee.endNanos > callee.startNanos) expect(reached).toContain(calleeSpanId);
  }
}

const seeds = (check: (seed: number) => void, numRuns: number): void =>
  fc.assert(fc.property(fc.integer(), check), { seed: 4, numRuns });

describe('the ledger of any request', () => {
  it('adds up and tells the truth within its bound, however wrong the clocks are set', () => {
    let ways = 0;
    let kinds = new Set<string>();
    seeds((seed) => {
      const story = tell(seed, none);
      const ledger = ledgerOf(story.spans, story.crossings)!;
      expectSound(story, ledger, { clocksHold: true });
      expect(ledger.clocksContradict).toBe(false);
      const ahead = (device: string): bigint => story.wrong.get(device)!;
      for (const line of ledger.stretches) {
        kinds = kinds.add(line.kind);
        if (line.toWhere === '' || line.kind === 'wait') continue;
        if (line.boundMs === null) {
          // a server that outlived its answer is the only thing that ties those two together, and it proves nothing
          expect(story.crossings.some((c) => c.clock === 'overlap' && line.spanIds.includes(c.calleeSpanId))).toBe(
            true,
          );
          continue;
        }
        ways++;
        const truth = line.rawNanos - (ahead(line.toWhere) - ahead(line.where));
        expect(Math.abs(Number(line.nanos - truth)) / 1e6).toBeLessThanOrEqual(line.boundMs + 1e-4);
        // as long as light needs, where both ends of the way were stamped by devices and say when the way ended
        if (line.where === 'broker' || line.toWhere === 'broker') continue;
        const outlived = story.crossings.some((c) => c.clock === 'overlap' && line.spanIds.includes(c.calleeSpanId));
        expect(line.ms).toBeGreaterThan((outlived ? 0 : floorMs(line.where, line.toWhere)) - 1e-4);
      }
      const last = story.spans.find((span) => span.spanId === ledger.lastSpanId)!;
      const truth = ledger.rawTotalNanos - (ahead(last.deviceId) - ahead('kiosk'));
      if (ledger.boundMs === null) return;
      expect(Math.abs(Number(ledger.totalNanos - truth)) / 1e6).toBeLessThanOrEqual(ledger.boundMs + 1e-4);
    }, 600);
    expect(ways).toBeGreaterThan(1000);
    expect([...kinds].sort()).toEqual(['downlink', 'processing', 'reply', 'request', 'uplink', 'wait']);
  });

  it('adds up where spans are missing, clocks lie, stamps jump and nothing bounds them', () => {
    const kinds = new Map<string, number>();
    seeds((seed) => {
      const story = tell(seed, { missing: 0.15, lies: 0.1, open: 0.15, jitter: 0.1 });
      const ledger = ledgerOf(story.spans, story.crossings)!;
      expectSound(story, ledger, { clocksHold: false });
      for (const line of ledger.stretches) kinds.set(line.kind, (kinds.get(line.kind) ?? 0) + 1);
    }, 1000);
    expect(kinds.get('unknown')).toBeGreaterThan(50);
  });

  it('is the same in whatever order its rows are read', () => {
    seeds((seed) => {
      const { spans, crossings } = tell(seed, { missing: 0.1, lies: 0, open: 0.1, jitter: 0 });
      const random = drawnFrom(seed + 1);
      const shuffled = <T>(rows: T[]): T[] =>
        rows
          .map((row) => ({ row, by: random() }))
          .sort((a, b) => a.by - b.by)
          .map(({ row }) => row);
      const lines = (ledger: Ledger) => [ledger.stretches, ledger.offPath, ledger.totalNanos];
      expect(lines(ledgerOf(shuffled(spans), shuffled(crossings))!)).toEqual(lines(ledgerOf(spans, crossings)!));
    }, 150);
  });
});
