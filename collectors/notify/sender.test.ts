import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Alert } from '#lib/domain/alert.ts';
import type { DeliveryRules, Target } from '#lib/domain/delivery.ts';
import { brokerGone, notificationOf, rackBack, rackMoved } from '#lib/domain/fixtures/alerts.ts';
import { openState } from '#lib/state/open.ts';
import { deliverOver } from './deliver.ts';
import { type Received, type TargetServer, targetServer } from './fixtures/target-server.ts';
import { guardOf } from './guard.ts';
import { startSender } from './sender.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const hook = (name: string, url: string): Target => ({ name, kind: 'webhook', url, token: null, allowPlaintext: true });

async function serve(answer?: Parameters<typeof targetServer>[0]): Promise<TargetServer> {
  const server = await targetServer(answer);
  cleanups.push(() => server.close());
  return server;
}

/** A sender over a real outbox, with a clock that is turned by hand. */
function start(targets: Target[], servers: TargetServer[], { deadlineMs = 10_000, state = openState(null) } = {}) {
  let turnedMs = 0;
  const nowMs = () => Date.now() + turnedMs;
  const rules: DeliveryRules = {
    targets,
    routes: [],
    allowPrivate: servers.map(({ at }) => at),
    publicUrl: 'https://hop.example',
  };
  const deliver = deliverOver({
    guard: guardOf(rules.allowPrivate),
    publicUrl: rules.publicUrl,
    brokerUrl: () => null,
    nowMs,
  });
  const said: string[] = [];
  const log = (_level: string, sentence: string) => void said.push(sentence);
  const sender = startSender({ state, rules, deliver, nowMs, random: () => 0, log, deadlineMs });
  cleanups.push(() => sender.stop());
  const tell = (alert: Alert, target: string) =>
    state.notifications.add(notificationOf(alert, { target, createdMs: nowMs(), dueMs: nowMs() }));
  const outbox = (target?: string) =>
    state.notifications
      .latest(1_000)
      .filter((each) => target === undefined || each.target === target)
      .reverse();
  return {
    state,
    sender,
    said,
    tell,
    outbox,
    states: (target?: string) => outbox(target).map((each) => each.state),
    turn: (ms: number) => {
      turnedMs += ms;
    },
  };
}

const many = (count: number): Alert[] =>
  Array.from({ length: count }, (_, i) => ({ ...rackMoved, id: `a${i}`, fingerprint: `cause ${i}` }));
const keyOf = ({ headers }: Received) => headers['idempotency-key'];
const wait = { timeout: 15_000, interval: 5 };

describe('what waits in the outbox', () => {
  it('reaches its target at once, under its key, and is marked', async () => {
    const server = await serve();
    const { tell, states, state } = start([hook('chat', server.url('/chat?room=1'))], [server]);
    tell(rackMoved, 'chat');
    await vi.waitUntil(() => states()[0] === 'sent', wait);
    expect(state.alerts.history(rackMoved.id)).toMatchObject([{ who: '', what: 'sent', text: 'chat was told' }]);
    expect(server.received).toHaveLength(1);
    const [{ path, headers, body }] = server.received as [Received];
    expect([path, headers['idempotency-key'], headers['content-type']]).toEqual([
      '/chat?room=1',
      '01jrackmoved:firing',
      'application/json; charset=utf-8',
    ]);
    expect(headers.host).toBe(server.at);
    expect(JSON.parse(body)).toMatchObject({ version: '4', status: 'firing', receiver: 'chat' });
  });

  it('was there before the start, too', async () => {
    const server = await serve();
    const state = openState(null);
    state.notifications.add(notificationOf(rackMoved, { target: 'chat' }));
    const { states } = start([hook('chat', server.url('/'))], [server], { state });
    await vi.waitUntil(() => states()[0] === 'sent', wait);
  });

  it('waits for nobody else: a target that hangs delays no other', async () => {
    const server = await serve();
    const { tell, states } = start([hook('stuck', server.url('/hangs')), hook('chat', server.url('/'))], [server]);
    for (const alert of many(20)) tell(alert, 'stuck');
    await vi.waitUntil(() => server.received.length === 4, wait);
    for (const alert of many(20)) tell(alert, 'chat');
    await vi.waitUntil(() => states('chat').every((each) => each === 'sent'), wait);
    expect(states('stuck')).toEqual(Array(20).fill('waiting'));
    // and is itself not stormed
    expect(server.received.filter(({ path }) => path === '/hangs')).toHaveLength(4);
  });

  it('goes to one target four at a time', async () => {
    const server = await serve((_, response) => void setTimeout(() => response.writeHead(204).end(), 20));
    const { tell, states } = start([hook('chat', server.url('/'))], [server]);
    for (const alert of many(40)) tell(alert, 'chat');
    await vi.waitUntil(() => states().every((each) => each === 'sent'), wait);
    expect(server.atOnce).toBe(4);
    expect(new Set(server.received.map(keyOf)).size).toBe(40);
  });

  it('for a target that hopscope.yaml no longer names is given up, and that is said', async () => {
    const { tell, outbox } = start([], []);
    tell(rackMoved, 'gone');
    await vi.waitUntil(() => outbox()[0]!.state === 'given-up', wait);
    expect(outbox()[0]!.error).toBe('hopscope.yaml no longer names this target');
  });
});

