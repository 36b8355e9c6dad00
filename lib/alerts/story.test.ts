import { afterEach, describe, expect, it, vi } from 'vitest';
import { AlertWorld, background, machines, originMs, press, type Second, targets } from './fixtures/alert-world.ts';

vi.setConfig({ testTimeout: 600_000 });

let world: AlertWorld;
afterEach(() => world.close());

const everybody = Object.values(machines);

/** A button is pressed every two seconds, everybody else talks twice a second. */
const day =
  (events: (typeof machines)['home']) =>
  (second: Second, at: number): void => {
    const n = at / 1000;
    if (n % 2 === 0) press(second, n, at + 100, events);
    background(second, 2 * n, at + 300);
    background(second, 2 * n + 1, at + 700);
    if (n % 4 === 0) second.alive.push(...everybody);
  };

describe('the story of the demo', () => {
  it('the move is one alert within a minute that names the hop and the move, and the redeploy ends it', async () => {
    world = await AlertWorld.open();
    await world.live(90, day(machines.home));
    expect(world.state.alerts.open()).toEqual([]);

    const movedMs = originMs + world.atMs;
    await world.live(60, day(machines.away));
    expect(world.fired()).toHaveLength(1);
    const [alert] = world.fired() as [ReturnType<typeof world.fired>[0]];
    expect(alert).toMatchObject({
      rule: 'over-budget',
      subject: { kind: 'hop', name: 'line-button → factory-events' },
      cause: { kind: 'service', name: 'factory-events in Ashburn' },
      title: 'Button press takes 102 ms. Budget is 10 ms.',
      wayOut:
        'Fibre alone takes 32.0 ms of a 10 ms budget between Hannover and Ashburn: move factory-events to Hannover.',
      figure: { unit: 'ms', threshold: 10, bound: 0 },
      owner: { team: 'Line team' },
      sites: ['ashburn', 'hannover'],
      applications: ['factory'],
    });
    expect(alert.sentence).toContain('factory-events answers from Ashburn instead of Hannover.');
    expect(alert.sentence).toContain('Hannover to Ashburn. The network itself is normal.');
    expect(alert.figure!.was).toBeLessThan(5);
    expect(alert.figure!.is).toBeGreaterThan(100);
    expect(alert.changes[0]).toMatchObject({
      kind: 'moved',
      title: 'factory-events answers from Ashburn instead of Hannover',
      text: 'version v42 instead of v41, moved from booth-hannover to site-ashburn',
    });
    expect(alert.folded.map(({ subject }) => subject.name).sort()).toEqual([
      'button press',
      'factory-events → andon',
      'factory-events → line-button',
    ]);
    // by the evidence: the first press that went to Ashburn
    expect(alert.sinceMs - movedMs).toBeLessThan(2_000);
    expect(alert.firedMs! - movedMs).toBeLessThanOrEqual(60_000);
    // from when it was first found to the message: what has one cause is given four seconds to gather
    expect(alert.firedMs! - alert.seenMs).toBeLessThanOrEqual(6_000);
    expect(world.sent().map(({ createdMs, dueMs }) => [createdMs, dueMs])).toEqual(
      targets.map(() => [alert.firedMs, alert.firedMs]),
    );
    expect(await world.store.crossingsOfTrace(...wordsOf(alert.exampleTraceId!))).not.toEqual([]);
    expect(
      world
        .sent()
        .map(({ target }) => target)
        .sort(),
    ).toEqual(targets.toSorted());

    await world.live(40, day(machines.away));
    const backMs = originMs + world.atMs;
    await world.live(130, day(machines.back));
    expect(world.state.alerts.get(alert.id)!.phase).toBe('resolved');
    // whatever lagged behind has caught up, and nothing of it was news
    await world.live(300, day(machines.back), 5);
    const over = world.state.alerts.get(alert.id)!;
    expect(Math.abs(over.resolvedMs! - backMs)).toBeLessThan(60_000);
    expect(over.title).toBe('Button press takes 102 ms. Budget is 10 ms.');
    expect(over.folded.filter(({ untilMs }) => untilMs === null)).toEqual([]);
    expect(world.state.alerts.open()).toEqual([]);
    expect(world.fired()).toHaveLength(1);
    expect(world.sent('resolved')).toHaveLength(targets.length);
    expect(world.state.markers.between(0, world.nowMs).map(({ title }) => title)).toEqual([
      'factory-events answers from Hannover instead of Ashburn',
      'factory-events answers from Ashburn instead of Hannover',
    ]);
  });
});

function wordsOf(traceId: string): [bigint, bigint] {
  return [BigInt(`0x${traceId.slice(0, 16)}`), BigInt(`0x${traceId.slice(16)}`)];
}
