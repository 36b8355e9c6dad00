import { afterEach, describe, expect, it, vi } from 'vitest';
import { auditOnce, openAudit } from '../audit.ts';
import {
  type SimulatedCrossing,
  type SimulatedDevice,
  type SimulatedFleet,
  type SimulatedFlow,
  simulateFleet,
} from '../domain/fixtures/fleet-simulator.ts';
import { quantile } from '../domain/histogram.ts';
import type { Rules } from '../domain/rule.ts';
import { Database } from '../store/duckdb/database.ts';
import { storeOf } from '../store/duckdb/duckdb-store.ts';
import { type ClockLabel, clockLabels, type HopWindow, type Store } from '../store/store.ts';

// a real engine, minutes of a fleet at once
vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

const originMs = 1_795_000_200_000;
const places = {
  hannover: { at: { lat: 52.37, lon: 9.73 } },
  dublin: { at: { lat: 53.35, lon: -6.26 } },
  ashburn: { at: { lat: 39.04, lon: -77.49 } },
  funabashi: { at: { lat: 35.69, lon: 139.98 } },
};

const fleetDevices: Record<string, SimulatedDevice> = {
  button: { site: 'hannover' },
  press: { site: 'hannover' },
  sensor: { site: 'hannover' },
  gateway: { site: 'dublin' },
  events: { site: 'ashburn' },
  spare: { site: 'ashburn' },
  data: { site: 'funabashi' },
};

/** Every way at least twice a second or so, both ways where people answer each other. */
const fleetFlows: SimulatedFlow[] = [
  { name: 'pressed', kind: 'message', from: 'button', to: ['events'], everyMs: 1000, brokerAt: 'dublin' },
  { name: 'lamp', kind: 'message', from: 'events', to: ['button'], everyMs: 1000, brokerAt: 'dublin' },
  { name: 'start', kind: 'message', from: 'button', to: ['press'], everyMs: 800 },
  { name: 'done', kind: 'message', from: 'press', to: ['button'], everyMs: 800 },
  { name: 'query', kind: 'rpc', from: 'gateway', to: ['data'], everyMs: 1500 },
  { name: 'refresh', kind: 'message', from: 'gateway', to: ['data'], everyMs: 1500 },
  { name: 'measured', kind: 'message', from: 'sensor', to: ['events'], everyMs: 1500 },
];
const oneWay = ['measured'];

const honest = (changes: Partial<SimulatedFleet> = {}): SimulatedFleet => ({
  seed: 7,
  seconds: 240,
  sites: places,
  devices: fleetDevices,
  flows: fleetFlows,
  ...changes,
});

const withClocks = (clocks: Record<string, Partial<SimulatedDevice>>): Record<string, SimulatedDevice> =>
  Object.fromEntries(Object.entries(fleetDevices).map(([name, device]) => [name, { ...device, ...clocks[name] }]));

const wrongClocks: Record<string, Partial<SimulatedDevice>> = {
  button: { offsetMs: 2000 },
  press: { offsetMs: -2000 },
  sensor: { offsetMs: 1300 },
  gateway: { offsetMs: -700 },
  events: { offsetMs: -1900 },
  data: { offsetMs: 1700 },
};

interface Figure extends SimulatedCrossing {
  addedMsShown: number | null;
  boundMs: number | null;
  label: ClockLabel;
}

interface Seen {
  db: Database;
  store: Store;
  flow(name: string): {
    figures: Figure[];
    window: HopWindow;
    /** shown - true */
    off: { p50: number; p95: number };
    /** of the histogram, as a share of the truth beyond 0.5 ms */
    offInHistogram: { p50: number; p95: number };
  };
}

let close: (() => Promise<void>) | null = null;
afterEach(async () => {
  await close?.();
  close = null;
});

