import { isIP } from 'node:net';
import * as z from 'zod';
import { ruleIds } from '../domain/alert.ts';
import { type DeliveryRules, type Hours, type Login, type Route, type Target, weekdays } from '../domain/delivery.ts';

/** `delivery:` in hopscope.yaml: who is told of alerts. Any text in it may be `${NAME}`, so that secrets need not stand in the file. */

const kinds = ['webhook', 'slack', 'pagerduty', 'ntfy', 'email', 'mqtt'] as const;

const urlOf = (...schemes: string[]) =>
  z.string().refine((text) => schemes.some((scheme) => text.startsWith(`${scheme}://`)) && URL.canParse(text), {
    message: `wanted a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
  });
const webUrl = urlOf('https', 'http');
const mailbox = z
  .string()
  .regex(
    /^[^@\r\n]+@[^@\s]+$/,
    'wanted an e-mail address such as on-call@example.org or On call <on-call@example.org>',
  );
const oneOrMany = <T extends z.ZodType>(one: T) =>
  z.union([one, z.array(one).min(1)]).transform((value) => (Array.isArray(value) ? value : [value]) as z.output<T>[]);

const common = { name: z.string().min(1).max(64), allowPlaintext: z.boolean().default(false) };
const login = { user: z.string().min(1).optional(), password: z.string().optional() };

const targetSchemas = {
  webhook: z.strictObject({ ...common, kind: z.literal('webhook'), url: webUrl, token: z.string().min(1).optional() }),
  slack: z.strictObject({ ...common, kind: z.literal('slack'), url: webUrl }),
  pagerduty: z.strictObject({
    ...common,
    kind: z.literal('pagerduty'),
    routingKey: z.string().min(1),
    url: webUrl.default('https://events.pagerduty.com/v2/enqueue'),
  }),
  ntfy: z.strictObject({
    ...common,
    kind: z.literal('ntfy'),
    url: webUrl.refine((text) => URL.canParse(text) && /[^/]$/.test(new URL(text).pathname), {
      message: 'wanted the URL of a topic, such as https://ntfy.example.org/on-call',
    }),
    token: z.string().min(1).optional(),
  }),
  email: z.strictObject({
    ...common,
    ...login,
    kind: z.literal('email'),
    url: urlOf('smtps', 'smtp'),
    from: mailbox,
    to: oneOrMany(mailbox),
  }),
  mqtt: z.strictObject({
    ...common,
    ...login,
    kind: z.literal('mqtt'),
    topic: z.string().regex(/^[^#+$\0][^#+\0]*$/, 'wanted a topic name, without + and #'),
    broker: z.string().min(1).optional(),
    url: urlOf('mqtts', 'mqtt').optional(),
  }),
};

const targetSchema = z
  .discriminatedUnion('kind', Object.values(targetSchemas) as [typeof targetSchemas.webhook], {
    error: `wanted kind to be one of ${kinds.join(', ')}`,
  })
  .check(({ value, issues }) => {
    const target = value as AnyTarget;
    const complain = (key: string, message: string) =>
      issues.push({ code: 'custom', input: target, path: [key], message });
    if (target.kind === 'mqtt' && (target.broker === undefined) === (target.url === undefined))
      complain('topic', 'wanted exactly one of broker and url beside it');
    if (target.kind === 'mqtt' && target.broker !== undefined && target.user !== undefined)
      complain('user', 'wanted no user beside broker: it is that of the broker');
    if ('password' in target && target.password !== undefined && target.user === undefined)
      complain('password', 'wanted a user beside it');
    const isPlain = /^(http|mqtt):/.test(target.url ?? '');
    if (isPlain && !target.allowPlaintext)
      complain('url', 'wanted one with TLS (https, mqtts), or allowPlaintext: true beside it');
  });
type AnyTarget = { [K in keyof typeof targetSchemas]: z.output<(typeof targetSchemas)[K]> }[keyof typeof targetSchemas];

const isTimeZone = (name: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== null;
  } catch {
    return false;
  }
};

const timePattern = /^(?:([01]?\d|2[0-3]):([0-5]\d)|24:00)$/;
const timeOfDay = z
  .string()
  .regex(timePattern, 'wanted a time of day such as "08:30"')
  .transform((text) => {
    const [, hour, minute] = timePattern.exec(text)!;
    return hour === undefined ? 1_440 : Number(hour) * 60 + Number(minute);
  });

const routeSchema = z.strictObject({
  application: oneOrMany(z.string().min(1)).optional(),
  severity: oneOrMany(
    z.enum(['critical', 'warning', 'info'], { error: 'wanted critical, warning or info' }),
  ).optional(),
  rule: oneOrMany(z.enum(ruleIds, { error: `wanted one of ${ruleIds.join(', ')}` })).optional(),
  hours: z
    .strictObject({
      from: timeOfDay,
      to: timeOfDay,
      timeZone: z.string().refine(isTimeZone, { message: 'wanted a time zone such as Europe/Berlin or UTC' }),
      days: z
        .array(z.enum(weekdays, { error: `wanted one of ${weekdays.join(', ')}` }))
        .min(1)
        .default([...weekdays]),
    })
    .optional(),
  to: oneOrMany(z.string()),
  continue: z.boolean().default(false),
});

const allowance = z.string().refine(isAllowance, {
  message: 'wanted an address range such as 10.0.0.0/8, an address, or HOST:PORT',
});

function isAllowance(text: string): boolean {
  const [address, prefix, ...rest] = text.split('/') as [string, string | undefined, ...string[]];
  const family = isIP(address);
  if (family === 0) return prefix === undefined && /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):\d{1,5}$/.test(text);
  if (prefix === undefined) return true;
  return rest.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}

const shape = {
  targets: z.array(targetSchema).default([]),
  routes: z.array(routeSchema).default([]),
  allowPrivate: z.array(allowance).default([]),
};

export const deliverySchema = z.strictObject(shape).check(({ value, issues }) => {
  const names = value.targets.map(({ name }) => name);
  const complain = (path: PropertyKey[], message: string) =>
    issues.push({ code: 'custom', input: value, path, message });
  for (const [index, name] of names.entries())
    if (names.indexOf(name) < index) complain(['targets', index, 'name'], 'wanted a name that no target above has');
  for (const [index, { to }] of value.routes.entries())
    for (const name of to)
      if (!names.includes(name))
        complain(['routes', index, 'to'], `wanted names of targets: ${names.join(', ') || 'there is none yet'}`);
});
export type DeliverySettings = z.output<typeof deliverySchema>;

/** The keys that are known at a path below `delivery`; null where that depends. */
export function knownDeliveryKeys(path: PropertyKey[], kind: unknown): string[] | null {
  if (path.length === 0) return Object.keys(shape);
  if (path[0] === 'targets')
    return kind === undefined ? null : Object.keys(targetSchemas[kind as AnyTarget['kind']].shape);
  if (path[0] === 'routes')
    return path.length === 2 ? Object.keys(routeSchema.shape) : ['from', 'to', 'timeZone', 'days'];
  return null;
}

/** Which texts of the file an error must not repeat. */
export const holdsSecret = ([room, part = 'targets', , key = 'url']: PropertyKey[]): boolean =>
  room === 'delivery' && part === 'targets' && ['url', 'token', 'routingKey', 'password'].includes(String(key));

/** `settings` with the variables put in; `missing` is told the path and name of each that is not set. */
export function withVariables(
  settings: unknown,
  env: Readonly<Record<string, string | undefined>>,
  missing: (path: PropertyKey[], name: string) => void,
  path: PropertyKey[] = [],
): unknown {
  if (typeof settings === 'string')
    return settings.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      const value = env[name];
      if (value === undefined || value === '') missing(path, name);
      return value ?? '';
    });
  if (Array.isArray(settings))
    return settings.map((each, index) => withVariables(each, env, missing, [...path, index]));
  if (settings === null || typeof settings !== 'object') return settings;
  return Object.fromEntries(
    Object.entries(settings).map(([key, each]) => [key, withVariables(each, env, missing, [...path, key])]),
  );
}

export function deliveryRulesOf(settings: DeliverySettings, publicUrl: string): DeliveryRules {
  return {
    targets: (settings.targets as AnyTarget[]).map(targetOf),
    routes: settings.routes.map(
      (route): Route => ({
        applications: route.application ?? null,
        severities: route.severity ?? null,
        rules: route.rule ?? null,
        hours: route.hours ? hoursOf(route.hours) : null,
        to: route.to,
        continue: route.continue,
      }),
    ),
    allowPrivate: settings.allowPrivate,
    publicUrl,
  };
}

const hoursOf = ({
  from,
  to,
  ...rest
}: {
  from: number;
  to: number;
  timeZone: string;
  days: Hours['days'];
}): Hours => ({
  ...rest,
  fromMinute: from,
  toMinute: to,
});

function targetOf(target: AnyTarget): Target {
  switch (target.kind) {
    case 'webhook':
    case 'ntfy':
      return { ...target, token: target.token ?? null };
    case 'slack':
    case 'pagerduty':
      return target;
    case 'email': {
      const { user, password, ...rest } = target;
      return { ...rest, login: loginOf(user, password) };
    }
    case 'mqtt': {
      const { name, allowPlaintext, kind, topic, broker, url, user, password } = target;
      const of = { name, allowPlaintext, kind, topic };
      return broker === undefined
        ? { ...of, broker: null, url: url!, login: loginOf(user, password) }
        : { ...of, broker };
    }
  }
}

const loginOf = (user: string | undefined, password = ''): Login | null =>
  user === undefined ? null : { user, password };
