import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it, vi } from 'vitest';
import type { AlertsView, AlertView } from '#lib/views/alert-schemas.ts';
import { AlertsPage } from '../alert-table/alerts-page.tsx';
import { alertsFormOf } from '../alert-table/alerts-query.ts';
import { alertStory, alertsStory, calm, movedRack, resolvedRack } from './alert.fixture.ts';
import { AlertPage } from './alert-page.tsx';

// outside Next there is no router; what it would do (draw the page anew) is for the browser tests
vi.mock('next/navigation', () => ({ useRouter: () => ({ refresh: () => {} }) }));

const words = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/[\s\u00a0]+/g, ' ');
const draw = (view: AlertView) => renderToStaticMarkup(<AlertPage view={view} />);
const drawList = (view: AlertsView, params: Record<string, string> = {}) =>
  renderToStaticMarkup(<AlertsPage view={view} form={alertsFormOf(params)} />);
const withAlert = (more: Partial<AlertView['alert']>): AlertView => ({
  ...alertStory,
  alert: { ...movedRack, ...more },
});

describe('the page of an alert', () => {
  it('says what broke, how bad, where, since when, what changed and whose it is', () => {
    const text = words(draw(alertStory));
    for (const each of [
      'Over budget open 21 min, not acknowledged',
      'Button press takes 105 ms. Budget is 10 ms.',
      'line-button → factory-events Hannover to Ashburn, 50.3 ± 2.4 ms',
      '02:41 UTC , 21 min ago',
      '504 requests affected',
      'Snapshot v42 , 40 s before',
      'Line team',
      'Way out: Move factory-events to Hannover.',
      'Folded in 1 finding with the same cause, 1 still so',
      'M. Keller wrote : looking at it',
      'pager: not sent yet after 3 attempts: answered 503',
    ])
      expect(text).toContain(each);
  });

  it('acknowledges by a plain form, by the key a, and undoes it', () => {
    const open = draw(alertStory);
    expect(open).toMatch(/<form [^>]*action="\/api\/v1\/alerts\/a1b2c3d4e5f60718\/acknowledge" method="post">/);
    expect(open).toMatch(/<button type="submit" data-key="a"[^>]*>Acknowledge<\/button>/);
    const taken = draw(
      withAlert({ state: 'acknowledged', acknowledged: { by: 'M. Keller', at: '2026-11-21T03:00:00Z' } }),
    );
    expect(words(taken)).toContain('acknowledged by M. Keller at 03:00 UTC');
    expect(taken).toContain('/unacknowledge"');
    expect(taken).not.toMatch(/>Acknowledge</);
  });

  it('never joins its line across a gap or over the beginning', () => {
    const path = /<path d="(M[^"]+)" fill="none" class="stroke-ink"/.exec(draw(alertStory))![1]!;
    expect(path.match(/M/g)!.length).toBeGreaterThanOrEqual(3);
  });

  it('says less where less is known, and nothing that is not', () => {
    const bare: AlertView = {
      ...withAlert({ owner: null, figure: null, wayOut: '', sentence: '' }),
      chart: null,
      example: null,
      changes: [],
      folded: [],
      history: [],
      messages: [],
      place: '',
    };
    const text = words(draw(bare));
    expect(text).toContain('Nothing that we know of');
    expect(text).toContain('Nobody is named in hopscope.yaml');
    for (const absent of ['Way out', 'Example request', 'Folded in', 'requests affected', 'null', 'NaN', 'undefined'])
      expect(text).not.toContain(absent);
  });

  it('of one that is over says after how long, and leaves nothing to acknowledge', () => {
    const text = words(draw({ ...alertStory, alert: resolvedRack }));
    expect(text).toContain('Resolved: over budget');
    expect(text).toContain('over after 17 min, at 02:58 UTC');
    expect(text).not.toContain('Acknowledge');
    expect(text).not.toContain('Silence 1 h');
  });

  it('makes a link of a contact only where that leads somewhere', () => {
    expect(draw(alertStory)).toContain('<a href="https://chat.example.com/line-team" rel="noreferrer"');
    const script = draw(withAlert({ owner: { team: 'Line team', contact: 'javascript:alert(1)' } }));
    expect(script).not.toContain('href="javascript:');
  });

  it('is one document under 100 kB, also with all it may hold', () => {
    const folded = Array.from({ length: 200 }, (_, i) => ({
      ...alertStory.folded[0]!,
      subject: { ...alertStory.folded[0]!.subject, id: `${i}` },
    }));
    const history = Array.from({ length: 500 }, () => alertStory.history[2]!);
    const parts = Array.from({ length: 60 }, (_, i) => ({ kind: 'request' as const, ms: 2, startMs: i * 2 }));
    const html = draw({ ...alertStory, folded, history, example: { ...alertStory.example!, parts } });
    expect(words(html)).toContain('480 earlier lines');
    expect(words(html)).toContain('and 190 more');
    expect(html.length).toBeLessThan(60_000);
  });
});

describe('the list of alerts', () => {
  it('opens with what waits for somebody, and each row can be taken', () => {
    const html = drawList(alertsStory);
    expect(words(html)).toContain('1 alert waits for somebody.');
    expect(html.match(/data-acknowledge=""/g)).toHaveLength(2); // the table and the phone's card
    expect(html).toContain('aria-label="Acknowledge: Button press takes 105 ms. Budget is 10 ms."');
    expect(html).toContain('data-key="j"');
  });

  it('says how fast alerts were seen and over; unknown is not 0', () => {
    expect(words(drawList(alertsStory))).toContain('mean time to detection 3 min mean time to recovery, of 1 17 min');
    expect(words(drawList(calm))).toContain('mean time to detection –');
  });

  it('says what would stand here when nothing does, and that nobody would be told', () => {
    const text = words(drawList(calm));
    expect(text).toContain('Nothing is open.');
    expect(text).toContain('one alert for one cause, as soon as a hop or a path is over its budget');
    expect(text).toContain('Nobody is told of it yet');
  });

  it('keeps the filter in its links and exports', () => {
    const html = drawList({ ...alertsStory, nextCursor: '17.abc' }, { rule: 'over-budget', application: 'factory' });
    expect(html).toContain('/api/v1/alerts?rule=over-budget&amp;application=factory&amp;format=csv');
    expect(html).toContain('href="/alerts?rule=over-budget&amp;application=factory&amp;cursor=17.abc"');
  });
});
