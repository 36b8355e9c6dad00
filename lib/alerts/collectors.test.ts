import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Alert } from '#lib/domain/alert.ts';
import type { CollectorReport, HeardCollector } from '#lib/domain/collector-report.ts';
import { brokerStatusOf, heardOf, reportOf, tallyThrough } from '#lib/domain/fixtures/collector-reports.ts';
import { AlertWorld, machines, originMs, type Second } from './fixtures/alert-world.ts';

vi.setConfig({ testTimeout: 600_000 });

let world: AlertWorld;
beforeEach(async () => {
  world = await AlertWorld.open();
});
afterEach(() => world.close());

const open = (): Alert[] => world.state.alerts.open();
const onlyFired = (): Alert => {
  expect(world.fired().map(({ title }) => title)).toHaveLength(1);
  return world.fired()[0]!;
};
const nothing = (): void => {};
/** Devices report about themselves, every five seconds. */
const alive = (second: Second, at: number): void => {
  if (at % 5_000 === 0) second.alive.push(...Object.values(machines));
};

describe('collectors in other processes', () => {
  const here = (state: HeardCollector['state'], more: Partial<CollectorReport> = {}, heardMs = world.nowMs) =>
    heardOf('3f2a91c0-1', state, heardMs, { host: 'rio-hannover', ...more });

  it('one that went silent is told with when it was heard and what it holds; one that was stopped is not', async () => {
    world.collectors = [here('stopped', { stoppedMs: originMs })];
    await world.live(90, nothing, 10);
    expect(world.fired()).toEqual([]);
    const heardMs = world.nowMs;
    world.collectors = [here('silent', { tally: tallyThrough(3, 50, 12) })];
    await world.live(50, nothing, 10);
    expect(world.fired()).toEqual([]);
    await world.live(30, nothing, 10);
    expect(onlyFired()).toMatchObject({
      rule: 'own-health',
      sinceMs: heardMs,
      title: 'The collector 3f2a91c0 on rio-hannover was last heard at 14:01 UTC, with 12 items in its spool.',
    });
    // a start of our own: nobody has listened long enough to know better
    world.collectors = [here('unsure', {}, heardMs)];
    await world.live(20, nothing, 10);
    expect(open()).toHaveLength(1);
    world.collectors = [here('receiving')];
    await world.live(20, nothing, 10);
    expect(open()).toEqual([]);
  });

  it('what they say of themselves is told as theirs: not ready, and behind', async () => {
    await world.live(20, nothing, 10);
    const waiting = () => ({ ...reportOf('').spool, items: 9, waitingSinceMs: world.nowMs - 200_000 });
    world.collectors = [here('receiving', { reasons: ['the disk is full'], spool: waiting() })];
    await world.live(80, nothing, 10);
    expect(open().map(({ title }) => title)).toEqual([
      'The collector 3f2a91c0 on rio-hannover: the disk is full.',
      'What the collector 3f2a91c0 on rio-hannover received is 3 min behind. It may be 2 min.',
    ]);
    world.collectors = [here('receiving')];
    await world.live(20, nothing, 10);
    expect(open()).toEqual([]);
  });

  it('a broker that all of them lost is lost; one that some still see is told with who does not', async () => {
    const seenBy = (id: string, state: string, of: HeardCollector['state'] = 'receiving') =>
      heardOf(id, of, world.nowMs, {
        host: `host-${id}`,
        brokers: [brokerStatusOf('broker-dublin', { state, sinceMs: originMs })],
      });
    world.collectors = [seenBy('a', 'connected'), seenBy('b', 'waiting')];
    await world.live(20, nothing, 10);
    expect(onlyFired()).toMatchObject({
      rule: 'broker-lost',
      title: '1 of 2 connections to broker-dublin is lost.',
      subject: { id: 'broker-dublin' },
    });
    expect(onlyFired().sentence).toBe(
      'The collector b on host-b sees nothing of what broker-dublin in Dublin carries; others do.',
    );
    world.collectors = [seenBy('a', 'waiting'), seenBy('b', 'waiting'), seenBy('c', 'connected', 'silent')];
    await world.live(20, nothing, 10);
    expect(open().find(({ rule }) => rule === 'broker-lost')!.title).toBe('The connection to broker-dublin is lost.');
    world.collectors = [seenBy('a', 'connected'), seenBy('b', 'stopped', 'stopped')];
    await world.live(20, nothing, 10);
    expect(open()).toEqual([]);
  });

  it('while one of them is not heard no silence of a device is news; ten minutes later it is', async () => {
    await world.live(150, alive, 10);
    const heardMs = world.nowMs;
    world.collectors = [here('silent', {}, heardMs)];
    await world.live(540, nothing, 30);
    expect(world.fired().map(({ rule }) => rule)).toEqual(['own-health']);
    await world.live(300, nothing, 30);
    expect(world.fired().map(({ rule }) => rule)).toContain('device-down');
  });
});
