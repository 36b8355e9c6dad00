import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { PathsView } from '#lib/views/schemas.ts';
import { noPaths, pathsStory, pressPath } from '../path-detail/path.fixture.ts';
import { PathsPage } from './paths-page.tsx';
import { pathsQueryOf, sorted } from './paths-query.ts';

const draw = (view: PathsView, params: Record<string, string> = {}) =>
  renderToStaticMarkup(
    <PathsPage view={view} query={pathsQueryOf(params)} siteNames={{ hannover: 'Hannover works' }} />,
  );
const words = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/[\s\u00a0]+/g, ' ');

test('opens with what needs a decision, and with what nobody set a budget for', () => {
  expect(words(draw(pathsStory))).toContain(
    '1 path of 4 is over budget. For 1 the clocks do not let us tell. 1 of 4 have no budget.',
  );
});

test('says verdict, reason and figures of each path, worst first', () => {
  const text = words(draw(pathsStory));
  for (const word of ['Move', 'Cannot tell', 'Leave', 'No budget', pressPath.reason]) expect(text).toContain(word);
  expect(text.indexOf('button press')).toBeLessThan(text.indexOf('wafer order'));
  expect(text).toContain('94 ± 38');
});

test('a figure that nothing bounds says so', () => {
  expect(words(draw({ ...pathsStory, items: [pathsStory.items[0]!] }))).toContain('± unknown');
});

test('where the time goes is told in words too, with sites as people call them', () => {
  const html = draw(pathsStory);
  expect(html).toContain('Where the time goes: line-button Hannover works → factory-events Ashburn 48');
  expect(html).toContain('Where the time goes: a restricted hop 100');
});

test('what is not known stands last in either direction', () => {
  for (const reverse of [false, true]) expect(sorted(pathsStory.items, 'budget', reverse).at(-1)!.budgetMs).toBeNull();
});

test('sorting and filtering are links and a form: they work without script and keep the range', () => {
  const html = draw(pathsStory, { application: 'data', sort: 'p95' });
  expect(html).toContain('href="/paths?from=now-1h&amp;to=now&amp;application=data&amp;sort=p95&amp;order=reverse"');
  expect(html).toMatch(/<form[^>]* action="\/paths"/);
  expect(words(html)).toContain('1 path of 4');
  expect(html).toContain(`href="/paths/${pathsStory.items[3]!.id}?from=now-1h&amp;to=now"`);
});

test('exports carry the filter', () => {
  const html = draw(pathsStory, { site: 'ashburn', verdict: 'move', hop: 'abc' });
  expect(html).toContain(
    '/api/v1/paths?from=now-1h&amp;to=now&amp;site=ashburn&amp;hop=abc&amp;verdict=move&amp;format=csv',
  );
});

test('the text finds path, service and site', () => {
  expect(words(draw(pathsStory, { q: 'FACTORY-events press' }))).toContain('1 path of 4');
  expect(words(draw(pathsStory, { q: 'nothing at all' }))).toContain('No path matches these filters');
});

test('an empty fleet says why and what to do', () => {
  const text = words(draw(noPaths));
  expect(text).toContain('no span has arrived');
  expect(text).toContain('budgets: [{ path:');
});

test('says when it was asked for the paths through one hop', () => {
  expect(words(draw(pathsStory, { hop: '5e11c0de00000001' }))).toContain('through one hop');
});

test('says when not all are listed', () => {
  expect(words(draw({ ...pathsStory, total: 250 }))).toContain('Listed are 4 of 250 paths');
});