describe('a target that is down', () => {
  it('gets it when it is back, the firing one before the resolved one before the next of that cause', async () => {
    let isDown = true;
    const server = await serve((_, response) => response.writeHead(isDown ? 503 : 204).end());
    const { tell, outbox, states, turn } = start([hook('chat', server.url('/'))], [server]);
    tell(rackMoved, 'chat');
    await vi.waitUntil(() => outbox()[0]!.attempts === 1, wait);
    expect(outbox()[0]).toMatchObject({ state: 'waiting', error: 'answered 503' });
    tell(rackBack, 'chat');
    tell({ ...rackMoved, id: 'again' }, 'chat');
    tell(brokerGone, 'chat');
    await vi.waitUntil(() => outbox()[3]!.attempts === 1, wait);
    expect(outbox().map(({ attempts }) => attempts)).toEqual([1, 0, 0, 1]);
    isDown = false;
    turn(60_000);
    await vi.waitUntil(() => states().every((each) => each === 'sent'), wait);
    const ofTheCause = server.received
      .slice(2)
      .map(keyOf)
      .filter((key) => key !== '01jbrokergone:firing');
    expect(ofTheCause).toEqual(['01jrackmoved:firing', '01jrackmoved:resolved', 'again:firing']);
  });

  it('is given up after a day, and that is said', async () => {
    const { tell, outbox, turn } = start(
      [hook('chat', 'http://127.0.0.1:1/')],
      [{ at: '127.0.0.1:1' } as TargetServer],
    );
    tell(rackMoved, 'chat');
    await vi.waitUntil(() => outbox()[0]!.attempts === 1, wait);
    turn(24 * 3_600_000);
    await vi.waitUntil(() => outbox()[0]!.state === 'given-up', wait);
    expect(outbox()[0]).toMatchObject({ attempts: 2, error: 'nobody listens there (connection refused)' });
  });

  it.each([429, 503])('and asks for a rest by %i gets no message at all in that time', async (status) => {
    let isBusy = true;
    const server = await serve((_, response) =>
      isBusy ? response.writeHead(status, { 'retry-after': '120' }).end() : response.writeHead(200).end('ok'),
    );
    const other = await serve();
    const targets = [hook('chat', server.url('/')), hook('other', other.url('/'))];
    const { tell, outbox, states, turn } = start(targets, [server, other]);
    tell(rackMoved, 'chat');
    await vi.waitUntil(() => outbox()[0]!.attempts === 1, wait);
    tell(brokerGone, 'chat');
    isBusy = false;
    turn(110_000);
    // who gets this has been looked for after the clock was turned
    tell(rackMoved, 'other');
    await vi.waitUntil(() => states('other')[0] === 'sent', wait);
    expect([server.received.length, states('chat')]).toEqual([1, ['waiting', 'waiting']]);
    turn(10_000);
    await vi.waitUntil(() => states().every((each) => each === 'sent'), wait);
  });

  it.each([400, 413, 422])('or refuses the message itself by %i is not asked again', async (status) => {
    const server = await serve((_, response) => response.writeHead(status).end('secret of the target'));
    const { tell, outbox, state } = start([hook('chat', server.url('/'))], [server]);
    tell(rackMoved, 'chat');
    await vi.waitUntil(() => outbox()[0]!.state === 'given-up', wait);
    expect(outbox()[0]!.error).toBe(`answered ${status}`);
    expect(state.alerts.history(rackMoved.id)).toMatchObject([
      { what: 'not-sent', text: `chat could not be told: answered ${status}` },
    ]);
  });
});

describe('a target that misbehaves', () => {
  it.each([
    ['/hangs', 'no answer within 0.3 s'],
    ['/half-headers', 'no answer within 0.3 s'],
    ['/huge-503', 'answered 503'],
    ['/huge-headers', 'the connection failed (HPE_HEADER_OVERFLOW)'],
    ['/cuts', 'the connection was cut off'],
    ['/garbage', 'the connection failed (HPE_INVALID_CONSTANT)'],
    ['/switches', 'the connection was cut off before the answer'],
  ])('by %s is a failure in a sentence of ours', async (path, sentence) => {
    const server = await serve();
    const { tell, outbox } = start([hook('odd', server.url(path))], [server], { deadlineMs: 300 });
    tell(rackMoved, 'odd');
    await vi.waitUntil(() => outbox()[0]!.attempts === 1, wait);
    expect(outbox()[0]).toMatchObject({ state: 'waiting', error: sentence });
    expect(server.answerBytes).toBeLessThan(8 * 1024 ** 2);
  });

  it.each(['/huge', '/body-hangs'])('by %s has taken it all the same; its answer is cut off', async (path) => {
    const server = await serve();
    const { tell, states } = start([hook('odd', server.url(path))], [server], { deadlineMs: 1_000 });
    tell(rackMoved, 'odd');
    await vi.waitUntil(() => states()[0] === 'sent' && server.answering === 0, wait);
    // what fits into the sockets between, and not an answer without end
    expect(server.answerBytes).toBeLessThan(16 * 1024 ** 2);
  });
});

