import { expect, it } from 'vitest';
import { HopscopeError } from './errors.ts';
import { QueryProblem } from './views/query.ts';

it('what the program throws is known to the pages, which have a copy of this file in their bundle', async () => {
  const copy: typeof import('./errors.ts') = await import(`${import.meta.dirname}/errors.ts?copy`);
  expect(copy.HopscopeError).not.toBe(HopscopeError);
  const thrown: unknown = new copy.HopscopeError('store', 'it is away');
  expect(thrown instanceof HopscopeError && thrown.code).toBe('store');
  expect(thrown instanceof QueryProblem).toBe(false);
  for (const other of [new Error('HopscopeError'), { name: 'HopscopeError' }, null, 'HopscopeError'])
    expect(other instanceof HopscopeError).toBe(false);
});

it('a question that cannot be answered is one kind of it', () => {
  const problem: unknown = new QueryProblem([{ parameter: 'from', found: 'x', wanted: 'a time' }]);
  expect([problem instanceof QueryProblem, problem instanceof HopscopeError]).toEqual([true, true]);
});
