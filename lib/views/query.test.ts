import { describe, expect, it } from 'vitest';
import { rangeOf, type ViewContext } from './context.ts';
import { hopsQuerySchema } from './hops-view.ts';
import { QueryProblem, readQuery } from './query.ts';
import { tracesQuerySchema } from './traces-view.ts';

const problemOf = (ask: () => unknown) => {
  try {
    ask();
  } catch (error) {
    if (error instanceof QueryProblem) return error.problem;
  }
  throw new Error('no problem was thrown');
};

describe('a query', () => {
  it('says per parameter what was found and what was wanted', () => {
    const problem = problemOf(() => readQuery(tracesQuerySchema, { minDuration: 'long', limit: '0', order: 'oldest' }));
    expect(problem.status).toBe(400);
    expect(problem.errors).toEqual([
      { parameter: 'minDuration', found: 'long', wanted: 'a number of milliseconds, such as 250 or 0.5' },
      { parameter: 'order', found: 'oldest', wanted: 'newest or slowest' },
      { parameter: 'limit', found: '0', wanted: 'a whole number from 1 to 10000' },
    ]);
  });

  it('lets parameters of a page pass and refuses a misspelt one of the API', () => {
    const raw = new URLSearchParams('sevice=erp&view=table');
    expect(readQuery(hopsQuerySchema, raw).service).toBeUndefined();
    const problem = problemOf(() => readQuery(hopsQuerySchema, raw, 'refuse'));
    expect(problem.errors?.map((each) => each.parameter)).toEqual(['sevice', 'view']);
    expect(problem.errors?.[0]?.wanted).toContain('service');
  });

  it('takes the first of a repeated parameter and an empty one as not asked', () => {
    const query = readQuery(tracesQuerySchema, new URLSearchParams('service=a&service=b&name=&minDuration=&errors=1'));
    expect(query).toMatchObject({ service: 'a', errors: true, limit: 50 });
    expect(query.name).toBeUndefined();
    expect(query.minDuration).toBeUndefined();
  });

  it('does not trip over keys of Object.prototype', () => {
    const problem = problemOf(() =>
      readQuery(hopsQuerySchema, new URLSearchParams('__proto__=1&constructor=2'), 'refuse'),
    );
    expect(problem.errors).toHaveLength(2);
  });
});

describe('a range', () => {
  const context = { nowMs: Date.parse('2026-11-21T03:12:00Z') } as ViewContext;

  it('is the last 15 minutes unless asked otherwise', () => {
    expect(rangeOf(context, {})).toMatchObject({
      from: '2026-11-21T02:57:00.000Z',
      to: '2026-11-21T03:12:00.000Z',
      live: true,
    });
  });

  it.each([
    [{ from: 'yesterday' }, 'from'],
    [{ to: 'now+1h' }, 'to'],
    [{ from: 'now', to: 'now-1h' }, 'from'],
  ])('refuses %o and names the parameter', (query, parameter) => {
    expect(problemOf(() => rangeOf(context, query)).errors?.[0]?.parameter).toBe(parameter);
  });
});
