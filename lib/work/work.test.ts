import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ViewContext } from '../views/context.ts';
import { firingAlert, keepAlerts, resolvedAlert } from '../views/fixtures/alerts.ts';
import { nowMs, openWorld, type World } from '../views/fixtures/world.ts';
import { silencesView } from '../views/silences-view.ts';
import { owner, type Viewer } from '../views/viewer.ts';
import { acknowledge, assign, comment, silenceAlert, unacknowledge } from './alert-work.ts';
import { testTarget } from './delivery-work.ts';
import { addMarker } from './marker-work.ts';
import { setRule } from './rule-work.ts';
import { endSilence, makeSilence } from './silence-work.ts';

const lineLead: Viewer = { name: 'line lead', role: 'member', applications: new Set(['factory']) };
const cameraTeam: Viewer = { name: 'camera team', role: 'member', applications: new Set(['vision']) };
const guest: Viewer = { name: 'guest', role: 'viewer', applications: 'all' };

let world: World;
beforeAll(async () => {
  world = await openWorld({ withTraffic: false });
});
afterAll(() => world.close());
beforeEach(() => {
  const { state } = world;
  for (const { id } of state.alerts.list({ limit: 100 })) state.alerts.drop(id);
  keepAlerts(state, '00000000000000aa');
});

const as = (viewer: Viewer): ViewContext => world.context(viewer);
const history = () => world.state.alerts.history(firingAlert).map(({ who, what, text }) => [who, what, text]);
const failure = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  );

describe('work on an alert', () => {
  it('is acknowledged once, and by name', async () => {
    const view = await acknowledge(as(lineLead), { id: firingAlert });
    expect(view.alert).toMatchObject({ state: 'acknowledged', acknowledged: { by: 'line lead' } });
    await acknowledge(as(owner), { id: firingAlert });
    expect(world.state.alerts.get(firingAlert)?.acknowledged).toEqual({ by: 'line lead', atMs: nowMs });
    expect(history()).toEqual([
      ['', 'fired', ''],
      ['line lead', 'acknowledged', ''],
    ]);
  });

  it('keeps what is folded in and hidden from who acknowledged', async () => {
    await acknowledge(as(lineLead), { id: firingAlert });
    expect(world.state.alerts.get(firingAlert)?.folded).toHaveLength(2);
  });

  it('is undone, commented and assigned, and each is a line of the history', async () => {
    await acknowledge(as(owner), { id: firingAlert });
    await unacknowledge(as(owner), { id: firingAlert });
    await unacknowledge(as(owner), { id: firingAlert });
    await comment(as(lineLead), { id: firingAlert, text: 'rolling back' });
    const view = await assign(as(lineLead), { id: firingAlert, to: 'A. Brandt' });
    expect(view.alert).toMatchObject({ state: 'open', assignedTo: 'A. Brandt' });
    expect(history().slice(1)).toEqual([
      ['owner', 'acknowledged', ''],
      ['owner', 'unacknowledged', ''],
      ['line lead', 'commented', 'rolling back'],
      ['line lead', 'assigned', 'to A. Brandt'],
    ]);
  });

  it('is silenced for an hour, and the silence ends when somebody says so', async () => {
    const { silence } = await silenceAlert(as(lineLead), { id: firingAlert, forMs: undefined, reason: undefined });
    expect(silence).toMatchObject({ by: 'line lead', until: new Date(nowMs + 3_600_000).toISOString() });
    const ended = await endSilence(as(lineLead), { id: silence!.id });
    expect(ended).toMatchObject({ state: 'ended', endedBy: 'line lead' });
    expect(world.state.silences.active(nowMs).some(({ id }) => id === silence!.id)).toBe(false);
    expect(history().map(([, what]) => what)).toEqual(['fired', 'silenced', 'silenced']);
  });

  it('cannot be silenced when it is over', async () => {
    expect(
      await failure(silenceAlert(as(owner), { id: resolvedAlert, forMs: undefined, reason: undefined })),
    ).toContain('found "an alert that is resolved"');
  });

  it('is not there for who may not see it, and refused to who only looks', async () => {
    const hidden = await failure(acknowledge(as(cameraTeam), { id: firingAlert }));
    expect(hidden).toBe(await failure(acknowledge(as(cameraTeam), { id: 'no-such-alert' })));
    expect(hidden).toMatch(/^not-found/);
    expect(await failure(acknowledge(as(guest), { id: firingAlert }))).toMatch(/^forbidden: Found the role viewer/);
    expect(history()).toHaveLength(1);
  });
});

const asked = { rule: undefined, subject: undefined, application: undefined, severity: undefined, site: undefined };
const silence = { ...asked, fingerprint: undefined, reason: 'planned work', forMs: undefined, from: undefined };

