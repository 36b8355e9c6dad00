import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { brokerStatusOf, heardOf, reportOf, tallyThrough } from '#lib/domain/fixtures/collector-reports.ts';
import { pathIdOf } from '#lib/domain/request-path.ts';
import { HopscopeError } from '#lib/errors.ts';
import { firingAlert, keepAlerts } from '#lib/views/fixtures/alerts.ts';
import {
  buttonTrace,
  hexOf,
  nowMs,
  openWorld,
  originMs,
  rules,
  statusSource,
  type World,
} from '#lib/views/fixtures/world.ts';
import { problemSchema } from '#lib/views/schemas.ts';
import { tableSchema } from '../../_http.ts';
import { GET as healthz } from '../../healthz/route.ts';
import { GET as metrics } from '../../metrics/route.ts';
import { GET as readyz } from '../../readyz/route.ts';
import { actions } from './_actions.ts';
import { endpoints } from './_endpoints.ts';
import { GET as openApiRoute } from './openapi.json/route.ts';

const key = Symbol.for('hopscope');
const shared = globalThis as unknown as Record<symbol, unknown>;
const here = import.meta.dirname;
const range = `from=${originMs}&to=${nowMs}`;

let world: World;
let hopId = '';
const started = () => ({
  store: world.store,
  state: world.state,
  config: { rules, alertRules: [], demo: true, delivery: { routes: [] } },
  delivery: {
    targets: () => [{ name: 'on-call', kind: 'webhook', address: 'https://example.com/…' }],
    test: (name: string) => Promise.resolve(`${name} took it.`),
  },
  clock: () => BigInt(nowMs) * 1_000_000n,
  status: statusSource(),
  onChange: () => () => {},
});

beforeAll(async () => {
  world = await openWorld();
  const [hop] = await world.store.hopWindows(originMs, nowMs);
  hopId = hop!.hop.toString(16).padStart(16, '0');
  keepAlerts(world.state, hopId);
});
beforeEach(() => {
  shared[key] = started();
});
afterAll(async () => {
  delete shared[key];
  await world.close();
});

type Route = { GET(request: Request, route: { params: Promise<Record<string, string>> }): Promise<Response> };

/** Calls the handler of a path as Next would. */
async function get(path: string): Promise<Response> {
  const url = new URL(path, 'http://localhost:3000');
  for (const endpoint of Object.values(endpoints)) {
    const names = Object.keys(endpoint.params);
    const pattern = new RegExp(`^${endpoint.path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`);
    const match = pattern.exec(url.pathname);
    if (!match) continue;
    const folder = endpoint.path.replace('/api/v1/', '').replaceAll(/\{(\w+)\}/g, '[$1]');
    const route = (await import(join(here, folder, 'route.ts'))) as Route;
    const params = Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(match[i + 1]!)]));
    return route.GET(new Request(url), { params: Promise.resolve(params) });
  }
  throw new Error(`no route for ${path}`);
}

const pathOf = (name: keyof typeof endpoints): string =>
  ({
    hop: `/api/v1/hops/${hopId}`,
    path: `/api/v1/paths/${pathIdOf({ rootName: 'button press', application: 'factory' })}`,
    trace: `/api/v1/traces/${hexOf(buttonTrace(140))}`,
    device: '/api/v1/devices/rio-hannover',
    search: '/api/v1/search?q=button',
    alert: `/api/v1/alerts/${firingAlert}`,
  })[name as string] ?? endpoints[name].path;

const names = Object.keys(endpoints) as (keyof typeof endpoints)[];
const withRange = (name: keyof typeof endpoints): string => {
  const path = pathOf(name);
  return 'from' in endpoints[name].query.shape ? `${path}?${range}` : path;
};

