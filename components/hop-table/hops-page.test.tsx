import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { HopsView } from '#lib/views/schemas.ts';
import { hopsStory, noHops } from '../hop-detail/hop.fixture.ts';
import { HopsPage } from './hops-page.tsx';
import { hopsQueryOf, sorted } from './hops-query.ts';

const draw = (view: HopsView, params: Record<string, string> = {}) =>
  renderToStaticMarkup(<HopsPage view={view} query={hopsQueryOf(params)} />);
const words = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/[\s\u00a0]+/g, ' ');

test('opens with what needs a decision', () => {
  expect(words(draw(hopsStory))).toContain('3 hops of 8 are over budget. For 1 the clocks do not let us tell.');
});

test('every verdict stands in words', () => {
  const text = words(draw(hopsStory));
  for (const word of ['Move', 'Unanswered', 'Cannot tell', 'Leave', 'No data']) expect(text).toContain(word);
});

test('worst first; what is not known stands last in either direction', () => {
  expect(sorted(hopsStory.items, 'worst', false)[0]!.verdict).toBe('move');
  for (const reverse of [false, true]) {
    const p95 = sorted(hopsStory.items, 'p95', reverse).map((hop) => hop.addedMs.p95);
    expect(p95.slice(-2)).toEqual([null, null]);
  }
});

test('sorting and filtering are links and a form: they work without script and keep the range', () => {
  const html = draw(hopsStory, { application: 'data', sort: 'p95' });
  expect(html).toContain('href="/hops?from=now-1h&amp;to=now&amp;application=data&amp;sort=p95&amp;order=reverse"');
  expect(html).toMatch(/<form[^>]* action="\/hops"/);
  expect(html).toContain('<input type="hidden" name="from" value="now-1h"/>');
  expect(words(html)).toContain('2 hops of 8');
});

test('exports carry the filter', () => {
  const html = draw(hopsStory, { site: 'ashburn', verdict: 'over' });
  expect(html).toContain('/api/v1/hops?from=now-1h&amp;to=now&amp;site=ashburn&amp;mark=over&amp;format=csv');
});

test('the text finds topic, service and path', () => {
  expect(words(draw(hopsStory, { q: 'LINE-button hannover' }))).toContain('1 hop of 8');
  expect(words(draw(hopsStory, { q: 'wafer inspect' }))).toContain('1 hop of 8');
  expect(words(draw(hopsStory, { q: 'nothing at all' }))).toContain('No hop matches these filters');
});

test('an empty fleet says why and what to do', () => {
  const text = words(draw(noHops));
  expect(text).toContain('publishes MQTT 3.1.1');
  expect(text).toContain('See what arrives');
});

test('a healthy fleet says that nothing needs a decision', () => {
  const healthy = hopsStory.items.filter((hop) => hop.mark === 'ok');
  expect(words(draw({ ...hopsStory, items: healthy }))).toContain('Nothing needs a decision.');
});
