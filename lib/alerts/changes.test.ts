import { describe, expect, it } from 'vitest';
import type { Marker } from '../domain/alert.ts';
import { drawnFinding, drawnPart, noonMs } from '../domain/fixtures/drawn-finding.ts';
import { changesBefore, happeningsOf } from './changes.ts';

const marker = (title: string, beforeS: number, more: Partial<Marker> = {}): Marker => ({
  id: title,
  timeMs: noonMs - beforeS * 1000,
  title,
  text: '',
  service: '',
  version: '',
  site: '',
  by: '',
  source: 'told',
  ...more,
});
const nothing = { markers: [], events: [], clocks: [], gaps: [], devices: [] };
const slow = drawnFinding('over-budget', 'hop', 'h1', {
  parts: [
    drawnPart('hop', 'h1'),
    drawnPart('service', 'factory-events@ashburn'),
    drawnPart('device', 'd1'),
    drawnPart('site', 'ashburn'),
  ],
});
const titles = (happened: Partial<Parameters<typeof happeningsOf>[0]>, finding = slow): string[] =>
  changesBefore([finding], noonMs, happeningsOf({ ...nothing, ...happened })).map(({ title }) => title);

describe('what changed just before', () => {
  it('is its own first, then what was about nobody in particular; nearest first', () => {
    const markers = [
      marker('a firewall rule', 20),
      marker('v41', 300, { service: 'factory-events' }),
      marker('v42', 40, { service: 'factory-events' }),
      marker('v9', 5, { service: 'erp' }),
      marker('rack 7', 50, { site: 'ashburn' }),
    ];
    expect(titles({ markers })).toEqual(['v42', 'rack 7', 'v41', 'a firewall rule']);
  });

  it('is neither long before nor after', () => {
    const own = { service: 'factory-events' };
    expect(
      titles({
        markers: [marker('yesterday', 86_400, own), marker('later', -120, own), marker('a moment late', -20, own)],
      }),
    ).toEqual(['a moment late']);
  });

  it('says by whom, and what kind it was', () => {
    const happenings = happeningsOf({
      ...nothing,
      markers: [
        marker('Snapshot v42', 40, { service: 'factory-events', by: 'J. Okafor', text: 'moved off booth-hannover' }),
        marker('factory-events v42', 41, { service: 'factory-events', version: 'v42', source: 'noticed' }),
        marker('answers from Ashburn', 42, { service: 'factory-events', site: 'ashburn', source: 'noticed' }),
      ],
    });
    expect(changesBefore([slow], noonMs, happenings).map(({ kind, text }) => [kind, text])).toEqual([
      ['deploy', 'moved off booth-hannover, by J. Okafor'],
      ['version', ''],
      ['moved', ''],
    ]);
  });

  it('are devices and clocks that it stands on, and never itself', () => {
    const devices = [{ id: 'd1', name: 'site-ashburn' }] as never;
    const events = [
      { deviceId: 'd1', timeMs: noonMs - 30_000, fromState: 'up', toState: 'degraded', reason: 'hot' } as const,
    ];
    const clocks = [{ kind: 'step', timeMs: noonMs - 60_000, devices: ['d1'], sites: [], nanos: 38e6 } as const];
    const happened = {
      devices,
      events: [...events],
      clocks: clocks.map((each) => ({ ...each, devices: [...each.devices], sites: [] })),
    };
    expect(titles(happened)).toEqual(['site-ashburn went degraded', 'The clock of site-ashburn stepped by 38.0 ms']);
    const down = drawnFinding('device-down', 'device', 'd1');
    expect(titles(happened, down)).toEqual(['The clock of site-ashburn stepped by 38.0 ms']);
  });
});
