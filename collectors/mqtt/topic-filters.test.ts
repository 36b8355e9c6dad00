import { expect, test } from 'vitest';
import { covers, mergeFilters } from './topic-filters.ts';

test('# covers all but $-topics, + one level, and a/# also a itself', () => {
  expect(covers('#', 'a/b')).toBe(true);
  expect(covers('#', '$SYS/x')).toBe(false);
  expect(covers('a/#', 'a')).toBe(true);
  expect(covers('a/#', 'a/+/c')).toBe(true);
  expect(covers('a/+', 'a/b')).toBe(true);
  expect(covers('a/+', 'a/#')).toBe(false);
  expect(covers('a/b', 'a/+')).toBe(false);
  expect(covers('a/+', 'a/b/c')).toBe(false);
  expect(covers('$SYS/#', '$SYS/broker/uptime')).toBe(true);
});

test('overlapping filters are merged, so that a message comes once', () => {
  expect(mergeFilters(['a/b', 'a/#', 'c/+', 'c/d', 'a/#'])).toEqual(['a/#', 'c/+']);
  expect(mergeFilters(['#', 'a/b', '$SYS/x'])).toEqual(['#', '$SYS/x']);
});
