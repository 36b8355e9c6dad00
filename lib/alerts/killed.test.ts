import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Notification } from '#lib/domain/alert.ts';
import { openState } from '#lib/state/open.ts';
import type { State } from '#lib/state/state.ts';
import { randomFrom } from '#lib/views/fixtures/scattered.ts';
import { doStep, type Spell, spellsOf, stepMs, steps, targets } from './fixtures/judged-life.ts';

vi.setConfig({ testTimeout: 600_000 });

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hopscope-killed-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Each time that something went bad everybody was told once, under one key, and once that it was over. */
function expectEachToldOnce(state: State, seed: number): void {
  const told = state.notifications.latest(10_000);
  const of = (spell: Spell, status: Notification['status']): Notification[] =>
    told.filter(
      ({ alert, status: said }) =>
        said === status && alert.subject.id === spell.hop && Math.abs(alert.sinceMs - sinceOf(spell)) < stepMs,
    );
  const spells = spellsOf(seed);
  for (const spell of spells) {
    for (const status of ['firing', 'resolved'] as const) {
      const messages = of(spell, status);
      expect({ spell, status, to: messages.map(({ target }) => target).sort() }).toEqual({
        spell,
        status,
        to: targets.toSorted(),
      });
      expect(new Set(messages.map(({ key }) => key)).size).toBe(1);
    }
  }
  expect(told).toHaveLength(spells.length * 2 * targets.length);
}

const beganMs = Date.parse('2026-11-21T14:00:00Z');
const sinceOf = ({ from }: Spell): number => beganMs + from * stepMs;

class Killed extends Error {}

/** A state that breaks at its n-th change, wherever that is in a step. */
function breaking(state: State, at: number): State {
  let changes = 0;
  const guard = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(of, name) {
        const value = Reflect.get(of, name) as unknown;
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          const isChange = ['save', 'drop', 'log', 'add', 'set'].includes(String(name));
          if (isChange && ++changes === at) throw new Killed();
          return (value as (...args: unknown[]) => unknown).apply(of, args);
        };
      },
    });
  const { alerts, notifications, memory, markers } = state;
  return {
    ...state,
    alerts: guard(alerts),
    notifications: guard(notifications),
    memory: guard(memory),
    markers: guard(markers),
  };
}

describe('whoever judges alerts', () => {
  let breaks = 0;
  it('tells each once when nothing happens to it', () => {
    const state = openState(null);
    for (let step = 0; step < steps; step++) doStep(state, 1, step);
    expectEachToldOnce(state, 1);
    state.close();
  });

  it.each(Array.from({ length: 10 }, (_, i) => i + 1))(
    'may break off in the middle of a step: nothing missed, nothing told twice, seed %i',
    (seed) => {
      const random = randomFrom(seed * 31);
      let broken = 0;
      for (let step = 0; step < steps; step++) {
        const state = openState(dir);
        try {
          doStep(random(3) === 0 ? breaking(state, 1 + random(6)) : state, seed, step);
        } catch (error) {
          if (!(error instanceof Killed)) throw error;
          broken++;
          // time goes on; it comes back a step or two later
          step += random(2);
        } finally {
          state.close();
        }
      }
      const state = openState(dir);
      // what was broken off last
      doStep(state, seed, steps);
      expect(broken).toBeGreaterThan(2);
      breaks += broken;
      expectEachToldOnce(state, seed);
      state.close();
    },
  );

  it('was broken off at least fifty times in all', () => expect(breaks).toBeGreaterThanOrEqual(50));

  it('may be killed with -9 at any moment', async () => {
    const seed = 77;
    const random = randomFrom(seed);
    let next = 0;
    let kills = 0;
    while (next < steps) {
      const file = join(import.meta.dirname, 'fixtures/judged-life.ts');
      const child = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', file, dir, `${seed}`, `${next}`],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const ended = once(child, 'exit');
      let left = 8 + random(20);
      for await (const line of createInterface({ input: child.stdout })) {
        next = Number(line) + 1;
        if (--left === 0 && child.kill('SIGKILL')) kills++;
      }
      const [code, sent] = await ended;
      expect(code === 0 || sent === 'SIGKILL').toBe(true);
    }
    const state = openState(dir);
    doStep(state, seed, steps);
    expect(kills).toBeGreaterThan(3);
    expectEachToldOnce(state, seed);
    state.close();
  });
});
