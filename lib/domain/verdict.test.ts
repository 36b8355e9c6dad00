import { describe, expect, it } from 'vitest';
import { judge, spokenBudget, spokenMs, type ToJudge } from './verdict.ts';

const drawn: ToJudge = {
  count: 100,
  requests: 100,
  unanswered: 0,
  p50Ms: 45,
  p95Ms: 45,
  boundMs: 2,
  floorMs: 33,
  directFloorMs: 33,
  budgetMs: 10,
  names: {
    fromService: 'line-button',
    fromSite: 'Hannover',
    toService: 'factory-events',
    toSite: 'Ashburn',
    brokerSite: 'Dublin',
  },
};
const verdictOf = (more: Partial<ToJudge>) => judge({ ...drawn, ...more });

describe('the verdict', () => {
  it('leaves 45 ms over an ocean that fit a budget of 2 s', () => {
    expect(verdictOf({ budgetMs: 2000 })).toMatchObject({ verdict: 'leave', mark: 'ok', severity: 'noticeable' });
    expect(verdictOf({ budgetMs: 2000 }).reason).toBe(
      'Takes 45.0 ms ± 2.0 of a 2 s budget, of which fibre alone needs 33.0 ms: leave it.',
    );
  });
  it('moves the workload where fibre alone is over budget', () => {
    expect(verdictOf({})).toMatchObject({ verdict: 'move', moveWhat: 'workload', mark: 'over' });
    expect(verdictOf({}).reason).toBe(
      'Fibre alone takes 33.0 ms of a 10 ms budget between Hannover and Ashburn: move factory-events to Hannover.',
    );
  });
  it('moves whatever the clocks say', () => {
    expect(verdictOf({ boundMs: null, p95Ms: null, p50Ms: null }).verdict).toBe('move');
  });
  it('fixes the path of 45 ms inside a site', () => {
    expect(verdictOf({ floorMs: 0, directFloorMs: 0 })).toMatchObject({ verdict: 'fix-path', blame: null });
  });
  it('moves the broker when both ends stand in Hannover and the broker in Dublin', () => {
    const both = { floorMs: 10.6, directFloorMs: 0, p95Ms: 14, names: { ...drawn.names!, toSite: 'Hannover' } };
    expect(verdictOf(both)).toMatchObject({ verdict: 'move', moveWhat: 'broker' });
    expect(verdictOf(both).reason).toContain('give Hannover its own broker');
  });
  it('cannot tell when the bound straddles the budget, nor when it is open', () => {
    expect(verdictOf({ floorMs: 5, directFloorMs: 5, p95Ms: 11, boundMs: 3 })).toMatchObject({
      verdict: 'cannot-tell',
      mark: 'cannot-tell',
    });
    const open = { floorMs: 5, directFloorMs: 5, boundMs: null, clocks: { assumed: 100, clockWrong: 0, overlap: 0 } };
    expect(verdictOf(open)).toMatchObject({ verdict: 'cannot-tell', hiMs: null, loMs: 5 });
    expect(verdictOf(open).reason).toContain('echo');
  });
  it('names the clocks that contradict each other, and gives no other reason', () => {
    const none = { floorMs: 5, directFloorMs: 5, p50Ms: null, p95Ms: null, boundMs: null };
    const clocks = { assumed: 0, clockWrong: 0, overlap: 0, contradiction: 100 };
    const told = verdictOf({ ...none, clocks, contradicting: ['pi-sf', 'wafer-sf'] });
    expect(told).toMatchObject({ verdict: 'cannot-tell', hiMs: null });
    expect(told.reason).toContain('The clocks of pi-sf and wafer-sf contradict each other');
    expect(verdictOf({ ...none, clocks: { ...clocks, contradiction: 0 } }).reason).not.toContain('contradict');
  });
  it('never puts lo under the floor', () => {
    expect(verdictOf({ budgetMs: 100, p95Ms: 94, boundMs: 90, floorMs: 66.9 })).toMatchObject({
      loMs: 66.9,
      verdict: 'cannot-tell',
    });
  });
  it('blames the leg with most of what fibre does not explain, and says what it used to be', () => {
    const legs = [
      { leg: 'uplink' as const, p95Ms: 40, floorMs: 0.1 },
      { leg: 'downlink' as const, p95Ms: 5, floorMs: 0.1 },
    ];
    const slow = verdictOf({ floorMs: 0.2, directFloorMs: 0.2, legs, baselineMs: 4 });
    expect(slow).toMatchObject({ verdict: 'fix-path', blame: 'uplink' });
    expect(slow.reason).toContain('It used to take 4.0 ms');
    expect(verdictOf({ floorMs: 0.2, directFloorMs: 0.2, baselineMs: 4 }).blame).toBe('baseline');
  });
  it('says unanswered from 1 % and three requests on', () => {
    expect(verdictOf({ unanswered: 3 }).verdict).toBe('unanswered');
    expect(verdictOf({ unanswered: 2 }).verdict).toBe('move');
    expect(verdictOf({ unanswered: 3, requests: 1000, count: 1000 }).verdict).toBe('move');
    expect(verdictOf({ count: 0, requests: 0, unanswered: 5 }).verdict).toBe('unanswered');
  });
  it('has no verdict without data, and says when there is little', () => {
    expect(verdictOf({ count: 0, requests: 0, p50Ms: null, p95Ms: null })).toMatchObject({
      verdict: 'no-data',
      mark: 'no-data',
      severity: null,
    });
    expect(verdictOf({ count: 2, budgetMs: 2000 }).reason).toContain('Only 2 crossings');
  });
  it('marks what is within budget and clearly over its normal', () => {
    expect(verdictOf({ budgetMs: 2000, baselineMs: 30 })).toMatchObject({ verdict: 'leave', mark: 'noticeable' });
  });
});

describe('numbers as they are said', () => {
  it.each([
    [50.34, '50.3 ms'],
    [105.2, '105 ms'],
    [99.96, '100 ms'],
    [12_400, '12.4 s'],
    [-3.24, '-3.2 ms'],
  ])('%s is %s', (ms, said) => expect(spokenMs(ms)).toBe(said));
  it.each([
    [10, '10 ms'],
    [1500, '1.5 s'],
    [2000, '2 s'],
    [2.5, '2.5 ms'],
  ])('a budget of %s is %s', (ms, said) => expect(spokenBudget(ms)).toBe(said));
});
