import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Config, loadConfig } from '../config.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Service {
  image: string;
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  configs?: { source: string; target: string }[];
}
interface Compose {
  services: Record<string, Service>;
  configs: Record<string, { content: string }>;
  volumes: Record<string, null>;
}
const { services, configs, volumes } = parse(read('compose.yaml')) as Compose;
const of = (name: string): Service => services[name]!;

/** The settings a service would run with. */
function settingsOf(name: string): Config {
  const { environment = {}, configs: mounted = [] } = of(name);
  const dir = mkdtempSync(join(tmpdir(), 'hopscope-compose-'));
  const file = join(dir, 'hopscope.yaml');
  const source = mounted.find(({ target }) => target === environment.HOPSCOPE_CONFIG)!.source;
  writeFileSync(file, configs[source]!.content);
  return loadConfig([], { HOPSCOPE_DATA: '/data', ...environment, HOPSCOPE_CONFIG: file }, dir, 'no demo');
}

describe('compose.yaml', () => {
  it('runs a broker, a store, a collector and the pages, each with a volume of its own', () => {
    expect(Object.keys(services)).toEqual(['mosquitto', 'questdb', 'collect', 'web']);
    expect(Object.values(services).map((each) => each.volumes?.[0]?.split(':')[0])).toEqual(Object.keys(volumes));
  });

  it('publishes on loopback alone', () => {
    for (const { ports = [] } of Object.values(services))
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
    expect(of('questdb').ports).toBeUndefined();
  });

  it('says only what the settings know', () => {
    const known = new Set(read('lib/config.ts').match(/HOPSCOPE_[A-Z_]+/g));
    for (const { environment = {} } of Object.values(services))
      for (const name of Object.keys(environment)) expect(known.has(name) || name.startsWith('QDB_'), name).toBe(true);
  });

  it('is settings that a start takes, and what is published is where it listens', () => {
    const collect = settingsOf('collect');
    expect(collect).toMatchObject({
      role: 'collect',
      store: expect.stringMatching(/^questdb:\/\/hopscope:.+@questdb$/),
      hostNames: ['collect'],
    });
    expect(collect.brokers).toMatchObject([{ url: 'mqtt://mosquitto:1883', share: 'hopscope' }]);
    const listening = [collect.otlp, collect.otlpGrpc, collect.web].map((each) => `${each?.host}:${each?.port}`);
    expect(listening).toEqual(of('collect').ports?.map((port) => `0.0.0.0:${port.split(':')[2]}`));
    const web = settingsOf('web');
    expect(web).toMatchObject({ role: 'web', store: collect.store, web: { host: '0.0.0.0', port: 3000 }, otlp: null });
    expect(of('web').ports).toEqual(['127.0.0.1:3000:3000']);
    expect(web.delivery.publicUrl).toBe('http://localhost:3000');
  });

  it('runs the QuestDB that the tests run, which answers when a row is on its disk', () => {
    const [, version] = /const version = .*'(.+)'/.exec(read('.ci/questdb.mjs'))!;
    expect(of('questdb').image).toBe(`questdb/questdb:${version}`);
    expect(of('questdb').environment?.QDB_CAIRO_COMMIT_MODE).toBe('sync');
  });

  it('sets of it what the tests set', () => {
    const tested = [...read('.ci/questdb.mjs').matchAll(/^ {4}'([a-z.]+)': '(\w+)',$/gm)].map(
      ([, name, value]) => [`QDB_${name!.replaceAll('.', '_').toUpperCase()}`, value] as const,
    );
    // two threads are for the two cores of a test
    const both = tested.filter(([name]) => !/_COUNT$|HTTP_MIN/.test(name));
    expect(both.length).toBeGreaterThan(5);
    expect(of('questdb').environment).toMatchObject(Object.fromEntries(both));
  });
});

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile');
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

  it('starts what npm start starts', () => {
    const [, command] = /^CMD (\[.*\])$/m.exec(dockerfile)!;
    expect((JSON.parse(command!) as string[]).join(' ')).toBe(scripts.start);
  });

  it('runs scripts that there are, and copies files that there are', () => {
    for (const [, name] of dockerfile.matchAll(/npm run (\S+)/g)) expect(scripts).toHaveProperty([name!]);
    for (const [, files] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm))
      for (const file of files!.split(' ')) if (file !== '.') expect(read(file).length).toBeGreaterThan(0);
  });

  it('keeps out of the image what a build on this machine left', () => {
    const ignored = read('.dockerignore').split('\n');
    for (const name of ['node_modules', '.next', 'data', '.git']) expect(ignored).toContain(name);
  });
});
