import { describe, expect, it } from 'vitest';
import { drawnResource } from './fixtures/drawn-batch.ts';
import { applicationOf, deviceFor, deviceIdentityOf, type KnownDevice, siteOf, slugOf } from './placing.ts';

const bare = drawnResource('line-1', '', { hostId: '', hostName: 'rio-hannover-1' });
const hannover = { id: 'hannover', name: 'Hannover', lat: 52.37, lon: 9.73 };
const rule = { ...hannover, hosts: ['rio-hannover-*'] };

describe('the site of a resource', () => {
  const all = { ...bare, site: 'said', locality: 'Old Town', lat: 52.4, lon: 9.7, cloudRegion: 'eu-central-1' };
  it('is asked in the order of design.md section 13', () => {
    expect(siteOf(all, [rule], [hannover]).by).toBe('rule');
    expect(siteOf(all, [], [hannover])).toMatchObject({ by: 'hopscope.site', site: { id: 'said' } });
    expect(siteOf({ ...all, site: '' }, [], [hannover])).toMatchObject({
      by: 'locality',
      site: { id: 'old-town', lat: 52.4 },
    });
    expect(siteOf({ ...all, site: '', locality: '' }, [], [hannover])).toMatchObject({ by: 'nearest', site: hannover });
    expect(siteOf({ ...all, site: '', locality: '', lat: 10 }, [], [hannover])).toMatchObject({
      by: 'cloud',
      site: { name: 'Frankfurt' },
    });
    expect(siteOf(bare, [], [hannover])).toMatchObject({ by: 'nothing', site: { id: 'unplaced' } });
  });
  it('keeps the coordinates it was first seen with', () => {
    const known = [{ id: 'old-town', name: 'Old Town', lat: 1, lon: 2 }];
    expect(siteOf({ ...bare, locality: 'Old Town', lat: 9, lon: 9 }, [], known).site).toEqual(known[0]);
  });
  it('is not taken from a region nobody knows by a name every object has', () => {
    expect(siteOf({ ...bare, cloudRegion: 'constructor' }, [], []).site.lat).toBeNull();
  });
  it('writes localities as ids', () => expect(slugOf('São Paulo (East)')).toBe('sao-paulo-east'));
});

describe('the application', () => {
  const rules = [{ id: 'factory', services: ['line-*'], topics: ['factory/#'] }];
  it('comes by service, then by topic, then from the namespace', () => {
    expect(applicationOf('line-1', 'ns', '', rules)).toBe('factory');
    expect(applicationOf('other', 'ns', 'factory/x', rules)).toBe('factory');
    expect(applicationOf('other', 'ns', 'shop/x', rules)).toBe('ns');
    expect(applicationOf('other', '', '', rules)).toBe('default');
  });
});

describe('the device', () => {
  const known = (...devices: KnownDevice[]) => ({
    byId: (id: string) => devices.find((d) => d.id === id),
    byName: (name: string) => devices.filter((d) => d.name === name),
  });
  const one: KnownDevice = { number: 1, id: 'h1', name: 'pi', byName: false };
  it('is the host.id; a name alone joins the one device of that name', () => {
    expect(deviceFor(deviceIdentityOf(drawnResource('a', '', { hostId: 'h1', hostName: 'x' })), known(one))).toBe(one);
    expect(deviceFor(deviceIdentityOf(drawnResource('', '', { hostId: '', hostName: 'pi' })), known(one))).toBe(one);
  });
  it('keeps two of one name apart', () => {
    expect(
      deviceFor(deviceIdentityOf(drawnResource('a', '', { hostId: 'h2', hostName: 'pi' })), known(one)),
    ).toBeNull();
    expect(
      deviceFor(
        deviceIdentityOf(drawnResource('', '', { hostId: '', hostName: 'pi' })),
        known(one, { ...one, id: 'h2' }),
      ),
    ).toBeNull();
  });
  it('known by name alone becomes the one that says its id', () => {
    const named = { number: 1, id: 'pi', name: 'pi', byName: true };
    expect(deviceFor(deviceIdentityOf(drawnResource('a', '', { hostId: 'h1', hostName: 'pi' })), known(named))).toBe(
      named,
    );
  });
  it('is the instance, or the service, where no host is named', () => {
    expect(deviceIdentityOf(drawnResource('a', '', { hostId: '', hostName: '', serviceInstanceId: 'i-1' })).id).toBe(
      'i-1',
    );
    expect(deviceIdentityOf(drawnResource('a', '', { hostId: '', hostName: '' })).id).toBe('a@unplaced');
  });
});