describe('a silence', () => {
  it('has to match something, and says what was wanted', async () => {
    expect(await failure(makeSilence(as(owner), { ...silence, until: undefined }))).toContain(
      'wanted at least one of rule, subject, application, severity, site, fingerprint',
    );
  });

  it('stands in words, with what it holds back now', async () => {
    const made = await makeSilence(as(owner), {
      ...silence,
      rule: 'over-budget',
      subject: 'line-*',
      application: 'factory',
      until: new Date(nowMs + 7_200_000).toISOString(),
    });
    expect(made).toMatchObject({
      words: 'A hop is over its budget, named line-*, in factory',
      matches: 1,
      state: 'active',
    });
  });

  it.each([
    ['over already', { until: new Date(nowMs - 1_000).toISOString() }],
    ['longer than 30 days', { until: new Date(nowMs + 31 * 86_400_000).toISOString() }],
    ['no moment at all', { until: 'tomorrow' }],
    ['both a length and an end', { until: new Date(nowMs + 7_200_000).toISOString(), forMs: 60_000 }],
    ['begun yesterday', { from: nowMs - 86_400_000, until: undefined }],
  ])('is refused when it is %s', async (_what, given) => {
    expect(await failure(makeSilence(as(owner), { ...silence, application: 'factory', ...given }))).toMatch(
      /^bad-request: (?:until|from): found/,
    );
  });

  it('of who sees some applications stays within these', async () => {
    const made = { ...silence, until: undefined };
    expect(await failure(makeSilence(as(lineLead), { ...made, rule: 'device-down' }))).toContain('that you may see');
    expect(await failure(makeSilence(as(lineLead), { ...made, application: 'vision' }))).toContain('that you may see');
    const cause = `cause of ${resolvedAlert}`;
    expect(await failure(makeSilence(as(lineLead), { ...made, fingerprint: cause }))).toContain('that you may see');
    await makeSilence(as(lineLead), { ...made, application: 'factory' });
    const { items } = await silencesView(as(cameraTeam), { limit: 100 });
    expect(items.map(({ id }) => id)).toEqual(['silence-1']);
  });

  it('that is hidden cannot be ended', async () => {
    expect(await failure(endSilence(as(lineLead), { id: 'silence-1' }))).toMatch(/^not-found/);
    expect(world.state.silences.active(nowMs).some(({ id }) => id === 'silence-1')).toBe(true);
  });
});

describe('a rule', () => {
  const set = { enabled: true, severity: undefined, threshold: undefined, forMs: undefined, reset: undefined };

  it('is set by who owns the product alone, and set back', async () => {
    expect(await failure(setRule(as(lineLead), { ...set, rule: 'clock-stepped' }))).toMatch(/^forbidden/);
    await setRule(as(owner), { ...set, rule: 'clock-stepped', threshold: 50 });
    const { items } = await setRule(as(owner), { ...set, rule: 'clock-stepped', reset: true });
    expect(items.find(({ rule }) => rule === 'clock-stepped')).toMatchObject({ from: 'catalogue', threshold: 20 });
    expect(world.state.ruleSettings.history().map(({ by }) => by)).toEqual(['owner', 'owner']);
  });

  it.each([
    ['device-down', 3, 'this rule has no threshold'],
    ['unanswered', 2, 'more than 0 and at most 1'],
    ['clock-stepped', 0, 'more than 0'],
  ] as const)('%s takes no threshold of %d', async (rule, threshold, wanted) => {
    expect(await failure(setRule(as(owner), { ...set, rule, threshold }))).toContain(wanted);
  });
});

describe('a marker', () => {
  const nothing = { text: undefined, service: undefined, version: undefined, site: undefined, by: undefined };
  const told = { ...nothing, id: 'build 17', title: 'Snapshot v43', time: undefined };

  it('is taken once, however often it is told', async () => {
    expect(await addMarker(as(owner), told)).toMatchObject({ isNew: true, by: 'owner', source: 'told' });
    expect(await addMarker(as(owner), { ...told, title: 'Snapshot v44' })).toMatchObject({
      isNew: false,
      title: 'Snapshot v43',
    });
  });

  it('is of the last day', async () => {
    expect(await failure(addMarker(as(owner), { ...told, id: 'old', time: nowMs - 2 * 86_400_000 }))).toContain(
      'wanted a moment of the last 24 h',
    );
  });

  it('is refused when a script has gone wild', async () => {
    const { state } = world;
    state.transaction(() => {
      for (let i = 0; i < 1_000; i++)
        state.markers.add({ ...told, ...noWords, id: `wild ${i}`, timeMs: nowMs - i, source: 'told' });
    });
    expect(await failure(addMarker(as(owner), { ...told, id: 'one more' }))).toMatch(/^too-many/);
    expect(await addMarker(as(owner), { ...told, id: 'wild 3' })).toMatchObject({ isNew: false });
    state.markers.forgetBefore(nowMs + 1);
  });
});

const noWords = { text: '', service: '', version: '', site: '', by: '' };

describe('a test message', () => {
  it('goes to a target that is set, for who owns the product', async () => {
    const tested: string[] = [];
    const delivery = {
      targets: () => [{ name: 'on-call', kind: 'ntfy' as const, address: '' }],
      routes: [],
      test: (name: string) => {
        tested.push(name);
        return Promise.resolve('on-call took it.');
      },
    };
    const context = (viewer: Viewer) => ({ ...as(viewer), delivery });
    expect(await testTarget(context(owner), { target: 'on-call' })).toEqual({
      target: 'on-call',
      sentence: 'on-call took it.',
    });
    expect(await failure(testTarget(context(owner), { target: 'nobody' }))).toMatch(/^not-found/);
    expect(await failure(testTarget(context(lineLead), { target: 'on-call' }))).toMatch(/^forbidden/);
    expect(tested).toEqual(['on-call']);
  });
});
