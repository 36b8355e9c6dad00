import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { getJson, type Product, root, startProduct, until } from '../steps/product.ts';
import { startQuestDb } from '../steps/questdb.ts';
import { measureAlert } from './alerts.ts';
import { traceIdHex } from './load/lib/otlp-traces.mjs';
import { dirBytes, loadavg, procStat, resetPeak } from './load/lib/proc.mjs';
import { measureCeiling } from './questdb-ceiling.ts';

/**
 * What the product does under load, on this machine, sender included. By hand: npm run bench [-- --spans 5000000 --store questdb].
 * Absolute figures move with the machine; each run measures a bare HTTP sink beside it, so quote the ratio.
 */
const { values: options } = parseArgs({
  options: {
    spans: { type: 'string', default: '5000000' },
    phases: { type: 'string', default: 'rate,small,gzip,fill,read,page,restart,drain,alert' },
    store: { type: 'string', default: 'duckdb' },
  },
});
const target = Number(options.spans);
const phases = new Set(options.phases.split(','));
const loader = join(root, 'e2e/bench/load/otlp-load.mjs');
const node = join(root, 'node_modules/node/bin/node');
if (options.store !== 'duckdb' && options.store !== 'questdb')
  throw new Error(`--store: found "${options.store}", wanted duckdb or questdb`);
// on the same machine, so it takes its share of it
const questdb = options.store === 'questdb' ? await startQuestDb() : null;
const start = (dataDir?: string, tables = 'hopscope_'): Promise<Product> =>
  startProduct({ dataDir, env: questdb ? { HOPSCOPE_STORE: `${questdb.store}?tables=${tables}` } : {} });

interface Load {
  accepted: number;
  seconds: number;
  spansPerS: number;
  reqP50ms: number;
  reqP99ms: number;
  status: Record<string, number>;
  nextIndex: number;
  genCpuS: number;
}

interface LoadOptions {
  spans: number;
  batch?: number;
  conns?: number;
  rate?: number;
  gzip?: boolean;
  startIndex?: number;
  seed?: number;
}

