import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addMarker } from '../work/marker-work.ts';
import { alertView } from './alert-view.ts';
import { alertsQuerySchema, alertsView, openAlertCount } from './alerts-view.ts';
import type { ViewContext } from './context.ts';
import { deliveryView } from './delivery-view.ts';
import { alertOf, firingAlert, keepAlerts, movedMs, resolvedAlert } from './fixtures/alerts.ts';
import { factoryOnly, nowMs, openWorld, originMs, type World } from './fixtures/world.ts';
import { markersView } from './markers-view.ts';
import { readQuery } from './query.ts';
import { rulesView } from './rules-view.ts';
import { silencesView } from './silences-view.ts';
import type { Viewer } from './viewer.ts';

const visionOnly: Viewer = { name: 'camera team', role: 'member', applications: new Set(['vision']) };

let world: World;
let withoutVision: World;
let hopId = '';
beforeAll(async () => {
  [world, withoutVision] = await Promise.all([openWorld(), openWorld({ without: ['vision'] })]);
  const hops = await world.store.hopIdentities();
  const moved = hops.find((hop) => hop.from.service === 'line-button' && hop.to.site === 'ashburn')!;
  hopId = moved.hop.toString(16).padStart(16, '0');
  keepAlerts(world.state, hopId);
  keepAlerts(withoutVision.state, hopId, { vision: false });
});
afterAll(() => Promise.all([world.close(), withoutVision.close()]));

const query = (asked: Record<string, string> = {}) => readQuery(alertsQuerySchema, { from: 'now-1h', ...asked });
const ids = (context: ViewContext, asked: Record<string, string> = {}) =>
  alertsView(context, query(asked)).items.map(({ id }) => id);

const everything = async (context: ViewContext) => ({
  alerts: alertsView(context, query()),
  open: openAlertCount(context),
  alert: await alertView(context, { id: firingAlert }),
  silences: await silencesView(context, { limit: 100 }),
  markers: await markersView(context, { from: 'now-1h', limit: 100 }),
  rules: await rulesView(context),
  delivery: await deliveryView(context, { limit: 100 }),
});

describe('who sees one application', () => {
  it('meets no name of another in anything about alerts', async () => {
    const text = JSON.stringify(await everything(world.context(factoryOnly)));
    for (const word of ['vision', 'camera', 'snapshot']) expect(text).not.toContain(word);
    expect(text).toContain('button press');
  });

  it('finds the same as where the other application does not exist: lists, counts, what is folded in', async () => {
    expect(await everything(world.context(factoryOnly))).toEqual(await everything(withoutVision.context(factoryOnly)));
  });

  it('is told "not found" of an alert that is hidden in the words for one that is absent', async () => {
    const failure = (id: string) =>
      alertView(world.context(factoryOnly), { id }).then(
        () => 'answered',
        (error: Error) => `${error.name} ${error.message}`,
      );
    expect(await failure(resolvedAlert)).toBe(await failure('no-such-alert'));
  });

  it('does not see an alert of which only one application is theirs, nor one of none', () => {
    const { state } = world;
    state.alerts.save(alertOf('shared', hopId, { applications: ['factory', 'vision'] }));
    state.alerts.save(alertOf('own-health', hopId, { applications: [] }));
    expect(ids(world.context())).toEqual(expect.arrayContaining(['shared', 'own-health']));
    for (const viewer of [factoryOnly, visionOnly]) {
      const seen = ids(world.context(viewer));
      expect(seen).not.toContain('shared');
      expect(seen).not.toContain('own-health');
    }
    state.alerts.drop('shared');
    state.alerts.drop('own-health');
  });
});

describe('the list', () => {
  it('has what is open first, whatever the range, then what is over', () => {
    expect(ids(world.context())).toEqual([firingAlert, resolvedAlert]);
    expect(ids(world.context(), { from: new Date(nowMs - 60_000).toISOString() })).toEqual([firingAlert]);
  });

  it.each([
    [{ state: 'open' }, [firingAlert]],
    [{ state: 'acknowledged' }, []],
    [{ rule: 'device-down' }, [resolvedAlert]],
    [{ severity: 'critical' }, [firingAlert]],
    [{ application: 'vision' }, [resolvedAlert]],
  ])('is narrowed by %o', (asked, expected) => expect(ids(world.context(), asked)).toEqual(expected));

  it('adds up how fast alerts were noticed and over, and an absent figure is not 0', () => {
    const { times } = alertsView(world.context(), query());
    expect(times).toMatchObject({ fired: 2, resolved: 1, detectedAfterMs: 25_000, recoveredAfterMs: 180_000 });
    expect(times.steps.reduce((sum, step) => sum + step.fired, 0)).toBe(2);
    expect(times.steps.find((step) => step.fired === 0)).toMatchObject({
      detectedAfterMs: null,
      recoveredAfterMs: null,
    });
  });

  it('turns its pages without losing or repeating alerts that began in one moment', () => {
    const { state } = world;
    const many = Array.from({ length: 25 }, (_, i) => `page-${String(i).padStart(2, '0')}`);
    for (const [i, id] of many.entries()) {
      const firedMs = originMs + Math.floor(i / 5);
      state.alerts.save(alertOf(id, hopId, { phase: 'resolved', firedMs, resolvedMs: firedMs + 1_000 }));
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = alertsView(world.context(), query({ limit: '7', state: 'resolved', ...(cursor ? { cursor } : {}) }));
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null && seen.length < 100);
    expect(seen.toSorted()).toEqual([...many, resolvedAlert].toSorted());
    for (const id of many) state.alerts.drop(id);
  });

  it('says why it is empty', () => {
    expect(alertsView(world.context(), query({ state: 'acknowledged' })).emptyReason).toContain('fits the filter');
  });
});

