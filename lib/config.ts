import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import {
  deliveryRulesOf,
  deliverySchema,
  holdsSecret,
  knownDeliveryKeys,
  withVariables,
} from './config/delivery-settings.ts';
import { ruleIds } from './domain/alert.ts';
import type { RuleChange } from './domain/alert-rules.ts';
import type { DeliveryRules } from './domain/delivery.ts';
import type { Rules } from './domain/rule.ts';
import { HopscopeError } from './errors.ts';

/** Where a listener listens; null = off. */
export interface Listen {
  host: string;
  port: number;
}

export interface BrokerConnection {
  /** what passages and topic rows carry; default: the URL's host */
  name: string;
  /** mqtt://, mqtts://, ws://, wss:// with optional user:password */
  url: string;
  site: string;
  topics: string[];
  /** group name of a shared subscription, null = none */
  share: string | null;
  echo: boolean;
}

export interface Retention {
  spansMs: number;
  crossingsMs: number;
  minutesMs: number;
}

/** What this process does: everything, or receiving alone, or everything but receiving. */
export type Role = (typeof roles)[number];
const roles = ['all', 'collect', 'web'] as const;

export interface Config {
  /** the file it came from; null = none, built-in defaults */
  file: string | null;
  demo: boolean;
  dev: boolean;
  role: Role;
  dataDir: string;
  store: string;
  web: Listen | null;
  otlp: Listen | null;
  otlpGrpc: Listen | null;
  /** the embedded broker; null when hopscope.yaml names brokers, or when off */
  broker: (Listen & { name: string; site: string; echo: boolean }) | null;
  brokers: BrokerConnection[];
  /** Host header names accepted beside the loopback ones */
  hostNames: string[];
  rules: Rules;
  /** who is told of alerts; holds secrets */
  delivery: DeliveryRules;
  /** what the file changes of the alert rules; the page's word comes over it */
  alertRules: RuleChange[];
  retention: Retention;
  /** how much acknowledged data the spool keeps after it is stored */
  spool: { keepMs: number; keepBytes: number };
}

const durationPattern = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;
const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const duration = z
  .string()
  .regex(durationPattern, 'wanted a duration such as 30s, 15m, 24h or 7d')
  .transform((text) => {
    const [, amount, unit] = durationPattern.exec(text)!;
    return Number(amount) * unitMs[unit!]!;
  });

