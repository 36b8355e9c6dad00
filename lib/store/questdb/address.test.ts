import { describe, expect, it } from 'vitest';
import { locationOf, parseAddress, withoutPassword } from './address.ts';

describe('the address of a QuestDB', () => {
  it('is a host, and everything else has a default', () => {
    expect(parseAddress('questdb://metrics.local')).toEqual({
      user: 'admin',
      password: 'quest',
      prefix: 'hopscope_',
      tls: null,
      hosts: [{ host: 'metrics.local', httpPort: 9000, pgPort: 8812 }],
    });
  });

  it('may name a login, ports, several hosts and tables', () => {
    const address = parseAddress('questdb://ada:p%40ss:word@a:1/2,[::1]:3,c?tables=line_');
    expect(address).toEqual({
      user: 'ada',
      password: 'p@ss:word',
      prefix: 'line_',
      tls: null,
      hosts: [
        { host: 'a', httpPort: 1, pgPort: 2 },
        { host: '::1', httpPort: 3, pgPort: 8812 },
        { host: 'c', httpPort: 9000, pgPort: 8812 },
      ],
    });
    expect(locationOf(address)).toBe('a:1/2, [::1]:3/8812, c:9000/8812 (tables line_*)');
  });

  it('with an s is spoken to with TLS, by a private authority where one is named', () => {
    expect(parseAddress('questdbs://q.example.org').tls).toEqual({ caFile: null, pgTls: 'asked' });
    const own = parseAddress('questdbs://a:443,b?ca=/etc/ssl/our%20ca.pem&pgtls=direct');
    expect(own.tls).toEqual({ caFile: '/etc/ssl/our ca.pem', pgTls: 'direct' });
    expect(locationOf(own)).toBe('a:443/8812, b:9000/8812 over TLS (tables hopscope_*)');
  });

  it('may hold any password, and shows none of it', () => {
    const url = 'questdb://ada:se/c:r@et@a';
    expect(parseAddress(url)).toMatchObject({ user: 'ada', password: 'se/c:r@et', hosts: [{ host: 'a' }] });
    expect(withoutPassword(url)).toBe('questdb://ada:***@a');
  });

  it.each([
    ['questdb://ada:secret?secret@a', '"?" before or "@" behind the host'],
    ['questdb://ada:se%cret:secret@a', 'write %25'],
    ['questdb://ada:@secret:secret@a:http', 'the port "http"'],
    ['questdb://a?ca=/ca.pem', '"ca", which is for questdbs:// only'],
    ['questdbs://a?verify=off', '"verify", which is not known'],
    ['questdbs://a?pgtls=maybe', 'pgtls=maybe, wanted asked or direct'],
    ['questdb://', 'names no host'],
    ['questdb://ada:secret@', 'names no host'],
    ['questdb://a:http', 'the port "http"'],
    ['questdb://a:1/70000', 'the port "70000"'],
    ['questdb://a,,b', 'the host ""'],
    ["questdb://a?tables=x'; DROP", 'wanted small letters'],
    ['questdb://a?prefix=x', '"prefix", which is not known'],
  ])('says what is wrong with %s, and never the password', (url, words) => {
    expect(() => parseAddress(url)).toThrow(words);
    expect(() => parseAddress(url)).not.toThrow('secret');
  });
});
