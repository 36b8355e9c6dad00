import { describe, expect, it } from 'vitest';
import type { Alert, Matcher } from './alert.ts';
import { alertMatches } from './alert-matcher.ts';

const alert = {
  rule: 'over-budget',
  severity: 'critical',
  subject: { kind: 'hop', id: '1f', name: 'line-button → factory-events' },
  cause: { kind: 'service', id: 'factory-events@ashburn', name: 'factory-events in Ashburn' },
  applications: ['factory'],
  sites: ['ashburn', 'hannover'],
  fingerprint: 'abc',
} as Alert;

describe('a matcher', () => {
  it.each<[boolean, Matcher]>([
    [true, { rule: 'over-budget' }],
    [false, { rule: 'unanswered' }],
    [true, { subject: 'line-*' }],
    [true, { subject: '* in Ashburn' }],
    [false, { subject: 'Ashburn' }],
    [true, { application: 'factory', severity: 'critical', site: 'hannover' }],
    [false, { application: 'factory', severity: 'critical', site: 'dublin' }],
    [true, { fingerprint: 'abc' }],
    [false, { fingerprint: 'abd' }],
    [false, {}],
  ])('%s: %o', (fits, matcher) => expect(alertMatches(alert, matcher)).toBe(fits));
});