const listen = z.union([
  z.literal('off'),
  z.literal(false),
  z.number().int().min(0).max(65_535),
  z
    .string()
    .regex(/^(?:\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, 'wanted ADDRESS:PORT, for example 127.0.0.1:3000, or off'),
]);

const siteSchema = z.strictObject({
  id: z.string().min(1),
  name: z.string().optional(),
  lat: z.number().min(-90).max(90).optional(),
  lon: z.number().min(-180).max(180).optional(),
  hosts: z.array(z.string()).default([]),
});

const budgetSchema = z
  .strictObject({
    path: z.string().optional(),
    topic: z.string().optional(),
    service: z.string().optional(),
    application: z.string().optional(),
    addedMs: z.number().positive().optional(),
    totalMs: z.number().positive().optional(),
  })
  .refine((b) => [b.path, b.topic, b.service, b.application].filter((v) => v !== undefined).length === 1, {
    message: 'wanted exactly one of path, topic, service, application',
  })
  .refine((b) => (b.addedMs === undefined) !== (b.totalMs === undefined), {
    message: 'wanted exactly one of addedMs, totalMs',
  });

const alertRuleSchema = z.strictObject({
  enabled: z.boolean().optional(),
  severity: z.enum(['critical', 'warning', 'info'], { error: 'wanted critical, warning or info' }).optional(),
  threshold: z.number().positive().optional(),
  /** how long it has to be bad */
  for: duration.optional(),
});

const alertsSchema = z.strictObject(
  Object.fromEntries(ruleIds.map((id) => [id, alertRuleSchema.optional()])) as Record<
    (typeof ruleIds)[number],
    z.ZodOptional<typeof alertRuleSchema>
  >,
);

const fileShape = z.strictObject({
  data: z.string().optional(),
  store: z.string().optional(),
  web: z
    .union([
      listen,
      z.strictObject({
        listen: listen.optional(),
        hostNames: z.array(z.string()).optional(),
        publicUrl: z
          .string()
          .regex(/^https?:\/\/[^/?#\s]+(?:\/[^?#\s]*)?$/, 'wanted a URL such as https://hopscope.example.org')
          .optional(),
      }),
    ])
    .optional(),
  otlp: z.union([listen, z.strictObject({ listen: listen.optional(), grpc: listen.optional() })]).optional(),
  broker: z
    .union([
      listen,
      z.strictObject({
        listen: listen.optional(),
        name: z.string().optional(),
        site: z.string().optional(),
        echo: z.boolean().optional(),
      }),
    ])
    .optional(),
  brokers: z
    .array(
      z.strictObject({
        url: z.string().refine((text) => /^(mqtts?|wss?):\/\/.+/.test(text) && URL.canParse(text), {
          message:
            'wanted a URL that starts with mqtt://, mqtts://, ws:// or wss://, and in its login %2F for "/" and the like',
        }),
        name: z.string().optional(),
        site: z.string().default(''),
        topics: z.array(z.string().min(1)).min(1).default(['#']),
        share: z.string().nullable().default(null),
        echo: z.boolean().default(false),
      }),
    )
    .optional(),
  sites: z.array(siteSchema).default([]),
  applications: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        services: z.array(z.string()).default([]),
        topics: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  budgets: z.array(budgetSchema).default([]),
  owners: z
    .array(z.strictObject({ application: z.string(), team: z.string(), contact: z.string().default('') }))
    .default([]),
  alerts: alertsSchema.default({}),
  clocks: z.strictObject({ maxDriftPpm: z.number().positive().default(50) }).default({ maxDriftPpm: 50 }),
  retention: z
    .strictObject({ spans: duration.optional(), crossings: duration.optional(), minutes: duration.optional() })
    .default({}),
  spool: z.strictObject({ keep: duration.optional(), keepBytes: z.number().int().positive().optional() }).default({}),
  delivery: deliverySchema.prefault({}),
});

const fileSchema = fileShape.check(({ value, issues }) => {
  const names = [
    ...(value.brokers ?? []).map(brokerName),
    ...(value.brokers === undefined || value.broker !== undefined ? [nested(value.broker).name ?? embeddedName] : []),
  ];
  for (const [index, target] of value.delivery.targets.entries())
    if ('broker' in target && typeof target.broker === 'string' && !names.includes(target.broker))
      issues.push({
        code: 'custom',
        input: target.broker,
        path: ['delivery', 'targets', index, 'broker'],
        message: `wanted the name of a broker: ${names.join(', ')}`,
      });
});

type Environment = Readonly<Record<string, string | undefined>>;
type FileConfig = z.output<typeof fileSchema>;

const loopback = '127.0.0.1';
const embeddedName = 'embedded';

const brokerName = (b: { name?: string; site: string; url: string }): string =>
  b.name ?? (b.site ? `broker-${b.site}` : (URL.parse(b.url)?.hostname ?? ''));

/** `off`, PORT or ADDRESS:PORT; undefined = the default port on loopback. */
function listenOf(value: z.output<typeof listen> | undefined, defaultPort: number): Listen | null {
  if (value === 'off' || value === false) return null;
  if (value === undefined) return { host: loopback, port: defaultPort };
  if (typeof value === 'number') return { host: loopback, port: value };
  const at = value.lastIndexOf(':');
  return { host: value.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(value.slice(at + 1)) };
}

/** How a browser on this machine gets there; '' when nothing listens. */
function addressOf(web: Listen | null): string {
  if (web === null) return '';
  const isEverywhere = web.host === '0.0.0.0' || web.host === '::';
  const host = isEverywhere ? 'localhost' : web.host.includes(':') ? `[${web.host}]` : web.host;
  return `http://${host}:${web.port}`;
}

const nested = <T extends object>(
  value: T | z.output<typeof listen> | undefined,
): Partial<T> & { listen?: z.output<typeof listen> } =>
  value !== null && typeof value === 'object'
    ? value
    : ({ listen: value } as Partial<T> & { listen?: z.output<typeof listen> });

/** Reads and checks a hopscope.yaml; every error names the line, what was found and what was wanted. */
export function parseConfigFile(text: string, fileName: string, env: Environment = {}, role: Role = 'all'): FileConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true });
  const syntax = document.errors[0];
  if (syntax)
    throw new HopscopeError(
      'config',
      `${fileName} line ${lines.linePos(syntax.pos[0]).line}: ${syntax.message.split('\n')[0]}`,
    );
  const nodeAt = (path: PropertyKey[]) =>
    document.getIn(path, true) as { range?: [number, number, number] } | undefined;
  const where = (path: PropertyKey[]): string => {
    const offset = (nodeAt(path) ?? nodeAt(path.slice(0, -1)))?.range?.[0] ?? 0;
    return `${fileName} line ${lines.linePos(offset).line}, ${path.join('.') || 'top level'}`;
  };
  const settings: unknown = document.toJS() ?? {};
  const unset: string[] = [];
  // A collector tells nobody: one file may serve all processes, and the secrets of delivery are in one environment only.
  if (isRecord(settings) && role === 'collect') delete settings.delivery;
  if (isRecord(settings) && 'delivery' in settings)
    settings.delivery = withVariables(settings.delivery, env, (path, name) =>
      unset.push(
        `${where(['delivery', ...path])}: found \${${name}}, but no variable ${name}, wanted it in the environment`,
      ),
    );
  const parsed = unset.length > 0 ? null : fileSchema.safeParse(settings);
  if (parsed?.success) return parsed.data;
  const sentences = (parsed?.error.issues ?? []).map((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const [unknownKey] = issue.keys;
      const known = knownKeys(issue.path, document.getIn([...issue.path, 'kind']));
      return `${where([...issue.path, unknownKey!])}: found the unknown key "${unknownKey}"${known ? `, wanted one of ${known.join(', ')}` : ''}`;
    }
    const found = document.getIn(issue.path);
    return `${where(issue.path)}: found ${shown(issue.path, found)}, ${wanted(issue)}`;
  });
  throw new HopscopeError('config', [...unset, ...sentences].slice(0, 5).join('\n'));
}

