import { describe, expect, it } from 'vitest';
import { buttonPress, type DrawnWork, drawRequest, fanOut, thirdTime } from './fixtures/drawn-request.ts';
import { endToEndFiguresOf, partsOf, placesOf, variantsOf } from './path-figures.ts';
import { judgePath, type PathToJudge } from './path-verdict.ts';
import { type PathWalk, pathWalkOf } from './path-walk.ts';

const walk = (work: DrawnWork[], more?: Parameters<typeof drawRequest>[1]): PathWalk => {
  const { spans, crossings } = drawRequest(work, more);
  return pathWalkOf(spans, crossings)!;
};
/** The same request, with so many ms more at work in the service that was asked. */
const slower = (by: number): DrawnWork[] =>
  buttonPress.map((w) => ({ ...w, from: w.from + (w.id > '03' ? by : 0), to: w.to + (w.id === '02' ? 0 : by) }));
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);

describe('a walk', () => {
  it.each([
    ['a message there and back', buttonPress],
    ['a fan-out that nobody waits for', fanOut],
    ['attempts and a far end without spans', thirdTime],
  ])('spends the whole time in its places: %s', (_what, work) => {
    const { places, elsewhereMs, totalMs } = walk(work, { ahead: { events: 90, archive: -40, shop: 11 } });
    expect(sum(places.map((place) => place.wayMs + place.workMs)) + elsewhereMs).toBeCloseTo(totalMs, 6);
    expect(elsewhereMs).toBe(0);
  });

  it('knows what each hop added and how long was worked', () => {
    const { places, floorMs } = walk(buttonPress, { ahead: { events: 90 } });
    expect(places.map(({ from, to, wayMs, workMs }) => [from.service, to.service, wayMs, workMs])).toEqual([
      ['button', 'button', 0, 3],
      ['button', 'events', 5, 3],
      ['events', 'button', 5, 0],
    ]);
    expect(floorMs).toBe(2);
  });

  it('counts a branch beside the critical path as beside it, with what it added all the same', () => {
    const { places, floorMs } = walk(fanOut);
    const of = (service: string) => places.find((place) => place.to.service === service)!;
    expect(of('archive')).toMatchObject({ onPath: true, wayMs: 3, workMs: 30 });
    expect(of('screen')).toMatchObject({ onPath: false, wayMs: 0, workMs: 0, addedMs: [5] });
    expect(floorMs).toBe(1);
  });

  it('has no added time where the server worked on after its answer', () => {
    const { places } = walk(thirdTime.map((w) => (w.id === '05' ? { ...w, to: 60 } : w)));
    expect(places[1]!.addedMs).toEqual([null]);
  });
});

describe('the figures of a path', () => {
  it('are percentiles by nearest rank', () => {
    const walks = Array.from({ length: 20 }, (_, i) => walk(slower(i)));
    expect(endToEndFiguresOf(walks)).toMatchObject({ p50Ms: 25, p95Ms: 34, boundMs: 0, floorMs: 2, oneClock: 1 });
    expect(endToEndFiguresOf([])).toMatchObject({ p50Ms: null, p95Ms: null, boundMs: null, floorMs: null });
  });

  it('have the floor that p95 cannot go below, although slower requests went a shorter way', () => {
    const near = buttonPress.map((w) => ({ ...w, on: 'button' }));
    const slow = near.map((w) => ({ ...w, from: w.from * 50, to: w.to * 50 }));
    const walks = [
      ...Array.from({ length: 9 }, () => walk(slow)),
      ...Array.from({ length: 11 }, () => walk(buttonPress)),
    ];
    expect(endToEndFiguresOf(walks)).toMatchObject({ p95Ms: 750, floorMs: 2 });
    expect(endToEndFiguresOf([...walks.slice(9, 10), ...Array.from({ length: 19 }, () => walk(slow))]).floorMs).toBe(0);
  });

  it('are open when over one in twenty is', () => {
    const bound = walk(fanOut);
    const open = walk(fanOut, { boundMs: null });
    const walks = (opens: number) => [
      ...Array.from({ length: 20 - opens }, () => bound),
      ...Array.from({ length: opens }, () => open),
    ];
    expect(endToEndFiguresOf(walks(1)).boundMs).toBe(2);
    expect(endToEndFiguresOf(walks(2)).boundMs).toBeNull();
  });

  it('tell trees apart, busiest first, with a range of counts at each place', () => {
    const twice = [
      ...fanOut,
      { id: '0a', parent: '02', on: 'screen', kind: 'consumer' as const, from: 5, to: 6 },
      { id: '0b', parent: '02', on: 'screen', kind: 'consumer' as const, from: 5, to: 6 },
    ];
    const walks = [walk(fanOut.slice(0, 3)), walk(fanOut), walk(twice)];
    const [busiest, other] = variantsOf(walks);
    expect([busiest!.walks.length, other!.walks.length]).toEqual([2, 1]);
    const screen = placesOf(busiest!).find((place) => place.to.service === 'screen')!;
    expect(screen).toMatchObject({ count: { least: 1, most: 3 }, onPath: 0, wayShare: 0 });
    expect(variantsOf(walks.toReversed()).map((variant) => variant.id)).toEqual([busiest!.id, other!.id]);
  });

  it('have a share for every place, and the shares are the whole', () => {
    const [variant] = variantsOf([walk(buttonPress), walk(slower(10)), walk(slower(84))]);
    const places = placesOf(variant!);
    expect(sum(places.map((place) => place.wayShare + place.workShare))).toBeCloseTo(1, 9);
    expect(places[1]!.workMs).toBeCloseTo((3 + 13 + 87) / 3, 6);
  });

  it('add up by hop and by work over all trees', () => {
    const walks = [walk(fanOut), walk(fanOut.slice(0, 3)), walk(fanOut)];
    const parts = partsOf(walks);
    expect(sum(parts.map((part) => part.share))).toBeCloseTo(1, 9);
    const byName = Object.fromEntries(parts.map((part) => [`${part.kind} ${part.to.service}`, part.ms]));
    expect(byName['work archive']).toBeCloseTo(20, 9);
    expect(byName['hop screen']).toBeCloseTo(5 / 3, 9);
    expect(partsOf(walks.toReversed())).toEqual(parts);
  });
});