describe('an outbox that cannot be written', () => {
  it('is said, and nobody is told the same again and again', async () => {
    const server = await serve();
    const full = openState(null);
    const state = {
      ...full,
      transaction: (() => {
        throw new Error('database or disk is full');
      }) as typeof full.transaction,
    };
    const { tell, said, turn } = start([hook('chat', server.url('/'))], [server], { state });
    tell(rackMoved, 'chat');
    await vi.waitUntil(() => said.length === 1, wait);
    tell(brokerGone, 'chat');
    turn(29_000);
    // as long as a message takes elsewhere
    const other = await serve();
    await start([hook('other', other.url('/'))], [other]).sender.test('other');
    expect([said, server.received.map(keyOf)]).toEqual([['the outbox of alerts failed'], ['01jrackmoved:firing']]);
    state.transaction = full.transaction;
    turn(2_000);
    await vi.waitUntil(() => full.notifications.nextDueMs() === null, wait);
    expect(server.received.map(keyOf).sort()).toEqual([
      '01jbrokergone:firing',
      '01jrackmoved:firing',
      '01jrackmoved:firing',
    ]);
  });
});

describe('the end', () => {
  it('comes at once, and what was cut short by it goes again under the same key', async () => {
    const server = await serve();
    // a deadline that this test does not live to see
    const patient = { deadlineMs: 3_600_000 };
    const { tell, outbox, sender, state } = start([hook('chat', server.url('/hangs'))], [server], patient);
    tell(rackMoved, 'chat');
    await vi.waitUntil(() => server.received.length === 1, wait);
    await sender.stop();
    expect(outbox()[0]).toMatchObject({ state: 'waiting', attempts: 0 });
    const next = start([hook('chat', server.url('/'))], [server], { state });
    await vi.waitUntil(() => next.states()[0] === 'sent', wait);
    expect(server.received.map(keyOf)).toEqual(['01jrackmoved:firing', '01jrackmoved:firing']);
  });
});

describe('the test button', () => {
  it('sends what is plainly a test, and of no alert', async () => {
    const server = await serve();
    const { sender, outbox } = start([hook('chat', server.url('/'))], [server]);
    expect(await sender.test('chat')).toBe('chat took the test message.');
    const body = JSON.parse(server.received[0]!.body) as { commonAnnotations: Record<string, string> };
    expect(body).toMatchObject({
      commonLabels: { severity: 'info' },
      commonAnnotations: { summary: 'TEST: nothing is wrong.', alert_url: 'https://hop.example/alerts' },
    });
    expect(body.commonAnnotations.description).toContain('test button of the target chat');
    expect(outbox()).toEqual([]);
  });

  it('leaves no incident open', async () => {
    const server = await serve();
    const pager: Target = {
      name: 'pager',
      kind: 'pagerduty',
      url: server.url('/enqueue'),
      routingKey: 'R0UT1NG',
      allowPlaintext: true,
    };
    const { sender } = start([pager], [server]);
    expect(await sender.test('pager')).toBe('pager took the test message.');
    const events = server.received.map(({ body }) => JSON.parse(body) as { event_action: string; dedup_key: string });
    expect(events.map(({ event_action }) => event_action)).toEqual(['trigger', 'resolve']);
    expect(events[1]!.dedup_key).toBe(events[0]!.dedup_key);
  });

  it('says in a sentence what went wrong, never what the target answered', async () => {
    const server = await serve((_, response) => response.writeHead(401).end('your token SECRET is wrong'));
    const secret = (path: string) => server.url(`${path}?key=SECRET`);
    const { sender } = start(
      [hook('chat', secret('/')), hook('off', 'http://127.0.0.1:1/SECRET'), hook('sly', 'http://10.0.0.1/SECRET')],
      [server, { at: '127.0.0.1:1' } as TargetServer],
    );
    const sentences = [
      await sender.test('chat'),
      await sender.test('off'),
      await sender.test('sly'),
      await sender.test('nobody'),
    ];
    expect(sentences).toEqual([
      'chat did not take the test message: answered 401.',
      'off did not take the test message: nobody listens there (connection refused).',
      'sly did not take the test message: 10.0.0.1 has a private address, wanted a public one or an entry for it under delivery.allowPrivate.',
      'Found no target nobody, wanted one of chat, off, sly.',
    ]);
    expect(JSON.stringify([sentences, sender.targets()])).not.toContain('SECRET');
  });

  it('is pressed twice for one test', async () => {
    const server = await serve();
    const { sender } = start([hook('stuck', server.url('/hangs'))], [server], { deadlineMs: 500 });
    const first = sender.test('stuck');
    expect(await sender.test('stuck')).toBe('A test to stuck is on its way already.');
    expect(await first).toBe('stuck did not take the test message: no answer within 0.5 s.');
    expect(server.received).toHaveLength(1);
  });
});
