import { expect, test } from 'vitest';
import { LOOP_SECONDS, SCENES, storyAt, storySeconds } from './story.ts';

test('every scene begins and ends within one loop, and has its own name', () => {
  for (const scene of SCENES) {
    expect(scene.fromSeconds).toBeGreaterThan(0);
    expect(scene.untilSeconds).toBeGreaterThan(scene.fromSeconds);
    expect(scene.untilSeconds).toBeLessThan(LOOP_SECONDS);
  }
  expect(new Set(SCENES.map((scene) => scene.id)).size).toBe(SCENES.length);
});

test('at the start everything is local and nothing is wrong', () => {
  const state = storyAt(0);
  expect([...state.scenes]).toEqual([]);
  expect(state.factoryEvents).toEqual({ machine: 'booth-hannover', version: 'v41' });
  expect(state.localLlmOn).toBe('mini-1-funabashi');
});

test('factory-events moves to Ashburn as v42 after 90 seconds and comes home at 900', () => {
  expect(storyAt(89.9).factoryEvents.machine).toBe('booth-hannover');
  expect(storyAt(90).factoryEvents).toEqual({ machine: 'site-ashburn', version: 'v42' });
  expect(storyAt(899.9).factoryEvents.machine).toBe('site-ashburn');
  expect(storyAt(900).factoryEvents).toEqual({ machine: 'booth-hannover', version: 'v43' });
});

test('mini-1 runs hot a minute before its spare takes over', () => {
  expect(storyAt(420).localLlmOn).toBe('mini-1-funabashi');
  expect(storyAt(420).scenes.has('mini-1-hot')).toBe(true);
  expect(storyAt(480).localLlmOn).toBe('mini-3-funabashi');
});

test('after twenty minutes it begins again, and versions never go back', () => {
  const again = storyAt(LOOP_SECONDS);
  expect(again.loop).toBe(1);
  expect([...again.scenes]).toEqual([]);
  const versions = [0, 90, 900, 1200, 1290, 2100].map((second) => storyAt(second).factoryEvents.version);
  expect(versions).toEqual(['v41', 'v42', 'v43', 'v43', 'v44', 'v45']);
});

test('only the named scenes are played', () => {
  const state = storyAt(700, ['pi-sf-silent']);
  expect([...state.scenes]).toEqual(['pi-sf-silent']);
  expect(state.factoryEvents).toEqual({ machine: 'booth-hannover', version: 'v41' });
});

test('speed shortens the wait for a scene', () => {
  const time = { startedMs: 1_000, startAtSeconds: 80, speed: 10 };
  expect(storySeconds(time, 1_000)).toBe(80);
  expect(storySeconds(time, 2_000)).toBe(90);
});
