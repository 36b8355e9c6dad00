import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Alert, Marker, RuleSetting, Silence } from '../domain/alert.ts';
import { openState } from './open.ts';
import type { State } from './state.ts';

const noonMs = Date.UTC(2026, 5, 1, 12);

const alertOf = (id: string, more: Partial<Alert> = {}): Alert => ({
  id,
  fingerprint: `cause of ${id}`,
  rule: 'over-budget',
  severity: 'critical',
  phase: 'firing',
  subject: { kind: 'hop', id: '1f', name: 'line-button → factory-events' },
  cause: null,
  title: 'Button press takes 105 ms. Budget is 10 ms.',
  sentence: '',
  wayOut: '',
  figure: null,
  applications: ['factory'],
  sites: ['hannover'],
  owner: null,
  changes: [],
  exampleTraceId: null,
  folded: [],
  isLate: false,
  sinceMs: noonMs,
  seenMs: noonMs,
  firedMs: noonMs,
  resolvedMs: null,
  acknowledged: null,
  assignedTo: null,
  ...more,
});

describe('the state', () => {
  let dir: string;
  let state: State;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'hopscope-state-'));
    state = openState(dir);
  });
  afterEach(() => {
    state.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const reopen = (): void => {
    state.close();
    state = openState(dir);
  };

  it('keeps alerts and their history over a restart', () => {
    state.alerts.save(alertOf('a'));
    state.alerts.save(alertOf('b', { phase: 'resolved', firedMs: noonMs + 1, resolvedMs: noonMs + 5 }));
    state.alerts.log('a', { timeMs: noonMs, who: '', what: 'fired', text: '' });
    state.alerts.save(alertOf('a', { acknowledged: { by: 'owner', atMs: noonMs + 9 } }));
    reopen();
    expect(state.alerts.open().map(({ id }) => id)).toEqual(['a']);
    expect(state.alerts.list({ limit: 10 }).map(({ id }) => id)).toEqual(['b', 'a']);
    expect(state.alerts.list({ limit: 10, phases: ['resolved'] }).map(({ id }) => id)).toEqual(['b']);
    expect(state.alerts.list({ limit: 10, beforeMs: noonMs + 1 }).map(({ id }) => id)).toEqual(['a']);
    expect(state.alerts.get('a')?.acknowledged).toEqual({ by: 'owner', atMs: noonMs + 9 });
    expect(state.alerts.history('a')).toEqual([{ timeMs: noonMs, who: '', what: 'fired', text: '' }]);
  });

  it('forgets what was resolved long ago, with its history, and never what is open', () => {
    state.alerts.save(alertOf('open'));
    state.alerts.save(alertOf('old', { phase: 'resolved', resolvedMs: noonMs }));
    state.alerts.log('old', { timeMs: noonMs, who: '', what: 'resolved', text: '' });
    state.alerts.forgetBefore(noonMs + 1);
    expect(state.alerts.list({ limit: 10 }).map(({ id }) => id)).toEqual(['open']);
    expect(state.alerts.history('old')).toEqual([]);
  });

  it('does all of a transaction or nothing, and says once that something changed', () => {
    let told = 0;
    state.onChange(() => {
      told++;
    });
    expect(() =>
      state.transaction(() => {
        state.alerts.save(alertOf('a'));
        throw new Error('half-way');
      }),
    ).toThrow('half-way');
    expect([state.alerts.get('a'), told]).toEqual([null, 0]);
    state.transaction(() => {
      state.alerts.save(alertOf('a'));
      state.memory.set('cursor', '7');
    });
    expect([state.memory.get('cursor'), told]).toEqual(['7', 1]);
    state.transaction(() => state.alerts.open());
    expect(told).toBe(1);
  });

  it('sends the same key to the same target once', () => {
    const message = {
      key: 'a:firing',
      target: 'ops',
      alertId: 'a',
      status: 'firing' as const,
      alert: alertOf('a'),
      createdMs: noonMs,
      dueMs: noonMs,
    };
    state.notifications.add(message);
    state.notifications.add(message);
    state.notifications.add({ ...message, target: 'phone', dueMs: noonMs + 60_000 });
    const [first, ...rest] = state.notifications.due(noonMs, 10);
    expect(rest).toEqual([]);
    state.notifications.failed(first!.id, '503', noonMs, noonMs + 5_000);
    expect(state.notifications.due(noonMs + 4_999, 10)).toEqual([]);
    expect(state.notifications.nextDueMs()).toBe(noonMs + 5_000);
    state.notifications.sent(first!.id, noonMs + 6_000);
    state.notifications.failed(first!.id, 'late word of an attempt before', noonMs, null);
    reopen();
    expect(state.notifications.ofAlert('a').map(({ state: s, attempts }) => [s, attempts])).toEqual([
      ['sent', 2],
      ['waiting', 0],
    ]);
  });

  it('has no message due while an older one of the same cause waits for the same target', () => {
    const add = (key: string, target: string, fingerprint: string): void =>
      state.notifications.add({
        key,
        target,
        alertId: key,
        status: 'firing',
        alert: alertOf(key, { fingerprint }),
        createdMs: noonMs,
        dueMs: noonMs,
      });
    add('a', 'ops', 'rack');
    add('b', 'ops', 'rack');
    add('c', 'ops', 'broker');
    add('b', 'phone', 'rack');
    const due = (target?: string) =>
      state.notifications.due(noonMs, 10, target).map((each) => `${each.key} ${each.target}`);
    expect(due()).toEqual(['a ops', 'c ops', 'b phone']);
    expect(due('ops')).toEqual(['a ops', 'c ops']);
    const [first] = state.notifications.due(noonMs, 10);
    state.notifications.failed(first!.id, '503', noonMs, noonMs + 5_000);
    expect(due('ops')).toEqual(['c ops']);
    state.notifications.failed(first!.id, '400', noonMs, null);
    expect(due('ops')).toEqual(['b ops', 'c ops']);
    state.notifications.giveUpExcept(['phone'], 'there is no such target', noonMs + 1);
    expect(due()).toEqual(['b phone']);
    expect(state.notifications.ofAlert('c')).toMatchObject([
      { state: 'given-up', error: 'there is no such target', doneMs: noonMs + 1 },
    ]);
  });

  it('keeps silences until their end, however it came', () => {
    const silence: Silence = {
      id: 's',
      matcher: { application: 'factory' },
      reason: 'planned work',
      by: 'owner',
      fromMs: noonMs,
      untilMs: noonMs + 3_600_000,
      createdMs: noonMs,
      ended: null,
    };
    state.silences.save(silence);
    expect(state.silences.active(noonMs - 1)).toEqual([]);
    expect(state.silences.active(noonMs)).toEqual([silence]);
    expect(state.silences.active(noonMs + 3_600_000)).toEqual([]);
    state.silences.save({ ...silence, ended: { by: 'owner', atMs: noonMs + 60_000 } });
    expect(state.silences.active(noonMs + 60_000)).toEqual([]);
    expect(state.silences.list(noonMs + 60_000)).toHaveLength(1);
  });

  it('takes a marker once', () => {
    const marker: Marker = {
      id: 'm',
      timeMs: noonMs,
      title: 'Snapshot v42',
      text: '',
      service: 'factory-events',
      version: 'v42',
      site: '',
      by: 'ci',
      source: 'told',
    };
    expect([state.markers.add(marker), state.markers.add(marker)]).toEqual([true, false]);
    expect(state.markers.between(noonMs, noonMs + 1)).toEqual([marker]);
    expect(state.markers.between(noonMs + 1, noonMs + 2)).toEqual([]);
  });

  it('remembers who set which rule when, also when it is set back', () => {
    const setting: RuleSetting = {
      rule: 'device-down',
      enabled: true,
      severity: 'warning',
      threshold: null,
      forMs: 60_000,
      by: 'owner',
      atMs: noonMs,
    };
    state.ruleSettings.save(setting);
    expect(state.ruleSettings.all()).toEqual([setting]);
    state.ruleSettings.reset('device-down', 'owner', noonMs + 1);
    reopen();
    expect(state.ruleSettings.all()).toEqual([]);
    expect(state.ruleSettings.history()).toEqual([
      { rule: 'device-down', by: 'owner', atMs: noonMs + 1, setting: null },
      { rule: 'device-down', by: 'owner', atMs: noonMs, setting },
    ]);
  });

  it('refuses the file of a newer version, and says so', () => {
    state.close();
    const db = new DatabaseSync(join(dir, 'state.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    expect(() => openState(dir)).toThrow(/found schema 99, wanted 1 or older/);
    const back = new DatabaseSync(join(dir, 'state.db'));
    back.exec('PRAGMA user_version = 1');
    back.close();
    state = openState(dir);
  });
});
