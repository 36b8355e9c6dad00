import { describe, expect, it } from 'vitest';
import { ledgerOf } from './ledger.ts';
import { endToEndOf, type PathCrossing, type PathSpan, requestPathOf } from './request-path.ts';
import { spanKind } from './span.ts';

/** Drawn in ms on one true clock; `wrong` is how far a device's clock is ahead. */
interface Drawn {
  id: string;
  parent?: string;
  on: string;
  kind: keyof typeof spanKind;
  from: number;
  to: number;
  failed?: boolean;
}

const nanos = (ms: number) => BigInt(Math.round(ms * 1e6));
const origin = 1_795_000_000_000;

function draw(spans: Drawn[], wrong: Record<string, number> = {}, passages: Record<string, number> = {}) {
  const at = (on: string, ms: number) => BigInt(origin) * 1_000_000n + nanos(ms + (wrong[on] ?? 0));
  const drawn: PathSpan[] = spans.map((s) => ({
    traceId: 't',
    spanId: s.id,
    parentSpanId: s.parent ?? '',
    name: s.id.split(':')[0]!,
    kind: spanKind[s.kind],
    startNanos: at(s.on, s.from),
    endNanos: at(s.on, s.to),
    status: s.failed ? 2 : 0,
    deviceId: s.on,
    site: s.on,
    application: 'a',
    resource: { serviceName: s.on },
  }));
  const crossings: PathCrossing[] = [];
  for (const callee of spans) {
    const caller = spans.find((s) => s.id === callee.parent);
    if (!caller || !['server', 'consumer'].includes(callee.kind) || !['client', 'producer'].includes(caller.kind))
      continue;
    const message = callee.kind === 'consumer';
    const passage = passages[callee.id];
    crossings.push({
      hop: BigInt(caller.on.length * 100 + callee.on.length),
      callerTraceId: 't',
      callerSpanId: caller.id,
      calleeTraceId: 't',
      calleeSpanId: callee.id,
      message,
      linked: false,
      callerDevice: caller.on,
      calleeDevice: callee.on,
      callerStartNanos: at(caller.on, caller.from),
      callerDurationNanos: nanos(caller.to - caller.from),
      calleeStartNanos: at(callee.on, callee.from),
      calleeDurationNanos: nanos(callee.to - callee.from),
      passageNanos: passage === undefined ? null : at('broker', passage),
      broker: passage === undefined ? '' : 'broker',
      offsetMs: (wrong[callee.on] ?? 0) - (wrong[caller.on] ?? 0),
      boundMs: message ? (caller.on === callee.on ? 0 : 2) : 0,
      clock: message ? 'bounded' : 'round-trip',
      floorMs: 1,
      directFloorMs: 1,
      uplinkMs: passage === undefined ? null : passage - caller.from,
      uplinkBoundMs: passage === undefined ? null : 1,
      downlinkMs: passage === undefined ? null : callee.from - passage,
      downlinkBoundMs: passage === undefined ? null : 1.5,
    });
  }
  return { spans: drawn, crossings };
}

const shape = (drawing: ReturnType<typeof draw>) => {
  const ledger = ledgerOf(drawing.spans, drawing.crossings)!;
  expect(ledger.stretches.reduce((sum, s) => sum + s.nanos, 0n)).toBe(ledger.totalNanos);
  expect(ledger.stretches.reduce((sum, s) => sum + s.rawNanos, 0n)).toBe(ledger.rawTotalNanos);
  return {
    ledger,
    lines: ledger.stretches.map((s) => `${s.kind} ${s.where}${s.toWhere === '' ? '' : ` > ${s.toWhere}`} ${s.ms}`),
  };
};

/** kiosk asks over MQTT, gateway asks the handler over MQTT, and the answer comes back the same way. */
const asked: Drawn[] = [
  { id: 'root', on: 'kiosk', kind: 'internal', from: 0, to: 100 },
  { id: 'ask', parent: 'root', on: 'kiosk', kind: 'producer', from: 1, to: 2 },
  { id: 'in', parent: 'ask', on: 'gateway', kind: 'consumer', from: 11, to: 20 },
  { id: 'forward', parent: 'in', on: 'gateway', kind: 'producer', from: 12, to: 13 },
  { id: 'handle', parent: 'forward', on: 'handler', kind: 'consumer', from: 30, to: 60 },
  { id: 'select', parent: 'handle', on: 'handler', kind: 'client', from: 32, to: 50 },
  { id: 'answer', parent: 'handle', on: 'handler', kind: 'producer', from: 55, to: 56 },
  { id: 'back', parent: 'answer', on: 'gateway', kind: 'consumer', from: 75, to: 80 },
  { id: 'return', parent: 'back', on: 'gateway', kind: 'producer', from: 77, to: 78 },
  { id: 'shown', parent: 'return', on: 'kiosk', kind: 'consumer', from: 90, to: 99 },
];

