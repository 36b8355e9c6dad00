import { mkdtempSync, writeFileSync } from 'node:fs';
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

describe('a wrong setting', () => {
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