describe('every endpoint', () => {
  it.each(names)('%s answers what its schema says, no more and no less, and is not kept', async (name) => {
    const response = await get(withRange(name));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = await response.json();
    expect(endpoints[name].answer.parse(body)).toEqual(body);
  });

  it.each(names)('%s gives its table as CSV', async (name) => {
    const path = withRange(name);
    const response = await get(`${path}${path.includes('?') ? '&' : '?'}format=csv`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    const [header, ...rows] = (await response.text()).split('\r\n');
    expect(header!.split(',').length).toBeGreaterThan(2);
    expect(tableSchema(endpoints[name])).toBeDefined();
    expect(rows.at(-1)).toBe('');
    if (name !== 'status') expect(rows.length).toBeGreaterThan(1);
  });

  it.each(names)('%s refuses a parameter it does not know', async (name) => {
    const path = withRange(name);
    const response = await get(`${path}${path.includes('?') ? '&' : '?'}colour=red`);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    const problem = problemSchema.parse(await response.json());
    expect(problem.errors?.[0]).toMatchObject({ parameter: 'colour', found: 'red' });
  });
});

describe('errors', () => {
  it('say what was found and wanted', async () => {
    const problem = await (await get('/api/v1/hops?from=yesterday')).json();
    expect(problem).toMatchObject({
      status: 400,
      errors: [{ parameter: 'from', found: 'yesterday', wanted: 'now, now-15m, RFC 3339 or epoch milliseconds' }],
    });
    const format = await get('/api/v1/hops?format=xml');
    expect((await format.json()).errors[0]).toEqual({ parameter: 'format', found: 'xml', wanted: 'json or csv' });
  });

  it('are 404 for what is not there, byte for byte the same whatever was asked', async () => {
    const [a, b] = await Promise.all([
      get(`/api/v1/traces/${'f'.repeat(32)}`),
      get(`/api/v1/traces/${'e'.repeat(32)}`),
    ]);
    expect([a.status, b.status]).toEqual([404, 404]);
    expect(await a.text()).toBe(await b.text());
    expect((await get('/api/v1/hops/0000000000000000')).status).toBe(404);
    expect((await get('/api/v1/devices/nobody')).status).toBe(404);
  });

  it('tell nothing of the inside to who asks, and one line to the log', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const broken = {
      ...world.store,
      clocks: () => Promise.reject(new HopscopeError('store', 'cannot read /secret/place')),
    };
    shared[key] = { ...started(), store: broken };
    const response = await get('/api/v1/clocks');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await response.text()).not.toContain('secret');
    shared[key] = { ...started(), store: { ...broken, clocks: () => Promise.reject(new Error('secret stack')) } };
    const other = await get('/api/v1/clocks');
    expect(other.status).toBe(500);
    expect(await other.text()).not.toContain('secret');
    expect(log.mock.calls.map(([line]) => String(line).split('\n').length)).toEqual([1, 1]);
    log.mockRestore();
  });
});

describe('traces', () => {
  it('are found by 32 digits of any case and, where an id has only 64 bits, by 16', async () => {
    const id = hexOf(buttonTrace(140));
    expect((await (await get(`/api/v1/traces/${id.toUpperCase()}`)).json()).traceId).toBe(id);
    expect((await get(`/api/v1/traces/${id.slice(16)}`)).status).toBe(404);
    expect((await get('/api/v1/traces/12')).status).toBe(404);
  });

  it('take the range in every form', async () => {
    for (const from of [
      'now-1h',
      String(originMs),
      new Date(originMs).toISOString(),
      encodeURIComponent('2026-11-21T04:00:00+01:00'),
    ]) {
      const body = await (await get(`/api/v1/traces?from=${from}&limit=5`)).json();
      expect(body.items).toHaveLength(5);
      expect(body.range.live).toBe(true);
    }
  });
});

type ActionRoute = Record<
  'POST' | 'PUT',
  (request: Request, route: { params: Promise<Record<string, string>> }) => Promise<Response>
>;

