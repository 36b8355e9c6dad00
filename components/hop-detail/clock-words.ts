import type { HopItem } from '#lib/views/schemas.ts';

type ClockLabel = NonNullable<HopItem['clock']>;

/** How two clocks were brought together, in words people can check (design.md section 4). */
export const clockWords: Record<ClockLabel, { short: string; long: string }> = {
  'same-clock': { short: 'one clock', long: 'Both ends share one clock, so there is no error to speak of.' },
  'round-trip': {
    short: 'round trip, one clock',
    long: 'Sent and answered on one clock: the total is exact without any agreement between the two.',
  },
  bounded: {
    short: 'bounded both ways',
    long: 'From the fastest messages in both directions, tightened by the fibre floor. The ± is proven, not likely.',
  },
  assumed: {
    short: 'assumed right',
    long: 'Messages were only seen one way, so the clocks are taken as they are and the error is not known.',
  },
  'clock-wrong': {
    short: 'clock proven wrong',
    long: 'As sent, messages would arrive before they left, or faster than light in fibre. Only “at least the floor” is true.',
  },
  contradiction: {
    short: 'clocks contradict',
    long: 'What the devices sent cannot all be true at once, whatever is given up: no figure is sure.',
  },
  overlap: {
    short: 'server outlived answer',
    long: 'The server worked on after the answer, or the client gave up: such requests are counted and have no figure.',
  },
};

/** What would make a figure sure. */
export function clockCure(label: ClockLabel | null): string | null {
  switch (label) {
    case 'assumed':
      return 'Cure: turn on the echo for these devices (one setting), so that messages go both ways.';
    case 'clock-wrong':
      return 'Cure: set the clock of the device named here (chrony or NTP), then turn on the echo to prove it.';
    case 'contradiction':
      return 'Cure: see whether a clock here was set by hand, or messages were recorded and sent again; a minute later it is judged anew.';
    case 'bounded':
      return 'Cure: the echo measures both directions often, which narrows the ±.';
    default:
      return null;
  }
}
