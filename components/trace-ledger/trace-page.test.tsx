import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, test } from 'vitest';
import type { TraceView } from '#lib/views/schemas.ts';
import { waterfallOf } from '../trace-waterfall/waterfall-geometry.ts';
import { ledgerRows, ledgerSums, sharesOf } from './ledger-sums.ts';
import {
  buttonPress,
  clocksDisagree,
  fanOut,
  manySpans,
  queryHistory,
  rootMissing,
  singleSpan,
} from './trace.fixture.ts';
import { TracePage, type TraceQuery } from './trace-page.tsx';

const plain: TraceQuery = { raw: false, show: 'waterfall', entry: null, all: false };
const draw = (trace: TraceView, query: Partial<TraceQuery> = {}) =>
  renderToStaticMarkup(
    <TracePage trace={trace} query={{ ...plain, ...query }} nowMs={Date.parse(trace.startedAt) + 32_000} />,
  );
const words = (html: string) =>
  html
    .replaceAll(/<title>.*?<\/title>/g, '')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll('&nbsp;', ' ')
    .replaceAll(/[\s\u00a0]+/g, ' ');
const fall = (trace: TraceView, raw: boolean) => waterfallOf(trace, { width: 900, raw, siteName: (site) => site });

describe('ledger', () => {
  test('the lines add up to the total within a microsecond, in both clocks', () => {
    for (const trace of [queryHistory, clocksDisagree, buttonPress]) {
      const sums = ledgerSums(ledgerRows(trace.ledger, false));
      expect(Math.abs(sums.ms - trace.totalMs)).toBeLessThan(0.001);
    }
    const raw = ledgerRows(queryHistory.ledger, true);
    expect(Math.abs(raw.at(-1)!.balanceMs - queryHistory.totalMs)).toBeLessThan(0.001);
  });

  test('the sum row shows both sums, and says that a round trip on one clock has no error', () => {
    const text = words(draw(queryHistory));
    expect(text).toContain('Balance, exact 345.0 345.0 ± 0 +98.9 345.0');
    expect(text).toContain('Sent and answered on one clock');
  });

  test('a total that ends on another device carries its error bar', () => {
    const text = words(draw(buttonPress));
    expect(text).toContain('± 14.2');
    expect(text).toContain('The end is on another device');
    expect(text).toContain('uplink incl. broker');
  });

  test('a line is a link that works without script', () => {
    const html = draw(queryHistory, { raw: true });
    expect(html).toContain(`href="/traces/${queryHistory.traceId}?clock=raw&amp;entry=9"`);
  });

  test('the chosen line is marked in words and shows the attributes of its spans', () => {
    const html = draw(queryHistory, { entry: 9 });
    expect(html).toContain('aria-current="true"');
    expect(words(html)).toContain('Selected entry 9 of 16');
    expect(words(html)).toContain('messaging.mqtt.qos 1');
  });

  test('an entry that does not exist chooses nothing', () => {
    expect(words(draw(queryHistory, { entry: 999 }))).not.toContain('Selected');
  });

  test('shares are of the whole and add up to it', () => {
    const shares = sharesOf(queryHistory.ledger);
    expect(shares.reduce((sum, part) => sum + part.share, 0)).toBeCloseTo(1, 9);
    expect(shares.map((part) => part.kind)).toEqual(['uplink', 'request', 'downlink', 'reply', 'broker', 'processing']);
  });
});

describe('waterfall', () => {
  test('lanes are devices grouped by site in the order of the path', () => {
    const { lanes, bands } = fall(queryHistory, false);
    expect(bands.map((band) => band.name)).toEqual(['Hannover', 'Dublin', 'Ashburn', 'Funabashi']);
    expect(lanes.map((lane) => lane.device)).toEqual([
      'kiosk-hannover',
      'gateway-dublin',
      'broker-dublin',
      'mcp-ashburn',
      'mini-2-funabashi',
    ]);
  });

  test('raw clocks may run backwards; corrected ones may not', () => {
    expect(fall(clocksDisagree, true).stretches.filter((stretch) => stretch.negative)).toHaveLength(1);
    expect(fall(clocksDisagree, false).stretches.some((stretch) => stretch.negative)).toBe(false);
    expect(words(draw(clocksDisagree, { raw: true }))).toContain('−13.2 raw');
  });

  test('labels overlap neither each other nor the edge', () => {
    for (const trace of [queryHistory, clocksDisagree, buttonPress, fanOut, singleSpan]) {
      const { labels, width } = fall(trace, false);
      for (const [index, a] of labels.entries()) {
        expect(a.x).toBeGreaterThanOrEqual(0);
        expect(a.x + a.width).toBeLessThanOrEqual(width);
        for (const b of labels.slice(index + 1)) {
          const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || Math.abs(a.y - b.y) >= 15;
          expect(apart, `${a.text} over ${b.text}`).toBe(true);
        }
      }
    }
  });

  test('a fan-out keeps to its lanes and says how many devices found none', () => {
    const drawn = fall(fanOut, false);
    expect(drawn.lanes).toHaveLength(24);
    expect(drawn.hiddenDevices).toBe(9);
    expect(words(draw(fanOut))).toContain('9 more devices took part');
  });

  test('the picture has the sentence of the verdict as its name', () => {
    expect(draw(queryHistory)).toMatch(/<svg role="img" aria-label="91 % of this request is distance\./);
  });
});

describe('page', () => {
  test('verdict stands in words beside its mark', () => {
    expect(words(draw(queryHistory))).toContain('345 ms of 2 s: Leave');
    expect(words(draw(clocksDisagree))).toContain('Cannot tell');
    expect(words(draw(singleSpan))).toContain('no budget');
  });

  test('what a sender writes is text, never markup', () => {
    const html = draw(singleSpan, { show: 'spans', entry: 1 });
    expect(html).not.toContain('<script>alert');
    expect(html).not.toContain('<img');
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('[&quot;a&quot;,1,null]');
    expect(words(html)).toContain('error: disk full');
  });

  test('a missing root is said, and the spans below it stay', () => {
    const text = words(draw(rootMissing, { show: 'spans' }));
    expect(text).toContain('Root span missing');
    expect(text).toContain('its parent is not here');
    expect(text).toContain('led here');
    expect(text).toContain('the total has no known error bar');
  });

  test('thousands of spans come in part, with a way to the rest', () => {
    const trace = manySpans(2_431);
    const html = draw(trace, { show: 'spans' });
    expect(words(html)).toContain('The first 200 of 2,431. Show all');
    expect(html).toContain('spans=all');
    expect(words(html)).toContain('Show all 1,200 lines');
    expect(draw(trace, { show: 'spans', all: true }).match(/<th scope="row"/g)!.length).toBeGreaterThan(2_431);
  });

  test('spans that call each other in a circle are all shown', () => {
    const [a, b] = queryHistory.spans;
    const circle = [
      { ...a!, parentSpanId: b!.spanId },
      { ...b!, parentSpanId: a!.spanId },
    ];
    const text = words(draw({ ...queryHistory, spans: circle, spansTotal: 2 }, { show: 'spans' }));
    expect(text).toContain('POST /mcp server');
    expect(text).toContain('tools/call query_history client');
  });
});
