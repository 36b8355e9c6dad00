import { HopscopeError } from '#lib/errors.ts';

/** Where a QuestDB server is, and what our tables are called there. */
export interface QuestDbAddress {
  user: string;
  password: string;
  /** tried in this order: one server behind several addresses, or its stand-in */
  hosts: { host: string; httpPort: number; pgPort: number }[];
  /** what the names of our tables begin with */
  prefix: string;
}

export const form = 'questdb://user:password@host[:httpPort[/pgPort]][,host...][?tables=prefix_]';
const defaults = { user: 'admin', password: 'quest', httpPort: 9000, pgPort: 8812, prefix: 'hopscope_' };

/** `questdb://user:password@host:9000/8812`, several hosts with commas between them. */
export function parseAddress(url: string): QuestDbAddress {
  const wrong = (what: string): HopscopeError =>
    new HopscopeError('config', `store: ${url.replace(/:[^:@/]*@/, ':***@')} ${what}; write ${form}`);
  const [, login, places, query] = /^questdb:\/\/(?:([^@/]*)@)?([^@?]+)(?:\?(.*))?$/.exec(url) ?? [];
  if (!places) throw wrong('names no host');
  const [user, password] = (login ?? '').split(/:(.*)/s);
  const asked = new URLSearchParams(query ?? '');
  for (const name of asked.keys()) if (name !== 'tables') throw wrong(`asks for "${name}", which is not known`);
  const prefix = asked.get('tables') ?? defaults.prefix;
  if (!/^[a-z][a-z0-9_]{0,40}$/.test(prefix))
    throw wrong(`has tables=${prefix}, wanted small letters, digits and underscores`);
  const port = (text: string | undefined, otherwise: number): number => {
    if (text === undefined) return otherwise;
    const number = Number(text);
    if (!Number.isInteger(number) || number < 1 || number > 65_535) throw wrong(`has the port "${text}"`);
    return number;
  };
  return {
    user: decodeURIComponent(user || defaults.user),
    password: decodeURIComponent(password ?? defaults.password),
    prefix,
    hosts: places.split(',').map((place) => {
      const [, host, http, pg] = /^(\[[^\]]+\]|[^:/,]+)(?::([^/]*))?(?:\/(.*))?$/.exec(place) ?? [];
      if (!host) throw wrong(`has the host "${place}"`);
      return { host, httpPort: port(http, defaults.httpPort), pgPort: port(pg, defaults.pgPort) };
    }),
  };
}

export const locationOf = ({ hosts, prefix }: QuestDbAddress): string =>
  `${hosts.map(({ host, httpPort, pgPort }) => `${host}:${httpPort}/${pgPort}`).join(', ')} (tables ${prefix}*)`;
