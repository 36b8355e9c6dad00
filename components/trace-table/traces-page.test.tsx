import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import { noTraces, tracesStory } from './traces.fixture.ts';
import { TracesPage } from './traces-page.tsx';
import { traceIdOf, tracesFormOf } from './traces-query.ts';

const words = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/[\s\u00a0]+/g, ' ');
const draw = (view = tracesStory, params: Record<string, string> = {}, wrongId: string | null = null) =>
  renderToStaticMarkup(<TracesPage view={view} form={tracesFormOf(params)} wrongId={wrongId} />);

test('the next page keeps the range and the filters', () => {
  const html = draw(tracesStory, { service: 'mcp', errors: 'true' });
  expect(html).toContain('from=now-1h&amp;to=now&amp;service=mcp&amp;errors=true&amp;cursor=1795230000000000000');
});

test('a trace without its root says so', () => {
  expect(words(draw())).toContain('root span missing');
});

test('nothing found says why and offers a way on', () => {
  const text = words(draw(noTraces, { service: 'mcp' }));
  expect(text).toContain('No trace of this range fits the filter.');
  expect(text).toContain('Clear the filters');
  expect(text).toContain('Look at the last 24 h');
});

test('ids are taken as logs print them, anything else is named', () => {
  expect(traceIdOf(' 5E2B91C7D04E4F0FA1B2C3D4E5F64A0D ')).toBe('5e2b91c7d04e4f0fa1b2c3d4e5f64a0d');
  expect(traceIdOf('5e2b91c7-d04e-4f0f-a1b2-c3d4e5f64a0d')).toBe('5e2b91c7d04e4f0fa1b2c3d4e5f64a0d');
  expect(traceIdOf('a1b2c3d4e5f64a0d')).toBe('a1b2c3d4e5f64a0d');
  expect(traceIdOf('nothing')).toBeNull();
  expect(words(draw(tracesStory, {}, '<b>'))).toContain('is no trace id');
});