/** Calls an action as Next would. */
async function send(
  name: keyof typeof actions,
  params: Record<string, string>,
  body: string | undefined,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Response> {
  const { path, methods } = actions[name];
  const folder = path.replace('/api/v1/', '').replaceAll(/\{(\w+)\}/g, '[$1]');
  const route = (await import(join(here, folder, 'route.ts'))) as ActionRoute;
  const request = new Request(`http://localhost:3000${path}`, { method: 'POST', headers, body: body ?? null });
  return route[methods[0]!](request, { params: Promise.resolve(params) });
}
const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html,*/*;q=0.8' };
const ofAlert = { id: firingAlert };

describe('every action', () => {
  const sent: Record<keyof typeof actions, [Record<string, string>, unknown]> = {
    acknowledgeAlert: [ofAlert, {}],
    unacknowledgeAlert: [ofAlert, {}],
    commentAlert: [ofAlert, { text: 'looking at it' }],
    assignAlert: [ofAlert, { to: 'M. Keller' }],
    silenceAlert: [ofAlert, { forMs: 3_600_000, reason: 'known' }],
    makeSilence: [{}, { application: 'vision', reason: 'cameras are cleaned', forMs: 3_600_000 }],
    endSilence: [{ id: 'silence-1' }, {}],
    setRule: [{}, { rule: 'clock-stepped', threshold: 30, severity: 'info', enabled: true, forMs: 5_000 }],
    addMarker: [{}, { id: 'build 17', title: 'Snapshot v42', service: 'factory-events', time: nowMs - 1_000 }],
    testTarget: [{ target: 'on-call' }, {}],
  };
  const all = Object.keys(actions) as (keyof typeof actions)[];

  it.each(all)('%s takes JSON and answers what its schema says', async (name) => {
    const [params, body] = sent[name];
    const response = await send(name, params, JSON.stringify(body));
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const answer = await response.json();
    expect(actions[name].answer.parse(answer)).toEqual(answer);
  });

  it.each(all)('%s takes a plain form and leads to a page', async (name) => {
    const [params, body] = sent[name];
    const fields = new URLSearchParams(
      Object.entries(body as Record<string, unknown>).map(([field, value]) => [field, String(value)]),
    );
    const response = await send(name, params, fields.toString(), form);
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(actions[name].page(params));
    expect(response.headers.get('location')).toMatch(/^\/alerts/);
  });

  it.each(all)('%s refuses a field it does not know, and says which it knows', async (name) => {
    const response = await send(name, sent[name][0], JSON.stringify({ ...(sent[name][1] as object), colour: 'red' }));
    expect(response.status).toBe(400);
    const problem = problemSchema.parse(await response.json());
    expect(problem.errors).toContainEqual(expect.objectContaining({ parameter: 'colour', found: 'red' }));
  });

  it.each(all)('%s is in the OpenAPI file with its body', async (name) => {
    const file = await openApiRoute().json();
    const { path, methods, body } = actions[name];
    for (const method of methods) {
      const told = file.paths[path][method.toLowerCase()];
      const schema = told.requestBody.content['application/json'].schema;
      expect(Object.keys(schema.properties ?? {})).toEqual(Object.keys(body.shape));
      expect(told.parameters.map((each: { name: string }) => each.name)).toEqual(Object.keys(actions[name].params));
    }
  });
});

describe('what is sent', () => {
  it.each([
    ['not JSON', '{', { 'content-type': 'application/json' }, 400, 'text that is not JSON'],
    ['a list', '[]', { 'content-type': 'application/json' }, 400, 'JSON that is a list'],
    ['of another type', 'text=x', { 'content-type': 'text/plain' }, 400, 'text/plain'],
    ['empty where a text is wanted', '{"text":"  "}', { 'content-type': 'application/json' }, 400, 'wanted 1 to 2000'],
    ['nothing where a text is wanted', undefined, {}, 400, 'found \\"nothing\\"'],
    ['too large', `text=${'x'.repeat(40_000)}`, form, 413, 'wanted at most that'],
  ])('%s is refused with what was found and wanted', async (_what, body, headers, status, words) => {
    const response = await send('commentAlert', ofAlert, body, headers as Record<string, string>);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.text()).toContain(words);
  });

  it('leads back only to pages of alerts', async () => {
    const location = async (back: string) =>
      (await send('acknowledgeAlert', ofAlert, new URLSearchParams({ back }).toString(), form)).headers.get('location');
    expect(await location('/alerts?state=open')).toBe('/alerts?state=open');
    for (const elsewhere of ['https://evil.example', '//evil.example', '/alerts.evil', '/alerts/\\evil', '/'])
      expect(await location(elsewhere)).toBe(`/alerts/${firingAlert}`);
  });

  it('about an alert that is not there is 404, byte for byte the same whatever was asked', async () => {
    const [a, b] = await Promise.all(
      ['no-such-alert', 'nor-this'].map((id) => send('acknowledgeAlert', { id }, undefined, {})),
    );
    expect([a!.status, b!.status]).toEqual([404, 404]);
    expect(await a!.text()).toBe(await b!.text());
  });

  it('is answered with JSON to a script that posts a form', async () => {
    const response = await send('acknowledgeAlert', ofAlert, '', { ...form, accept: 'application/json' });
    expect(response.status).toBe(200);
    expect((await response.json()).alert.state).toBe('acknowledged');
  });
});

describe('the OpenAPI file', () => {
  it('describes every route folder, and no other', async () => {
    const file = await openApiRoute().json();
    const folders = readdirSync(here, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.name === 'route.ts')
      .map((entry) => `/api/v1/${relative(here, entry.parentPath)}`.replaceAll(/\[(\w+)\]/g, '{$1}'));
    expect(Object.keys(file.paths).toSorted()).toEqual(folders.toSorted());
    expect(file.openapi).toBe('3.1.0');
  });

  it('has no reference that leads nowhere', async () => {
    const file = await openApiRoute().json();
    const refs = [...JSON.stringify(file).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!);
    expect(refs.length).toBeGreaterThan(20);
    for (const ref of new Set(refs)) {
      const target = ref
        .slice(2)
        .split('/')
        .reduce((value, name) => value?.[name], file);
      expect(target, ref).toBeDefined();
    }
  });

  it('names every parameter of every endpoint', async () => {
    const file = await openApiRoute().json();
    for (const endpoint of Object.values(endpoints)) {
      const told = file.paths[endpoint.path].get.parameters.map((each: { name: string }) => each.name);
      expect(told).toEqual([...Object.keys(endpoint.params), ...Object.keys(endpoint.query.shape), 'format']);
    }
  });
});

describe('every route', () => {
  it('answers GET, and beside it only what is a known action, and is made anew each time', () => {
    const addressOf = (file: string): string =>
      `/api/v1/${relative(here, dirname(file))}`.replaceAll(/\[(\w+)\]/g, '{$1}');
    const methodsAt = (address: string): string[] =>
      Object.values(actions).flatMap(({ path, methods }) => (path === address ? [...methods] : []));
    const files = ['api', 'healthz', 'readyz', 'metrics'].flatMap((folder) =>
      readdirSync(join(here, '../..', folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.name === 'route.ts')
        .map((entry) => join(entry.parentPath, entry.name)),
    );
    expect(files.length).toBeGreaterThanOrEqual(15);
    for (const file of files) {
      const text = readFileSync(file, 'utf8');
      expect(text, file).toContain("export const dynamic = 'force-dynamic';");
      const exported = text.matchAll(/export (?:const|async function|function) (POST|PUT|PATCH|DELETE|OPTIONS|HEAD)/g);
      const told = [...exported].map((match) => match[1]!);
      expect(told.toSorted(), file).toEqual(methodsAt(addressOf(file)).toSorted());
    }
  });
});

describe('the probes', () => {
  it('healthz answers whatever else is wrong', async () => {
    delete shared[key];
    expect(healthz().status).toBe(200);
  });

  it('readyz says why not, in words', async () => {
    expect((await readyz()).status).toBe(200);
    shared[key] = { ...started(), status: statusSource(['the pages are not up yet']) };
    const response = await readyz();
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, reasons: ['the pages are not up yet'], warnings: [] });
    // what is wrong with a server and keeps nothing from coming in is said, and is no reason to be taken out
    const warned = async () => ({ ...(await world.store.status()), warnings: ['nosync'] });
    shared[key] = { ...started(), store: { ...world.store, status: warned } };
    expect(await (await readyz()).json()).toEqual({ ready: true, reasons: [], warnings: ['nosync'] });
    shared[key] = { ...started(), store: { ...world.store, lastArrivalMs: () => Promise.reject(new Error('gone')) } };
    expect((await (await readyz()).json()).reasons).toEqual(['the store does not answer: gone']);
    delete shared[key];
    expect((await readyz()).status).toBe(503);
  });

  it('readyz stays ready when a collector in another process is not, and says so', async () => {
    const collectors = () => [
      heardOf('3f2a91c0-1', 'silent', world.context().nowMs, { host: 'rio' }),
      heardOf('b', 'receiving', 0, { reasons: ['the disk is full'] }),
      heardOf('c', 'stopped', 0),
    ];
    shared[key] = { ...started(), status: { ...statusSource(), collectors } };
    const response = await readyz();
    expect(response.status).toBe(200);
    expect((await response.json()).warnings).toEqual([
      expect.stringMatching(/^the collector 3f2a91c0 on rio was last heard at .*, with nothing in its spool$/),
      'the collector b on host-of-b: the disk is full',
    ]);
  });

  it('metrics tell of collectors in other processes by their ids, each name once', async () => {
    const received = (value: number) => [
      {
        name: 'received_items_total',
        help: 'Items',
        type: 'counter' as const,
        samples: [{ labels: { signal: 'mqtt' }, value }],
      },
    ];
    const about = {
      brokers: [brokerStatusOf('hannover'), brokerStatusOf('lost', { state: 'waiting' })],
      spool: { ...reportOf('').spool, diskFreeBytes: 7e9, refuseBelowBytes: 5e8 },
      counters: received(41),
      tally: tallyThrough(2, 9, 4, 'a'),
    };
    const collectors = () => [heardOf('a', 'receiving', 5_000, about), heardOf('b', 'silent', 3_000)];
    const booksThrough = async () => new Map([['a', { received: 5, stored: 3, duplicate: 1, rejected: 1 }]]);
    const reports = { booksThrough, tell: async () => {}, latest: async () => [] };
    const status = { ...statusSource(), collectors, counters: () => received(2) };
    shared[key] = { ...started(), status, store: { ...world.store, reports } };
    const text = await (await metrics()).text();
    for (const line of [
      'hopscope_received_items_total{signal="mqtt"} 2',
      'hopscope_received_items_total{signal="mqtt",collector="a"} 41',
      'hopscope_broker_connected{broker="1"} 1',
      'hopscope_broker_connected{collector="a",broker="1"} 1',
      'hopscope_broker_connected{collector="a",broker="2"} 0',
      'hopscope_disk_free_bytes{collector="a"} 7000000000',
      'hopscope_collector_receiving{collector="a"} 1',
      'hopscope_collector_receiving{collector="b"} 0',
      'hopscope_collector_items_acknowledged{collector="a"} 9',
      'hopscope_collector_items_spooled{collector="a"} 4',
      'hopscope_collector_books_residual{collector="a"} 0',
      'hopscope_collector_heard_time_seconds{collector="b",version="0.1.0"} 3',
    ])
      expect(text).toContain(`${line}\n`);
    // what was not counted does not balance
    expect(text).not.toContain('hopscope_collector_books_residual{collector="b"}');
    expect(text).not.toContain('host-of');
    const told = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    expect(new Set(told).size).toBe(told.length);
  });

  it('metrics are Prometheus text whose books balance, without a name of the fleet', async () => {
    const counters = [
      {
        name: 'otlp_requests_total',
        help: 'Requests\nof OTLP',
        type: 'counter' as const,
        samples: [
          { labels: { code: '200', service: 'line-button' }, value: 3 },
          { labels: { code: '200', service: 'erp' }, value: 4 },
          { labels: { code: 'a"b\\c\nd' }, value: 1 },
        ],
      },
      { name: 'spool_items', help: 'once more', type: 'gauge' as const, samples: [{ labels: {}, value: 99 }] },
    ];
    shared[key] = { ...started(), status: { ...statusSource(), counters: () => counters } };
    const response = await metrics();
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    expect(text).toContain('hopscope_books_residual 0\n');
    expect(text).toContain('hopscope_otlp_requests_total{code="200"} 7\n');
    expect(text).toContain('hopscope_otlp_requests_total{code="a\\"b\\\\c\\nd"} 1\n');
    expect(text).toContain('hopscope_broker_connected{broker="1"} 1\n');
    for (const name of ['line-button', 'erp', 'hannover', 'broker-dublin']) expect(text).not.toContain(name);
    const told = [...text.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    expect(new Set(told).size).toBe(told.length);
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \S+ .+|hopscope_\w+(\{.*\})? (-?[\d.e+]+|NaN|[+-]Inf))$/);
  });
});