function load(url: string, o: LoadOptions): Promise<Load> {
  const args = [
    '--url',
    url,
    '--spans',
    o.spans,
    '--batch',
    o.batch ?? 512,
    '--conns',
    o.conns ?? 2,
    '--seed',
    o.seed ?? 7,
    '--start-index',
    o.startIndex ?? 0,
    '--max-seconds',
    900,
  ];
  if (o.rate) args.push('--rate', o.rate);
  if (o.gzip) args.push('--gzip', 1);
  return new Promise((done, failed) => {
    const child = spawn(node, [loader, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on('exit', (code) =>
      code === 0 ? done(JSON.parse(text) as Load) : failed(new Error(`the sender ended with ${code}`)),
    );
  });
}

const quantile = (values: number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN;
const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
const show = (what: string, figures: Record<string, unknown>): void =>
  console.log(JSON.stringify({ what, ...figures, load: loadavg() }));

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function read(url: string): Promise<number> {
  const response = await fetch(url);
  await response.arrayBuffer();
  return response.status;
}

const visible = (product: Product, index: number): Promise<void> =>
  until(
    `trace ${index} can be read`,
    async () => (await read(`${product.url}/api/v1/traces/${traceIdHex(7, index)}`)) === 200,
    600_000,
    5,
  );

/** Each trace of the sender has one crossing. Minutes are written every few seconds at most. */
const hopsMade = (product: Product, traces: number): Promise<void> =>
  until(
    `the crossings of ${traces} traces are counted in the hops`,
    async () => {
      const { items } = await getJson<{ items: { count: number }[] }>(product, '/api/v1/hops?from=now-3h');
      return items.reduce((sum, hop) => sum + hop.count, 0) >= traces;
    },
    // a server on the same two cores makes hops more slowly than it takes spans
    900_000,
    100,
  );

/** A listener that reads bodies and keeps nothing: what this machine could do at all. */
async function bareSink(batch: number): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const result = await load(`http://127.0.0.1:${port}/`, { spans: batch === 8 ? 200_000 : 1_000_000, batch });
  server.close();
  return result.spansPerS;
}

async function measureRate(product: Product, what: string, o: LoadOptions): Promise<number> {
  const sink = await bareSink(o.batch ?? 512);
  const before = procStat(product.pid);
  resetPeak(product.pid);
  const result = await load(`${product.otlp}/v1/traces`, o);
  const ackedAt = performance.now();
  await visible(product, result.nextIndex - 1);
  const drainMs = performance.now() - ackedAt;
  const hopsMs = await hopsMade(product, result.nextIndex).then(() => performance.now() - ackedAt);
  const after = procStat(product.pid);
  show(what, {
    spans: result.accepted,
    spansPerS: result.spansPerS,
    sustainedPerS: Math.round(result.accepted / (result.seconds + drainMs / 1_000)),
    withHopsPerS: Math.round(result.accepted / (result.seconds + hopsMs / 1_000)),
    ofBareSink: round(result.spansPerS / sink, 3),
    bareSinkPerS: sink,
    cpuMicrosPerSpan: round(((after.cpuS - before.cpuS) * 1e6) / result.accepted, 2),
    peakMB: Math.round(after.peakMB),
    reqP50ms: result.reqP50ms,
    reqP99ms: result.reqP99ms,
    lastVisibleAfterMs: Math.round(drainMs),
    answers: result.status,
  });
  return result.nextIndex;
}

/** A store that was lost, and how fast it is filled again out of the spool, while nothing new comes in. */
async function measureDrain(spans: number): Promise<void> {
  const before = await start(undefined, 'lost_');
  const { accepted } = await load(`${before.otlp}/v1/traces`, { spans });
  await before.kill();
  for (const end of ['', '.wal']) rmSync(join(before.dataDir, `hopscope.duckdb${end}`), { force: true });
  const product = await start(before.dataDir, 'filled_');
  const left = (): Promise<number> =>
    getJson<{ books: { spooled: number } }>(product, '/api/v1/status').then(({ books }) => books.spooled);
  const [fromMs, from] = [performance.now(), await left()];
  await until('all is stored again', async () => (await left()) === 0, 600_000, 50);
  const tookS = (performance.now() - fromMs) / 1_000;
  show('a lost store is filled out of the spool', {
    spans: accepted,
    storedBeforeReady: accepted - from,
    drainedPerS: Math.round(from / tookS),
  });
  await product.stop();
}

/** Seconds that the audit has worked, and spans it has read. */
async function auditSpent(): Promise<{ seconds: number; spans: number }> {
  const text = await (await fetch(`${product.url}/metrics`)).text();
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^hopscope_${name}(?:{.*})? (.*)$`, 'gm'))].reduce(
      (total, [, value]) => total + Number(value),
      0,
    );
  return { seconds: sum('audit_seconds_total'), spans: sum('audit_spans_total') };
}

/** 50,000 spans on top of what is stored, and all that the audit does about them until their hops are counted. */
async function measureAudit(): Promise<void> {
  const before = await auditSpent();
  const sent = await load(`${product.otlp}/v1/traces`, { spans: 50_000, startIndex: index });
  index = sent.nextIndex;
  await hopsMade(product, index);
  const after = await auditSpent();
  show('audit of 50,000 new spans', {
    ms: Math.round((after.seconds - before.seconds) * 1_000),
    spans: after.spans - before.spans,
  });
}

/** Times of so many reads, each of another trace, hop list or search. */
async function measureReads(what: string): Promise<void> {
  const times = async (count: number, path: (i: number) => string): Promise<number[]> => {
    const found: number[] = [];
    for (let i = 0; i < count; i++) found.push(await timed(() => read(product.url + path(i))));
    return found;
  };
  const random = (): number => Math.floor(Math.random() * index);
  const lookups = await times(600, () => `/api/v1/traces/${traceIdHex(7, random())}`);
  const missing = await times(50, (i) => `/api/v1/traces/${traceIdHex(99, i)}`);
  const hops = await times(50, () => '/api/v1/hops?from=now-1h');
  const paths = await times(20, () => '/api/v1/paths?from=now-1h');
  const search = await times(30, () => '/api/v1/traces?from=now-1h&service=andon-worker');
  const { books } = await getJson<{ books: Record<string, number> }>(product, '/api/v1/status');
  show(what, {
    traceP50Ms: round(quantile(lookups, 0.5)),
    traceP95Ms: round(quantile(lookups, 0.95)),
    traceP99Ms: round(quantile(lookups, 0.99)),
    unknownTraceP50Ms: round(quantile(missing, 0.5)),
    hops1hP50Ms: round(quantile(hops, 0.5)),
    hops1hP95Ms: round(quantile(hops, 0.95)),
    paths1hP50Ms: round(quantile(paths, 0.5)),
    paths1hP95Ms: round(quantile(paths, 0.95)),
    search1hP50Ms: round(quantile(search, 0.5)),
    search1hP95Ms: round(quantile(search, 0.95)),
    residentMB: Math.round(procStat(product.pid).rssMB),
    bytesPerSpan: Math.round(
      (dirBytes(product.dataDir).alloc + (questdb ? dirBytes(questdb.dir).alloc : 0)) / (index * 8),
    ),
    residual: books.residual,
  });
}

if (phases.has('ceiling')) {
  if (!questdb) throw new Error('--phases ceiling: found --store duckdb, wanted --store questdb');
  for (let round_ = 0; round_ < 3; round_++)
    await measureCeiling(questdb, 400_000, `r${round_}`, (written) => show('rows to QuestDB', { ...written }));
}
if ([...phases].every((phase) => phase === 'ceiling')) {
  await questdb?.stop();
  process.exit();
}
let product = await start();
let index = 0;
if (phases.has('rate')) {
  await load(`${product.otlp}/v1/traces`, { spans: 50_000 }).then((warm) => {
    index = warm.nextIndex;
  });
  for (let round_ = 0; round_ < 3; round_++)
    index = await measureRate(product, 'full batches, 512 spans', { spans: 600_000, startIndex: index });
}
if (phases.has('small')) {
  // two senders wait for two fsyncs at a time; many devices send at once, which is what coalescing is for
  for (const conns of [2, 64]) {
    const what = `one trace a request, 8 spans, ${conns} connections`;
    index = await measureRate(product, what, {
      spans: conns === 2 ? 40_000 : 300_000,
      batch: 8,
      conns,
      startIndex: index,
    });
  }
}
if (phases.has('gzip'))
  index = await measureRate(product, 'full batches, gzip', { spans: 400_000, gzip: true, startIndex: index });
if (phases.has('rate')) {
  const waits: number[] = [];
  for (let i = 0; i < 40; i++) {
    const sent = await load(`${product.otlp}/v1/traces`, { spans: 8, batch: 8, conns: 1, startIndex: index });
    index = sent.nextIndex;
    waits.push(await timed(() => visible(product, index - 1)));
  }
  show('acknowledged to visible, idle (polled every 5 ms)', {
    p50Ms: round(quantile(waits, 0.5)),
    p95Ms: round(quantile(waits, 0.95)),
  });
}
if (phases.has('fill')) {
  const stored = index * 8;
  if (stored < target)
    index = await measureRate(product, `fill to ${target}`, { spans: target - stored, startIndex: index });
}
if (phases.has('read')) {
  // what came is still being settled, then nothing moves: a fleet that just flooded us, and one that sleeps
  for (const restS of [5, 60]) {
    await new Promise((done) => setTimeout(done, restS * 1_000));
    await measureReads(`reads at ${index * 8} spans, ${restS} s later`);
  }
  for (let round_ = 0; round_ < 3; round_++) await measureAudit();
}
if (phases.has('page')) {
  const sending = load(`${product.otlp}/v1/traces`, { spans: 300_000, rate: 10_000, startIndex: index });
  const pages: number[] = [];
  const visibleMs: number[] = [];
  const end = performance.now() + 28_000;
  while (performance.now() < end) {
    pages.push(await timed(() => read(`${product.url}/`)));
    await new Promise((done) => setTimeout(done, 200));
  }
  index = (await sending).nextIndex;
  visibleMs.push(await timed(() => visible(product, index - 1)));
  show('fleet page while 10,000 spans/s come in', {
    p50Ms: round(quantile(pages, 0.5)),
    p95Ms: round(quantile(pages, 0.95)),
    p99Ms: round(quantile(pages, 0.99)),
    pages: pages.length,
  });
}
if (phases.has('restart')) {
  await product.kill();
  const began = performance.now();
  product = await start(product.dataDir);
  const readyMs = performance.now() - began;
  const found = await read(`${product.url}/api/v1/traces/${traceIdHex(7, index - 1)}`);
  show('kill -9, then ready again', { readyMs: Math.round(readyMs), lastTraceStatus: found });
}
await product.stop();
if (phases.has('drain')) await measureDrain(600_000);
await questdb?.stop();
if (phases.has('alert'))
  for (let round_ = 0; round_ < 3; round_++)
    show('a button becomes slow, a webhook is told', { ...(await measureAlert()) });