/** What was found, but for what may be secret: in an address that is everything before its last "@". */
function shown(path: PropertyKey[], found: unknown): string {
  if (found === undefined) return 'nothing';
  const hasLogin = path[0] === 'brokers' || path[0] === 'store';
  if (holdsSecret(path) || (hasLogin && typeof found === 'object')) return 'one that is not shown';
  const text = JSON.stringify(found);
  return hasLogin ? text.replace(/^"([a-z]+:\/\/)?.*@/s, '"$1***@') : text.replace(/:\/\/.*@/s, '://***@');
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function wanted(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('wanted')) return issue.message;
  if (issue.code === 'invalid_union') {
    const inner = issue.errors
      .flat()
      .find((each) => each.message.startsWith('wanted') || each.code === 'unrecognized_keys');
    if (inner)
      return inner.message.startsWith('wanted')
        ? inner.message
        : `wanted no key "${'keys' in inner ? inner.keys.join(', ') : ''}"`;
    return 'wanted one of the forms the README shows';
  }
  return `wanted ${issue.message.replace(/^Invalid input: expected /, '').replace(/, received.*$/, '')}`;
}

function knownKeys(path: PropertyKey[], kind: unknown): string[] | null {
  if (path.length === 0) return Object.keys(fileShape.shape);
  if (path[0] === 'delivery') return knownDeliveryKeys(path.slice(1), kind);
  if (path[0] === 'alerts') return Object.keys(path.length === 1 ? alertsSchema.shape : alertRuleSchema.shape);
  const tables: Record<string, z.ZodObject> = { sites: siteSchema, budgets: budgetSchema };
  const table = tables[String(path[0])];
  return table ? Object.keys(table.shape) : null;
}

/**
 * Command line, hopscope.yaml and HOPSCOPE_* variables, in that order of strength, as one frozen Config.
 * The only reader of the environment. Throws HopscopeError('config') with a sentence for a person.
 */
export function loadConfig(argv: string[], env: Environment, workingDir: string, demoFile: string): Config {
  const options = readArguments(argv);
  const role = roleOf(options.role, env.HOPSCOPE_ROLE);
  const named = options.config ?? env.HOPSCOPE_CONFIG;
  const found = named ? resolve(workingDir, named) : resolve(workingDir, 'hopscope.yaml');
  const own = readIfThere(found, named !== undefined);
  const demo = role === 'all' && own === null && !options['no-demo'] && env.HOPSCOPE_DEMO !== 'off';
  const source =
    own !== null ? { file: found, text: own } : demo ? { file: demoFile, text: readIfThere(demoFile, true)! } : null;
  const file = parseConfigFile(source?.text ?? '', source?.file ?? 'hopscope.yaml', env, role);
  const base = own !== null ? dirname(found) : workingDir;

  const web = nested(file.web);
  const otlp = nested(file.otlp);
  const broker = nested(file.broker);
  const dataDir = resolve(
    options.data ?? env.HOPSCOPE_DATA ?? (file.data ? resolve(base, file.data) : resolve(workingDir, 'data')),
  );
  const store = env.HOPSCOPE_STORE ?? file.store ?? `duckdb:${dataDir}/hopscope.duckdb`;
  if (role !== 'all' && store.startsWith('duckdb:'))
    throw new HopscopeError(
      'config',
      `--role ${role}: found the store ${store}, a file that belongs to one process; wanted a server that several share, ` +
        'questdb://user:password@host (setting: store or HOPSCOPE_STORE), or --role all',
    );
  const setting = (name: string, port: number, fromFile: z.output<typeof listen> | undefined): Listen | null =>
    listenOf(fromEnv(name, env[name]) ?? fromFile, port);

  const brokers: BrokerConnection[] = (file.brokers ?? []).map((b) => ({
    ...b,
    name: brokerName(b),
  }));
  const brokerListen =
    brokers.length > 0 && file.broker === undefined ? null : setting('HOPSCOPE_BROKER', 1883, broker.listen);
  const embedded =
    brokerListen === null
      ? null
      : { ...brokerListen, name: broker.name ?? embeddedName, site: broker.site ?? '', echo: broker.echo ?? false };

  const receives = role !== 'web';
  if (!receives && embedded !== null) refuseEmbeddedTargets(file, embedded.name);
  // two roles with nothing else said may live on one machine
  const webListen = setting('HOPSCOPE_WEB', role === 'collect' ? 3001 : 3000, web.listen ?? fromEnv('PORT', env.PORT));
  const publicUrl = (web.publicUrl ?? addressOf(webListen)).replace(/\/+$/, '');
  return Object.freeze<Config>({
    file: source?.file ?? null,
    demo,
    dev: options.dev ?? false,
    role,
    dataDir,
    store,
    web: webListen,
    otlp: receives ? setting('HOPSCOPE_OTLP', 4318, otlp.listen) : null,
    otlpGrpc: receives ? setting('HOPSCOPE_OTLP_GRPC', 4317, otlp.grpc) : null,
    broker: receives ? embedded : null,
    brokers,
    hostNames: [
      ...(web.hostNames ?? []),
      ...(env.HOPSCOPE_HOST_NAMES?.split(',').map((name) => name.trim()) ?? []),
      // links in messages lead there
      ...(web.publicUrl ? [new URL(web.publicUrl).hostname] : []),
    ],
    rules: {
      sites: file.sites.map((s) => ({
        id: s.id,
        name: s.name ?? s.id,
        lat: s.lat ?? null,
        lon: s.lon ?? null,
        hosts: s.hosts,
      })),
      applications: file.applications,
      budgets: file.budgets as Rules['budgets'],
      owners: file.owners,
      // wherever it runs: what it saw is placed by whoever judges
      brokers: [...brokers, ...(embedded ? [embedded] : [])].map(({ name, site }) => ({ name, site })),
      maxDriftPpm: file.clocks.maxDriftPpm,
    },
    delivery: deliveryRulesOf(file.delivery, publicUrl),
    alertRules: ruleIds.flatMap((rule) => {
      const said = file.alerts[rule];
      if (!said) return [];
      const { for: forMs, ...rest } = said;
      return [{ rule, ...rest, forMs }];
    }),
    retention: {
      spansMs: file.retention.spans ?? 7 * 86_400_000,
      crossingsMs: file.retention.crossings ?? 30 * 86_400_000,
      minutesMs: file.retention.minutes ?? 400 * 86_400_000,
    },
    spool: { keepMs: file.spool.keep ?? 86_400_000, keepBytes: file.spool.keepBytes ?? 2 * 1024 ** 3 },
  });
}

function roleOf(argument: string | undefined, variable: string | undefined): Role {
  const said = argument ?? (variable || 'all');
  const role = roles.find((each) => each === said);
  if (role) return role;
  const where = argument === undefined ? 'HOPSCOPE_ROLE' : '--role';
  throw new HopscopeError('config', `${where}: found "${said}", wanted ${roles.join(', ')}`);
}

/** The embedded broker is inside of a collector, and whoever tells of alerts is another process. */
function refuseEmbeddedTargets(file: FileConfig, embedded: string): void {
  for (const [index, target] of file.delivery.targets.entries())
    if ('broker' in target && target.broker === embedded)
      throw new HopscopeError(
        'config',
        `delivery.targets.${index}.broker: found "${embedded}", the broker inside of a collector, wanted one of brokers, ` +
          'or url: mqtts://... (with --role web nothing is received here)',
      );
}

function fromEnv(name: string, value: string | undefined): z.output<typeof listen> | undefined {
  if (value === undefined || value === '') return undefined;
  const parsed = listen.safeParse(/^\d+$/.test(value) ? Number(value) : value);
  if (!parsed.success) throw new HopscopeError('config', `${name}: found "${value}", wanted ADDRESS:PORT, PORT or off`);
  return parsed.data;
}

function readArguments(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        config: { type: 'string' },
        'no-demo': { type: 'boolean' },
        data: { type: 'string' },
        role: { type: 'string' },
        dev: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message.split('.')[0] : String(error);
    throw new HopscopeError('config', `${message}; wanted --config FILE, --no-demo, --data DIR, --role ROLE or --dev`);
  }
}

function readIfThere(file: string, demanded: boolean): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' && !demanded) return null;
    throw new HopscopeError(
      'config',
      `${file}: ${code === 'ENOENT' ? 'found no such file' : `could not be read (${code})`}, wanted a readable hopscope.yaml (setting: --config)`,
    );
  }
}
