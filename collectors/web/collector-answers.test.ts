import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Config } from '#lib/config.ts';
import type { Intake } from '../intake/client.ts';
import type { IntakeStats } from '../intake/messages.ts';
import { collectorAnswers } from './collector-answers.ts';
import { type Door, openDoor } from './door.ts';

let door: Door;
afterEach(() => door.close());

const spool = { spooledItems: { 1: 5, 3: 2 }, waitingSinceMs: 1_000, diskFreeBytes: 9, refuseBelowBytes: 4 };
const quiet = {
  received: { traces: 5, metrics: 0, mqtt: 2 },
  listeners: [{ name: 'otlp', answers: { 200: 3 }, refused: { busy: 1 } }],
  brokers: [{ name: 'hall-4', state: 'connected', repeats: 0 }],
  spool,
  spoolTrouble: null,
  storeTrouble: null,
  drain: { batchesUnderway: 0 },
} as unknown as IntakeStats;

async function asked(path: string, stats: IntakeStats | null, waiting: string | null = null) {
  const intake = stats && ({ stats: async () => stats } as Intake);
  const answers = collectorAnswers({ intake: () => intake, waiting: () => waiting, startedMs: 0 });
  door = await openDoor({ hostNames: [], dev: false } as unknown as Config, { host: '127.0.0.1', port: 0 }, answers);
  const { port } = door.server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
  return { status: answer.status, text: await answer.text() };
}

test('a collector is ready while it takes data in: a store that is away is a warning', async () => {
  const { status, text } = await asked('/readyz', quiet, 'waiting for the store: away');
  expect([status, JSON.parse(text)]).toEqual([
    200,
    { ready: true, reasons: [], warnings: ['waiting for the store: away'] },
  ]);
});

test('a collector that can keep nothing more is not ready', async () => {
  const { status, text } = await asked('/readyz', { ...quiet, spoolTrouble: 'the disk is full' });
  expect([status, JSON.parse(text)]).toMatchObject([503, { ready: false, reasons: ['the disk is full'] }]);
});

test('a collector that is being started lives, and is not ready', async () => {
  expect((await asked('/readyz', null)).status).toBe(503);
  await door.close();
  expect((await asked('/healthz', null)).status).toBe(200);
});

test('its figures are Prometheus text, without the names of brokers', async () => {
  const { status, text } = await asked('/metrics', quiet);
  expect(status).toBe(200);
  for (const line of [
    'hopscope_ready 1',
    'hopscope_received_items_total{signal="traces"} 5',
    'hopscope_refused_total{listener="otlp",reason="busy"} 1',
    'hopscope_spool_items 7',
    'hopscope_disk_refuse_below_bytes 4',
    'hopscope_broker_connected{broker="1"} 1',
  ])
    expect(text).toContain(`${line}\n`);
  expect(text).not.toContain('hall-4');
});

test('whoever looks for pages is told where they are', async () => {
  const { status, text } = await asked('/hops', quiet);
  expect([status, text]).toEqual([404, expect.stringContaining('--role web')]);
});
