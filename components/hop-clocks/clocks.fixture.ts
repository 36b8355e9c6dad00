import type { ClocksView } from '#lib/views/schemas.ts';
import { storyNowMs } from '../hop-detail/hop.fixture.ts';

type Clock = ClocksView['items'][number];

const agoOf = (ms: number): string => new Date(storyNowMs - ms).toISOString();

const clock = (device: string, site: string, more: Partial<Clock>): Clock => {
  const { offsetMs = null, boundMs = null } = more;
  const bounded = offsetMs !== null && boundMs !== null;
  return {
    device,
    site,
    offsetMs,
    boundMs,
    lowMs: bounded ? offsetMs - boundMs : null,
    highMs: bounded ? offsetMs + boundMs : null,
    method: 'bounded',
    driftPpm: null,
    driftBoundPpm: null,
    lastStep: null,
    how: 'Messages went both ways, and light needs its time.',
    cure: null,
    at: agoOf(2_000),
    ...more,
  };
};

/** One that stepped, one that only talks, one proven wrong, two that contradict each other, one that is right. */
export const clocksStory: ClocksView = {
  items: [
    clock('pi-sf', 'san-francisco', {
      method: 'assumed',
      lowMs: -38.2,
      how: 'Taken for right: it only sends, so it may be 38.2 ms behind at most, and ahead by anything.',
      cure: 'Switch on the echo for it, or send it a traced message: traffic both ways closes the interval.',
    }),
    clock('erp-ashburn', 'ashburn', {
      method: 'clock-wrong',
      offsetMs: -900,
      highMs: -900,
      how: 'Proven wrong: as sent, its messages would arrive before they left, or faster than light in fibre.',
      cure: 'Set it (chrony or NTP).',
    }),
    clock('mini-1-funabashi', 'funabashi', {
      method: 'contradiction',
      how: 'What it sent and what mini-2-funabashi sent cannot all be true at once.',
    }),
    clock('wafer-sf', 'san-francisco', {
      offsetMs: 243.1,
      boundMs: 36.4,
      driftPpm: 12.4,
      driftBoundPpm: 3.1,
      lastStep: { at: agoOf(250_000), byMs: 2_000, certain: true },
    }),
    clock('rio-hannover-1', 'hannover', { offsetMs: 2.8, boundMs: 4.1, driftPpm: 0, driftBoundPpm: 0.4 }),
  ],
  findings: [
    {
      kind: 'contradiction',
      at: agoOf(20_000),
      devices: ['mini-1-funabashi', 'mini-2-funabashi'],
      sites: ['funabashi'],
      text: 'The clocks of mini-1-funabashi and mini-2-funabashi contradict each other, so nothing is said of what passes between them.',
    },
    {
      kind: 'step',
      at: agoOf(250_000),
      devices: ['wafer-sf'],
      sites: ['san-francisco'],
      text: 'The clock of wafer-sf stepped forward by 2.0 s.',
    },
  ],
};
