import { HopscopeError } from '#lib/errors.ts';

/** Where a QuestDB server is, and what our tables are called there. */
export interface QuestDbAddress {
  user: string;
  password: string;
  /** tried in this order: one server behind several addresses, or its stand-in */
  hosts: { host: string; httpPort: number; pgPort: number }[];
  /** what the names of our tables begin with */
  prefix: string;
  /** null: none is spoken */
  tls: QuestDbTls | null;
}

/** Certificates are always checked. */
export interface QuestDbTls {
  /** PEM of the authorities that count instead of the public ones */
  caFile: string | null;
  /** asked: by PGwire's SSLRequest, as stunnel and pgbouncer want it; direct: from the first byte, as nginx and HAProxy do */
  pgTls: 'asked' | 'direct';
}

export const form =
  'questdb://user:password@host[:httpPort[/pgPort]][,host...][?tables=prefix_], or questdbs://...[?ca=FILE][&pgtls=direct] with TLS';
const defaults = { user: 'admin', password: 'quest', httpPort: 9000, pgPort: 8812, prefix: 'hopscope_' };
const known = { questdb: ['tables'], questdbs: ['tables', 'ca', 'pgtls'] };

/** An address as a message may show it: whatever stands before its last "@" may be part of a password. */
export const withoutPassword = (url: string): string => url.replace(/^([a-z]+:\/\/[^:@/?]*).*@/s, '$1:***@');

/** `questdb://user:password@host:9000/8812`, several hosts with commas between them. */
export function parseAddress(url: string): QuestDbAddress {
  const wrong = (what: string): HopscopeError =>
    new HopscopeError('config', `store: ${withoutPassword(url)} ${what}; write ${form}`);
  const [, scheme, login, places, query] = /^(questdbs?):\/\/(?:([^?]*)@)?([^@?]*)(?:\?([^@]*))?$/.exec(url) ?? [];
  // before anything of it is repeated: what looks like a host may be a piece of the password
  if (places === undefined)
    throw wrong('has "?" before or "@" behind the host: in a login or a path write %3F and %40');
  if (places === '') throw wrong('names no host');
  const plain = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      throw wrong('has "%" in its login with no two hexadecimal digits behind: write %25');
    }
  };
  const [user, password] = (login ?? '').split(/:(.*)/s);
  const asked = new URLSearchParams(query ?? '');
  for (const name of asked.keys()) {
    if (known[scheme as keyof typeof known].includes(name)) continue;
    const wantsTls = known.questdbs.includes(name);
    throw wrong(`asks for "${name}", which is ${wantsTls ? 'for questdbs:// only' : 'not known'}`);
  }
  const pgTls = asked.get('pgtls') ?? 'asked';
  if (pgTls !== 'asked' && pgTls !== 'direct') throw wrong(`has pgtls=${pgTls}, wanted asked or direct`);
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
    user: plain(user || defaults.user),
    password: plain(password ?? defaults.password),
    prefix,
    tls: scheme === 'questdbs' ? { caFile: asked.get('ca'), pgTls } : null,
    hosts: places.split(',').map((place) => {
      const [, host, http, pg] = /^(\[[^\]]+\]|[^:/,]+)(?::([^/]*))?(?:\/(.*))?$/.exec(place) ?? [];
      if (!host) throw wrong(`has the host "${place}"`);
      return {
        host: host.replace(/^\[|\]$/g, ''),
        httpPort: port(http, defaults.httpPort),
        pgPort: port(pg, defaults.pgPort),
      };
    }),
  };
}

export const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host);

export const locationOf = ({ hosts, prefix, tls }: QuestDbAddress): string =>
  `${hosts.map(({ host, httpPort, pgPort }) => `${inUrl(host)}:${httpPort}/${pgPort}`).join(', ')}${tls ? ' over TLS' : ''} (tables ${prefix}*)`;

export const hasDefaultLogin = ({ user, password }: QuestDbAddress): boolean =>
  user === defaults.user && password === defaults.password;