/** Everything arrives as a collector would take it, the audit passes as the clock goes on, and then all minutes settle. */
async function seenOf(fleet: SimulatedFleet): Promise<Seen> {
  const db = await Database.open(':memory:', { threads: 1 });
  const store = await storeOf(db, { decodeSpans: (() => []) as never });
  close = () => store.close();
  const said = Object.entries(fleet.sites).map(([id, site]) => ({
    id,
    name: id,
    hosts: [],
    ...(site.said ?? site.at),
  }));
  const brokers = Object.keys(fleet.sites).map((site) => ({ name: `broker-${site}`, site }));
  const rules: Rules = { sites: said, applications: [], budgets: [], owners: [], brokers, maxDriftPpm: 50 };
  const { batches, truth } = simulateFleet(fleet, originMs);
  const at = (ms: number) => BigInt(Math.round(ms)) * 1_000_000n;
  const memory = await openAudit(store, rules, at(originMs));
  let nowMs = originMs;
  let arrived: typeof batches = [];
  for (const batch of batches) {
    if (batch.arrivalMs > nowMs + 15_000) {
      await store.append(arrived);
      arrived = [];
      await auditOnce(store, at(nowMs), rules, memory);
      nowMs = batch.arrivalMs - 1000;
    }
    arrived.push(batch);
  }
  await store.append(arrived);
  for (let i = 0; i < 60; i++) {
    nowMs += 60_000;
    const report = await auditOnce(store, at(nowMs), rules, memory);
    const [due] = await db.all<{ n: number }>('SELECT count(*)::INTEGER AS n FROM audit_due');
    if (due!.n === 0 && !report.behind && report.minutes === 0) break;
  }
  const rows = await db.all<{
    caller_span: bigint;
    callee_span: bigint;
    added_ns: bigint | null;
    bound_ns: bigint | null;
    clock: number;
  }>('SELECT caller_span, callee_span, added_ns, bound_ns, clock FROM crossings');
  const shown = new Map(rows.map((row) => [`${row.caller_span} ${row.callee_span}`, row]));
  const windows = await store.hopWindows(originMs - 600_000, originMs + fleet.seconds * 1000 + 600_000);
  const millis = (nanos: bigint | null) => (nanos === null ? null : Number(nanos) / 1e6);
  return {
    db,
    store,
    flow(name) {
      const wanted = truth.filter((crossing) => crossing.flow === name);
      const figures = wanted.map((crossing) => {
        const row = shown.get(`${crossing.caller} ${crossing.callee}`);
        if (!row) throw new Error(`${name} ${crossing.caller} was never paired`);
        return {
          ...crossing,
          addedMsShown: millis(row.added_ns),
          boundMs: millis(row.bound_ns),
          label: clockLabels[row.clock] as ClockLabel,
        };
      });
      const window = windows.find((each) => each.destination === name || each.destination === `/${name}`)!;
      const told = figures.filter((figure) => figure.addedMsShown !== null);
      const trueMs = sorted(told.map((figure) => figure.addedMs));
      const shownMs = sorted(told.map((figure) => figure.addedMsShown!));
      const off = (q: number) => rank(shownMs, q) - rank(trueMs, q);
      const offInHistogram = (q: number) =>
        Math.max(0, Math.abs(quantile(window.added, q)! - rank(trueMs, q)) - 0.011 * rank(trueMs, q));
      return {
        figures,
        window,
        off: { p50: off(0.5), p95: off(0.95) },
        offInHistogram: { p50: offInHistogram(0.5), p95: offInHistogram(0.95) },
      };
    },
  };
}

const sorted = (values: number[]): number[] => values.sort((a, b) => a - b);
const rank = (values: number[], q: number): number => values[Math.max(0, Math.ceil(q * values.length) - 1)]!;

