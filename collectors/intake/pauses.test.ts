import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { watchPauses } from './pauses.ts';

test('a thread that stood still says from when to when, once, whatever the wall clock does', async () => {
  const wallMs = 1_000_000;
  const told: [number, number][] = [];
  const end = watchPauses(
    () => BigInt(wallMs) * 1_000_000n,
    (fromMs, toMs) => told.push([fromMs, toMs]),
    { everyMs: 10, lateMs: 400 },
  );
  await pause(100);
  expect(told).toEqual([]);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
  await pause(50);
  expect(told).toHaveLength(1);
  const [[fromMs, toMs]] = told as [[number, number]];
  expect(toMs).toBe(wallMs);
  expect(toMs - fromMs).toBeGreaterThanOrEqual(900);
  await pause(100);
  end();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
  await pause(50);
  expect(told).toHaveLength(1);
});
