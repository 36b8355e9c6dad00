import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { Spark, sparkPaths, thinned } from './spark.tsx';

describe('a sparkline', () => {
  it('does not join across a gap', () => {
    const { line, gaps } = sparkPaths([1, 2, null, null, 3, 4], 50, 10, 0, 4);
    expect(line.match(/M/g)).toHaveLength(2);
    expect(gaps).toEqual([{ x: 10, width: 30 }]);
  });

  it('draws a lone value and survives having none', () => {
    expect(sparkPaths([null, 1, null], 20, 10, 0, 1).line).toMatch(/^M10 1L11 1$/);
    expect(renderToStaticMarkup(<Spark spark={{ fromMs: 0, stepMs: 1, values: [null, null] }} />)).not.toContain('NaN');
    expect(renderToStaticMarkup(<Spark spark={{ fromMs: 0, stepMs: 1, values: [] }} />)).not.toContain('NaN');
  });

  it('keeps peaks and gaps when there are more values than room', () => {
    expect(thinned([1, 9, 1, 1, null, null, 2, null], 4)).toEqual([9, 1, null, 2]);
    expect(thinned([1, null], 4)).toEqual([1, null]);
  });

  it('draws a constant as a level line, not as nothing', () => {
    expect(sparkPaths([5, 5], 10, 10, 5, 5).line).toBe('M0 5L10 5');
  });
});
