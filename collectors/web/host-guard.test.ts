import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenForPages } from './server.ts';

let server: Server;
let url = '';
let handled = 0;
beforeAll(async () => {
  server = await listenForPages(
    { host: '127.0.0.1', port: 0 },
    ['hopscope.example.com'],
    false,
    async (_, response) => {
      handled++;
      response.end('done');
    },
  );
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const types = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain', 'application/json'];
const foreign: [string, Record<string, string>][] = [
  ['another origin', { origin: 'https://evil.example' }],
  ['another port of this host', { origin: 'http://127.0.0.1:1' }],
  ['no origin that can be told', { origin: 'null' }],
  ['an origin that is none', { origin: 'evil' }],
  ["another site's page without an origin", { 'sec-fetch-site': 'cross-site' }],
  ["a sister site's page without an origin", { 'sec-fetch-site': 'same-site' }],
];

/** S10 of reliability.md: every unsafe method, whatever the form it comes in. */
describe('what changes something', () => {
  const cases = foreign.flatMap(([from, headers]) =>
    ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => [method, from, headers] as const),
  );

  it.each(cases)('%s from %s is refused before anything is done', async (method, _from, headers) => {
    const before = handled;
    for (const type of types) {
      const response = await fetch(`${url}/api/v1/alerts/x/acknowledge`, {
        method,
        headers: { ...headers, 'content-type': type },
        body: 'text=x',
      });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ title: 'Foreign origin', status: 403 });
    }
    expect(handled).toBe(before);
  });

  it.each([
    ["a page of one's own", () => ({ origin: url, 'sec-fetch-site': 'same-origin' })],
    ['a script', () => ({})],
    ['an address that was typed', () => ({ 'sec-fetch-site': 'none' })],
  ])('from %s is let in', async (_from, headers) => {
    const response = await fetch(url, { method: 'POST', headers: headers(), body: 'text=x' });
    expect(response.status).toBe(200);
  });

  it('tells no other site an address, and keeps the origin of forms of its own', async () => {
    const response = await fetch(url);
    expect(response.headers.get('referrer-policy')).toBe('same-origin');
  });
});