/** What is true of every hop, whatever happens to the clocks. */
function expectHonest(seen: Seen, flows: readonly SimulatedFlow[] = fleetFlows): void {
  for (const { name } of flows) {
    const { figures, window } = seen.flow(name);
    const outside = figures.filter(
      (f) => f.boundMs !== null && Math.abs(f.addedMsShown! - f.addedMs) > f.boundMs + 0.002,
    );
    expect({ name, outside: outside.slice(0, 3), of: outside.length }).toEqual({ name, outside: [], of: 0 });
    const negative = figures.filter((f) => f.addedMsShown !== null && f.addedMsShown < 0);
    expect({ name, negative: negative.slice(0, 3) }).toEqual({ name, negative: [] });
    expect([...window.added.keys()].filter((bucket) => bucket < -641)).toEqual([]);
    if (oneWay.includes(name)) {
      expect(window.boundMs).toBeNull();
      expect(figures.filter((f) => !['assumed', 'clock-wrong'].includes(f.label))).toEqual([]);
    }
  }
}

/** Two-way hops whose ways there and back are alike. */
function expectExact(
  seen: Seen,
  flows: readonly string[] = ['pressed', 'lamp', 'start', 'done', 'query', 'refresh'],
): void {
  for (const name of flows) {
    const { off, offInHistogram } = seen.flow(name);
    expect({ name, p50: Math.abs(off.p50) < 0.5, p95: Math.abs(off.p95) < 0.5 }).toEqual({
      name,
      p50: true,
      p95: true,
    });
    expect({ name, p50: offInHistogram.p50 < 0.5, p95: offInHistogram.p95 < 0.5 }).toEqual({
      name,
      p50: true,
      p95: true,
    });
  }
}

const count = (figures: readonly Figure[]): Partial<Record<ClockLabel, number>> => {
  const counts: Partial<Record<ClockLabel, number>> = {};
  for (const { label } of figures) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
};