describe('the ledger of a request', () => {
  it('follows messages there and back and adds up, on wrong clocks too', () => {
    for (const wrong of [{}, { gateway: 1700, handler: -900, kiosk: 33 }] as Record<string, number>[]) {
      const { ledger, lines } = shape(draw(asked, wrong));
      expect(ledger).toMatchObject({ rule: 'a', totalMs: 100, boundMs: 0, referenceDevice: 'kiosk' });
      expect(lines).toEqual([
        'processing kiosk 1',
        'uplink kiosk > gateway 10',
        'processing gateway 1',
        'uplink gateway > handler 18',
        'processing handler 25',
        'reply handler > gateway 20',
        'processing gateway 2',
        'reply gateway > kiosk 13',
        'processing kiosk 10',
      ]);
      expect(ledger.offPath).toEqual([]);
      expect(ledger.spans.find((s) => s.spanId === 'handle')).toMatchObject({
        startMs: 30,
        endMs: 60,
        boundMs: 4,
        onPath: true,
      });
    }
  });

  it('keeps raw stamps beside the corrected ones', () => {
    const { ledger } = shape(draw(asked, { gateway: 1700 }));
    expect(ledger.stretches.map((s) => s.rawMs)).toEqual([1, 1710, 1, -1682, 25, 1720, 2, -1687, 10]);
  });

  it('splits a message at the broker', () => {
    const { lines, ledger } = shape(draw(asked.slice(0, 3), { broker: 5 }, { in: 7 }));
    expect(lines).toEqual([
      'processing kiosk 1',
      'uplink kiosk > broker 6',
      'downlink broker > gateway 4',
      'processing gateway 9',
    ]);
    expect(ledger.stretches.map((s) => s.boundMs)).toEqual([0, 1, 1.5, 0]);
  });

  it('ends with the last callee where nothing comes back', () => {
    const press: Drawn[] = [
      { id: 'press', on: 'button', kind: 'producer', from: 0, to: 2 },
      { id: 'fast', parent: 'press', on: 'lamp', kind: 'consumer', from: 20, to: 25 },
      { id: 'slow', parent: 'press', on: 'line', kind: 'consumer', from: 50, to: 90 },
    ];
    const { ledger, lines } = shape(draw(press, { line: -300 }));
    expect(ledger).toMatchObject({ rule: 'b', totalMs: 90, rawTotalMs: -210, boundMs: 2, lastSpanId: 'slow' });
    expect(lines).toEqual(['uplink button > line 50', 'processing line 40']);
    expect(ledger.offPath.map((s) => `${s.kind} ${s.ms}`)).toEqual(['uplink 20', 'processing 5']);
  });

  it('tells the way to the broker once, however many consumers the message has', () => {
    const press: Drawn[] = [
      { id: 'press', on: 'button', kind: 'producer', from: 0, to: 2 },
      { id: 'fast', parent: 'press', on: 'lamp', kind: 'consumer', from: 20, to: 25 },
      { id: 'slow', parent: 'press', on: 'line', kind: 'consumer', from: 50, to: 90 },
    ];
    const { ledger, lines } = shape(draw(press, { lamp: 700 }, { fast: 15, slow: 15 }));
    expect(lines).toEqual(['uplink button > broker 15', 'downlink broker > line 35', 'processing line 40']);
    expect(ledger.offPath.map((s) => `${s.kind} ${s.where} ${s.ms}`)).toEqual([
      'downlink broker 5',
      'processing lamp 5',
    ]);
  });

  it('takes a call apart into request, work and reply', () => {
    const call: Drawn[] = [
      { id: 'root', on: 'web', kind: 'server', from: 0, to: 50 },
      { id: 'one', parent: 'root', on: 'web', kind: 'client', from: 5, to: 20 },
      { id: 'one-in', parent: 'one', on: 'api', kind: 'server', from: 8, to: 16 },
      { id: 'two', parent: 'root', on: 'web', kind: 'client', from: 6, to: 40 },
      { id: 'two-in', parent: 'two', on: 'db', kind: 'server', from: 10, to: 30 },
    ];
    const { ledger, lines } = shape(draw(call, { api: 77, db: -1 }));
    expect(lines).toEqual([
      'processing web 6',
      'request web > db 4',
      'processing db 20',
      'reply db > web 10',
      'processing web 10',
    ]);
    expect(ledger.offPath.map((s) => `${s.kind} ${s.ms}`)).toEqual(['request 3', 'processing 8']);
    expect(ledger.stretches[1]!.boundMs).toBeGreaterThan(0);
  });

  it('names a server that worked on after the answer, and tells no split of it', () => {
    const call: Drawn[] = [
      { id: 'root', on: 'web', kind: 'server', from: 0, to: 50 },
      { id: 'ask', parent: 'root', on: 'web', kind: 'client', from: 5, to: 20 },
      { id: 'ask-in', parent: 'ask', on: 'api', kind: 'server', from: 8, to: 90 },
    ];
    const { ledger, lines } = shape(draw(call, { api: 400 }));
    expect(lines).toEqual(['processing web 5', 'wait web > api 15', 'processing web 30']);
    expect(ledger.stretches[1]!.note).toContain('worked on after the answer');
    expect(ledger.offPath.map((s) => `${s.kind} ${s.where} ${s.ms}`)).toEqual(['request web 3', 'processing api 82']);
  });

  it('shows the first tries of a retry as waiting, and the database that sends no spans as part of the work', () => {
    const call: Drawn[] = [
      { id: 'root', on: 'web', kind: 'server', from: 0, to: 100 },
      { id: 'GET:1', parent: 'root', on: 'web', kind: 'client', from: 5, to: 25, failed: true },
      { id: 'GET:2', parent: 'root', on: 'web', kind: 'client', from: 30, to: 60 },
      { id: 'in', parent: 'GET:2', on: 'api', kind: 'server', from: 35, to: 55 },
      { id: 'SELECT', parent: 'root', on: 'web', kind: 'client', from: 62, to: 90 },
    ];
    const { ledger, lines } = shape(draw(call));
    expect(lines).toEqual([
      'processing web 5',
      'wait web 20',
      'processing web 5',
      'request web > api 5',
      'processing api 20',
      'reply api > web 5',
      'processing web 40',
    ]);
    expect(ledger.stretches.map((s) => s.note).filter(Boolean)).toEqual([
      'a call that failed; nobody recorded the far end',
      'the round trip is exact, its split is not',
      'the round trip is exact, its split is not',
      'of which SELECT 28.0 ms, not traced further',
    ]);
  });

  it('takes the answer that came of two responders, and shows the other beside it', () => {
    const two: Drawn[] = [
      ...asked,
      { id: 'spare', parent: 'forward', on: 'spare', kind: 'consumer', from: 40, to: 95 },
      { id: 'answer2', parent: 'spare', on: 'spare', kind: 'producer', from: 94, to: 95 },
      { id: 'late', parent: 'answer2', on: 'gateway', kind: 'consumer', from: 120, to: 121 },
    ];
    const { ledger, lines } = shape(draw(two, { spare: 12 }));
    expect(lines).toContain('processing handler 25');
    expect(lines.join()).not.toContain('spare');
    expect(ledger.totalMs).toBe(100);
    expect(ledger.offPath.map((s) => `${s.kind} ${s.where} ${s.ms}`)).toEqual([
      'uplink gateway 28',
      'processing spare 55',
      'reply spare 26',
      'processing gateway 1',
    ]);
  });

  it('says "not known" where a span is missing on the way back, instead of calling it work', () => {
    const { ledger, lines } = shape(draw(asked.filter((s) => s.id !== 'answer')));
    expect(ledger).toMatchObject({ rule: 'a', totalMs: 100 });
    expect(lines).toEqual([
      'processing kiosk 1',
      'unknown kiosk > gateway 74',
      'processing gateway 2',
      'reply gateway > kiosk 13',
      'processing kiosk 10',
    ]);
    expect(ledger.stretches[1]!.note).toBe('what led here has not arrived');
    // what is known of the way there stands beside it, each once
    expect(ledger.offPath.map((s) => `${s.kind} ${s.where} ${s.ms}`)).toEqual([
      'uplink kiosk 10',
      'processing gateway 9',
      'uplink gateway 18',
      'processing handler 30',
    ]);
  });

  it('gives work whose parent is missing to what enclosed it on its device', () => {
    const call: Drawn[] = [
      { id: 'root', on: 'web', kind: 'server', from: 0, to: 50 },
      { id: 'ask', parent: 'gone', on: 'web', kind: 'client', from: 5, to: 20 },
      { id: 'in', parent: 'ask', on: 'api', kind: 'server', from: 8, to: 17 },
    ];
    expect(shape(draw(call)).lines).toEqual([
      'processing web 5',
      'request web > api 3',
      'processing api 9',
      'reply api > web 3',
      'processing web 30',
    ]);
  });

  it('keeps every way as long as the clocks allow when two crossings know different things of one clock', () => {
    // the message alone would put api 3 ms too far ahead, and the call would be answered before it was asked
    const both: Drawn[] = [
      { id: 'root', on: 'web', kind: 'server', from: 0, to: 50 },
      { id: 'ask', parent: 'root', on: 'web', kind: 'client', from: 5, to: 20 },
      { id: 'in', parent: 'ask', on: 'api', kind: 'server', from: 6, to: 19 },
      { id: 'tell', parent: 'root', on: 'web', kind: 'producer', from: 30, to: 31 },
      { id: 'told', parent: 'tell', on: 'api', kind: 'consumer', from: 34, to: 36 },
    ];
    const drawing = draw(both, { api: 500 });
    const crossings = drawing.crossings.map((c) => (c.message ? { ...c, offsetMs: c.offsetMs! + 3, boundMs: 3.5 } : c));
    const { ledger, lines } = shape({ ...drawing, crossings });
    expect(lines.filter((line) => /^(request|reply)/.test(line))).toEqual(['request web > api 1', 'reply api > web 1']);
    expect(ledger.clocksContradict).toBe(false);
    expect(ledger.stretches.find((s) => s.kind === 'reply')!.boundMs).toBeCloseTo(0.5);
  });

  it('says when no setting of the clocks explains what was seen', () => {
    const drawing = draw(asked);
    const crossings = drawing.crossings.map((c, i) => (i === 1 ? { ...c, offsetMs: c.offsetMs! - 400 } : c));
    expect(shape({ ...drawing, crossings }).ledger.clocksContradict).toBe(true);
  });

  it('follows a call that was answered at once and whose result came later as a message', () => {
    const job: Drawn[] = [
      { id: 'root', on: 'web', kind: 'server', from: 0, to: 80 },
      { id: 'start', parent: 'root', on: 'web', kind: 'client', from: 5, to: 15 },
      { id: 'start-in', parent: 'start', on: 'api', kind: 'server', from: 8, to: 50 },
      { id: 'result', parent: 'start-in', on: 'api', kind: 'producer', from: 45, to: 46 },
      { id: 'got', parent: 'result', on: 'web', kind: 'consumer', from: 60, to: 62 },
    ];
    expect(shape(draw(job)).lines).toEqual([
      'processing web 5',
      'request web > api 3',
      'processing api 37',
      'reply api > web 15',
      'processing web 20',
    ]);
  });

  it('survives a call chain a thousand deep', () => {
    const deep: Drawn[] = [{ id: 'root', on: 'd', kind: 'server', from: 0, to: 5000 }];
    for (let i = 0; i < 1000; i++) {
      const parent = i === 0 ? 'root' : `in${i - 1}`;
      deep.push({ id: `out${i}`, parent, on: `d${i}`, kind: 'client', from: i, to: 5000 - i });
      deep.push({ id: `in${i}`, parent: `out${i}`, on: `d${i + 1}`, kind: 'server', from: i + 0.5, to: 4999.5 - i });
    }
    expect(shape(draw(deep)).lines.length).toBeGreaterThan(2000);
  });

  it('survives a trace without a root, a lone span, and ids that go in circles', () => {
    expect(ledgerOf([], [])).toBeNull();
    const { lines } = shape(draw([{ id: 'x', parent: 'gone', on: 'a', kind: 'server', from: 5, to: 8 }]));
    expect(lines).toEqual(['processing a 3']);
    shape(
      draw([
        { id: 'x', parent: 'y', on: 'a', kind: 'internal', from: 0, to: 8 },
        { id: 'y', parent: 'x', on: 'a', kind: 'internal', from: 1, to: 7 },
      ]),
    );
  });
});

