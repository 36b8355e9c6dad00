import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import type { HopView } from '#lib/views/schemas.ts';
import { gapsOf, linePath, speaking } from '../charts/time-chart.tsx';
import { buttonHop, hopStory, inspectHop, orderHop } from './hop.fixture.ts';
import { HopPage, type HopShow } from './hop-page.tsx';

const draw = (view: HopView, show: HopShow = 'heat') => renderToStaticMarkup(<HopPage view={view} show={show} />);
const words = (html: string) => html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/[\s\u00a0]+/g, ' ');

describe('hop page', () => {
  test('opens with the verdict in one sentence, in words and not by colour', () => {
    const text = words(draw(hopStory()));
    expect(text).toContain('line-button Hannover → factory-events Ashburn');
    expect(text).toContain('Over budget');
    expect(text).toContain('Move the workload');
    expect(text).toContain('over budget since 02:41');
    expect(text).toContain('so no tuning in Ashburn can fix it');
  });

  test('budget, floor and the change are named in the chart, whose name is the sentence', () => {
    const html = draw(hopStory());
    expect(html).toMatch(/role="img" aria-label="Takes 50\.3 ± 14 ms/);
    expect(words(html)).toContain('budget 10 ms');
    expect(words(html)).toContain('floor 32.1');
    expect(words(html)).toContain('02:41 snapshot v42');
  });

  test('labels at the right edge do not overlap', () => {
    const tops = [...draw(hopStory()).matchAll(/absolute start-2[^"]*" style="top:([\d.]+)px/g)].map((each) =>
      Number(each[1]),
    );
    expect(tops).toHaveLength(4);
    const sorted = tops.toSorted((a, b) => a - b);
    for (let index = 1; index < sorted.length; index++)
      expect(sorted[index]! - sorted[index - 1]!).toBeGreaterThanOrEqual(14.9);
  });

  test('a broker that told nothing leaves its time in the uplink, and the line says so', () => {
    const text = words(draw(hopStory()));
    expect(text).toContain('uplink incl. broker');
    expect(text).toContain('downlink');
  });

  test('a round trip has no error bar and says why', () => {
    const text = words(draw(hopStory(inspectHop)));
    expect(text).toContain('round trip');
    expect(text).toContain('on one clock');
    expect(text).not.toContain('the verdict is safe');
  });

  test('cannot tell names the cure', () => {
    const text = words(draw(hopStory(orderHop)));
    expect(text).toContain('too wide to judge');
    expect(text).toContain('Cure:');
  });

  test('the table says what the chart draws; unknown is a dash, not a zero', () => {
    const text = words(draw(hopStory(), 'table'));
    expect(text).toContain('Crossings');
    expect(text).toContain('02:57 0 0 – – – 32.1');
  });

  test('an empty range says so instead of drawing nothing', () => {
    const view = hopStory();
    const text = words(
      draw({ ...view, series: [], heat: { ...view.heat, cells: [] }, examples: [], clocks: [], changes: [] }),
    );
    expect(text).toContain('No request crossed this hop in this range');
    expect(text).toContain('Nothing in this range');
  });

  test('names from the wire are text', () => {
    const hop = {
      ...buttonHop,
      via: { system: 'mqtt', destination: '<img src=x onerror=alert(1)>' },
      reason: '<b>no</b>',
    };
    expect(draw({ ...hopStory(), hop })).not.toContain('<img');
    expect(draw({ ...hopStory(), hop })).not.toContain('<b>no');
  });
});

describe('time chart', () => {
  test('a line is cut where nothing was heard and where the level changed', () => {
    const points = [0, 1, 2, 5, 6, 7].map((minute) => ({ timeMs: minute, value: 1 }));
    const x = (ms: number) => ms;
    expect(linePath(points, 1, x, x).match(/M/g)).toHaveLength(2);
    expect(linePath(points, 1, x, x, [6.9]).match(/M/g)).toHaveLength(3);
  });

  test('silence of two steps and more is a gap', () => {
    expect(gapsOf([0, 1, 4, 5], 1, 0, 9)).toEqual([
      { fromMs: 2, toMs: 4 },
      { fromMs: 6, toMs: 9 },
    ]);
  });

  test('of markers that stand close the newest speaks', () => {
    const markers = [10, 50, 55].map((timeMs) => ({ timeMs, text: '' }));
    expect([...speaking(markers, 0, 100)].map((marker) => marker.timeMs)).toEqual([55, 10]);
  });
});
