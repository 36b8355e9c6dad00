import { expect, test } from 'playwright/test';
import { fleetSettings, joinFleet } from './steps/demo-fleet.ts';
import { getJson, type Product, startProduct, until } from './steps/product.ts';

let product: Product;
let fleet: { leave(): Promise<void> };

test.beforeAll(async () => {
  product = await startProduct({ args: ['--config', fleetSettings] });
  // with factory-events in Ashburn: the longest ways of the story
  fleet = joinFleet(product, 100);
});
test.afterAll(async () => {
  await fleet.leave();
  expect(await product.stop()).toBe(0);
});

interface Line {
  kind: string;
  ms: number;
  rawMs: number;
  startMs: number;
  endMs: number;
  rawStartMs: number;
  rawEndMs: number;
  toDevice: string;
  fromDevice: string;
}
interface Trace {
  traceId: string;
  rootName: string;
  totalMs: number;
  rawTotalMs: number;
  ledger: Line[];
}

const microsecondMs = 0.001;
/** What people and machines of the story ask for; the rest of its roots are publishes that nobody answers. */
const requests = [
  'button press',
  'wafer inspect',
  'wafer order',
  'tools/call query_history',
  'camera snapshot',
  'sim sync',
  'order status',
];

/** All that the fleet asked for, page by page. Its clocks are wrong: a request may seem to have begun before the fleet came, or tomorrow. */
async function allTraces(): Promise<{ traceId: string; rootName: string }[]> {
  const found: { traceId: string; rootName: string }[] = [];
  const [fromMs, toMs] = [Date.now() - 600_000, Date.now() + 60_000];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { items: { traceId: string; rootName: string }[]; nextCursor: string | null } = await getJson(
      product,
      `/api/v1/traces?from=${fromMs}&to=${toMs}&limit=200${more}`,
    );
    found.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return found;
}

test('every request of the fleet is told to the microsecond, by corrected clocks and by raw ones', async () => {
  // the fleet asks three or four times a second
  test.setTimeout(300_000);
  const asked = new Set<string>();
  await until(
    'every kind of request was made, and there are many of them',
    async () => {
      const traces = await allTraces();
      for (const { rootName } of traces) asked.add(rootName);
      return requests.every((name) => asked.has(name)) && traces.length >= 200;
    },
    150_000,
    2_000,
  );
  const all = await allTraces();

  const checked = new Map<string, number>();
  let lines = 0;
  let shifted = 0;
  let worstMs = 0;
  for (const { traceId } of all) {
    const trace = await getJson<Trace>(product, `/api/v1/traces/${traceId}`);
    const of = `${trace.rootName} ${traceId}`;
    const sumMs = (pick: (line: Line) => number) => trace.ledger.reduce((sum, line) => sum + pick(line), 0);
    const [missMs, rawMissMs] = [
      Math.abs(sumMs((line) => line.ms) - trace.totalMs),
      Math.abs(sumMs((line) => line.rawMs) - trace.rawTotalMs),
    ];
    expect(missMs, `${of}, corrected`).toBeLessThan(microsecondMs);
    expect(rawMissMs, `${of}, raw`).toBeLessThan(microsecondMs);
    let [at, rawAt] = [0, 0];
    for (const line of trace.ledger) {
      expect(Math.abs(line.startMs - at), `${of}: a gap or an overlap`).toBeLessThan(microsecondMs);
      expect(Math.abs(line.rawStartMs - rawAt), `${of}: a raw gap or overlap`).toBeLessThan(microsecondMs);
      [at, rawAt] = [line.endMs, line.rawEndMs];
      if (line.kind === 'processing')
        expect(Math.abs(line.ms - line.rawMs), `${of}: one clock`).toBeLessThan(microsecondMs);
      if (Math.abs(line.ms - line.rawMs) > 1) shifted++;
    }
    lines += trace.ledger.length;
    worstMs = Math.max(worstMs, missMs, rawMissMs);
    checked.set(trace.rootName, (checked.get(trace.rootName) ?? 0) + 1);
  }
  console.log(`${all.length} requests of ${checked.size} kinds, ${lines} lines, worst sum off by ${worstMs} ms`);

  expect([...checked.keys()]).toEqual(expect.arrayContaining(requests));
  expect(all.length).toBeGreaterThanOrEqual(200);
  expect(checked.size).toBeGreaterThanOrEqual(15);
  // else the fleet's clocks are not set wrong, and raw proves nothing
  expect(shifted).toBeGreaterThan(100);
});
