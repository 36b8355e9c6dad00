import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { notificationOf, rackBack, rackMoved } from '#lib/domain/fixtures/alerts.ts';
import { openState } from '#lib/state/open.ts';
import { seededRandom } from '../demo-fleet/random.ts';
import { targetServer } from './fixtures/target-server.ts';

const kills = process.env.HOPSCOPE_LONG ? 200 : 8;
const seed = Number(process.env.HOPSCOPE_SEED ?? 20_261_121);
/** what may be on its way to one target */
const perTarget = 4;

it(
  `killed ${kills} times by kill -9 at moments of seed ${seed}, it sends every message, and twice only under the same key`,
  async () => {
    const random = seededRandom(seed, 'kills');
    const dir = mkdtempSync(join(tmpdir(), 'hopscope-killed-'));
    const state = openState(dir);
    let child: ChildProcess | null = null;
    /** requests until the next kill, and whether they get their answer before it */
    let left = Number.POSITIVE_INFINITY;
    let isAnswered = false;
    const server = await targetServer((_, response) => {
      if (--left > 0 || isAnswered) response.writeHead(204).end();
      if (left === 0) child?.kill('SIGKILL');
    });
    const run = (): ChildProcess =>
      spawn(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          join(import.meta.dirname, 'fixtures/sender-until-killed.ts'),
          dir,
          server.at,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );

    const expected = new Set<string>();
    const tell = (round: number): void =>
      state.transaction(() => {
        for (let i = 0; i < 4; i++)
          for (const alert of [rackMoved, rackBack])
            for (const target of ['chat', 'pager']) {
              const one = { ...alert, id: `alert-${round}-${i}`, fingerprint: `cause ${i}` };
              const message = notificationOf(one, { target, createdMs: Date.now(), dueMs: Date.now() });
              state.notifications.add(message);
              expected.add(`/${target} ${message.key}`);
            }
      });

    try {
      for (let round = 0; round < kills; round++) {
        tell(round);
        // at a request, before or after its answer, or at a moment that knows nothing of requests
        const byRequest = random() < 0.75;
        left = byRequest ? 1 + Math.floor(random() * 14) : Number.POSITIVE_INFINITY;
        isAnswered = random() < 0.5;
        const afterMs = random() * 100;
        child = run();
        const ended = once(child, 'exit');
        await once(child.stdout!, 'data');
        if (!byRequest) setTimeout(() => child?.kill('SIGKILL'), afterMs);
        const [, signal] = (await ended) as [number | null, string | null];
        expect(signal).toBe('SIGKILL');
      }
      left = Number.POSITIVE_INFINITY;
      isAnswered = true;
      child = run();
      await vi.waitUntil(() => state.notifications.due(Number.MAX_SAFE_INTEGER, 1).length === 0, {
        timeout: 120_000,
        interval: 50,
      });
    } finally {
      child?.kill('SIGKILL');
      await server.close();
    }

    const arrivals = server.received.map(({ path, headers, body }) => ({
      key: `${path} ${headers['idempotency-key']}`,
      body,
    }));
    const bodies = Map.groupBy(arrivals, ({ key }) => key);
    expect([...bodies.keys()].sort()).toEqual([...expected].sort());
    // the same key is the same message
    for (const of of bodies.values()) expect(new Set(of.map(({ body }) => body)).size).toBe(1);
    // some were cut off on their way, and no more than can be on their way at once
    const again = arrivals.length - expected.size;
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThanOrEqual(kills * 2 * perTarget);
    const first = [...bodies.keys()];
    for (const key of first.filter((each) => each.endsWith(':firing')))
      expect(first.indexOf(key)).toBeLessThan(first.indexOf(key.replace(':firing', ':resolved')));
    expect(state.notifications.latest(10_000).every((each) => each.state === 'sent')).toBe(true);
    state.close();
    rmSync(dir, { recursive: true, force: true });
  },
  kills * 5_000 + 120_000,
);
