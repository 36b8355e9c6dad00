import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

export interface Product {
  url: string;
  otlp: string;
  grpc: string;
  mqtt: string;
  mqttPort: number;
  dataDir: string;
  pid: number;
  output(): string;
  /** SIGTERM; answers the exit code */
  stop(): Promise<number | null>;
  /** kill -9 */
  kill(): Promise<void>;
}

export interface StartOptions {
  args?: string[];
  env?: Record<string, string>;
  dataDir?: string;
}

/** As many ports as asked for that nobody listens on right now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

export const temporaryDir = (): string => mkdtempSync(join(tmpdir(), 'hopscope-'));

/** What the start script gives to Node, before the program's name. */
function startFlags(): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const [, flags] = /^node (.*) collectors\/main\.ts$/.exec(scripts.start) ?? [];
  if (flags === undefined) throw new Error(`"start" in package.json: found "${scripts.start}"`);
  return flags.split(' ');
}

/** Runs the program as `npm start` does; ends when it ends. For starts that must fail. */
export function runProduct(
  args: string[],
  env: Record<string, string> = {},
  cwd = root,
): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const node = join(root, 'node_modules/node/bin/node');
  const child = spawn(node, [...startFlags(), join(root, 'collectors/main.ts'), ...args], {
    cwd,
    env: { ...process.env, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr!.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  return { child, output: () => text, ended };
}

/** Starts the built product on ports of its own and waits until it says it is ready. */
export async function startProduct({
  args = ['--no-demo'],
  env = {},
  dataDir = temporaryDir(),
}: StartOptions = {}): Promise<Product> {
  const [web, otlp, grpc, broker] = await freePorts(4);
  const { child, output, ended } = runProduct([...args, '--data', dataDir], {
    HOPSCOPE_WEB: `127.0.0.1:${web}`,
    HOPSCOPE_OTLP: `127.0.0.1:${otlp}`,
    HOPSCOPE_OTLP_GRPC: `127.0.0.1:${grpc}`,
    HOPSCOPE_BROKER: `127.0.0.1:${broker}`,
    ...env,
  });
  const url = `http://127.0.0.1:${web}`;
  await until(
    'the product is ready',
    async () => {
      if (child.exitCode !== null) throw new Error(`the product ended with ${child.exitCode}:\n${output()}`);
      return (await fetch(`${url}/readyz`).catch(() => null))?.status === 200;
    },
    60_000,
  ).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}\n${output()}`);
  });
  return {
    url,
    otlp: `http://127.0.0.1:${otlp}`,
    grpc: `127.0.0.1:${grpc}`,
    mqtt: `mqtt://127.0.0.1:${broker}`,
    mqttPort: broker!,
    dataDir,
    pid: child.pid!,
    output,
    stop: async () => {
      child.kill('SIGTERM');
      const code = await ended;
      rmSync(dataDir, { recursive: true, force: true });
      return code;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Waits for a fact, looking again and again; says which one never came. */
export async function until(
  fact: string,
  holds: () => Promise<boolean>,
  limitMs = 20_000,
  everyMs = 100,
): Promise<void> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (await holds()) return;
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms, but never: ${fact}`);
    await new Promise((done) => setTimeout(done, everyMs));
  }
}

export async function getJson<T>(product: { url: string }, path: string): Promise<T> {
  const response = await fetch(product.url + path);
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
