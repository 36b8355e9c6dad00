import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';
import type { ClocksView } from '#lib/views/schemas.ts';
import { storyNowMs } from '../hop-detail/hop.fixture.ts';
import { clocksStory } from './clocks.fixture.ts';
import { ClocksPage } from './clocks-page.tsx';

const words = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/[\s\u00a0]+/g, ' ');
const draw = (view: ClocksView = clocksStory) =>
  renderToStaticMarkup(<ClocksPage view={view} nowMs={storyNowMs} siteNames={{}} />);
/** The cells of one device's row. */
const rowOf = (device: string): string[] => {
  const row = draw()
    .split('<tr')
    .find((each) => each.includes(`>${device}<`))!;
  return row
    .split(/<t[dh][ >]/)
    .slice(1)
    .map((cell) => words(`<${cell}`).trim());
};

test('clocks are told in words: ahead, right as far as can be told, proven wrong', () => {
  const text = words(draw());
  expect(text).toContain('243.1 ms ahead');
  expect(text).toContain('right, as far as can be told');
  expect(text).toContain('at least 900.0 ms behind');
  expect(text).toContain('2 clocks are proven wrong: erp-ashburn, mini-1-funabashi.');
});

test('a clock that is only taken for right has no figure, but what is known, and what would close the interval', () => {
  const [, , offset, bound] = rowOf('pi-sf');
  expect(offset).toMatch(/–$/);
  expect(bound).toMatch(/–$/);
  const text = rowOf('pi-sf').join(' ');
  expect(text).toContain('38.2 ms behind at most');
  expect(text).toContain('Switch on the echo for it');
});

test('drift and the last step stand beside the offset, and absent is not 0', () => {
  const wafer = rowOf('wafer-sf').join(' ');
  expect(wafer).toContain('+12.4 ± 3.1');
  expect(wafer).toContain('+2.0 s');
  const rio = rowOf('rio-hannover-1').join(' ');
  expect(rio).toContain('0.0 ± 0.4');
  expect(rio).toContain('none seen');
  expect(rowOf('erp-ashburn')[6]).toMatch(/–$/);
  // one side is proven, and the figure says which
  expect(rowOf('erp-ashburn')[2]).toContain('≤ −900.0');
});

test('what the clocks did is a table of its own, and absent where they did nothing', () => {
  expect(words(draw())).toContain('The clock of wafer-sf stepped forward by 2.0 s.');
  expect(words(draw())).toContain('contradict each other');
  expect(words(draw({ ...clocksStory, findings: [] }))).not.toContain('What the clocks did');
});

test('no clocks says what brings them', () => {
  expect(words(draw({ items: [], findings: [] }))).toContain('No clock has been compared yet.');
});
