import { describe, expect, it } from 'vitest';
import type { ServiceHeard } from '../store/store.ts';
import { noticedMarkers } from './services.ts';

const fromMs = 1_000_000;
const nowMs = fromMs + 300_000;
const places = {
  devices: [
    { id: 'd1', name: 'booth-hannover' },
    { id: 'd2', name: 'site-ashburn' },
  ] as never,
  sites: new Map([
    ['hannover', { id: 'hannover', name: 'Hannover', lat: 0, lon: 0 }],
    ['ashburn', { id: 'ashburn', name: 'Ashburn', lat: 0, lon: 0 }],
  ]),
};

/** Heard every two seconds from second to second of the window. */
const heard = (
  device: string,
  version: string,
  from: number,
  to: number,
  more: Partial<ServiceHeard> = {},
): ServiceHeard => ({
  service: 'factory-events',
  version,
  device,
  site: device === 'd1' ? 'hannover' : 'ashburn',
  application: 'factory',
  firstMs: fromMs + from * 1000,
  lastMs: fromMs + to * 1000,
  arrivals: (to - from) / 2 + 1,
  ...more,
});
const noticed = (...of: ServiceHeard[]) => noticedMarkers(of, fromMs, nowMs, places);

describe('a deployment that nobody told us of', () => {
  it('is a service that answers from another site', () => {
    const [marker, ...others] = noticed(heard('d1', 'v41', 0, 200), heard('d2', 'v42', 202, 300));
    expect(others).toEqual([]);
    expect(marker).toMatchObject({
      timeMs: fromMs + 202_000,
      title: 'factory-events answers from Ashburn instead of Hannover',
      text: 'version v42 instead of v41, moved from booth-hannover to site-ashburn',
      service: 'factory-events',
      version: 'v42',
      site: 'ashburn',
      source: 'noticed',
    });
  });

  it('is a new version on the same device', () => {
    expect(noticed(heard('d1', 'v41', 0, 200), heard('d1', 'v42', 202, 300))).toMatchObject([
      { title: 'factory-events v42', text: 'instead of v41, on booth-hannover', version: 'v42', site: '' },
    ]);
  });

  it('has the same id whoever looks, and whenever', () => {
    const before = noticed(heard('d1', 'v41', 0, 200), heard('d2', 'v42', 202, 300))[0]!;
    const later = noticedMarkers(
      [heard('d1', 'v41', 20, 200), heard('d2', 'v42', 202, 310)],
      fromMs + 10_000,
      nowMs + 10_000,
      places,
    )[0]!;
    expect(later.id).toBe(before.id);
  });

  it.each([
    ['both of which go on', [heard('d1', 'v41', 0, 300), heard('d2', 'v41', 202, 300)]],
    ['who was there all along', [heard('d1', 'v41', 0, 200), heard('d2', 'v41', 0, 300)]],
    ['who came long after the other went', [heard('d1', 'v41', 0, 100), heard('d2', 'v42', 202, 300)]],
    ['who is heard too rarely to tell', [heard('d1', 'v41', 0, 200, { arrivals: 2 }), heard('d2', 'v42', 202, 300)]],
    ['who pauses as it always does', [heard('d1', 'v41', 0, 260, { arrivals: 5 }), heard('d2', 'v42', 262, 300)]],
    ['of another name', [heard('d1', 'v41', 0, 200, { service: 'erp' }), heard('d2', 'v42', 202, 300)]],
  ])('is none %s', (_, of) => expect(noticed(...of)).toEqual([]));
});
