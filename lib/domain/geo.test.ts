import { describe, expect, it } from 'vitest';
import { floorMsBetween, greatCircleKm } from './geo.ts';

const hannover = { lat: 52.37, lon: 9.73 };
const dublin = { lat: 53.35, lon: -6.26 };
const ashburn = { lat: 39.04, lon: -77.49 };
const sanFrancisco = { lat: 37.77, lon: -122.42 };
const funabashi = { lat: 35.69, lon: 139.98 };

describe('great circles', () => {
  it('measures the distances of the story', () => {
    expect(greatCircleKm(hannover, dublin)).toBeCloseTo(1078, -2);
    expect(greatCircleKm(dublin, ashburn)).toBeCloseTo(5452, -2);
    expect(greatCircleKm(hannover, hannover)).toBe(0);
  });
  it('takes the short way over the date line', () => {
    expect(greatCircleKm(sanFrancisco, funabashi)).toBeLessThan(8400);
  });
  it('demands 32 ms from Hannover to Ashburn by way of Dublin, and nothing of a place that is not known', () => {
    expect(floorMsBetween(hannover, dublin) + floorMsBetween(dublin, ashburn)).toBeCloseTo(32, 0);
    expect(floorMsBetween(hannover, null)).toBe(0);
  });
});