describe('what a simulated fleet says comes out true', () => {
  it('with clocks that agree', async () => {
    const seen = await seenOf(honest());
    expectHonest(seen);
    expectExact(seen);
  });

  it('with clocks two seconds wrong', async () => {
    const seen = await seenOf(honest({ devices: withClocks(wrongClocks) }));
    expectHonest(seen);
    expectExact(seen);
  });

  it('with clocks that drift up to 50 ppm, each its own way', async () => {
    const drifting = { button: 50, press: -50, sensor: 40, gateway: -45, events: -50, data: 50 };
    const clocks = Object.fromEntries(
      Object.entries(drifting).map(([name, driftPpm]) => [name, { ...wrongClocks[name], driftPpm }]),
    );
    const seen = await seenOf(honest({ devices: withClocks(clocks) }));
    expectHonest(seen);
    expectExact(seen);
  });

  it('with a clock that steps, and says which and by how much', async () => {
    const devices = withClocks({
      ...wrongClocks,
      press: { steps: [{ atSecond: 90, byMs: 2000 }] },
      events: { offsetMs: 300, steps: [{ atSecond: 150, byMs: -800 }] },
    });
    const seen = await seenOf(honest({ devices }));
    expectHonest(seen);
    expectExact(seen);
    const steps = (await seen.store.clockFindings(0, 2 * originMs)).filter(({ kind }) => kind === 'step');
    expect(steps.map(({ devices: whose }) => whose)).toEqual([['press-hannover'], ['events-ashburn']]);
    for (const [i, { atSecond, byMs }] of [
      { atSecond: 90, byMs: 2000 },
      { atSecond: 150, byMs: -800 },
    ].entries()) {
      expect(Math.abs(steps[i]!.timeMs - originMs - atSecond * 1000)).toBeLessThan(8_000);
      expect(Math.abs(steps[i]!.nanos! / 1e6 - byMs)).toBeLessThan(5);
    }
    const events = await seen.store.deviceEvents('press-hannover', 0, 2 * originMs, 20);
    expect(events.map(({ reason }) => reason)).toContain('clock stepped by +2.0 s');
  });

  it('with a clock that is slewed for a minute and a half', async () => {
    const devices = withClocks({
      ...wrongClocks,
      press: { slews: [{ fromSecond: 60, toSecond: 150, ppm: 500 }] },
      events: { offsetMs: 50, slews: [{ fromSecond: 80, toSecond: 180, ppm: -450 }] },
    });
    const seen = await seenOf(honest({ devices }));
    expectHonest(seen);
    const slewed = seen.flow('start');
    expect(slewed.figures.every(({ label }) => label === 'bounded')).toBe(true);
    expect(Math.abs(slewed.off.p50)).toBeLessThan(0.5);
    expect((await seen.store.clockFindings(0, 2 * originMs)).filter(({ kind }) => kind !== 'misplaced')).toEqual([]);
  });

  it('with a site that is not where it is said to be', async () => {
    // said to be in Japan, and stands in Hannover
    const sites = { ...places, funabashi: { at: places.hannover.at, said: places.funabashi.at } };
    const flows: SimulatedFlow[] = [
      ...fleetFlows,
      { name: 'refreshed', kind: 'message', from: 'data', to: ['gateway'], everyMs: 1500 },
    ];
    const seen = await seenOf(honest({ sites, flows, devices: withClocks(wrongClocks) }));
    expectHonest(seen, flows);
    const found = (await seen.store.clockFindings(0, 2 * originMs)).at(-1);
    expect(found).toMatchObject({ kind: 'misplaced', sites: ['dublin', 'funabashi'] });
    // a floor that is not believed demands nothing
    expect(seen.flow('refresh').window).toMatchObject({ floorMs: 0, directFloorMs: 0 });
    expect(seen.flow('pressed').window.floorMs).toBeGreaterThan(30);
  });

  it('with clocks that contradict each other: they are named, and no figure is made up', async () => {
    const flows: SimulatedFlow[] = [
      ...fleetFlows,
      // a gateway that stamps its messages anew, a second later than they were sent
      { name: 'ahead', kind: 'message', from: 'button', to: ['sensor'], everyMs: 900, arrivesEarlierMs: 1000 },
      { name: 'behind', kind: 'message', from: 'sensor', to: ['button'], everyMs: 900 },
    ];
    const seen = await seenOf(honest({ flows, devices: withClocks(wrongClocks) }));
    expectHonest(
      seen,
      fleetFlows.filter(({ name }) => !oneWay.includes(name)),
    );
    expectExact(seen);
    for (const name of ['ahead', 'behind']) {
      const { figures, window } = seen.flow(name);
      expect(count(figures)).toEqual({ contradiction: figures.length });
      expect(window).toMatchObject({ boundMs: null, clocks: { contradiction: figures.length, clockWrong: 0 } });
      expect(window.added.size).toBe(0);
      expect((await seen.store.contradictingDevices(0, 2 * originMs)).get(window.hop)).toEqual([
        'button-hannover',
        'sensor-hannover',
      ]);
    }
    const found = (await seen.store.clockFindings(0, 2 * originMs)).filter(({ kind }) => kind === 'contradiction');
    expect(found.at(-1)).toMatchObject({ devices: ['button-hannover', 'sensor-hannover'] });
  });

  it('with servers that work on after the answer', async () => {
    const flows: SimulatedFlow[] = [
      ...fleetFlows,
      { name: 'fetch', kind: 'rpc', from: 'press', to: ['sensor'], everyMs: 900, worksOnMs: 6 },
      { name: 'store', kind: 'message', from: 'press', to: ['sensor'], everyMs: 900 },
    ];
    const seen = await seenOf(honest({ flows, devices: withClocks(wrongClocks) }));
    // asked by the press, the sensor is no one-way talker any more
    expectHonest(
      seen,
      flows.filter(({ name }) => !oneWay.includes(name)),
    );
    expectExact(seen);
    expect(count(seen.flow('fetch').figures).overlap).toBeGreaterThan(50);
    expect(seen.flow('fetch').window.clocks.overlap).toBeGreaterThan(50);
  });

  it('with ways that are 10 % slower there than back', async () => {
    const slower = ['pressed', 'start', 'refresh', 'query'];
    const flows = fleetFlows.map((flow) => (slower.includes(flow.name) ? { ...flow, slowerBy: 0.1 } : flow));
    const seen = await seenOf(honest({ flows, devices: withClocks(wrongClocks) }));
    expectHonest(seen, flows);
    for (const { name } of flows.filter((flow) => !oneWay.includes(flow.name))) {
      const { off, window } = seen.flow(name);
      expect(Math.abs(off.p50)).toBeLessThanOrEqual(window.boundMs! + 0.001);
      expect(Math.abs(off.p95)).toBeLessThanOrEqual(window.boundMs! + 0.001);
      expect(Math.abs(off.p50)).toBeLessThan(4);
    }
  });

  it('with one crossing in a hundred that waits long', async () => {
    const flows = fleetFlows.map((flow) => ({ ...flow, spikes: 0.01 }));
    const seen = await seenOf(honest({ flows, devices: withClocks(wrongClocks) }));
    expectHonest(seen, flows);
    expectExact(seen);
  });

  it('with messages that a device kept while its link was down', async () => {
    const flows = fleetFlows.map((flow) =>
      flow.name === 'done' ? { ...flow, down: [{ fromSecond: 60, toSecond: 75 }] } : flow,
    );
    const seen = await seenOf(honest({ flows, devices: withClocks(wrongClocks) }));
    expectHonest(seen, flows);
    expectExact(seen);
    expect(seen.flow('done').window.maxMs).toBeGreaterThan(14_000);
    // they bound nothing any tighter or wider for the others
    expect(seen.flow('start').window.boundMs).toBeLessThan(1.5);
  });

  it('with two responders, consumers that only link, and stamps cut to milliseconds', async () => {
    const flows: SimulatedFlow[] = [
      ...fleetFlows.map((flow) => (flow.name === 'pressed' ? { ...flow, to: ['events', 'spare'] } : flow)),
      {
        name: 'alive',
        kind: 'message',
        from: 'spare',
        to: ['button'],
        everyMs: 1000,
        brokerAt: 'dublin',
        linked: true,
      },
      { name: 'ask', kind: 'rpc', from: 'button', to: ['gateway', 'spare'], everyMs: 1000 },
    ];
    const devices = withClocks({ ...wrongClocks, spare: { offsetMs: 900, driftPpm: 30, whole: true } });
    const seen = await seenOf(honest({ flows, devices }));
    expectHonest(seen, flows);
    expectExact(seen);
    const [crossings] = await seen.db.all<{ linked: number; alone: number }>(
      'SELECT count(*) FILTER (linked)::INTEGER AS linked, count(*) FILTER (NOT linked)::INTEGER AS alone FROM crossings',
    );
    expect(crossings!.linked).toBe(seen.flow('alive').figures.length);
    expect(seen.flow('pressed').window).toMatchObject({ requests: seen.flow('pressed').figures.length / 2 });
  });

  it('with halves that come minutes and hours late', async () => {
    const flows = fleetFlows.map((flow) => {
      if (flow.name === 'done') return { ...flow, late: { share: 0.3, byMs: 4 * 60_000 } };
      return flow.name === 'lamp' ? { ...flow, late: { share: 0.3, byMs: 6 * 3_600_000 } } : flow;
    });
    const seen = await seenOf(honest({ flows, devices: withClocks(wrongClocks) }));
    expectHonest(seen, flows);
    expectExact(seen);
  });

  it('with an echo that ties the one-way talker down', async () => {
    const seen = await seenOf(honest({ devices: withClocks(wrongClocks), echoTo: ['sensor', 'events', 'button'] }));
    expectHonest(
      seen,
      fleetFlows.filter(({ name }) => !oneWay.includes(name)),
    );
    const { figures, window, off } = seen.flow('measured');
    expect(count(figures)).toEqual({ bounded: figures.length });
    expect(Math.abs(off.p50)).toBeLessThanOrEqual(window.boundMs!);
    expect(figures.filter((f) => Math.abs(f.addedMsShown! - f.addedMs) > f.boundMs! + 0.002)).toEqual([]);
  });
});