describe('the verdict of a path', () => {
  const judged = (work: DrawnWork[], budgetMs: number | null, more: Partial<PathToJudge> = {}) => {
    const walks = [walk(work)];
    const { p50Ms, p95Ms, boundMs, floorMs, directFloorMs } = endToEndFiguresOf(walks);
    return judgePath({
      count: 100,
      p50Ms,
      p95Ms,
      boundMs,
      floorMs: floorMs!,
      directFloorMs: directFloorMs!,
      budgetMs,
      parts: partsOf(walks),
      rootSite: 'Hannover',
      namesOf: ({ from, to }) => ({
        fromService: from.service,
        fromSite: from.site,
        toService: to.service,
        toSite: to.site,
        brokerSite: '',
      }),
      ...more,
    });
  };

  it('leaves what is within its budget, and what nobody set one for', () => {
    expect(judged(buttonPress, 2000)).toMatchObject({ verdict: 'leave', mark: 'ok', blame: null });
    const free = judged(buttonPress, null);
    expect(free).toMatchObject({ verdict: 'leave', mark: 'ok' });
    expect(free.reason).toBe('Takes 16.0 ms end to end, and nobody set a budget for it: nothing to break.');
  });

  it('says what to move where the fibre along the critical path is over budget', () => {
    const answer = judged(buttonPress, 1.5);
    expect(answer).toMatchObject({ verdict: 'move', moveWhat: 'workload', mark: 'over' });
    expect(answer.blame).toMatchObject({ kind: 'hop', to: { service: 'events' } });
    expect(answer.reason).toContain('Fibre alone takes 2.0 ms of a 1.5 ms budget');
    expect(answer.reason).toContain('move events to Hannover');
  });

  it('blames the hop where the network takes the time, and the service where the work does', () => {
    const network = judged(buttonPress, 10);
    expect(network.verdict).toBe('fix-path');
    expect(network.reason).toContain('first the hop from button in button to events in events, 31 % of the time.');
    const work = judged(slower(80), 10);
    expect(work.blame).toMatchObject({ kind: 'work', to: { service: 'events' } });
    expect(work.reason).toContain('not the network is to blame, events in events works for 86 % of the time.');
  });

  it('cannot tell where the bound straddles the budget, and says where the clocks are', () => {
    const answer = judged(fanOut, 33);
    expect(answer.verdict).toBe('cannot-tell');
    expect(answer.reason).toContain('34.0 ms ± 2.0');
    expect(answer.reason).toContain('between Hannover and archive');
    expect(judged(fanOut, 33, { boundMs: null }).verdict).toBe('cannot-tell');
  });

  it('names nothing that may not be named', () => {
    const nameless = { fromService: '', fromSite: '', toService: '', toSite: '', brokerSite: '' };
    for (const budgetMs of [1.5, 10]) {
      const { reason } = judged(buttonPress, budgetMs, { namesOf: () => nameless });
      expect(reason).not.toMatch(/events|button/);
    }
  });

  it('has no data where nothing came, or nothing could be measured', () => {
    expect(judged(buttonPress, 10, { count: 0 })).toMatchObject({ verdict: 'no-data', mark: 'no-data' });
    expect(judged(buttonPress, 10, { p95Ms: null }).verdict).toBe('no-data');
  });
});
