import { describe, expect, it } from 'vitest';
import {
  formatAge,
  formatBound,
  formatBudget,
  formatBytes,
  formatChange,
  formatKiloBytes,
  formatLatency,
  formatPercent,
  formatRate,
  formatSpan,
  shortId,
} from './format.ts';

const plain = (text: string | null) => text?.replaceAll('\u00a0', ' ') ?? null;

describe('the Numbers section of the design language', () => {
  it('gives one decimal under 100 ms, none from 100, seconds from 10 s', () => {
    expect([0, 50.34, 99.94, 99.96, 105.4, 1_234, 9_999, 12_400].map((ms) => plain(formatLatency(ms)))).toEqual([
      '0.0 ms',
      '50.3 ms',
      '99.9 ms',
      '100 ms',
      '105 ms',
      '1,234 ms',
      '9,999 ms',
      '12.4 s',
    ]);
  });

  it('keeps a number and its unit on one line', () => {
    expect(formatLatency(50.3)).toBe('50.3\u00a0ms');
  });

  it('never shows the unknown as zero or zero as unknown', () => {
    expect(formatLatency(null)).toBe('–');
    expect(formatPercent(null)).toBe('–');
    expect(plain(formatLatency(0))).toBe('0.0 ms');
    expect(formatRate(0)).toBe('0.0');
    expect(formatRate(0.004)).toBe('0.004');
  });

  it('shows ± with one decimal, and leaves it out only where it is below the last digit shown', () => {
    expect(plain(formatBound(50.3, 2.4))).toBe('± 2.4');
    expect(plain(formatBound(105, 2.4))).toBe('± 2.4');
    expect(formatBound(105, 0.6)).toBeNull();
    expect(plain(formatBound(3.2, 0.6))).toBe('± 0.6');
    expect(formatBound(3.2, 0.04)).toBeNull();
    expect(formatBound(3.2, 0)).toBeNull();
    expect(formatBound(3.2, null)).toBeNull();
  });

  it('drops the decimal of a value whose error bar is ten times wider', () => {
    expect(plain(formatLatency(94.3, 38))).toBe('94 ms');
    expect(plain(formatBound(94.3, 38))).toBe('± 38');
  });

  it('says budgets as people do', () => {
    expect([10, 250, 1_500, 2_000, 120_000].map((ms) => plain(formatBudget(ms)))).toEqual([
      '10 ms',
      '250 ms',
      '1.5 s',
      '2 s',
      '2 min',
    ]);
  });

  it('signs a change with a true minus', () => {
    expect(formatChange(48.6)).toBe('+48.6');
    expect(formatChange(-30.8)).toBe('−30.8');
    expect(formatChange(-0.01)).toBe('0.0');
    expect(formatSpan(3.1, 5.2)).toBe('3.1 to 5.2');
  });

  it('counts a kilobyte as 1000 bytes and keeps a space before the per cent sign', () => {
    expect(formatKiloBytes(15_200)).toBe('15.2');
    expect(plain(formatBytes(214_000_000))).toBe('214 MB');
    expect(plain(formatPercent(0.914))).toBe('91 %');
  });

  it('tells an age in the largest unit that says it', () => {
    expect([2_000, 240_000, 1_860_000, 3_600_000, 518_400_000].map((ms) => plain(formatAge(ms)))).toEqual([
      '2 s',
      '4 min',
      '31 min',
      '1 h',
      '6 d',
    ]);
  });

  it('shortens an id to its ends', () => {
    expect(shortId('8c1f000000000000000000000000e07a')).toBe('8c1f…e07a');
  });
});
