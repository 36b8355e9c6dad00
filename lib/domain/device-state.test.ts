import { describe, expect, it } from 'vitest';
import { type DeviceEvidence, deviceStateOf, highSince, usualGapMs } from './device-state.ts';

const now = 1_000_000_000;
const quiet: DeviceEvidence = {
  heardMs: now - 1000,
  reports: true,
  intervalMs: 10_000,
  said: null,
  cpuHighSinceMs: null,
  memoryHighSinceMs: null,
  retired: false,
};
const stateOf = (more: Partial<DeviceEvidence>) => deviceStateOf({ ...quiet, ...more }, now);

describe('the state of a device', () => {
  it('is up while heard', () => expect(stateOf({})).toEqual({ state: 'up', reason: '' }));
  it('is down at once when its Will fires, and up again when heard', () => {
    expect(stateOf({ said: { state: 'offline', atMs: now - 500 } }).state).toBe('down');
    expect(stateOf({ said: { state: 'offline', atMs: now - 5000 } }).state).toBe('up');
  });
  it('is down after more than three of its own intervals of silence, not before', () => {
    expect(stateOf({ heardMs: now - 30_000 }).state).toBe('up');
    expect(stateOf({ heardMs: now - 30_001 })).toEqual({ state: 'down', reason: 'silent for more than 3 x 10 s' });
    expect(stateOf({ heardMs: now - 30_001, intervalMs: 60_000 }).state).toBe('up');
  });
  it('is never down for want of traffic alone', () => {
    expect(stateOf({ heardMs: now - 3_600_000, reports: false, intervalMs: null }).state).toBe('unknown');
  });
  it('is hot after five minutes of 85 %, not after four', () => {
    expect(stateOf({ cpuHighSinceMs: now - 300_000 })).toEqual({ state: 'degraded', reason: 'hot' });
    expect(stateOf({ cpuHighSinceMs: now - 240_000 }).state).toBe('up');
    expect(stateOf({ memoryHighSinceMs: now - 300_000 })).toEqual({ state: 'degraded', reason: 'memory' });
  });
});

describe('readings', () => {
  const at = (s: number, value: number) => ({ timeMs: now + s * 1000, value });
  it('count from the first high one since the last low one, in any order', () => {
    expect(highSince([at(30, 0.9), at(0, 0.9), at(10, 0.5), at(20, 0.95)], 0.85)).toBe(now + 20_000);
    expect(highSince([at(0, 0.9), at(10, 0.5)], 0.85)).toBeNull();
  });
  it('do not bridge a gap', () => expect(highSince([at(0, 0.9), at(200, 0.9)], 0.85)).toBe(now + 200_000));
  it('tell the usual gap from three on', () => {
    expect(usualGapMs([0, 10, 20, 70])).toBe(10);
    expect(usualGapMs([0, 10])).toBeNull();
  });
});
