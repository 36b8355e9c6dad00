import { expect, test } from 'vitest';
import { systemClock } from '#lib/clock.ts';
import { defaultLimits } from '#lib/wire/limits.ts';
import { encoding } from '#lib/wire/read-result.ts';
import { until } from './fixtures/running-intake.ts';
import { SlowSpool } from './fixtures/slow-spool.ts';
import { traceRequestProtobuf } from './fixtures/trace-request.ts';
import { Gather } from './gather.ts';

function start() {
  const spool = new SlowSpool();
  const spooled: { seq: number; items: number }[] = [];
  const gather = new Gather({
    spool,
    limits: defaultLimits,
    clock: systemClock,
    onSpooled: (_, { seq }, items) => spooled.push({ seq, items }),
  });
  return { spool, spooled, gather };
}

const message = (topic: string, payload = 'x') => {
  return { topic, payload: Buffer.from(payload), qos: 1, retain: false, dup: false };
};

test('requests of one moment are one batch, those that come while the disk is busy the next; all are answered when theirs is durable', async () => {
  const { spool, spooled, gather } = start();
  const answered: string[] = [];
  gather.traces(encoding.protobuf, traceRequestProtobuf(2), () => answered.push('a'));
  gather.traces(encoding.protobuf, traceRequestProtobuf(3), () => answered.push('b'));
  await until('the first commit is asked for', () => spool.commits.length === 1);
  gather.traces(encoding.protobuf, traceRequestProtobuf(4), () => answered.push('c'));
  gather.mqtt(message('t'), 'broker', '', () => answered.push('m'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(spool.commits).toHaveLength(1);
  expect(answered).toEqual([]);
  spool.commits[0]!.succeed();
  await until('the second commit is asked for', () => spool.commits.length === 2);
  expect(answered).toEqual(['a', 'b']);
  expect(spool.commits[1]!.entries.map(({ signal, items }) => [signal, items])).toEqual([
    [1, 4],
    [3, 1],
  ]);
  spool.commits[1]!.succeed();
  await until('all are answered', () => answered.length === 4);
  expect(spooled).toEqual([
    { seq: 1, items: 5 },
    { seq: 2, items: 4 },
    { seq: 3, items: 1 },
  ]);
  expect(gather.received).toEqual({ 1: 9, 2: 0, 3: 1 });
});

test('a spool that refuses turns requests away and holds messages; later it goes on by itself', async () => {
  const { spool, gather } = start();
  const answers: string[] = [];
  gather.traces(encoding.protobuf, traceRequestProtobuf(1), (refused) => answers.push(refused ? refused.code : 'ok'));
  gather.mqtt(message('t'), 'broker', '', (refused) => answers.push(refused ? 'refused message' : 'message ok'));
  await until('a commit is asked for', () => spool.commits.length === 1);
  spool.commits[0]!.fail();
  await until('the request is refused', () => answers.length === 1);
  expect(answers).toEqual(['spool']);
  expect(gather.refusal()?.message).toBe('no room');
  expect(gather.heldBytes).toBeGreaterThan(0);
  // A message of later waits behind those that are held.
  gather.mqtt(message('u'), 'broker', '', () => answers.push('second message ok'));
  await until('the message is tried again', () => spool.commits.length === 2);
  spool.commits[1]!.fail();
  await until('and again', () => spool.commits.length >= 3);
  expect(spool.commits[2]!.entries[0]!.bytes).toEqual(spool.commits[0]!.entries[1]!.bytes);
  for (const commit of spool.commits) commit.succeed();
  await until('the later one goes too', () => {
    for (const commit of spool.commits) commit.succeed();
    return answers.length === 3;
  });
  expect(answers).toEqual(['spool', 'message ok', 'second message ok']);
  expect(gather.refusal()).toBe(null);
  expect(gather.heldBytes).toBe(0);
  expect(gather.received[3]).toBe(2);
});

test('held messages are bounded: what has no room is not taken, QoS 0 is counted as dropped', async () => {
  const { spool, gather } = start();
  const failing = setInterval(() => spool.failAll(), 1);
  // Only payloads that are looked into are kept.
  const heartbeat = () => message(`hopscope/v1/device/heartbeat`, ' '.repeat(50_000));
  let taken = 0;
  for (let i = 0; i < 2_000; i++) {
    if (gather.mqtt(heartbeat(), 'broker', '', () => {})) taken++;
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(taken).toBeLessThan(1_000);
  expect(gather.mqtt(heartbeat(), 'broker', '', null)).toBe(false);
  expect(gather.dropped).toBe(1);
  const room = new Promise<void>((resolve) => gather.whenRoom(resolve));
  clearInterval(failing);
  const succeeding = setInterval(() => spool.succeedAll(), 1);
  await room;
  await until('all held are durable', () => gather.received[3] === taken);
  clearInterval(succeeding);
});
