import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { sortDevices } from '../device-table/device-order.ts';
import { hotDevice } from '../fixtures/pages.ts';
import { devices } from '../fixtures/story.ts';
import { DeviceBoard } from './device-board.tsx';
import { gapsOf, linePieces, timeTicks } from './usage-chart.tsx';

describe('the device page', () => {
  it('says why it is not well and shows the gap in its reports', () => {
    const html = renderToStaticMarkup(
      <DeviceBoard view={hotDevice} siteNames={{ funabashi: 'Funabashi' }} table={false} />,
    );
    expect(html).toContain('Hot: CPU at 91 % for 12 min');
    expect(html).toMatch(/aria-label="CPU: highest \d\d.%, 1 gap"/);
    expect(html).toContain('hatch-gap');
  });

  it('never joins a line across a gap', () => {
    const minutes = [0, 1, 2, 10, 11];
    const pieces = linePieces(minutes.map((minute) => ({ timeMs: minute * 60_000, value: 0.5 })));
    expect(pieces.map((piece) => piece.points.length)).toEqual([3, 2]);
    expect(gapsOf(pieces, 0, 12 * 60_000).map((gap) => gap.fromMs / 60_000)).toEqual([2, 11]);
    expect(gapsOf([], 0, 60_000)).toEqual([{ fromMs: 0, toMs: 60_000 }]);
  });

  it('ticks at round moments', () => {
    expect(timeTicks(60_000, 3_600_000, 6).every((tick) => tick % 600_000 === 0)).toBe(true);
  });

  it('sorts what is unwell first and what is unknown last, whichever way', () => {
    expect(
      sortDevices(devices, 'state', false)
        .slice(0, 2)
        .map((device) => device.name),
    ).toEqual(['pi-sf', 'mini-1-funabashi']);
    expect(sortDevices(devices, 'cpu', true)[0]!.name).toBe('mini-1-funabashi');
    expect(sortDevices(devices, 'cpu', true).at(-1)!.name).toBe('pi-sf');
    expect(sortDevices(devices, 'cpu', false).at(-1)!.name).toBe('pi-sf');
  });
});
