import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'playwright/test';
import { freePorts, runProduct, startProduct, temporaryDir } from './steps/product.ts';

const offline = { HOPSCOPE_WEB: 'off', HOPSCOPE_OTLP: 'off', HOPSCOPE_OTLP_GRPC: 'off', HOPSCOPE_BROKER: 'off' };

test('a taken port is said in one sentence that names the setting', async () => {
  const [port] = await freePorts(1);
  const other = createServer().listen(port, '127.0.0.1');
  const { output, ended } = runProduct(['--no-demo', '--data', temporaryDir()], {
    ...offline,
    HOPSCOPE_OTLP: `127.0.0.1:${port}`,
  });
  expect(await ended).not.toBe(0);
  expect(output()).toContain(String(port));
  expect(output()).toMatch(/taken|in use/);
  expect(output()).toContain('HOPSCOPE_OTLP');
  other.close();
});

test('a directory that cannot be written is said in one sentence', async () => {
  const file = join(temporaryDir(), 'a-file');
  writeFileSync(file, '');
  const { output, ended } = runProduct(['--no-demo', '--data', join(file, 'data')], offline);
  expect(await ended).not.toBe(0);
  expect(output()).toContain('--data');
  expect(output()).toContain(file);
});

test('a wrong key in hopscope.yaml is named with its line and what was wanted', async () => {
  const dir = temporaryDir();
  writeFileSync(join(dir, 'hopscope.yaml'), 'sites:\n  - id: hannover\n    latitude: 52\n');
  const { output, ended } = runProduct(['--data', join(dir, 'data')], offline, dir);
  expect(await ended).not.toBe(0);
  expect(output()).toMatch(/line 3/);
  expect(output()).toContain('latitude');
  expect(output()).toContain('lat');
});

test('SIGTERM with an open event stream ends with exit code 0 within 10 s', async () => {
  const product = await startProduct();
  const stream = await fetch(`${product.url}/api/v1/stream`);
  expect(stream.headers.get('content-type')).toContain('text/event-stream');
  const began = performance.now();
  expect(await product.stop()).toBe(0);
  expect(performance.now() - began).toBeLessThan(10_000);
});

test('a foreign Host is refused on every HTTP listener, and a foreign Origin may change nothing', async () => {
  const product = await startProduct();
  const ask = (url: string, headers: Record<string, string>, method = 'GET'): Promise<number> =>
    new Promise((done, failed) => {
      const asked = request(url, { method, headers }, (response) => {
        response.resume();
        done(response.statusCode ?? 0);
      });
      asked.on('error', failed);
      asked.end();
    });
  expect(await ask(`${product.url}/`, { host: 'evil.example' })).toBe(421);
  expect(await ask(`${product.url}/api/v1/fleet`, { host: 'evil.example' })).toBe(421);
  expect(
    await ask(`${product.otlp}/v1/traces`, { host: 'evil.example', 'content-type': 'application/json' }, 'POST'),
  ).toBe(421);
  expect(
    await ask(
      `${product.otlp}/v1/traces`,
      { origin: 'http://evil.example', 'content-type': 'application/json' },
      'POST',
    ),
  ).toBe(403);
  expect(await ask(`${product.otlp}/v1/traces`, { 'content-type': 'text/plain' }, 'POST')).toBe(415);
  expect(await product.stop()).toBe(0);
});