describe('one alert', () => {
  it('shows the hour around its beginning, what it was before the move included', async () => {
    const { chart, place } = await alertView(world.context(), { id: firingAlert });
    expect(chart).toMatchObject({ budgetMs: 10, fromMs: nowMs - 3_600_000, toMs: nowMs });
    const at = (ms: number) => chart!.points.findLast((point) => point.timeMs <= ms)!.p95Ms;
    expect(at(movedMs - 120_000)).toBeLessThan(5);
    expect(at(movedMs + 120_000)).toBeGreaterThan(45);
    expect(chart!.points[0]!.p95Ms).toBeNull();
    expect(chart!.markers).toEqual([{ timeMs: movedMs - 40_000, text: 'Snapshot v42' }]);
    expect(place).toMatch(/^Hannover to Ashburn, 50 ± \d+ ms$/);
  });

  it('draws its example request to the last part', async () => {
    const { example } = await alertView(world.context(), { id: firingAlert });
    expect(example!.parts.reduce((sum, part) => sum + part.ms, 0)).toBeCloseTo(example!.totalMs, 3);
  });

  it('outlives the data it was judged by', async () => {
    world.state.alerts.save(
      alertOf('old', '00000000000000ff', { phase: 'resolved', exampleTraceId: 'f'.repeat(32), resolvedMs: nowMs }),
    );
    expect(await alertView(world.context(), { id: 'old' })).toMatchObject({ chart: null, example: null, place: '' });
    world.state.alerts.drop('old');
  });

  it('says how long before it began what changed', async () => {
    const { changes, alert } = await alertView(world.context(), { id: firingAlert });
    expect(changes[0]).toMatchObject({ title: 'Snapshot v42', beforeMs: 40_000 });
    expect(alert).toMatchObject({ state: 'open', detectedAfterMs: 20_000, recoveredAfterMs: null });
  });
});

describe('a marker', () => {
  const told = { id: 'of the line lead', title: 'Snapshot v43', text: undefined, version: undefined, site: undefined };
  const lineLead: Viewer = { ...factoryOnly, role: 'member' };
  const tell = (service: string | undefined) =>
    addMarker(world.context(lineLead), { ...told, service, by: undefined, time: nowMs - 1_000 }).then(
      ({ isNew }) => (isNew ? 'taken' : 'known'),
      (error: Error) => error.message,
    );

  it('of who sees some applications names a service of these', async () => {
    expect(await tell('camera')).toBe(await tell('no-such-service'));
    expect(await tell(undefined)).toBe('There is no such service.');
    expect(await tell('factory-events')).toBe('taken');
    const seen = async (viewer: Viewer) =>
      (await markersView(world.context(viewer), { from: 'now-1h', limit: 10 })).items.map(({ id }) => id);
    expect(await seen(lineLead)).toContain('of the line lead');
    expect(await seen(visionOnly)).toEqual([]);
  });
});

describe('delivery', () => {
  it('shows masked targets, routes in words, and what waits', async () => {
    const delivery = {
      targets: () => [{ name: 'on-call', kind: 'ntfy' as const, address: 'https://ntfy.example.com/…' }],
      test: () => Promise.resolve(''),
      routes: [
        {
          applications: ['factory'],
          severities: ['critical' as const],
          rules: null,
          hours: {
            timeZone: 'Europe/Berlin',
            days: ['sat' as const, 'sun' as const],
            fromMinute: 480,
            toMinute: 1_200,
          },
          to: ['on-call'],
          continue: false,
        },
      ],
    };
    const view = await deliveryView({ ...world.context(), delivery }, { limit: 10 });
    expect(view.targets).toEqual([{ ...delivery.targets()[0], waiting: 1, lastSent: null, lastError: null }]);
    expect(view.routes[0]).toBe('Critical in factory Sat, Sun 08:00 to 20:00 (Europe/Berlin) goes to on-call.');
    expect(view.items).toMatchObject([{ target: 'on-call', state: 'waiting', alertId: firingAlert }]);
  });

  it('says so where nobody is told', async () => {
    const { emptyReason } = await deliveryView(withoutVision.context(), { limit: 10, state: 'sent' });
    expect(emptyReason).toBe('No message fits the filter.');
  });
});

describe('the rules', () => {
  it('stand in words with their number, and say who set them', async () => {
    world.state.ruleSettings.save({
      rule: 'clock-stepped',
      enabled: false,
      severity: null,
      threshold: 35,
      forMs: null,
      by: 'owner',
      atMs: nowMs,
    });
    const { items, history, budgets } = await rulesView(world.context());
    const rule = items.find((each) => each.rule === 'clock-stepped')!;
    expect(rule).toMatchObject({ enabled: false, threshold: 35, from: 'page', setBy: 'owner', severity: 'warning' });
    expect(rule.condition).toContain('35 ms');
    expect(history[0]).toMatchObject({ by: 'owner', text: 'off, 35 ms' });
    expect(budgets[0]).toEqual({ of: 'path button press', judges: 'end to end', budgetMs: 10, from: 'hopscope.yaml' });
    world.state.ruleSettings.reset('clock-stepped', 'owner', nowMs);
  });
});
