import { describe, expect, it } from 'vitest';
import { type RuleSetting, ruleIds } from './alert.ts';
import { alertRules, conditionOf, rulesInForce, spokenThreshold } from './alert-rules.ts';

const set = (more: Partial<RuleSetting>): RuleSetting => ({
  rule: 'silent-topic',
  enabled: true,
  severity: null,
  threshold: null,
  forMs: null,
  by: 'owner',
  atMs: 0,
  ...more,
});

describe('the catalogue', () => {
  it('has every rule in words, under its own name', () => {
    for (const id of ruleIds) {
      const rule = alertRules[id];
      expect(rule.id).toBe(id);
      for (const words of [rule.title, rule.condition, rule.finding]) expect(words.length).toBeGreaterThan(10);
      expect(rule.condition.includes('{threshold}')).toBe(rule.threshold !== null);
      expect(conditionOf(rule)).not.toContain('{');
    }
  });

  it('says its numbers as people do', () => {
    expect(spokenThreshold(alertRules.unanswered)).toBe('1 % of the requests');
    expect(spokenThreshold(alertRules['silent-topic'])).toBe('5 x its usual pause');
    expect(spokenThreshold(alertRules['clock-stepped'])).toBe('20 ms');
    expect(spokenThreshold(alertRules['device-down'])).toBe('');
  });
});

describe('what is in force', () => {
  it('is the catalogue, then the file, then the page', () => {
    expect(rulesInForce([], [])['silent-topic']).toMatchObject({ enabled: true, threshold: 5, from: 'catalogue' });
    const file = [{ rule: 'silent-topic' as const, threshold: 10, forMs: 60_000 }];
    expect(rulesInForce(file, [])['silent-topic']).toMatchObject({ threshold: 10, forMs: 60_000, from: 'file' });
    const page = [set({ threshold: 20, severity: 'info', enabled: false })];
    expect(rulesInForce(file, page)['silent-topic']).toMatchObject({
      threshold: 20,
      forMs: 60_000,
      severity: 'info',
      enabled: false,
      from: 'page',
    });
  });

  it('gives no threshold to a rule that has none', () => {
    expect(rulesInForce([{ rule: 'device-down', threshold: 3 }], [])['device-down'].threshold).toBeNull();
  });
});
