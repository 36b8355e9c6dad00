import { describe, expect, it } from 'vitest';
import { budgetOf, pathBudgetOf } from './budget.ts';

const hop = {
  toService: 'factory-events',
  toApplication: 'factory',
  destination: 'factory/hannover/button/start',
  floorMs: 3,
};
const path = {
  rootName: 'button press',
  application: 'factory',
  services: ['factory-events'],
  destinations: ['factory/hannover/button/start'],
};

describe('the budget of a hop', () => {
  it('is its own rule before any path, first match', () => {
    const rules = [
      { path: 'button press', totalMs: 10 },
      { topic: 'factory/+/button/#', addedMs: 4 },
      { service: 'factory-events', addedMs: 7 },
    ];
    expect(budgetOf(rules, hop, [path])).toEqual({ ms: 4, from: 'hop', rule: 'topic factory/+/button/#' });
  });
  it('is else the tightest path through it', () => {
    const rules = [
      { path: 'button press', totalMs: 10 },
      { path: 'shift report', totalMs: 500 },
    ];
    expect(budgetOf(rules, hop, [{ ...path, rootName: 'shift report' }, path])).toMatchObject({ ms: 10, from: 'path' });
  });
  it('is else 50 ms, or twice the floor where that is more', () => {
    expect(budgetOf([], hop, [path])).toMatchObject({ ms: 50, from: 'default' });
    expect(budgetOf([], { ...hop, floorMs: 40 }, [])).toMatchObject({ ms: 80, from: 'default' });
  });
});

describe('the budget of a path', () => {
  it('is the first rule that matches, and nothing when nobody said', () => {
    expect(pathBudgetOf([{ service: 'local-*', totalMs: 2000 }], { ...path, services: ['local-llm'] })).toMatchObject({
      ms: 2000,
    });
    expect(pathBudgetOf([{ service: 'local-*', totalMs: 2000 }], path)).toBeNull();
    expect(pathBudgetOf([{ application: 'factory', addedMs: 5 }], path)).toBeNull();
  });
});
