import { describe, expect, it } from 'vitest';
import { locationOf, parseAddress } from './address.ts';

describe('the address of a QuestDB', () => {
  it('is a host, and everything else has a default', () => {
    expect(parseAddress('questdb://metrics.local')).toEqual({
      user: 'admin',
      password: 'quest',
      prefix: 'hopscope_',
      hosts: [{ host: 'metrics.local', httpPort: 9000, pgPort: 8812 }],
    });
  });

  it('may name a login, ports, several hosts and tables', () => {
    const address = parseAddress('questdb://ada:p%40ss:word@a:1/2,[::1]:3,c?tables=line_');
    expect(address).toEqual({
      user: 'ada',
      password: 'p@ss:word',
      prefix: 'line_',
      hosts: [
        { host: 'a', httpPort: 1, pgPort: 2 },
        { host: '[::1]', httpPort: 3, pgPort: 8812 },
        { host: 'c', httpPort: 9000, pgPort: 8812 },
      ],
    });
    expect(locationOf(address)).toBe('a:1/2, [::1]:3/8812, c:9000/8812 (tables line_*)');
  });

  it.each([
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
