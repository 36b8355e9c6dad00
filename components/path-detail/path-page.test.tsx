import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { PathView } from '#lib/views/schemas.ts';
import { pressView } from './path.fixture.ts';
import { PathPage } from './path-page.tsx';

const draw = (view: PathView, asked = '', show: 'lines' | 'table' = 'lines') =>
  renderToStaticMarkup(<PathPage view={view} asked={asked} show={show} />);
const words = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/[\s\u00a0]+/g, ' ');

test('opens with the verdict and what to do', () => {
  const text = words(draw(pressView));
  expect(text).toContain('Over budget');
  expect(text).toContain('move factory-events to Hannover.');
});

test('draws the tree: each hop a link, with what it adds, how often and its share', () => {
  const html = draw(pressView);
  expect(html).toContain('href="/hops/5e11c0de00000001?from=now-1h&amp;to=now"');
  const text = words(html);
  expect(text).toContain('the root: requests begin here');
  expect(text).toContain('1 to 3 tries');
  expect(text).toContain('50 ± 14');
  expect(text).toContain('± unknown');
  expect(html).toContain('48\u00a0% on the way, 3\u00a0% at work');
});

test('a restricted hop keeps its time and has no name and no link', () => {
  const text = words(draw(pressView));
  expect(text).toContain('restricted hop');
  expect(text).toContain('beside the critical path');
  expect(draw(pressView).match(/href="\/hops\//g)).toHaveLength(3);
});

test('shows one way at a time, and the other ways a click away', () => {
  const html = draw(pressView);
  expect(html).toContain(`href="/paths/${pressView.path.id}?from=now-1h&amp;to=now&amp;variant=aaaa000000000002"`);
  expect(words(html)).toContain('way 1 of 2, hop by hop');
  expect(words(draw(pressView, 'ffff000000000000'))).toContain('is not among the 80 requests looked at');
  expect(words(draw(pressView, 'aaaa000000000001'))).not.toContain('is not among');
});

test('the course is a drawing with the verdict as its name, or a table of the same steps', () => {
  expect(draw(pressView)).toContain('aria-label="button press end to end. Fibre alone');
  expect(words(draw(pressView, '', 'table'))).toContain('Requests of this path, step by step');
});

test('examples lead to their traces', () => {
  const html = draw(pressView);
  for (const { traceId } of pressView.examples) expect(html).toContain(`href="/traces/${traceId}"`);
});

test('a path that is quiet says so, and where to look', () => {
  const quiet = { ...pressView.path, count: 0, looked: 0, p50Ms: null, p95Ms: null, parts: [] };
  const text = words(
    draw({ ...pressView, path: quiet, variants: [], variantId: null, places: [], examples: [], series: [] }),
  );
  expect(text).toContain('No request took this path in this range.');
  expect(text).toContain('Look at the last 24 h');
});
