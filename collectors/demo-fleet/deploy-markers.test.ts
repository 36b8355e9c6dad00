import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type DeployMarker, deployOf, tell } from './deploy-markers.ts';
import { storyAt } from './story.ts';

const startedMs = Date.UTC(2026, 10, 21, 2, 40);
const at = (second: number, speed = 1) =>
  deployOf(storyAt(second), startedMs, speed, startedMs + (second / speed) * 1_000);

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

test('before the first deploy there is nothing to tell', () => expect(at(89)).toBeUndefined());

test('v42 moves factory-events to Ashburn, v43 brings it home', () => {
  expect(at(90)).toMatchObject({
    title: 'Snapshot v42',
    text: 'moved off booth-hannover',
    by: 'J. Okafor',
    site: 'ashburn',
  });
  expect(at(900)).toMatchObject({ title: 'Snapshot v43', service: 'factory-events', site: 'hannover' });
});

test('who joins late tells when it was, and the next loop has deploys of its own', () => {
  expect(at(100)!.time).toBe(new Date(startedMs + 90_000).toISOString());
  expect(at(190, 10)!.time).toBe(new Date(startedMs + 9_000).toISOString());
  expect(at(1_200)).toBeUndefined();
  expect(at(1_290)!.title).toBe('Snapshot v44');
  expect(new Set([90, 900, 1_290, 2_100].map((second) => at(second)!.id)).size).toBe(4);
});

test('a server that is not up yet is told later, with the same id', async () => {
  const seen: DeployMarker[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      seen.push(JSON.parse(body) as DeployMarker);
      response.writeHead(seen.length === 1 ? 503 : 200).end('{}');
    });
  });
  cleanUps.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await tell(`http://127.0.0.1:${port}`, at(90)!, new AbortController().signal);
  expect(seen.map(({ id }) => id)).toEqual([at(90)!.id, at(90)!.id]);
});