describe('end to end and paths', () => {
  it('is the root on its own clock where an answer came back', () => {
    const drawing = draw(asked);
    expect(endToEndOf(drawing.spans, drawing.crossings)).toMatchObject({
      rule: 'a',
      totalNanos: nanos(100),
      boundMs: 0,
    });
  });
  it('is one path however often a hop repeats, and another when a hop is missing', () => {
    const twice = [...asked, { ...asked[2]!, id: 'in2', from: 12, to: 14 }];
    const [one, two, less] = [asked, twice, asked.slice(0, 5)].map((spans) => {
      const { spans: s, crossings } = draw(spans);
      return requestPathOf(s, crossings)!;
    });
    expect(one!.hops).toHaveLength(1);
    expect(two!.hops[0]!.count).toBe(2);
    expect(less!.id).not.toBe(one!.id);
  });
  it('does not depend on the order of rows', () => {
    const { spans, crossings } = draw(asked);
    expect(requestPathOf([...spans].reverse(), [...crossings].reverse())).toEqual(requestPathOf(spans, crossings));
    expect(ledgerOf([...spans].reverse(), [...crossings].reverse())!.stretches.map((s) => s.nanos)).toEqual(
      ledgerOf(spans, crossings)!.stretches.map((s) => s.nanos),
    );
  });
});
