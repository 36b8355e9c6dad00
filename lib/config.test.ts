import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, parseConfigFile } from './config.ts';

const demoFile = resolve(import.meta.dirname, '../collectors/demo-fleet/hopscope.yaml');
const emptyDir = () => mkdtempSync(join(tmpdir(), 'hopscope-config-'));
const load = (argv: string[] = [], env: Record<string, string> = {}, dir = emptyDir()) =>
  loadConfig(argv, env, dir, demoFile);

const errorOf = (yaml: string): string => {
  try {
    parseConfigFile(yaml, 'hopscope.yaml');
    return 'no error';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('settings', () => {
  it('run the demo fleet on loopback when there is no hopscope.yaml', () => {
    const config = load();
    expect(config.demo).toBe(true);
    expect(config.rules.sites).toHaveLength(5);
    for (const listen of [config.web, config.otlp, config.otlpGrpc, config.broker])
      expect(listen?.host).toBe('127.0.0.1');
    expect([config.web?.port, config.otlp?.port, config.otlpGrpc?.port, config.broker?.port]).toEqual([
      3000, 4318, 4317, 1883,
    ]);
  });

  it('--no-demo leaves an empty product', () => {
    const config = load(['--no-demo']);
    expect(config.demo).toBe(false);
    expect(config.rules.sites).toEqual([]);
    expect(config.broker?.port).toBe(1883);
  });

  it('a hopscope.yaml in the working directory turns the demo off, and named brokers the embedded one', () => {
    const dir = emptyDir();
    writeFileSync(join(dir, 'hopscope.yaml'), 'brokers:\n  - url: mqtt://10.0.0.5:1883\n    site: dublin\n');
    const config = load([], {}, dir);
    expect(config.demo).toBe(false);
    expect(config.broker).toBeNull();
    expect(config.brokers[0]).toMatchObject({ name: 'broker-dublin', topics: ['#'], echo: false });
  });

  it('reads durations, ports and off', () => {
    const dir = emptyDir();
    writeFileSync(
      join(dir, 'hopscope.yaml'),
      'web: 8080\notlp:\n  listen: 0.0.0.0:4318\n  grpc: off\nbroker: off\nretention: { spans: 2d }\n',
    );
    const config = load([], {}, dir);
    expect(config.web).toEqual({ host: '127.0.0.1', port: 8080 });
    expect(config.otlp).toEqual({ host: '0.0.0.0', port: 4318 });
    expect(config.otlpGrpc).toBeNull();
    expect(config.broker).toBeNull();
    expect(config.retention.spansMs).toBe(172_800_000);
  });

  it('variables win over the file', () => {
    const config = load(['--no-demo'], { HOPSCOPE_WEB: '127.0.0.1:3333', HOPSCOPE_BROKER: 'off' });
    expect(config.web?.port).toBe(3333);
    expect(config.broker).toBeNull();
  });
});

describe('roles', () => {
  const server = { HOPSCOPE_STORE: 'questdb://admin:quest@127.0.0.1' };
  const withFile = (yaml: string, argv: string[], env: Record<string, string> = {}) => {
    const dir = emptyDir();
    writeFileSync(join(dir, 'hopscope.yaml'), yaml);
    return load(argv, { ...server, ...env }, dir);
  };

  it('a collector listens, shows that it lives beside the pages of another process, and knows no demo', () => {
    const config = load(['--role', 'collect'], server);
    expect(config).toMatchObject({ role: 'collect', demo: false, web: { host: '127.0.0.1', port: 3001 } });
    expect([config.otlp?.port, config.otlpGrpc?.port, config.broker?.port]).toEqual([4318, 4317, 1883]);
    expect(load(['--role', 'collect'], { ...server, HOPSCOPE_WEB: 'off' }).web).toBeNull();
  });

  it('web receives nothing, knows no demo, and places what the brokers of collectors saw', () => {
    const config = withFile('broker: { name: hall-4, site: kiel, listen: 1883 }\n', ['--role', 'web']);
    expect(config).toMatchObject({ role: 'web', demo: false, web: { port: 3000 } });
    expect([config.otlp, config.otlpGrpc, config.broker]).toEqual([null, null, null]);
    expect(config.rules.brokers).toEqual([{ name: 'hall-4', site: 'kiel' }]);
  });

  it('HOPSCOPE_ROLE says it too, and the argument wins', () => {
    expect(load([], { ...server, HOPSCOPE_ROLE: 'web' }).role).toBe('web');
    expect(load(['--role', 'all'], { HOPSCOPE_ROLE: 'web' }).role).toBe('all');
    expect(() => load([], { HOPSCOPE_ROLE: 'boss' })).toThrow(/HOPSCOPE_ROLE: found "boss", wanted all, collect, web/);
  });

  it('a file as store belongs to one process', () => {
    for (const role of ['collect', 'web'])
      expect(() => load(['--role', role])).toThrow(
        new RegExp(`--role ${role}: found the store duckdb:.*wanted .*questdb://.*HOPSCOPE_STORE.*--role all`),
      );
  });

  it('a collector needs no secrets of delivery; the other process cannot tell by the broker inside of a collector', () => {
    const target = (rest: string) => `delivery:\n  targets:\n    - { name: a, ${rest} }\n`;
    const secret = target(`kind: slack, url: "${'$'}{NOWHERE}"`);
    expect(withFile(secret, ['--role', 'collect']).delivery.targets).toEqual([]);
    expect(() => withFile(secret, ['--role', 'web'])).toThrow(/NOWHERE/);
    const bus = target('kind: mqtt, topic: alerts, broker: embedded');
    expect(() => withFile(bus, ['--role', 'web'])).toThrow(/targets.0.broker: found "embedded".*wanted one of brokers/);
    expect(withFile(bus, ['--role', 'collect']).delivery.targets).toEqual([]);
    const own = `brokers: [{ url: "mqtt://10.0.0.5", name: hall }]\n${target('kind: mqtt, topic: alerts, broker: hall')}`;
    expect(withFile(own, ['--role', 'web']).brokers).toHaveLength(1);
  });
});

describe('delivery', () => {
  const inFile = (yaml: string, env: Record<string, string> = {}) => {
    const dir = emptyDir();
    writeFileSync(join(dir, 'hopscope.yaml'), yaml);
    return load([], env, dir);
  };

  it('takes each kind of target, with secrets out of variables', () => {
    const { delivery } = inFile(
      `
brokers: [{ url: "mqtt://10.0.0.5:1883", site: dublin }]
delivery:
  targets:
    - { name: am, kind: webhook, url: "http://127.0.0.1:9093/hook", token: "\${TOKEN}", allowPlaintext: true }
    - { name: chat, kind: slack, url: "https://hooks.slack.com/\${CHAT_PATH}" }
    - { name: pager, kind: pagerduty, routingKey: "\${PAGER_KEY}" }
    - { name: phone, kind: ntfy, url: https://ntfy.sh/line }
    - { name: mail, kind: email, url: "smtp://mail.example.org:587", user: me, password: "\${P}", from: a@b.org, to: c@d.org }
    - { name: bus, kind: mqtt, broker: broker-dublin, topic: factory/alerts }
    - { name: far, kind: mqtt, url: "mqtts://bus.example.org", topic: alerts }
  routes:
    - { application: factory, severity: [critical], to: pager, continue: true }
    - { hours: { from: "22:00", to: "06:00", timeZone: Europe/Berlin, days: [fri] }, to: [phone, chat] }
  allowPrivate: ["10.0.0.0/8", "127.0.0.1:9093", "fd00::/8", "mail.lan:25"]
`,
      { TOKEN: 't0k', CHAT_PATH: 'T0/B0', PAGER_KEY: 'k3y', P: 'p/w@d' },
    );
    const plain = { allowPlaintext: false };
    expect(delivery.targets).toEqual([
      { name: 'am', kind: 'webhook', url: 'http://127.0.0.1:9093/hook', token: 't0k', allowPlaintext: true },
      { name: 'chat', kind: 'slack', url: 'https://hooks.slack.com/T0/B0', ...plain },
      { name: 'pager', kind: 'pagerduty', routingKey: 'k3y', url: 'https://events.pagerduty.com/v2/enqueue', ...plain },
      { name: 'phone', kind: 'ntfy', url: 'https://ntfy.sh/line', token: null, ...plain },
      {
        name: 'mail',
        kind: 'email',
        url: 'smtp://mail.example.org:587',
        login: { user: 'me', password: 'p/w@d' },
        from: 'a@b.org',
        to: ['c@d.org'],
        ...plain,
      },
      { name: 'bus', kind: 'mqtt', broker: 'broker-dublin', topic: 'factory/alerts', ...plain },
      {
        name: 'far',
        kind: 'mqtt',
        broker: null,
        url: 'mqtts://bus.example.org',
        topic: 'alerts',
        login: null,
        ...plain,
      },
    ]);
    expect(delivery.routes).toEqual([
      { applications: ['factory'], severities: ['critical'], rules: null, hours: null, to: ['pager'], continue: true },
      {
        applications: null,
        severities: null,
        rules: null,
        hours: { timeZone: 'Europe/Berlin', days: ['fri'], fromMinute: 1_320, toMinute: 360 },
        to: ['phone', 'chat'],
        continue: false,
      },
    ]);
  });

  it('takes the example of the README', () => {
    const readme = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8');
    const [, yaml] = /```yaml\n([^`]*^delivery:[^`]*)```/m.exec(readme)!;
    const names = ['HOOK_TOKEN', 'PAGERDUTY_KEY', 'NTFY_TOKEN', 'SMTP_PASSWORD'];
    const env = Object.fromEntries(names.map((name) => [name, 'x']));
    const { delivery } = inFile(yaml!, { ...env, SLACK_WEBHOOK_URL: 'https://hooks.example.org/x' });
    expect(delivery.targets.map(({ kind }) => kind)).toEqual([
      'webhook',
      'slack',
      'pagerduty',
      'ntfy',
      'email',
      'mqtt',
    ]);
    expect(delivery.routes).toHaveLength(5);
  });

  it('links to the public address, which is then a name of ours, else to the listener', () => {
    expect(load().delivery).toMatchObject({ targets: [], routes: [], publicUrl: 'http://127.0.0.1:3000' });
    expect(inFile('web: { listen: "0.0.0.0:80" }').delivery.publicUrl).toBe('http://localhost:80');
    expect(inFile('web: off').delivery.publicUrl).toBe('');
    const config = inFile('web: { publicUrl: "https://hop.example.org/" }');
    expect([config.delivery.publicUrl, config.hostNames]).toEqual(['https://hop.example.org', ['hop.example.org']]);
  });

  it('names the line of what is wrong, and does not repeat what may be secret', () => {
    const target = (rest: string) => `delivery:\n  targets:\n    - { name: a, ${rest} }\n`;
    expect(errorOf(target('kind: slac'))).toMatch(/line 3.*"slac".*webhook, slack, pagerduty/);
    expect(errorOf(target('kind: slack'))).toMatch(
      /line 3, delivery.targets.0.url: found nothing|found one that is not/,
    );
    expect(errorOf(target('kind: slack, url: hooks.slack.com/SECRET'))).toMatch(/line 3.*https:\/\//);
    expect(errorOf(target('kind: slack, url: hooks.slack.com/SECRET'))).not.toContain('SECRET');
    expect(errorOf('delivery: { targets: ["https://hooks.slack.com/SECRET"] }')).not.toContain('SECRET');
    expect(errorOf(target('kind: slack, url: "http://chat.lan/SECRET"'))).toMatch(/line 3.*allowPlaintext: true/);
    expect(errorOf(target('kind: slack, link: "https://x"'))).toMatch(/"link".*wanted one of.*url/);
    expect(errorOf(target(`kind: slack, url: "${'$'}{NOWHERE}"`))).toMatch(
      /line 3, .*url: found \$\{NOWHERE\}.*environment/,
    );
    expect(errorOf(target('kind: ntfy, url: "https://ntfy.sh/"'))).toMatch(/topic/);
    expect(errorOf(target('kind: mqtt, topic: alerts'))).toMatch(/line 3.*broker and url/);
    expect(errorOf(target('kind: mqtt, topic: alerts, broker: dublin'))).toMatch(/line 3.*"dublin".*embedded/);
    expect(errorOf(target('kind: email, url: "smtp://x", from: a@b, to: nobody'))).toMatch(
      /line 3.*to: found "nobody"/,
    );
    const routed = (rest: string) => `${target('kind: slack, url: "https://x"')}  routes:\n    - { ${rest} }\n`;
    expect(errorOf(routed('to: b'))).toMatch(/line 5.*"b".*wanted names of targets: a/);
    expect(errorOf(routed('to: [a, b]'))).toMatch(/line 5.*targets: a/);
    expect(errorOf(routed('to: a, rule: slow'))).toMatch(/line 5.*"slow".*over-budget/);
    expect(errorOf(routed('to: a, app: x'))).toMatch(/line 5.*"app".*application/);
    const hours = (rest: string) => errorOf(routed(`to: a, hours: { ${rest} }`));
    expect(hours('from: "25:00", to: "06:00", timeZone: UTC')).toMatch(/line 5.*"25:00".*08:30/);
    expect(hours('from: "22:00", to: "06:00", timeZone: Berlin')).toMatch(/line 5.*"Berlin".*Europe\/Berlin/);
    expect(errorOf('delivery: { allowPrivate: ["10.0.0.0/33"] }')).toMatch(/line 1.*10.0.0.0\/33.*HOST:PORT/);
    expect(errorOf('delivery: { allowPrivate: [localhost] }')).toMatch(/line 1.*"localhost".*HOST:PORT/);
    expect(
      errorOf(`${target('kind: slack, url: "https://x"')}    - { name: a, kind: slack, url: "https://y" }\n`),
    ).toMatch(/line 4.*"a".*no target above/);
  });
});

describe('a wrong setting', () => {
  it('shows no password of a broker or a store, wherever it was written', () => {
    const url = (text: string) => errorOf(`brokers:\n  - { url: "${text}" }\n`);
    expect(url('http://ada:SECRET@10.0.0.5')).toMatch(
      /line 2, brokers.0.url: found "http:\/\/\*\*\*@10.0.0.5", wanted/,
    );
    expect(url('mqtt://ada:SECRET/SECRET@10.0.0.5')).toMatch(/found "mqtt:\/\/\*\*\*@10.0.0.5".*%2F/);
    for (const text of [
      url('ada:SECRET@10.0.0.5'),
      url('mqtt://ada:SEC@RET SECRET@10.0.0.5:99999'),
      errorOf('brokers: ["mqtt://ada:SECRET@10.0.0.5"]\n'),
      errorOf('brokers: { url: "mqtt://10.0.0.5", password: SECRET }\n'),
      errorOf('brokers:\n  - { url: "mqtt://10.0.0.5", password: SECRET }\n'),
      errorOf('store: { url: "questdb://q", password: SECRET }\n'),
      errorOf('broker: "mqtt://ada:SECRET@10.0.0.5"\n'),
    ])
      expect(text).toMatch(/^hopscope.yaml line \d(?!.*SECRET)/s);
  });

  it('names the line, what was found and what was wanted', () => {
    expect(errorOf('sites:\n  - id: hannover\n    lat: 152\n')).toMatch(/line 3.*152.*wanted/s);
    expect(errorOf('sites:\n  - id: hannover\n    latitude: 52\n')).toMatch(/line [23].*"latitude".*lat/s);
    expect(errorOf('colour: red\n')).toMatch(/line 1.*"colour".*sites/s);
    expect(errorOf('retention: { spans: forever }\n')).toMatch(/line 1.*forever.*7d/s);
    expect(errorOf('budgets:\n  - { path: "button press" }\n')).toMatch(/line 2.*addedMs/s);
    expect(errorOf('web: somewhere\n')).toMatch(/line 1.*somewhere/s);
    expect(errorOf('brokers:\n  - url: http://10.0.0.5\n')).toMatch(/line 2.*mqtt:\/\//s);
  });

  it('is said for broken YAML, unknown arguments and missing files too', () => {
    expect(errorOf('sites: [\n')).toMatch(/hopscope.yaml line \d/);
    expect(() => load(['--nodemo'])).toThrow(/--no-demo/);
    expect(() => load(['--config', 'nowhere.yaml'])).toThrow(/nowhere.yaml.*--config/);
    expect(() => load(['--no-demo'], { HOPSCOPE_WEB: 'x:y' })).toThrow(/HOPSCOPE_WEB: found "x:y"/);
    expect(() => load(['--role', 'boss'])).toThrow(/"boss"/);
  });

  it('change alert rules by name', () => {
    const dir = emptyDir();
    writeFileSync(
      join(dir, 'hopscope.yaml'),
      'alerts:\n  silent-topic: { enabled: false }\n  device-down: { severity: warning, for: 2m }\n  clock-stepped: { threshold: 50 }\n',
    );
    expect(load([], {}, dir).alertRules).toEqual([
      { rule: 'silent-topic', enabled: false },
      { rule: 'device-down', severity: 'warning', forMs: 120_000 },
      { rule: 'clock-stepped', threshold: 50 },
    ]);
    expect(load().alertRules).toEqual([]);
  });

  it('name what is wrong with an alert rule, and what was wanted', () => {
    expect(errorOf('alerts:\n  silent-topics: {}\n')).toMatch(
      /line 2.*"silent-topics", wanted one of over-budget, path-over-budget, .*silent-topic/,
    );
    expect(errorOf('alerts:\n  silent-topic: { after: 5m }\n')).toMatch(
      /"after", wanted one of enabled, severity, threshold, for/,
    );
    expect(errorOf('alerts:\n  silent-topic: { for: soon }\n')).toMatch(/found "soon", wanted a duration/);
    expect(errorOf('alerts:\n  silent-topic: { severity: bad }\n')).toMatch(
      /found "bad", wanted critical, warning or info/,
    );
  });
});
