import { describe, expect, it } from 'vitest';
import { globMatches, topicFilterMatches } from './topic-filter.ts';

describe('topic filters', () => {
  it.each([
    ['a/b', 'a/b', true],
    ['a/b', 'a/c', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a/b/c', false],
    ['a/+/c', 'a//c', true],
    ['#', 'a/b', true],
    ['a/#', 'a', true], // [MQTT-4.7.1-2]
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['+', '/a', false],
    ['#', '$SYS/broker', false], // [MQTT-4.7.2-1]
    ['+/broker', '$SYS/broker', false],
    ['$SYS/#', '$SYS/broker', true],
    ['factory/+/button/#', 'factory/hannover/button/start', true],
  ])('%s on %s: %s', (filter, topic, matches) => {
    expect(topicFilterMatches(filter, topic)).toBe(matches);
  });
});

describe('globs', () => {
  it.each([
    ['rio-hannover-*', 'rio-hannover-1', true],
    ['rio-hannover-*', 'rio-dublin-1', false],
    ['*', '', true],
    ['a?c', 'abc', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-b-b', false],
    ['a.c', 'abc', false],
  ])('%s on %s: %s', (glob, name, matches) => {
    expect(globMatches(glob, name)).toBe(matches);
  });
  it('stays linear on a name made to hurt', () => {
    const began = performance.now();
    expect(globMatches(`${'*a'.repeat(30)}b`, 'a'.repeat(5000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
