import { describe, expect, it } from 'vitest';
import { factoryOnly, rules } from './fixtures/world.ts';
import { rankOf } from './search-view.ts';
import { isSilent } from './topics-view.ts';
import { owner } from './viewer.ts';
import { topicScope } from './visibility.ts';

const minuteMs = 60_000;

describe('a silent topic', () => {
  const rhythm = {
    topicId: 1,
    broker: 'b',
    topic: 't',
    messages: 600,
    firstMinute: 0,
    lastMs: 10 * minuteMs,
    pauseMinutes: 1,
  };

  it('has been quiet for over five times its usual gap', () => {
    const once = { ...rhythm, messages: 20 }; // every 30 s
    expect(isSilent(once, rhythm.lastMs + 140_000)).toBe(false);
    expect(isSilent(once, rhythm.lastMs + 160_000)).toBe(true);
  });

  it('is not one that only waits for the next commit', () => {
    expect(isSilent(rhythm, rhythm.lastMs + 14_000)).toBe(false);
    expect(isSilent(rhythm, rhythm.lastMs + 16_000)).toBe(true);
  });

  it('is not one that speaks in bursts, once an hour', () => {
    const bursts = { ...rhythm, pauseMinutes: 60 };
    expect(isSilent(bursts, rhythm.lastMs + 4 * 60 * minuteMs)).toBe(false);
    expect(isSilent(bursts, rhythm.lastMs + 6 * 60 * minuteMs)).toBe(true);
  });

  it('needs a rhythm first', () => {
    expect(isSilent({ ...rhythm, messages: 4 }, 1e9)).toBe(false);
    expect(isSilent(undefined, 1e9)).toBe(false);
  });
});

describe('whose a topic is', () => {
  const services = [
    { service: 'line-button', application: 'factory', sites: [] },
    { service: 'camera', application: 'vision', sites: [] },
  ];
  const scope = topicScope(factoryOnly, rules, services, []);
  const topic = (name: string, publishers: string[] = [], consumers: string[] = []) => ({
    topic: name,
    publishers,
    consumers,
  });

  it('is what the rule says, else who publishes, else who consumes', () => {
    expect(scope.sees(topic('factory/x', ['camera']))).toBe(true);
    expect(scope.sees(topic('vision/x', ['line-button']))).toBe(false);
    expect(scope.sees(topic('loose/x', ['line-button'], ['camera']))).toBe(true);
    expect(scope.sees(topic('loose/x', ['camera'], ['line-button']))).toBe(false);
    expect(scope.sees(topic('loose/x', [], ['line-button']))).toBe(true);
    expect(scope.sees(topic('loose/x'))).toBe(false);
  });

  it('keeps the names of others to itself', () => {
    expect(scope.names(['camera', 'line-button', 'client-77'])).toEqual(['line-button']);
    expect(topicScope(owner, rules, services, []).names(['camera', 'client-77'])).toEqual(['camera', 'client-77']);
  });
});

describe('the rank of what was found', () => {
  it('goes from the whole name to a part of it', () => {
    expect(rankOf('button press', 'button press')).toBe(4);
    expect(rankOf('button press', 'but')).toBe(3);
    expect(rankOf('button press', 'press')).toBe(2);
    expect(rankOf('express press', 'press')).toBe(2);
    expect(rankOf('button press', 'ress')).toBe(1);
    expect(rankOf('button press', 'x')).toBe(0);
  });
});
